// SPDX-License-Identifier: GPL-2.0
/* Synchronous requests to a host that answers, and to one that never does. */
#include <linux/kthread.h>

#include "guest.h"

#define MS(n)	((n) * 10000LL)

static NTSTATUS request(struct peer *peer, u32 len, UINT32 flags, void *answer, UINT32 *size,
			LONGLONG timeout)
{
	LARGE_INTEGER t = { .QuadPart = timeout };
	static u8 payload[4096];

	guest_fill(payload, len, 3);
	return kmcl.VmbChannelSendSynchronousRequest(peer->channel, payload, len, NULL, flags,
						     answer, size, &t);
}

static void requests_answered(struct peer *peer)
{
	static u8 answer[4096];
	UINT32 size = sizeof(answer);

	peer_check(peer, request(peer, 1000, WAIT, answer, &size, -MS(20000)) ==
		   STATUS_SUCCESS && size == 1000 && guest_is_filled(answer, 1000, 3),
		   "a request is answered");
	size = 8;
	peer_check(peer, request(peer, 1000, WAIT, answer, &size, -MS(20000)) ==
		   (NTSTATUS)STATUS_BUFFER_TOO_SMALL && size == 8, "an answer too long is cut");
	peer_check(peer, request(peer, 8, 0, NULL, NULL, 0) == STATUS_SUCCESS,
		   "one without answer returns when it is sent");
	local_bh_disable();
	peer_check(peer, request(peer, 8, 0, NULL, NULL, 0) == STATUS_SUCCESS,
		   "also at DISPATCH_LEVEL");
	local_bh_enable();
}

static int disable_thread(void *data)
{
	msleep(300);
	kmcl.VmbChannelDisable(((struct peer *)data)->channel);
	complete(&((struct peer *)data)->failed);
	return 0;
}

static void requests_unanswered(struct peer *peer)
{
	ktime_t begin = ktime_get();
	UINT32 size = 8;
	u32 sent = 0;
	u64 answer;

	peer_check(peer, request(peer, 8, WAIT, &answer, &size, -MS(200)) ==
		   (NTSTATUS)STATUS_CANCELLED && size == 8 &&
		   ktime_ms_delta(ktime_get(), begin) >= 199, "a request times out");
	/* 16 pages: the host does not even read. */
	while (request(peer, 4096, 0, NULL, NULL, 0) == STATUS_SUCCESS)
		sent++;
	pr_info("guest: account silent sent=%u\n", sent);
	peer_check(peer, request(peer, 4096, 0, NULL, NULL, 0) ==
		   (NTSTATUS)STATUS_BUFFER_OVERFLOW, "a full ring is told at once");
	peer_check(peer, request(peer, 4096, 0, NULL, NULL, -MS(100)) ==
		   (NTSTATUS)STATUS_CANCELLED, "or after a while");

	if (IS_ERR(kthread_run(disable_thread, peer, "kmcl_disable")))
		return;
	size = 8;
	peer_check(peer, request(peer, 8, WAIT, &answer, &size, -MS(20000)) ==
		   (NTSTATUS)STATUS_DEVICE_REMOVED && size == 8, "a close ends the wait");
	wait_for_completion(&peer->failed);
}

void job_requests(void)
{
	struct peer peer;

	if (peer_open(&peer, "requests", JOB_ECHO)) {
		requests_answered(&peer);
		peer_close(&peer);
	}
	if (peer_open(&peer, "silence", JOB_SILENT)) {
		requests_unanswered(&peer);
		peer_close(&peer);
	}
}
