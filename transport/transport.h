/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The seam between the core and what carries its packets.
 *
 * A transport finds offers and moves packets; it knows nothing of packet
 * objects or their callbacks. The core knows nothing of the transport's own
 * channel. One accepted offer is one struct kmcl_link, embedded in the
 * transport's private structure.
 */
#ifndef VMBKMCL_TRANSPORT_H
#define VMBKMCL_TRANSPORT_H

#include <linux/completion.h>
#include <linux/types.h>
#include <linux/uuid.h>

struct kmcl_channel;
struct kmcl_link;
struct kmcl_wire;
struct module;

/**
 * struct kmcl_link_params - what the core asks of a link when it opens it
 * @send_bytes: size of the outgoing ring, its control page included
 * @recv_bytes: size of the incoming ring, its control page included
 * @max_packet: largest payload of a packet, either way
 */
struct kmcl_link_params {
	u32 send_bytes;
	u32 recv_bytes;
	u32 max_packet;
};

/**
 * struct kmcl_transport - what a transport does for the core
 * @name: for log lines
 * @owner: held while any channel watches for this transport's offers
 * @watch: report the offers of a type, those present and those to come, with
 *	kmcl_offer_arrived(). -EBUSY: it watches, but the offer is held by
 *	somebody else. -ENODEV: there is no such bus here. May sleep.
 * @unwatch: undo one watch. May sleep.
 * @open: make the rings and tell the other end. kmcl_data_ready() may be called
 *	before it returns. May sleep.
 * @close: the opposite; after it no callback comes and the other end no
 *	longer touches memory of ours. May sleep.
 * @release: the core is done with the offer and never uses the link again.
 *	May sleep.
 * @send: write one packet to the ring, now or not at all. 0, -EAGAIN (no
 *	room), or another error if no packet can be sent any more. The caller
 *	serializes; any context up to softirq, interrupts may be off.
 * @want_room: ask for kmcl_data_ready() once a packet with that many bytes of
 *	payload has room, or take that back. Ordered before the next @send. Same
 *	contexts as @send.
 * @recv_begin: mask the other end's signals and start to read. The caller
 *	serializes all recv operations, in softirq context.
 * @recv_first: the packet at the head of the ring, as a private copy. 1: there
 *	is one, 0: the ring is empty, -EBADMSG: a packet to be stepped over,
 *	-EPROTO: the ring cannot be parsed any further.
 * @recv_next: step over the packet last returned, then as @recv_first.
 * @recv_commit: give what was stepped over back to the other end.
 * @recv_end: unmask the signals; true if packets arrived meanwhile.
 */
struct kmcl_transport {
	const char *name;
	struct module *owner;

	int (*watch)(const guid_t *type, const guid_t *instance);
	void (*unwatch)(const guid_t *type);

	int (*open)(struct kmcl_link *link, const struct kmcl_link_params *p);
	void (*close)(struct kmcl_link *link);
	void (*release)(struct kmcl_link *link);

	int (*send)(struct kmcl_link *link, u16 type, u16 flags, u64 id,
		    const void *data, u32 len);
	void (*want_room)(struct kmcl_link *link, bool wanted, u32 len);

	void (*recv_begin)(struct kmcl_link *link);
	int (*recv_first)(struct kmcl_link *link, struct kmcl_wire *pkt);
	int (*recv_next)(struct kmcl_link *link, struct kmcl_wire *pkt);
	void (*recv_commit)(struct kmcl_link *link);
	bool (*recv_end)(struct kmcl_link *link);
};

/**
 * struct kmcl_link - an offer that a channel has accepted
 * @ops: the transport
 * @type: the offer's class
 * @instance: the offer's instance
 * @chan: the channel, from kmcl_offer_arrived() on
 * @detached: completed when the core has closed the link
 */
struct kmcl_link {
	const struct kmcl_transport *ops;
	guid_t type;
	guid_t instance;
	struct kmcl_channel *chan;
	struct completion detached;
};

int kmcl_transport_register(const struct kmcl_transport *ops);
void kmcl_transport_unregister(const struct kmcl_transport *ops);

void kmcl_link_init(struct kmcl_link *link, const struct kmcl_transport *ops,
		    const guid_t *type, const guid_t *instance);
void kmcl_link_destroy(struct kmcl_link *link);
int kmcl_offer_arrived(struct kmcl_link *link);
bool kmcl_offer_gone(struct kmcl_link *link);
void kmcl_data_ready(struct kmcl_link *link);

#endif
