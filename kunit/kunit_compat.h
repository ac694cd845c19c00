/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where what the suites use differs between kernels. They are written for the
 * newest one.
 */
#ifndef VMBKMCL_KUNIT_COMPAT_H
#define VMBKMCL_KUNIT_COMPAT_H

#include <kunit/test.h>
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

/* What KUnit has not yet in 6.1. */
#ifndef KUNIT_EXPECT_MEMEQ
#define KUNIT_EXPECT_MEMEQ(test, left, right, size)	\
	KUNIT_EXPECT_EQ(test, memcmp(left, right, size), 0)
#endif

#ifndef KUNIT_CASE_SLOW
#define KUNIT_CASE_SLOW(function)	KUNIT_CASE(function)
#endif

#ifndef KUNIT_ARRAY_PARAM_DESC
static inline const void *kunit_compat_next(const void *prev, const void *array, size_t bytes,
					    size_t element, size_t member, char *desc)
{
	const void *next = prev ? prev + element : array;

	if (next == array + bytes)
		return NULL;
	strscpy(desc, *(const char *const *)(next + member), KUNIT_PARAM_DESC_SIZE);
	return next;
}

#define KUNIT_ARRAY_PARAM_DESC(prefix, array, member)				\
	static const void *prefix##_gen_params(const void *prev, char *desc)	\
	{									\
		return kunit_compat_next(prev, array, sizeof(array),		\
					 sizeof((array)[0]),			\
					 offsetof(typeof((array)[0]), member), desc); \
	}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
#include <kunit/resource.h>
#include <linux/slab.h>

struct kunit_compat_action {
	struct kunit_resource res;	/* KUnit frees it, so it is the first */
	void (*action)(void *context);
};

static inline void kunit_compat_run(struct kunit_resource *res)
{
	container_of(res, struct kunit_compat_action, res)->action(res->data);
}

static inline int kunit_add_action_or_reset(struct kunit *test, void (*action)(void *context),
					    void *context)
{
	struct kunit_compat_action *a = kzalloc(sizeof(*a), GFP_KERNEL);

	if (!a) {
		action(context);
		return -ENOMEM;
	}
	a->action = action;
	a->res.should_kfree = true;
	return __kunit_add_resource(test, NULL, kunit_compat_run, &a->res, context);
}
#endif

#endif
