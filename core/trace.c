// SPDX-License-Identifier: GPL-2.0
/* The trace events of trace.h are made here, and nowhere else. */
#include "data.h"

static __maybe_unused void kmcl_trace_instance(u8 *to, const struct kmcl_channel *chan)
{
	/* The worker may set it meanwhile, for the next opening: a line may be mixed. */
	data_race(memcpy(to, &chan->instance, UUID_SIZE));
}

#define CREATE_TRACE_POINTS
#include "trace.h"

/*
 * What the short ways call where an event is on: there what an event is told would be kept
 * in registers that each packet has to save.
 */

/* Bytes of what the client sends, without what a pipe puts before it. */
static u32 kmcl_trace_len(struct kmcl_tx *tx)
{
	return tx->out.len - (kmcl_tx_is_completion(tx) ? 0 : kmcl_tx_packet(tx)->shape.pipe);
}

void kmcl_trace_sent(const struct kmcl_channel *chan, struct kmcl_tx *tx)
{
	trace_kmcl_packet_sent(chan, tx->out.id, kmcl_tx_is_completion(tx), kmcl_trace_len(tx));
}

void kmcl_trace_queued(const struct kmcl_channel *chan, struct kmcl_tx *tx)
{
	trace_kmcl_packet_queued(chan, tx->out.id, kmcl_tx_is_completion(tx),
				 kmcl_trace_len(tx));
}

/* @len: of the completion of @inc. */
void kmcl_trace_answer(const struct kmcl_incoming *inc, u32 len)
{
	trace_kmcl_packet_sent(inc->chan, inc->pkt.head->id, true, len);
}

void kmcl_trace_fetched(const struct kmcl_channel *chan, const struct kmcl_wire *wire)
{
	trace_kmcl_packet_fetched(chan, wire->head->id,
				  wire->head->type == KMCL_WIRE_COMPLETION, wire->len);
}

/* @len: of the completion that ends a transaction. Returns @pkt, which nobody else keeps. */
struct kmcl_packet *kmcl_trace_answered(struct kmcl_packet *pkt, u32 len)
{
	trace_kmcl_packet_completed(pkt, pkt->tx.out.id, STATUS_SUCCESS, len);
	return pkt;
}
