/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A client for the tests: it notes what it is told and in which context, so
 * that a case can look at it afterwards.
 */
#ifndef VMBKMCL_KUNIT_CLIENT_H
#define VMBKMCL_KUNIT_CLIENT_H

#include <kunit/test.h>
#include <linux/delay.h>

#include "eventually.h"
#include "host.h"
#include "../core/kmcl.h"

#define CLIENT_PACKETS	256

enum client_event {
	CLIENT_OPENED = 1,
	CLIENT_STARTED,
	CLIENT_POST_STARTED,
	CLIENT_SUSPEND,
	CLIENT_CLOSED,
	CLIENT_PNP_FAILURE,
};

struct client_packet {
	VMBPACKETCOMPLETION handle;
	bool kept;		/* the client has yet to complete it */
	u32 len;
	u32 flags;
	u64 first;		/* 8 bytes of payload */
	const u8 *buffer;	/* valid while it is kept */
	bool atomic;		/* delivered in softirq context */
};

struct client {
	struct kunit *test;
	VMBCHANNEL channel;

	/* State callbacks: in order, and whether all could sleep. */
	char events[512];
	u32 n_events;
	bool state_atomic;
	bool state_nested;
	bool state_out_of_order;
	enum client_event last_state;
	atomic_t in_state;
	NTSTATUS pnp_status;
	NTSTATUS opened_status;	/* what EvtChannelOpened is to return */
	void (*on_event)(struct client *client, enum client_event event);

	/* Incoming packets. */
	bool keep;		/* do not complete them */
	bool echo;		/* complete them with their own payload */
	u32 defer;		/* how many deliveries to defer to passive */
	/* True: this has seen to the packet itself. */
	bool (*on_packet)(struct client *client, VMBPACKETCOMPLETION handle,
			  void *buffer, u32 len);
	void *private;		/* a case's own */
	bool is_server;
	struct client_packet packets[CLIENT_PACKETS];
	atomic_t n_packets;
	atomic_t in_process;
	bool process_nested;
	u32 batches;
	u32 batched;		/* sum of PacketsProcessed */

	void *memory[128];	/* of packets; freed behind the channel */
	u32 n_memory;
};

/* An outgoing packet in memory of the test's own, and what became of it. */
struct client_done {
	VMBPACKET packet;
	void (*again)(struct client_done *done);	/* called by the routine */
	atomic_t calls;
	NTSTATUS status;
	u32 len;
	u64 first;
	u32 order;
};

struct client *client_create_end(struct kunit *test, bool is_server);
struct client *client_create(struct kunit *test, struct host *host);
void client_enable(struct client *client);
struct client_done *client_packet(struct client *client);
NTSTATUS client_send(struct client_done *done, const void *data, u32 len,
		     u32 flags);
VOID client_pnp_failure(VMBCHANNEL channel, NTSTATUS status);
void client_callbacks(VMB_CHANNEL_STATE_CHANGE_CALLBACKS *callbacks);
void client_routine(VMBPACKET packet, NTSTATUS status, PVOID buffer, UINT32 len);
u32 client_packets(struct client *client);
void client_complete(struct client *client, u32 n, const void *buffer, u32 len);

/* Statuses are numbers with the top bit set: shown as such when they differ. */
#define EXPECT_STATUS(test, call, status) \
	KUNIT_EXPECT_EQ(test, (u32)(call), (u32)(status))
#define ASSERT_STATUS(test, call, status) \
	KUNIT_ASSERT_EQ(test, (u32)(call), (u32)(status))

/* The callbacks so far, in words, each followed by a blank. */
#define CLIENT_EXPECT(client, text) \
	KUNIT_EXPECT_STREQ((client)->test, (client)->events, text)

#define UP	"opened started post-started "
#define DOWN	"suspend closed "

static inline u32 client_events(struct client *client)
{
	/* Pairs with the release in client_event(): the event has been noted. */
	return smp_load_acquire(&client->n_events);
}

static inline int client_calls(struct client_done *done)
{
	return atomic_read(&done->calls);
}

static inline struct kmcl_channel *client_chan(struct client *client)
{
	return (struct kmcl_channel *)client->channel;
}

/*
 * What a driver cannot see. Cases observe a channel as its driver and the other end
 * do: by statuses, callbacks, and what is in the ring. Beyond that they look inside
 * it here and nowhere else, for
 *
 * - the counters, which are there to be looked at;
 * - how far another thread has got, so that a case goes on at the moment it is about;
 * - what is left behind: transactions, objects, ids;
 *
 * and they set how long the queue stands still, and where the ring is read.
 */

/* Any thread counts, or one at a time: u64 or atomic64_t. */
#define client_count(client, name) \
	READ_ONCE(*(const u64 *)&client_chan(client)->count.name)

/* Packets and completions written to the ring, which each processor counts. */
static inline u64 client_sent(struct client *client)
{
	struct kmcl_sent __percpu *sent = client_chan(client)->send.sent;
	u64 sum = 0;
	int cpu;

	if (sent)
		for_each_possible_cpu(cpu)
			sum += READ_ONCE(per_cpu_ptr(sent, cpu)->packets);
	return sum;
}

static inline enum kmcl_state client_state(struct client *client)
{
	return READ_ONCE(client_chan(client)->ctl.state);
}

/* Enabled, or to be; false as soon as Disable has been asked for. */
static inline bool client_is_wanted(struct client *client)
{
	return READ_ONCE(client_chan(client)->ctl.want_enabled);
}

/* It has accepted an offer. */
static inline bool client_has_link(struct client *client)
{
	return READ_ONCE(client_chan(client)->ctl.link);
}

/* Packets are delivered: neither Pause nor Disable has begun. */
static inline bool client_receives(struct client *client)
{
	return kmcl_recv_is_open(&client_chan(client)->recv);
}

/* Nothing is about to read the ring. */
static inline bool client_reader_rests(struct client *client)
{
	return !READ_ONCE(client_chan(client)->recv.tasklet.state);
}

/* Packets that were read, and wait for PASSIVE_LEVEL or are being delivered there. */
static inline u32 client_waiting(struct client *client)
{
	return READ_ONCE(client_chan(client)->recv.waiting);
}

/* Incoming packets whose objects are in use, completions on their way out included. */
static inline int client_held(struct client *client)
{
	return READ_ONCE(client_chan(client)->recv.held);
}

/* The next incoming packet needs no memory. */
static inline bool client_has_spares(struct client *client)
{
	struct kmcl_recv *recv = &client_chan(client)->recv;

	return READ_ONCE(recv->hand) || !list_empty_careful(&recv->spare);
}

/* How many such packets there may be. Called while none comes or goes. */
static inline u32 client_spares(struct client *client)
{
	struct kmcl_recv *recv = &client_chan(client)->recv;
	struct list_head *node;
	u32 n = !!recv->hand;

	list_for_each(node, &recv->spare)
		n++;
	return n;
}

/* A synchronous request has begun. */
static inline bool client_is_asking(struct client *client)
{
	return !list_empty_careful(&client_chan(client)->send.requests);
}

static inline u32 client_open_transactions(struct client *client)
{
	return READ_ONCE(client_chan(client)->trans.count);
}

/* How large the table of open transactions is. */
static inline u32 client_transaction_buckets(struct client *client)
{
	return READ_ONCE(client_chan(client)->trans.open_mask) + 1;
}

/* The last id that a transaction had. */
static inline u64 client_last_id(struct client *client)
{
	return READ_ONCE(client_chan(client)->trans.last_id);
}

/* How long the queue stands still until the ring is tried without a signal. */
static inline void client_set_retry(struct client *client, u32 ms)
{
	client_chan(client)->send.retry_ms = ms;
}

/* Reads the ring here and now. Called with bottom halves off. */
static inline void client_read(struct client *client)
{
	kmcl_data_ready(client_chan(client)->link);
}

#endif
