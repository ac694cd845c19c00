/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the host never answers.
 */
#ifndef VMBHOST_SILENCE_H
#define VMBHOST_SILENCE_H

#include "vmbhost.h"

struct channel;
struct offer;

enum silence {
	SILENT_OPEN,		/* the channel stays closed */
	SILENT_RINGS,		/* the rings' GPADL: one that comes before the opening */
	SILENT_GPADL,		/* any other GPADL */
	SILENT_TEARDOWN,	/* of a GPADL that is not the rings' */
	SILENT_CLOSE,		/* the channel stays open, its rings stay the host's */
	SILENT_RELEASE,		/* a withdrawn channel keeps its number for ever */
	SILENCES,
};

/* SILENCES: there is no such. */
enum silence silence_by_name(const char *name);
/*
 * True if the host does not answer this to @chan's guest; @msg is the request, or the
 * answer to it, for a time when it does.
 */
bool silence_keeps(struct channel *chan, enum silence what, const void *msg, u8 len);
/* For one more request of the same kind, which has to wait for the first. */
void silence_keep(struct channel *chan, const void *msg, u8 len);
/* All of the offer's that has no answer has one now, and so has what comes. */
void silence_end(struct offer *offer);
void silence_forget(struct channel *chan);

#endif /* VMBHOST_SILENCE_H */
