// SPDX-License-Identifier: GPL-2.0
/*
 * Silence: requests that the host takes notice of and never answers. A rescind
 * is all that ends a guest's wait for them.
 */
#include <stdlib.h>
#include <string.h>

#include "channel.h"
#include "log.h"
#include "silence.h"

struct unanswered {
	struct unanswered *next;
	u8 len;
	u8 msg[];
};

static const char *const silence_names[SILENCES] = {
	[SILENT_OPEN] = "open", [SILENT_RINGS] = "rings", [SILENT_GPADL] = "gpadl",
	[SILENT_TEARDOWN] = "teardown", [SILENT_CLOSE] = "close",
	[SILENT_RELEASE] = "release",
};

enum silence silence_by_name(const char *name)
{
	u32 i;

	for (i = 0; i < SILENCES && strcmp(silence_names[i], name); i++)
		;
	return i;
}

void silence_keep(struct channel *chan, const void *msg, u8 len)
{
	struct unanswered *kept = xalloc(sizeof(*kept) + len), **end = &chan->unanswered;

	kept->len = len;
	memcpy(kept->msg, msg, len);
	while (*end)
		end = &(*end)->next;
	*end = kept;
}

bool silence_keeps(struct channel *chan, enum silence what, const void *msg, u8 len)
{
	struct offer *offer = chan->offer;

	if (offer->honest || !(offer->silent & 1u << what) ||
	    (offer->silences && offer->kept_silent >= offer->silences))
		return false;
	offer->kept_silent++;
	log_begin("silent");
	log_str("offer", offer->name);
	log_u64("relid", chan->relid);
	if (chan->sub)
		log_u64("sub", chan->sub);
	log_str("to", silence_names[what]);
	log_end();
	silence_keep(chan, msg, len);
	return true;
}

void silence_forget(struct channel *chan)
{
	struct unanswered *kept;

	while ((kept = chan->unanswered)) {
		chan->unanswered = kept->next;
		free(kept);
	}
}

static void silence_end_one(struct channel *chan)
{
	struct unanswered *kept, *next;

	if (!chan)
		return;
	kept = chan->unanswered;
	chan->unanswered = NULL;
	/* The last one may be the end of the channel. */
	for (; kept; kept = next) {
		next = kept->next;
		if (((struct msg_header *)kept->msg)->type == MSG_GPADL_CREATED)
			bus_send(kept->msg, kept->len);
		else
			bus_handle(kept->msg, kept->len);
		free(kept);
	}
}

void silence_end(struct offer *offer)
{
	u32 i;

	offer->honest = true;
	for (i = 0; i < offer->subs; i++)
		silence_end_one(offer->sub[i]);
	silence_end_one(offer->primary);
}
