// SPDX-License-Identifier: GPL-2.0
/*
 * A channel's life.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "behaviour.h"
#include "channel.h"
#include "hostile.h"
#include "log.h"
#include "monitor.h"
#include "silence.h"
#include "vm.h"

struct channel *channel_find(u32 relid)
{
	return relid < BUS_MAX_RELIDS ? bus.channels[relid] : NULL;
}

static void channel_log(struct channel *chan, const char *event)
{
	log_begin(event);
	log_str("offer", chan->offer->name);
	log_u64("relid", chan->relid);
	if (chan->sub)
		log_u64("sub", chan->sub);
}

/* What one test compares with the guest's own account. */
void channel_account(struct channel *chan)
{
	channel_log(chan, "account");
	log_u64("received", chan->count.received);
	log_u64("received_bytes", chan->count.received_bytes);
	log_u64("received_crc", chan->count.received_crc);
	log_u64("unread", ring_unread(&chan->in));
	log_u64("wanted", chan->count.wanted);
	log_u64("completed", chan->count.completed);
	log_u64("sent", chan->count.sent);
	log_u64("sent_bytes", chan->count.sent_bytes);
	log_u64("sent_crc", chan->count.sent_crc);
	log_u64("completions", chan->count.completions);
	log_u64("completion_crc", chan->count.completion_crc);
	log_u64("external_bytes", chan->count.external_bytes);
	log_u64("signals_in", chan->count.signals_in);
	log_u64("signals_out", chan->count.signals_out);
	log_u64("full", chan->count.full);
	log_u64("violations", chan->count.violations);
	log_u64("tricks", chan->count.tricks);
	log_u64("written", chan->count.written);
	log_u64("hostile", chan->count.hostile);
	log_end();
}

/* Has KVM turn the guest's signals for this channel into events, or not any more. */
static void channel_connect(struct channel *chan, bool on)
{
	struct kvm_hyperv_eventfd event = {
		.conn_id = VMBUS_CHANNEL_CONNECTION(chan->relid), .fd = chan->signal.fd,
		.flags = on ? 0 : KVM_HYPERV_EVENTFD_DEASSIGN,
	};

	if (ioctl(bus.vm->fd, KVM_HYPERV_EVENTFD, &event) && on)
		die("KVM_HYPERV_EVENTFD: %s", strerror(errno));
}

static void channel_signalled(void *arg)
{
	struct channel *chan = arg;

	chan->count.signals_in += loop_drain(chan->signal.fd);
	if (chan->state == CHANNEL_OPEN)
		channel_poll(chan);
}

static void channel_rescind_late(void *arg)
{
	struct channel *chan = arg;

	offer_withdraw(chan);
}

static void channel_open_result(struct channel *chan, u32 status)
{
	struct msg_open_result answer = {
		.head.type = MSG_OPEN_RESULT, .relid = chan->relid,
		.open_id = chan->open_id, .status = status,
	};

	bus_send(&answer, sizeof(answer));
}

/* What was sent meanwhile came before the answer. */
static void channel_answer_late(void *arg)
{
	struct channel *chan = arg;

	channel_log(chan, "open-answer");
	log_u64("sent", chan->count.sent);
	log_end();
	channel_open_result(chan, NT_SUCCESS);
}

/* Numbers go round: one that was just released does not come back at once. */
static u32 channel_new_relid(void)
{
	u32 tries;

	for (tries = 1; tries < BUS_MAX_RELIDS; tries++) {
		bus.last_relid = bus.last_relid % (BUS_MAX_RELIDS - 1) + 1;
		if (!bus.channels[bus.last_relid])
			return bus.last_relid;
	}
	die("no channel number is left");
}

static void channel_send_offer(struct channel *chan)
{
	const struct offer *offer = chan->offer;
	struct msg_offer msg = {
		.head.type = MSG_OFFER, .type = offer->type, .instance = offer->instance,
		.flags = offer->flags, .mmio_megabytes = offer->mmio,
		.sub_channel = chan->sub, .relid = chan->relid,
		.monitor_id = offer->monitor && !chan->sub ? offer->monitor - 1 : 0xff,
		.monitor_allocated = offer->monitor && !chan->sub,
		.dedicated = offer->dedicated,
		.connection = VMBUS_CHANNEL_CONNECTION(chan->relid),
	};

	memcpy(msg.user, offer->user, sizeof(msg.user));
	if (offer->pipe)
		msg.pipe_mode = offer->pipe_mode;
	bus_send(&msg, sizeof(msg));
}

struct channel *channel_offer(struct offer *offer, u16 sub)
{
	struct channel *chan = xalloc(sizeof(*chan));

	chan->offer = offer;
	chan->sub = sub;
	chan->relid = channel_new_relid();
	bus.channels[chan->relid] = chan;
	chan->waiting_end = &chan->waiting;
	chan->poll.fire = channel_poll;
	chan->poll.arg = chan;
	chan->pace.arg = chan;
	chan->rescind.fire = channel_rescind_late;
	chan->rescind.arg = chan;
	chan->answer.fire = channel_answer_late;
	chan->answer.arg = chan;
	chan->signal.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	chan->signal.ready = channel_signalled;
	chan->signal.arg = chan;
	loop_watch(&chan->signal);
	channel_connect(chan, true);

	channel_log(chan, "offer");
	log_end();
	channel_send_offer(chan);
	return chan;
}

void channel_free(struct channel *chan)
{
	if (chan->state == CHANNEL_OPEN)
		channel_close(chan, "gone");
	silence_forget(chan);
	gpadl_drop_all(chan->relid);
	timer_clear(&chan->poll);
	timer_clear(&chan->pace);
	timer_clear(&chan->rescind);
	timer_clear(&chan->answer);
	channel_connect(chan, false);
	loop_forget(&chan->signal);
	close(chan->signal.fd);
	bus.channels[chan->relid] = NULL;
	free(chan);
}

/* A GPADL before the opening is the one of the rings. */
u32 channel_gpadl_status(struct channel *chan)
{
	const struct offer *offer = chan->offer;
	bool open = chan->state == CHANNEL_OPEN;

	if (offer->gpadl_refuse == REFUSE_ALL ||
	    (offer->gpadl_refuse == REFUSE_RINGS && !open) ||
	    (offer->gpadl_refuse == REFUSE_BUFFERS && open))
		return offer->gpadl_status;
	return NT_SUCCESS;
}

static void channel_unmap(struct channel *chan)
{
	ring_unmap(&chan->in);
	ring_unmap(&chan->out);
	free(chan->ring_pfns);
	chan->ring_pfns = NULL;
	if (chan->gpadl)
		chan->gpadl->in_use = false;
	chan->gpadl = NULL;
}

/* All pages of a GPADL of whole pages, or NULL. */
static u64 *channel_whole_pages(const struct ranges *ranges, u32 *count)
{
	u64 *pfns = xalloc(ranges->length / PAGE_SIZE * sizeof(u64) + 1);
	u32 i;

	*count = 0;
	for (i = 0; i < ranges->count; i++) {
		const struct range *r = &ranges->list[i];

		if (r->offset || r->length % PAGE_SIZE) {
			free(pfns);
			return NULL;
		}
		memcpy(pfns + *count, r->pfns, r->pages * sizeof(u64));
		*count += r->pages;
	}
	return pfns;
}

static const char *channel_map(struct channel *chan, const struct msg_open *msg)
{
	u32 pages, down = msg->downstream_page;

	chan->gpadl = gpadl_find(chan->relid, msg->gpadl);
	if (!chan->gpadl)
		return "open with a GPADL that does not exist";
	chan->ring_pfns = channel_whole_pages(&chan->gpadl->ranges, &pages);
	if (!chan->ring_pfns)
		return "open with rings that are no whole pages";
	if (down >= pages || !ring_map(&chan->in, bus.vm, chan->ring_pfns, down) ||
	    !ring_map(&chan->out, bus.vm, chan->ring_pfns + down, pages - down))
		return "open with rings that are too small or no memory";
	chan->gpadl->in_use = true;
	WRITE_ONCE(&chan->out.head->features, RING_HAS_PENDING_SEND_SIZE);
	return NULL;
}

static void channel_opened(struct channel *chan)
{
	const struct offer *offer = chan->offer;

	chan->state = CHANNEL_OPEN;
	chan->broken = false;
	memset(&chan->count, 0, sizeof(chan->count));
	if (!chan->sub) {
		chan->offer->sub_count = offer->behaviour->subs_when_asked ? 0 : offer->subs;
		offer_subs(chan->offer);
		if (offer->rescind_ms)
			timer_set(&chan->rescind, offer->rescind_ms * 1000);
		if (offer->monitor)
			monitor_start();
	}
	if (offer->behaviour->opened)
		offer->behaviour->opened(chan);
	hostile_opened(chan);
	/* The guest may have sent before it was told. */
	channel_poll(chan);
}

void channel_open(struct channel *chan, const struct msg_open *msg)
{
	u32 status = chan->offer->open_status;
	const char *wrong = NULL;

	chan->open_id = msg->open_id;
	if (chan->state == CHANNEL_RESCINDED) {
		/* On its way when the offer was withdrawn: guests do not wait for it. */
		channel_log(chan, "open-after-rescind");
		log_end();
		return;
	}
	if (offer_withdraw_at(chan, POINT_OPEN))
		return;
	if (chan->state == CHANNEL_OFFERED && silence_keeps(chan, SILENT_OPEN, msg, sizeof(*msg)))
		return;
	if (chan->state == CHANNEL_OPEN)
		wrong = "open of a channel that is open";
	else if (msg->target_vp >= bus.vm->cpus)
		wrong = "open for a processor that does not exist";
	else if (!status)
		wrong = channel_map(chan, msg);
	if (wrong) {
		bus_violation(chan, wrong);
		status = NT_UNSUCCESSFUL;
		if (chan->state != CHANNEL_OPEN)
			channel_unmap(chan);
	}

	channel_log(chan, "open");
	log_u64("vp", msg->target_vp);
	if (!status) {
		log_u64("in_bytes", chan->in.size);
		log_u64("out_bytes", chan->out.size);
	}
	log_hex("status", status);
	log_end();
	chan->vp = status ? chan->vp : msg->target_vp;
	if (status || !chan->offer->open_delay)
		channel_open_result(chan, status);
	else
		timer_set(&chan->answer, chan->offer->open_delay * 1000);
	if (!status)
		channel_opened(chan);
}

void channel_close_asked(struct channel *chan, const struct msg_channel *msg)
{
	if (silence_keeps(chan, SILENT_CLOSE, msg, sizeof(*msg)))
		chan->closing = true;
	else
		channel_close(chan, "by the guest");
}

void channel_close(struct channel *chan, const char *why)
{
	if (chan->in.head) {
		hostile_closed(chan);
		if (chan->offer->behaviour->closed)
			chan->offer->behaviour->closed(chan);
		channel_log(chan, "close");
		log_str("why", why);
		log_end();
		channel_account(chan);
	}
	timer_clear(&chan->poll);
	timer_clear(&chan->pace);
	timer_clear(&chan->rescind);
	timer_clear(&chan->answer);
	chan->closing = false;
	channel_drop_waiting(chan);
	channel_unmap(chan);
	free(chan->priv);
	chan->priv = NULL;
	if (chan->state != CHANNEL_OPEN)
		return;
	chan->state = CHANNEL_OFFERED;
	/* The next opening of a primary has sub-channels of its own. */
	if (!chan->sub)
		offer_rescind_subs(chan->offer);
}

void channel_rescind(struct channel *chan)
{
	struct msg_channel msg = { .head.type = MSG_RESCIND, .relid = chan->relid };

	if (chan->state == CHANNEL_RESCINDED)
		return;
	if (chan->state == CHANNEL_OPEN)
		channel_close(chan, "rescinded");
	chan->state = CHANNEL_RESCINDED;
	channel_log(chan, "rescind");
	log_end();
	bus_send(&msg, sizeof(msg));
}
