/* SPDX-License-Identifier: GPL-2.0 */
/* Objects that threads wait for, see nt/wait.c; and those with handles, see nt/handle.c. */
#ifndef VMBKMCL_NT_OBJECT_H
#define VMBKMCL_NT_OBJECT_H

#include <ntddk.h>

/* What the holder of an object's lock keeps until it lets go. */
struct nt_hold {
	unsigned long flags;
	bool all;	/* nt_all_lock is held as well */
};

void nt_object_init(DISPATCHER_HEADER *object, UCHAR type, LONG state);
void nt_object_lock(DISPATCHER_HEADER *object, struct nt_hold *hold)
	__acquires(&object->Lock);
void nt_object_unlock(DISPATCHER_HEADER *object, struct nt_hold *hold)
	__releases(&object->Lock);
void nt_object_serve(DISPATCHER_HEADER *object);
LONG nt_object_state(DISPATCHER_HEADER *object);

struct _OBJECT_TYPE {
	void (*end)(void *body);	/* before it is freed, if not NULL; up to DISPATCH_LEVEL */
};

void *nt_object_allocate(POBJECT_TYPE type, size_t bytes);
NTSTATUS nt_handle_open(void *body, HANDLE *handle);

#endif
