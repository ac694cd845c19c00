// SPDX-License-Identifier: GPL-2.0
/*
 * Hibernation: when frameworks and transports are told of it. A host forgets the channels
 * of a guest that hibernates, so before that they close: as late as clients can still do
 * what it takes to close them, for another device may use what a client serves, as a disk,
 * until it is suspended, and tasks do until they are frozen and their files are
 * written. Interrupts, and what of the kernel is not frozen, still run then.
 *
 * Linux tells only a device that late, so there is one for that, which does nothing else.
 * When it is told that the guest goes on its tasks are still frozen, and drivers cannot be bound
 * to devices; so channels open again when they can, with a PM notifier.
 */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/pm.h>
#include <linux/slab.h>
#include <linux/suspend.h>

#include "sleep.h"

static BLOCKING_NOTIFIER_HEAD(kmcl_sleepers);

/* Some have been told that the guest hibernates. */
static bool kmcl_sleeping;

static struct device *kmcl_sleep_device;

/**
 * kmcl_sleep_register() - be told of hibernation
 * @sleeper: called with one of enum kmcl_sleep_event, those of a higher priority first
 *
 * Context: PASSIVE_LEVEL.
 *
 * Return: 0.
 */
int kmcl_sleep_register(struct notifier_block *sleeper)
{
	return blocking_notifier_chain_register(&kmcl_sleepers, sleeper);
}
EXPORT_SYMBOL_GPL(kmcl_sleep_register);

/**
 * kmcl_sleep_unregister() - the opposite
 * @sleeper: it is told nothing any more when this returns
 *
 * Context: PASSIVE_LEVEL.
 */
void kmcl_sleep_unregister(struct notifier_block *sleeper)
{
	blocking_notifier_chain_unregister(&kmcl_sleepers, sleeper);
}
EXPORT_SYMBOL_GPL(kmcl_sleep_unregister);

static int kmcl_sleep_call(enum kmcl_sleep_event event)
{
	return notifier_to_errno(blocking_notifier_call_chain(&kmcl_sleepers, event, NULL));
}

#ifdef VMBKMCL_KUNIT
/* What hibernation does, for a kernel that has none. */
int kmcl_sleep_test_call(enum kmcl_sleep_event event)
{
	return kmcl_sleep_call(event);
}
EXPORT_SYMBOL_GPL(kmcl_sleep_test_call);
#endif

/* Also in the kernel that starts another one's image. */
static int kmcl_sleep_freeze(struct device *dev)
{
	kmcl_sleeping = true;
	return kmcl_sleep_call(KMCL_SLEEP);
}

static int kmcl_sleep_pm_event(struct notifier_block *notifier, unsigned long event,
			       void *unused)
{
	if (kmcl_sleeping && (event == PM_POST_HIBERNATION || event == PM_POST_RESTORE)) {
		kmcl_sleeping = false;
		kmcl_sleep_call(KMCL_WAKE);
	}
	return NOTIFY_DONE;
}

static struct notifier_block kmcl_sleep_pm_notifier = {
	.notifier_call = kmcl_sleep_pm_event,
};

static const struct dev_pm_ops kmcl_sleep_pm_ops = {
	.freeze_late = kmcl_sleep_freeze,
};

static void kmcl_sleep_device_release(struct device *dev)
{
	kfree(dev);
}

static const struct device_type kmcl_sleep_type = {
	.name = "vmbkmcl_sleep",
	.release = kmcl_sleep_device_release,
	.pm = &kmcl_sleep_pm_ops,
};

static struct device *kmcl_sleep_device_create(void)
{
	struct device *dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	int err;

	if (!dev)
		return ERR_PTR(-ENOMEM);
	device_initialize(dev);
	dev->type = &kmcl_sleep_type;
	err = dev_set_name(dev, "vmbkmcl");
	if (!err)
		err = device_add(dev);
	if (!err)
		return dev;
	put_device(dev);
	return ERR_PTR(err);
}

int kmcl_sleep_init(void)
{
	int err;

	kmcl_sleep_device = kmcl_sleep_device_create();
	if (IS_ERR(kmcl_sleep_device))
		return PTR_ERR(kmcl_sleep_device);
	err = register_pm_notifier(&kmcl_sleep_pm_notifier);
	if (err)
		device_unregister(kmcl_sleep_device);
	return err;
}

void kmcl_sleep_exit(void)
{
	unregister_pm_notifier(&kmcl_sleep_pm_notifier);
	device_unregister(kmcl_sleep_device);
}
