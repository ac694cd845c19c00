/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the host never answers.
 */
#ifndef VMBHOST_SILENCE_H
#define VMBHOST_SILENCE_H

#include "vmbhost.h"

struct channel;

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
/* True if the host does not answer this to @chan's guest. */
bool silence_keeps(struct channel *chan, enum silence what);

#endif /* VMBHOST_SILENCE_H */
