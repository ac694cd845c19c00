/* SPDX-License-Identifier: GPL-2.0 */
/* A folder for each channel in debugfs, where the kernel has that. */
#ifndef VMBKMCL_DEBUGFS_H
#define VMBKMCL_DEBUGFS_H

#include "kmcl.h"

struct seq_file;

#ifdef CONFIG_DEBUG_FS
void kmcl_debugfs_init(void);
void kmcl_debugfs_exit(void);
void kmcl_debugfs_add(struct kmcl_channel *chan);
void kmcl_debugfs_remove(struct kmcl_channel *chan);

/* The name of the channel's folder; empty before it was enabled for the first time. */
static inline const char *kmcl_debugfs_name(const struct kmcl_channel *chan)
{
	return chan->debug.name;
}

/* report.c */
void kmcl_report(struct seq_file *m, struct kmcl_channel *chan, bool json);
#else
static inline void kmcl_debugfs_init(void)
{
}

static inline void kmcl_debugfs_exit(void)
{
}

static inline void kmcl_debugfs_add(struct kmcl_channel *chan)
{
}

static inline void kmcl_debugfs_remove(struct kmcl_channel *chan)
{
}
#endif

#endif
