/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the user wants, in words: in a file, on the command line, or while the
 * guest runs.
 */
#ifndef VMBHOST_SCENARIO_H
#define VMBHOST_SCENARIO_H

/* Dies with a message that names @where if the words make no sense. */
void scenario_line(const char *where, const char *line);
void scenario_file(const char *file);
/* Lines that arrive there are obeyed at once. */
void scenario_control(const char *fifo);
/* The guest has asked for offers: "at" counts from now. */
void scenario_begin(void);
/* All the words that an offer can have, for --help. */
void scenario_help(void);

#endif /* VMBHOST_SCENARIO_H */
