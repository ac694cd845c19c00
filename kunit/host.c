// SPDX-License-Identifier: GPL-2.0
/* The host made by hand: see host.h. */
#include <linux/module.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/dma-mapping.h>
#include <linux/vmalloc.h>

#include "host.h"

/* All there are, and with the first of them their transport; the tests' thread's own. */
static LIST_HEAD(hosts);

static const struct kmcl_transport host_transport;
static void host_make_offer(struct host *host);

static struct host *host_of(struct kmcl_link *link)
{
	return container_of(to_hv_link(link), struct host, hv);
}

struct page **host_ring_alloc(struct hv_ring_buffer_info *ring, u32 bytes)
{
	u32 i, n = 1 + kmcl_hv_ring_data(bytes) / PAGE_SIZE;
	struct page **pages = kcalloc(2 * n, sizeof(*pages), GFP_KERNEL);

	/* The control page, then the data twice in a row. */
	for (i = 0; i < n; i++)
		pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO | __GFP_NOFAIL);
	for (i = 1; i < n; i++)
		pages[n - 1 + i] = pages[i];

	memset(ring, 0, sizeof(*ring));
	ring->ring_buffer = vmap(pages, 2 * n - 1, VM_MAP, PAGE_KERNEL);
	ring->ring_size = n * PAGE_SIZE;
	ring->ring_datasize = ring->ring_size - PAGE_SIZE;
	spin_lock_init(&ring->ring_lock);
	return pages;
}

void host_ring_free(struct hv_ring_buffer_info *ring, struct page **pages)
{
	u32 i;

	vunmap(ring->ring_buffer);
	ring->ring_buffer = NULL;
	for (i = 0; i < ring->ring_size / PAGE_SIZE; i++)
		__free_page(pages[i]);
	kfree(pages);
}

static int host_open(struct kmcl_link *link, const struct kmcl_link_params *p)
{
	struct host *host = host_of(link);
	struct vmbus_channel *channel = &host->channel;

	host->fail_hit = !current->fail_nth;
	current->fail_nth = 0;
	if (host->open_error)
		return host->open_error;

	mutex_lock(&host->rings);
	if (host->channel.rescind) {
		mutex_unlock(&host->rings);
		return -ENODEV;
	}
	host->params = *p;
	if (host->bounces && kmcl_hv_bounce_prepare(&host->hv, p)) {
		mutex_unlock(&host->rings);
		return -ENOMEM;
	}
	kmcl_link_set_mmio(link, host->mmio_start, host->mmio_size);
	host->send_pages = host_ring_alloc(&channel->outbound, p->send_bytes);
	host->recv_pages = host_ring_alloc(&channel->inbound, p->recv_bytes);
	channel->next_request_id_callback = kmcl_hv_next_request_id;
	channel->inbound.pkt_buffer_size = kmcl_hv_packet_buffer_size(p);
	/* The largest are too large for an allocation in one piece that must not fail. */
	channel->inbound.pkt_buffer =
		kvzalloc(channel->inbound.pkt_buffer_size, GFP_KERNEL | __GFP_NOFAIL);
	/* Where the ring is larger than asked for, the host never reads the rest. */
	host->room = p->send_bytes - KMCL_WIRE_PAGE_SIZE;
	channel->outbound.ring_buffer->read_index =
		host->room % channel->outbound.ring_datasize;
	/* Masked, so that hv_vmbus makes no hypercall to tell this host of a packet. */
	channel->outbound.ring_buffer->interrupt_mask = 1;
	host->open = true;
	host->opens++;
	mutex_unlock(&host->rings);
	return 0;
}

/* As transport/hv.c: a rescind may have been first. */
static void host_close(struct kmcl_link *link)
{
	struct host *host = host_of(link);

	mutex_lock(&host->rings);
	if (host->open) {
		kvfree(host->channel.inbound.pkt_buffer);
		host_ring_free(&host->channel.inbound, host->recv_pages);
		host_ring_free(&host->channel.outbound, host->send_pages);
		host->open = false;
		host->closes++;
	}
	mutex_unlock(&host->rings);
	if (host->unclosed)
		kmcl_link_not_closed(link);
}

static void host_release(struct kmcl_link *link)
{
	struct host *host = host_of(link);

	kmcl_link_destroy(link);
	complete_all(&host->released);
	/* Another channel may wait for it. */
	mutex_lock(&host->lock);
	if (host->offered)
		host_make_offer(host);
	mutex_unlock(&host->lock);
}

static void host_recv_begin(struct kmcl_link *link)
{
	host_of(link)->reads++;
	kmcl_hv_recv_begin(link);
}

static int host_send(struct kmcl_link *link, const void *data, u32 len, u64 id, u32 type)
{
	struct host *host = host_of(link);

	if (host->no_room)
		return -EAGAIN;
	if (host->on_send)
		return host->on_send(host, data, len);
	return kmcl_hv_send(link, data, len, id, type);
}

static int host_send_request(struct kmcl_link *link, struct kmcl_out *out, const void *data)
{
	struct host *host = host_of(link);
	int ret;

	if (out->gpa && host->no_external)
		return -EOPNOTSUPP;
	if (host->no_room)
		return -EAGAIN;
	if (host->on_send) {
		ret = host->on_send(host, data, out->len);
		if (!ret)
			kmcl_packet_written(out);
		return ret;
	}
	ret = kmcl_hv_send_request(link, out, data);
	if (!ret && host->on_sent)
		host->on_sent(host);
	return ret;
}

static int host_gpadl_create(struct kmcl_link *link, struct kmcl_gpadl *gpadl)
{
	struct host *host = host_of(link);
	u32 i;

	if (host->channel.rescind)
		return -ENODEV;
	if (host->gpadl_error)
		return host->gpadl_error;

	for (i = 0; i < ARRAY_SIZE(host->gpadls); i++) {
		if (!cmpxchg(&host->gpadls[i], NULL, gpadl)) {
			gpadl->handle = atomic_inc_return(&host->last_gpadl);
			WRITE_ONCE(host->gpadls_created, gpadl->handle);
			return 0;
		}
	}
	return -EDQUOT;
}

static int host_gpadl_delete(struct kmcl_link *link, struct kmcl_gpadl *gpadl)
{
	struct host *host = host_of(link);
	u32 i;

	WRITE_ONCE(host->gpadl_deleting, true);
	if (host->gpadl_mapped && !host->channel.rescind)
		wait_for_completion(host->gpadl_mapped);
	for (i = 0; i < ARRAY_SIZE(host->gpadls); i++)
		cmpxchg(&host->gpadls[i], gpadl, NULL);
	return host->gpadl_delete_error;
}

/* What the host was told of under that handle, or NULL. */
struct kmcl_gpadl *host_gpadl(struct host *host, u32 handle)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(host->gpadls); i++)
		if (host->gpadls[i] && host->gpadls[i]->handle == handle)
			return host->gpadls[i];
	return NULL;
}

/* How many frames a real host would be told of. */
u32 host_gpadl_frames(struct host *host, const struct kmcl_gpadl *gpadl)
{
	KUNIT_EXPECT_EQ(host->test, gpadl->n_pages,
			DIV_ROUND_UP(gpadl->offset + gpadl->len, PAGE_SIZE));
	return DIV_ROUND_UP(gpadl->offset % 4096 + gpadl->len, 4096);
}

/* The @i-th of them. */
u64 host_gpadl_frame(const struct kmcl_gpadl *gpadl, u32 i)
{
	u32 at = gpadl->offset + i * 4096;

	return frame_of(gpadl->pages[at / PAGE_SIZE], at % PAGE_SIZE);
}

u32 host_gpadls(struct host *host)
{
	u32 i, n = 0;

	for (i = 0; i < ARRAY_SIZE(host->gpadls); i++)
		n += !!READ_ONCE(host->gpadls[i]);
	return n;
}

/* The one that has offers of that type; where none has, it is all the same which. */
static struct host *host_for(const guid_t *type)
{
	struct host *host;

	list_for_each_entry(host, &hosts, node)
		if (guid_equal(type, &host->type))
			return host;
	return list_first_entry(&hosts, struct host, node);
}

static void host_rescan(const guid_t *type)
{
	struct host *host = host_for(type);

	if (!guid_equal(type, &host->type))
		return;
	mutex_lock(&host->lock);
	if (host->held)
		kmcl_offer_held(&host_transport, &host->type, &host->instance, false);
	else if (host->offered)
		host_make_offer(host);
	mutex_unlock(&host->lock);
}

static int host_watch(const guid_t *type)
{
	struct host *host = host_for(type);

	host->watches++;
	/* From here on the channel's worker makes what an open channel needs. */
	current->fail_nth = host->fail_nth;
	host_rescan(type);
	return 0;
}

static void host_unwatch(const guid_t *type)
{
	host_for(type)->watches--;
}

static const struct kmcl_transport host_transport = {
	.name = "test host",
	.owner = THIS_MODULE,
	.max_gpadl_pages = KMCL_HV_GPADL_PAGES,
	.watch = host_watch,
	.rescan = host_rescan,
	.unwatch = host_unwatch,
	.open = host_open,
	.close = host_close,
	.release = host_release,
	.send = host_send,
	.send_request = host_send_request,
	.want_room = kmcl_hv_want_room,
	.map = kmcl_hv_map,
	.unmap = kmcl_hv_unmap,
	.recv_begin = host_recv_begin,
	.recv_first = kmcl_hv_recv_first,
	.recv_next = kmcl_hv_recv_next,
	.recv_commit = kmcl_hv_recv_commit,
	.recv_end = kmcl_hv_recv_end,
	.gpadl_create = host_gpadl_create,
	.gpadl_delete = host_gpadl_delete,
};

static void host_make_offer(struct host *host)
{
	struct kmcl_link *link = &host->hv.link;

	if ((host->accepted && !completion_done(&host->released)) ||
	    !kmcl_offer_wanted(&host_transport, &host->type, &host->instance))
		return;

	reinit_completion(&host->released);
	host->hv.channel = &host->channel;
	host->channel.rescind = false;
	kmcl_link_init(link, &host_transport, &host->type, &host->instance);
	link->device = host->device;
	host->accepted = !kmcl_offer_arrived(link);
}

/* From now on there is an offer, for channels that wait and those to come. */
void host_offer(struct host *host)
{
	mutex_lock(&host->lock);
	host->offered = true;
	host_make_offer(host);
	mutex_unlock(&host->lock);
}

/* As hv_vmbus does it: waits for nothing of the client's. */
void host_withdraw(struct host *host)
{
	struct kmcl_link *link = &host->hv.link;
	bool accepted;

	mutex_lock(&host->lock);
	host->offered = false;
	host->channel.rescind = true;
	/* One that was released is not the channel's any more. */
	accepted = host->accepted && !completion_done(&host->released);
	mutex_unlock(&host->lock);

	if (!accepted)
		return;
	/* Not opened yet, it is never released: that is done here. */
	if (!kmcl_offer_gone(link)) {
		host_release(link);
		return;
	}
	host_close(link);
	kmcl_offer_closed(link);
}

/* Returns when the client has let go of the channel. */
void host_rescind(struct host *host)
{
	host_withdraw(host);
	if (host->accepted)
		wait_for_completion(&host->released);
}

/* As for hibernation: returns when the client has let go; host_offer() wakes it. */
void host_sleep(struct host *host)
{
	mutex_lock(&host->lock);
	host->offered = false;
	mutex_unlock(&host->lock);
	kmcl_transport_sleep(&host_transport);
	wait_for_completion(&host->released);
}

static void host_destroy(void *data)
{
	struct host *host = data;

	list_del(&host->node);
	if (list_empty(&hosts))
		kmcl_transport_unregister(&host_transport);
	kmcl_hv_bounce_free(&host->hv);
	KUNIT_EXPECT_EQ(host->test, host->opens, host->closes);
	KUNIT_EXPECT_EQ(host->test, host->watches, 0);
	put_device(&host->dev.device);
}

static void host_free(struct device *device)
{
	kfree(container_of(device, struct host, dev.device));
}

/* As hv_vmbus makes it. */
static void host_device_init(struct host *host)
{
	struct device *device = &host->dev.device;

	device_initialize(device);
	device->release = host_free;
	device->dma_parms = &host->dev.dma_parms;
	device->dma_mask = &host->dev.dma_mask;
	dma_set_mask(device, DMA_BIT_MASK(64));
	host->hv.dev = &host->dev;
}

/* A host without an offer. Goes away when the test ends, after its clients. */
struct host *host_create(struct kunit *test)
{
	struct host *host = kzalloc(sizeof(*host), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, host);
	host->test = test;
	host_device_init(host);
	guid_gen(&host->type);
	guid_gen(&host->instance);
	mutex_init(&host->lock);
	mutex_init(&host->rings);
	init_completion(&host->released);
	if (list_empty(&hosts))
		KUNIT_ASSERT_EQ(test, kmcl_transport_register(&host_transport), 0);
	list_add_tail(&host->node, &hosts);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, host_destroy, host), 0);
	return host;
}

/* Takes a packet from the guest's outgoing ring. Returns false if it is empty. */
bool host_read(struct host *host, struct host_packet *pkt)
{
	struct hv_ring_buffer *ring = host->channel.outbound.ring_buffer;
	u32 size = host->channel.outbound.ring_datasize;
	u32 at = (ring->read_index + size - host->room) % size, total, head, i;
	u8 desc[16];

	/* Pairs with the barrier between the guest's packet and its index. */
	if (at == smp_load_acquire(&ring->write_index))
		return false;

	for (i = 0; i < sizeof(desc); i++)
		desc[i] = ring->buffer[(at + i) % size];

	pkt->type = desc[0] | desc[1] << 8;
	head = (desc[2] | desc[3] << 8) * 8;
	total = (desc[4] | desc[5] << 8) * 8;
	pkt->flags = desc[6] | desc[7] << 8;
	memcpy(&pkt->id, desc + 8, sizeof(pkt->id));
	pkt->head_len = head;
	pkt->len = total - head;

	for (i = 0; i < head && i < sizeof(pkt->head); i++)
		pkt->head[i] = ring->buffer[(at + i) % size];
	for (i = 0; i < pkt->len && i < sizeof(pkt->payload); i++)
		pkt->payload[i] = ring->buffer[(at + head + i) % size];

	/* What was read is the guest's again only after this. */
	smp_store_release(&ring->read_index, (at + total + 8 + host->room) % size);
	return true;
}

u32 host_skip_all(struct host *host)
{
	struct host_packet *pkt = kmalloc(sizeof(*pkt), GFP_KERNEL | __GFP_NOFAIL);
	u32 n = 0;

	while (host_read(host, pkt))
		n++;
	kfree(pkt);
	return n;
}

/* Anything at all into the guest's incoming ring. */
void host_write_bytes(struct host *host, const void *bytes, u32 len)
{
	struct hv_ring_buffer *ring = host->channel.inbound.ring_buffer;
	u32 size = host->channel.inbound.ring_datasize;
	u32 at = ring->write_index, i;

	for (i = 0; i < len; i++)
		ring->buffer[(at + i) % size] = ((const u8 *)bytes)[i];
	/* The bytes first: pairs with the acquire in kmcl_hv_avail(). */
	smp_store_release(&ring->write_index, (at + len) % size);
}

/* A packet with more headers than the descriptor, payload padded to 8 bytes. */
void host_write_head(struct host *host, u16 type, u16 flags, u64 id,
		     const void *head, u32 head_len, const void *payload, u32 len)
{
	u32 total = ALIGN(16 + head_len + len, 8);
	u8 *bytes = kvzalloc(total + 8, GFP_KERNEL | __GFP_NOFAIL);
	u16 desc[4] = { type, 2 + head_len / 8, total / 8, flags };

	memcpy(bytes, desc, 8);
	memcpy(bytes + 8, &id, 8);
	memcpy(bytes + 16, head, head_len);
	memcpy(bytes + 16 + head_len, payload, len);
	host_write_bytes(host, bytes, total + 8);
	kvfree(bytes);
}

/* A proper packet: descriptor, payload padded to 8 bytes, trailer. */
void host_write(struct host *host, u16 type, u16 flags, u64 id,
		const void *payload, u32 len)
{
	host_write_head(host, type, flags, id, NULL, 0, payload, len);
}

/* As hv_vmbus would call it: in softirq context. */
void host_signal(struct host *host)
{
	local_bh_disable();
	kmcl_data_ready(&host->hv.link);
	local_bh_enable();
}

/* Takes all that the guest has sent, and says so; the channel may be closed. */
void host_serve(struct host *host)
{
	mutex_lock(&host->rings);
	if (host->channel.outbound.ring_buffer && host_skip_all(host))
		host_signal(host);
	mutex_unlock(&host->rings);
}
