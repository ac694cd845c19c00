/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Framework objects: handles, attributes, contexts, references, deletion. Part of
 * <wdf.h>; the functions are in wdf/object.c and wdf/context.c.
 */
#ifndef _NT_WDF_OBJECT_H
#define _NT_WDF_OBJECT_H

#include <ntddk.h>

/* Any handle is one of these. */
typedef PVOID WDFOBJECT, *PWDFOBJECT;

typedef struct WDFDRIVER__ *WDFDRIVER;
typedef struct WDFDEVICE__ *WDFDEVICE;
typedef struct WDFIOTARGET__ *WDFIOTARGET;
typedef struct WDFSPINLOCK__ *WDFSPINLOCK;
typedef struct WDFWAITLOCK__ *WDFWAITLOCK;
typedef struct WDFTIMER__ *WDFTIMER;
typedef struct WDFDPC__ *WDFDPC;
typedef struct WDFWORKITEM__ *WDFWORKITEM;
typedef struct WDFMEMORY__ *WDFMEMORY;
typedef struct WDFLOOKASIDE__ *WDFLOOKASIDE;
typedef struct WDFCOLLECTION__ *WDFCOLLECTION;
typedef struct WDFSTRING__ *WDFSTRING;

typedef enum _WDF_TRI_STATE {
	WdfFalse = FALSE,
	WdfTrue = TRUE,
	WdfUseDefault = 2,
} WDF_TRI_STATE, *PWDF_TRI_STATE;

/* At most at which level an object's callbacks are called. */
typedef enum _WDF_EXECUTION_LEVEL {
	WdfExecutionLevelInvalid,
	WdfExecutionLevelInheritFromParent,
	WdfExecutionLevelPassive,
	WdfExecutionLevelDispatch,
} WDF_EXECUTION_LEVEL;

/* With what an object's callbacks take turns. */
typedef enum _WDF_SYNCHRONIZATION_SCOPE {
	WdfSynchronizationScopeInvalid,
	WdfSynchronizationScopeInheritFromParent,
	WdfSynchronizationScopeDevice,
	WdfSynchronizationScopeQueue,
	WdfSynchronizationScopeNone,
} WDF_SYNCHRONIZATION_SCOPE;

typedef VOID EVT_WDF_OBJECT_CONTEXT_CLEANUP(WDFOBJECT Object);
typedef VOID EVT_WDF_OBJECT_CONTEXT_DESTROY(WDFOBJECT Object);
typedef EVT_WDF_OBJECT_CONTEXT_CLEANUP *PFN_WDF_OBJECT_CONTEXT_CLEANUP;
typedef EVT_WDF_OBJECT_CONTEXT_DESTROY *PFN_WDF_OBJECT_CONTEXT_DESTROY;

/* A driver's type: each source file has one of its own of a name, and they are the same. */
typedef struct _WDF_OBJECT_CONTEXT_TYPE_INFO {
	ULONG Size;
	PCSTR ContextName;
	size_t ContextSize;
} WDF_OBJECT_CONTEXT_TYPE_INFO, *PWDF_OBJECT_CONTEXT_TYPE_INFO;

typedef const WDF_OBJECT_CONTEXT_TYPE_INFO *PCWDF_OBJECT_CONTEXT_TYPE_INFO;

typedef struct _WDF_OBJECT_ATTRIBUTES {
	ULONG Size;
	PFN_WDF_OBJECT_CONTEXT_CLEANUP EvtCleanupCallback;
	PFN_WDF_OBJECT_CONTEXT_DESTROY EvtDestroyCallback;
	WDF_EXECUTION_LEVEL ExecutionLevel;
	WDF_SYNCHRONIZATION_SCOPE SynchronizationScope;
	WDFOBJECT ParentObject;
	size_t ContextSizeOverride;
	PCWDF_OBJECT_CONTEXT_TYPE_INFO ContextTypeInfo;
} WDF_OBJECT_ATTRIBUTES, *PWDF_OBJECT_ATTRIBUTES;

#define WDF_NO_OBJECT_ATTRIBUTES	NULL
#define WDF_NO_HANDLE			NULL
#define WDF_NO_CONTEXT			NULL

static inline VOID WDF_OBJECT_ATTRIBUTES_INIT(PWDF_OBJECT_ATTRIBUTES Attributes)
{
	RtlZeroMemory(Attributes, sizeof(*Attributes));
	Attributes->Size = sizeof(*Attributes);
	Attributes->ExecutionLevel = WdfExecutionLevelInheritFromParent;
	Attributes->SynchronizationScope = WdfSynchronizationScopeInheritFromParent;
}

#define WDF_GET_CONTEXT_TYPE_INFO(type)		(&WDF_TYPE_##type)

#define WDF_OBJECT_ATTRIBUTES_SET_CONTEXT_TYPE(attributes, type)	\
	((attributes)->ContextTypeInfo = WDF_GET_CONTEXT_TYPE_INFO(type))

#define WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(attributes, type)	\
	(WDF_OBJECT_ATTRIBUTES_INIT(attributes),			\
	 WDF_OBJECT_ATTRIBUTES_SET_CONTEXT_TYPE(attributes, type))

/* The type, and the function that gets the context of it from an object. */
#define WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(type, function)		\
static const WDF_OBJECT_CONTEXT_TYPE_INFO WDF_TYPE_##type = {		\
	.Size = sizeof(WDF_OBJECT_CONTEXT_TYPE_INFO),			\
	.ContextName = #type,						\
	.ContextSize = sizeof(type),					\
};									\
static inline type *function(WDFOBJECT Handle)				\
{									\
	return (type *)WdfObjectGetTypedContextWorker(Handle,		\
						      &WDF_TYPE_##type); \
}

#define WDF_DECLARE_CONTEXT_TYPE(type)	\
	WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(type, WdfObjectGet_##type)

#define WdfObjectGetTypedContext(handle, type)	\
	((type *)WdfObjectGetTypedContextWorker(handle, WDF_GET_CONTEXT_TYPE_INFO(type)))

PVOID WdfObjectGetTypedContextWorker(_In_ WDFOBJECT Handle,
				     _In_ PCWDF_OBJECT_CONTEXT_TYPE_INFO TypeInfo);
NTSTATUS WdfObjectAllocateContext(_In_ WDFOBJECT Handle,
				  _In_ PWDF_OBJECT_ATTRIBUTES ContextAttributes,
				  _Outptr_opt_ PVOID *Context);
WDFOBJECT WdfObjectContextGetObject(_In_ PVOID ContextPointer);

VOID WdfObjectReference(_In_ WDFOBJECT Object);
VOID WdfObjectDereference(_In_ WDFOBJECT Object);
VOID WdfObjectDelete(_In_ WDFOBJECT Object);

/* Tags are for a debugger's eyes, on Windows. */
#define WdfObjectReferenceWithTag(object, tag)		WdfObjectReference(object)
#define WdfObjectDereferenceWithTag(object, tag)	WdfObjectDereference(object)

VOID WdfObjectAcquireLock(_In_ WDFOBJECT Object);
VOID WdfObjectReleaseLock(_In_ WDFOBJECT Object);

/*
 * What an object without a parent belongs to is the driver that makes it: each function
 * that makes such objects is given the module's.
 */
#ifdef __KERNEL__
struct linux_kmdf_driver;

/* As the module is called, so that drivers in the kernel itself have one each. */
#define LINUX_KMDF_DRIVER		LINUX_KMDF_PASTE(__KBUILD_MODNAME, _kmdf_driver)
#define LINUX_KMDF_PASTE(a, b)		LINUX_KMDF_PASTE_(a, b)
#define LINUX_KMDF_PASTE_(a, b)		a##b
#ifdef __KBUILD_MODNAME
extern struct linux_kmdf_driver LINUX_KMDF_DRIVER;
#endif

NTSTATUS linux_wdf_object_create(struct linux_kmdf_driver *driver,
				 PWDF_OBJECT_ATTRIBUTES attributes, WDFOBJECT *object);

#define WdfObjectCreate(attributes, object)	\
	linux_wdf_object_create(&LINUX_KMDF_DRIVER, attributes, object)
#else
NTSTATUS WdfObjectCreate(_In_opt_ PWDF_OBJECT_ATTRIBUTES Attributes,
			 _Out_ WDFOBJECT *Object);
#endif

#endif /* _NT_WDF_OBJECT_H */
