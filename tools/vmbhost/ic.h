/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hyper-V's integration services: what they have in common on the wire, as Linux'
 * hyperv.h and hv_util.c make it public, and what ic.c does for each of them. Numbers are
 * little endian.
 */
#ifndef VMBHOST_IC_H
#define VMBHOST_IC_H

#include "behaviour.h"

struct ic_pipe {
	u32 type;
	u32 size;		/* of what follows */
} __packed;

#define IC_PIPE_DATA		1

struct ic_version {
	u16 major;
	u16 minor;
} __packed;

enum ic_type {
	IC_NEGOTIATE = 0,
	IC_HEARTBEAT = 1,
	IC_SHUTDOWN = 3,
	IC_TIMESYNC = 4,
};

#define IC_TRANSACTION		1	/* it has an answer */
#define IC_REQUEST		2
#define IC_RESPONSE		4

#define IC_FAILED		0x80004005u

struct ic_head {
	struct ic_version framework;
	u16 type;
	struct ic_version version;
	u16 size;		/* of what follows */
	u32 status;
	u8 transaction;
	u8 flags;
	u16 reserved;
} __packed;

_Static_assert(sizeof(struct ic_head) == 20, "a header as Linux reads it");

/* Versions of the framework, then those of the service: of each at most five here. */
#define IC_MAX_VERSIONS		5

struct ic_negotiate {
	u16 frameworks;
	u16 services;
	u32 reserved;
	struct ic_version versions[2 * IC_MAX_VERSIONS];
} __packed;

struct ic_heartbeat {
	u64 sequence;		/* one more in the answer */
	u32 state;		/* of the guest's applications, in the answer */
	u32 reserved[7];
} __packed;

#define IC_MAX_STATE		3

#define IC_SHUTDOWN_FORCE	1
#define IC_SHUTDOWN_RESTART	2
#define IC_SHUTDOWN_HIBERNATE	4

struct ic_shutdown {
	u32 reason;
	u32 timeout_s;
	u32 flags;
	u8 message[2048];
} __packed;

#define IC_TIME_SYNC		1	/* the guest should take it over */
#define IC_TIME_SAMPLE		2

/* Times are counted in 100 ns from 1601 on. */
struct ic_time {
	u64 host;
	u64 guest;
	u64 round_trip;
	u8 flags;
} __packed;

/* Since version 4.0. */
struct ic_time_reference {
	u64 host;
	u64 reference;		/* the guest's reference counter at that moment */
	u8 flags;
	u8 leap;
	u8 stratum;
	u8 reserved[5];
} __packed;

enum ic_stage { IC_STAGE_VERSIONS, IC_STAGE_READY, IC_STAGE_REFUSED };

/* What an open channel knows. */
struct ic {
	enum ic_stage stage;
	struct ic_version framework, version;
	u8 last;		/* the transaction that was begun last */
	struct {
		bool open;
		bool lied;	/* any answer will do */
		u16 type;
		u64 sequence;	/* of a heartbeat */
	} asked[256];		/* by transactions */
	u64 sequence;
	u32 state;		/* of the guest's applications */
	struct {
		u64 asked, answered, refused, lies;
	} count;
};

/* The behaviour comes first: it leads to the service. */
struct ic_service {
	struct behaviour behaviour;
	struct ic_version versions[IC_MAX_VERSIONS];	/* rising, up to 0.0 */
	u64 interval;		/* ms, where the offer has none; 0: it does nothing by itself */
	/* Versions are agreed upon. */
	void (*ready)(struct channel *chan);
	/* What is wrong with an answer, or NULL. */
	const char *(*answered)(struct channel *chan, u8 transaction, const void *body, u32 len);
};

static inline const struct ic_service *ic_service(const struct channel *chan)
{
	return (const struct ic_service *)chan->offer->behaviour;
}

extern const struct ic_service service_heartbeat;
extern const struct ic_service service_shutdown;
extern const struct ic_service service_timesync;

/* The next request; the transaction's number. */
u8 ic_request(struct channel *chan, u16 type, const void *body, u32 len);
void ic_opened(struct channel *chan);
void ic_packet(struct channel *chan, struct packet *pkt);
void ic_closed(struct channel *chan);

/* Commands. */
void ic_power_off(struct offer *offer);
void ic_restart(struct offer *offer);
void ic_hibernate(struct offer *offer);

#endif /* VMBHOST_IC_H */
