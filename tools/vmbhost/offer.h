/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Offers: what the user asked for, and the channels that come of it.
 */
#ifndef VMBHOST_OFFER_H
#define VMBHOST_OFFER_H

#include "disk.h"
#include "loop.h"
#include "proto.h"

struct behaviour;
struct channel;
struct trick_kind;

#define OFFER_MAX_SUBS		64
#define OFFER_MAX_TRICKS	8
#define OFFER_MAX_DISKS		8

/* Something hostile, and when. */
struct trick {
	const struct trick_kind *kind;
	u64 after;	/* packets from the guest before the first time */
	u64 every;	/* then at every so many packets */
	u64 ms;		/* or so often, from the opening on */
	u64 times;	/* 0: for ever */
	u64 burst;	/* so many each time; 0: one */
	u64 size;	/* for those that have a size */
};

/* Where in an opening an offer is withdrawn. */
enum offer_point { POINT_NONE, POINT_GPADL, POINT_GPADL_BODY, POINT_OPEN };

enum offer_refuse { REFUSE_NONE, REFUSE_RINGS, REFUSE_BUFFERS, REFUSE_ALL };

/* What unit 0 says of who it is, once its offer has come back. */
enum offer_names { NAMES_TOLD, NAMES_NONE, NAMES_EMPTY, NAMES_BUSY, NAMES_SILENT };

struct offer {
	struct offer *next;

	/* As configured; see scenario.c for the names. */
	char name[32];
	struct guid type;
	struct guid instance;
	u16 mmio;
	u16 flags;
	bool pipe;
	u32 pipe_mode;
	bool dedicated;
	u32 monitor;		/* 0: none, else the id + 1 */
	u32 subs;
	u8 user[OFFER_USER_BYTES];
	u64 delay;		/* ms after the guest asked for offers */
	bool hidden;		/* only offered on command */
	u32 open_status;
	u64 open_delay;		/* ms from the opening to its answer */
	enum offer_refuse gpadl_refuse;
	u32 gpadl_status;
	u64 rescind_packets;
	u64 rescind_ms;
	enum offer_point rescind_at;
	u32 silent;		/* a bit for each of enum silence */
	u64 silences;		/* so often; 0: for ever */
	u64 rescinds;		/* 0: for ever */
	bool rescind_subs;	/* only the sub-channel that it happens on */
	bool reoffer;
	u64 reoffer_ms;
	u64 reoffers;		/* 0: for ever */
	const struct behaviour *behaviour;
	struct {
		u64 count, size, rate, window, interval, seed;
		bool completion;	/* the source asks for them */
		bool transfer_pages;
		bool write;		/* external data is written back */
		bool read;		/* the silent one reads its ring */
		/* storage: us until the guest is told, at random on top of that */
		u64 io_delay, io_reorder;
		u64 io_fail, io_short, io_lose;	/* at every so many reads and writes */
		u64 io_stall, io_stall_after; /* ms, once, after so many on a channel */
		u64 detach, attach_ms;	/* reads and writes of unit 1; until @attach is there */
		u16 io_version;		/* the highest, STORAGE_VERSION() */
		u64 balloon, balloon_ms; /* dynmem: MB that it takes, and for how long */
		u64 ic_lies;		/* one after every so many requests */
		u64 ic_interval;	/* ms from one request of a service to the next */
		u16 ic_version;		/* the highest, major << 8 | minor; 0: any */
	} set;
	struct disk disks[OFFER_MAX_DISKS];
	u32 disk_count;
	struct disk attach;	/* takes the place of unit 1, */
	struct disk exchange;	/* and this that of unit 0, while the offer is away */
	enum offer_names names;
	struct trick tricks[OFFER_MAX_TRICKS];
	u32 trick_count;

	/* As it is. */
	struct channel *primary;
	struct channel *sub[OFFER_MAX_SUBS];
	u32 sub_count;		/* so many of them are there, or come back */
	struct timer timer;	/* the offer, or its return */
	u64 rescinded;
	u64 reoffered;
	u64 openings;
	u64 kept_silent;
	u64 stalled_until;	/* us; 0: it has not stalled yet */
	u64 unit_moved;		/* reads and writes of unit 1 */
	u64 names_asked;	/* of unit 0, so often, while it was busy */
	struct timer attaching;
	bool honest;		/* told to be silent no more */
	bool there;		/* when the connection ended: the next one has it at once */
	bool wanted;		/* asked for while the last one was not yet released */
};

/* Fills in what was not said. */
void offer_add(struct offer *offer);
struct offer *offer_by_name(const char *name);
/* The guest wants to know what there is. */
void offer_all(void);
void offer_now(struct offer *offer);
void offer_subs(struct offer *offer);
void offer_rescind_subs(struct offer *offer);
void offer_rescind(struct offer *offer);
/* It has happened on @chan. As configured: not if it was so often already. */
bool offer_withdraw(struct channel *chan);
/* The guest got so far with opening @chan: true if it has come for nothing. */
bool offer_withdraw_at(struct channel *chan, enum offer_point point);
/* The guest has let go of a channel that was rescinded. */
void offer_released(struct channel *chan);
void offer_reset_all(void);

#endif /* VMBHOST_OFFER_H */
