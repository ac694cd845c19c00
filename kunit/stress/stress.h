/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stress: two threads, each with a random series of operations of its own, on
 * both ends of many loopback channels; and a model of what has to come of it.
 *
 * A lane is a channel with its two ends. In a calm lane the ends stay connected
 * for the whole round, so that not one packet may be lost. In a wild one either end
 * may be disabled at any time: then what was under way may be lost, but never come
 * twice, late, or changed, and each packet completes once. In half of both kinds
 * the server is saved and restored, of which nobody is to notice anything. Half of
 * both kinds are pipes, where the exact length of each packet arrives.
 *
 * In a wild lane an end fails some packets as malformed. Nothing is delivered to it
 * behind such a packet, and none of its own packets is completed by the other end,
 * until the next operation on the lane disables it and enables it again.
 *
 * In one operation of eight an allocation fails in each call of the thread's. The call
 * may say so, if it needed it; then nothing has happened, and nothing is lost. No send
 * needs any.
 *
 * A packet's memory is decided in pieces, and what is around them stays as it was. A
 * packet object may be in the sender's own memory, which is freed, overwritten or used
 * again from the completion routine on.
 *
 * What a lane is besides is drawn from the seed: how many packets of an end may be with
 * the other one at once, whether its callbacks and routines have a context, and how many
 * bytes of the sender's own are in each packet object, which have to stay as they were.
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
#define STRESS_CHAIN	4	/* MDLs */
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

/* How memory is told of. */
enum stress_way {
	STRESS_BY_PAGES,	/* the numbers of all its pages */
	STRESS_BY_CHAIN,	/* a chain of MDLs */
	STRESS_BY_PART,		/* the same, from an offset on */
	STRESS_BY_FORCE,	/* one MDL, and the rest of its last page */
	STRESS_WAYS,
};

struct stress_piece {
	u32 at;			/* in the memory */
	u32 bytes;
};

/* Memory for a packet. */
struct stress_memory {
	void *bytes;
	PMDL mdls[STRESS_CHAIN];
	u32 n_mdls;
	enum stress_way way;
	u32 offset;		/* in the chain */
	u32 length;
	struct stress_piece pieces[STRESS_CHAIN];	/* what is sent, in order */
	u32 n_pieces;
	u32 sent;		/* bytes of all pieces */
};

/* Where a packet object is, and what becomes of that memory behind its routine. */
enum stress_packet_kind {
	STRESS_ALLOCATED,	/* the channel's */
	STRESS_OWN_FREED,	/* the sender's */
	STRESS_OWN_POISONED,
	STRESS_OWN_KEPT,	/* sent again without being initialized again */
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
	struct stress_memory memory;
	enum stress_packet_kind kind;
	void *own;		/* memory for a packet object, or NULL */
	VMBCHANNEL own_of;	/* in it is a packet object of that channel */
};

struct stress_held {
	VMBPACKETCOMPLETION handle;
	bool fails;		/* it is to be failed, not completed */
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
	u32 packet_bytes;	/* of its packet objects */

	/* What it sends: each thread has a part. */
	u32 sent[STRESS_THREADS];
	struct stress_slot slots[STRESS_THREADS * STRESS_SLOTS];

	/* What it receives: ProcessPacket's own. */
	u32 received[STRESS_THREADS];
	bool fresh[STRESS_THREADS];	/* nothing came since it was opened */
	struct stress_msg deferred;	/* comes again next, if it has a name */
	atomic_t in_process;
	/*
	 * How often it was opened; at which of these it has failed a packet; how many
	 * calls may have been on their way then. @stopped until it is disabled for that.
	 */
	u32 opens;
	u32 failed_at;
	atomic_t on_their_way;
	bool stopped;

	/* Guards the two below, and the slots' @saved. Taken in softirqs. */
	spinlock_t lock;
	struct stress_held held[STRESS_HELD];
	u32 n_held;
	atomic_t letting_go;	/* taken from @held, and not yet completed or failed */

	/* State callbacks. */
	atomic_t in_state;
	u32 last_state;
};

struct stress_lane {
	struct stress_run *run;
	u32 index;
	bool calm;
	bool saves;
	bool pipe;
	bool ending;
	GUID type;
	GUID instance;
	u32 max_packet;
	u32 ring_pages;
	u32 max_count;		/* packets under way of either end; 0: no limit */
	u32 own_bytes;		/* of the sender's in each packet object */
	bool contexts;		/* callbacks with a context */
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
		   pauses, disables, gpadls, maps, saves, packets_saved,
		   failed, chains, parts, forced, own, exact, failures, refusals;
};

struct stress_thread {
	struct stress_run *run;
	u32 index;
	u64 random;
	u32 ops;		/* done */
	u32 fail_nth;		/* allocation of a call, 0 for none */
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
	bool settling;		/* the threads are back: no packet is failed any more */
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

/* model.c */
__printf(2, 3) void stress_fault(struct stress_end *end, const char *format, ...);
void stress_fill(void *words, u32 bytes, u64 name);
bool stress_filled(const void *words, u32 bytes, u64 name);
struct stress_answer stress_answer_to(const struct stress_msg *msg);
bool stress_answers(const struct stress_msg *msg, const void *buffer, u32 len);
void stress_check_context(struct stress_end *end, const void *context);
void stress_note_failed(struct stress_end *end, u32 opens, u32 on_their_way);
bool stress_is_behind_failure(struct stress_end *end);
void stress_fail_begin(const struct stress_thread *thread);
bool stress_fail_end(struct stress_thread *thread, NTSTATUS status);

/* memory.c */
int stress_memory_init(struct stress_memory *mem);
void stress_memory_destroy(struct stress_memory *mem);
u32 stress_memory_draw(struct stress_memory *mem, u64 draw, u64 name);
NTSTATUS stress_memory_send(struct stress_memory *mem, VMBPACKET packet, void *payload,
			    u32 len);
bool stress_memory_is(struct stress_memory *mem, u64 name);
bool stress_memory_received(const struct stress_msg *msg, PMDL mdl, u64 name);

/* packet.c */
VMBPACKET stress_packet_get(struct stress_slot *slot);
void stress_packet_check(struct stress_slot *slot, VMBPACKET packet);
void stress_packet_put(struct stress_slot *slot, VMBPACKET packet);

/* lane.c */
NTSTATUS stress_channel_create(struct stress_end *end);
int stress_lane_init(struct stress_lane *lane);
void stress_lane_destroy(struct stress_lane *lane);
void stress_heal(struct stress_end *end);
bool stress_is_active(const struct stress_end *end);

/* receive.c */
VOID stress_process(VMBCHANNEL channel, VMBPACKETCOMPLETION handle, PVOID buffer,
		    UINT32 len, UINT32 flags);
VOID stress_process_ex(VMBCHANNEL channel, PVOID context, VMBPACKETCOMPLETION handle,
		       PVOID buffer, UINT32 len, UINT32 flags);
u32 stress_complete_held(struct stress_end *end, u64 draw);

/* send.c */
bool stress_send(struct stress_thread *thread, struct stress_end *end, u64 draw,
		 bool memory);
void stress_request(struct stress_thread *thread, struct stress_end *end, u64 draw);
void stress_routine(VMBPACKET packet, NTSTATUS status, PVOID buffer, UINT32 len);
void stress_routine_ex(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buffer,
		       UINT32 len);

/* shared.c */
void stress_gpadl_create(struct stress_thread *thread, struct stress_lane *lane, u64 draw);
void stress_gpadl_delete(struct stress_lane *lane, u64 draw);
void stress_gpadl_map(struct stress_thread *thread, struct stress_lane *lane, u64 draw);
void stress_gpadls_delete_all(struct stress_lane *lane);

/* save.c */
void stress_save(struct stress_thread *thread, struct stress_end *server, u64 draw);
NTSTATUS stress_save_packet(VMBCHANNEL channel, VMBPACKET packet, PVOID buffer,
			    UINT32 size, PUINT32 needed);
NTSTATUS stress_restore_packet(VMBCHANNEL channel, PVOID lib, UINT32 lib_size,
			       PVOID saved, UINT32 saved_size);
NTSTATUS stress_save_packet_ex(VMBCHANNEL channel, PVOID context, VMBPACKET packet,
			       PVOID buffer, UINT32 size, PUINT32 needed);
NTSTATUS stress_restore_packet_ex(VMBCHANNEL channel, PVOID context, PVOID lib,
				  UINT32 lib_size, PVOID saved, UINT32 saved_size);

/* operations.c */
void stress_operate(struct stress_thread *thread);

#endif
