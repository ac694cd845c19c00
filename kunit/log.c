// SPDX-License-Identifier: GPL-2.0
/* The kernel's log: see log.h. */
#include <linux/string.h>

#include "log.h"

u32 log_lines(struct kmsg_dump_iter *mark, const char *text)
{
	char line[512];
	size_t len;
	u32 n = 0;

	while (kmsg_dump_get_line(mark, false, line, sizeof(line) - 1, &len)) {
		line[len] = '\0';
		n += !!strstr(line, text);
	}
	return n;
}
