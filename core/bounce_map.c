// SPDX-License-Identifier: GPL-2.0
/*
 * Bounce buffers: where the other end must not see a client's memory itself, a packet
 * goes out with a copy of it, and what the other end has written is copied back before
 * the packet completes. The copying is the transport's, by the kernel's own means; here
 * is the channel's account: how much of it may be copied at once.
 *
 * A packet is mapped when it is to be written to the ring, under the send lock and so
 * only if it is the first in the queue; and then it stays so until it is complete, be
 * it that the ring is full and it waits in the queue. It is one packet at most that
 * waits like this, and for the other end's reading only.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mm.h>
#include <linux/sizes.h>

#include "data.h"

/* Without a word from the client: as much as that, or one packet of any size. */
#define KMCL_BOUNCE_MAXIMUM	SZ_16M

/* In pages. There is no more than the machine has. */
static u32 kmcl_bounce_limit(struct kmcl_channel *chan)
{
	u32 limit = chan->set.bounce_maximum / KMCL_WIRE_PAGE_SIZE;
	struct kmcl_packet_shape shape;

	if (!limit) {
		kmcl_settings_packet_shape(&chan->set, &shape);
		limit = max3(KMCL_BOUNCE_MAXIMUM / KMCL_WIRE_PAGE_SIZE,
			     chan->set.bounce_initial / KMCL_WIRE_PAGE_SIZE,
			     (u32)(shape.gpa / sizeof(u64)));
	}
	return min_t(u64, (u64)limit + chan->send.bounce.added, chan->link->bounce_pages);
}

/* The link is open, and not written to yet. */
void kmcl_bounce_open(struct kmcl_channel *chan)
{
	spin_lock_irq(&chan->send.lock);
	WRITE_ONCE(chan->send.bounce.limit, kmcl_bounce_limit(chan));
	spin_unlock_irq(&chan->send.lock);
}

/* From now on so many pages more, whatever was set. False: that is too much. */
bool kmcl_bounce_add(struct kmcl_channel *chan, u32 pages)
{
	struct kmcl_bounce *bounce = &chan->send.bounce;
	unsigned long flags;
	bool may;

	spin_lock_irqsave(&chan->send.lock, flags);
	may = pages <= U32_MAX - bounce->added;
	if (may)
		bounce->added += pages;
	if (chan->send.writable)
		WRITE_ONCE(bounce->limit, kmcl_bounce_limit(chan));
	spin_unlock_irqrestore(&chan->send.lock, flags);

	kmcl_send_drain(chan);
	return may;
}

static u32 kmcl_bounce_pages(const struct kmcl_out *out)
{
	return kmcl_wire_gpa_pages(out->gpa, out->gpa_len);
}

/**
 * kmcl_bounce_map() - copy the memory of a packet for the other end
 * @chan: a channel whose link bounces memory
 * @out: the packet
 *
 * Return:
 *  - 0
 *  - -ENOBUFS: there is no room now; nothing has changed
 *  - -EOPNOTSUPP: there never is, or this memory cannot be copied
 */
int kmcl_bounce_map(struct kmcl_channel *chan, struct kmcl_out *out)
{
	struct kmcl_bounce *bounce = &chan->send.bounce;
	u32 pages = kmcl_bounce_pages(out);
	u32 limit = READ_ONCE(bounce->limit);
	int ret;

	lockdep_assert_held(&chan->send.lock);
	if (pages > limit) {
		kmcl_warn_ratelimited(chan, "a packet with %u pages of memory is refused: the bounce buffers have %u (see VmbChannelInitSetBounceBufferSizes(), swiotlb=)\n",
				      pages, limit);
		return -EOPNOTSUPP;
	}
	/* It only grows under the lock. */
	if (atomic_read(&bounce->pages) + pages > limit)
		return -ENOBUFS;

	ret = chan->link->ops->map(chan->link, out);
	if (ret == -EOPNOTSUPP)
		kmcl_warn_ratelimited(chan, "memory of a packet is refused: it cannot be copied for the other end\n");
	if (ret)
		return ret;
	atomic_add(pages, &bounce->pages);
	bounce->packets++;
	out->mapped = true;
	return 0;
}

/*
 * The packet is complete, or is to be the client's again. While it is among the open
 * transactions, in the queue or on its way to its routine the link stays: see
 * kmcl_send_close() and kmcl_send_flush_link(). Any context up to softirq.
 */
void kmcl_bounce_unmap(struct kmcl_packet *pkt)
{
	struct kmcl_channel *chan = pkt->chan;
	struct kmcl_bounce *bounce = &chan->send.bounce;
	struct kmcl_out *out = &pkt->tx.out;

	/* The memory of one that was abandoned may be anything by now. */
	chan->link->ops->unmap(chan->link, out, !pkt->abandoned);
	out->mapped = false;

	/* A full barrier; pairs with the one in kmcl_bounce_want(). */
	atomic_sub_return(kmcl_bounce_pages(out), &bounce->pages);
	if (unlikely(READ_ONCE(bounce->starved))) {
		WRITE_ONCE(bounce->starved, false);
		tasklet_schedule(&chan->send.drain);
	}
}

/*
 * The other end may still write to the copy, which is never given back therefore. The
 * client's memory is its own again, with what was in it. Called with the lock of the open
 * transactions held.
 */
void kmcl_bounce_lose(struct kmcl_packet *pkt)
{
	struct kmcl_channel *chan = pkt->chan;
	u32 pages = kmcl_bounce_pages(&pkt->tx.out);

	pkt->tx.out.mapped = false;
	atomic64_add(pages, &chan->count.pinned);
	atomic_sub(pages, &chan->send.bounce.pages);
}

/*
 * The first in the queue waits for room in the bounce buffers. The queue is gone on
 * with when a packet of this channel's is unmapped; who called tries once more.
 */
void kmcl_bounce_want(struct kmcl_channel *chan, const struct kmcl_out *out)
{
	trace_kmcl_bounce_short(chan, kmcl_bounce_pages(out));
	chan->send.bounce.waits++;
	WRITE_ONCE(chan->send.bounce.starved, true);
	/* Pairs with kmcl_bounce_unmap(): it sees this, or the caller its room. */
	smp_mb();
}
