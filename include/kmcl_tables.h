/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* KMCL's functions, by the tables that a client asks for. */
/* A part of this one, also if it is what a file includes first. */
#include <vmbuskernelmodeclientlibapi.h>

#ifndef _KMCL_TABLES_H
#define _KMCL_TABLES_H

/*
 * (ours) One list for each table: slot, name of function and member, type.
 * They make the members, the prototypes and the checks below, and code that
 * fills a table or walks it may use them, too.
 */
#define KMCL_CLIENT_FUNCTIONS_V1(X)					\
	X(0, VmbChannelAllocate, CHANNEL_ALLOCATE)			\
	X(1, VmbChannelCleanup, CHANNEL_CLEANUP)			\
	X(2, VmbChannelCreateGpadlFromBuffer,				\
	  CHANNEL_CREATE_GPADL_FROM_BUFFER)				\
	X(3, VmbChannelCreateGpadlFromMdl,				\
	  CHANNEL_CREATE_GPADL_FROM_MDL)				\
	X(4, VmbChannelDeleteGpadl, CHANNEL_DELETE_GPADL)		\
	X(5, VmbChannelDisable, CHANNEL_DISABLE)			\
	X(6, VmbChannelEnable, CHANNEL_ENABLE)				\
	X(7, VmbChannelGetInterfaceInstance,				\
	  CHANNEL_GET_INTERFACE_INSTANCE)				\
	X(8, VmbChannelGetMmioSpace, CHANNEL_GET_MMIO_SPACE)		\
	X(9, VmbChannelGetPointer, CHANNEL_GET_POINTER)			\
	X(10, VmbChannelInitSetClientContextSize,			\
	  CHANNEL_INIT_SET_CLIENT_CONTEXT_SIZE)				\
	X(11, VmbChannelInitSetFlags, CHANNEL_INIT_SET_FLAGS)		\
	X(12, VmbChannelInitSetFriendlyName,				\
	  CHANNEL_INIT_SET_FRIENDLY_NAME)				\
	X(13, VmbChannelInitSetMaximumExternalData,			\
	  CHANNEL_INIT_SET_MAXIMUM_EXTERNAL_DATA)			\
	X(14, VmbChannelInitSetMaximumPacketSize,			\
	  CHANNEL_INIT_SET_MAXIMUM_PACKET_SIZE)				\
	X(15, VmbChannelInitSetProcessPacketCallbacks,			\
	  CHANNEL_INIT_SET_PROCESS_PACKET_CALLBACKS)			\
	X(16, VmbChannelInitSetStateChangeCallbacks,			\
	  CHANNEL_INIT_SET_STATE_CHANGE_CALLBACKS)			\
	X(17, VmbChannelPacketComplete, CHANNEL_PACKET_COMPLETE)	\
	X(18, VmbChannelPacketDeferToPassive,				\
	  CHANNEL_PACKET_DEFER_TO_PASSIVE)				\
	X(19, VmbChannelPacketFail, CHANNEL_PACKET_FAIL)		\
	X(20, VmbChannelPacketGetExternalData,				\
	  CHANNEL_PACKET_GET_EXTERNAL_DATA)				\
	X(21, VmbChannelPause, CHANNEL_PAUSE)				\
	X(22, VmbChannelSendSynchronousRequest,				\
	  CHANNEL_SEND_SYNCHRONOUS_REQUEST)				\
	X(23, VmbChannelSetIncomingProcessingAtPassive,			\
	  CHANNEL_SET_INCOMING_PROCESSING_AT_PASSIVE)			\
	X(24, VmbChannelSetInterruptLatency,				\
	  CHANNEL_SET_INTERRUPT_LATENCY)				\
	X(25, VmbChannelSetPointer, CHANNEL_SET_POINTER)		\
	X(26, VmbChannelSetTransactionQuota,				\
	  CHANNEL_SET_TRANSACTION_QUOTA)				\
	X(27, VmbChannelSizeofPacket, CHANNEL_SIZEOF_PACKET)		\
	X(28, VmbChannelStart, CHANNEL_START)				\
	X(29, VmbClientChannelInitSetRingBufferPageCount,		\
	  CLIENT_CHANNEL_INIT_SET_RING_BUFFER_PAGE_COUNT)		\
	X(30, VmbClientChannelInitSetTargetPnp,				\
	  CLIENT_CHANNEL_INIT_SET_TARGET_PNP)				\
	X(31, VmbPacketAllocate, PACKET_ALLOCATE)			\
	X(32, VmbPacketFree, PACKET_FREE)				\
	X(33, VmbPacketGetChannel, PACKET_GET_CHANNEL)			\
	X(34, VmbPacketGetPointer, PACKET_GET_POINTER)			\
	X(35, VmbPacketInitialize, PACKET_INITIALIZE)			\
	X(36, VmbPacketSend, PACKET_SEND)				\
	X(37, VmbPacketSendWithExternalMdl,				\
	  PACKET_SEND_WITH_EXTERNAL_MDL)				\
	X(38, VmbPacketSendWithExternalPfns,				\
	  PACKET_SEND_WITH_EXTERNAL_PFNS)				\
	X(39, VmbPacketSetCompletionRoutine,				\
	  PACKET_SET_COMPLETION_ROUTINE)				\
	X(40, VmbPacketSetPointer, PACKET_SET_POINTER)

#define KMCL_CLIENT_FUNCTIONS_ADDED_V2(X)				\
	X(41, VmbChannelPacketGetClientContext,				\
	  CHANNEL_PACKET_GET_CLIENT_CONTEXT)				\
	X(42, VmbChannelGetTargetDeviceObject,				\
	  CHANNEL_GET_TARGET_DEVICE_OBJECT)				\
	X(43, VmbChannelGetParentDeviceObject,				\
	  CHANNEL_GET_PARENT_DEVICE_OBJECT)

#define KMCL_CLIENT_FUNCTIONS_ADDED_V3(X)				\
	X(44, VmbChannelInitSetBounceBufferSizes,			\
	  CHANNEL_INIT_SET_BOUNCE_BUFFER_SIZES)				\
	X(45, VmbChannelAllocateBounceBuffer,				\
	  CHANNEL_ALLOCATE_BOUNCE_BUFFER)

#define KMCL_CLIENT_FUNCTIONS_ADDED_V4(X)				\
	X(46, VmbChannelInitSetMaximumPacketCount,			\
	  CHANNEL_INIT_SET_MAXIMUM_PACKET_COUNT)			\
	X(47, VmbChannelCreateGpadlFromPfnList,				\
	  CHANNEL_CREATE_GPADL_FROM_PFN_LIST)

#define KMCL_CLIENT_FUNCTIONS_ADDED_V5(X)				\
	X(48, VmbChannelInitSetPrimaryChannel,				\
	  CHANNEL_INIT_SET_PRIMARY_CHANNEL)				\
	X(49, VmbChannelInitialize, CHANNEL_INITIALIZE)			\
	X(50, VmbChannelSetAllowableDpcCpuUsage,			\
	  CHANNEL_SET_ALLOWABLE_DPC_CPU_USAGE)				\
	X(51, VmbClientChannelInitSetTargetProcessorIndex,		\
	  CLIENT_CHANNEL_INIT_SET_TARGET_PROCESSOR_INDEX)		\
	X(52, VmbSizeofChannel, SIZEOF_CHANNEL)				\
	X(53, VmbChannelInitSetInlinePacketContextSize,			\
	  CHANNEL_INIT_SET_INLINE_PACKET_CONTEXT_SIZE)			\
	X(54, VmbPacketGetInlinePacketContextPointer,			\
	  PACKET_GET_INLINE_PACKET_CONTEXT_POINTER)			\
	X(55, VmbChannelInitSetProcessPacketCallbacksEx,		\
	  CHANNEL_INIT_SET_PROCESS_PACKET_CALLBACKS_EX)			\
	X(56, VmbPacketSetCompletionRoutineEx,				\
	  PACKET_SET_COMPLETION_ROUTINE_EX)

/* Each table begins with the one before. */
#define KMCL_CLIENT_FUNCTIONS_V2(X)					\
	KMCL_CLIENT_FUNCTIONS_V1(X)					\
	KMCL_CLIENT_FUNCTIONS_ADDED_V2(X)
#define KMCL_CLIENT_FUNCTIONS_V3(X)					\
	KMCL_CLIENT_FUNCTIONS_V2(X)					\
	KMCL_CLIENT_FUNCTIONS_ADDED_V3(X)
#define KMCL_CLIENT_FUNCTIONS_V4(X)					\
	KMCL_CLIENT_FUNCTIONS_V3(X)					\
	KMCL_CLIENT_FUNCTIONS_ADDED_V4(X)
#define KMCL_CLIENT_FUNCTIONS_V5(X)					\
	KMCL_CLIENT_FUNCTIONS_V4(X)					\
	KMCL_CLIENT_FUNCTIONS_ADDED_V5(X)

#define KMCL_SERVER_ONLY_FUNCTIONS(X)					\
	X(0, VmbChannelMapGpadl, CHANNEL_MAP_GPADL)			\
	X(1, VmbChannelRestoreFromBuffer, CHANNEL_RESTORE_FROM_BUFFER)	\
	X(2, VmbChannelSaveBegin, CHANNEL_SAVE_BEGIN)			\
	X(3, VmbChannelSaveContinue, CHANNEL_SAVE_CONTINUE)		\
	X(4, VmbChannelSaveEnd, CHANNEL_SAVE_END)			\
	X(5, VmbChannelUnmapGpadl, CHANNEL_UNMAP_GPADL)			\
	X(6, VmbConvertVmbusHandleToKernelHandle,			\
	  CONVERT_VMBUS_HANDLE_TO_KERNEL_HANDLE)			\
	X(7, VmbPacketRestore, PACKET_RESTORE)				\
	X(8, VmbServerChannelInitSetFlags,				\
	  SERVER_CHANNEL_INIT_SET_FLAGS)				\
	X(9, VmbServerChannelInitSetMmioMegabytes,			\
	  SERVER_CHANNEL_INIT_SET_MMIO_MEGABYTES)			\
	X(10, VmbServerChannelInitSetSaveRestorePacketCallbacks,	\
	  SERVER_CHANNEL_INIT_SET_SAVE_RESTORE_PACKET_CALLBACKS)	\
	X(11, VmbServerChannelInitSetTargetInterfaceId,			\
	  SERVER_CHANNEL_INIT_SET_TARGET_INTERFACE_ID)			\
	X(12, VmbServerChannelInitSetTargetVtl,				\
	  SERVER_CHANNEL_INIT_SET_TARGET_VTL)				\
	X(13, VmbServerChannelInitSetVmbusHandle,			\
	  SERVER_CHANNEL_INIT_SET_VMBUS_HANDLE)

#define KMCL_SERVER_ONLY_FUNCTIONS_ADDED_V5(X)				\
	X(14, VmbServerChannelInitSetSaveRestorePacketCallbacksEx,	\
	  SERVER_CHANNEL_INIT_SET_SAVE_RESTORE_PACKET_CALLBACKS_EX)

#define KMCL_SERVER_ONLY_FUNCTIONS_V5(X)				\
	KMCL_SERVER_ONLY_FUNCTIONS(X)					\
	KMCL_SERVER_ONLY_FUNCTIONS_ADDED_V5(X)

/* Every function is also exported under its own name. */
#ifdef __cplusplus
extern "C" {
#endif
#define KMCL_PROTOTYPE(slot, name, type)	FN_VMB_##type name;
KMCL_CLIENT_FUNCTIONS_V5(KMCL_PROTOTYPE)
KMCL_SERVER_ONLY_FUNCTIONS_V5(KMCL_PROTOTYPE)
#undef KMCL_PROTOTYPE
#ifdef __cplusplus
}
#endif

/*
 * The tables. Windows embeds in each the one before, without a name, so that the
 * members of each are the last one's own. That takes a compiler extension which Linux
 * does not switch on; the members written out do not.
 */
#define KMCL_MEMBER(slot, name, type)	PFN_VMB_##type name;

#define KMCL_INTERFACE_HEAD						\
	union {								\
		INTERFACE Interface;					\
		struct {						\
			USHORT Size;					\
			USHORT Version;					\
			PVOID Context;					\
			PINTERFACE_REFERENCE InterfaceReference;	\
			PINTERFACE_DEREFERENCE InterfaceDereference;	\
		};							\
	};

typedef struct _KMCL_CLIENT_INTERFACE_V1 {
	KMCL_INTERFACE_HEAD
	KMCL_CLIENT_FUNCTIONS_V1(KMCL_MEMBER)
} KMCL_FIXED_LAYOUT KMCL_CLIENT_INTERFACE_V1, *PKMCL_CLIENT_INTERFACE_V1;

typedef struct _KMCL_CLIENT_INTERFACE_V2 {
	KMCL_INTERFACE_HEAD
	KMCL_CLIENT_FUNCTIONS_V2(KMCL_MEMBER)
} KMCL_FIXED_LAYOUT KMCL_CLIENT_INTERFACE_V2, *PKMCL_CLIENT_INTERFACE_V2;

typedef struct _KMCL_CLIENT_INTERFACE_V3 {
	KMCL_INTERFACE_HEAD
	KMCL_CLIENT_FUNCTIONS_V3(KMCL_MEMBER)
} KMCL_FIXED_LAYOUT KMCL_CLIENT_INTERFACE_V3, *PKMCL_CLIENT_INTERFACE_V3;

typedef struct _KMCL_CLIENT_INTERFACE_V4 {
	KMCL_INTERFACE_HEAD
	KMCL_CLIENT_FUNCTIONS_V4(KMCL_MEMBER)
} KMCL_FIXED_LAYOUT KMCL_CLIENT_INTERFACE_V4, *PKMCL_CLIENT_INTERFACE_V4;

typedef struct _KMCL_CLIENT_INTERFACE_V5 {
	KMCL_INTERFACE_HEAD
	KMCL_CLIENT_FUNCTIONS_V5(KMCL_MEMBER)
} KMCL_FIXED_LAYOUT KMCL_CLIENT_INTERFACE_V5, *PKMCL_CLIENT_INTERFACE_V5;

typedef struct _KMCL_SERVER_ONLY_METHODS {
	KMCL_SERVER_ONLY_FUNCTIONS(KMCL_MEMBER)
} KMCL_FIXED_LAYOUT KMCL_SERVER_ONLY_METHODS, *PKMCL_SERVER_ONLY_METHODS;

typedef struct _KMCL_SERVER_ONLY_METHODS_V5 {
	KMCL_SERVER_ONLY_FUNCTIONS_V5(KMCL_MEMBER)
} KMCL_FIXED_LAYOUT KMCL_SERVER_ONLY_METHODS_V5, *PKMCL_SERVER_ONLY_METHODS_V5;

typedef struct _KMCL_SERVER_INTERFACE_V1 {
	KMCL_INTERFACE_HEAD
	KMCL_CLIENT_FUNCTIONS_V1(KMCL_MEMBER)
	KMCL_SERVER_ONLY_FUNCTIONS(KMCL_MEMBER)
} KMCL_FIXED_LAYOUT KMCL_SERVER_INTERFACE_V1, *PKMCL_SERVER_INTERFACE_V1;

/* In C++ Windows' structure has the methods of version 1 only. */
typedef struct _KMCL_SERVER_INTERFACE_V5 {
	KMCL_INTERFACE_HEAD
	KMCL_CLIENT_FUNCTIONS_V5(KMCL_MEMBER)
#ifdef __cplusplus
	KMCL_SERVER_ONLY_FUNCTIONS(KMCL_MEMBER)
#else
	KMCL_SERVER_ONLY_FUNCTIONS_V5(KMCL_MEMBER)
#endif
} KMCL_FIXED_LAYOUT KMCL_SERVER_INTERFACE_V5, *PKMCL_SERVER_INTERFACE_V5;

#undef KMCL_INTERFACE_HEAD
#undef KMCL_MEMBER

/*
 * These identify the tables to WdfFdoQueryForInterface() and
 * WdfIoTargetQueryForInterface(). They are Windows' own.
 */

/* 4aecb860-e161-42bb-a5ca-77f3a9645905 */
DEFINE_GUID(KMCL_CLIENT_INTERFACE_TYPE, 0x4aecb860, 0xe161, 0x42bb,
	    0xa5, 0xca, 0x77, 0xf3, 0xa9, 0x64, 0x59, 0x05);

/* 83b21474-c5b9-4f65-b5e7-720c692bd371 */
DEFINE_GUID(KMCL_SERVER_INTERFACE_TYPE, 0x83b21474, 0xc5b9, 0x4f65,
	    0xb5, 0xe7, 0x72, 0x0c, 0x69, 0x2b, 0xd3, 0x71);

#define KMCL_CLIENT_INTERFACE_VERSION_V1	1
#define KMCL_CLIENT_INTERFACE_VERSION_V2	2
#define KMCL_CLIENT_INTERFACE_VERSION_V3	3
#define KMCL_CLIENT_INTERFACE_VERSION_V4	4
#define KMCL_CLIENT_INTERFACE_VERSION_V5	5
#define KMCL_CLIENT_INTERFACE_VERSION_LATEST	KMCL_CLIENT_INTERFACE_VERSION_V5

#define KMCL_SERVER_INTERFACE_VERSION_V1	1
#define KMCL_SERVER_INTERFACE_VERSION_V5	5
#define KMCL_SERVER_INTERFACE_VERSION_LATEST	KMCL_SERVER_INTERFACE_VERSION_V5

/*
 * Sizes and offsets are part of what a client compiles in. The slots that the
 * offsets are checked against are literals of the lists, counted from 0.
 */
#define KMCL_CHECK_OFFSET(type, member, offset)				\
	C_ASSERT(FIELD_OFFSET(type, member) == (offset))

C_ASSERT(sizeof(VMB_CHANNEL_STATE_CHANGE_CALLBACKS) == 48);
KMCL_CHECK_OFFSET(VMB_CHANNEL_STATE_CHANGE_CALLBACKS, Version, 0);
KMCL_CHECK_OFFSET(VMB_CHANNEL_STATE_CHANGE_CALLBACKS, Size, 4);
KMCL_CHECK_OFFSET(VMB_CHANNEL_STATE_CHANGE_CALLBACKS, EvtChannelOpened, 8);
KMCL_CHECK_OFFSET(VMB_CHANNEL_STATE_CHANGE_CALLBACKS, EvtChannelClosed, 16);
KMCL_CHECK_OFFSET(VMB_CHANNEL_STATE_CHANGE_CALLBACKS, EvtChannelSuspend, 24);
KMCL_CHECK_OFFSET(VMB_CHANNEL_STATE_CHANGE_CALLBACKS, EvtChannelStarted, 32);
KMCL_CHECK_OFFSET(VMB_CHANNEL_STATE_CHANGE_CALLBACKS, EvtChannelPostStarted, 40);

C_ASSERT(sizeof(VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5) == 56);
KMCL_CHECK_OFFSET(VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5, Version, 0);
KMCL_CHECK_OFFSET(VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5, Size, 4);
KMCL_CHECK_OFFSET(VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5, CallbackContext, 8);
KMCL_CHECK_OFFSET(VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5, EvtChannelOpened, 16);
KMCL_CHECK_OFFSET(VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5, EvtChannelClosed, 24);
KMCL_CHECK_OFFSET(VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5, EvtChannelSuspend, 32);
KMCL_CHECK_OFFSET(VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5, EvtChannelStarted, 40);
KMCL_CHECK_OFFSET(VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5, EvtChannelPostStarted, 48);

#define KMCL_CHECK_HEAD(type)						\
	KMCL_CHECK_OFFSET(type, Size, 0);				\
	KMCL_CHECK_OFFSET(type, Version, 2);				\
	KMCL_CHECK_OFFSET(type, Context, 8);				\
	KMCL_CHECK_OFFSET(type, InterfaceReference, 16);		\
	KMCL_CHECK_OFFSET(type, InterfaceDereference, 24)

#define KMCL_CHECK_V1(slot, name, type)					\
	KMCL_CHECK_OFFSET(KMCL_CLIENT_INTERFACE_V1, name, 32 + 8 * (slot)); \
	KMCL_CHECK_OFFSET(KMCL_SERVER_INTERFACE_V1, name, 32 + 8 * (slot));

#define KMCL_CHECK_V2(slot, name, type)					\
	KMCL_CHECK_OFFSET(KMCL_CLIENT_INTERFACE_V2, name, 32 + 8 * (slot));

#define KMCL_CHECK_V3(slot, name, type)					\
	KMCL_CHECK_OFFSET(KMCL_CLIENT_INTERFACE_V3, name, 32 + 8 * (slot));

#define KMCL_CHECK_V4(slot, name, type)					\
	KMCL_CHECK_OFFSET(KMCL_CLIENT_INTERFACE_V4, name, 32 + 8 * (slot));

#define KMCL_CHECK_V5(slot, name, type)					\
	KMCL_CHECK_OFFSET(KMCL_CLIENT_INTERFACE_V5, name, 32 + 8 * (slot)); \
	KMCL_CHECK_OFFSET(KMCL_SERVER_INTERFACE_V5, name, 32 + 8 * (slot));

#define KMCL_CHECK_SERVER_ONLY(slot, name, type)			\
	KMCL_CHECK_OFFSET(KMCL_SERVER_ONLY_METHODS, name, 8 * (slot));	\
	KMCL_CHECK_OFFSET(KMCL_SERVER_ONLY_METHODS_V5, name, 8 * (slot)); \
	KMCL_CHECK_OFFSET(KMCL_SERVER_INTERFACE_V1, name, 360 + 8 * (slot)); \
	KMCL_CHECK_OFFSET(KMCL_SERVER_INTERFACE_V5, name, 488 + 8 * (slot));

C_ASSERT(sizeof(KMCL_CLIENT_INTERFACE_V1) == 360);
C_ASSERT(sizeof(KMCL_CLIENT_INTERFACE_V2) == 384);
C_ASSERT(sizeof(KMCL_CLIENT_INTERFACE_V3) == 400);
C_ASSERT(sizeof(KMCL_CLIENT_INTERFACE_V4) == 416);
C_ASSERT(sizeof(KMCL_CLIENT_INTERFACE_V5) == 488);
C_ASSERT(sizeof(KMCL_SERVER_ONLY_METHODS) == 112);
C_ASSERT(sizeof(KMCL_SERVER_ONLY_METHODS_V5) == 120);
C_ASSERT(sizeof(KMCL_SERVER_INTERFACE_V1) == 472);
KMCL_CHECK_HEAD(INTERFACE);
KMCL_CHECK_HEAD(KMCL_CLIENT_INTERFACE_V1);
KMCL_CHECK_HEAD(KMCL_CLIENT_INTERFACE_V2);
KMCL_CHECK_HEAD(KMCL_CLIENT_INTERFACE_V3);
KMCL_CHECK_HEAD(KMCL_CLIENT_INTERFACE_V4);
KMCL_CHECK_HEAD(KMCL_CLIENT_INTERFACE_V5);
KMCL_CHECK_HEAD(KMCL_SERVER_INTERFACE_V1);
KMCL_CHECK_HEAD(KMCL_SERVER_INTERFACE_V5);
KMCL_CLIENT_FUNCTIONS_V1(KMCL_CHECK_V1)
KMCL_CLIENT_FUNCTIONS_V2(KMCL_CHECK_V2)
KMCL_CLIENT_FUNCTIONS_V3(KMCL_CHECK_V3)
KMCL_CLIENT_FUNCTIONS_V4(KMCL_CHECK_V4)
KMCL_CLIENT_FUNCTIONS_V5(KMCL_CHECK_V5)
KMCL_SERVER_ONLY_FUNCTIONS(KMCL_CHECK_SERVER_ONLY)
KMCL_CHECK_OFFSET(KMCL_SERVER_ONLY_METHODS_V5,
		  VmbServerChannelInitSetSaveRestorePacketCallbacksEx, 112);
#ifdef __cplusplus
C_ASSERT(sizeof(KMCL_SERVER_INTERFACE_V5) == 600);
#else
C_ASSERT(sizeof(KMCL_SERVER_INTERFACE_V5) == 608);
KMCL_CHECK_OFFSET(KMCL_SERVER_INTERFACE_V5,
		  VmbServerChannelInitSetSaveRestorePacketCallbacksEx, 600);
#endif

#undef KMCL_CHECK_SERVER_ONLY
#undef KMCL_CHECK_V5
#undef KMCL_CHECK_V4
#undef KMCL_CHECK_V3
#undef KMCL_CHECK_V2
#undef KMCL_CHECK_V1
#undef KMCL_CHECK_HEAD
#undef KMCL_CHECK_OFFSET

#endif /* _KMCL_TABLES_H */
