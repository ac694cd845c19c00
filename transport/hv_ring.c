// SPDX-License-Identifier: GPL-2.0
/*
 * Packets in the rings of a struct vmbus_channel.
 *
 * The rings are memory shared with the host, which may change anything in it at
 * any time. hv_vmbus copies each packet out before it is looked at; what it
 * would repair in silence (a length or offset that makes no sense) is found
 * here, by a look at the descriptor in the ring.
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
	u32 write = READ_ONCE(rbi->ring_buffer->write_index);

	return read < rbi->ring_datasize && write < rbi->ring_datasize;
}

int kmcl_hv_send(struct kmcl_link *link, const void *data, u32 len, u64 id, u32 type,
		 u32 flags)
{
	struct vmbus_channel *channel = to_hv_link(link)->channel;

	BUILD_BUG_ON(KMCL_WIRE_DATA != VM_PKT_DATA_INBAND);
	BUILD_BUG_ON(KMCL_WIRE_COMPLETION != VM_PKT_COMP);
	BUILD_BUG_ON(KMCL_WIRE_WANT_COMPLETION !=
		     VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED);

	if (unlikely(!kmcl_hv_indices_valid(&channel->outbound)))
		return -EIO;
	return vmbus_sendpacket(channel, (void *)data, len, id, type, flags);
}
EXPORT_SYMBOL_FOR_KMCL_TESTS(kmcl_hv_send);

/* Writes a packet with external data; hv_vmbus fills in the descriptor. */
int kmcl_hv_send_memory(struct kmcl_link *link, const struct kmcl_out *out, const void *data)
{
	struct vmbus_channel *channel = to_hv_link(link)->channel;

	BUILD_BUG_ON(KMCL_WIRE_DATA_GPA != VM_PKT_DATA_USING_GPA_DIRECT);
	BUILD_BUG_ON(KMCL_WIRE_DATA_XFER != VM_PKT_DATA_USING_XFER_PAGES);
	BUILD_BUG_ON(offsetof(struct kmcl_wire_gpa, ranges) !=
		     offsetof(struct vmbus_packet_mpb_array, rangecount));
	BUILD_BUG_ON(offsetof(struct kmcl_wire_gpa, range) !=
		     offsetof(struct vmbus_packet_mpb_array, range));

	if (unlikely(!kmcl_hv_indices_valid(&channel->outbound)))
		return -EIO;
	if (kmcl_hv_refuses_external(link))
		return -EOPNOTSUPP;
	if (KMCL_HV_ONE_RANGE && out->gpa->ranges > 1) {
		pr_warn_ratelimited("this kernel's hv_vmbus can describe one piece of memory in a packet, not %u\n",
				    out->gpa->ranges);
		return -EOPNOTSUPP;
	}
	return vmbus_sendpacket_mpb_desc(channel,
					 (struct vmbus_packet_mpb_array *)out->gpa,
					 out->gpa_len, (void *)data, out->len, out->id);
}
EXPORT_SYMBOL_FOR_KMCL_TESTS(kmcl_hv_send_memory);

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
	u32 write = READ_ONCE(rbi->ring_buffer->write_index);
	u32 read = rbi->priv_read_index;

	if (write >= rbi->ring_datasize)
		return U32_MAX;
	return write >= read ? write - read : rbi->ring_datasize - read + write;
}

/*
 * @copy is what hv_vmbus made of the packet at the head of the ring. It may have
 * been cut or its header repaired.
 */
static int kmcl_hv_recv(struct kmcl_hv_link *hv, struct kmcl_wire *pkt,
			const struct vmpacket_descriptor *copy)
{
	const struct hv_ring_buffer_info *rbi = &hv->channel->inbound;
	const struct vmpacket_descriptor *shared;
	u32 avail = kmcl_hv_avail(rbi);
	u16 len8, offset8;

	if (avail == U32_MAX)
		return -EPROTO;
	if (!copy)
		return 0;

	shared = hv_get_ring_buffer(rbi) + rbi->priv_read_index;
	len8 = READ_ONCE(shared->len8);
	offset8 = READ_ONCE(shared->offset8);
	pkt->type = copy->type;

	/* Where does the next packet begin? Without that all is lost. */
	if (len8 * 8u < sizeof(*copy) || len8 * 8u + KMCL_WIRE_TRAILER > avail)
		return -EPROTO;
	hv->cur.len8 = len8;

	if (len8 != copy->len8 || offset8 != copy->offset8)
		return -EBADMSG;
	return kmcl_wire_parse(copy, len8 * 8u, pkt) ?: 1;
}

int kmcl_hv_recv_first(struct kmcl_link *link, struct kmcl_wire *pkt)
{
	struct kmcl_hv_link *hv = to_hv_link(link);

	return kmcl_hv_recv(hv, pkt, hv_pkt_iter_first(hv->channel));
}
EXPORT_SYMBOL_FOR_KMCL_TESTS(kmcl_hv_recv_first);

int kmcl_hv_recv_next(struct kmcl_link *link, struct kmcl_wire *pkt)
{
	struct kmcl_hv_link *hv = to_hv_link(link);

	return kmcl_hv_recv(hv, pkt, hv_pkt_iter_next(hv->channel, &hv->cur));
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
 * How much hv_vmbus may copy out at once. Never more than the ring holds: beyond
 * twice that its mapping ends, and a write index that makes no sense could lead
 * the copy there.
 */
u32 kmcl_hv_packet_buffer_size(const struct kmcl_link_params *p)
{
	u32 size = ALIGN(KMCL_HV_HEADERS + p->max_packet, 8);

	return min_t(u32, size, p->recv_bytes - sizeof(struct hv_ring_buffer));
}
EXPORT_SYMBOL_FOR_KMCL_TESTS(kmcl_hv_packet_buffer_size);
