// SPDX-License-Identifier: GPL-2.0
/*
 * Three channels of one class. The device of one is unbound by hand, with its lock held.
 * Its client disables the second one, which waits for an offer, from EvtChannelClosed.
 * The third one closes meanwhile, which has the second one look for a device: it must
 * not wait for that lock.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kthread.h>

#include "guest.h"

enum { UNBOUND, CLOSING, WAITING, PEERS };

static const char * const names[PEERS] = { "unbound", "closing", "waiting" };
static struct peer peers[PEERS];
static GUID instances[PEERS];
static struct file *unbind_file;
static struct completion unbind_over;
static bool unbind_written;

static void unbound_after_close(struct peer *peer)
{
	msleep(1000);
	kmcl.VmbChannelDisable(peers[WAITING].channel);
}

/* /sys/bus/vmbus/drivers/vmbkmcl-CLASS/unbind: the newest kernels' threads see no files. */
static bool unbind_file_open(void)
{
	GUID type = guest_type;
	char path[100];

	type.Data4[7] = JOB_UNBOUND;
	snprintf(path, sizeof(path), "/sys/bus/vmbus/drivers/vmbkmcl-%pUl/unbind", &type);
	unbind_file = filp_open(path, O_WRONLY, 0);
	return !IS_ERR(unbind_file);
}

/* echo DEVICE > unbind */
static int unbind_thread(void *unused)
{
	char device[40];
	loff_t pos = 0;

	snprintf(device, sizeof(device), "%pUl", &instances[UNBOUND]);
	unbind_written = kernel_write(unbind_file, device, strlen(device), &pos) > 0;
	filp_close(unbind_file, NULL);
	complete(&unbind_over);
	return 0;
}

static int closing_thread(void *unused)
{
	kmcl.VmbChannelDisable(peers[CLOSING].channel);
	complete(&peers[CLOSING].failed);
	return 0;
}

static bool unbind_create(void)
{
	u32 i;

	for (i = 0; i < PEERS; i++) {
		instances[i] = (GUID){ .Data1 = 0xb19d0000 + i };
		if (!peer_create(&peers[i], names[i], JOB_UNBOUND) ||
		    !peer_target(&peers[i], JOB_UNBOUND, &instances[i]))
			return false;
	}
	return true;
}

/* The third one's offer never comes. */
static bool unbind_open(void)
{
	reinit_completion(&peers[UNBOUND].up);
	reinit_completion(&peers[CLOSING].up);
	return NT_SUCCESS(kmcl.VmbChannelEnable(peers[WAITING].channel)) &&
	       peer_enable(&peers[UNBOUND]) && peer_enable(&peers[CLOSING]);
}

/* On failure threads are left that use the channels: they stay. */
static bool unbind_returns(void)
{
	kthread_run(unbind_thread, NULL, "guest_unbind");
	msleep(300);
	kthread_run(closing_thread, NULL, "guest_closing");
	return peer_check(&peers[UNBOUND],
			  wait_for_completion_timeout(&unbind_over, PATIENCE) &&
			  unbind_written, "its device is unbound by hand") &&
	       peer_check(&peers[CLOSING],
			  wait_for_completion_timeout(&peers[CLOSING].failed, PATIENCE),
			  "a close of the class returns meanwhile") &&
	       peer_check(&peers[UNBOUND],
			  wait_for_completion_timeout(&peers[UNBOUND].down, PATIENCE),
			  "its client disables another channel of the class");
}

void job_unbind(void)
{
	u32 i;

	init_completion(&unbind_over);
	if (!unbind_create() || !unbind_open() ||
	    !peer_check(&peers[UNBOUND], unbind_file_open(), "its driver is known to sysfs"))
		goto close;
	peers[UNBOUND].after_close = unbound_after_close;
	if (!unbind_returns()) {
		guest_stay_loaded();
		return;
	}
	/* What was unbound by hand is bound again for the asking. */
	peers[UNBOUND].after_close = NULL;
	for (i = 0; i < PEERS; i++)
		kmcl.VmbChannelDisable(peers[i].channel);
	unbind_open();
close:
	for (i = 0; i < PEERS; i++) {
		if (peers[i].channel)
			peer_close(&peers[i]);
	}
}
