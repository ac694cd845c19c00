/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets and memory, out and in: what control may call. Nothing here knows of
 * control.h.
 */
#ifndef VMBKMCL_DATA_H
#define VMBKMCL_DATA_H

#include "kmcl.h"

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

/* packet_send.c */
NTSTATUS kmcl_packet_check(struct kmcl_packet *pkt, const void *buffer, u32 len);
NTSTATUS kmcl_packet_take(struct kmcl_packet *pkt);
void kmcl_packet_abandon(struct kmcl_packet *pkt);
struct kmcl_packet *kmcl_packet_alloc(struct kmcl_channel *chan, gfp_t gfp);
NTSTATUS kmcl_packet_return(struct kmcl_packet *pkt, NTSTATUS status);
NTSTATUS kmcl_packet_submit(struct kmcl_packet *pkt, const void *buffer,
			    u32 len, u32 flags, bool may_wait,
			    enum kmcl_tx_result *result);
bool kmcl_flags_valid(u32 flags, bool external);

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

enum kmcl_external_error kmcl_external_mdl(struct kmcl_packet *pkt, PMDL mdl,
					   u32 offset, u32 length, bool force);
enum kmcl_external_error kmcl_external_pfns(struct kmcl_packet *pkt,
					    const PFN_NUMBER *pfns, u32 count);

/* external_in.c */
bool kmcl_external_in_valid(const struct kmcl_channel *chan,
			    const struct kmcl_wire *wire);
void kmcl_external_in_begin(struct kmcl_incoming *inc,
			    const struct kmcl_wire *wire);
void kmcl_external_in_end(struct kmcl_incoming *inc);
void kmcl_external_free(PMDL mdl);

/* complete.c */
void kmcl_packet_complete(struct kmcl_packet *pkt, NTSTATUS status,
			  void *buffer, u32 len);
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

/* send.c */
void kmcl_send_init(struct kmcl_channel *chan);
enum kmcl_tx_result kmcl_tx_submit(struct kmcl_channel *chan,
				   struct kmcl_tx *tx, const void *data,
				   bool may_wait);
bool kmcl_tx_cancel(struct kmcl_channel *chan, struct kmcl_packet **pkt);
bool kmcl_tx_cancel_locked(struct kmcl_channel *chan, struct kmcl_packet **pkt);
void kmcl_tx_empty(struct kmcl_channel *chan, struct kmcl_tx *tx);
void kmcl_send_restore(struct kmcl_channel *chan, struct kmcl_tx *tx, bool queued);
void kmcl_send_limit(struct kmcl_channel *chan, u32 max_count);
u32 kmcl_send_count(struct kmcl_channel *chan);
int kmcl_send_list(struct kmcl_channel *chan, struct kmcl_tx **list, u32 room,
		   bool (*stays)(const struct kmcl_tx *tx));
void kmcl_send_open(struct kmcl_channel *chan);
void kmcl_send_close(struct kmcl_channel *chan);
void kmcl_send_cut(struct kmcl_channel *chan, struct kmcl_link *link);
void kmcl_send_abort(struct kmcl_channel *chan, struct kmcl_link *link);
void kmcl_send_drain(struct kmcl_channel *chan);
void kmcl_send_flush(struct kmcl_channel *chan);
void kmcl_send_flush_link(struct kmcl_channel *chan, struct kmcl_link *link);
void kmcl_send_end(struct kmcl_channel *chan);

/* transaction.c; open, cancel, take_some and list under kmcl_send.lock */
void kmcl_transactions_init(struct kmcl_channel *chan);
int kmcl_transactions_prepare(struct kmcl_channel *chan);
void kmcl_transactions_free(struct kmcl_channel *chan);
void kmcl_transactions_pin(struct kmcl_channel *chan);
void kmcl_transaction_open(struct kmcl_channel *chan, struct kmcl_packet *pkt);
void kmcl_transaction_cancel(struct kmcl_channel *chan, struct kmcl_packet *pkt);
void kmcl_transactions_take_some(struct kmcl_channel *chan, u32 *at,
				 struct list_head *to);
u32 kmcl_transactions_list(struct kmcl_channel *chan, struct kmcl_tx **list,
			   u32 room);
struct kmcl_packet *kmcl_transaction_complete(struct kmcl_channel *chan, u64 id,
					      bool *late);
void kmcl_transactions_skip_ids(struct kmcl_channel *chan, u64 last_id);
void kmcl_transactions_expect_late(struct kmcl_channel *chan);

/* receive.c */
void kmcl_receive_init(struct kmcl_channel *chan);
int kmcl_receive_prepare(struct kmcl_channel *chan);
void kmcl_receive_end(struct kmcl_channel *chan);
void kmcl_receive_enable(struct kmcl_channel *chan);
void kmcl_receive_disable(struct kmcl_channel *chan);
void kmcl_receive_discard(struct kmcl_channel *chan);
void kmcl_receive_stop(struct kmcl_channel *chan);
void kmcl_receive_cut(struct kmcl_channel *chan, struct kmcl_link *link);
void kmcl_receive_close(struct kmcl_channel *chan);
void kmcl_receive_schedule(struct kmcl_recv *recv);

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
 * Called with kmcl_recv.lock held. For kmcl_recv.bytes and .client_bytes, which the
 * reader looks at without it first.
 */
static inline void kmcl_recv_add(size_t *bytes, ssize_t n)
{
	WRITE_ONCE(*bytes, *bytes + n);
}

/* share.c */
bool kmcl_share_spent(struct kmcl_share *share, u64 now);
bool kmcl_share_use(struct kmcl_share *share, u64 ns);
void kmcl_share_reset(struct kmcl_share *share);

/* deliver.c */
void kmcl_deliver(struct kmcl_channel *chan, struct kmcl_incoming *inc,
		  u32 *delivered);
void kmcl_deliver_batch_end(struct kmcl_channel *chan, u32 packets);
bool kmcl_deliver_defer(struct kmcl_incoming *inc);
void kmcl_deliver_put_aside(struct kmcl_channel *chan, struct kmcl_incoming *inc);
void kmcl_deliver_work(struct work_struct *work);
void kmcl_deliver_drop_waiting(struct kmcl_channel *chan);
void kmcl_deliver_wait_completed(struct kmcl_channel *chan);

/* bounce_map.c; map, lose and want under kmcl_send.lock */
void kmcl_bounce_open(struct kmcl_channel *chan);
bool kmcl_bounce_add(struct kmcl_channel *chan, u32 pages);
int kmcl_bounce_map(struct kmcl_channel *chan, struct kmcl_out *out);
void kmcl_bounce_unmap(struct kmcl_packet *pkt);
void kmcl_bounce_lose(struct kmcl_packet *pkt);
void kmcl_bounce_want(struct kmcl_channel *chan);

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
struct kmcl_incoming *kmcl_incoming_get(struct kmcl_channel *chan,
					const struct kmcl_wire *pkt);
struct kmcl_incoming *kmcl_incoming_for_answer(struct kmcl_channel *chan, u64 id,
					       u32 len);
void kmcl_incoming_put(struct kmcl_incoming *inc);
void kmcl_incoming_put_locked(struct kmcl_incoming *inc);

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

#endif
