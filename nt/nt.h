/* SPDX-License-Identifier: GPL-2.0 */
/* What the NT words that are more than an inline share. */
#ifndef VMBKMCL_NT_H
#define VMBKMCL_NT_H

#include <linux/workqueue.h>

struct page;

/* What cannot be done at DISPATCH_LEVEL, and work items, which may not sleep. */
extern struct workqueue_struct *nt_wq;

struct page *nt_page_of(const void *address);

int nt_init(void);
void nt_exit(void);

#endif
