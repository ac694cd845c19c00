/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The VMBus Kernel Mode Client Library (KMCL), as Windows drivers know it.
 *
 * The promise is source compatibility: names, types, layouts and statuses are
 * Windows', so that a driver written against KMCL compiles here. A comment
 * that begins with "(ours)" marks a decision of this project's, made where no
 * public source tells what Windows does. What each function does is told where
 * it is defined.
 *
 * The header compiles on Windows' headers as well, so that a driver which is
 * ported with its help can be checked for having stayed a Windows driver.
 */
#ifndef _VMBUSKERNELMODECLIENTLIBAPI_H
#define _VMBUSKERNELMODECLIENTLIBAPI_H

/* On Windows the driver has included the member of the family it wants. */
#ifdef __KERNEL__
#include <ntddk.h>
/*
 * (ours) A kernel with CONFIG_RANDSTRUCT shuffles structures of nothing but pointers
 * to functions, named or not. The order of those below is a promise.
 */
#define KMCL_FIXED_LAYOUT	__no_randomize_layout
#else
#define KMCL_FIXED_LAYOUT
#endif

/* Windows' calling convention of some small functions; the one of all others here. */
#ifndef FASTCALL
#define FASTCALL
#endif

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Handles. Written out, as Windows' DECLARE_HANDLE() makes plain void pointers
 * of them unless STRICT is defined.
 */
typedef struct VMBCHANNEL__ *VMBCHANNEL;
typedef struct VMBPACKET__ *VMBPACKET;
typedef struct VMBPACKETCOMPLETION__ *VMBPACKETCOMPLETION;

/*
 * Flags. Each family ends in the mask of its members: a bit outside of it is
 * an error to the function that takes the flags.
 */

/* VmbPacketSend() and its relatives, VmbChannelSendSynchronousRequest() */
#define VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION	0x00000001
#define VMBUS_CHANNEL_FORMAT_FLAG_FORCE_MDL_LENGTH	0x00000002
#define VMBUS_CHANNEL_FORMAT_FLAG_PAGED_BUFFER		0x00000004
/* The other end only writes, or only reads, the external data. (ours) Not both. */
#define VMBUS_CHANNEL_FORMAT_FLAG_DATA_IN_ONLY		0x00000008
#define VMBUS_CHANNEL_FORMAT_FLAG_DATA_OUT_ONLY		0x00000010
#define VMBUS_CHANNEL_FORMAT_FLAGS				\
	(VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION |	\
	 VMBUS_CHANNEL_FORMAT_FLAG_FORCE_MDL_LENGTH |		\
	 VMBUS_CHANNEL_FORMAT_FLAG_PAGED_BUFFER |		\
	 VMBUS_CHANNEL_FORMAT_FLAG_DATA_IN_ONLY |		\
	 VMBUS_CHANNEL_FORMAT_FLAG_DATA_OUT_ONLY)

/* The functions that make GPADLs, VmbChannelMapGpadl() */
#define VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY		0x00000001
#define VMBUS_CHANNEL_GPADL_FLAGS	VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY
/* Windows' documentation has both names for it. */
#define VMBUS_CHANNEL_GPADL_READ_ONLY	VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY

/* VmbChannelInitSetFlags() */
#define VMBUS_CHANNEL_INIT_FLAG_IS_PIPE			0x00000001
#define VMBUS_CHANNEL_INIT_FLAGS	VMBUS_CHANNEL_INIT_FLAG_IS_PIPE

/* VmbServerChannelInitSetFlags() */
#define VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER			0x00000001
#define VMBUS_SERVER_CHANNEL_INIT_FLAG_ENUMERATE_DEVICE_INTERFACE	0x00000002
#define VMBUS_SERVER_CHANNEL_INIT_FLAG_OFFER_AS_PIPE			0x00000004
#define VMBUS_SERVER_CHANNEL_INIT_FLAG_FORCE_NEW_CHANNEL		0x00000008
#define VMBUS_SERVER_CHANNEL_INIT_FLAG_TLNPI_PROVIDER_OFFER		0x00000010
#define VMBUS_SERVER_CHANNEL_INIT_FLAGS					\
	(VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER |		\
	 VMBUS_SERVER_CHANNEL_INIT_FLAG_ENUMERATE_DEVICE_INTERFACE |	\
	 VMBUS_SERVER_CHANNEL_INIT_FLAG_OFFER_AS_PIPE |			\
	 VMBUS_SERVER_CHANNEL_INIT_FLAG_FORCE_NEW_CHANNEL |		\
	 VMBUS_SERVER_CHANNEL_INIT_FLAG_TLNPI_PROVIDER_OFFER)

/* Bytes of offer data */
#define VMBUS_SERVER_CHANNEL_INIT_MAXIMUM_OFFER_DATA	120

/* What EVT_VMB_CHANNEL_PROCESS_PACKET is told of a packet */
#define VMBUS_CHANNEL_PROCESS_PACKET_FLAG_EXTERNAL_DATA	0x00000001
#define VMBUS_CHANNEL_PROCESS_PACKET_FLAGS	\
	VMBUS_CHANNEL_PROCESS_PACKET_FLAG_EXTERNAL_DATA

/* VmbChannelPacketGetExternalData() */
#define VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAG_READ_ONLY	0x00000001
#define VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAGS	\
	VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAG_READ_ONLY

/*
 * State changes. All five run at PASSIVE_LEVEL, one at a time for a channel.
 */
typedef NTSTATUS EVT_VMB_CHANNEL_OPENED(_In_ VMBCHANNEL Channel);
typedef EVT_VMB_CHANNEL_OPENED *PFN_VMB_CHANNEL_OPENED;

typedef VOID EVT_VMB_CHANNEL_CLOSED(_In_ VMBCHANNEL Channel);
typedef EVT_VMB_CHANNEL_CLOSED *PFN_VMB_CHANNEL_CLOSED;

typedef VOID EVT_VMB_CHANNEL_SUSPEND(_In_ VMBCHANNEL Channel);
typedef EVT_VMB_CHANNEL_SUSPEND *PFN_VMB_CHANNEL_SUSPEND;

typedef VOID EVT_VMB_CHANNEL_STARTED(_In_ VMBCHANNEL Channel);
typedef EVT_VMB_CHANNEL_STARTED *PFN_VMB_CHANNEL_STARTED;

typedef VOID EVT_VMB_CHANNEL_POST_STARTED(_In_ VMBCHANNEL Channel);
typedef EVT_VMB_CHANNEL_POST_STARTED *PFN_VMB_CHANNEL_POST_STARTED;

/* Any callback may be NULL. */
typedef struct _VMB_CHANNEL_STATE_CHANGE_CALLBACKS {
	ULONG Version;
	ULONG Size;
	PFN_VMB_CHANNEL_OPENED EvtChannelOpened;
	PFN_VMB_CHANNEL_CLOSED EvtChannelClosed;
	PFN_VMB_CHANNEL_SUSPEND EvtChannelSuspend;
	PFN_VMB_CHANNEL_STARTED EvtChannelStarted;
	PFN_VMB_CHANNEL_POST_STARTED EvtChannelPostStarted;
} KMCL_FIXED_LAYOUT VMB_CHANNEL_STATE_CHANGE_CALLBACKS, *PVMB_CHANNEL_STATE_CHANGE_CALLBACKS;

#define VMB_CHANNEL_STATE_CHANGE_CALLBACKS_VERSION	1

static inline VOID
VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(_Out_ PVMB_CHANNEL_STATE_CHANGE_CALLBACKS Callbacks)
{
	RtlZeroMemory(Callbacks, sizeof(*Callbacks));
	Callbacks->Version = VMB_CHANNEL_STATE_CHANGE_CALLBACKS_VERSION;
	Callbacks->Size = sizeof(*Callbacks);
}

/* The same with a context of the client's. (ours) are the names of the types of functions. */
typedef NTSTATUS EVT_VMB_CHANNEL_OPENED_EX(_In_ VMBCHANNEL Channel, _In_opt_ PVOID Context);
typedef EVT_VMB_CHANNEL_OPENED_EX *PFN_VMB_CHANNEL_OPENED_EX;

typedef VOID EVT_VMB_CHANNEL_CLOSED_EX(_In_ VMBCHANNEL Channel, _In_opt_ PVOID Context);
typedef EVT_VMB_CHANNEL_CLOSED_EX *PFN_VMB_CHANNEL_CLOSED_EX;

typedef VOID EVT_VMB_CHANNEL_SUSPEND_EX(_In_ VMBCHANNEL Channel, _In_opt_ PVOID Context);
typedef EVT_VMB_CHANNEL_SUSPEND_EX *PFN_VMB_CHANNEL_SUSPEND_EX;

typedef VOID EVT_VMB_CHANNEL_STARTED_EX(_In_ VMBCHANNEL Channel, _In_opt_ PVOID Context);
typedef EVT_VMB_CHANNEL_STARTED_EX *PFN_VMB_CHANNEL_STARTED_EX;

typedef VOID EVT_VMB_CHANNEL_POST_STARTED_EX(_In_ VMBCHANNEL Channel, _In_opt_ PVOID Context);
typedef EVT_VMB_CHANNEL_POST_STARTED_EX *PFN_VMB_CHANNEL_POST_STARTED_EX;

/* Goes through VmbChannelInitSetStateChangeCallbacks() as well. */
typedef struct _VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 {
	ULONG Version;
	ULONG Size;
	PVOID CallbackContext;
	PFN_VMB_CHANNEL_OPENED_EX EvtChannelOpened;
	PFN_VMB_CHANNEL_CLOSED_EX EvtChannelClosed;
	PFN_VMB_CHANNEL_SUSPEND_EX EvtChannelSuspend;
	PFN_VMB_CHANNEL_STARTED_EX EvtChannelStarted;
	PFN_VMB_CHANNEL_POST_STARTED_EX EvtChannelPostStarted;
} KMCL_FIXED_LAYOUT VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5,
	*PVMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5;

#define VMB_CHANNEL_STATE_CHANGE_CALLBACKS_VERSION_V5	5

static inline VOID
VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT_V5(_Out_ PVMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 Callbacks)
{
	RtlZeroMemory(Callbacks, sizeof(*Callbacks));
	Callbacks->Version = VMB_CHANNEL_STATE_CHANGE_CALLBACKS_VERSION_V5;
	Callbacks->Size = sizeof(*Callbacks);
}

/* The device was found, but connecting to it failed later. */
typedef VOID EVT_VMB_CHANNEL_PNP_FAILURE(_In_ VMBCHANNEL Channel,
					 _In_ NTSTATUS Status);
typedef EVT_VMB_CHANNEL_PNP_FAILURE *PFN_VMB_CHANNEL_PNP_FAILURE;

/* Incoming packets. Each delivery is to be completed exactly once. */
typedef VOID
EVT_VMB_CHANNEL_PROCESS_PACKET(_In_ VMBCHANNEL Channel,
			       _In_ VMBPACKETCOMPLETION PacketCompletion,
			       _In_reads_bytes_(BufferLength) PVOID Buffer,
			       _In_ UINT32 BufferLength,
			       _In_ UINT32 Flags);
typedef EVT_VMB_CHANNEL_PROCESS_PACKET *PFN_VMB_CHANNEL_PROCESS_PACKET;

typedef VOID
EVT_VMB_CHANNEL_PROCESSING_COMPLETE(_In_ VMBCHANNEL Channel,
				    _In_ UINT32 PacketsProcessed);
typedef EVT_VMB_CHANNEL_PROCESSING_COMPLETE
	*PFN_VMB_CHANNEL_PROCESSING_COMPLETE;

typedef VOID
EVT_VMB_CHANNEL_PROCESS_PACKET_EX(_In_ VMBCHANNEL Channel,
				  _In_opt_ PVOID Context,
				  _In_ VMBPACKETCOMPLETION PacketCompletion,
				  _In_reads_bytes_(BufferLength) PVOID Buffer,
				  _In_ UINT32 BufferLength,
				  _In_ UINT32 Flags);
typedef EVT_VMB_CHANNEL_PROCESS_PACKET_EX *PFN_VMB_CHANNEL_PROCESS_PACKET_EX;

typedef VOID
EVT_VMB_CHANNEL_PROCESSING_COMPLETE_EX(_In_ VMBCHANNEL Channel,
				       _In_opt_ PVOID Context,
				       _In_ UINT32 PacketsProcessed);
typedef EVT_VMB_CHANNEL_PROCESSING_COMPLETE_EX
	*PFN_VMB_CHANNEL_PROCESSING_COMPLETE_EX;

/* Outgoing packets. In here the packet may be freed or sent again. */
typedef VOID
EVT_VMB_PACKET_COMPLETION_ROUTINE(_In_ VMBPACKET Packet,
				  _In_ NTSTATUS Status,
				  _In_reads_bytes_opt_(BufferLength) PVOID Buffer,
				  _In_ UINT32 BufferLength);
typedef EVT_VMB_PACKET_COMPLETION_ROUTINE *PFN_VMB_PACKET_COMPLETION_ROUTINE;

typedef VOID
EVT_VMB_PACKET_COMPLETION_ROUTINE_EX(_In_ VMBPACKET Packet,
				     _In_opt_ PVOID Context,
				     _In_ NTSTATUS Status,
				     _In_reads_bytes_opt_(BufferLength) PVOID Buffer,
				     _In_ UINT32 BufferLength);
typedef EVT_VMB_PACKET_COMPLETION_ROUTINE_EX *PFN_VMB_PACKET_COMPLETION_ROUTINE_EX;

/*
 * Save and restore of a server's packets. LibBuf is KMCL's own account of a
 * packet and goes to VmbPacketRestore(), SaveBuf is the server's.
 */
typedef NTSTATUS
EVT_VMB_CHANNEL_SAVE_PACKET(_In_ VMBCHANNEL Channel,
			    _In_ VMBPACKET Packet,
			    _Out_writes_bytes_(SaveBufSize) PVOID SaveBuf,
			    _In_ UINT32 SaveBufSize,
			    _Out_ PUINT32 BytesNeeded);
typedef EVT_VMB_CHANNEL_SAVE_PACKET *PFN_VMB_CHANNEL_SAVE_PACKET;

typedef NTSTATUS
EVT_VMB_CHANNEL_RESTORE_PACKET(_In_ VMBCHANNEL Channel,
			       _In_reads_bytes_(LibBufSize) PVOID LibBuf,
			       _In_ UINT32 LibBufSize,
			       _In_reads_bytes_(SaveBufSize) PVOID SaveBuf,
			       _In_ UINT32 SaveBufSize);
typedef EVT_VMB_CHANNEL_RESTORE_PACKET *PFN_VMB_CHANNEL_RESTORE_PACKET;

typedef NTSTATUS
EVT_VMB_CHANNEL_SAVE_PACKET_EX(_In_ VMBCHANNEL Channel,
			       _In_opt_ PVOID Context,
			       _In_ VMBPACKET Packet,
			       _Out_writes_bytes_(SaveBufSize) PVOID SaveBuf,
			       _In_ UINT32 SaveBufSize,
			       _Out_ PUINT32 BytesNeeded);
typedef EVT_VMB_CHANNEL_SAVE_PACKET_EX *PFN_VMB_CHANNEL_SAVE_PACKET_EX;

typedef NTSTATUS
EVT_VMB_CHANNEL_RESTORE_PACKET_EX(_In_ VMBCHANNEL Channel,
				  _In_opt_ PVOID Context,
				  _In_reads_bytes_(LibBufSize) PVOID LibBuf,
				  _In_ UINT32 LibBufSize,
				  _In_reads_bytes_(SaveBufSize) PVOID SaveBuf,
				  _In_ UINT32 SaveBufSize);
typedef EVT_VMB_CHANNEL_RESTORE_PACKET_EX *PFN_VMB_CHANNEL_RESTORE_PACKET_EX;

#ifdef __cplusplus
}
#endif

#include <kmcl_functions.h>
#include <kmcl_tables.h>

/* In no table: exported by their names only. */
#ifdef __cplusplus
extern "C" {
#endif

NTSTATUS VmbChannelCreateGpadl(_In_ VMBCHANNEL Channel, _In_ UINT32 Flags,
			       _In_ UINT32 PageCount, _Out_ PUINT32 GpadlHandle);

NTSTATUS VmbChannelGetSystemAddressForGpadl(_In_ VMBCHANNEL Channel, _In_ UINT32 Flags,
					    _In_ UINT32 GpadlHandle,
					    _Outptr_ PVOID *SystemAddress);

#ifdef __cplusplus
}
#endif

#endif /* _VMBUSKERNELMODECLIENTLIBAPI_H */
