/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where what the suites use differs between kernels. They are written for the
 * newest one.
 */
#ifndef VMBKMCL_KUNIT_COMPAT_H
#define VMBKMCL_KUNIT_COMPAT_H

#include <linux/version.h>

/*
 * The parameters of a function that makes a case's parameters. Since 6.18 it is
 * given the test as well.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
#define KUNIT_GENERATOR_ARGS	const void *prev, char *desc
#else
#define KUNIT_GENERATOR_ARGS	struct kunit *test, const void *prev, char *desc
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
#define timer_destroy_on_stack(timer)	destroy_timer_on_stack(timer)
#endif

#endif
