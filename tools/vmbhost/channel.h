/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A channel: offered, opened, used, closed, rescinded.
 */
#ifndef VMBHOST_CHANNEL_H
#define VMBHOST_CHANNEL_H

#include "bus.h"
#include "offer.h"
#include "ring.h"

enum channel_state { CHANNEL_OFFERED, CHANNEL_OPEN, CHANNEL_RESCINDED };

/* A packet that came from the guest; all of it is a private copy. */
struct packet {
	u16 type;
	u16 flags;
	u64 id;
	u8 *payload;
	u32 len;
	struct ranges ranges;	/* of a GPA-direct packet */
};

/* Messages that silence.c keeps. */
struct unanswered;

/* Packets to the guest that found no room. */
struct waiting;

struct channel {
	struct offer *offer;
	u16 sub;
	u32 relid;
	enum channel_state state;
	u32 vp;
	u32 open_id;
	struct gpadl *gpadl;
	u64 *ring_pfns;

	struct loop_fd signal;
	struct ring in;		/* from the guest */
	struct ring out;	/* to it */
	bool closing;		/* the guest has closed it, and the host keeps it open */
	bool broken;		/* what the guest sends makes no sense any more */
	struct waiting *waiting, **waiting_end;
	u32 waiting_count;
	struct timer poll;	/* looks at the rings although nobody signalled */
	struct timer pace;	/* the behaviour's own */
	struct timer rescind;
	struct timer answer;	/* to the opening, where that comes late */
	void *priv;		/* the behaviour's, freed when the channel closes */

	struct hostile *hostile;
	struct unanswered *unanswered;

	struct {
		u64 received, received_bytes, wanted, completed;
		u64 sent, sent_bytes, completions;
		u64 written, hostile; /* into the ring to the guest: all, by tricks */
		u64 external_bytes, signals_in, signals_out, full, violations, tricks;
		u32 received_crc, sent_crc, completion_crc;
	} count;
};

struct channel *channel_find(u32 relid);
struct channel *channel_offer(struct offer *offer, u16 sub);
void channel_open(struct channel *chan, const struct msg_open *msg);
/* By the guest. */
void channel_close_asked(struct channel *chan, const struct msg_channel *msg);
void channel_close(struct channel *chan, const char *why);
void channel_rescind(struct channel *chan);
/* It is gone for good: its number may come again. */
void channel_free(struct channel *chan);
u32 channel_gpadl_status(struct channel *chan);
void channel_account(struct channel *chan);

/* data.c: packets */
void channel_poll(void *chan);
void channel_complete(struct channel *chan, const struct packet *pkt, const void *payload,
		      u32 len);
void channel_send(struct channel *chan, u16 flags, u64 id, const void *payload, u32 len);
/* A packet of any type; @extra lies between header and payload, in whole 8 bytes. */
void channel_send_raw(struct channel *chan, struct packet_header *head, const void *extra,
		      u32 extra_len, const void *payload, u32 len);
void channel_signal(struct channel *chan);
void channel_drop_waiting(struct channel *chan);

#endif /* VMBHOST_CHANNEL_H */
