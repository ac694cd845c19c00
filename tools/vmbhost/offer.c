// SPDX-License-Identifier: GPL-2.0
/*
 * Offers: made, withdrawn, made again.
 */
#include <stdio.h>
#include <string.h>

#include "behaviour.h"
#include "bus.h"
#include "channel.h"
#include "log.h"
#include "scenario.h"

/* A class of our own, for offers that name none. */
static const struct guid offer_default_type = { {
	0x4f, 0xd2, 0x6a, 0x7b, 0x18, 0xe5, 0x3c, 0x49,
	0x9a, 0x60, 0x76, 0x6d, 0x62, 0x68, 0x6f, 0x73,
} };

static u32 offer_count;

static void offer_timer(void *arg)
{
	offer_now(arg);
}

void offer_add(struct offer *offer)
{
	static const struct guid none;
	struct offer **end = &bus.offers;

	offer_count++;
	if (!offer->name[0])
		snprintf(offer->name, sizeof(offer->name), "offer%u", offer_count);
	if (offer_by_name(offer->name))
		die("two offers are named %s", offer->name);
	if (!memcmp(&offer->type, &none, sizeof(none)))
		offer->type = offer->behaviour->type;
	if (!memcmp(&offer->type, &none, sizeof(none)))
		offer->type = offer_default_type;
	if (!memcmp(&offer->instance, &none, sizeof(none))) {
		offer->instance = offer_default_type;
		offer->instance.b[15] = offer_count;
	}
	offer->timer.fire = offer_timer;
	offer->timer.arg = offer;
	while (*end)
		end = &(*end)->next;
	*end = offer;
}

struct offer *offer_by_name(const char *name)
{
	struct offer *offer;

	for (offer = bus.offers; offer; offer = offer->next)
		if (!strcmp(offer->name, name))
			return offer;
	return NULL;
}

void offer_all(void)
{
	struct msg_header all = { .type = MSG_ALL_OFFERS };
	struct offer *offer;

	for (offer = bus.offers; offer; offer = offer->next) {
		if (offer->there)
			offer_now(offer);
		else if (offer->hidden)
			continue;
		else if (offer->delay)
			timer_set(&offer->timer, offer->delay * 1000);
		else
			offer_now(offer);
		offer->there = false;
	}
	bus_send(&all, sizeof(all));
	scenario_begin();
}

void offer_now(struct offer *offer)
{
	if (!bus.version)
		return;
	if (!offer->primary)
		offer->primary = channel_offer(offer, 0);
	else if (offer->primary->state == CHANNEL_RESCINDED)
		offer->wanted = true;
}

void offer_subs(struct offer *offer)
{
	u32 i;

	for (i = 0; i < offer->sub_count; i++)
		if (!offer->sub[i])
			offer->sub[i] = channel_offer(offer, i + 1);
}

void offer_rescind_subs(struct offer *offer)
{
	u32 i;

	for (i = 0; i < offer->subs; i++)
		if (offer->sub[i])
			channel_rescind(offer->sub[i]);
}

/* Sub-channels first: guests close them before their primary. */
void offer_rescind(struct offer *offer)
{
	offer_rescind_subs(offer);
	if (offer->primary)
		channel_rescind(offer->primary);
}

bool offer_withdraw(struct channel *chan)
{
	struct offer *offer = chan->offer;

	if ((offer->rescinds && offer->rescinded >= offer->rescinds) ||
	    (offer->rescind_subs && !chan->sub))
		return false;
	offer->rescinded++;
	if (offer->rescind_subs)
		channel_rescind(chan);
	else
		offer_rescind(offer);
	return true;
}

bool offer_withdraw_at(struct channel *chan, enum offer_point point)
{
	struct offer *offer = chan->offer;

	if (offer->rescind_at != point || chan->state != CHANNEL_OFFERED ||
	    !offer_withdraw(chan))
		return false;
	log_begin("rescind-at");
	log_str("offer", offer->name);
	log_u64("relid", chan->relid);
	log_end();
	return true;
}

/* The primary is free to be offered again. */
static void offer_again(struct offer *offer)
{
	if (offer->wanted) {
		offer->wanted = false;
		offer_now(offer);
	} else if (offer->reoffer &&
		   (!offer->reoffers || offer->reoffered < offer->reoffers)) {
		offer->reoffered++;
		timer_set(&offer->timer, offer->reoffer_ms * 1000);
	}
}

void offer_released(struct channel *chan)
{
	struct offer *offer = chan->offer;
	bool primary = chan == offer->primary;

	log_begin("released");
	log_str("offer", offer->name);
	log_u64("relid", chan->relid);
	log_end();
	if (primary)
		offer->primary = NULL;
	else
		offer->sub[chan->sub - 1] = NULL;
	channel_free(chan);
	if (primary)
		offer_again(offer);
	else if (offer->primary && offer->primary->state == CHANNEL_OPEN)
		offer_subs(offer); /* the primary was opened anew before this */
}

void offer_reset_all(void)
{
	struct offer *offer;
	u32 i;

	for (offer = bus.offers; offer; offer = offer->next) {
		timer_clear(&offer->timer);
		offer->there |= offer->wanted ||
			(offer->primary && offer->primary->state != CHANNEL_RESCINDED);
		offer->rescinded = 0;
		offer->reoffered = 0;
		offer->openings = 0;
		offer->kept_silent = 0;
		offer->honest = false;
		offer->wanted = false;
		for (i = 0; i < offer->subs; i++) {
			if (offer->sub[i])
				channel_free(offer->sub[i]);
			offer->sub[i] = NULL;
		}
		if (offer->primary)
			channel_free(offer->primary);
		offer->primary = NULL;
	}
}
