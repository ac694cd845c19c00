// SPDX-License-Identifier: GPL-2.0
/*
 * Open transactions: packets that wait for a completion, found by the id they
 * were sent with.
 *
 * An id is used once in a channel's life, so a forged, stale or repeated
 * completion finds nothing. The nodes are the packets' own; the table grows in
 * the background, so that opening a transaction never needs memory and finding
 * one costs the same with any number open. While a table is being moved to a larger
 * one, some packets at a time, a transaction is in either.
 */
#include <linux/slab.h>

#include "data.h"

#define KMCL_OPEN_MIN	64u
#define KMCL_OPEN_MAX	65536u

/* So many buckets at most are looked at in one hold of the lock. */
#define KMCL_OPEN_BUCKETS	1024

/* Ids are consecutive, hence spread evenly as they are. */
static struct hlist_head *kmcl_bucket(struct kmcl_send *send, u64 id)
{
	return &send->open[id & send->open_mask];
}

static bool kmcl_transactions_crowd(const struct kmcl_send *send)
{
	return send->open_count > 2 * send->open_mask &&
	       send->open_mask + 1 < KMCL_OPEN_MAX;
}

/* Moves some of the old table. Returns false when it is empty. */
static bool kmcl_transactions_move(struct kmcl_send *send)
{
	u32 packets = KMCL_SEND_BATCH, buckets = KMCL_OPEN_BUCKETS;
	struct kmcl_packet *pkt;
	struct hlist_head *head;
	bool more;

	spin_lock_irq(&send->lock);
	while (send->old_next <= send->old_mask && packets && buckets) {
		head = &send->old[send->old_next];
		if (hlist_empty(head)) {
			/* It stays so: a transaction is opened in the new table. */
			send->old_next++;
			buckets--;
			continue;
		}
		pkt = hlist_entry(head->first, struct kmcl_packet, open);
		hlist_del(&pkt->open);
		hlist_add_head(&pkt->open, kmcl_bucket(send, pkt->tx.out.id));
		packets--;
	}
	more = send->old_next <= send->old_mask;
	spin_unlock_irq(&send->lock);
	return more;
}

static void kmcl_transactions_grow(struct work_struct *work)
{
	struct kmcl_send *send = container_of(work, struct kmcl_send, grow);
	struct hlist_head *table;
	u32 size;

	/* It may have been asked for again before the last time was over. */
	spin_lock_irq(&send->lock);
	size = kmcl_transactions_crowd(send) ? 4 * (send->open_mask + 1) : 0;
	spin_unlock_irq(&send->lock);
	if (!size)
		return;

	/* Only this work changes the size once the channel has opened. */
	size = min(size, KMCL_OPEN_MAX);
	/* The client's own packets may be what would free memory. */
	table = kvcalloc(size, sizeof(*table), GFP_NOIO);
	if (!table)
		return;

	spin_lock_irq(&send->lock);
	send->old = send->open;
	send->old_mask = send->open_mask;
	send->old_next = 0;
	send->open = table;
	send->open_mask = size - 1;
	spin_unlock_irq(&send->lock);

	while (kmcl_transactions_move(send))
		cond_resched();

	spin_lock_irq(&send->lock);
	table = send->old;
	send->old = NULL;
	spin_unlock_irq(&send->lock);
	kvfree(table);
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
	send->open_count++;
	if (kmcl_transactions_crowd(send))
		queue_work(kmcl_control_wq, &send->grow);
}

void kmcl_transaction_cancel(struct kmcl_channel *chan, struct kmcl_packet *pkt)
{
	hlist_del_init(&pkt->open);
	chan->send.open_count--;
}

static struct kmcl_packet *kmcl_bucket_find(struct hlist_head *head, u64 id)
{
	struct kmcl_packet *pkt;

	hlist_for_each_entry(pkt, head, open)
		if (pkt->tx.out.id == id)
			return pkt;
	return NULL;
}

static struct kmcl_packet *kmcl_transaction_take(struct kmcl_channel *chan,
						 u64 id)
{
	struct kmcl_send *send = &chan->send;
	struct kmcl_packet *pkt;

	pkt = kmcl_bucket_find(kmcl_bucket(send, id), id);
	if (unlikely(!pkt && send->old))
		pkt = kmcl_bucket_find(&send->old[id & send->old_mask], id);
	if (pkt)
		kmcl_transaction_cancel(chan, pkt);
	return pkt;
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
	/* One less is under way. */
	if (unlikely(!list_empty(&send->held)))
		tasklet_schedule(&send->drain);
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

/* The @i-th bucket of both tables, the old one's first; NULL behind the last. */
static struct hlist_head *kmcl_bucket_at(struct kmcl_send *send, u32 i)
{
	if (send->old) {
		if (i <= send->old_mask)
			return &send->old[i];
		i -= send->old_mask + 1;
	}
	return i <= send->open_mask ? &send->open[i] : NULL;
}

/**
 * kmcl_transactions_take_some() - take open transactions out of the table
 * @chan: a channel with open transactions, that opens none
 * @at: where to go on; 0 at first
 * @to: where they go
 *
 * To be called until none is open. One that moves from bucket to bucket meanwhile is
 * found the next time round.
 */
void kmcl_transactions_take_some(struct kmcl_channel *chan, u32 *at,
				 struct list_head *to)
{
	u32 packets = KMCL_SEND_BATCH, buckets = KMCL_OPEN_BUCKETS;
	struct kmcl_packet *pkt;
	struct hlist_head *head;

	lockdep_assert_held(&chan->send.lock);
	while (packets && buckets) {
		head = kmcl_bucket_at(&chan->send, *at);
		if (!head) {
			*at = 0;
			return;
		}
		if (hlist_empty(head)) {
			++*at;
			buckets--;
			continue;
		}
		pkt = hlist_entry(head->first, struct kmcl_packet, open);
		kmcl_transaction_cancel(chan, pkt);
		list_add_tail(&pkt->tx.node, to);
		packets--;
	}
}

/* The open transactions, as many as @list has room for; returns how many. */
u32 kmcl_transactions_list(struct kmcl_channel *chan, struct kmcl_tx **list,
			   u32 room)
{
	struct kmcl_send *send = &chan->send;
	struct hlist_head *head;
	struct kmcl_packet *pkt;
	u32 i, n = 0;

	lockdep_assert_held(&send->lock);
	if (!send->open_count)
		return 0;
	for (i = 0; (head = kmcl_bucket_at(send, i)); i++)
		hlist_for_each_entry(pkt, head, open)
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
	struct hlist_head *head;
	struct kmcl_packet *pkt;
	unsigned long flags;
	u32 i;

	spin_lock_irqsave(&send->lock, flags);
	for (i = 0; send->open_count && (head = kmcl_bucket_at(send, i)); i++)
		hlist_for_each_entry(pkt, head, open) {
			if (pkt->tx.out.mapped)
				kmcl_bounce_lose(pkt);
			else
				kmcl_pin_external(pkt);
		}
	spin_unlock_irqrestore(&send->lock, flags);
}
