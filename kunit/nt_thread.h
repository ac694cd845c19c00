/* SPDX-License-Identifier: GPL-2.0 */
/* Threads of the NT words, for suites about what threads wait for. */
#ifndef VMBKMCL_KUNIT_NT_THREAD_H
#define VMBKMCL_KUNIT_NT_THREAD_H

#include <kunit/test.h>

#include <ntddk.h>

#define MS	10000LL		/* in units of 100 ns */

/* As good as for ever, but then a case fails instead of hanging. */
#define EVER	(-20000 * MS)

/* Statuses are numbers with the top bit set: shown as such when they differ. */
#define EXPECT_STATUS(test, call, status) \
	KUNIT_EXPECT_EQ(test, (u32)(call), (u32)(status))

static inline NTSTATUS wait_for(void *object, LONGLONG timeout)
{
	LARGE_INTEGER limit = { .QuadPart = timeout };

	return KeWaitForSingleObject(object, Executive, KernelMode, FALSE, &limit);
}

/* Starts a thread; its object, to be given to thread_join(). */
static inline PVOID thread_start(struct kunit *test, KSTART_ROUTINE *routine, void *context)
{
	PVOID thread = NULL;
	HANDLE handle;

	KUNIT_ASSERT_EQ(test, PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL,
						   NULL, routine, context), STATUS_SUCCESS);
	EXPECT_STATUS(test, ObReferenceObjectByHandle(handle, SYNCHRONIZE, *PsThreadType,
						      KernelMode, &thread, NULL),
		      STATUS_SUCCESS);
	EXPECT_STATUS(test, ZwClose(handle), STATUS_SUCCESS);
	return thread;
}

static inline void thread_join(struct kunit *test, PVOID thread)
{
	EXPECT_STATUS(test, wait_for(thread, EVER), STATUS_SUCCESS);
	ObDereferenceObject(thread);
}

#endif
