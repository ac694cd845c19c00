// SPDX-License-Identifier: GPL-2.0
/*
 * GPADLs: guest memory that the guest describes once, in one message or many,
 * and then names by a handle.
 */
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "channel.h"
#include "log.h"
#include "silence.h"

static struct gpadl **gpadl_at(u32 handle)
{
	struct gpadl **at = &bus.gpadls;

	while (*at && (*at)->handle != handle)
		at = &(*at)->next;
	return at;
}

static void gpadl_free(struct gpadl **at)
{
	struct gpadl *gpadl = *at;

	*at = gpadl->next;
	ranges_free(&gpadl->ranges);
	free(gpadl->raw);
	free(gpadl);
}

static void gpadl_log_answer(const struct msg_gpadl_created *msg)
{
	log_begin("gpadl");
	log_u64("relid", msg->relid);
	log_hex("gpadl", msg->gpadl);
	log_hex("status", msg->status);
	log_end();
}

static void gpadl_refuse(const struct msg_gpadl_header *asked)
{
	struct msg_gpadl_created msg = {
		.head.type = MSG_GPADL_CREATED, .relid = asked->relid, .gpadl = asked->gpadl,
		.status = NT_UNSUCCESSFUL,
	};

	gpadl_log_answer(&msg);
	bus_send(&msg, sizeof(msg));
}

static void gpadl_answer(struct channel *chan, const struct gpadl *gpadl, u32 status)
{
	const enum silence what = gpadl->rings ? SILENT_RINGS : SILENT_GPADL;
	struct msg_gpadl_created msg = {
		.head.type = MSG_GPADL_CREATED, .relid = gpadl->relid,
		.gpadl = gpadl->handle, .status = status,
	};

	if (chan && silence_keeps(chan, what, &msg, sizeof(msg)))
		return;
	gpadl_log_answer(&msg);
	bus_send(&msg, sizeof(msg));
}

static void gpadl_complete(struct gpadl *gpadl)
{
	struct channel *chan = channel_find(gpadl->relid);
	const char *wrong;
	u32 status;

	wrong = ranges_parse(&gpadl->ranges, gpadl->raw, gpadl->bytes, gpadl->range_count,
			     NULL);
	free(gpadl->raw);
	gpadl->raw = NULL;
	if (wrong)
		bus_violation(chan, wrong);
	else if (chan && offer_withdraw_at(chan, POINT_GPADL_BODY))
		return;

	status = wrong ? NT_UNSUCCESSFUL : chan ? channel_gpadl_status(chan) : NT_SUCCESS;
	if (!status) {
		log_begin("gpadl-memory");
		log_hex("gpadl", gpadl->handle);
		log_u64("ranges", gpadl->ranges.count);
		log_u64("bytes", gpadl->ranges.length);
		log_end();
	}
	gpadl_answer(chan, gpadl, status);
	if (status)
		gpadl_free(gpadl_at(gpadl->handle));
}

static void gpadl_add(struct gpadl *gpadl, const void *ranges, u32 len)
{
	/* The last message may be padded. */
	if (len > gpadl->bytes - gpadl->have)
		len = gpadl->bytes - gpadl->have;
	memcpy(gpadl->raw + gpadl->have, ranges, len);
	gpadl->have += len;
	if (gpadl->have == gpadl->bytes)
		gpadl_complete(gpadl);
}

void gpadl_header(const struct msg_gpadl_header *msg, u32 len)
{
	struct gpadl *gpadl;

	if (!channel_find(msg->relid)) {
		bus_violation(NULL, "a GPADL for a channel that does not exist");
		gpadl_refuse(msg);
		return;
	}
	if (!msg->gpadl || *gpadl_at(msg->gpadl) || !msg->ranges_bytes) {
		bus_violation(channel_find(msg->relid),
			      "a GPADL without a handle of its own, or empty");
		gpadl_refuse(msg);
		return;
	}
	gpadl = xalloc(sizeof(*gpadl));
	gpadl->handle = msg->gpadl;
	gpadl->relid = msg->relid;
	gpadl->rings = channel_find(msg->relid)->state != CHANNEL_OPEN;
	gpadl->bytes = msg->ranges_bytes;
	gpadl->range_count = msg->range_count;
	gpadl->raw = xalloc(gpadl->bytes);
	gpadl->next = bus.gpadls;
	bus.gpadls = gpadl;
	/* All that is left of it comes, and is answered, when the guest has been told. */
	offer_withdraw_at(channel_find(msg->relid), POINT_GPADL);
	gpadl_add(gpadl, msg->ranges, len - sizeof(*msg));
}

void gpadl_body(const struct msg_gpadl_body *msg, u32 len)
{
	struct gpadl *gpadl = *gpadl_at(msg->gpadl);

	if (!gpadl || !gpadl->raw)
		bus_violation(NULL, "a GPADL body without a header that waits for it");
	else
		gpadl_add(gpadl, msg->ranges, len - sizeof(*msg));
}

static bool gpadl_keeps_silent(const struct gpadl *gpadl, struct channel *chan,
			       const struct msg_gpadl_teardown *msg)
{
	/* What the host has not closed it does not give back. */
	if (gpadl->in_use && chan->closing) {
		silence_keep(chan, msg, sizeof(*msg));
		return true;
	}
	return !gpadl->rings && silence_keeps(chan, SILENT_TEARDOWN, msg, sizeof(*msg));
}

static void gpadl_give_back(struct gpadl **at, struct channel *chan)
{
	/* The rings would go away under our hands. */
	if ((*at)->in_use) {
		bus_violation(chan, "teardown of the rings of an open channel");
		channel_close(chan, "its rings are gone");
	}
	log_begin("gpadl-teardown");
	log_u64("relid", (*at)->relid);
	log_hex("gpadl", (*at)->handle);
	log_end();
	gpadl_free(at);
}

void gpadl_teardown(const struct msg_gpadl_teardown *msg)
{
	struct msg_gpadl_torndown answer = {
		.head.type = MSG_GPADL_TORNDOWN, .gpadl = msg->gpadl,
	};
	struct gpadl **at = gpadl_at(msg->gpadl);
	struct channel *chan = channel_find(msg->relid);
	bool known = *at && (*at)->relid == msg->relid;

	if (known && gpadl_keeps_silent(*at, chan, msg))
		return;
	if (known)
		gpadl_give_back(at, chan);
	else
		bus_violation(chan, "teardown of a GPADL that does not exist");
	bus_send(&answer, sizeof(answer));
}

struct gpadl *gpadl_find(u32 relid, u32 handle)
{
	struct gpadl *gpadl = *gpadl_at(handle);

	return gpadl && gpadl->relid == relid && !gpadl->raw ? gpadl : NULL;
}

void gpadl_drop_all(u32 relid)
{
	struct gpadl **at = &bus.gpadls;

	while (*at) {
		if ((*at)->relid != relid) {
			at = &(*at)->next;
			continue;
		}
		log_begin("gpadl-left");
		log_u64("relid", relid);
		log_hex("gpadl", (*at)->handle);
		log_end();
		gpadl_free(at);
	}
}
