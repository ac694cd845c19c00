/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Objects that are referenced and have handles: system threads, and the keys of
 * nt_registry.h. Part of <wdm.h>; the functions are in nt/handle.c and nt/thread.c.
 */
#ifndef _NT_OBJECT_H
#define _NT_OBJECT_H

#include <linux/sched.h>

#include <ntdef.h>
#include <nt_mdl.h>
#include <nt_wait.h>

typedef ULONG ACCESS_MASK, *PACCESS_MASK;

#define READ_CONTROL			0x00020000
#define SYNCHRONIZE			0x00100000
#define STANDARD_RIGHTS_REQUIRED	0x000f0000
#define STANDARD_RIGHTS_READ		READ_CONTROL
#define STANDARD_RIGHTS_ALL		0x001f0000
#define GENERIC_ALL			0x10000000
#define GENERIC_READ			0x80000000
#define THREAD_ALL_ACCESS		(STANDARD_RIGHTS_REQUIRED | SYNCHRONIZE | 0xffff)

#define OBJ_INHERIT			0x00000002
#define OBJ_CASE_INSENSITIVE		0x00000040
#define OBJ_KERNEL_HANDLE		0x00000200

/* Of these only the name and the folder of a key are looked at. */
typedef struct _OBJECT_ATTRIBUTES {
	ULONG Length;
	HANDLE RootDirectory;
	PUNICODE_STRING ObjectName;
	ULONG Attributes;
	PVOID SecurityDescriptor;
	PVOID SecurityQualityOfService;
} OBJECT_ATTRIBUTES, *POBJECT_ATTRIBUTES;

#define InitializeObjectAttributes(attributes, name, flags, root, security)	\
	(*(attributes) = (OBJECT_ATTRIBUTES) {					\
		.Length = sizeof(OBJECT_ATTRIBUTES),				\
		.RootDirectory = (root),					\
		.ObjectName = (name),						\
		.Attributes = (flags),						\
		.SecurityDescriptor = (security),				\
	})

typedef struct _OBJECT_TYPE OBJECT_TYPE, *POBJECT_TYPE;
typedef struct _OBJECT_HANDLE_INFORMATION OBJECT_HANDLE_INFORMATION,
	*POBJECT_HANDLE_INFORMATION;

NTSTATUS ZwClose(HANDLE Handle);
NTSTATUS ObReferenceObjectByHandle(HANDLE Handle, ACCESS_MASK DesiredAccess,
				   POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode,
				   PVOID *Object,
				   POBJECT_HANDLE_INFORMATION HandleInformation);
LONG_PTR ObfReferenceObject(PVOID Object);
LONG_PTR ObfDereferenceObject(PVOID Object);

#define ObReferenceObject(object)	ObfReferenceObject(object)
#define ObDereferenceObject(object)	ObfDereferenceObject(object)

/* Threads */

typedef struct _KTHREAD KTHREAD, *PKTHREAD, *PRKTHREAD;
typedef struct _KTHREAD *PETHREAD;

typedef struct _CLIENT_ID {
	HANDLE UniqueProcess;
	HANDLE UniqueThread;
} CLIENT_ID, *PCLIENT_ID;

typedef VOID KSTART_ROUTINE(PVOID StartContext);
typedef KSTART_ROUTINE *PKSTART_ROUTINE;

extern POBJECT_TYPE *PsThreadType;

NTSTATUS PsCreateSystemThread(PHANDLE ThreadHandle, ULONG DesiredAccess,
			      POBJECT_ATTRIBUTES ObjectAttributes, HANDLE ProcessHandle,
			      PCLIENT_ID ClientId, PKSTART_ROUTINE StartRoutine,
			      PVOID StartContext);
NTSTATUS PsTerminateSystemThread(NTSTATUS ExitStatus);
PKTHREAD KeGetCurrentThread(void);
KPRIORITY KeSetPriorityThread(PKTHREAD Thread, KPRIORITY Priority);

#define PsGetCurrentThread()	((PETHREAD)KeGetCurrentThread())

static inline HANDLE PsGetCurrentThreadId(VOID)
{
	return (HANDLE)(ULONG_PTR)task_pid_nr(current);
}

static inline HANDLE PsGetCurrentProcessId(VOID)
{
	return (HANDLE)(ULONG_PTR)task_tgid_nr(current);
}

#define LOW_PRIORITY		0
#define LOW_REALTIME_PRIORITY	16
#define HIGH_PRIORITY		31

/* No thread here is stopped, or called, from outside while it runs in a driver. */
static inline VOID KeEnterCriticalRegion(VOID)
{
}

static inline VOID KeLeaveCriticalRegion(VOID)
{
}

static inline VOID KeEnterGuardedRegion(VOID)
{
}

static inline VOID KeLeaveGuardedRegion(VOID)
{
}

#endif /* _NT_OBJECT_H */
