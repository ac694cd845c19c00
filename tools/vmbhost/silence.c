// SPDX-License-Identifier: GPL-2.0
/*
 * Silence: requests that the host takes notice of and never answers. A rescind
 * is all that ends a guest's wait for them.
 */
#include <string.h>

#include "channel.h"
#include "log.h"
#include "silence.h"

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

bool silence_keeps(struct channel *chan, enum silence what)
{
	struct offer *offer = chan->offer;

	if (!(offer->silent & 1u << what) ||
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
	return true;
}
