// SPDX-License-Identifier: GPL-2.0
/*
 * Hibernation. A host forgets all channels of a guest that hibernates, and hv_vmbus
 * does not let one go whose driver cannot close its device with interrupts off: so
 * before that all channels are closed, while their clients can still do what that
 * takes (core/sleep.c). They go on waiting, and are opened again when the guest is
 * back, or has changed its mind.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/notifier.h>

#include "../core/sleep.h"
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

static int kmcl_hv_sleep_event(struct notifier_block *sleeper, unsigned long event,
			       void *unused)
{
	if (event == KMCL_SLEEP)
		return kmcl_hv_fall_asleep();
	kmcl_hv_set_asleep(false);
	return NOTIFY_DONE;
}

static struct notifier_block kmcl_hv_sleeper = {
	.notifier_call = kmcl_hv_sleep_event,
};

int kmcl_hv_sleep_init(void)
{
	return kmcl_sleep_register(&kmcl_hv_sleeper);
}

void kmcl_hv_sleep_exit(void)
{
	kmcl_sleep_unregister(&kmcl_hv_sleeper);
}
