/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stress: two threads, each with a random series of operations of its own, on
 * both ends of many loopback channels; and a model of what has to come of it.
 *
 * A lane is a channel with its two ends. In a calm lane the ends stay connected
 * for the whole round, so that not one packet may be lost. In a wild one either end
 * may be disabled at any time: then what was under way may be lost, but never come
 * twice, late, or changed, and each packet completes once. In half of both kinds
 * the server is saved and restored, of which nobody is to notice anything.
 *
 * All decisions come from the seed: what a thread does from its own generator, two
 * draws for each operation; what becomes of a packet from its name.
 */
#ifndef VMBKMCL_KUNIT_STRESS_H
#define VMBKMCL_KUNIT_STRESS_H

#include <kunit/test.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>

#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#define STRESS_THREADS	2
#define STRESS_SLOTS	64	/* packets under way of one thread at one end */
#define STRESS_MEMORIES	4	/* of which so many can have memory with them */
#define STRESS_MEMORY	8192
#define STRESS_HELD	24	/* incoming packets that an end completes later */
#define STRESS_GPADLS	3
#define STRESS_WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION

#define STRESS_MAGIC	0x73747273
/* In the place of a thread's number: a packet whose order nobody knows. */
#define STRESS_UNORDERED	STRESS_THREADS

/* How each packet's payload begins. */
struct stress_msg {
	u32 magic;
	u32 source;		/* the thread that sent it, or STRESS_UNORDERED */
	u32 seq;		/* its name: counted from 1 for each source */
	u32 len;		/* of all the payload */
	u32 memory;		/* bytes of memory with it */
	u32 write;		/* which the receiver is to write to */
};

/* The payload of a completion: the packet's name. */
struct stress_answer {
	u32 source;
	u32 seq;
	u64 check;
};

enum stress_slot_state {
	STRESS_FREE,
	STRESS_SENT,
	STRESS_DONE,		/* its routine is running */
	STRESS_SAVED,		/* with the server, not yet restored */
};

/* An outgoing packet. */
struct stress_slot {
	struct stress_end *end;
	u32 index;		/* among the end's, of all threads */
	atomic_t state;
	bool saved;		/* part of a save; under the end's lock */
	bool again;		/* to be sent once more by its routine */
	struct stress_msg msg;
	bool wait;
	void *memory;
	PMDL mdl;
	u32 offset;		/* of what was sent, in @memory */
};

struct stress_held {
	VMBPACKETCOMPLETION handle;
	struct stress_msg msg;
};

struct stress_gpadl {
	void *memory;		/* NULL: no GPADL */
	u32 bytes;
	UINT32 handle;
	bool read_only;
};

struct stress_end {
	struct stress_lane *lane;
	struct stress_end *peer;
	bool is_server;
	/* Held for writing while a server is replaced by its successor. */
	struct rw_semaphore use;
	VMBCHANNEL channel;

	/* What it sends: each thread has a part. */
	u32 sent[STRESS_THREADS];
	struct stress_slot slots[STRESS_THREADS * STRESS_SLOTS];

	/* What it receives: ProcessPacket's own. */
	u32 received[STRESS_THREADS];
	bool fresh[STRESS_THREADS];	/* nothing came since it was opened */
	struct stress_msg deferred;	/* comes again next, if it has a name */
	atomic_t in_process;

	/* Guards the two below, and the slots' @saved. Taken in softirqs. */
	spinlock_t lock;
	struct stress_held held[STRESS_HELD];
	u32 n_held;

	/* State callbacks. */
	atomic_t in_state;
	u32 last_state;
};

struct stress_lane {
	struct stress_run *run;
	u32 index;
	bool calm;
	bool saves;
	bool ending;
	GUID type;
	GUID instance;
	u32 max_packet;
	u32 ring_pages;
	struct stress_end client;
	struct stress_end server;
	/* Held while the server has a GPADL mapped: it closes behind that. */
	struct mutex map_lock;
	/* Guards the client's GPADLs, also while one is deleted. */
	struct mutex gpadls_lock;
	struct stress_gpadl gpadls[STRESS_GPADLS];
	u32 last_gpadl;
};

struct stress_counts {
	atomic64_t delivered, completed, removed, requests, deferrals, again,
		   pauses, disables, gpadls, maps, saves, packets_saved;
};

struct stress_thread {
	struct stress_run *run;
	u32 index;
	u64 random;
	u32 ops;		/* done */
	const char *op;		/* being done, on the next two */
	u32 lane;
	bool server;
	void *scratch;
	struct task_struct *task;
	struct completion done;
};

struct stress_run {
	u64 seed;
	u32 operations;
	unsigned long deadline;
	u32 n_lanes;
	struct stress_lane *lanes;
	struct stress_thread threads[STRESS_THREADS];
	struct stress_thread completer;
	bool stop;
	struct stress_counts count;
	/* Rules that were broken: how many, and the first in words. */
	atomic_t faults;
	char fault[160];
	struct mutex save_lock;	/* guards @saved */
	void *saved;		/* room for one save */
};

#define STRESS_SAVED_BYTES	(2 << 20)

/* A well mixed number from another. */
static inline u64 stress_mix(u64 x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

static inline u64 stress_draw(struct stress_thread *thread)
{
	thread->random += 0x9e3779b97f4a7c15;
	return stress_mix(thread->random);
}

/* What a packet's fate and contents are drawn from. */
static inline u64 stress_name(const struct stress_end *from,
			      const struct stress_msg *msg)
{
	return stress_mix(((u64)msg->source << 32 | msg->seq) ^
			  (u64)(from->lane->index * 2 + from->is_server) << 48);
}

/* test.c */
__printf(2, 3) void stress_fault(struct stress_end *end, const char *format, ...);

/* lane.c */
NTSTATUS stress_channel_create(struct stress_end *end);
int stress_lane_init(struct stress_lane *lane);
void stress_lane_destroy(struct stress_lane *lane);
void stress_heal(struct stress_end *end);
bool stress_is_active(const struct stress_end *end);

/* receive.c */
VOID stress_process(VMBCHANNEL channel, VMBPACKETCOMPLETION handle, PVOID buffer,
		    UINT32 len, UINT32 flags);
u32 stress_complete_held(struct stress_end *end, u64 draw);
bool stress_answers(const struct stress_msg *msg, const void *buffer, u32 len);

/* send.c */
void stress_fill(void *words, u32 bytes, u64 name);
bool stress_filled(const void *words, u32 bytes, u64 name);
bool stress_send(struct stress_thread *thread, struct stress_end *end, u64 draw,
		 bool memory);
void stress_request(struct stress_thread *thread, struct stress_end *end, u64 draw);
void stress_routine(VMBPACKET packet, NTSTATUS status, PVOID buffer, UINT32 len);

/* shared.c */
void stress_gpadl_create(struct stress_lane *lane, u64 draw);
void stress_gpadl_delete(struct stress_lane *lane, u64 draw);
void stress_gpadl_map(struct stress_lane *lane, u64 draw);
void stress_gpadls_delete_all(struct stress_lane *lane);

/* save.c */
void stress_save(struct stress_end *server, u64 draw);
NTSTATUS stress_save_packet(VMBCHANNEL channel, VMBPACKET packet, PVOID buffer,
			    UINT32 size, PUINT32 needed);
NTSTATUS stress_restore_packet(VMBCHANNEL channel, PVOID lib, UINT32 lib_size,
			       PVOID saved, UINT32 saved_size);

/* operations.c */
void stress_operate(struct stress_thread *thread);

#endif
