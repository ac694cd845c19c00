/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's log, for the lines that an administrator is to find there. */
#ifndef VMBKMCL_KUNIT_LOG_H
#define VMBKMCL_KUNIT_LOG_H

#include <linux/kmsg_dump.h>

/* Lines with @text among those logged since @mark, which moves to the end. */
u32 log_lines(struct kmsg_dump_iter *mark, const char *text);

/* The end of the log. */
static inline struct kmsg_dump_iter log_mark(void)
{
	struct kmsg_dump_iter mark;

	kmsg_dump_rewind(&mark);
	log_lines(&mark, "");
	return mark;
}

#endif
