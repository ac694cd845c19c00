/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What an operation costs, beside the same thing done with hv_vmbus alone: on rings of
 * the same size, with a host that does nothing meanwhile. Where the processor's time stamp
 * counter counts instructions (scripts/bench) the figures are exact; elsewhere they
 * only show that the operations work.
 */
#ifndef VMBKMCL_KUNIT_BENCH_H
#define VMBKMCL_KUNIT_BENCH_H

#include <kunit/test.h>
#include <linux/timex.h>

#include "client.h"

#define BENCH_OPERATIONS	64u	/* timed in one piece, unless said otherwise */
#define BENCH_MAX_BYTES		8192u
#define BENCH_RING_PAGES	512u
#define BENCH_WAIT		VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION

struct bench {
	struct kunit *test;
	struct host *host;
	struct client *client;
	struct vmbus_channel raw;
	struct page **raw_send_pages;
	struct page **raw_recv_pages;
	u8 *payload;			/* BENCH_MAX_BYTES, behind a pipe's header */
	u8 *answer;			/* likewise, for what hv_vmbus alone receives */
	VMBPACKET *packets;
	u32 n_packets;
	u32 done;			/* completion routines that have run */
	u32 received;			/* packets that were delivered */
	bool answers;			/* the other end wants a completion */
	bool pipe;			/* what comes in has a pipe's header */
	PMDL mdl;			/* of an external operation, with memory of its own */
	u32 pages;			/* likewise, of each MDL */
	struct task_struct **steady;	/* whose allocations steady_test.c counts */
};

/* Does @n operations; returns how many ticks they took. */
typedef u64 (*bench_fn)(struct bench *b, u32 bytes, u32 n);

struct bench *bench_create(struct kunit *test, u32 flags);
struct bench *bench_create_bounced(struct kunit *test);
void bench_packets(struct bench *b, VMBCHANNEL channel, u32 n);
void bench_packets_free(struct bench *b);
void bench_chain_free(struct bench *b);
void bench_run(struct bench *b, const char *name, u32 bytes, bench_fn raw, bench_fn kmcl);
void bench_run_n(struct bench *b, const char *name, u32 bytes, u32 n, bench_fn raw,
		 bench_fn kmcl);
void bench_sizes(struct bench *b, const char *name, bench_fn raw, bench_fn kmcl);
void bench_complete_all(struct bench *b);
u64 bench_read_completions(struct bench *b);
void bench_empty(struct vmbus_channel *channel);
void bench_rings_empty(struct bench *b);
void bench_write(struct bench *b, struct vmbus_channel *channel, u16 type, u16 flags, u64 id,
		 u32 bytes, u32 n);
void bench_raw_request(struct bench *b, u32 bytes, u32 n);
VOID bench_routine(VMBPACKET packet, NTSTATUS status, PVOID buffer, UINT32 len);

extern bool bench_stepping;
void bench_step_on(void);
void bench_step_off(void);
bool bench_is_wanted(const char *name, u32 bytes);
void bench_profile(struct bench *b, const char *name, u32 bytes, u32 n, const char *way,
		   bench_fn fn, u64 ticks);

/* Around what is timed, and nothing else is between the two time stamps. */
static inline u64 bench_begin(void)
{
	if (unlikely(bench_stepping))
		bench_step_on();
	return get_cycles();
}

static inline u64 bench_end(u64 begin)
{
	u64 end = get_cycles();

	if (unlikely(bench_stepping))
		bench_step_off();
	return end - begin;
}

#endif
