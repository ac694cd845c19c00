/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Trace events; docs/tracing.md has them for those who read them. What is in one may be
 * shown to anyone who may trace, so no address of the kernel's is.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vmbkmcl

#if !defined(VMBKMCL_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define VMBKMCL_TRACE_H

#include <linux/ktime.h>
#include <linux/tracepoint.h>

#include "kmcl.h"

/* Which channel: common to all events. */
#define KMCL_TRACE_CHANNEL				\
	__array(u8, instance, UUID_SIZE)		\
	__field(u16, channel)
#define KMCL_TRACE_SET_CHANNEL(chan)			\
	kmcl_trace_instance(__entry->instance, chan);	\
	__entry->channel = (chan)->set.sub_index

#define KMCL_TRACE_TEXT	48

TRACE_DEFINE_ENUM(KMCL_DISABLED);
TRACE_DEFINE_ENUM(KMCL_ENABLED);
TRACE_DEFINE_ENUM(KMCL_OPENED);
TRACE_DEFINE_ENUM(KMCL_ACTIVE);
TRACE_DEFINE_ENUM(KMCL_WHY_ENABLE);
TRACE_DEFINE_ENUM(KMCL_WHY_OFFER);
TRACE_DEFINE_ENUM(KMCL_WHY_START);
TRACE_DEFINE_ENUM(KMCL_WHY_PAUSE);
TRACE_DEFINE_ENUM(KMCL_WHY_PRIMARY_PAUSE);
TRACE_DEFINE_ENUM(KMCL_WHY_DISABLE);
TRACE_DEFINE_ENUM(KMCL_WHY_GONE);
TRACE_DEFINE_ENUM(KMCL_WHY_BROKEN);
TRACE_DEFINE_ENUM(KMCL_WHY_SLEEP);
TRACE_DEFINE_ENUM(KMCL_WHY_FAILED);

#define kmcl_trace_state(state)				\
	__print_symbolic(state,				\
			 { KMCL_DISABLED, "disabled" },	\
			 { KMCL_ENABLED, "enabled" },	\
			 { KMCL_OPENED, "opened" },	\
			 { KMCL_ACTIVE, "active" })

#define kmcl_trace_why(why)					\
	__print_symbolic(why,					\
			 { KMCL_WHY_ENABLE, "enable" },		\
			 { KMCL_WHY_OFFER, "offer" },		\
			 { KMCL_WHY_START, "start" },		\
			 { KMCL_WHY_PAUSE, "pause" },		\
			 { KMCL_WHY_PRIMARY_PAUSE, "primary-pause" },	\
			 { KMCL_WHY_DISABLE, "disable" },	\
			 { KMCL_WHY_GONE, "gone" },		\
			 { KMCL_WHY_BROKEN, "broken" },		\
			 { KMCL_WHY_SLEEP, "sleep" },		\
			 { KMCL_WHY_FAILED, "failed" })

DECLARE_EVENT_CLASS(kmcl_packet,
	TP_PROTO(const struct kmcl_channel *chan, u64 id, bool completion, u32 len),
	TP_ARGS(chan, id, completion, len),
	TP_STRUCT__entry(
		KMCL_TRACE_CHANNEL
		__field(bool, completion)
		__field(u32, len)
		__field(u64, id)
	),
	TP_fast_assign(
		KMCL_TRACE_SET_CHANNEL(chan);
		__entry->completion = completion;
		__entry->len = len;
		__entry->id = id;
	),
	TP_printk("instance=%pUl channel=%u id=%llu completion=%d len=%u",
		  __entry->instance, __entry->channel, __entry->id, __entry->completion,
		  __entry->len)
);

/* It is in the ring; the other end cannot see yet one that wants a completion. */
DEFINE_EVENT(kmcl_packet, kmcl_packet_sent,
	TP_PROTO(const struct kmcl_channel *chan, u64 id, bool completion, u32 len),
	TP_ARGS(chan, id, completion, len));

/* It waits for room, for the channel to open, or for others to complete. */
DEFINE_EVENT(kmcl_packet, kmcl_packet_queued,
	TP_PROTO(const struct kmcl_channel *chan, u64 id, bool completion, u32 len),
	TP_ARGS(chan, id, completion, len));

/* It is out of the other end's ring, and goes to the client or ends a transaction. */
DEFINE_EVENT(kmcl_packet, kmcl_packet_fetched,
	TP_PROTO(const struct kmcl_channel *chan, u64 id, bool completion, u32 len),
	TP_ARGS(chan, id, completion, len));

/* What was sent is over; its routine comes next, or behind those that wait. */
TRACE_EVENT_FN(kmcl_packet_completed,
	TP_PROTO(const struct kmcl_packet *pkt, u64 id, NTSTATUS status, u32 len),
	TP_ARGS(pkt, id, status, len),
	TP_STRUCT__entry(
		KMCL_TRACE_CHANNEL
		__field(u32, status)
		__field(u32, len)
		__field(u64, id)
		__field(s64, open_ns)
	),
	TP_fast_assign(
		KMCL_TRACE_SET_CHANNEL(pkt->chan);
		__entry->status = status;
		__entry->len = len;
		__entry->id = id;
		/* Only where there was a transaction has the packet its time. */
		__entry->open_ns = !id ? 0 :
				   pkt->sent_at ? ktime_get_ns() - pkt->sent_at : -1;
	),
	TP_printk("instance=%pUl channel=%u id=%llu status=%#x open_ns=%lld len=%u",
		  __entry->instance, __entry->channel, __entry->id, __entry->status,
		  __entry->open_ns, __entry->len),
	kmcl_timing_get, kmcl_timing_put
);

/* A batch was read, as far as there was something, or it might be. */
TRACE_EVENT(kmcl_fetch_finished,
	TP_PROTO(const struct kmcl_channel *chan, u32 packets, u32 allowed),
	TP_ARGS(chan, packets, allowed),
	TP_STRUCT__entry(
		KMCL_TRACE_CHANNEL
		__field(u32, packets)
		__field(u32, allowed)
	),
	TP_fast_assign(
		KMCL_TRACE_SET_CHANNEL(chan);
		__entry->packets = packets;
		__entry->allowed = allowed;
	),
	TP_printk("instance=%pUl channel=%u packets=%u allowed=%u",
		  __entry->instance, __entry->channel, __entry->packets, __entry->allowed)
);

/* The client holds as much as it may: what comes next is left for now. */
TRACE_EVENT(kmcl_quota_hit,
	TP_PROTO(const struct kmcl_channel *chan),
	TP_ARGS(chan),
	TP_STRUCT__entry(
		KMCL_TRACE_CHANNEL
		__field(u32, held)
		__field(u32, quota)
		__field(u64, bytes)
	),
	TP_fast_assign(
		KMCL_TRACE_SET_CHANNEL(chan);
		__entry->held = READ_ONCE(chan->recv.outstanding);
		__entry->quota = READ_ONCE(chan->recv.quota);
		__entry->bytes = READ_ONCE(chan->recv.client_bytes);
	),
	TP_printk("instance=%pUl channel=%u held=%u quota=%u bytes=%llu",
		  __entry->instance, __entry->channel, __entry->held, __entry->quota,
		  __entry->bytes)
);

/* The share of a window is used up: a thread reads on. */
TRACE_EVENT(kmcl_cpu_limit_hit,
	TP_PROTO(const struct kmcl_channel *chan),
	TP_ARGS(chan),
	TP_STRUCT__entry(
		KMCL_TRACE_CHANNEL
		__field(u8, percent)
		__field(u64, used_ns)
	),
	TP_fast_assign(
		KMCL_TRACE_SET_CHANNEL(chan);
		__entry->percent = READ_ONCE(chan->recv.share.percent);
		__entry->used_ns = chan->recv.share.used;
	),
	TP_printk("instance=%pUl channel=%u percent=%u used_ns=%llu",
		  __entry->instance, __entry->channel, __entry->percent, __entry->used_ns)
);

TRACE_EVENT(kmcl_state_changed,
	TP_PROTO(const struct kmcl_channel *chan, enum kmcl_state from, enum kmcl_state to,
		 enum kmcl_why why),
	TP_ARGS(chan, from, to, why),
	TP_STRUCT__entry(
		KMCL_TRACE_CHANNEL
		__field(bool, server)
		__field(u8, from)
		__field(u8, to)
		__field(u8, why)
		__array(char, name, KMCL_NAME_MAX)
	),
	TP_fast_assign(
		KMCL_TRACE_SET_CHANNEL(chan);
		__entry->server = chan->is_server;
		__entry->from = from;
		__entry->to = to;
		__entry->why = why;
		strscpy(__entry->name, kmcl_channel_name(chan), KMCL_NAME_MAX);
	),
	TP_printk("instance=%pUl channel=%u server=%d from=%s to=%s why=%s name=%s",
		  __entry->instance, __entry->channel, __entry->server,
		  kmcl_trace_state(__entry->from), kmcl_trace_state(__entry->to),
		  kmcl_trace_why(__entry->why), __entry->name)
);

/* What the other end has sent makes no sense; @value is what is wrong of it. */
TRACE_EVENT(kmcl_refused,
	TP_PROTO(const struct kmcl_channel *chan, const char *what, u64 value),
	TP_ARGS(chan, what, value),
	TP_STRUCT__entry(
		KMCL_TRACE_CHANNEL
		__array(char, what, KMCL_TRACE_TEXT)
		__field(u64, value)
	),
	TP_fast_assign(
		KMCL_TRACE_SET_CHANNEL(chan);
		strscpy(__entry->what, what, KMCL_TRACE_TEXT);
		__entry->value = value;
	),
	TP_printk("instance=%pUl channel=%u what=\"%s\" value=%llu",
		  __entry->instance, __entry->channel, __entry->what, __entry->value)
);

DECLARE_EVENT_CLASS(kmcl_gpadl,
	TP_PROTO(const struct kmcl_channel *chan, const struct kmcl_gpadl *gpadl,
		 NTSTATUS status),
	TP_ARGS(chan, gpadl, status),
	TP_STRUCT__entry(
		KMCL_TRACE_CHANNEL
		__field(bool, read_only)
		__field(u32, handle)
		__field(u32, len)
		__field(u32, status)
	),
	TP_fast_assign(
		KMCL_TRACE_SET_CHANNEL(chan);
		__entry->read_only = gpadl->read_only;
		__entry->handle = gpadl->handle;
		__entry->len = gpadl->len;
		__entry->status = status;
	),
	TP_printk("instance=%pUl channel=%u handle=%#x len=%u read_only=%d status=%#x",
		  __entry->instance, __entry->channel, __entry->handle, __entry->len,
		  __entry->read_only, __entry->status)
);

/* The other end knows it, or @status says why not. */
DEFINE_EVENT(kmcl_gpadl, kmcl_gpadl_made,
	TP_PROTO(const struct kmcl_channel *chan, const struct kmcl_gpadl *gpadl,
		 NTSTATUS status),
	TP_ARGS(chan, gpadl, status));

/* The other end does not use it any more, unless @status is an error. */
DEFINE_EVENT(kmcl_gpadl, kmcl_gpadl_deleted,
	TP_PROTO(const struct kmcl_channel *chan, const struct kmcl_gpadl *gpadl,
		 NTSTATUS status),
	TP_ARGS(chan, gpadl, status));

/* The first in the queue waits for room for a copy of its memory. */
TRACE_EVENT(kmcl_bounce_short,
	TP_PROTO(const struct kmcl_channel *chan, u32 pages),
	TP_ARGS(chan, pages),
	TP_STRUCT__entry(
		KMCL_TRACE_CHANNEL
		__field(u32, pages)
		__field(u32, used)
		__field(u32, limit)
	),
	TP_fast_assign(
		KMCL_TRACE_SET_CHANNEL(chan);
		__entry->pages = pages;
		__entry->used = atomic_read(&chan->send.bounce.pages);
		__entry->limit = READ_ONCE(chan->send.bounce.limit);
	),
	TP_printk("instance=%pUl channel=%u pages=%u used=%u limit=%u",
		  __entry->instance, __entry->channel, __entry->pages, __entry->used,
		  __entry->limit)
);

#endif

/* Found by CFLAGS_core/trace.o in Kbuild. */
#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
