// SPDX-License-Identifier: GPL-2.0
/*
 * Resources: a rw_semaphore that knows its owners, for a thread that has it gets it again
 * without waiting. Whether others wait for it meanwhile does not matter then: it would
 * wait for itself.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/export.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include <ntddk.h>

#include "nt.h"

/* Initializes all but the semaphore. */
VOID nt_initialize_resource(PERESOURCE resource)
{
	int i;

	spin_lock_init(&resource->Lock);
	INIT_LIST_HEAD(&resource->Owners);
	resource->Exclusive = NULL;
	for (i = 0; i < NT_FEW_OWNERS; i++)
		resource->Few[i].thread = NULL;
}
EXPORT_SYMBOL_GPL(nt_initialize_resource);

static struct nt_owner *nt_owner_find(PERESOURCE resource, struct task_struct *thread)
	__must_hold(&resource->Lock)
{
	struct nt_owner *owner;

	list_for_each_entry(owner, &resource->Owners, node)
		if (owner->thread == thread)
			return owner;
	return NULL;
}

static struct nt_owner *nt_owner_add(PERESOURCE resource)
{
	struct nt_owner *owner = NULL, *spare = NULL;
	int i;

	do {
		spin_lock_bh(&resource->Lock);
		for (i = 0; !owner && i < NT_FEW_OWNERS; i++)
			if (!resource->Few[i].thread)
				owner = &resource->Few[i];
		if (!owner)
			owner = spare;
		if (owner) {
			owner->thread = current;
			owner->count = 0;
			list_add(&owner->node, &resource->Owners);
		}
		spin_unlock_bh(&resource->Lock);
	} while (!owner && (spare = nt_kmalloc(sizeof(*spare), 0)));
	if (owner != spare)
		kfree(spare);
	return owner;
}

static void nt_owner_remove(PERESOURCE resource, struct nt_owner *owner)
	__must_hold(&resource->Lock)
{
	list_del(&owner->node);
	if (owner >= resource->Few && owner < resource->Few + NT_FEW_OWNERS)
		owner->thread = NULL;
	else
		kfree(owner);
}

/* Whether a thread that has it gets it again; with *@owner NULL it has it not. */
static bool nt_resource_again(PERESOURCE resource, bool exclusive, struct nt_owner **owner)
{
	bool again;

	spin_lock_bh(&resource->Lock);
	*owner = nt_owner_find(resource, current);
	again = *owner && (!exclusive || resource->Exclusive == current);
	if (again)
		(*owner)->count++;
	spin_unlock_bh(&resource->Lock);
	return again;
}

static bool nt_resource_down(PERESOURCE resource, bool exclusive, bool wait)
{
	if (!wait)
		return exclusive ? down_write_trylock(&resource->Semaphore) :
				   down_read_trylock(&resource->Semaphore);
	if (exclusive)
		down_write(&resource->Semaphore);
	else
		down_read(&resource->Semaphore);
	return true;
}

static bool nt_resource_acquire(PERESOURCE resource, bool exclusive, bool wait)
{
	struct nt_owner *owner;
	bool acquired;

	might_sleep_if(wait);
	if (nt_resource_again(resource, exclusive, &owner))
		return true;
	/* It would wait for itself: on Windows, too. */
	if (owner && !wait)
		return false;

	while (!(owner = nt_owner_add(resource))) {
		if (!wait)
			return false;
		msleep(20);
	}
	acquired = nt_resource_down(resource, exclusive, wait);
	spin_lock_bh(&resource->Lock);
	if (acquired) {
		owner->count = 1;
		if (exclusive)
			WRITE_ONCE(resource->Exclusive, current);
	} else {
		nt_owner_remove(resource, owner);
	}
	spin_unlock_bh(&resource->Lock);
	return acquired;
}

/**
 * ExAcquireResourceSharedLite() - have a resource, as others may
 * @Resource: from ExInitializeResourceLite()
 * @Wait: FALSE: only if that takes no waiting
 *
 * A thread that has it, in either way, gets it again. Others wait while one has it alone,
 * or waits for that. Where memory is short a fifth thread waits for it, as on Windows.
 *
 * Context: PASSIVE_LEVEL.
 *
 * Return: whether the thread has it: TRUE or FALSE.
 */
BOOLEAN ExAcquireResourceSharedLite(PERESOURCE Resource, BOOLEAN Wait)
{
	return nt_resource_acquire(Resource, false, Wait);
}
EXPORT_SYMBOL_GPL(ExAcquireResourceSharedLite);

/**
 * ExAcquireResourceExclusiveLite() - have a resource alone
 * @Resource: from ExInitializeResourceLite()
 * @Wait: FALSE: only if that takes no waiting
 *
 * A thread that has it alone gets it again. One that shares it must let go first: else it
 * waits for itself.
 *
 * Context: PASSIVE_LEVEL.
 *
 * Return: whether the thread has it: TRUE or FALSE.
 */
BOOLEAN ExAcquireResourceExclusiveLite(PERESOURCE Resource, BOOLEAN Wait)
{
	return nt_resource_acquire(Resource, true, Wait);
}
EXPORT_SYMBOL_GPL(ExAcquireResourceExclusiveLite);

/**
 * ExReleaseResourceLite() - let go of a resource, as often as the thread got it
 * @Resource: the resource. Of a thread that has it not nothing changes, with a line in
 *	the log.
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID ExReleaseResourceLite(PERESOURCE Resource)
{
	struct nt_owner *owner;
	bool last, exclusive;

	spin_lock_bh(&Resource->Lock);
	owner = nt_owner_find(Resource, current);
	exclusive = Resource->Exclusive == current;
	last = owner && !--owner->count;
	if (last) {
		nt_owner_remove(Resource, owner);
		if (exclusive)
			WRITE_ONCE(Resource->Exclusive, NULL);
	}
	spin_unlock_bh(&Resource->Lock);

	if (!owner)
		pr_err_ratelimited("%pS releases a resource that its thread has not\n",
				   __builtin_return_address(0));
	else if (last && exclusive)
		up_write(&Resource->Semaphore);
	else if (last)
		up_read(&Resource->Semaphore);
}
EXPORT_SYMBOL_GPL(ExReleaseResourceLite);

/**
 * ExConvertExclusiveToSharedLite() - let others have a resource, too
 * @Resource: what the thread has alone
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID ExConvertExclusiveToSharedLite(PERESOURCE Resource)
{
	spin_lock_bh(&Resource->Lock);
	WRITE_ONCE(Resource->Exclusive, NULL);
	spin_unlock_bh(&Resource->Lock);
	downgrade_write(&Resource->Semaphore);
}
EXPORT_SYMBOL_GPL(ExConvertExclusiveToSharedLite);

/**
 * ExIsResourceAcquiredExclusiveLite() - whether this thread has a resource alone
 * @Resource: the resource
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: TRUE or FALSE.
 */
BOOLEAN ExIsResourceAcquiredExclusiveLite(PERESOURCE Resource)
{
	/* Only this thread makes it its own. */
	return READ_ONCE(Resource->Exclusive) == current;
}
EXPORT_SYMBOL_GPL(ExIsResourceAcquiredExclusiveLite);

/**
 * ExIsResourceAcquiredSharedLite() - how often this thread has a resource
 * @Resource: the resource, shared or alone
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: as often; 0: not at all.
 */
ULONG ExIsResourceAcquiredSharedLite(PERESOURCE Resource)
{
	struct nt_owner *owner;
	ULONG count;

	spin_lock_bh(&Resource->Lock);
	owner = nt_owner_find(Resource, current);
	count = owner ? owner->count : 0;
	spin_unlock_bh(&Resource->Lock);
	return count;
}
EXPORT_SYMBOL_GPL(ExIsResourceAcquiredSharedLite);
