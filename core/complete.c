// SPDX-License-Identifier: GPL-2.0
/*
 * Completion routines: called once for each packet sent, without a lock held.
 */
#include <linux/bottom_half.h>
#include <linux/percpu.h>
#include <linux/sched.h>

#include "data.h"

/*
 * A completion routine may send again, and that packet may complete within the
 * send: routines called by routines would nest without bound. So while one runs
 * on a CPU, further ones wait in that CPU's list for their turn.
 *
 * Each CPU's queue is used with bottom halves off, and never in hard interrupts,
 * so it needs no lock. On PREEMPT_RT another task may get in between; it leaves
 * the queue alone, which only its owner touches.
 */
struct kmcl_turn {
	struct task_struct *owner;
	struct list_head waiting;	/* of kmcl_packet.tx.node */
};

static DEFINE_PER_CPU(struct kmcl_turn, kmcl_turn);

static void kmcl_packet_call(struct kmcl_packet *pkt, NTSTATUS status,
			     void *buffer, u32 len)
{
	PFN_VMB_PACKET_COMPLETION_ROUTINE routine = READ_ONCE(pkt->routine);

	/*
	 * From here on the packet is the client's, which may send it again from
	 * another CPU before its routine has even started. Pairs with the acquire
	 * of the send that takes it.
	 */
	atomic_set_release(&pkt->state, KMCL_PACKET_IDLE);
	routine((VMBPACKET)pkt, status, buffer, len);
}

/**
 * kmcl_packet_complete() - a transaction is over
 * @pkt: in no list and in no table any more
 * @status: for the completion routine
 * @buffer: payload of the other end's completion, valid during the call. NULL
 *	unless called from the receive path, which is never entered from a routine.
 * @len: bytes in @buffer
 */
void kmcl_packet_complete(struct kmcl_packet *pkt, NTSTATUS status,
			  void *buffer, u32 len)
{
	/* With interrupts off bottom halves are off, and must not be turned on. */
	bool toggle = !irqs_disabled();
	struct kmcl_channel *chan;
	struct kmcl_turn *turn;

	if (toggle)
		local_bh_disable();
	turn = this_cpu_ptr(&kmcl_turn);

	if (turn->owner == current) {
		pkt->tx.status = status;
		/* It is nowhere else: who closes its channel has to wait for it. */
		atomic_inc(&pkt->chan->send.finishing);
		list_add_tail(&pkt->tx.node, &turn->waiting);
		goto out;
	}
	if (turn->owner) {
		kmcl_packet_call(pkt, status, buffer, len);
		goto out;
	}

	turn->owner = current;
	INIT_LIST_HEAD(&turn->waiting);
	kmcl_packet_call(pkt, status, buffer, len);
	while (!list_empty(&turn->waiting)) {
		pkt = list_first_entry(&turn->waiting, struct kmcl_packet, tx.node);
		list_del(&pkt->tx.node);
		chan = pkt->chan;
		kmcl_packet_call(pkt, pkt->tx.status, NULL, 0);
		/* Pairs with the acquire in kmcl_send_wait_finished(). */
		atomic_dec_return_release(&chan->send.finishing);
	}
	turn->owner = NULL;
out:
	if (toggle)
		local_bh_enable();
}
