/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the loopback transport share. */
#ifndef VMBKMCL_LOOPBACK_H
#define VMBKMCL_LOOPBACK_H

#include <linux/spinlock.h>
#include <linux/types.h>

#include "transport.h"
#include "wire.h"

/*
 * One direction. As on VMBus the indices count bytes of @data, and a ring never
 * gets full to the last byte. The sender owns @write and @pending, the receiver
 * all the rest.
 */
struct kmcl_lb_ring {
	spinlock_t lock;	/* one sender at a time */
	u8 *data;
	u32 size;
	u32 write;
	u32 pending;	/* the sender wants to know when there is more room than that */
	u32 read;
	u32 mask;	/* the receiver wants no signals */
	u32 at;		/* the next packet; from @read up to it all was read */
	u32 cur;	/* bytes of the packet at @at */
	u8 *copy;	/* of that packet, where the caller has no room for it */
};

int kmcl_lb_ring_init(struct kmcl_lb_ring *ring, u32 bytes);
void kmcl_lb_ring_destroy(struct kmcl_lb_ring *ring);

/* The sender's */
int kmcl_lb_ring_write(struct kmcl_lb_ring *ring, struct kmcl_out *out,
		       const void *data, bool opens, bool *signal);
void kmcl_lb_ring_want_room(struct kmcl_lb_ring *ring, u32 bytes);

/* The receiver's */
void kmcl_lb_ring_begin(struct kmcl_lb_ring *ring);
int kmcl_lb_ring_first(struct kmcl_lb_ring *ring, struct kmcl_wire *pkt);
int kmcl_lb_ring_next(struct kmcl_lb_ring *ring, struct kmcl_wire *pkt);
bool kmcl_lb_ring_commit(struct kmcl_lb_ring *ring);
bool kmcl_lb_ring_end(struct kmcl_lb_ring *ring);

/* loopback.c */
int kmcl_lb_init(void);
void kmcl_lb_exit(void);

#endif
