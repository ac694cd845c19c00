/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets and memory, out and in: what control may call. Nothing here knows of
 * control.h.
 */
#ifndef VMBKMCL_DATA_H
#define VMBKMCL_DATA_H

#include <linux/jump_label.h>
#include <linux/ktime.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>

#include "kmcl.h"
#include "trace.h"

/* trace.c */
void kmcl_trace_sent(const struct kmcl_channel *chan, struct kmcl_tx *tx);
void kmcl_trace_queued(const struct kmcl_channel *chan, struct kmcl_tx *tx);
void kmcl_trace_answer(const struct kmcl_incoming *inc, u32 len);
void kmcl_trace_fetched(const struct kmcl_channel *chan, const struct kmcl_wire *wire);
struct kmcl_packet *kmcl_trace_answered(struct kmcl_packet *pkt, u32 len);

/* packet.c */
static __always_inline struct kmcl_packet *
kmcl_packet_from_handle(VMBPACKET handle)
{
	struct kmcl_packet *pkt = (struct kmcl_packet *)handle;

	if (likely(pkt && pkt->tag == KMCL_TAG_PACKET))
		return pkt;
	kmcl_bad_handle(_RET_IP_, "packet");
	return NULL;
}

static inline struct kmcl_wire_gpa *kmcl_packet_gpa(struct kmcl_packet *pkt)
{
	return (struct kmcl_wire_gpa *)pkt->room;
}

/* packet.c */
void kmcl_packet_abandon(struct kmcl_packet *pkt);
struct kmcl_packet *kmcl_packet_alloc(struct kmcl_channel *chan, gfp_t gfp);

/* From here to its completion routine the packet is the library's. */
static inline NTSTATUS kmcl_packet_take(struct kmcl_packet *pkt)
{
	/* Was the packet made before the channel became a pipe, or ceased to be one? */
	if (pkt->shape.pipe != READ_ONCE(pkt->chan->packets.shape.pipe))
		return STATUS_INVALID_DEVICE_STATE;
	if (!READ_ONCE(pkt->routine) && !READ_ONCE(pkt->routine_ex))
		return STATUS_INVALID_DEVICE_STATE;

	/* Pairs with the release before the last send's completion routine. */
	if (atomic_cmpxchg_acquire(&pkt->state, KMCL_PACKET_IDLE,
				   KMCL_PACKET_BUSY) != KMCL_PACKET_IDLE)
		return STATUS_INVALID_DEVICE_STATE;
	return STATUS_SUCCESS;
}

/* packet_send.c */
void kmcl_packet_drop_memory(struct kmcl_packet *pkt);
NTSTATUS kmcl_packet_return(struct kmcl_packet *pkt, NTSTATUS status);
NTSTATUS kmcl_packet_request(struct kmcl_packet *pkt, const void *buffer, u32 len, PMDL mdl,
			     u32 flags, bool may_wait, enum kmcl_tx_result *result);

/* At most one of them says which way the data goes. */
#define KMCL_FORMAT_ONE_WAY	(VMBUS_CHANNEL_FORMAT_FLAG_DATA_IN_ONLY |	\
				 VMBUS_CHANNEL_FORMAT_FLAG_DATA_OUT_ONLY)

/* External memory is the other end's until its completion, which must be asked for. */
static inline bool kmcl_flags_valid(u32 flags, bool external)
{
	if (external && !(flags & VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION))
		return false;
	/* Most sends have that flag alone, or none. */
	if (likely(!(flags & ~VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION)))
		return true;
	return !(flags & ~VMBUS_CHANNEL_FORMAT_FLAGS) &&
	       (flags & KMCL_FORMAT_ONE_WAY) != KMCL_FORMAT_ONE_WAY;
}

/* request.c */
void kmcl_requests_on(struct kmcl_channel *chan);
void kmcl_requests_off(struct kmcl_channel *chan);

/* external.c */
enum kmcl_external_error {
	KMCL_EXTERNAL_OK,
	KMCL_EXTERNAL_MEMORY,	/* no memory, not locked, or beyond the limits */
	KMCL_EXTERNAL_OFFSET,
	KMCL_EXTERNAL_LENGTH,
};

enum kmcl_external_error kmcl_external_whole(struct kmcl_packet *pkt, PMDL mdl);
enum kmcl_external_error kmcl_external_mdl(struct kmcl_packet *pkt, PMDL mdl,
					   u32 offset, u32 length, bool force);
enum kmcl_external_error kmcl_external_pfns(struct kmcl_packet *pkt,
					    const PFN_NUMBER *pfns, u32 count);

/* external_in.c */
bool kmcl_external_in_valid(const struct kmcl_channel *chan,
			    const struct kmcl_wire *wire);
void kmcl_external_in_begin(struct kmcl_incoming *inc);
void kmcl_external_in_end(struct kmcl_incoming *inc);
void kmcl_external_free(PMDL mdl);

/* complete.c */
void kmcl_packet_answered(struct kmcl_packet *pkt, void *buffer, u32 len);
void kmcl_packet_sent(struct kmcl_packet *pkt);
void kmcl_packets_complete(struct list_head *packets);
void kmcl_completions_init(struct kmcl_channel *chan);
void kmcl_completions_sync(struct kmcl_channel *chan);
void kmcl_completions_wait(struct kmcl_channel *chan);
void kmcl_completions_end(struct kmcl_channel *chan);

/*
 * So many packets at most are written, moved or given back in one hold of
 * kmcl_send.lock: interrupts are off meanwhile.
 */
#define KMCL_SEND_BATCH	32

static inline struct kmcl_packet *kmcl_tx_packet(struct kmcl_tx *tx)
{
	return container_of(tx, struct kmcl_packet, tx);
}

static inline bool kmcl_tx_is_completion(const struct kmcl_tx *tx)
{
	return tx->out.type == KMCL_WIRE_COMPLETION;
}

static inline bool kmcl_tx_wants_completion(const struct kmcl_tx *tx)
{
	return tx->out.flags & KMCL_WIRE_WANT_COMPLETION;
}

/*
 * Around a look at kmcl_send.direct and all that is done with it: an RCU reader, so that
 * kmcl_send_close() and kmcl_send_cut() can wait for it. With preemption off it is one
 * for 3 instructions, by rcu_read_lock() for 14; but on PREEMPT_RT hv_vmbus' lock of the
 * ring may sleep.
 */
static __always_inline void kmcl_send_direct_begin(void)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		rcu_read_lock();
	else
		preempt_disable();
}

static __always_inline void kmcl_send_direct_end(void)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		rcu_read_unlock();
	else
		preempt_enable();
}

/* One more is in the ring. */
static __always_inline void kmcl_send_count_one(struct kmcl_channel *chan, u32 len)
{
	struct kmcl_sent __percpu *sent = chan->send.sent;

	this_cpu_inc(sent->packets);
	this_cpu_add(sent->bytes, len);
}

/*
 * Writes to the ring. 0, or as the transport's send. A packet that wants a completion may
 * be gone then.
 */
static __always_inline int kmcl_tx_put(struct kmcl_channel *chan, struct kmcl_link *link,
				       struct kmcl_tx *tx, const void *data)
{
	struct kmcl_out *out = &tx->out;
	u32 len = out->len;
	int ret;

	if (kmcl_tx_wants_completion(tx)) {
		ret = link->ops->send_request(link, out, data);
	} else {
		ret = link->ops->send(link, data, len, out->id, out->type);
		if (trace_kmcl_packet_sent_enabled() && likely(!ret))
			kmcl_trace_sent(chan, tx);
	}
	if (likely(!ret))
		kmcl_send_count_one(chan, len);
	return ret;
}

/* Where a packet that has to wait for nothing goes, or NULL. */
static __always_inline struct kmcl_link *kmcl_send_passes(struct kmcl_channel *chan)
{
	/*
	 * Pairs with the release in kmcl_send_let_pass(): what was made for an open
	 * channel is there, and what was queued is in the ring.
	 */
	return smp_load_acquire(&chan->send.direct);
}

/* Writes what nobody answers and no memory goes with, if it has to wait for nothing. */
static __always_inline bool kmcl_send_direct(struct kmcl_channel *chan, const void *data, u32 len,
					     u64 id, u32 type)
{
	struct kmcl_link *link = kmcl_send_passes(chan);

	if (unlikely(!link || link->ops->send(link, data, len, id, type)))
		return false;
	kmcl_send_count_one(chan, len);
	return true;
}

/**
 * kmcl_tx_submit_direct() - send what has to wait for nothing
 * @chan: the channel
 * @tx: as for kmcl_tx_submit()
 * @data: the payload
 *
 * hv_vmbus has a lock for the ring, and nothing of the channel's own changes when a
 * packet goes out while none waits: so none of the channel's locks is taken. A thread
 * that has queued a packet finds @direct to be NULL until that is in the ring, and so its
 * packets keep their order; between threads there is none.
 *
 * Context: between kmcl_send_direct_begin() and ..._end().
 *
 * Return:
 *  - true: it is in the ring; one that wants a completion may be gone already
 *  - false: it has to be submitted
 */
static __always_inline bool kmcl_tx_submit_direct(struct kmcl_channel *chan,
						  struct kmcl_tx *tx, const void *data)
{
	struct kmcl_link *link = kmcl_send_passes(chan);

	if (unlikely(!link))
		return false;
	/* Bounce buffers are the lock's. */
	if (unlikely(link->bounce_pages) && tx->out.gpa)
		return false;
	return !kmcl_tx_put(chan, link, tx, data);
}

/* send.c */
void kmcl_send_init(struct kmcl_channel *chan);
enum kmcl_tx_result kmcl_tx_submit(struct kmcl_channel *chan,
				   struct kmcl_tx *tx, const void *data,
				   bool may_wait);
enum kmcl_tx_result kmcl_tx_submit_locked(struct kmcl_channel *chan, struct kmcl_tx *tx,
					  const void *data, bool may_wait);
bool kmcl_tx_cancel(struct kmcl_channel *chan, struct kmcl_packet **pkt);
bool kmcl_tx_cancel_locked(struct kmcl_channel *chan, struct kmcl_packet **pkt);
void kmcl_tx_empty(struct kmcl_channel *chan, struct kmcl_tx *tx);
void kmcl_tx_finish(struct list_head *over);
void kmcl_send_restore(struct kmcl_channel *chan, struct kmcl_tx *tx, bool queued);
void kmcl_send_drain(struct kmcl_channel *chan);

/* queue.c; but for the last three under kmcl_send.lock */
bool kmcl_queue_holds(const struct kmcl_channel *chan, const struct kmcl_tx *tx);
void kmcl_queue_add(struct kmcl_channel *chan, struct kmcl_tx *tx);
void kmcl_queue_del(struct kmcl_send *send, struct kmcl_tx *tx);
void kmcl_queue_put_back(struct kmcl_send *send, struct kmcl_tx *tx);
bool kmcl_queue_admit(struct kmcl_channel *chan);
void kmcl_queue_limit(struct kmcl_channel *chan, u32 max_count);
u32 kmcl_send_count(struct kmcl_channel *chan);
int kmcl_send_list(struct kmcl_channel *chan, struct kmcl_tx **list, u32 room,
		   bool (*stays)(const struct kmcl_tx *tx));

/* send_gate.c */
int kmcl_send_prepare(struct kmcl_channel *chan);
void kmcl_send_open(struct kmcl_channel *chan);
void kmcl_send_close(struct kmcl_channel *chan);
void kmcl_send_cut(struct kmcl_channel *chan, struct kmcl_link *link);
void kmcl_send_abort(struct kmcl_channel *chan, struct kmcl_link *link);
void kmcl_send_flush(struct kmcl_channel *chan);
void kmcl_send_flush_link(struct kmcl_channel *chan, struct kmcl_link *link);
void kmcl_send_end(struct kmcl_channel *chan);

/* transaction.c */
DECLARE_STATIC_KEY_FALSE(kmcl_timing);

/* In ns, for how long transactions are open; 0 while that is not asked for. */
static __always_inline u64 kmcl_timing_now(void)
{
	return static_branch_unlikely(&kmcl_timing) ? ktime_get_ns() : 0;
}

void kmcl_transactions_init(struct kmcl_channel *chan);
int kmcl_transactions_prepare(struct kmcl_channel *chan);
void kmcl_transactions_end(struct kmcl_channel *chan);
void kmcl_transactions_pin(struct kmcl_channel *chan);
void kmcl_transaction_restore(struct kmcl_channel *chan, struct kmcl_packet *pkt);
bool kmcl_transaction_give_up(struct kmcl_channel *chan, struct kmcl_packet **pkt);
bool kmcl_transactions_take_some(struct kmcl_channel *chan, u32 *at,
				 struct list_head *to);
int kmcl_transactions_list(struct kmcl_channel *chan, struct kmcl_tx **list, u32 room,
			   bool (*stays)(const struct kmcl_tx *tx));
struct kmcl_packet *kmcl_transaction_complete(struct kmcl_channel *chan, u64 id,
					      bool *late);
void kmcl_transactions_skip_ids(struct kmcl_channel *chan, u64 last_id);
void kmcl_transactions_expect_late(struct kmcl_channel *chan);
void kmcl_transactions_forget_late(struct kmcl_channel *chan);
unsigned long kmcl_transactions_oldest(struct kmcl_channel *chan);

/* receive.c */
enum kmcl_stall kmcl_receive_limit(const struct kmcl_recv *recv);
void kmcl_receive_init(struct kmcl_channel *chan);
int kmcl_receive_prepare(struct kmcl_channel *chan);
void kmcl_receive_end(struct kmcl_channel *chan);
void kmcl_receive_schedule(struct kmcl_recv *recv);

/* receive_gate.c */
void kmcl_receive_enable(struct kmcl_channel *chan);
void kmcl_receive_disable(struct kmcl_channel *chan);
void kmcl_receive_discard(struct kmcl_channel *chan);
void kmcl_receive_stop(struct kmcl_channel *chan);
void kmcl_receive_cut(struct kmcl_channel *chan, struct kmcl_link *link);
void kmcl_receive_close(struct kmcl_channel *chan);

/*
 * Has the ring read by whichever of the two is to read it now. The one that finds that it
 * is the other's turn calls this again.
 */
static inline void kmcl_receive_again(struct kmcl_recv *recv)
{
	if (unlikely(READ_ONCE(recv->share.spent)))
		queue_work(kmcl_deliver_wq, &recv->share.work);
	else
		kmcl_receive_schedule(recv);
}

/* A reason to leave the ring unread may be gone. Called with kmcl_recv.lock held. */
static inline void kmcl_receive_wake(struct kmcl_recv *recv)
{
	if (recv->stalled)
		kmcl_receive_again(recv);
}

/* What was waited for at kmcl_recv.idle is written, and told, under the lock. */
static inline void kmcl_incoming_sync(struct kmcl_recv *recv)
{
	spin_lock_irq(&recv->lock);
	spin_unlock_irq(&recv->lock);
}

/*
 * Something has changed that may be in the way of a packet. While none is in use there is
 * no limit to look at. Called with kmcl_recv.lock held. The reader looks at one word
 * instead of five: 12 instructions a packet less.
 */
static inline void kmcl_recv_changed(struct kmcl_recv *recv)
{
	bool clear = recv->gate == KMCL_RECV_OPEN && !recv->failed && !recv->at_passive &&
		     !recv->waiting && !recv->held;

	/*
	 * Pairs with the acquire in kmcl_receive_batch(): the work item's calls of the
	 * client are over.
	 */
	smp_store_release(&recv->clear, clear);
}

/*
 * Called with kmcl_recv.lock held. For kmcl_recv.bytes and .client_bytes, which the
 * reader looks at without it first.
 */
static inline void kmcl_recv_add(ssize_t *bytes, ssize_t n)
{
	WRITE_ONCE(*bytes, *bytes + n);
}

/* share.c */
bool kmcl_share_spent(struct kmcl_share *share, u64 now);
bool kmcl_share_use(struct kmcl_share *share, u64 ns);
void kmcl_share_reset(struct kmcl_share *share);

/* deliver.c */
PFN_VMB_CHANNEL_PROCESS_PACKET kmcl_deliver_process(const struct kmcl_settings *set);
void kmcl_deliver_kept(struct kmcl_channel *chan, struct kmcl_incoming *inc, u32 bytes,
		       u32 *delivered);
void kmcl_deliver(struct kmcl_channel *chan, struct kmcl_incoming *inc,
		  u32 *delivered);
void kmcl_deliver_batch_end(struct kmcl_channel *chan, u32 packets);
bool kmcl_deliver_put_aside(struct kmcl_channel *chan, struct kmcl_incoming *inc);
void kmcl_deliver_work(struct work_struct *work);
void kmcl_deliver_drop_waiting(struct kmcl_channel *chan);
void kmcl_deliver_wait_completed(struct kmcl_channel *chan);

/* answer.c */
bool kmcl_deliver_defer(struct kmcl_incoming *inc);

/* bounce_map.c; map and want under kmcl_send.lock */
void kmcl_bounce_open(struct kmcl_channel *chan);
bool kmcl_bounce_add(struct kmcl_channel *chan, u32 pages);
int kmcl_bounce_map(struct kmcl_channel *chan, struct kmcl_out *out);
void kmcl_bounce_unmap(struct kmcl_packet *pkt);
void kmcl_bounce_lose(struct kmcl_packet *pkt);
void kmcl_bounce_want(struct kmcl_channel *chan, const struct kmcl_out *out);

/* gpadl.c */
void kmcl_gpadls_init(struct kmcl_channel *chan);
void kmcl_gpadls_open(struct kmcl_channel *chan, struct kmcl_link *link);
void kmcl_gpadls_close(struct kmcl_channel *chan);
struct kmcl_gpadl *kmcl_gpadl_alloc(u32 offset, u32 len, u32 flags);
void kmcl_gpadl_free(struct kmcl_gpadl *gpadl);
NTSTATUS kmcl_gpadl_create(struct kmcl_channel *chan, struct kmcl_gpadl *gpadl,
			   u32 *handle);

/* gpadl_make.c; under kmcl_gpadls.gate */
bool kmcl_gpadl_make(struct kmcl_link *link, struct kmcl_gpadl *gpadl);
void kmcl_gpadl_unmake(struct kmcl_link *link, struct kmcl_gpadl *gpadl, bool lost);

/* gpadl_map.c */
void kmcl_gpadl_unmap_all(struct kmcl_channel *chan, struct kmcl_link *link);

/* pinned.c */
void kmcl_pin_gpadl(struct kmcl_channel *chan, const struct kmcl_gpadl *gpadl);
void kmcl_pin_external(struct kmcl_packet *pkt);
void kmcl_pin_report(struct kmcl_channel *chan);

/* incoming.c */
int kmcl_incoming_prepare(struct kmcl_channel *chan);
int kmcl_incoming_add_spare(struct kmcl_channel *chan);
struct kmcl_incoming *kmcl_incoming_alloc_completion(struct kmcl_channel *chan,
						     u64 id, const void *data,
						     u32 len);
void kmcl_incoming_free_spares(struct kmcl_channel *chan);
void kmcl_incoming_count(struct kmcl_recv *recv, u32 bytes);
void kmcl_incoming_take_spare(struct kmcl_recv *recv);
struct kmcl_wire *kmcl_incoming_find_room(struct kmcl_recv *recv, struct kmcl_wire *other);
struct kmcl_incoming *kmcl_incoming_get(struct kmcl_channel *chan,
					const struct kmcl_wire_desc *desc,
					const struct kmcl_wire *pkt);
struct kmcl_incoming *kmcl_incoming_for_answer(struct kmcl_channel *chan, u64 id,
					       u32 len);
void kmcl_incoming_put(struct kmcl_incoming *inc);
void kmcl_incoming_put_locked(struct kmcl_incoming *inc);
void kmcl_incoming_free(struct kmcl_incoming *inc);

/*
 * Where the reader has the next packet read to. Its hand is empty only while all spares
 * are out: @other has no room then, so it is read into the transport's buffer.
 */
static inline struct kmcl_wire *kmcl_incoming_aim(struct kmcl_recv *recv,
						  struct kmcl_wire *other)
{
	return likely(recv->hand) ? &recv->hand->pkt : kmcl_incoming_find_room(recv, other);
}

/* The flags that ProcessPacket is called with. */
static inline u32 kmcl_incoming_flags(const struct kmcl_incoming *inc)
{
	return inc->pkt.head->type == KMCL_WIRE_DATA ? 0 :
	       VMBUS_CHANNEL_PROCESS_PACKET_FLAG_EXTERNAL_DATA;
}

/* The packet is the client's next. With bottom halves off. */
static inline void kmcl_incoming_begin(struct kmcl_incoming *inc)
{
	u32 context = inc->chan->recv.context;

	if (unlikely(context))
		memset(inc->context, 0, context);
	if (unlikely(inc->pkt.head->type == KMCL_WIRE_DATA_GPA))
		kmcl_external_in_begin(inc);
}

static __always_inline struct kmcl_incoming *
kmcl_incoming_from_handle(VMBPACKETCOMPLETION handle)
{
	struct kmcl_incoming *inc = (struct kmcl_incoming *)handle;

	if (likely(inc && inc->tag == KMCL_TAG_INCOMING))
		return inc;
	kmcl_bad_handle(_RET_IP_, "incoming packet");
	return NULL;
}

static inline VMBPACKETCOMPLETION kmcl_incoming_handle(struct kmcl_incoming *inc)
{
	return (VMBPACKETCOMPLETION)inc;
}

/*
 * Calls the client. One at a time: the reader or the work item. True: it has completed
 * the packet, which is the caller's again. False: see @fate; the packet may be anything
 * by now. Inline: the reader's loop is short of registers, and each that it has to save
 * in a function costs it two instructions.
 */
static __always_inline bool kmcl_deliver_call(struct kmcl_channel *chan,
					      struct kmcl_incoming *inc, u32 flags)
{
	struct kmcl_recv *recv = &chan->recv;

	WRITE_ONCE(recv->delivered_bytes, recv->delivered_bytes + inc->pkt.len);
	WRITE_ONCE(recv->deliverer, current);
	WRITE_ONCE(recv->delivering, inc);
	atomic_set_release(&inc->state, KMCL_INCOMING_DELIVERED);
	recv->process(kmcl_channel_handle(chan), kmcl_incoming_handle(inc),
		      (void *)inc->pkt.payload, inc->pkt.len, flags);
	/* An interrupt of this thread that completes it is before this, or is elsewhere. */
	WRITE_ONCE(recv->deliverer, NULL);
	barrier();
	return !READ_ONCE(recv->delivering);
}

#endif
