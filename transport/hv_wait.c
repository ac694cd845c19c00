// SPDX-License-Identifier: GPL-2.0
/*
 * hv_vmbus waits for the host without limit and without a word: a host that does
 * not answer is named in the log. Only its answer, or the withdrawal of the offer,
 * ends the wait.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>

#include "hv.h"

static void kmcl_hv_wait_report(struct work_struct *work)
{
	struct kmcl_hv_wait *wait = container_of(to_delayed_work(work),
						 struct kmcl_hv_wait, work);

	wait->ms += KMCL_HV_PATIENCE_MS;
	pr_warn("VMBus device %s: the host has not answered %s for %u s; until it does, or withdraws the offer, the device cannot go on\n",
		dev_name(&wait->hv->dev->device), wait->what, wait->ms / 1000);
	queue_delayed_work(kmcl_hv_beside_wq, &wait->work,
			   msecs_to_jiffies(KMCL_HV_PATIENCE_MS));
}

/**
 * kmcl_hv_wait_begin() - a call into hv_vmbus follows that waits for the host
 * @wait: on the caller's stack
 * @hv: whose device it is about
 * @what: what the host is to answer, for the log
 */
void kmcl_hv_wait_begin(struct kmcl_hv_wait *wait, struct kmcl_hv_link *hv,
			const char *what)
{
	wait->hv = hv;
	wait->what = what;
	wait->ms = 0;
	INIT_DELAYED_WORK_ONSTACK(&wait->work, kmcl_hv_wait_report);
	queue_delayed_work(kmcl_hv_beside_wq, &wait->work,
			   msecs_to_jiffies(KMCL_HV_PATIENCE_MS));
}

void kmcl_hv_wait_end(struct kmcl_hv_wait *wait)
{
	cancel_delayed_work_sync(&wait->work);
	destroy_delayed_work_on_stack(&wait->work);
}
