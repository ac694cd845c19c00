/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For what another thread does: no time is long enough for it on each machine, so a
 * case waits until it is done. A time is for what is not to happen.
 */
#ifndef VMBKMCL_KUNIT_EVENTUALLY_H
#define VMBKMCL_KUNIT_EVENTUALLY_H

#include <kunit/test.h>
#include <linux/delay.h>

/* Waits until @cond holds, 5 s at most. */
#define EVENTUALLY(test, cond) do {					\
	bool __met = false;						\
	int __ms;							\
									\
	for (__ms = 0; !__met && __ms < 5000; __ms++) {			\
		__met = (cond);						\
		if (!__met)						\
			usleep_range(1000, 1100);			\
	}								\
	KUNIT_EXPECT_TRUE_MSG(test, __met, "still not: " #cond);	\
} while (0)

#endif
