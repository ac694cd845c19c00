/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The bus thread's loop: descriptors that become readable, and timers. All of
 * VMBus is done there, so nothing of it needs a lock.
 */
#ifndef VMBHOST_LOOP_H
#define VMBHOST_LOOP_H

#include "vmbhost.h"

struct loop_fd {
	int fd;
	void (*ready)(void *arg);
	void *arg;
};

struct timer {
	u64 due;	/* 0: not set */
	void (*fire)(void *arg);
	void *arg;
	struct timer *next;
};

/* @watch stays the caller's, and where it is, until loop_forget(). */
void loop_watch(struct loop_fd *watch);
void loop_forget(struct loop_fd *watch);

/* Fires once, in the loop; setting it again moves it. */
void timer_set(struct timer *timer, u64 us);
void timer_clear(struct timer *timer);

void loop_run(void) __noreturn;
/* One turn of it, which waits so long at most (-1: as long as it takes); any event? */
bool loop_turn(int wait_ms);

/* Reads an event descriptor empty. */
u64 loop_drain(int fd);

#endif /* VMBHOST_LOOP_H */
