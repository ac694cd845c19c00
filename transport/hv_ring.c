// SPDX-License-Identifier: GPL-2.0
/*
 * Packets in the rings of a struct vmbus_channel.
 *
 * The rings are memory shared with the host, which may change anything in it at
 * any time. They are written by hv_vmbus, and read here: hv_pkt_iter_first() copies
 * every packet to a buffer of its own, and repairs in silence a length or an offset that
 * makes no sense. Here a packet is copied to where it will stay, which saves a
 * second copy, and all that makes no sense is told.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>

#include "hv.h"
#include "hv_compat.h"

/* Room for all headers of a packet from the host: those of 500 transfer pages. */
#define KMCL_HV_HEADERS	4096u

/*
 * The guest alone writes the write index, but it lies in memory that the host can
 * write to as well, and not every kernel's hv_vmbus looks at it: it would write the
 * packet where the host says. A host that changes it between this look and that
 * of hv_vmbus is not found out: see docs/security.md.
 */
static bool kmcl_hv_indices_valid(const struct hv_ring_buffer_info *rbi)
{
	u32 read = READ_ONCE(rbi->ring_buffer->read_index);
	/* Other senders are in hv_vmbus, which writes it with no mark; any value is good. */
	u32 write = data_race(READ_ONCE(rbi->ring_buffer->write_index));

	return read < rbi->ring_datasize && write < rbi->ring_datasize;
}

int kmcl_hv_send(struct kmcl_link *link, const void *data, u32 len, u64 id, u32 type)
{
	struct vmbus_channel *channel = to_hv_link(link)->channel;

	BUILD_BUG_ON(KMCL_WIRE_DATA != VM_PKT_DATA_INBAND);
	BUILD_BUG_ON(KMCL_WIRE_COMPLETION != VM_PKT_COMP);

	if (unlikely(!kmcl_hv_indices_valid(&channel->outbound)))
		return -EIO;
	return vmbus_sendpacket(channel, (void *)data, len, id, type, 0);
}
EXPORT_SYMBOL_FOR_KMCL_TESTS(kmcl_hv_send);

/* On the stack of the sender of a packet that wants a completion. */
struct kmcl_hv_request {
	struct kmcl_out *out;
	bool written;
};

/*
 * hv_vmbus asks for the id when it has copied the packet, under the lock of the ring. A
 * host that guesses ids finds none that is open before.
 */
u64 kmcl_hv_next_request_id(struct vmbus_channel *channel, u64 request)
{
	struct kmcl_hv_request *req = (void *)(unsigned long)request;

	req->written = true;
	return kmcl_packet_written(req->out);
}
EXPORT_SYMBOL_FOR_KMCL_TESTS(kmcl_hv_next_request_id);

/* Writes a packet with external data; hv_vmbus fills in the descriptor. */
static int kmcl_hv_send_memory(struct kmcl_link *link, const struct kmcl_out *out,
			       const void *data, u64 request)
{
	BUILD_BUG_ON(KMCL_WIRE_DATA_GPA != VM_PKT_DATA_USING_GPA_DIRECT);
	BUILD_BUG_ON(KMCL_WIRE_DATA_XFER != VM_PKT_DATA_USING_XFER_PAGES);
	BUILD_BUG_ON(offsetof(struct kmcl_wire_gpa, ranges) !=
		     offsetof(struct vmbus_packet_mpb_array, rangecount));
	BUILD_BUG_ON(offsetof(struct kmcl_wire_gpa, range) !=
		     offsetof(struct vmbus_packet_mpb_array, range));

	if (unlikely(to_hv_link(link)->hidden)) {
		kmcl_hv_tell_hidden("external data");
		return -EOPNOTSUPP;
	}
	if (KMCL_HV_ONE_RANGE && out->gpa->ranges > 1) {
		pr_warn_ratelimited("this kernel's hv_vmbus can describe one piece of memory in a packet, not %u\n",
				    out->gpa->ranges);
		return -EOPNOTSUPP;
	}
	return vmbus_sendpacket_mpb_desc(to_hv_link(link)->channel,
					 (struct vmbus_packet_mpb_array *)out->gpa,
					 out->gpa_len, (void *)data, out->len, request);
}

int kmcl_hv_send_request(struct kmcl_link *link, struct kmcl_out *out, const void *data)
{
	struct vmbus_channel *channel = to_hv_link(link)->channel;
	struct kmcl_hv_request req = { .out = out };
	u64 request = (unsigned long)&req;
	int ret;

	BUILD_BUG_ON(KMCL_WIRE_WANT_COMPLETION !=
		     VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED);

	if (unlikely(!kmcl_hv_indices_valid(&channel->outbound)))
		return -EIO;
	if (out->gpa)
		ret = kmcl_hv_send_memory(link, out, data, request);
	else
		ret = vmbus_sendpacket(channel, (void *)data, out->len, request,
				       KMCL_WIRE_DATA, KMCL_WIRE_WANT_COMPLETION);
	/* Of a rescind hv_vmbus tells also where it has written the packet. */
	return req.written ? 0 : ret;
}
EXPORT_SYMBOL_FOR_KMCL_TESTS(kmcl_hv_send_request);

void kmcl_hv_want_room(struct kmcl_link *link, u32 bytes)
{
	struct vmbus_channel *channel = to_hv_link(link)->channel;
	/*
	 * The packet goes out if there is more room than it takes. A host may
	 * signal as soon as there is as much as asked for: so ask for more. Rooms
	 * are multiples of 8.
	 */
	u32 size = bytes ? bytes + 1 : 0;

	if (!size && !READ_ONCE(channel->outbound.ring_buffer->pending_send_sz))
		return;

	set_channel_pending_send_size(channel, size);
	/*
	 * The host looks at the pending size after it has moved its read index;
	 * the caller looks at the read index after this.
	 */
	virt_mb();
}
EXPORT_SYMBOL_FOR_KMCL_TESTS(kmcl_hv_want_room);

void kmcl_hv_recv_begin(struct kmcl_link *link)
{
	hv_begin_read(&to_hv_link(link)->channel->inbound);
}
EXPORT_SYMBOL_FOR_KMCL_TESTS(kmcl_hv_recv_begin);

/* Bytes from the iterator to the host's write index; U32_MAX if that is off. */
static u32 kmcl_hv_avail(const struct hv_ring_buffer_info *rbi)
{
	/* The packet is there before its index: pairs with the host's release. */
	u32 write = virt_load_acquire(&rbi->ring_buffer->write_index);
	u32 read = rbi->priv_read_index;

	if (unlikely(write >= rbi->ring_datasize))
		return U32_MAX;
	return write >= read ? write - read : rbi->ring_datasize - read + write;
}

/* A packet that there is no room for, from the host's or a lie: see recv_first. */
static noinline int kmcl_hv_copy_large(const struct hv_ring_buffer_info *rbi,
				       const struct kmcl_wire_desc *shared, u32 len,
				       struct kmcl_wire *pkt)
{
	struct kmcl_wire_desc *copy = (void *)rbi->pkt_buffer;
	u32 bytes = min(len, rbi->pkt_buffer_size);

	memcpy(copy, shared, bytes);
	if (bytes == len)
		return kmcl_wire_parse(copy, len, pkt) ?: 2;
	pkt->head = copy;
	return -EBADMSG;
}

/* Bytes of the packet at @shared, with its trailer, if so many are there, else 0. */
static u32 kmcl_hv_packet_bytes(const struct kmcl_wire_desc *shared, u32 avail)
{
	u32 bytes = READ_ONCE(shared->len8) * 8u + KMCL_WIRE_TRAILER;

	return bytes >= sizeof(*shared) + KMCL_WIRE_TRAILER && bytes <= avail ? bytes : 0;
}

/*
 * Copies the packet at @shared, whose length was checked. What the host changes in it since
 * then changes no length: the copy's is looked at by nobody.
 */
static __always_inline int kmcl_hv_copy(struct kmcl_hv_link *hv,
					const struct hv_ring_buffer_info *rbi,
					const struct kmcl_wire_desc *shared, u32 bytes,
					struct kmcl_wire *pkt)
{
	u32 len = bytes - KMCL_WIRE_TRAILER;

	BUILD_BUG_ON(sizeof(*shared) != sizeof(struct vmpacket_descriptor));
	BUILD_BUG_ON(offsetof(struct kmcl_wire_desc, len8) !=
		     offsetof(struct vmpacket_descriptor, len8));

	hv->cur = bytes;
	if (unlikely(len > pkt->room_len))
		return kmcl_hv_copy_large(rbi, shared, len, pkt);
	/* The ring is mapped twice in a row. */
	return kmcl_wire_parse(memcpy(pkt->room, shared, len), len, pkt) ?: 1;
}

/* The packet at the iterator, or there is none, or none that can be found. */
static noinline int kmcl_hv_recv(struct kmcl_hv_link *hv,
				 const struct hv_ring_buffer_info *rbi,
				 struct kmcl_wire *pkt)
{
	const struct kmcl_wire_desc *shared = hv_get_ring_buffer(rbi) + rbi->priv_read_index;
	u32 bytes, avail = kmcl_hv_avail(rbi);

	if (avail == U32_MAX)
		return -EPROTO;
	/* Less than a descriptor is no packet. */
	if (avail < sizeof(*shared))
		return 0;
	/* Where does the next packet begin? Without that all is lost. */
	bytes = kmcl_hv_packet_bytes(shared, avail);
	if (!bytes)
		return -EPROTO;
	hv->avail = avail;
	return kmcl_hv_copy(hv, rbi, shared, bytes, pkt);
}

int kmcl_hv_recv_first(struct kmcl_link *link, struct kmcl_wire *pkt)
{
	struct kmcl_hv_link *hv = to_hv_link(link);

	return kmcl_hv_recv(hv, &hv->channel->inbound, pkt);
}
EXPORT_SYMBOL_FOR_KMCL_TESTS(kmcl_hv_recv_first);

int kmcl_hv_recv_next(struct kmcl_link *link, struct kmcl_wire *pkt)
{
	struct kmcl_hv_link *hv = to_hv_link(link);
	struct hv_ring_buffer_info *rbi = &hv->channel->inbound;
	u32 at = rbi->priv_read_index + hv->cur;
	u32 bytes, avail = hv->avail - hv->cur;
	const struct kmcl_wire_desc *shared;

	if (at >= rbi->ring_datasize)
		at -= rbi->ring_datasize;
	rbi->priv_read_index = at;
	hv->avail = avail;
	/*
	 * The host's index is looked at anew only when all has been read that it said
	 * was there: 10 instructions a packet less. Until then this is no packet.
	 */
	shared = hv_get_ring_buffer(rbi) + at;
	bytes = kmcl_hv_packet_bytes(shared, avail);
	if (unlikely(!bytes))
		return kmcl_hv_recv(hv, rbi, pkt);
	return kmcl_hv_copy(hv, rbi, shared, bytes, pkt);
}
EXPORT_SYMBOL_FOR_KMCL_TESTS(kmcl_hv_recv_next);

void kmcl_hv_recv_commit(struct kmcl_link *link)
{
	hv_pkt_iter_close(to_hv_link(link)->channel);
}
EXPORT_SYMBOL_FOR_KMCL_TESTS(kmcl_hv_recv_commit);

bool kmcl_hv_recv_end(struct kmcl_link *link)
{
	struct hv_ring_buffer_info *rbi = &to_hv_link(link)->channel->inbound;

	/* Less than a descriptor is no packet; a wrong index is found later. */
	hv_end_read(rbi);
	return kmcl_hv_avail(rbi) >= sizeof(struct vmpacket_descriptor);
}
EXPORT_SYMBOL_FOR_KMCL_TESTS(kmcl_hv_recv_end);

/*
 * How large hv_vmbus makes the buffer for copies, which is for packets that come while
 * there is no other room, or that are too large for it. No packet is larger than the ring.
 */
u32 kmcl_hv_packet_buffer_size(const struct kmcl_link_params *p)
{
	u32 size = ALIGN(KMCL_HV_HEADERS + p->max_packet, 8);

	return min_t(u32, size, kmcl_hv_ring_data(p->recv_bytes));
}
EXPORT_SYMBOL_FOR_KMCL_TESTS(kmcl_hv_packet_buffer_size);
