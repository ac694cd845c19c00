/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Allocations that fail: one of a call's, by its number. Needs CONFIG_FAILSLAB, and
 * failslab/ignore-gfp-wait off in debugfs.
 */
#ifndef VMBKMCL_KUNIT_FAILURE_H
#define VMBKMCL_KUNIT_FAILURE_H

#include <linux/fault-inject.h>
#include <linux/sched.h>

/* Makes @call with its @nth allocation failing; false: it had no @nth one. */
#define WITH_FAILURE(nth, call) ({					\
	current->fail_nth = (nth);					\
	call;								\
	bool __hit = !current->fail_nth;				\
									\
	current->fail_nth = 0;						\
	__hit;								\
})

#endif
