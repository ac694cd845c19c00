/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tricks: what no honest host does.
 */
#ifndef VMBHOST_HOSTILE_H
#define VMBHOST_HOSTILE_H

struct channel;
struct trick_kind;

const struct trick_kind *trick_by_name(const char *name);
void tricks_help(void);

void hostile_opened(struct channel *chan);
/* After each packet from the guest. */
void hostile_packet(struct channel *chan);
/* Before the rings go away. */
void hostile_closed(struct channel *chan);

#endif /* VMBHOST_HOSTILE_H */
