// SPDX-License-Identifier: GPL-2.0
/*
 * Packets with memory on a kernel that copies it for the host (swiotlb=force): the host
 * looks whether all it is told of lies in the pool, and both ends compare what they see.
 * The pool is small, so that packets wait for room in it.
 */
#include <linux/crc32.h>
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/semaphore.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "guest.h"

#define SLOTS		64
#define SLOT_PAGES	16
#define SLOT_BYTES	(SLOT_PAGES * 4096)
#define PIECES		3

#define IN	VMBUS_CHANNEL_FORMAT_FLAG_DATA_IN_ONLY
#define OUT	VMBUS_CHANNEL_FORMAT_FLAG_DATA_OUT_ONLY

/* A packet with memory of its own, of which it sends some pieces. */
struct slot {
	struct bouncing *b;
	VMBPACKET packet;
	u8 *bytes;
	u8 *before;	/* what is to be there, but for what the host writes now */
	PMDL mdls[PIECES];
	u32 at[PIECES];
	u32 len[PIECES];
	u32 n;
	u32 total;
	u32 span;	/* bytes of @bytes that are looked at */
	u32 flags;
	u32 crc;
	bool busy;
};

struct bouncing {
	struct peer peer;
	struct slot slots[SLOTS];
	struct semaphore idle;	/* slots that are not busy */
	u32 random;
	atomic_t over;
	atomic_t removed;
	atomic_t wrong;
};

static u32 bounce_random(struct bouncing *b, u32 below)
{
	b->random = b->random * 1664525 + 1013904223;
	return (b->random >> 8) % below;
}

/* What the host has answered, and whether it is in the memory. */
static bool slot_is_right(struct slot *slot, const struct vmbhost_answer *answer)
{
	u32 i, j, done = 0;

	if (answer->status || answer->bytes != slot->total || answer->ranges != slot->n)
		return false;
	if (!(slot->flags & IN) && answer->crc != slot->crc)
		return false;
	for (i = 0; i < slot->n && !(slot->flags & OUT); i++)
		for (j = 0; j < slot->len[i]; j++)
			slot->before[slot->at[i] + j] =
				VMBHOST_PATTERN(answer->seed, done++);
	return !memcmp(slot->bytes, slot->before, slot->span);
}

static VOID slot_over(VMBPACKET packet, NTSTATUS status, PVOID buffer, UINT32 len)
{
	struct slot *slot = kmcl.VmbPacketGetPointer(packet);
	struct bouncing *b = slot->b;
	u32 i;

	if (status == (NTSTATUS)STATUS_DEVICE_REMOVED) {
		/* The host may have been there, or not. */
		memcpy(slot->before, slot->bytes, slot->span);
		atomic_inc(&b->removed);
	} else if (status != STATUS_SUCCESS || len < sizeof(struct vmbhost_answer) ||
		   !slot_is_right(slot, buffer)) {
		memcpy(slot->before, slot->bytes, slot->span);
		atomic_inc(&b->wrong);
	}
	for (i = 0; i < slot->n; i++)
		IoFreeMdl(slot->mdls[i]);
	atomic_inc(&b->over);
	WRITE_ONCE(slot->busy, false);
	up(&b->idle);
}

/* Pieces in order, with gaps, some of them none: the whole slot or a part of two pages. */
static bool slot_cut(struct slot *slot, bool large)
{
	struct bouncing *b = slot->b;
	u32 at = bounce_random(b, 4096), i;

	slot->span = large ? SLOT_BYTES : 2 * 4096;
	slot->n = large ? 1 : 1 + bounce_random(b, PIECES);
	slot->total = 0;
	slot->crc = 0;
	for (i = 0; i < slot->n; i++) {
		slot->at[i] = large ? 0 : at;
		slot->len[i] = large ? SLOT_BYTES : 1 + bounce_random(b, 800);
		at += slot->len[i] + bounce_random(b, 300);
		slot->mdls[i] = IoAllocateMdl(slot->bytes + slot->at[i], slot->len[i],
					      FALSE, FALSE, NULL);
		if (!slot->mdls[i])
			goto free;
		MmBuildMdlForNonPagedPool(slot->mdls[i]);
		if (i)
			slot->mdls[i - 1]->Next = slot->mdls[i];
		slot->total += slot->len[i];
		slot->crc = ~crc32_le(~slot->crc, slot->bytes + slot->at[i], slot->len[i]);
	}
	return true;

free:
	while (i--)
		IoFreeMdl(slot->mdls[i]);
	return false;
}

/* Sends one that is idle. */
static bool bounce_send(struct bouncing *b, bool large)
{
	static const u32 flags[] = { 0, IN, OUT };
	struct slot *slot;
	u32 i = 0;

	if (down_timeout(&b->idle, PATIENCE))
		return false;
	while (READ_ONCE(b->slots[i].busy))
		i = (i + 1) % SLOTS;
	slot = &b->slots[i];
	if (!slot_cut(slot, large))
		return false;
	slot->flags = flags[bounce_random(b, 3)];
	slot->busy = true;
	return kmcl.VmbPacketSend(slot->packet, &i, sizeof(i), slot->mdls[0],
				  WAIT | slot->flags) == STATUS_SUCCESS;
}

static bool slot_create(struct slot *slot, struct bouncing *b)
{
	slot->b = b;
	slot->packet = kmcl.VmbPacketAllocate(b->peer.channel);
	slot->bytes = vmalloc(SLOT_BYTES);
	slot->before = vmalloc(SLOT_BYTES);
	if (!slot->packet || !slot->bytes || !slot->before)
		return false;
	kmcl.VmbPacketSetPointer(slot->packet, slot);
	kmcl.VmbPacketSetCompletionRoutine(slot->packet, slot_over);
	guest_fill(slot->bytes, SLOT_BYTES, slot - b->slots);
	memcpy(slot->before, slot->bytes, SLOT_BYTES);
	return true;
}

static ulong bounce_first, bounce_last;
module_param(bounce_first, ulong, 0);
MODULE_PARM_DESC(bounce_first, "bounce: the first page frame of the kernel's pool");
module_param(bounce_last, ulong, 0);
MODULE_PARM_DESC(bounce_last, "bounce: the last one");

#define POOL_PAGES	1024

/*
 * Where it is the kernel says nowhere: so all of it is taken, by a device that is as
 * good as any, page by page.
 */
static bool bounce_find_pool(struct device *dev)
{
	dma_addr_t *taken = kvcalloc(POOL_PAGES, sizeof(*taken), GFP_KERNEL);
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	u64 first = U64_MAX, last = 0;
	bool found;
	u32 n;

	for (n = 0; taken && page && n < POOL_PAGES; n++) {
		taken[n] = dma_map_page_attrs(dev, page, 0, PAGE_SIZE, DMA_TO_DEVICE,
					      DMA_ATTR_NO_WARN);
		if (dma_mapping_error(dev, taken[n]))
			break;
		first = min_t(u64, first, taken[n] >> PAGE_SHIFT);
		last = max_t(u64, last, taken[n] >> PAGE_SHIFT);
	}
	/* The script reads this. */
	pr_info("guest: pool first=%#llx last=%#llx\n", first, last);
	/* A kernel that copies nothing never runs out. */
	found = n && n < POOL_PAGES && last - first < POOL_PAGES;
	while (n--)
		dma_unmap_page(dev, taken[n], PAGE_SIZE, DMA_TO_DEVICE);
	if (page)
		__free_page(page);
	kvfree(taken);
	return found;
}

/* A job of its own: the pool's account is reset behind it. */
void job_pool(void)
{
	static u64 mask = DMA_BIT_MASK(64);
	static struct device_dma_parameters parms;
	struct device *dev = root_device_register("vmbkmcl_guest");

	if (IS_ERR(dev))
		return;
	dev->dma_mask = &mask;
	dev->dma_parms = &parms;
	dma_set_min_align_mask(dev, PAGE_SIZE - 1);
	guest_check(bounce_find_pool(dev), "pool", "there is one, and it is small");
	dev->dma_mask = NULL;
	dev->dma_parms = NULL;
	root_device_unregister(dev);
}

/* The host is to look from here on. */
static bool bounce_set_window(struct bouncing *b)
{
	struct vmbhost_window window = {
		.op = VMBHOST_WINDOW, .first = bounce_first, .last = bounce_last,
	};
	LARGE_INTEGER timeout = { .QuadPart = -20 * 10000000LL };

	return kmcl.VmbChannelSendSynchronousRequest(b->peer.channel, &window, sizeof(window),
						     NULL, WAIT, NULL, NULL, &timeout) ==
	       STATUS_SUCCESS;
}

static void bounce_close(struct bouncing *b)
{
	u32 i;

	kmcl.VmbChannelDisable(b->peer.channel);
	for (i = 0; i < SLOTS; i++) {
		if (b->slots[i].packet)
			kmcl.VmbPacketFree(b->slots[i].packet);
		vfree(b->slots[i].bytes);
		vfree(b->slots[i].before);
	}
	kmcl.VmbChannelCleanup(b->peer.channel);
	kvfree(b);
}

/* A channel with so many bytes of bounce buffers at most, or the default if it is 0. */
static struct bouncing *bounce_open(const char *name, u32 job, u32 bytes)
{
	struct bouncing *b = kvzalloc(sizeof(*b), GFP_KERNEL);
	bool ready = true;
	u32 i;

	if (!b || !peer_create(&b->peer, name, job)) {
		kvfree(b);
		return NULL;
	}
	sema_init(&b->idle, SLOTS);
	if (!NT_SUCCESS(kmcl.VmbChannelInitSetMaximumExternalData(b->peer.channel, SLOT_BYTES,
								  PIECES)) ||
	    !NT_SUCCESS(kmcl.VmbChannelInitSetBounceBufferSizes(b->peer.channel, 0, 0, bytes)))
		ready = false;
	for (i = 0; i < SLOTS && ready; i++)
		ready = slot_create(&b->slots[i], b);
	if (peer_check(&b->peer, ready, "memory for the job") && peer_enable(&b->peer))
		return b;
	bounce_close(b);
	return NULL;
}

static bool bounce_is_idle(void *arg)
{
	struct bouncing *b = arg;

	return READ_ONCE(b->idle.count) == SLOTS;
}

/* So many packets, small or large ones, all of which the host completes. */
static void bounce_traffic(const char *name, u32 job, u32 bytes, u32 packets, bool large)
{
	struct bouncing *b = bounce_open(name, job, bytes);
	u32 i;

	if (!b)
		return;
	peer_check(&b->peer, bounce_set_window(b), "the host is told of the pool");
	for (i = 0; i < packets; i++)
		if (!bounce_send(b, large))
			break;
	peer_check(&b->peer, i == packets && guest_eventually(bounce_is_idle, b) &&
		   atomic_read(&b->over) == packets && !atomic_read(&b->removed),
		   "every packet completes");
	peer_check(&b->peer, !atomic_read(&b->wrong), "both ends have seen the same");
	pr_info("guest: account %s sent=%u\n", name, packets);
	bounce_close(b);
}

/* The channel goes away while packets are mapped. */
static void bounce_ends(const char *name, u32 job, bool rescinded)
{
	struct bouncing *b = bounce_open(name, job, 0);
	u32 sent = 0;

	if (!b)
		return;
	if (rescinded)
		while (!READ_ONCE(b->peer.closed) && bounce_send(b, sent % 8 == 0))
			sent++;
	else
		while (sent < SLOTS / 2 && bounce_send(b, sent % 8 == 0))
			sent++;
	/* What was sent behind the rescind waits for an opening, which does not come. */
	if (rescinded && !NT_SUCCESS(kmcl.VmbChannelEnable(b->peer.channel)))
		pr_info("guest: %s is being disabled\n", name);
	kmcl.VmbChannelDisable(b->peer.channel);
	peer_check(&b->peer, sent >= SLOTS / 2 && bounce_is_idle(b) &&
		   atomic_read(&b->over) == sent && atomic_read(&b->removed) &&
		   !atomic_read(&b->wrong), "every packet completes when the channel ends");
	bounce_close(b);
}

/* A request that is given up leaves its pages to the host until the channel closes. */
static void bounce_request(void)
{
	LARGE_INTEGER timeout = { .QuadPart = -10 * 10000LL };
	struct bouncing *b = bounce_open("bounce silent", JOB_BOUNCE_SILENT, 0);
	struct slot *slot;
	NTSTATUS status;
	u32 i;

	if (!b)
		return;
	slot = &b->slots[0];
	for (i = 0; i < 10; i++) {
		if (!slot_cut(slot, false))
			break;
		status = kmcl.VmbChannelSendSynchronousRequest(b->peer.channel, &i, sizeof(i),
							       slot->mdls[0], WAIT, NULL,
							       NULL, &timeout);
		while (slot->n)
			IoFreeMdl(slot->mdls[--slot->n]);
		if (status != (NTSTATUS)STATUS_CANCELLED)
			break;
	}
	peer_check(&b->peer, i == 10, "requests that have no answer are given up");
	bounce_close(b);
}

void job_bounce(void)
{
	bounce_traffic("bounce", JOB_BOUNCE, 16 * 4096, 100000, false);
	bounce_traffic("bounce-large", JOB_BOUNCE_LARGE, 0, 8 * SLOTS, true);
	bounce_ends("bounce rescinded", JOB_BOUNCE_RESCINDED, true);
	bounce_ends("bounce silent", JOB_BOUNCE_SILENT, false);
	bounce_request();
}
