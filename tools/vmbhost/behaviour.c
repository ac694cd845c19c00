// SPDX-License-Identifier: GPL-2.0
/*
 * The simple behaviours, and the list of all.
 */
#include <string.h>

#include "behaviour.h"
#include "ic.h"

static void echo_packet(struct channel *chan, struct packet *pkt)
{
	channel_complete(chan, pkt, pkt->payload, pkt->len);
}

const struct behaviour behaviour_echo = {
	.name = "echo",
	.help = "completes every packet with its payload",
	.packet = echo_packet,
};

/* One packet an interval: the guest's ring stays full. */
static void slow_tick(void *arg)
{
	struct channel *chan = arg;
	u64 *budget = chan->priv;

	timer_set(&chan->pace, chan->offer->set.interval * 1000);
	*budget = chan->count.received + 1;
	channel_poll(chan);
}

static void slow_opened(struct channel *chan)
{
	chan->priv = xalloc(sizeof(u64));
	chan->pace.fire = slow_tick;
	timer_set(&chan->pace, chan->offer->set.interval * 1000);
}

static bool slow_may_read(struct channel *chan)
{
	const u64 *budget = chan->priv;

	return chan->count.received < *budget;
}

const struct behaviour behaviour_slow = {
	.name = "slow",
	.help = "completes one packet in interval=MS",
	.opened = slow_opened,
	.may_read = slow_may_read,
	.packet = echo_packet,
};

static bool silent_may_read(struct channel *chan)
{
	return chan->offer->set.read;
}

const struct behaviour behaviour_silent = {
	.name = "silent",
	.help = "never answers; with read=no it does not even look",
	.may_read = silent_may_read,
};

const struct behaviour *const behaviours[] = {
	&behaviour_echo, &behaviour_external, &behaviour_gpadl, &behaviour_source,
	&behaviour_slow, &behaviour_silent, &behaviour_storage, &behaviour_dynmem,
	&service_heartbeat.behaviour, &service_shutdown.behaviour,
	&service_timesync.behaviour, NULL,
};

const struct behaviour *behaviour_by_name(const char *name)
{
	u32 i;

	for (i = 0; behaviours[i]; i++)
		if (!strcmp(behaviours[i]->name, name))
			return behaviours[i];
	return NULL;
}
