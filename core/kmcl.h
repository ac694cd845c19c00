/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the core share.
 *
 * The way out: VmbPacketSend() (packet_send.c) checks, external.c describes the
 * memory that goes along, kmcl_tx_submit() (send.c) writes to the ring or queues;
 * the routine runs from complete.c.
 * The way in: kmcl_data_ready() (receive.c) reads the ring, gives completions
 * to transaction.c and data to the client (deliver.c).
 * Everything that opens, closes, starts or stops a channel is one worker per
 * channel (control.c).
 * A server is a channel like others that makes an offer (server.c) instead of
 * waiting for one.
 */
#ifndef VMBKMCL_CORE_H
#define VMBKMCL_CORE_H

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/interrupt.h>
#include <linux/kref.h>
#include <linux/instruction_pointer.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/uuid.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "../transport/transport.h"
#include "../transport/wire.h"

#define KMCL_NAME_MAX	64

/* First word of every object that a caller knows by a handle. */
enum kmcl_tag {
	KMCL_TAG_CHANNEL  = 0x4c48434b,
	KMCL_TAG_PACKET   = 0x544b504b,
	KMCL_TAG_INCOMING = 0x4e49434b,
	KMCL_TAG_DEAD     = 0x4441454b,
};

/* What the Init functions set; frozen from VmbChannelEnable() on. */
struct kmcl_settings {
	u32 flags;
	u32 max_packet;
	u32 max_external;
	u32 max_chain;
	u32 client_context;
	u32 inline_context;
	u32 recv_pages;
	u32 send_pages;
	u32 bounce_initial;	/* bytes, as are the next two */
	u32 bounce_increment;
	u32 bounce_maximum;
	struct kmcl_channel *primary;	/* a reference is held */
	u16 sub_index;			/* among the sub-channels of @primary */
	bool has_target_cpu;
	u32 target_cpu;
	bool has_target;
	bool any_instance;
	guid_t type;
	guid_t instance;
	PFN_VMB_CHANNEL_PNP_FAILURE pnp_failure;
	PFN_VMB_CHANNEL_PROCESS_PACKET process_packet;
	PFN_VMB_CHANNEL_PROCESSING_COMPLETE processing_complete;
	u32 server_flags;
	PFN_VMB_CHANNEL_SAVE_PACKET save_packet;
	PFN_VMB_CHANNEL_RESTORE_PACKET restore_packet;
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS state;
	/* Those with a context: of each kind either these or the ones above are set. */
	PFN_VMB_CHANNEL_PROCESS_PACKET_EX process_packet_ex;
	PFN_VMB_CHANNEL_PROCESSING_COMPLETE_EX processing_complete_ex;
	PVOID process_context;
	PFN_VMB_CHANNEL_SAVE_PACKET_EX save_packet_ex;
	PFN_VMB_CHANNEL_RESTORE_PACKET_EX restore_packet_ex;
	PVOID save_context;
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 state_ex;
	bool named;
	char name[KMCL_NAME_MAX];
};

/* Events that a person would ask about. Written under no common lock. */
struct kmcl_counters {
	atomic64_t queued;	/* of these, how many had to wait for room */
	u64 received;		/* data packets delivered to the client, by one thread at a time */
	/* The next four are written by the reader alone. */
	u64 completed;		/* transactions that the other end completed */
	u64 completed_bytes;	/* of the payload of these completions */
	u64 late;		/* completions for transactions that were cancelled */
	u64 stray;		/* completions for no transaction at all */
	atomic64_t malformed;	/* packets stepped over: broken or too long */
	atomic64_t unknown;	/* packets stepped over: of a type not known */
	atomic64_t no_memory;	/* a packet had to wait in the ring for memory */
	atomic64_t throttled;	/* the share of a window was used up: a thread read on */
	atomic64_t pinned;	/* pages that the other end may still write to */
	atomic64_t unpinned;	/* the same, and nothing keeps them from being used */
	u64 reported;		/* of the refused ones; the worker's own, as is */
	u64 throttled_reported;	/* of those */
};

/*
 * How many transactions were open for less than 1 us, 2 us, 4 us and so on; the last for
 * all that were open for longer. Counted by the reader, while a person wants it.
 */
#define KMCL_LATENCIES	24

struct kmcl_latency {
	bool on;
	u64 count[KMCL_LATENCIES];
};

/*
 * Anything that goes out through the ring: a packet of the client's, or the
 * completion of an incoming one. @node is in kmcl_send.queue while it waits for room, or
 * in .held; its payload is then in @room, where no buffer of the caller's is needed.
 */
struct kmcl_tx {
	struct kmcl_out out;
	struct list_head node;
	void *room;
	NTSTATUS status;	/* of a packet that is over but not yet completed */
	bool queued;		/* not sent, in a list; guarded by kmcl_send.lock, as is */
	bool held;		/* that it is in kmcl_send.held */
};

/* What became of a kmcl_tx, and so whose it is. */
enum kmcl_tx_result {
	KMCL_TX_OVER,		/* in the ring, and done: the caller's */
	KMCL_TX_PENDING,	/* queued or waiting for its completion */
	KMCL_TX_FULL,		/* cannot go out at once: the caller's */
	KMCL_TX_GONE,		/* not at once, and not later: the caller's */
	KMCL_TX_UNFIT,		/* the transport has no such packets: the caller's */
	KMCL_TX_REFUSED,	/* the channel is being cleaned up: the caller's */
};

/* Completion routines that were put off, to be called by a tasklet; complete.c's. */
struct kmcl_deferred {
	spinlock_t lock;	/* guards the next two */
	bool on;		/* while the tasklet has some: others come behind them */
	struct list_head list;	/* of kmcl_packet.tx.node, oldest first */
	struct tasklet_struct tasklet;
	wait_queue_head_t idle;	/* woken when @on is cleared */
};

/*
 * Bounce buffers; bounce_map.c's. In pages of KMCL_WIRE_PAGE_SIZE bytes, written under
 * kmcl_send.lock but for what is said.
 */
struct kmcl_bounce {
	u32 limit;		/* mapped at once, at most */
	u32 added;		/* by VmbChannelAllocateBounceBuffer() */
	atomic_t pages;		/* mapped now; grows under the lock, sinks without */
	bool starved;		/* the first in the queue waits for some of them */
	u64 packets;		/* mapped so far */
	u64 waits;		/* how often the first in the queue had to wait for some */
};

/*
 * The transactions that are open: packets that wait for a completion; transaction.c's. The
 * lock is taken within kmcl_send.lock, or by itself.
 */
struct kmcl_transactions {
	char gap_before_lock[SMP_CACHE_BYTES];	/* senders and the reader write to all this */
	spinlock_t lock;	/* guards this structure */
	u64 last_id;
	struct kmcl_packet **open;	/* by id */
	u32 open_mask;
	u32 count;		/* in both tables */
	u32 cancelled;		/* transactions that the other end may yet complete */
	u32 old_mask;
	u32 old_next;		/* its first bucket that may not be empty */
	struct kmcl_packet **old;	/* the table that is being moved to @open, or NULL */
	struct work_struct grow;	/* more buckets for @open */
	char gap_behind[SMP_CACHE_BYTES];
};

/* Packets and completions written to the ring, and their payload. */
struct kmcl_sent {
	u64 packets;
	u64 bytes;
};

/* The sending side. */
struct kmcl_send {
	/*
	 * What senders look at without the lock, which it is written under: the link
	 * whose ring they may write to, as long as nothing waits before them. NULL: they
	 * take the lock. See kmcl_send_direct_begin().
	 */
	struct kmcl_link *direct;
	struct kmcl_sent __percpu *sent;
	struct kmcl_deferred deferred;	/* likewise looked at, and seldom used */

	char gap_before_lock[SMP_CACHE_BYTES];	/* see struct kmcl_recv */
	spinlock_t lock;	/* guards this structure; what is queued is written under it */
	bool writable;		/* the ring may be written to */
	bool dead;		/* the channel is being cleaned up: no more sends */
	bool broken;		/* the ring refused a packet for good */
	struct list_head queue;	/* of kmcl_tx, oldest first: they wait for room */
	/*
	 * Packets that wait until fewer are under way than @max_count, and what was sent
	 * behind them, but no completions: those the other end may be waiting for.
	 */
	struct list_head held;
	u32 queued;		/* how many, in both */
	u32 longest;		/* and the most that ever were */
	u32 wanting;		/* of @queue, packets that want a completion */
	u32 max_count;		/* VmbChannelInitSetMaximumPacketCount() */
	u32 ring_bytes;		/* of an open channel: no packet takes as much */
	bool takes_requests;	/* the channel is enabled, and is not going away */
	struct list_head requests;	/* of kmcl_request: their callers wait */
	struct tasklet_struct drain;	/* goes on with a queue that is long */
	struct delayed_work retry;	/* for hosts that do not signal room */
	u32 retry_ms;		/* how long the queue may stand still */
	struct work_struct hang_up;	/* @broken was set: link.c's, which closes */
	struct kmcl_bounce bounce;
	struct mutex flushing;	/* one flush at a time: the worker's or a rescind's */
};

/*
 * Whether the ring is read, and what becomes of data in it. Completions are taken
 * in every state in which the ring is read.
 *
 *	state		ring	data		next
 *	closed		unread	stays		open: the channel starts
 *	open		read	delivered	held: the channel is suspended
 *	held		read	put aside	discards: the channel is to close;
 *						closed: the client holds no packet
 *	discards	read	dropped		closed: likewise
 *
 * From each of them it is closed at once when the link is gone.
 * Only kmcl_recv_set_gate() changes it. A stream that has failed is not read any
 * more, whatever the state, until the channel is closed.
 */
enum kmcl_recv_gate {
	KMCL_RECV_CLOSED,
	KMCL_RECV_OPEN,
	KMCL_RECV_HELD,
	KMCL_RECV_DISCARDS,
};

/* No limit. */
#define KMCL_SHARE_ALL	100

/* How much the reader may take of a processor's time in softirq context; share.c's. */
struct kmcl_share {
	u8 percent;		/* VmbChannelSetAllowableDpcCpuUsage() */
	bool spent;		/* @work reads until the window is over; the reader's own, */
	u64 began;		/* as are the window's beginning, by local_clock(), */
	u64 used;		/* and the ns taken in it */
	struct work_struct work;	/* reads the ring in a thread */
};

/* Which limit keeps data that has arrived from the client. */
enum kmcl_stall {
	KMCL_STALL_NONE,
	KMCL_STALL_QUOTA,	/* it holds as much as it may */
	KMCL_STALL_PASSIVE,	/* too many packets wait for PASSIVE_LEVEL */
	KMCL_STALL_ANSWERS,	/* too many completions wait for room in the ring */
	KMCL_STALLS
};

/* What a call of ProcessPacket has left to do, where it has not completed its packet. */
enum kmcl_fate {
	KMCL_FATE_KEPT,		/* the client has it, or another thread has completed it */
	KMCL_FATE_DEFERRED,	/* it comes again, at PASSIVE_LEVEL */
	KMCL_FATE_ANSWERED,	/* completed, but the completion waits for room */
};

/*
 * The receiving side. In three parts, by who writes to them while packets come: nobody,
 * the reader, and those that complete packets. Where these are different processors
 * no part's cache line travels because of another; the gaps do that, for a channel in
 * the client's memory has any alignment.
 */
struct kmcl_recv {
	/* Settings, copied when the channel opens, and the like. */
	PFN_VMB_CHANNEL_PROCESS_PACKET process;	/* the client's, or what calls it */
	u32 max_len;		/* of a packet's payload, padding of the wire's included */
	u32 context;		/* bytes of the client's own in an incoming packet */
	bool is_pipe;
	bool is_plain;		/* neither that, nor has a client any @context */
	bool same_memory;	/* packets may come with memory of this kernel's */
	bool at_passive;	/* VmbChannelSetIncomingProcessingAtPassive() */
	int cpu;		/* of an open channel: where the tasklet is to run, or -1 */
	int quota;		/* how many packets may be outstanding */
	ssize_t limit;		/* how many @client_bytes there may be */
	u32 room;		/* bytes of a packet, headers included, that a spare has room for */
	u32 gpa_room;		/* of these, for headers that describe memory */
	u32 answer;		/* the longest completion that was longer than its packet */
	enum kmcl_recv_gate gate;	/* written under @lock, as are the next and @at_passive */
	bool failed;		/* the incoming stream is beyond repair */
	struct workqueue_struct *wq;	/* for @work alone; from the first opening on */

	char gap_before_reader[SMP_CACHE_BYTES];
	atomic_t readers;	/* calls of kmcl_receive_poll() to account for */
	u32 batches;		/* that the reader has ended, counted by it */
	/*
	 * The spare that the next packet is read into; the reader's own, as is what it
	 * is for: a packet that is over when ProcessPacket returns costs no lock.
	 */
	struct kmcl_incoming *hand;
	/* The next three are written by the thread that calls ProcessPacket. */
	struct kmcl_incoming *delivering;	/* with that, until it completes it itself */
	struct task_struct *deliverer;	/* runs ProcessPacket, or is interrupted by it */
	enum kmcl_fate fate;
	u64 delivered_bytes;	/* payload that it was called with; likewise */
	struct kmcl_share share;
	struct tasklet_struct tasklet;	/* reads the ring where no signal comes */
	atomic_t sent_there;	/* @there is on its way */
	struct __call_single_data there;	/* schedules the tasklet on @cpu */

	char gap_before_lock[SMP_CACHE_BYTES];
	spinlock_t lock;	/* guards everything below */
	bool clear;		/* nothing is in the way of a packet: kmcl_recv_changed() */
	bool stalled;		/* the reader left packets in the ring */
	u64 stalls[KMCL_STALLS];	/* how often, by the limit that it met */
	bool working;		/* @work may be in a callback of the client's */
	struct list_head spare;	/* kmcl_incoming, made when the channel opened */
	struct list_head passive;	/* kmcl_incoming to deliver at PASSIVE_LEVEL */
	struct work_struct work;	/* delivers @passive */
	u32 waiting;		/* packets in @passive, and the one taken from it */
	/*
	 * A packet that is completed while ProcessPacket still runs with it is taken out
	 * of these before it is counted in: below 0 until that returns.
	 */
	int outstanding;	/* packets delivered, not yet completed by the client */
	int held;		/* kmcl_incoming in use */
	ssize_t bytes;		/* of those in use that are no spares */
	ssize_t client_bytes;	/* of these, with packets that are not completed */
	wait_queue_head_t idle;	/* woken when one of those waited for is over */
	char gap_behind[SMP_CACHE_BYTES];
};

/* The predicates below are looked at with and without the lock. */
static inline bool kmcl_recv_reads(const struct kmcl_recv *recv)
{
	/* What the reader uses was made before: pairs with kmcl_recv_set_gate(). */
	return smp_load_acquire(&recv->gate) != KMCL_RECV_CLOSED &&
	       !READ_ONCE(recv->failed);
}

static inline bool kmcl_recv_is_open(const struct kmcl_recv *recv)
{
	return READ_ONCE(recv->gate) == KMCL_RECV_OPEN;
}

static inline bool kmcl_recv_discards(const struct kmcl_recv *recv)
{
	return READ_ONCE(recv->gate) == KMCL_RECV_DISCARDS;
}

enum kmcl_state {
	KMCL_DISABLED,
	KMCL_ENABLED,	/* waits for an offer */
	KMCL_OPENED,	/* open, paused */
	KMCL_ACTIVE,
};

/* Why that changes. */
enum kmcl_why {
	KMCL_WHY_ENABLE,
	KMCL_WHY_OFFER,		/* one was taken: of a server, by a client */
	KMCL_WHY_START,
	KMCL_WHY_PAUSE,
	KMCL_WHY_PRIMARY_PAUSE,
	KMCL_WHY_DISABLE,
	KMCL_WHY_GONE,		/* the other end */
	KMCL_WHY_BROKEN,	/* the outgoing ring cannot be used any more */
	KMCL_WHY_SLEEP,		/* the guest hibernates */
	KMCL_WHY_FAILED,	/* it could not be opened */
};

/* What the worker waits for: watchdog.c has it in words. */
enum kmcl_step {
	KMCL_STEP_NONE,
	KMCL_STEP_OPEN,
	KMCL_STEP_OPENED,
	KMCL_STEP_STARTED,
	KMCL_STEP_POST_STARTED,
	KMCL_STEP_PROCESS,
	KMCL_STEP_SUSPEND,
	KMCL_STEP_HELD,
	KMCL_STEP_ROUTINES,
	KMCL_STEP_CLOSE,
	KMCL_STEP_ANSWERS,
	KMCL_STEP_CLOSED,
	KMCL_STEP_GPADLS,
	KMCL_STEP_PNP_FAILURE,
	KMCL_STEP_SUBS_CLOSE,
	KMCL_STEP_SUBS_PAUSE,
};

struct kmcl_change {
	u64 at;			/* by local_clock(), as the lines in the log have it */
	u8 state;		/* the new one, of enum kmcl_state */
	u8 why;
};

/* So many changes of its state are remembered. */
#define KMCL_CHANGES	16

/* What was asked of the channel and how far its worker has got. */
struct kmcl_control {
	spinlock_t lock;	/* guards this structure and kmcl_settings */
	enum kmcl_state state;	/* written by the worker only, by kmcl_state_set() */
	u32 n_changes;		/* of it so far; the last ones are in */
	struct kmcl_change changes[KMCL_CHANGES];	/* by their number */
	bool want_enabled;
	bool want_paused;
	bool primary_paused;	/* as @want_paused, and for a sub-channel only */
	struct kmcl_link *link;	/* the accepted offer */
	bool link_used;		/* the worker has begun to open it */
	bool link_gone;
	bool closing;		/* EvtChannelClosed is due or running */
	bool reopen;		/* enabled anew while @closing */
	bool cancelled;		/* disabled: what is still to be sent is over */
	bool stays_wanted;	/* when it has closed it waits for an offer again */
	bool busy;		/* EvtChannelPnpFailure is due: another driver holds it */
	bool busy_noted;	/* and is due once for each time it is enabled */
	u64 asked;		/* requests so far */
	u64 done;		/* requests that the worker has dealt with */
	wait_queue_head_t wait;	/* for @done */
	struct work_struct work;
	struct task_struct *task;	/* the worker, while it runs */
	enum kmcl_step step;	/* what it waits for, */
	unsigned long step_began;	/* since when, in jiffies, */
	struct delayed_work watchdog;	/* and what says so */
	u32 patience_ms;	/* after that long */
	bool returns;		/* it was open before: the worker's own, as are the next two */
	u32 watching;		/* transports that watch for the channel */
	u32 tried;		/* these and those that failed */
};

/* The memory that the other end knows by a handle. */
struct kmcl_gpadls {
	/*
	 * Read-held while the link is used for a GPADL, write-held to set @link or
	 * to take it away.
	 */
	struct rw_semaphore gate;
	struct kmcl_link *link;	/* guarded by @gate; NULL if there is none */
	spinlock_t lock;	/* guards the lists */
	struct list_head list;	/* of kmcl_gpadl */
	struct list_head maps;	/* of kmcl_gpadl_mapping: a server's */
};

/*
 * Whether a server is being saved. While it is nothing is written to the ring, so that
 * what is saved as unsent has not been sent.
 *
 *	phase	next
 *	none	taking: VmbChannelSaveBegin()
 *	taking	done: the last chunk was handed out; none: it fails, VmbChannelSaveEnd(),
 *		or the channel is started, opened or closed
 *	done	none: the channel is started or disabled, or the connection closes that
 *		was saved. Another client may come and go meanwhile.
 *
 * Only save.c changes it, by kmcl_save_stop() where it is not the save's own progress.
 */
enum kmcl_save_phase {
	KMCL_SAVE_NONE,
	KMCL_SAVE_TAKING,
	KMCL_SAVE_DONE,
};

/* What only servers have. */
struct kmcl_server {
	bool claimed;		/* its offer's name is taken; under the control lock */
	struct list_head node;	/* in server.c's list while @claimed */
	struct kmcl_offer offer;	/* filled in while @claimed */
	struct kmcl_pipe_device *pipe;	/* by which user space opens it; the worker's own */
	struct mutex save_lock;	/* guards all below */
	struct kmcl_save *save;	/* from VmbChannelSaveBegin() to ...End() */
	enum kmcl_save_phase phase;
	u64 save_id;		/* number of the save, unless there is none */
	bool saved_open;	/* the connection is part of that save */
	struct kmcl_restore *restore;	/* what VmbChannelRestoreFromBuffer() got */
};

/* What a packet has room for. */
struct kmcl_packet_shape {
	u32 gpa;		/* bytes of headers when it describes memory */
	u32 pipe;		/* bytes that precede the payload in pipe mode */
	u32 payload;
	u32 context;		/* bytes of the client's own, behind it */
};

/* Packet objects of the library's. */
struct kmcl_packets {
	struct kmcl_packet_shape shape;	/* of new ones; written under the control lock */
	char gap_before_lock[SMP_CACHE_BYTES];
	spinlock_t lock;	/* guards what is below */
	struct kmcl_packet *spare;	/* for VmbPacketAllocate(); of that shape */
	u32 spares;
	u32 max_spares;
	u32 changes;		/* of the shape so far */
	u32 out;		/* that clients have: together they hold a reference */
};

/*
 * A primary and its sub-channels; subchannel.c's. All of it, and kmcl_settings.primary,
 * is guarded by kmcl_subs_lock.
 */
struct kmcl_subs {
	struct list_head list;	/* of kmcl_channel.sub.node: those whose primary this is */
	bool open;		/* they may be enabled */
	bool paused;		/* and are not to start yet */
	wait_queue_head_t wait;	/* woken when one of them has done what it was asked for */
};

struct kmcl_sub {
	struct list_head node;	/* in the primary's kmcl_subs.list */
	bool enabled;		/* from VmbChannelEnable() until it is disabled again */
	u64 ticket;		/* the primary's last request, if it waits for that */
	bool is_one;		/* for good, even if its primary is cleaned up */
};

/* Its folder in debugfs. @name is for good: it takes part in the names of others. */
struct kmcl_debug {
#ifdef CONFIG_DEBUG_FS
	struct dentry *dir;
	struct list_head node;
	char name[KMCL_NAME_MAX + 12];
#endif
};

struct kmcl_channel {
	u32 tag;
	bool is_server;
	bool in_callers_memory;		/* see VmbChannelInitialize() */
	struct kref ref;
	struct completion unused;	/* the last reference is gone */
	struct device *parent;
	void *pointer;
	struct list_head node;		/* in offer.c's list while enabled */
	struct kmcl_settings set;
	struct kmcl_control ctl;
	struct kmcl_send send;
	struct kmcl_transactions trans;
	struct kmcl_recv recv;
	struct kmcl_gpadls gpadls;
	struct kmcl_server server;
	struct kmcl_subs subs;
	struct kmcl_sub sub;
	struct kmcl_counters count;
	guid_t instance;	/* for trace events: its target, or what it has opened */
	struct kmcl_latency latency;
	struct kmcl_debug debug;
	struct kmcl_spare_rings spare_rings;	/* the control worker's */
	char gap_before_link[SMP_CACHE_BYTES];
	struct kmcl_link *link;		/* stable while send.writable or a callback can come */

	struct kmcl_packets packets;
};

enum kmcl_packet_state {
	KMCL_PACKET_IDLE,
	KMCL_PACKET_BUSY,	/* from a send to its completion routine */
};

/* VMBPACKET. Its room for these headers, the payload and the client's context follows it. */
struct kmcl_packet {
	u32 tag;
	atomic_t state;
	struct kmcl_channel *chan;
	u32 max_len;		/* bytes of payload that it may be sent with */
	bool allocated;		/* from VmbPacketAllocate() */
	bool abandoned;		/* its sender has given up; it is freed when it is over */
	/* Where it is NULL the next one is, with its context. */
	PFN_VMB_PACKET_COMPLETION_ROUTINE routine;
	PFN_VMB_PACKET_COMPLETION_ROUTINE_EX routine_ex;
	PVOID routine_context;
	void *pointer;
	struct kmcl_tx tx;
	struct kmcl_packet *next;	/* in its bucket of kmcl_transactions, or a spare */
	u64 sent_at;		/* of a transaction: kmcl_timing_now() when it was opened */
	unsigned long opened;	/* of a transaction: when, in jiffies */
	struct kmcl_packet_shape shape;
	u32 changes;		/* kmcl_packets.changes when it was made, if @allocated */
	u64 room[];
};

/* Bytes of a packet object. */
static inline u32 kmcl_packet_size(const struct kmcl_packet_shape *shape)
{
	return sizeof(struct kmcl_packet) + shape->gpa +
	       ALIGN(shape->pipe + shape->payload, sizeof(u64)) +
	       ALIGN(shape->context, sizeof(u64));
}

enum kmcl_incoming_state {
	KMCL_INCOMING_IDLE,	/* not delivered yet */
	KMCL_INCOMING_DELIVERED,
	KMCL_INCOMING_TAKEN_BACK,	/* completed, failed or deferred */
};

/*
 * VMBPACKETCOMPLETION. The client's context and the room for a packet follow it; the room
 * becomes that of the completion, should it have to wait.
 */
struct kmcl_incoming {
	u32 tag;
	atomic_t state;
	struct kmcl_channel *chan;
	struct kmcl_wire pkt;	/* and where its room is */
	bool spare;		/* goes back to kmcl_recv.spare */
	bool external;		/* kmcl_link.external counts it: it has the sender's memory */
	u32 bytes;		/* of this object in kmcl_recv.bytes; 0 for a spare */
	PMDL mdl;		/* of that memory, once the client has asked for it */
	struct list_head node;	/* in kmcl_recv.spare or .passive */
	struct kmcl_tx tx;	/* its completion */
	u64 context[];
};

/* channel.c */
void kmcl_bad_handle(unsigned long caller, const char *what);

/*
 * A handle is a pointer that the caller might have got wrong. The tag tells a
 * foreign or freed object from a live one in most cases, which turns a silent
 * corruption into a status and a line in the log. Always inline, as are the other
 * two of this kind: _RET_IP_ is in the client then, not in the public function.
 */
static __always_inline struct kmcl_channel *
kmcl_channel_from_handle(VMBCHANNEL handle)
{
	struct kmcl_channel *chan = (struct kmcl_channel *)handle;

	if (likely(chan && chan->tag == KMCL_TAG_CHANNEL))
		return chan;
	kmcl_bad_handle(_RET_IP_, "channel");
	return NULL;
}

void kmcl_channel_get(struct kmcl_channel *chan);
void kmcl_channel_put(struct kmcl_channel *chan);
const char *kmcl_channel_name(const struct kmcl_channel *chan);

static inline VMBCHANNEL kmcl_channel_handle(struct kmcl_channel *chan)
{
	return (VMBCHANNEL)chan;
}

/* settings.c */
void kmcl_settings_init(struct kmcl_settings *set);
void kmcl_settings_link_params(const struct kmcl_settings *set,
			       struct kmcl_link_params *p);
void kmcl_settings_packet_shape(const struct kmcl_settings *set,
				struct kmcl_packet_shape *shape);
void kmcl_packets_init(struct kmcl_channel *chan);

static inline bool kmcl_settings_is_pipe(const struct kmcl_settings *set)
{
	return READ_ONCE(set->flags) & VMBUS_CHANNEL_INIT_FLAG_IS_PIPE ||
	       READ_ONCE(set->server_flags) &
	       VMBUS_SERVER_CHANNEL_INIT_FLAG_OFFER_AS_PIPE;
}

bool kmcl_init_lock(struct kmcl_channel *chan, unsigned long *flags);
NTSTATUS kmcl_init_unlock(struct kmcl_channel *chan, unsigned long flags,
			  bool may);

/* complete.c */
void kmcl_turns_init(void);

/* transaction.c */
int kmcl_timing_get(void);
void kmcl_timing_put(void);

/* object.c: the worker, and the queues */
u64 kmcl_control_ask(struct kmcl_channel *chan);
void kmcl_control_set_closing(struct kmcl_channel *chan);
bool kmcl_control_is_worker(struct kmcl_channel *chan);
bool kmcl_control_is_self(struct kmcl_channel *chan);
bool kmcl_control_is_disabled(const struct kmcl_channel *chan);
bool kmcl_control_closes(struct kmcl_channel *chan);
int kmcl_workqueues_create(void);
void kmcl_workqueues_destroy(void);
extern struct workqueue_struct *kmcl_control_wq;
extern struct workqueue_struct *kmcl_server_wq;
extern struct workqueue_struct *kmcl_sub_wq;
extern struct workqueue_struct *kmcl_server_sub_wq;
extern struct workqueue_struct *kmcl_deliver_wq;

NTSTATUS kmcl_status_from_errno(int error);

/* A line that names the channel, for a person who has to act. */
#define kmcl_warn(chan, fmt, ...) \
	pr_warn("%s: " fmt, kmcl_channel_name(chan), ##__VA_ARGS__)
#define kmcl_warn_ratelimited(chan, fmt, ...) \
	pr_warn_ratelimited("%s: " fmt, kmcl_channel_name(chan), ##__VA_ARGS__)

/*
 * A line for a client's author, where the status alone does not tell what is wrong with a
 * parameter: in the public function, as its caller is named. A debug message, which is
 * nothing but where the kernel's dynamic debug turns it on; the suites are built with all.
 */
#define kmcl_explain(status, fmt, ...)					\
({									\
	pr_debug_ratelimited("%pS: " fmt "\n", (void *)_RET_IP_, ##__VA_ARGS__); \
	(status);							\
})

#endif
