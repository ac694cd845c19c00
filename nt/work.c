// SPDX-License-Identifier: GPL-2.0
/*
 * Work that waits for PASSIVE_LEVEL.
 */
#include "nt.h"

struct workqueue_struct *nt_wq;

int nt_init(void)
{
	/* No limit: one item may wait for another. */
	nt_wq = alloc_workqueue("vmbkmcl_nt", WQ_UNBOUND, 0);
	return nt_wq ? 0 : -ENOMEM;
}

void nt_exit(void)
{
	destroy_workqueue(nt_wq);
}
