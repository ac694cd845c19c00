/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Resources: locks that many threads share, or one has alone. Part of <wdm.h>; the
 * functions are in nt/resource.c.
 */
#ifndef _NT_RESOURCE_H
#define _NT_RESOURCE_H

#include <linux/list.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>

#include <ntdef.h>
#include <nt_object.h>
#include <ntstatus.h>

/* A thread that has a resource. The first few need no memory of their own. */
struct nt_owner {
	struct list_head node;
	struct task_struct *thread;	/* NULL: free */
	ULONG count;			/* 0: it waits yet */
};

#define NT_FEW_OWNERS	4

typedef struct _ERESOURCE {
	struct rw_semaphore Semaphore;	/* each owner has it once */
	spinlock_t Lock;		/* guards the rest */
	struct list_head Owners;
	struct task_struct *Exclusive;	/* the owner that has it alone */
	struct nt_owner Few[NT_FEW_OWNERS];
} ERESOURCE, *PERESOURCE;

VOID nt_initialize_resource(PERESOURCE resource);
BOOLEAN ExAcquireResourceSharedLite(PERESOURCE Resource, BOOLEAN Wait);
BOOLEAN ExAcquireResourceExclusiveLite(PERESOURCE Resource, BOOLEAN Wait);
VOID ExReleaseResourceLite(PERESOURCE Resource);
VOID ExConvertExclusiveToSharedLite(PERESOURCE Resource);
BOOLEAN ExIsResourceAcquiredExclusiveLite(PERESOURCE Resource);
ULONG ExIsResourceAcquiredSharedLite(PERESOURCE Resource);

/* For lockdep, each place that initializes resources makes a class of them. */
#define ExInitializeResourceLite(resource)	({	\
	PERESOURCE __resource = (resource);		\
							\
	init_rwsem(&__resource->Semaphore);		\
	nt_initialize_resource(__resource);		\
	STATUS_SUCCESS;					\
})

static inline NTSTATUS ExDeleteResourceLite(PERESOURCE Resource)
{
	UNREFERENCED_PARAMETER(Resource);
	return STATUS_SUCCESS;
}

/* Of one that no thread has. */
static inline NTSTATUS ExReinitializeResourceLite(PERESOURCE Resource)
{
	nt_initialize_resource(Resource);
	return STATUS_SUCCESS;
}

#define ExIsResourceAcquiredLite(resource)	ExIsResourceAcquiredSharedLite(resource)

/* Linux lets no one pass those that wait to have it alone. */
#define ExAcquireSharedStarveExclusive(resource, wait)	\
	ExAcquireResourceSharedLite(resource, wait)
#define ExAcquireSharedWaitForExclusive(resource, wait)	\
	ExAcquireResourceSharedLite(resource, wait)

static inline PVOID ExEnterCriticalRegionAndAcquireResourceShared(PERESOURCE Resource)
{
	ExAcquireResourceSharedLite(Resource, TRUE);
	return KeGetCurrentThread();
}

static inline PVOID ExEnterCriticalRegionAndAcquireResourceExclusive(PERESOURCE Resource)
{
	ExAcquireResourceExclusiveLite(Resource, TRUE);
	return KeGetCurrentThread();
}

static inline VOID ExReleaseResourceAndLeaveCriticalRegion(PERESOURCE Resource)
{
	ExReleaseResourceLite(Resource);
}

#endif /* _NT_RESOURCE_H */
