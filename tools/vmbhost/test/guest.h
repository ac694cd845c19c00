/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest of the step by step tests, and what they have to say.
 */
#ifndef VMBHOST_TEST_GUEST_H
#define VMBHOST_TEST_GUEST_H

#include "bus.h"
#include "channel.h"
#include "log.h"
#include "machine.h"
#include "scenario.h"

#define RING_PAGES		4
#define RINGS_GPADL(relid)	(0x100 + (relid))

/* A test has a process of its own, with its own offers. */
struct test {
	const char *name;
	void (*run)(void);
};

/* Each ends with a name that is NULL. */
extern const struct test tests_dynmem[];
extern const struct test tests_ic[];
extern const struct test tests_silence[];
extern const struct test tests_storage[];
extern const struct test tests_tricks[];

extern int log_fd;
extern u32 failures;

#define EXPECT(that)	expect(that, #that, __FILE__, __LINE__)

void expect(bool ok, const char *what, const char *file, int line);

/* How many messages of this type the host has sent; @last is the last one. */
u32 heard_of(u32 type, void *last, u32 len);
/* How many lines of the log have these words. */
u32 logged(const char *one, const char *other);
u32 violations(void);

/* Until the host has nothing more to do for the moment. */
void settle(void);
void say(const void *msg, u32 len);
void say_channel(u32 type, u32 relid);
void connect_bus(void);
void disconnect_bus(void);

struct channel *primary(const char *name);
/* The rings' GPADL, in one message or two. */
void give_rings(u32 relid, bool two);
/* A buffer of one page. */
void give_buffer(u32 relid, u32 handle);
void take_back(u32 relid, u32 handle);
void open_channel(u32 relid);
void close_channel(u32 relid);
struct channel *opened(const char *name);
void withdraw_and_release(const char *name);

void guest_writes(struct channel *chan, u16 type, u16 flags, u64 id);
/* The same with what lies between header and payload, and a payload; and the host looks. */
void guest_sends_payload(struct channel *chan, u16 type, u16 flags, u64 id, const void *extra,
			 u32 extra_len, const void *payload, u32 len);
/* And the host looks. */
void guest_sends(struct channel *chan, u16 type, u16 flags, u64 id);
void guest_reads_all(struct channel *chan);
/* The packet that the host has just written, which began there. */
struct packet_header written(struct channel *chan, u32 begin);

#endif /* VMBHOST_TEST_GUEST_H */
