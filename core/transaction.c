// SPDX-License-Identifier: GPL-2.0
/*
 * Open transactions: packets that wait for a completion, found by the id they
 * were sent with.
 *
 * An id is used once in a channel's life, so a forged, stale or repeated
 * completion finds nothing. The nodes are the packets' own; the table grows in
 * the background, so that opening a transaction never needs memory and finding
 * one costs the same with any number open.
 */
#include <linux/slab.h>

#include "data.h"

#define KMCL_OPEN_MIN	64u
#define KMCL_OPEN_MAX	65536u

/* Ids are consecutive, hence spread evenly as they are. */
static struct hlist_head *kmcl_bucket(struct kmcl_send *send, u64 id)
{
	return &send->open[id & send->open_mask];
}

static void kmcl_transactions_grow(struct work_struct *work)
{
	struct kmcl_send *send = container_of(work, struct kmcl_send, grow);
	struct hlist_head *table, *old;
	struct kmcl_packet *pkt;
	struct hlist_node *next;
	unsigned long flags;
	u32 i, old_mask, size;

	/* Only this work changes the size once the channel has opened. */
	size = min(4 * (send->open_mask + 1), KMCL_OPEN_MAX);
	table = kvcalloc(size, sizeof(*table), GFP_KERNEL);
	if (!table)
		return;

	spin_lock_irqsave(&send->lock, flags);
	old = send->open;
	old_mask = send->open_mask;
	send->open = table;
	send->open_mask = size - 1;
	for (i = 0; i <= old_mask; i++)
		hlist_for_each_entry_safe(pkt, next, &old[i], open) {
			hlist_del(&pkt->open);
			hlist_add_head(&pkt->open, kmcl_bucket(send, pkt->tx.out.id));
		}
	spin_unlock_irqrestore(&send->lock, flags);
	kvfree(old);
}

void kmcl_transactions_init(struct kmcl_channel *chan)
{
	INIT_WORK(&chan->send.grow, kmcl_transactions_grow);
}

/* Before the first opening; the table then stays for the channel's life. */
int kmcl_transactions_prepare(struct kmcl_channel *chan)
{
	struct kmcl_send *send = &chan->send;

	if (send->open)
		return 0;

	send->open = kvcalloc(KMCL_OPEN_MIN, sizeof(*send->open), GFP_KERNEL);
	if (!send->open)
		return -ENOMEM;
	send->open_mask = KMCL_OPEN_MIN - 1;
	return 0;
}

void kmcl_transactions_free(struct kmcl_channel *chan)
{
	kvfree(chan->send.open);
}

void kmcl_transaction_open(struct kmcl_channel *chan, struct kmcl_packet *pkt)
{
	struct kmcl_send *send = &chan->send;

	hlist_add_head(&pkt->open, kmcl_bucket(send, pkt->tx.out.id));
	if (++send->open_count > 2 * send->open_mask &&
	    send->open_mask + 1 < KMCL_OPEN_MAX)
		queue_work(kmcl_control_wq, &send->grow);
}

void kmcl_transaction_cancel(struct kmcl_channel *chan, struct kmcl_packet *pkt)
{
	hlist_del_init(&pkt->open);
	chan->send.open_count--;
}

static struct kmcl_packet *kmcl_transaction_take(struct kmcl_channel *chan,
						 u64 id)
{
	struct kmcl_packet *pkt;

	hlist_for_each_entry(pkt, kmcl_bucket(&chan->send, id), open) {
		if (pkt->tx.out.id == id) {
			kmcl_transaction_cancel(chan, pkt);
			return pkt;
		}
	}
	return NULL;
}

/**
 * kmcl_transaction_complete() - the other end completes a transaction
 * @chan: the channel
 * @id: the transaction's id, as the other end has it
 * @late: whether that was cancelled before
 *
 * Return: the packet, which is in no table any more, or NULL.
 */
struct kmcl_packet *kmcl_transaction_complete(struct kmcl_channel *chan, u64 id,
					      bool *late)
{
	struct kmcl_send *send = &chan->send;
	struct kmcl_packet *pkt;
	unsigned long flags;

	spin_lock_irqsave(&send->lock, flags);
	pkt = kmcl_transaction_take(chan, id);
	*late = !pkt && send->cancelled && id - 1 < send->last_id;
	if (*late)
		send->cancelled--;
	spin_unlock_irqrestore(&send->lock, flags);
	return pkt;
}

/* No later packet is to have an id that was used before the channel was saved. */
void kmcl_transactions_skip_ids(struct kmcl_channel *chan, u64 last_id)
{
	spin_lock_irq(&chan->send.lock);
	chan->send.last_id = max(chan->send.last_id, last_id);
	spin_unlock_irq(&chan->send.lock);
}

/* A transaction was given up that the other end may yet complete. */
void kmcl_transactions_expect_late(struct kmcl_channel *chan)
{
	spin_lock_irq(&chan->send.lock);
	chan->send.cancelled++;
	spin_unlock_irq(&chan->send.lock);
}

void kmcl_transactions_take_all(struct kmcl_channel *chan, struct list_head *to)
{
	struct kmcl_packet *pkt;
	struct hlist_node *next;
	u32 i;

	for (i = 0; chan->send.open_count && i <= chan->send.open_mask; i++) {
		hlist_for_each_entry_safe(pkt, next, &chan->send.open[i], open) {
			kmcl_transaction_cancel(chan, pkt);
			list_add_tail(&pkt->tx.node, to);
		}
	}
}

/* The open transactions, as many as @list has room for; returns how many. */
u32 kmcl_transactions_list(struct kmcl_channel *chan, struct kmcl_tx **list,
			   u32 room)
{
	struct kmcl_send *send = &chan->send;
	struct kmcl_packet *pkt;
	u32 i, n = 0;

	lockdep_assert_held(&send->lock);
	for (i = 0; send->open_count && i <= send->open_mask; i++)
		hlist_for_each_entry(pkt, &send->open[i], open)
			if (n < room)
				list[n++] = &pkt->tx;
	return n;
}

/*
 * The other end may still use the memory of what is open. In one piece, for it happens
 * once, and nothing is sent meanwhile.
 */
void kmcl_transactions_pin(struct kmcl_channel *chan)
{
	struct kmcl_send *send = &chan->send;
	struct kmcl_packet *pkt;
	unsigned long flags;
	u32 i;

	spin_lock_irqsave(&send->lock, flags);
	for (i = 0; send->open_count && i <= send->open_mask; i++)
		hlist_for_each_entry(pkt, &send->open[i], open)
			kmcl_pin_external(pkt);
	spin_unlock_irqrestore(&send->lock, flags);
}
