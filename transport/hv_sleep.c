// SPDX-License-Identifier: GPL-2.0
/*
 * Hibernation. A host forgets all channels of a guest that hibernates, and hv_vmbus
 * does not let one go whose driver cannot close its device in time, with interrupts
 * off and other tasks frozen: so before that all channels are closed, while their
 * clients can still do what that takes. They go on waiting, and are opened again when
 * the guest is back, or has changed its mind.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/notifier.h>
#include <linux/suspend.h>

#include "hv.h"

/* Clients may need time; by then the log names the one that has not ended. */
#define KMCL_HV_SLEEP_TIMEOUT	(35 * HZ)

static int kmcl_hv_fall_asleep(void)
{
	kmcl_hv_set_asleep(true);
	kmcl_transport_sleep(&kmcl_hv_transport);
	if (kmcl_hv_wait_unlinked(KMCL_HV_SLEEP_TIMEOUT))
		return NOTIFY_DONE;

	pr_err("the guest cannot hibernate: a channel does not close\n");
	kmcl_hv_set_asleep(false);
	return notifier_from_errno(-EBUSY);
}

static int kmcl_hv_pm_event(struct notifier_block *notifier, unsigned long event,
			    void *unused)
{
	switch (event) {
	case PM_HIBERNATION_PREPARE:
	case PM_RESTORE_PREPARE:
		return kmcl_hv_fall_asleep();
	case PM_POST_HIBERNATION:
	case PM_POST_RESTORE:
		kmcl_hv_set_asleep(false);
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block kmcl_hv_pm_notifier = {
	.notifier_call = kmcl_hv_pm_event,
};

int kmcl_hv_sleep_init(void)
{
	return register_pm_notifier(&kmcl_hv_pm_notifier);
}

void kmcl_hv_sleep_exit(void)
{
	unregister_pm_notifier(&kmcl_hv_pm_notifier);
}
