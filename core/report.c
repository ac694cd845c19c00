// SPDX-License-Identifier: GPL-2.0
/*
 * What there is to be said of a channel: as text, a name and a value a line, or as one
 * JSON object in one line, for programs. docs/kmclstat.md has the meaning of each.
 *
 * Each lock is taken by itself, so values of different parts are not of one moment.
 * There are no addresses of the kernel's among them.
 */
#include <linux/percpu.h>
#include <linux/sched/clock.h>
#include <linux/seq_file.h>

#include "control.h"
#include "debugfs.h"

struct kmcl_report {
	struct seq_file *m;
	bool json;
	bool begun;	/* a value was written: the next one comes behind a comma */
};

static void report_key(struct kmcl_report *r, const char *key)
{
	if (r->json)
		seq_printf(r->m, "%s\"%s\":", r->begun ? "," : "", key);
	else
		seq_printf(r->m, "%-16s ", key);
	r->begun = true;
}

static void report_end(struct kmcl_report *r)
{
	if (!r->json)
		seq_putc(r->m, '\n');
}

static void report_number(struct kmcl_report *r, const char *key, u64 value)
{
	report_key(r, key);
	seq_printf(r->m, "%llu", value);
	report_end(r);
}

/* For a moment a count that is kept in two places may be below 0. */
static void report_count(struct kmcl_report *r, const char *key, s64 value)
{
	report_number(r, key, max(value, 0));
}

/* Names are printable ASCII: settings.c sees to it. */
static void report_string(struct kmcl_report *r, const char *s)
{
	if (!r->json) {
		seq_puts(r->m, s);
		return;
	}
	seq_putc(r->m, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			seq_putc(r->m, '\\');
		seq_putc(r->m, *s);
	}
	seq_putc(r->m, '"');
}

static void report_word(struct kmcl_report *r, const char *key, const char *word)
{
	report_key(r, key);
	report_string(r, word);
	report_end(r);
}

static void report_bool(struct kmcl_report *r, const char *key, bool value)
{
	report_key(r, key);
	seq_puts(r->m, value ? "true" : "false");
	report_end(r);
}

static void report_guid(struct kmcl_report *r, const char *key, const guid_t *guid)
{
	report_key(r, key);
	seq_printf(r->m, r->json ? "\"%pUl\"" : "%pUl", guid);
	report_end(r);
}

static const char * const kmcl_state_words[] = {
	[KMCL_DISABLED] = "disabled",
	[KMCL_ENABLED] = "enabled",
	[KMCL_OPENED] = "opened",
	[KMCL_ACTIVE] = "active",
};

static const char * const kmcl_why_texts[] = {
	[KMCL_WHY_ENABLE] = "it was enabled",
	[KMCL_WHY_OFFER] = "an offer was opened",
	[KMCL_WHY_FAILED] = "the opening failed",
	[KMCL_WHY_START] = "it has started",
	[KMCL_WHY_PAUSE] = "it was paused",
	[KMCL_WHY_PRIMARY_PAUSE] = "its primary pauses",
	[KMCL_WHY_DISABLE] = "it was disabled",
	[KMCL_WHY_GONE] = "the other end went away",
	[KMCL_WHY_BROKEN] = "the outgoing ring is unusable",
	[KMCL_WHY_SLEEP] = "the guest hibernates",
};

/* Milliseconds since then. */
static u64 report_since(u64 now, u64 at)
{
	/* Clocks of two processors may differ by a little. */
	return now > at ? div_u64(now - at, NSEC_PER_MSEC) : 0;
}

static void report_primary(struct kmcl_report *r, struct kmcl_channel *chan)
{
	const struct kmcl_channel *primary;
	unsigned long flags;

	spin_lock_irqsave(&kmcl_subs_lock, flags);
	primary = chan->set.primary;
	report_word(r, "primary", primary ? kmcl_debugfs_name(primary) : "");
	report_number(r, "sub_index", chan->set.sub_index);
	spin_unlock_irqrestore(&kmcl_subs_lock, flags);
}

static const char * const kmcl_step_words[] = {
	[KMCL_STEP_NONE] = "none",
	[KMCL_STEP_OPEN] = "open",
	[KMCL_STEP_OPENED] = "opened",
	[KMCL_STEP_STARTED] = "started",
	[KMCL_STEP_POST_STARTED] = "post-started",
	[KMCL_STEP_PROCESS] = "process",
	[KMCL_STEP_SUSPEND] = "suspend",
	[KMCL_STEP_HELD] = "held",
	[KMCL_STEP_ROUTINES] = "routines",
	[KMCL_STEP_CLOSE] = "close",
	[KMCL_STEP_ANSWERS] = "answers",
	[KMCL_STEP_CLOSED] = "closed",
	[KMCL_STEP_GPADLS] = "gpadls",
	[KMCL_STEP_PNP_FAILURE] = "pnp-failure",
	[KMCL_STEP_SUBS_CLOSE] = "subs-close",
	[KMCL_STEP_SUBS_PAUSE] = "subs-pause",
};

/* What the worker is to bring about. */
static const char *report_wanted(const struct kmcl_control *ctl)
{
	if (!ctl->want_enabled)
		return "disabled";
	if (ctl->want_paused)
		return "paused";
	return ctl->primary_paused ? "paused-by-primary" : "active";
}

static const char *report_offer(const struct kmcl_control *ctl)
{
	if (ctl->link)
		return ctl->link_gone ? "gone" : "taken";
	return ctl->busy_noted ? "held-by-driver" : "none";
}

static void report_control(struct kmcl_report *r, struct kmcl_channel *chan, u64 now)
{
	struct kmcl_control *ctl = &chan->ctl;
	const struct kmcl_link *link;
	enum kmcl_step step;
	unsigned long flags;

	spin_lock_irqsave(&ctl->lock, flags);
	link = ctl->link;
	report_word(r, "name", chan->set.name);
	report_word(r, "kind", chan->is_server ? "server" : "client");
	report_word(r, "transport", link ? link->ops->name : "");
	report_guid(r, "class", &chan->set.type);
	report_guid(r, "instance", link ? &link->instance : &chan->set.instance);
	report_word(r, "state", kmcl_state_words[ctl->state]);
	report_number(r, "state_ms",
		      report_since(now, ctl->changes[(ctl->n_changes - 1) % KMCL_CHANGES].at));
	report_word(r, "wanted", report_wanted(ctl));
	report_word(r, "offer", report_offer(ctl));
	report_number(r, "asked", ctl->asked - READ_ONCE(ctl->done));
	step = READ_ONCE(ctl->step);
	report_word(r, "step", kmcl_step_words[step]);
	report_number(r, "step_ms", jiffies_to_msecs(jiffies - READ_ONCE(ctl->step_began)));
	report_word(r, "waits_for", kmcl_step_text(step));
	spin_unlock_irqrestore(&ctl->lock, flags);
}

/* What keeps the first in the queue from the ring. Called with the lock held. */
static const char *report_send_wait(const struct kmcl_send *send)
{
	if (!send->queued)
		return "nothing";
	if (!send->writable)
		return "channel";
	if (list_empty(&send->queue))
		return "limit";
	return READ_ONCE(send->bounce.starved) ? "bounce" : "room";
}

static void report_sent(struct kmcl_report *r, const struct kmcl_send *send)
{
	struct kmcl_sent sum = {};
	int cpu;

	/* Made at the first opening, and there for good then. */
	if (READ_ONCE(send->sent)) {
		for_each_possible_cpu(cpu) {
			sum.packets += READ_ONCE(per_cpu_ptr(send->sent, cpu)->packets);
			sum.bytes += READ_ONCE(per_cpu_ptr(send->sent, cpu)->bytes);
		}
	}
	report_number(r, "sent", sum.packets);
	report_number(r, "sent_bytes", sum.bytes);
}

static void report_send(struct kmcl_report *r, struct kmcl_channel *chan)
{
	struct kmcl_send *send = &chan->send;
	unsigned long flags;

	report_sent(r, send);
	report_number(r, "queued_ever", atomic64_read(&chan->count.queued));
	spin_lock_irqsave(&send->lock, flags);
	report_number(r, "queue", send->queued);
	report_number(r, "queue_longest", send->longest);
	report_word(r, "queue_waits_for", report_send_wait(send));
	report_bool(r, "ring_unusable", send->broken);
	report_number(r, "bounced", send->bounce.packets);
	report_number(r, "bounce_waits", send->bounce.waits);
	report_count(r, "bounce_pages", atomic_read(&send->bounce.pages));
	report_number(r, "bounce_limit", send->bounce.limit);
	spin_unlock_irqrestore(&send->lock, flags);

	spin_lock_irqsave(&chan->trans.lock, flags);
	report_number(r, "open", chan->trans.count);
	report_number(r, "given_up", chan->trans.cancelled);
	spin_unlock_irqrestore(&chan->trans.lock, flags);
	report_number(r, "open_oldest_ms", jiffies_to_msecs(kmcl_transactions_oldest(chan)));
}

static const char * const kmcl_gate_words[] = {
	[KMCL_RECV_CLOSED] = "closed",
	[KMCL_RECV_OPEN] = "open",
	[KMCL_RECV_HELD] = "held",
	[KMCL_RECV_DISCARDS] = "discards",
};

static const char * const kmcl_stall_words[] = {
	[KMCL_STALL_NONE] = "memory",
	[KMCL_STALL_QUOTA] = "quota",
	[KMCL_STALL_PASSIVE] = "passive",
	[KMCL_STALL_ANSWERS] = "answers",
};

/* What keeps data that has arrived from the client. Called with the lock held. */
static const char *report_receive_wait(const struct kmcl_recv *recv)
{
	enum kmcl_stall limit = kmcl_receive_limit(recv);

	if (READ_ONCE(recv->failed))
		return "failed";
	if (recv->gate != KMCL_RECV_OPEN)
		return "channel";
	if (READ_ONCE(recv->stalled) || (recv->waiting && limit))
		return kmcl_stall_words[limit];
	return "nothing";
}

static void report_receive(struct kmcl_report *r, struct kmcl_channel *chan)
{
	const struct kmcl_counters *count = &chan->count;
	struct kmcl_recv *recv = &chan->recv;
	unsigned long flags;

	report_number(r, "received", READ_ONCE(count->received));
	report_number(r, "received_bytes", READ_ONCE(recv->delivered_bytes));
	report_number(r, "completed", READ_ONCE(count->completed));
	report_number(r, "completed_bytes", READ_ONCE(count->completed_bytes));
	spin_lock_irqsave(&recv->lock, flags);
	report_word(r, "receive_gate", kmcl_gate_words[recv->gate]);
	report_word(r, "receive_waits_for", report_receive_wait(recv));
	report_bool(r, "in_callback", READ_ONCE(recv->deliverer));
	report_count(r, "client_holds", recv->outstanding);
	report_count(r, "client_holds_bytes", recv->client_bytes);
	report_number(r, "passive_queue", recv->waiting);
	report_count(r, "in_use", recv->held);
	report_number(r, "stalls_quota", recv->stalls[KMCL_STALL_QUOTA]);
	report_number(r, "stalls_passive", recv->stalls[KMCL_STALL_PASSIVE]);
	report_number(r, "stalls_answers", recv->stalls[KMCL_STALL_ANSWERS]);
	spin_unlock_irqrestore(&recv->lock, flags);

	report_number(r, "stalls_memory", atomic64_read(&count->no_memory));
	report_number(r, "throttled", atomic64_read(&count->throttled));
	report_number(r, "refused_malformed", atomic64_read(&count->malformed));
	report_number(r, "refused_unknown", atomic64_read(&count->unknown));
	report_number(r, "refused_stray", READ_ONCE(count->stray));
	report_number(r, "late", READ_ONCE(count->late));
}

static u32 report_length(const struct list_head *list)
{
	const struct list_head *node;
	u32 n = 0;

	list_for_each(node, list)
		n++;
	return n;
}

static void report_memory(struct kmcl_report *r, struct kmcl_channel *chan)
{
	struct kmcl_gpadls *gpadls = &chan->gpadls;
	unsigned long flags;

	spin_lock_irqsave(&gpadls->lock, flags);
	report_number(r, "gpadls", report_length(&gpadls->list));
	report_number(r, "gpadls_mapped", report_length(&gpadls->maps));
	spin_unlock_irqrestore(&gpadls->lock, flags);
	spin_lock_irqsave(&chan->packets.lock, flags);
	report_number(r, "packet_objects", chan->packets.out);
	spin_unlock_irqrestore(&chan->packets.lock, flags);
	report_number(r, "pinned_pages", atomic64_read(&chan->count.pinned) +
					 atomic64_read(&chan->count.unpinned));
}

static void report_settings(struct kmcl_report *r, struct kmcl_channel *chan)
{
	const struct kmcl_settings *set = &chan->set;
	u32 max_count = READ_ONCE(chan->send.max_count);
	int quota = READ_ONCE(chan->recv.quota);
	struct kmcl_link_params rings;
	unsigned long flags;

	spin_lock_irqsave(&chan->ctl.lock, flags);
	kmcl_settings_link_params(set, &rings);
	report_bool(r, "pipe", kmcl_settings_is_pipe(set));
	report_number(r, "flags", set->flags);
	report_number(r, "server_flags", set->server_flags);
	report_number(r, "max_packet", set->max_packet);
	report_number(r, "max_external", set->max_external);
	report_number(r, "max_chain", set->max_chain);
	report_number(r, "client_context", set->client_context);
	report_number(r, "packet_context", set->inline_context);
	report_number(r, "ring_out", rings.send_bytes);
	report_number(r, "ring_in", rings.recv_bytes);
	report_number(r, "bounce_maximum", set->bounce_maximum);
	spin_unlock_irqrestore(&chan->ctl.lock, flags);

	/* These two are 0 where there is no limit. */
	report_number(r, "max_count", max_count == U32_MAX ? 0 : max_count);
	report_number(r, "quota", quota == INT_MAX ? 0 : quota);
	report_bool(r, "at_passive", READ_ONCE(chan->recv.at_passive));
	report_number(r, "share_percent", READ_ONCE(chan->recv.share.percent));
}

/* The oldest first. */
static void report_changes(struct kmcl_report *r, struct kmcl_channel *chan, u64 now)
{
	struct kmcl_control *ctl = &chan->ctl;
	const struct kmcl_change *change;
	unsigned long flags;
	u32 i;

	if (r->json)
		seq_puts(r->m, ",\"changes\":[");
	spin_lock_irqsave(&ctl->lock, flags);
	for (i = min_t(u32, ctl->n_changes, KMCL_CHANGES); i; i--) {
		change = &ctl->changes[(ctl->n_changes - i) % KMCL_CHANGES];
		seq_printf(r->m, r->json ? "{\"ago_ms\":%llu,\"to\":\"%s\",\"why\":\"%s\"}%s" :
					   "%llu ms ago: %s, %s%s",
			   report_since(now, change->at), kmcl_state_words[change->state],
			   kmcl_why_texts[change->why], !r->json ? "\n" : i > 1 ? "," : "");
	}
	spin_unlock_irqrestore(&ctl->lock, flags);
	if (r->json)
		seq_puts(r->m, "]");
}

static void report_latency(struct kmcl_report *r, struct kmcl_channel *chan)
{
	u32 i;

	report_bool(r, "latency_on", READ_ONCE(chan->latency.on));
	if (!r->json)
		return;
	for (i = 0; i < KMCL_LATENCIES; i++)
		seq_printf(r->m, "%s%llu", i ? "," : ",\"latency\":[",
			   READ_ONCE(chan->latency.count[i]));
	seq_putc(r->m, ']');
}

void kmcl_report(struct seq_file *m, struct kmcl_channel *chan, bool json)
{
	struct kmcl_report r = { .m = m, .json = json };
	u64 now = local_clock();

	if (json)
		seq_putc(m, '{');
	report_word(&r, "channel", kmcl_debugfs_name(chan));
	report_number(&r, "now_ms", div_u64(now, NSEC_PER_MSEC));
	report_primary(&r, chan);
	report_control(&r, chan, now);
	report_send(&r, chan);
	report_receive(&r, chan);
	report_memory(&r, chan);
	report_settings(&r, chan);
	report_latency(&r, chan);
	report_changes(&r, chan, now);
	seq_puts(m, json ? "}\n" : "");
}
