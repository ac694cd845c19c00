/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Processors. Windows counts them in groups of 64; here is one group, for no more than that
 * fit into it, and by an index all of them. Part of <wdm.h>.
 */
#ifndef _NT_PROCESSOR_H
#define _NT_PROCESSOR_H

#include <linux/cpumask.h>
#include <linux/minmax.h>
#include <linux/smp.h>

#include <ntstatus.h>

#define ALL_PROCESSOR_GROUPS		0xffff
#define MAXIMUM_PROC_PER_GROUP		64

typedef struct _PROCESSOR_NUMBER {
	USHORT Group;
	UCHAR Number;
	UCHAR Reserved;
} PROCESSOR_NUMBER, *PPROCESSOR_NUMBER;

static inline ULONG KeQueryActiveProcessorCountEx(USHORT GroupNumber)
{
	UNREFERENCED_PARAMETER(GroupNumber);
	return num_online_cpus();
}

/* One more than the largest index that there may be. */
static inline ULONG KeQueryMaximumProcessorCountEx(USHORT GroupNumber)
{
	UNREFERENCED_PARAMETER(GroupNumber);
	return nr_cpu_ids;
}

static inline ULONG KeQueryActiveProcessorCount(PKAFFINITY ActiveProcessors)
{
	if (ActiveProcessors)
		*ActiveProcessors = cpumask_bits(cpu_online_mask)[0];
	return min_t(ULONG, num_online_cpus(), MAXIMUM_PROC_PER_GROUP);
}

#define KeQueryMaximumProcessorCount()	\
	min_t(ULONG, nr_cpu_ids, MAXIMUM_PROC_PER_GROUP)

/* A hint only, where the caller may be moved to another one. */
static inline ULONG KeGetCurrentProcessorNumberEx(PPROCESSOR_NUMBER ProcNumber)
{
	ULONG index = raw_smp_processor_id();

	if (ProcNumber)
		*ProcNumber = (PROCESSOR_NUMBER) {
			.Group = index / MAXIMUM_PROC_PER_GROUP,
			.Number = index % MAXIMUM_PROC_PER_GROUP,
		};
	return index;
}

#define KeGetCurrentProcessorNumber()	KeGetCurrentProcessorNumberEx(NULL)

static inline NTSTATUS KeGetProcessorNumberFromIndex(ULONG ProcIndex,
						     PPROCESSOR_NUMBER ProcNumber)
{
	if (ProcIndex >= nr_cpu_ids)
		return STATUS_INVALID_PARAMETER;
	*ProcNumber = (PROCESSOR_NUMBER) {
		.Group = ProcIndex / MAXIMUM_PROC_PER_GROUP,
		.Number = ProcIndex % MAXIMUM_PROC_PER_GROUP,
	};
	return STATUS_SUCCESS;
}

#endif /* _NT_PROCESSOR_H */
