/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The seam between the core and what carries its packets.
 *
 * A transport finds offers and moves packets; it knows nothing of packet
 * objects or their callbacks. The core knows nothing of the transport's own
 * channel. One accepted offer is one struct kmcl_link, embedded in the
 * transport's private structure. A transport that joins servers with clients
 * gives the server a link of its own when a client opens.
 */
#ifndef VMBKMCL_TRANSPORT_H
#define VMBKMCL_TRANSPORT_H

#include <linux/atomic.h>
#include <linux/dma-direction.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/types.h>
#include <linux/uuid.h>

struct device;
struct kmcl_channel;
struct kmcl_link;
struct kmcl_wire;
struct kmcl_wire_gpa;
struct module;
struct page;

/**
 * struct kmcl_spare_rings - the memory of a channel's rings while it is closed
 * @pages: one piece, from alloc_pages(), or NULL
 * @bytes: of it, in whole pages
 *
 * So that a channel which opens again does not need that much contiguous memory: it may be
 * a disk's, and reclaim be waiting for it. It is the link's from @open to @close, else the
 * channel's.
 */
struct kmcl_spare_rings {
	struct page *pages;
	u32 bytes;
};

static inline void kmcl_spare_rings_free(struct kmcl_spare_rings *spare)
{
	if (spare->pages)
		__free_pages(spare->pages, get_order(spare->bytes));
	spare->pages = NULL;
}

/**
 * struct kmcl_link_params - what the core asks of a link when it opens it
 * @send_bytes: size of the outgoing ring, its control page included, in pages of
 *	KMCL_WIRE_PAGE_SIZE bytes; it may be made larger
 * @recv_bytes: size of the incoming ring, likewise
 * @max_packet: largest payload of a packet, either way
 * @max_gpa: most bytes of the headers of a packet that describes memory
 * @pipe: whether packets have the headers of a pipe
 * @target_cpu: which processor the other end's signals are to come on, or -1
 * @spare: what the transport may make the rings of, and leave behind when it closes them;
 *	or NULL
 */
struct kmcl_link_params {
	u32 send_bytes;
	u32 recv_bytes;
	u32 max_packet;
	u32 max_gpa;
	bool pipe;
	int target_cpu;
	struct kmcl_spare_rings *spare;
};

/**
 * struct kmcl_out - a packet on its way to the ring
 * @type: one of KMCL_WIRE_*
 * @dir: what the other end does with the memory of @gpa: reads it, writes to it, or both
 * @mapped: @gpa is what @map has made of it
 * @gpa_len: bytes of @gpa
 * @gpa: headers of KMCL_WIRE_DATA_GPA, their descriptor for the transport to
 *	fill in; else NULL
 * @id: transaction id
 * @len: bytes of payload
 * @flags: KMCL_WIRE_WANT_COMPLETION
 */
struct kmcl_out {
	u16 type;
	u8 dir;
	bool mapped;
	u32 gpa_len;
	struct kmcl_wire_gpa *gpa;
	u64 id;
	u32 len;
	u16 flags;
};

/**
 * struct kmcl_gpadl - memory of this end's that the other end knows by a handle
 * @node: the core's
 * @handle: set by the transport when it creates the GPADL
 * @private: the transport's own
 * @pages: all of it, in order
 * @n_pages: of the kernel's page size
 * @offset: first byte in the first page
 * @len: bytes
 * @address: where all of it is mapped in one piece, or NULL
 * @made: it is the library's own, from @gpadl_alloc where the transport has that
 * @read_only: the other end is not to write to it
 */
struct kmcl_gpadl {
	struct list_head node;
	u32 handle;
	void *private;
	struct page **pages;
	u32 n_pages;
	u32 offset;
	u32 len;
	void *address;
	bool made;
	bool read_only;
};

/**
 * struct kmcl_offer - what a server offers
 * @node: the transport's
 * @private: the transport's own, NULL at first
 * @type: class
 * @instance: instance
 * @pipe: whether packets have the headers of a pipe
 * @resume: number of the save that a restored server is to go on from, or 0
 * @primary: of a sub-channel: the server's link of the connection within which it is
 *	offered, which stays until @revoke; else NULL
 * @sub_index: of a sub-channel, from 1 on
 */
struct kmcl_offer {
	struct list_head node;
	void *private;
	guid_t type;
	guid_t instance;
	bool pipe;
	u64 resume;
	struct kmcl_link *primary;
	u16 sub_index;
};

/**
 * struct kmcl_transport - what a transport does for the core
 * @name: for log lines
 * @owner: held while any channel watches for this transport's offers
 * @watch: from now on report the offers of a type, those present and those to come,
 *	with kmcl_offer_arrived(), and such as another driver holds with
 *	kmcl_offer_held(). An offer that no channel wanted is reported again when
 *	that may have changed: when a link of its type is given back, or another
 *	channel watches. -ENODEV: there is no such bus here. May sleep, but waits for
 *	no device's lock: the caller is a channel's worker.
 * @rescan: the channel, which watches, waits anew: as for the first time. As @watch.
 * @same_memory: frame numbers in packets that arrive are those of this kernel's
 *	own memory, put there by this kernel
 * @max_gpadl_pages: most pages of KMCL_WIRE_PAGE_SIZE bytes that a GPADL can
 *	describe; 0: there is no limit
 * @unwatch: undo one watch. As @watch.
 * @settle: NULL, or: returns when what was asked for so far about offers of a type
 *	has been done: those given back are free for other drivers. May sleep.
 * @watch_devices: NULL, or: from now on report with kmcl_device_arrived() which offers of
 *	a type there are, those present and those to come, and with kmcl_device_gone()
 *	which are no more: whether or not a channel wants them. Not those of sub-channels.
 *	Each call reports anew those present. -ENODEV as for @watch. May sleep.
 * @unwatch_devices: undo one of these. May sleep.
 * @open: make the rings and tell the other end. kmcl_data_ready() may be called
 *	before it returns. May sleep.
 * @close: the opposite; after it kmcl_data_ready() is not called and the other end no
 *	longer touches memory of this one's, but for what kmcl_link_not_closed() says.
 *	Where the transport closed it by itself it has nothing left to do: see
 *	kmcl_offer_gone(). May sleep.
 * @release: the core is done with the offer and never uses the link again.
 *	As @watch.
 * @send: write one packet that nobody answers, or a completion, to the ring, now or not
 *	at all: its payload and the length of that, its id and its type. 0, -EAGAIN (no
 *	room), -EOPNOTSUPP (it has no such packets, said in the log), or another error
 *	if no packet can be sent any more. Up to softirq, interrupts may be off; any
 *	number of callers at once.
 * @send_request: the same for a packet that wants a completion, with or without memory.
 *	When all of it but its id is in the ring, and before the other end can see it, the
 *	transport calls kmcl_packet_written(). From there on the packet may be over at
 *	any time and @out be anything, and the transport returns 0.
 * @want_room: ask for kmcl_data_ready() once a packet that takes that many bytes
 *	of the ring has room; 0 takes that back. A full barrier before the next @send.
 *	Same contexts as @send, and the caller serializes.
 * @map: where @bounce_pages is not 0: have memory that a packet describes copied to
 *	where the other end may see it, and the packet describe that. 0, -ENOBUFS (no
 *	room now) or -EOPNOTSUPP (it cannot be copied); then nothing has changed.
 *	As @want_room.
 * @unmap: the opposite, for a packet that the other end is done with: @copy, what it
 *	has written to where it belongs. From @open until @release. Any context up to
 *	softirq, interrupts may be off.
 * @recv_begin: mask the other end's signals and start to read. The caller
 *	serializes all recv operations, in softirq context.
 * @recv_first: the packet at the head of the ring, as a private copy. 1: there is one,
 *	in the room that comes with @pkt; 2: there is one, in a buffer of the
 *	transport's until the next call, for there was no room as large; 0: the ring is
 *	empty; -EBADMSG: a packet to be stepped over, of which only the descriptor is
 *	known; -EPROTO: the ring cannot be parsed any further.
 * @recv_next: step over the packet last returned, then as @recv_first.
 * @recv_commit: give what was stepped over back to the other end.
 * @recv_end: unmask the signals; true if packets arrived meanwhile.
 * @gpadl_create: tell the other end of memory; it knows on return. From @open
 *	until @release. 0, -ENODEV after a rescind, -EOPNOTSUPP (cannot be
 *	described, said in the log) or another error. May sleep.
 * @gpadl_delete: the opposite. 0: the other end does not use it any more. -EIO: it
 *	could not be told, and may. From @open until @release. May sleep.
 * @gpadl_alloc: NULL, if any memory can be shared; or: sets @address of a GPADL to
 *	memory of that many bytes that can, and is all zero. 0 or -ENOMEM. From @open
 *	until @release. May sleep.
 * @gpadl_free: the opposite. The memory is never used again if the other end may still
 *	use it, or if it cannot be made as it was. May sleep.
 * @closing: NULL, or: the channel is going to be closed, its client is told so
 *	next. May sleep.
 *
 * The rest is for servers; NULL where the transport takes no offers.
 *
 * @offer: from now on clients may open this, one at a time; a server's link comes
 *	by kmcl_offer_opened(). Called anew when the server has released it. 0,
 *	or -ENOENT: the connection to be resumed is gone, which makes it an offer
 *	like others. May sleep.
 * @revoke: the opposite. May sleep.
 * @opened: a server's link, after @open: the client may go on. If @close or
 *	@release come instead, the client is refused. May sleep.
 * @park: instead of @close, of a server's link: the client does not notice, and is
 *	there for a server that resumes the connection by that number. May sleep.
 * @gpadl_map: a server asks for memory by its handle: 0, -ENOENT (no such),
 *	-EBUSY (mapped), -EACCES (@write, but it is read-only), -ENODEV (the
 *	client is gone). The memory stays until @gpadl_unmap. May sleep.
 * @gpadl_unmap: the opposite. May sleep.
 */
struct kmcl_transport {
	const char *name;
	struct module *owner;
	bool same_memory;
	u32 max_gpadl_pages;

	int (*watch)(const guid_t *type);
	void (*rescan)(const guid_t *type);
	void (*unwatch)(const guid_t *type);
	void (*settle)(const guid_t *type);

	int (*watch_devices)(const guid_t *type);
	void (*unwatch_devices)(const guid_t *type);

	int (*open)(struct kmcl_link *link, const struct kmcl_link_params *p);
	void (*close)(struct kmcl_link *link);
	void (*release)(struct kmcl_link *link);

	int (*send)(struct kmcl_link *link, const void *data, u32 len, u64 id, u32 type);
	int (*send_request)(struct kmcl_link *link, struct kmcl_out *out, const void *data);
	void (*want_room)(struct kmcl_link *link, u32 bytes);
	int (*map)(struct kmcl_link *link, struct kmcl_out *out);
	void (*unmap)(struct kmcl_link *link, struct kmcl_out *out, bool copy);

	void (*recv_begin)(struct kmcl_link *link);
	int (*recv_first)(struct kmcl_link *link, struct kmcl_wire *pkt);
	int (*recv_next)(struct kmcl_link *link, struct kmcl_wire *pkt);
	void (*recv_commit)(struct kmcl_link *link);
	bool (*recv_end)(struct kmcl_link *link);

	int (*gpadl_create)(struct kmcl_link *link, struct kmcl_gpadl *gpadl);
	int (*gpadl_delete)(struct kmcl_link *link, struct kmcl_gpadl *gpadl);
	int (*gpadl_alloc)(struct kmcl_link *link, struct kmcl_gpadl *gpadl);
	void (*gpadl_free)(struct kmcl_link *link, struct kmcl_gpadl *gpadl);
	void (*closing)(struct kmcl_link *link);

	int (*offer)(struct kmcl_offer *offer);
	void (*revoke)(struct kmcl_offer *offer);
	void (*opened)(struct kmcl_link *link);
	void (*park)(struct kmcl_link *link, u64 save);
	int (*gpadl_map)(struct kmcl_link *link, u32 handle, bool write,
			 const struct kmcl_gpadl **gpadl);
	void (*gpadl_unmap)(struct kmcl_link *link, u32 handle);
};

/**
 * struct kmcl_link - an offer that a channel has accepted
 * @ops: the transport
 * @type: the offer's class
 * @instance: the offer's instance
 * @primary: of a sub-channel: the link of its primary, which stays as long; else NULL
 * @sub_index: of a sub-channel, from 1 on
 * @chan: the channel, from kmcl_offer_arrived() on
 * @cut: kmcl_offer_gone() has taken the rings from the core; set under kmcl_send.lock
 * @flushed: what was sent over it is complete; guarded by kmcl_send.flushing
 * @mmio_start: address of the offer's MMIO space; see kmcl_link_set_mmio()
 * @mmio_size: bytes of MMIO space, or 0; both guarded by the control lock
 * @send_bytes: set by @open where it is not as asked for: bytes of the outgoing
 *	ring's data
 * @device: of the offer, or NULL; set by the transport before it reports the offer
 * @target_cpu: set by @open: which processor the other end's signals come on, where that
 *	was asked for; else -1
 * @bounce_pages: set by @open where the other end must not see the memory of packets
 *	itself: how many pages of KMCL_WIRE_PAGE_SIZE bytes may be copied at once, at
 *	most; else 0
 * @external: packets in the core's hands whose memory is the other end's; the
 *	core calls wake_up_var() when there are none left
 */
struct kmcl_link {
	const struct kmcl_transport *ops;
	guid_t type;
	guid_t instance;
	struct kmcl_link *primary;
	u16 sub_index;
	struct kmcl_channel *chan;
	bool cut;
	bool flushed;
	u64 mmio_start;
	u64 mmio_size;
	u32 send_bytes;
	struct device *device;
	int target_cpu;
	u32 bounce_pages;
	atomic_t external;
};

int kmcl_transport_register(const struct kmcl_transport *ops);
void kmcl_transport_unregister(const struct kmcl_transport *ops);

void kmcl_link_init(struct kmcl_link *link, const struct kmcl_transport *ops,
		    const guid_t *type, const guid_t *instance);
void kmcl_link_destroy(struct kmcl_link *link);
bool kmcl_offer_wanted(const struct kmcl_transport *ops, const guid_t *type,
		       const guid_t *instance);
bool kmcl_offer_sub_wanted(const struct kmcl_link *primary, u16 index);
int kmcl_offer_arrived(struct kmcl_link *link);
bool kmcl_offer_held(const struct kmcl_transport *ops, const guid_t *type,
		     const guid_t *instance, bool others);
bool kmcl_offer_gone(struct kmcl_link *link);
void kmcl_device_arrived(const guid_t *type, const guid_t *instance);
void kmcl_device_gone(const guid_t *type, const guid_t *instance);
void kmcl_offer_closed(struct kmcl_link *link);
void kmcl_link_not_closed(struct kmcl_link *link);
void kmcl_link_set_mmio(struct kmcl_link *link, u64 start, u64 size);
bool kmcl_link_hang_up(struct kmcl_link *link);
void kmcl_transport_sleep(const struct kmcl_transport *ops);
void kmcl_offer_opened(struct kmcl_offer *offer, struct kmcl_link *link);
u64 kmcl_packet_written(struct kmcl_out *out);
void kmcl_data_ready(struct kmcl_link *link);

#endif
