// SPDX-License-Identifier: GPL-2.0
/*
 * From a channel's target to a VMBus device: one VMBus driver for each class
 * that some channel waits for, registered while that lasts.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <asm/mshyperv.h>

#include "hv.h"
#include "hv_compat.h"

struct kmcl_hv_watch {
	struct list_head node;
	guid_t type;
	u32 users;		/* guarded by kmcl_hv_watches_lock */
	struct mutex lock;	/* held while the driver is registered or not */
	bool registered;
	char name[sizeof("vmbkmcl-") + UUID_STRING_LEN];
	struct hv_vmbus_device_id ids[2];
	struct hv_driver drv;
};

/* Guards the list and its members' users. Taken inside a watch's own lock. */
static DEFINE_MUTEX(kmcl_hv_watches_lock);
static LIST_HEAD(kmcl_hv_watches);

static void kmcl_hv_link_free(struct kref *ref)
{
	struct kmcl_hv_link *hv = container_of(ref, struct kmcl_hv_link, ref);

	kmcl_link_destroy(&hv->link);
	put_device(&hv->dev->device);
	kfree(hv);
}

static int kmcl_hv_probe(struct hv_device *dev,
			 const struct hv_vmbus_device_id *id)
{
	struct kmcl_hv_link *hv;
	int ret;

	hv = kzalloc(sizeof(*hv), GFP_KERNEL);
	if (!hv)
		return -ENOMEM;

	kmcl_link_init(&hv->link, &kmcl_hv_transport, &dev->dev_type,
		       &dev->dev_instance);
	kref_init(&hv->ref);
	hv->dev = dev;
	hv->channel = dev->channel;
	hv->bound = true;
	mutex_init(&hv->gpadls);
	get_device(&dev->device);
	hv_set_drvdata(dev, hv);
	/* A driver that had the device before may have left its own. */
	vmbus_set_chn_rescind_callback(dev->channel, NULL);

	/* The core's reference, which it may drop before the next line returns. */
	kref_get(&hv->ref);
	ret = kmcl_offer_arrived(&hv->link);
	if (ret) {
		hv_set_drvdata(dev, NULL);
		kref_put(&hv->ref, kmcl_hv_link_free);
		kref_put(&hv->ref, kmcl_hv_link_free);
	}
	return ret;
}

static kmcl_hv_remove_t kmcl_hv_remove(struct hv_device *dev)
{
	struct kmcl_hv_link *hv = hv_get_drvdata(dev);

	if (!kmcl_offer_gone(&hv->link))
		kref_put(&hv->ref, kmcl_hv_link_free);
	hv->bound = false;
	hv_set_drvdata(dev, NULL);
	kref_put(&hv->ref, kmcl_hv_link_free);
	return KMCL_HV_REMOVED;
}

/*
 * Gives the device up. If a rescind is removing it, that has waited for the core
 * to get here, holds the device's lock until it is done, and leaves nothing to do.
 *
 * Who unbinds the device and binds another driver to it by hand between the two
 * locks will see that one unbound: there is no way to release the device from
 * this driver only.
 */
void kmcl_hv_release(struct kmcl_link *link)
{
	struct kmcl_hv_link *hv = to_hv_link(link);
	struct device *dev = &hv->dev->device;
	bool bound;

	device_lock(dev);
	bound = hv->bound;
	device_unlock(dev);

	if (bound)
		device_release_driver(dev);
	kref_put(&hv->ref, kmcl_hv_link_free);
}

struct kmcl_hv_search {
	const struct kmcl_hv_watch *watch;
	const guid_t *instance;
	bool ours;
	bool held;
};

static int kmcl_hv_look_at(struct device *device, void *data)
{
	struct hv_device *dev = device_to_hv_device(device);
	struct kmcl_hv_search *search = data;
	const char *ours = search->watch->name;

	if (!guid_equal(&dev->dev_type, &search->watch->type) ||
	    (search->instance && !guid_equal(&dev->dev_instance, search->instance)))
		return 0;

	/*
	 * A device whose lock is taken is being bound or removed. To wait for it
	 * could be to wait for ourselves, for a removal waits for the core.
	 */
	if (!device_trylock(device))
		return 0;

	if (device->driver == &search->watch->drv.driver) {
		search->ours = true;
	} else if (device->driver) {
		search->held = true;
		pr_warn("VMBus device %s is held by driver %s; to hand it over: echo %s > /sys/bus/vmbus/drivers/%s/unbind; echo %s > /sys/bus/vmbus/drivers/%s/bind\n",
			dev_name(device), device->driver->name,
			dev_name(device), device->driver->name,
			dev_name(device), ours);
	}
	device_unlock(device);
	return 0;
}

static struct kmcl_hv_watch *kmcl_hv_find_watch(const guid_t *type)
{
	struct kmcl_hv_watch *watch;

	list_for_each_entry(watch, &kmcl_hv_watches, node) {
		if (guid_equal(&watch->type, type))
			return watch;
	}
	return NULL;
}

/* The watch for a class, found or new; the caller is one of its users. */
static struct kmcl_hv_watch *kmcl_hv_get_watch(const guid_t *type)
{
	struct kmcl_hv_watch *watch;

	mutex_lock(&kmcl_hv_watches_lock);
	watch = kmcl_hv_find_watch(type);
	if (!watch) {
		watch = kzalloc(sizeof(*watch), GFP_KERNEL);
		if (!watch)
			goto out;

		guid_copy(&watch->type, type);
		guid_copy(&watch->ids[0].guid, type);
		snprintf(watch->name, sizeof(watch->name), "vmbkmcl-%pUl", type);
		mutex_init(&watch->lock);
		watch->drv.name = watch->name;
		watch->drv.id_table = watch->ids;
		watch->drv.probe = kmcl_hv_probe;
		watch->drv.remove = kmcl_hv_remove;
		/* Devices that are present are to be bound on return. */
		watch->drv.driver.probe_type = PROBE_FORCE_SYNCHRONOUS;
		list_add(&watch->node, &kmcl_hv_watches);
	}
	watch->users++;
out:
	mutex_unlock(&kmcl_hv_watches_lock);
	return watch;
}

/* Is the caller, a user, the only one? */
static bool kmcl_hv_alone(struct kmcl_hv_watch *watch)
{
	bool alone;

	mutex_lock(&kmcl_hv_watches_lock);
	alone = watch->users == 1;
	mutex_unlock(&kmcl_hv_watches_lock);
	return alone;
}

/* The same, but if he is not, he is none any more. */
static bool kmcl_hv_last_user(struct kmcl_hv_watch *watch)
{
	bool last;

	mutex_lock(&kmcl_hv_watches_lock);
	last = watch->users == 1;
	if (!last)
		watch->users--;
	mutex_unlock(&kmcl_hv_watches_lock);
	return last;
}

/* Takes it off the list. False: somebody came, or has registered it since. */
static bool kmcl_hv_end_watch(struct kmcl_hv_watch *watch)
{
	bool unused;

	mutex_lock(&kmcl_hv_watches_lock);
	/* Only users register it, and one of them is the caller. */
	unused = watch->users == 1 && !watch->registered;
	if (unused)
		list_del(&watch->node);
	mutex_unlock(&kmcl_hv_watches_lock);
	return unused;
}

/*
 * One user less. Only the last one takes the watch's lock, which others may hold
 * while they wait for a device, and that for a client. He stays a user until he has
 * let go of it: whoever is next may free it.
 */
static void kmcl_hv_put_watch(struct kmcl_hv_watch *watch)
{
	while (kmcl_hv_last_user(watch)) {
		mutex_lock(&watch->lock);
		/* Somebody may have come and bound a device before the lock was ours. */
		if (watch->registered && kmcl_hv_alone(watch)) {
			/* Who comes now waits for the lock. */
			vmbus_driver_unregister(&watch->drv);
			watch->registered = false;
		}
		mutex_unlock(&watch->lock);

		if (kmcl_hv_end_watch(watch)) {
			kfree(watch);
			return;
		}
	}
}

/* Offers what devices of the class there are to the channels that wait. */
static int kmcl_hv_offer_devices(struct kmcl_hv_watch *watch)
{
	int ret;

	if (watch->registered)
		return driver_attach(&watch->drv.driver);

	ret = vmbus_driver_register(&watch->drv);
	watch->registered = !ret;
	/* The core takes -EBUSY for something else. */
	return ret == -EBUSY ? -EEXIST : ret;
}

int kmcl_hv_watch(const guid_t *type, const guid_t *instance)
{
	struct kmcl_hv_search search = { .instance = instance };
	struct kmcl_hv_watch *watch;
	int ret;

	if (!hv_is_hyperv_initialized())
		return -ENODEV;

	watch = kmcl_hv_get_watch(type);
	if (!watch)
		return -ENOMEM;

	mutex_lock(&watch->lock);
	ret = kmcl_hv_offer_devices(watch);
	if (!ret) {
		search.watch = watch;
		bus_for_each_dev(watch->drv.driver.bus, NULL, &search,
				 kmcl_hv_look_at);
		if (search.held && !search.ours)
			ret = -EBUSY;
	}
	mutex_unlock(&watch->lock);

	if (ret && ret != -EBUSY)
		kmcl_hv_put_watch(watch);
	return ret;
}

/* The caller is a user of the watch, so it is there. */
void kmcl_hv_unwatch(const guid_t *type)
{
	struct kmcl_hv_watch *watch;

	mutex_lock(&kmcl_hv_watches_lock);
	watch = kmcl_hv_find_watch(type);
	mutex_unlock(&kmcl_hv_watches_lock);

	kmcl_hv_put_watch(watch);
}
