/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The VMBus server: its messages, offers, channels, GPADLs.
 */
#ifndef VMBHOST_BUS_H
#define VMBHOST_BUS_H

#include "loop.h"
#include "offer.h"
#include "proto.h"
#include "ranges.h"

struct channel;
struct vm;

#define BUS_MAX_RELIDS		2048

struct bus {
	struct vm *vm;
	struct offer *offers;
	u32 max_version;
	bool log_packets;

	/* What the guest has negotiated; 0: not connected. */
	u32 version;
	u32 target_vp;
	u64 monitor_page;	/* from the guest to us */
	bool offers_requested;

	struct channel *channels[BUS_MAX_RELIDS];
	u32 last_relid;
	struct gpadl *gpadls;
};

extern struct bus bus;

/* bus.c */
void bus_start(struct vm *vm);
/* A message from the guest; from a processor's thread. Returns HV_STATUS_*. */
u64 bus_post(u32 connection, const void *payload, u32 len);
/* The same, in the bus' thread. */
void bus_handle(const void *msg, u32 len);
void bus_send(const void *msg, u8 len);
/* The guest broke a rule: counted nowhere, said in the log. */
void bus_violation(struct channel *chan, const char *what);
void bus_reset(void);

/* gpadl.c */
struct gpadl {
	struct gpadl *next;
	u32 handle;
	u32 relid;
	/* As they came, in order; complete when @have is @bytes. */
	u8 *raw;
	u32 bytes;
	u32 have;
	u16 range_count;
	struct ranges ranges;
	bool rings; /* it came before the opening */
	bool in_use; /* the rings of an open channel */
};

void gpadl_header(const struct msg_gpadl_header *msg, u32 len);
void gpadl_body(const struct msg_gpadl_body *msg, u32 len);
void gpadl_teardown(const struct msg_gpadl_teardown *msg);
/* NULL if there is none, it is another channel's, or it is not complete. */
struct gpadl *gpadl_find(u32 relid, u32 handle);
void gpadl_drop_all(u32 relid);

#endif /* VMBHOST_BUS_H */
