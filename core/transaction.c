// SPDX-License-Identifier: GPL-2.0
/*
 * Open transactions: packets that wait for a completion, found by the id they
 * were sent with.
 *
 * An id is used once in a channel's life, so a forged, stale or repeated
 * completion finds nothing. The links are the packets' own; the table grows in
 * the background, so that opening a transaction never needs memory and finding
 * one costs the same with any number open. While a table is being moved to a larger
 * one, some packets at a time, a transaction is in either.
 */
#include <linux/export.h>
#include <linux/slab.h>

#include "data.h"

#define KMCL_OPEN_MIN	64u
#define KMCL_OPEN_MAX	65536u

/* So many buckets at most are looked at in one hold of the lock. */
#define KMCL_OPEN_BUCKETS	1024

/* Ids are consecutive, hence spread evenly as they are. */
static struct kmcl_packet **kmcl_bucket(struct kmcl_transactions *trans, u64 id)
{
	return &trans->open[id & trans->open_mask];
}

static void kmcl_bucket_add(struct kmcl_packet **bucket, struct kmcl_packet *pkt)
{
	pkt->next = *bucket;
	*bucket = pkt;
}

/* Takes the packet that @link points to out of its bucket. */
static struct kmcl_packet *kmcl_bucket_take(struct kmcl_packet **link)
{
	struct kmcl_packet *pkt = *link;

	*link = pkt->next;
	return pkt;
}

/*
 * On while it is asked for how long transactions are open. One that was opened before has
 * no time.
 */
DEFINE_STATIC_KEY_FALSE(kmcl_timing);

/* From now on times are taken. Always 0, as a trace event wants it. May sleep. */
int kmcl_timing_get(void)
{
	static_branch_inc(&kmcl_timing);
	return 0;
}

/* The opposite, once for each time. May sleep. */
void kmcl_timing_put(void)
{
	static_branch_dec(&kmcl_timing);
}

static bool kmcl_transactions_crowd(const struct kmcl_transactions *trans)
{
	return trans->count > 2 * trans->open_mask &&
	       trans->open_mask + 1 < KMCL_OPEN_MAX;
}

/*
 * There are @n more, or less. Called with the lock held; senders at the limit of packets look at
 * the number without.
 */
static __always_inline u32 kmcl_transactions_adjust(struct kmcl_transactions *trans, int n)
{
	u32 count = trans->count + n;

	WRITE_ONCE(trans->count, count);
	return count;
}

/* Moves some of the old table. Returns false when it is empty. */
static bool kmcl_transactions_move(struct kmcl_transactions *trans)
{
	u32 packets = KMCL_SEND_BATCH, buckets = KMCL_OPEN_BUCKETS;
	struct kmcl_packet **bucket, *pkt;
	bool more;

	spin_lock_irq(&trans->lock);
	while (trans->old_next <= trans->old_mask && packets && buckets) {
		bucket = &trans->old[trans->old_next];
		if (!*bucket) {
			/* It stays so: a transaction is opened in the new table. */
			trans->old_next++;
			buckets--;
			continue;
		}
		pkt = kmcl_bucket_take(bucket);
		kmcl_bucket_add(kmcl_bucket(trans, pkt->tx.out.id), pkt);
		packets--;
	}
	more = trans->old_next <= trans->old_mask;
	spin_unlock_irq(&trans->lock);
	return more;
}

static void kmcl_transactions_grow(struct work_struct *work)
{
	struct kmcl_transactions *trans =
		container_of(work, struct kmcl_transactions, grow);
	struct kmcl_packet **table;
	u32 size;

	/* It may have been asked for again before the last time was over. */
	spin_lock_irq(&trans->lock);
	size = kmcl_transactions_crowd(trans) ? 4 * (trans->open_mask + 1) : 0;
	spin_unlock_irq(&trans->lock);
	if (!size)
		return;

	/* Only this work changes the size once the channel has opened. */
	size = min(size, KMCL_OPEN_MAX);
	/*
	 * The client's own packets may be what would free memory, and other channels' work may
	 * wait for this in the one rescuer. It goes without, more slowly.
	 */
	table = kvcalloc(size, sizeof(*table), GFP_NOIO | __GFP_NORETRY | __GFP_NOWARN);
	if (!table)
		return;

	spin_lock_irq(&trans->lock);
	trans->old = trans->open;
	trans->old_mask = trans->open_mask;
	trans->old_next = 0;
	trans->open = table;
	trans->open_mask = size - 1;
	spin_unlock_irq(&trans->lock);

	while (kmcl_transactions_move(trans))
		cond_resched();

	spin_lock_irq(&trans->lock);
	table = trans->old;
	trans->old = NULL;
	spin_unlock_irq(&trans->lock);
	kvfree(table);
}

void kmcl_transactions_init(struct kmcl_channel *chan)
{
	spin_lock_init(&chan->trans.lock);
	INIT_WORK(&chan->trans.grow, kmcl_transactions_grow);
}

/* Before the first opening; the table then stays for the channel's life. */
int kmcl_transactions_prepare(struct kmcl_channel *chan)
{
	struct kmcl_transactions *trans = &chan->trans;

	if (trans->open)
		return 0;

	trans->open = kvcalloc(KMCL_OPEN_MIN, sizeof(*trans->open), GFP_KERNEL);
	if (!trans->open)
		return -ENOMEM;
	trans->open_mask = KMCL_OPEN_MIN - 1;
	return 0;
}

/* The channel is not to be opened any more. */
void kmcl_transactions_end(struct kmcl_channel *chan)
{
	cancel_work_sync(&chan->trans.grow);
	kvfree(chan->trans.open);
}

/* Called with the lock held. */
static void kmcl_transaction_add(struct kmcl_transactions *trans, struct kmcl_packet *pkt)
{
	pkt->opened = jiffies;
	kmcl_bucket_add(kmcl_bucket(trans, pkt->tx.out.id), pkt);
	if (unlikely(kmcl_transactions_adjust(trans, 1) > 2 * trans->open_mask) &&
	    kmcl_transactions_crowd(trans))
		queue_work(kmcl_control_wq, &trans->grow);
}

/**
 * kmcl_packet_written() - a packet that wants a completion is about to be seen
 * @out: of a packet that is all in the ring but for its id
 *
 * From here on it may complete at any time, and @out is the caller's no longer. Not
 * before: a host that guesses the id of a packet must not have it over while it is read.
 *
 * Context: that of the transport's send_request.
 *
 * Return: its id.
 */
u64 kmcl_packet_written(struct kmcl_out *out)
{
	struct kmcl_packet *pkt = container_of(out, struct kmcl_packet, tx.out);
	struct kmcl_transactions *trans = &pkt->chan->trans;
	unsigned long flags;
	u64 id;

	spin_lock_irqsave(&trans->lock, flags);
	id = ++trans->last_id;
	out->id = id;
	kmcl_transaction_add(trans, pkt);
	/* Under the lock: it costs no register there. */
	pkt->sent_at = kmcl_timing_now();
	/* Without the lock a host that guesses the id could have it over meanwhile. */
	if (trace_kmcl_packet_sent_enabled())
		kmcl_trace_sent(pkt->chan, &pkt->tx);
	spin_unlock_irqrestore(&trans->lock, flags);
	return id;
}
EXPORT_SYMBOL_GPL(kmcl_packet_written);

/* Opens one that the other end knows by its id from before the channel was saved. */
void kmcl_transaction_restore(struct kmcl_channel *chan, struct kmcl_packet *pkt)
{
	struct kmcl_transactions *trans = &chan->trans;
	unsigned long flags;

	/* Its time began in another channel. */
	pkt->sent_at = 0;
	spin_lock_irqsave(&trans->lock, flags);
	kmcl_transaction_add(trans, pkt);
	spin_unlock_irqrestore(&trans->lock, flags);
}

/* What points to the packet with that id; to NULL if there is none. */
static __always_inline struct kmcl_packet **kmcl_bucket_find(struct kmcl_packet **link, u64 id)
{
	while (*link && (*link)->tx.out.id != id)
		link = &(*link)->next;
	return link;
}

/* Likewise, in both tables. Called with the lock held. */
static __always_inline struct kmcl_packet **
kmcl_transaction_find(struct kmcl_transactions *trans, u64 id)
{
	struct kmcl_packet **link = kmcl_bucket_find(kmcl_bucket(trans, id), id);

	if (unlikely(!*link && trans->old))
		link = kmcl_bucket_find(&trans->old[id & trans->old_mask], id);
	return link;
}

/* Called with the lock held. NULL: none has that id. */
static __always_inline struct kmcl_packet *
kmcl_transaction_take(struct kmcl_transactions *trans, u64 id)
{
	struct kmcl_packet **link = kmcl_transaction_find(trans, id);

	if (unlikely(!*link))
		return NULL;
	kmcl_transactions_adjust(trans, -1);
	return kmcl_bucket_take(link);
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
	struct kmcl_transactions *trans = &chan->trans;
	struct kmcl_packet *pkt;
	unsigned long flags;

	spin_lock_irqsave(&trans->lock, flags);
	pkt = kmcl_transaction_take(trans, id);
	if (unlikely(!pkt)) {
		*late = trans->cancelled && id - 1 < trans->last_id;
		trans->cancelled -= *late;
	}
	spin_unlock_irqrestore(&trans->lock, flags);
	return pkt;
}

/**
 * kmcl_transaction_give_up() - the sender does not wait any more
 * @chan: the channel
 * @pkt: the packet. NULL afterwards if it cannot be the sender's again, because the
 *	other end has the bounce buffers with its memory.
 *
 * Return:
 *  - true: its completion routine will not run
 *  - false: it is over, and its routine is on its way
 */
bool kmcl_transaction_give_up(struct kmcl_channel *chan, struct kmcl_packet **pkt)
{
	struct kmcl_transactions *trans = &chan->trans;
	unsigned long flags;
	bool open;

	spin_lock_irqsave(&trans->lock, flags);
	/* A packet that is not open has an id that is no transaction's, or 0. */
	open = trans->count && *kmcl_transaction_find(trans, (*pkt)->tx.out.id);
	if (open && unlikely((*pkt)->tx.out.mapped)) {
		kmcl_packet_abandon(*pkt);
		*pkt = NULL;
	} else if (open) {
		kmcl_transaction_take(trans, (*pkt)->tx.out.id);
		trans->cancelled++;
	}
	spin_unlock_irqrestore(&trans->lock, flags);
	return open;
}

/* No later packet is to have an id that was used before the channel was saved. */
void kmcl_transactions_skip_ids(struct kmcl_channel *chan, u64 last_id)
{
	spin_lock_irq(&chan->trans.lock);
	chan->trans.last_id = max(chan->trans.last_id, last_id);
	spin_unlock_irq(&chan->trans.lock);
}

/* A transaction was given up that the other end may yet complete. */
void kmcl_transactions_expect_late(struct kmcl_channel *chan)
{
	spin_lock_irq(&chan->trans.lock);
	chan->trans.cancelled++;
	spin_unlock_irq(&chan->trans.lock);
}

/* The other end could have completed those that were cancelled, and is gone. */
void kmcl_transactions_forget_late(struct kmcl_channel *chan)
{
	spin_lock_irq(&chan->trans.lock);
	chan->trans.cancelled = 0;
	spin_unlock_irq(&chan->trans.lock);
}

/* The @i-th bucket of both tables, the old one's first; NULL behind the last. */
static struct kmcl_packet **kmcl_bucket_at(struct kmcl_transactions *trans, u32 i)
{
	if (trans->old) {
		if (i <= trans->old_mask)
			return &trans->old[i];
		i -= trans->old_mask + 1;
	}
	return i <= trans->open_mask ? &trans->open[i] : NULL;
}

/**
 * kmcl_transactions_take_some() - take open transactions out of the table
 * @chan: a channel that opens none
 * @at: where to go on; 0 at first
 * @to: where they go
 *
 * One that moves from bucket to bucket meanwhile is found the next time round.
 *
 * Return: whether there are more.
 */
bool kmcl_transactions_take_some(struct kmcl_channel *chan, u32 *at,
				 struct list_head *to)
{
	u32 packets = KMCL_SEND_BATCH, buckets = KMCL_OPEN_BUCKETS;
	struct kmcl_transactions *trans = &chan->trans;
	struct kmcl_packet **bucket;
	bool more;

	spin_lock_irq(&trans->lock);
	while (trans->count && packets && buckets) {
		bucket = kmcl_bucket_at(trans, *at);
		if (!bucket) {
			*at = 0;
			break;
		}
		if (!*bucket) {
			++*at;
			buckets--;
			continue;
		}
		list_add_tail(&kmcl_bucket_take(bucket)->tx.node, to);
		kmcl_transactions_adjust(trans, -1);
		packets--;
	}
	more = trans->count;
	spin_unlock_irq(&trans->lock);
	return more;
}

/**
 * kmcl_transactions_list() - what is open
 * @chan: a channel whose ring is not written to
 * @list: where it goes
 * @room: entries in @list
 * @stays: see kmcl_send_list()
 *
 * Return: as kmcl_send_list().
 */
int kmcl_transactions_list(struct kmcl_channel *chan, struct kmcl_tx **list, u32 room,
			   bool (*stays)(const struct kmcl_tx *tx))
{
	struct kmcl_transactions *trans = &chan->trans;
	struct kmcl_packet **bucket, *pkt;
	unsigned long flags;
	bool all_stay;
	u32 i, n = 0;

	spin_lock_irqsave(&trans->lock, flags);
	all_stay = !trans->cancelled;
	for (i = 0; trans->count && (bucket = kmcl_bucket_at(trans, i)); i++)
		for (pkt = *bucket; pkt; pkt = pkt->next) {
			all_stay = all_stay && stays(&pkt->tx);
			if (n < room)
				list[n++] = &pkt->tx;
		}
	spin_unlock_irqrestore(&trans->lock, flags);
	return all_stay ? n : -EBUSY;
}

/* Looks at some buckets from the @at-th on. False: they were the last. Lock held. */
static bool kmcl_transactions_look(struct kmcl_transactions *trans, u32 *at,
				   unsigned long now, unsigned long *oldest)
{
	u32 packets = 0, buckets = KMCL_OPEN_BUCKETS;
	struct kmcl_packet **bucket, *pkt;

	while (packets < KMCL_OPEN_BUCKETS && buckets--) {
		bucket = trans->count ? kmcl_bucket_at(trans, (*at)++) : NULL;
		if (!bucket)
			return false;
		for (pkt = *bucket; pkt; pkt = pkt->next, packets++)
			*oldest = max_t(long, *oldest, now - pkt->opened);
	}
	return true;
}

/**
 * kmcl_transactions_oldest() - how long the oldest open transaction has been open
 * @chan: the channel
 *
 * For a person to look at: what is opened, completed or moved meanwhile may be missed.
 *
 * Context: may sleep.
 *
 * Return: jiffies; 0 if none is open.
 */
unsigned long kmcl_transactions_oldest(struct kmcl_channel *chan)
{
	struct kmcl_transactions *trans = &chan->trans;
	unsigned long now = jiffies, oldest = 0;
	bool more;
	u32 at = 0;

	do {
		spin_lock_irq(&trans->lock);
		more = kmcl_transactions_look(trans, &at, now, &oldest);
		spin_unlock_irq(&trans->lock);
		cond_resched();
	} while (more);
	return oldest;
}

/*
 * The other end may still use the memory of what is open. In one piece, for it happens
 * once, and nothing is sent meanwhile.
 */
void kmcl_transactions_pin(struct kmcl_channel *chan)
{
	struct kmcl_transactions *trans = &chan->trans;
	struct kmcl_packet **bucket, *pkt;
	unsigned long flags;
	u32 i;

	spin_lock_irqsave(&trans->lock, flags);
	for (i = 0; trans->count && (bucket = kmcl_bucket_at(trans, i)); i++)
		for (pkt = *bucket; pkt; pkt = pkt->next) {
			if (pkt->tx.out.mapped)
				kmcl_bounce_lose(pkt);
			else
				kmcl_pin_external(pkt);
		}
	spin_unlock_irqrestore(&trans->lock, flags);
}
