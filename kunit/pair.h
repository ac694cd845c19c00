/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two ends of a loopback channel, through the public API: each is a struct client
 * and notes what it is told.
 */
#ifndef VMBKMCL_KUNIT_PAIR_H
#define VMBKMCL_KUNIT_PAIR_H

#include "client.h"

/* What all ends of a pair are made for. */
#define PAIR_MAX_PACKET		1024
#define PAIR_MAX_EXTERNAL	65536
#define PAIR_MAX_CHAIN		4

struct pair {
	struct kunit *test;
	GUID type;
	GUID instance;
	struct client *client;
	struct client *server;
	struct client *ends[16];		/* these two, and more of a case's */
	u32 n_ends;
};

struct pair *pair_create(struct kunit *test);
struct client *pair_new_client(struct pair *pair);
struct client *pair_new_server(struct pair *pair);
struct client *pair_new_sub(struct pair *pair, struct client *primary, u16 index);
void pair_enable(struct client *end);
void pair_up(struct pair *pair);
void pair_send(struct client *from, u64 first, u32 len);
void pair_fill(void *buffer, u64 first, u32 len);
bool pair_filled(const void *buffer, u64 first, u32 len);

/* Waits for the callbacks of an end, in words, until the last has returned. */
#define PAIR_EVENTS(end, text) do {					\
	EVENTUALLY((end)->test, !strcmp((end)->events, text) &&		\
				!atomic_read(&(end)->in_state));	\
	CLIENT_EXPECT(end, text);					\
} while (0)

#endif
