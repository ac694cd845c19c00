// SPDX-License-Identifier: GPL-2.0
/* Packets of every size, with and without completion, from two threads. */
#include <linux/kthread.h>

#include "guest.h"

#define SENDERS		2
#define PACKETS		1000

static const u32 sizes[] = { 0, 1, 7, 8, 9, 64, 1000, 4095, 4096 };

struct sender {
	struct peer *peer;
	u32 number;
	u32 packets;
	bool failed;
	struct completion done;
};

static int sender_thread(void *data)
{
	struct sender *s = data;
	u32 i;

	for (i = 0; i < s->packets && !s->failed; i++) {
		/* Every fourth asks for no completion. */
		if (peer_send_echo(s->peer, sizes[(i + s->number) % ARRAY_SIZE(sizes)],
				   i + s->number, i % 4 ? WAIT : 0))
			s->failed = true;
	}
	complete(&s->done);
	return 0;
}

/* False if a send failed. */
static bool send_from_two_threads(struct peer *peer, u32 packets)
{
	struct sender senders[SENDERS];
	bool failed = false;
	u32 i;

	for (i = 0; i < SENDERS; i++) {
		senders[i] = (struct sender) { .peer = peer, .number = i, .packets = packets };
		init_completion(&senders[i].done);
		if (IS_ERR(kthread_run(sender_thread, &senders[i], "kmcl_sender"))) {
			senders[i].failed = true;
			complete(&senders[i].done);
		}
	}
	for (i = 0; i < SENDERS; i++) {
		wait_for_completion(&senders[i].done);
		failed |= senders[i].failed;
	}
	return !failed;
}

static void print_account(struct peer *peer)
{
	pr_info("guest: account %s sent=%d bytes=%llu\n", peer->name,
		atomic_read(&peer->sent), (u64)atomic64_read(&peer->sent_bytes));
}

void job_echo(void)
{
	struct peer peer;
	GUID instance = {};
	u32 i;

	if (!peer_open(&peer, "echo", JOB_ECHO))
		return;
	kmcl.VmbChannelGetInterfaceInstance(peer.channel, &instance);
	peer_check(&peer, instance.Data1 == 0x11223344, "the offer's instance is known");
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		peer_send_echo(&peer, sizes[i], i, WAIT);
		peer_send_echo(&peer, sizes[i], i, 0);
	}
	peer_check(&peer, peer_all_completed(&peer), "packets of every size complete");
	peer_check(&peer, send_from_two_threads(&peer, PACKETS), "two threads send");
	peer_check(&peer, peer_all_completed(&peer), "all of their packets complete");
	peer_check(&peer, !atomic_read(&peer.wrong), "each with its own payload");
	print_account(&peer);
	peer_close(&peer);
	peer_check(&peer, !atomic_read(&peer.removed), "none is removed by the close");
}

/* The host reads a packet now and then: most wait in our queue. */
void job_slow(void)
{
	struct peer peer;
	u32 i;

	if (!peer_open(&peer, "slow", JOB_SLOW))
		return;
	for (i = 0; i < 40; i++)
		peer_send_echo(&peer, 4096, i, WAIT);
	peer_check(&peer, peer_all_completed(&peer), "a slow host gets all, one by one");
	peer_check(&peer, !atomic_read(&peer.wrong), "each completes with its own payload");

	/* What waits when the channel closes is complete when that returns. */
	for (i = 0; i < 40; i++)
		peer_send_echo(&peer, 4096, i, WAIT);
	kmcl.VmbChannelDisable(peer.channel);
	peer_check(&peer, atomic_read(&peer.completed) == atomic_read(&peer.sent) &&
		   atomic_read(&peer.removed), "a close completes what the host has not");
	peer_close(&peer);
}

void job_pipe(void)
{
	struct peer peer;
	LARGE_INTEGER timeout = { .QuadPart = -10 * 10000000LL };
	u8 sent[24], answer[32] = {};
	UINT32 size = sizeof(answer);
	NTSTATUS status;

	if (!peer_create(&peer, "pipe", JOB_PIPE))
		return;
	peer_check(&peer, NT_SUCCESS(kmcl.VmbChannelInitSetFlags(peer.channel,
								 VMBUS_CHANNEL_INIT_FLAG_IS_PIPE)),
		   "pipe mode is set");
	if (!peer_enable(&peer))
		goto close;
	guest_fill(sent, sizeof(sent), 7);
	status = kmcl.VmbChannelSendSynchronousRequest(peer.channel, sent, sizeof(sent), NULL,
						       WAIT, answer, &size, &timeout);
	/* The host gives back all that it got: the pipe's header, too. */
	peer_check(&peer, status == STATUS_SUCCESS && size == 32 &&
		   ((u32 *)answer)[0] == 1 && ((u32 *)answer)[1] == 24 &&
		   guest_is_filled(answer + 8, 24, 7), "the host sees header and payload");
close:
	peer_close(&peer);
}
