// SPDX-License-Identifier: GPL-2.0
/*
 * The integration services themselves: heartbeat, shutdown, time synchronization.
 */
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "ic.h"
#include "log.h"
#include "vm.h"

/* From 1601 to 1970, in 100 ns. */
#define IC_EPOCH		116444736000000000ull
#define IC_SHUTDOWN_S		60

static void ic_again(struct channel *chan)
{
	timer_set(&chan->pace,
		  (chan->offer->set.ic_interval ?: ic_service(chan)->interval) * 1000);
}

static void heartbeat_tick(void *arg)
{
	struct channel *chan = arg;
	struct ic *ic = chan->priv;
	struct ic_heartbeat msg = { .sequence = ic->sequence + 1 };

	ic_again(chan);
	/* A guest that does not read gets no more. */
	if (chan->waiting)
		return;
	ic->sequence += 1;
	ic->asked[ic_request(chan, IC_HEARTBEAT, &msg, sizeof(msg))].sequence = ic->sequence;
}

static void heartbeat_ready(struct channel *chan)
{
	chan->pace.fire = heartbeat_tick;
	heartbeat_tick(chan);
}

static const char *heartbeat_answered(struct channel *chan, u8 transaction, const void *body,
				      u32 len)
{
	struct ic_heartbeat msg = { 0 };
	struct ic *ic = chan->priv;

	if (len < offsetof(struct ic_heartbeat, reserved))
		return "a heartbeat that is too short";
	memcpy(&msg, body, offsetof(struct ic_heartbeat, reserved));
	if (msg.sequence != ic->asked[transaction].sequence + 1)
		return "a heartbeat with a sequence number that is not the next";
	if (msg.state > IC_MAX_STATE)
		return "a heartbeat with a state that there is not";
	ic->state = msg.state;
	return NULL;
}

const struct ic_service service_heartbeat = {
	.behaviour = {
		.name = "heartbeat",
		.help = "the integration service: asks for a sign of life each ic-interval (2000)",
		.type = { { 0x39, 0x4f, 0x16, 0x57, 0x15, 0x91, 0x78, 0x4e,
			    0xab, 0x55, 0x38, 0x2f, 0x3b, 0xd5, 0x42, 0x2d } },
		.pipe = true,
		.opened = ic_opened,
		.packet = ic_packet,
		.closed = ic_closed,
	},
	.versions = { { 1, 0 }, { 3, 0 } },
	.interval = 2000,
	.ready = heartbeat_ready,
	.answered = heartbeat_answered,
};

static void timesync_send(struct channel *chan, u8 flags)
{
	const struct ic *ic = chan->priv;
	struct kvm_clock_data clock = { 0 };
	struct timespec now;
	u64 host;

	/* What the guest's reference counter counts, and the host's time right after it. */
	ioctl(bus.vm->fd, KVM_GET_CLOCK, &clock);
	clock_gettime(CLOCK_REALTIME, &now);
	host = IC_EPOCH + now.tv_sec * 10000000ull + now.tv_nsec / 100;
	if (ic->version.major >= 4) {
		struct ic_time_reference msg = {
			.host = host, .reference = clock.clock / 100, .flags = flags,
		};

		ic_request(chan, IC_TIMESYNC, &msg, sizeof(msg));
	} else {
		struct ic_time msg = { .host = host, .flags = flags };

		ic_request(chan, IC_TIMESYNC, &msg, sizeof(msg));
	}
	if (flags != IC_TIME_SYNC)
		return;
	log_begin("ic-time");
	log_str("offer", chan->offer->name);
	log_u64("relid", chan->relid);
	log_u64("seconds", now.tv_sec);
	log_end();
}

static void timesync_tick(void *arg)
{
	struct channel *chan = arg;

	ic_again(chan);
	if (!chan->waiting)
		timesync_send(chan, IC_TIME_SAMPLE);
}

static void timesync_ready(struct channel *chan)
{
	chan->pace.fire = timesync_tick;
	timesync_send(chan, IC_TIME_SYNC);
	ic_again(chan);
}

const struct ic_service service_timesync = {
	.behaviour = {
		.name = "timesync",
		.help = "the integration service: its time at once, then each ic-interval (5000)",
		.type = { { 0x30, 0xe6, 0x27, 0x95, 0xae, 0xd0, 0x7b, 0x49,
			    0xad, 0xce, 0xe8, 0x0a, 0xb0, 0x17, 0x5c, 0xaf } },
		.pipe = true,
		.opened = ic_opened,
		.packet = ic_packet,
		.closed = ic_closed,
	},
	.versions = { { 1, 0 }, { 3, 0 }, { 4, 0 } },
	.interval = 5000,
	.ready = timesync_ready,
};

const struct ic_service service_shutdown = {
	.behaviour = {
		.name = "shutdown",
		.help = "the integration service: has the guest shut down when told to",
		.type = { { 0x31, 0x60, 0x0b, 0x0e, 0x13, 0x52, 0x34, 0x49,
			    0x81, 0x8b, 0x38, 0xd9, 0x0c, 0xed, 0x39, 0xdb } },
		.pipe = true,
		.opened = ic_opened,
		.packet = ic_packet,
		.closed = ic_closed,
	},
	.versions = { { 1, 0 }, { 3, 0 }, { 3, 1 }, { 3, 2 } },
};

static void shutdown_send(struct offer *offer, u32 flags)
{
	const struct ic_shutdown msg = { .timeout_s = IC_SHUTDOWN_S, .flags = flags };
	const struct ic *ic = offer->primary ? offer->primary->priv : NULL;

	if (offer->behaviour == &service_shutdown.behaviour && ic && ic->stage == IC_STAGE_READY) {
		ic_request(offer->primary, IC_SHUTDOWN, &msg, sizeof(msg));
		return;
	}
	log_begin("command-refused");
	log_str("why", "no shutdown service that the guest uses");
	log_end();
}

void ic_power_off(struct offer *offer)
{
	shutdown_send(offer, 0);
}

void ic_restart(struct offer *offer)
{
	shutdown_send(offer, IC_SHUTDOWN_RESTART);
}

void ic_hibernate(struct offer *offer)
{
	shutdown_send(offer, IC_SHUTDOWN_HIBERNATE);
}
