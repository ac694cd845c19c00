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
#define VMBUS_CHANNEL_FORMAT_FLAGS				\
	(VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION |	\
	 VMBUS_CHANNEL_FORMAT_FLAG_FORCE_MDL_LENGTH |		\
	 VMBUS_CHANNEL_FORMAT_FLAG_PAGED_BUFFER)

/* VmbChannelCreateGpadlFromBuffer(), ...FromMdl(), VmbChannelMapGpadl() */
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

/* Outgoing packets. In here the packet may be freed or sent again. */
typedef VOID
EVT_VMB_PACKET_COMPLETION_ROUTINE(_In_ VMBPACKET Packet,
				  _In_ NTSTATUS Status,
				  _In_reads_bytes_opt_(BufferLength) PVOID Buffer,
				  _In_ UINT32 BufferLength);
typedef EVT_VMB_PACKET_COMPLETION_ROUTINE *PFN_VMB_PACKET_COMPLETION_ROUTINE;

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

/*
 * The functions of a client, in the order of the table
 */

typedef NTSTATUS FN_VMB_CHANNEL_ALLOCATE(_In_opt_ PDEVICE_OBJECT Parent,
					 _In_ BOOLEAN IsServer,
					 _Out_ VMBCHANNEL *Channel);
typedef FN_VMB_CHANNEL_ALLOCATE *PFN_VMB_CHANNEL_ALLOCATE;

/* (ours) Cleanup of an enabled channel warns once and disables the channel first. */
typedef VOID FN_VMB_CHANNEL_CLEANUP(_In_ VMBCHANNEL Channel);
typedef FN_VMB_CHANNEL_CLEANUP *PFN_VMB_CHANNEL_CLEANUP;

typedef NTSTATUS
FN_VMB_CHANNEL_CREATE_GPADL_FROM_BUFFER(_In_ VMBCHANNEL Channel,
					_In_ UINT32 Flags, _In_ PVOID Buffer,
					_In_ UINT32 ByteCount,
					_Out_ PUINT32 GpadlHandle);
typedef FN_VMB_CHANNEL_CREATE_GPADL_FROM_BUFFER
	*PFN_VMB_CHANNEL_CREATE_GPADL_FROM_BUFFER;

typedef NTSTATUS
FN_VMB_CHANNEL_CREATE_GPADL_FROM_MDL(_In_ VMBCHANNEL Channel, _In_ UINT32 Flags,
				     _In_ PMDL Mdl,
				     _In_ UINT32 StartOffsetWithinMdl,
				     _In_ UINT32 DataLengthWithinMdl,
				     _Out_ PUINT32 GpadlHandle);
typedef FN_VMB_CHANNEL_CREATE_GPADL_FROM_MDL
	*PFN_VMB_CHANNEL_CREATE_GPADL_FROM_MDL;

typedef VOID FN_VMB_CHANNEL_DELETE_GPADL(_In_ VMBCHANNEL Channel,
					 _In_ UINT32 GpadlHandle);
typedef FN_VMB_CHANNEL_DELETE_GPADL *PFN_VMB_CHANNEL_DELETE_GPADL;

typedef VOID FN_VMB_CHANNEL_DISABLE(_In_ VMBCHANNEL Channel);
typedef FN_VMB_CHANNEL_DISABLE *PFN_VMB_CHANNEL_DISABLE;

typedef NTSTATUS FN_VMB_CHANNEL_ENABLE(_In_ VMBCHANNEL Channel);
typedef FN_VMB_CHANNEL_ENABLE *PFN_VMB_CHANNEL_ENABLE;

typedef VOID FN_VMB_CHANNEL_GET_INTERFACE_INSTANCE(_In_ VMBCHANNEL Channel,
						   _Out_ LPGUID Instance);
typedef FN_VMB_CHANNEL_GET_INTERFACE_INSTANCE
	*PFN_VMB_CHANNEL_GET_INTERFACE_INSTANCE;

/* (ours) Address and size are 0 where the offer has no MMIO space. */
typedef VOID FN_VMB_CHANNEL_GET_MMIO_SPACE(_In_ VMBCHANNEL Channel,
					   _Out_ UINT64 *Address,
					   _Out_ UINT64 *Size);
typedef FN_VMB_CHANNEL_GET_MMIO_SPACE *PFN_VMB_CHANNEL_GET_MMIO_SPACE;

typedef PVOID FN_VMB_CHANNEL_GET_POINTER(_In_ VMBCHANNEL Channel);
typedef FN_VMB_CHANNEL_GET_POINTER *PFN_VMB_CHANNEL_GET_POINTER;

typedef NTSTATUS
FN_VMB_CHANNEL_INIT_SET_CLIENT_CONTEXT_SIZE(_In_ VMBCHANNEL Channel,
					    _In_ UINT32 ClientContextSize);
typedef FN_VMB_CHANNEL_INIT_SET_CLIENT_CONTEXT_SIZE
	*PFN_VMB_CHANNEL_INIT_SET_CLIENT_CONTEXT_SIZE;

typedef NTSTATUS FN_VMB_CHANNEL_INIT_SET_FLAGS(_In_ VMBCHANNEL Channel,
					       _In_ UINT32 Flags);
typedef FN_VMB_CHANNEL_INIT_SET_FLAGS *PFN_VMB_CHANNEL_INIT_SET_FLAGS;

typedef NTSTATUS
FN_VMB_CHANNEL_INIT_SET_FRIENDLY_NAME(_In_ VMBCHANNEL Channel,
				      _In_ PCUNICODE_STRING FriendlyName);
typedef FN_VMB_CHANNEL_INIT_SET_FRIENDLY_NAME
	*PFN_VMB_CHANNEL_INIT_SET_FRIENDLY_NAME;

typedef NTSTATUS
FN_VMB_CHANNEL_INIT_SET_MAXIMUM_EXTERNAL_DATA(_In_ VMBCHANNEL Channel,
					      _In_ UINT32 DataSize,
					      _In_ UINT32 ChainLength);
typedef FN_VMB_CHANNEL_INIT_SET_MAXIMUM_EXTERNAL_DATA
	*PFN_VMB_CHANNEL_INIT_SET_MAXIMUM_EXTERNAL_DATA;

typedef NTSTATUS
FN_VMB_CHANNEL_INIT_SET_MAXIMUM_PACKET_SIZE(_In_ VMBCHANNEL Channel,
					    _In_ UINT32 PacketSize);
typedef FN_VMB_CHANNEL_INIT_SET_MAXIMUM_PACKET_SIZE
	*PFN_VMB_CHANNEL_INIT_SET_MAXIMUM_PACKET_SIZE;

typedef NTSTATUS
FN_VMB_CHANNEL_INIT_SET_PROCESS_PACKET_CALLBACKS(_In_ VMBCHANNEL Channel,
						 _In_ PFN_VMB_CHANNEL_PROCESS_PACKET Packet,
						 _In_opt_ PFN_VMB_CHANNEL_PROCESSING_COMPLETE Done);
typedef FN_VMB_CHANNEL_INIT_SET_PROCESS_PACKET_CALLBACKS
	*PFN_VMB_CHANNEL_INIT_SET_PROCESS_PACKET_CALLBACKS;

typedef NTSTATUS
FN_VMB_CHANNEL_INIT_SET_STATE_CHANGE_CALLBACKS(_In_ VMBCHANNEL Channel,
					       _In_ PVMB_CHANNEL_STATE_CHANGE_CALLBACKS Callbacks);
typedef FN_VMB_CHANNEL_INIT_SET_STATE_CHANGE_CALLBACKS
	*PFN_VMB_CHANNEL_INIT_SET_STATE_CHANGE_CALLBACKS;

typedef VOID
FN_VMB_CHANNEL_PACKET_COMPLETE(_In_ VMBPACKETCOMPLETION PacketCompletion,
			       _In_reads_bytes_opt_(BufSize) PVOID Buffer,
			       _In_ UINT32 BufSize);
typedef FN_VMB_CHANNEL_PACKET_COMPLETE *PFN_VMB_CHANNEL_PACKET_COMPLETE;

/* (ours) A deferred packet keeps its place among the others. */
typedef VOID
FN_VMB_CHANNEL_PACKET_DEFER_TO_PASSIVE(_In_ VMBPACKETCOMPLETION PacketCompletion);
typedef FN_VMB_CHANNEL_PACKET_DEFER_TO_PASSIVE
	*PFN_VMB_CHANNEL_PACKET_DEFER_TO_PASSIVE;

typedef VOID
FN_VMB_CHANNEL_PACKET_FAIL(_In_ VMBPACKETCOMPLETION PacketCompletion);
typedef FN_VMB_CHANNEL_PACKET_FAIL *PFN_VMB_CHANNEL_PACKET_FAIL;

typedef NTSTATUS
FN_VMB_CHANNEL_PACKET_GET_EXTERNAL_DATA(_In_ VMBPACKETCOMPLETION PacketCompletion,
					_In_ UINT32 Flags, _Outptr_ PMDL *Mdl);
typedef FN_VMB_CHANNEL_PACKET_GET_EXTERNAL_DATA
	*PFN_VMB_CHANNEL_PACKET_GET_EXTERNAL_DATA;

typedef VOID FN_VMB_CHANNEL_PAUSE(_In_ VMBCHANNEL Channel);
typedef FN_VMB_CHANNEL_PAUSE *PFN_VMB_CHANNEL_PAUSE;

typedef NTSTATUS
FN_VMB_CHANNEL_SEND_SYNCHRONOUS_REQUEST(_In_ VMBCHANNEL Channel,
					_In_reads_bytes_(Size) PVOID Buffer,
					_In_ UINT32 Size,
					_In_opt_ PMDL ExternalData,
					_In_ UINT32 Flags,
					_Out_opt_ PVOID CompletionBuffer,
					_Inout_opt_ PUINT32 CompletionBufferSize,
					_In_opt_ PLARGE_INTEGER Timeout);
typedef FN_VMB_CHANNEL_SEND_SYNCHRONOUS_REQUEST
	*PFN_VMB_CHANNEL_SEND_SYNCHRONOUS_REQUEST;

typedef VOID
FN_VMB_CHANNEL_SET_INCOMING_PROCESSING_AT_PASSIVE(_In_ VMBCHANNEL Channel,
						  _In_ BOOLEAN ProcessAtPassive);
typedef FN_VMB_CHANNEL_SET_INCOMING_PROCESSING_AT_PASSIVE
	*PFN_VMB_CHANNEL_SET_INCOMING_PROCESSING_AT_PASSIVE;

typedef NTSTATUS
FN_VMB_CHANNEL_SET_INTERRUPT_LATENCY(_In_ VMBCHANNEL Channel,
				     _In_ UINT16 Latency100ns,
				     _Out_opt_ PUINT16 Original);
typedef FN_VMB_CHANNEL_SET_INTERRUPT_LATENCY
	*PFN_VMB_CHANNEL_SET_INTERRUPT_LATENCY;

typedef VOID FN_VMB_CHANNEL_SET_POINTER(_In_ VMBCHANNEL Channel,
					_In_opt_ PVOID Pointer);
typedef FN_VMB_CHANNEL_SET_POINTER *PFN_VMB_CHANNEL_SET_POINTER;

typedef VOID FN_VMB_CHANNEL_SET_TRANSACTION_QUOTA(_In_ VMBCHANNEL Channel,
						  _In_ UINT32 Quota);
typedef FN_VMB_CHANNEL_SET_TRANSACTION_QUOTA
	*PFN_VMB_CHANNEL_SET_TRANSACTION_QUOTA;

typedef UINT32 FN_VMB_CHANNEL_SIZEOF_PACKET(_In_ VMBCHANNEL Channel);
typedef FN_VMB_CHANNEL_SIZEOF_PACKET *PFN_VMB_CHANNEL_SIZEOF_PACKET;

typedef VOID FN_VMB_CHANNEL_START(_In_ VMBCHANNEL Channel);
typedef FN_VMB_CHANNEL_START *PFN_VMB_CHANNEL_START;

typedef NTSTATUS
FN_VMB_CLIENT_CHANNEL_INIT_SET_RING_BUFFER_PAGE_COUNT(_In_ VMBCHANNEL Channel,
						      _In_ UINT32 IncomingPages,
						      _In_ UINT32 OutgoingPages);
typedef FN_VMB_CLIENT_CHANNEL_INIT_SET_RING_BUFFER_PAGE_COUNT
	*PFN_VMB_CLIENT_CHANNEL_INIT_SET_RING_BUFFER_PAGE_COUNT;

typedef NTSTATUS
FN_VMB_CLIENT_CHANNEL_INIT_SET_TARGET_PNP(_In_ VMBCHANNEL Channel,
					  _In_ LPCGUID Type,
					  _In_opt_ LPCGUID Instance,
					  _In_opt_ PFN_VMB_CHANNEL_PNP_FAILURE PnpFailure);
typedef FN_VMB_CLIENT_CHANNEL_INIT_SET_TARGET_PNP
	*PFN_VMB_CLIENT_CHANNEL_INIT_SET_TARGET_PNP;

typedef VMBPACKET FN_VMB_PACKET_ALLOCATE(_In_ VMBCHANNEL Channel);
typedef FN_VMB_PACKET_ALLOCATE *PFN_VMB_PACKET_ALLOCATE;

typedef VOID FN_VMB_PACKET_FREE(_In_ VMBPACKET Packet);
typedef FN_VMB_PACKET_FREE *PFN_VMB_PACKET_FREE;

typedef VMBCHANNEL FN_VMB_PACKET_GET_CHANNEL(_In_ VMBPACKET Packet);
typedef FN_VMB_PACKET_GET_CHANNEL *PFN_VMB_PACKET_GET_CHANNEL;

typedef PVOID FN_VMB_PACKET_GET_POINTER(_In_ VMBPACKET Packet);
typedef FN_VMB_PACKET_GET_POINTER *PFN_VMB_PACKET_GET_POINTER;

/* (ours) Sending the packet with no completion routine set is an error status. */
typedef NTSTATUS
FN_VMB_PACKET_INITIALIZE(_In_ VMBCHANNEL Channel,
			 _Out_writes_bytes_(ByteCount) VMBPACKET Buffer,
			 _In_ UINT32 ByteCount);
typedef FN_VMB_PACKET_INITIALIZE *PFN_VMB_PACKET_INITIALIZE;

/* (ours) When the channel goes away, a packet completes with STATUS_DEVICE_REMOVED. */
typedef NTSTATUS
FN_VMB_PACKET_SEND(_In_ VMBPACKET Packet,
		   _In_reads_bytes_(BufferLength) PVOID Buffer,
		   _In_ UINT32 BufferLength, _In_opt_ PMDL ExternalDataMdl,
		   _In_ UINT32 Flags);
typedef FN_VMB_PACKET_SEND *PFN_VMB_PACKET_SEND;

typedef NTSTATUS
FN_VMB_PACKET_SEND_WITH_EXTERNAL_MDL(_In_ VMBPACKET Packet,
				     _In_reads_bytes_(BufferLength) PVOID Buffer,
				     _In_ UINT32 BufferLength, _In_ PMDL Mdl,
				     _In_ UINT32 MdlOffset,
				     _In_ UINT32 MdlLength, _In_ UINT32 Flags);
typedef FN_VMB_PACKET_SEND_WITH_EXTERNAL_MDL
	*PFN_VMB_PACKET_SEND_WITH_EXTERNAL_MDL;

typedef NTSTATUS
FN_VMB_PACKET_SEND_WITH_EXTERNAL_PFNS(_In_ VMBPACKET Packet,
				      _In_reads_bytes_(BufferLength) PVOID Buffer,
				      _In_ UINT32 BufferLength,
				      _In_reads_(PfnCount) PPFN_NUMBER Pfns,
				      _In_ UINT32 PfnCount, _In_ UINT32 Flags);
typedef FN_VMB_PACKET_SEND_WITH_EXTERNAL_PFNS
	*PFN_VMB_PACKET_SEND_WITH_EXTERNAL_PFNS;

typedef VOID
FN_VMB_PACKET_SET_COMPLETION_ROUTINE(_In_ VMBPACKET Packet,
				     _In_ PFN_VMB_PACKET_COMPLETION_ROUTINE CompletionRoutine);
typedef FN_VMB_PACKET_SET_COMPLETION_ROUTINE
	*PFN_VMB_PACKET_SET_COMPLETION_ROUTINE;

typedef VOID FN_VMB_PACKET_SET_POINTER(_In_ VMBPACKET Packet,
				       _In_opt_ PVOID Pointer);
typedef FN_VMB_PACKET_SET_POINTER *PFN_VMB_PACKET_SET_POINTER;

/*
 * The functions that only a server calls, in the order of the table
 */

typedef NTSTATUS FN_VMB_CHANNEL_MAP_GPADL(_In_ VMBCHANNEL Channel,
					  _In_ UINT32 Flags,
					  _In_ UINT32 GpadlHandle,
					  _Outptr_ PMDL *Mdl);
typedef FN_VMB_CHANNEL_MAP_GPADL *PFN_VMB_CHANNEL_MAP_GPADL;

typedef NTSTATUS
FN_VMB_CHANNEL_RESTORE_FROM_BUFFER(_In_ VMBCHANNEL Channel,
				   _In_reads_bytes_(BufferSize) PVOID Buffer,
				   _In_ ULONG BufferSize);
typedef FN_VMB_CHANNEL_RESTORE_FROM_BUFFER *PFN_VMB_CHANNEL_RESTORE_FROM_BUFFER;

typedef NTSTATUS FN_VMB_CHANNEL_SAVE_BEGIN(_In_ VMBCHANNEL Channel);
typedef FN_VMB_CHANNEL_SAVE_BEGIN *PFN_VMB_CHANNEL_SAVE_BEGIN;

typedef NTSTATUS
FN_VMB_CHANNEL_SAVE_CONTINUE(_In_ VMBCHANNEL Channel,
			     _Out_writes_bytes_(BufferSize) PVOID Buffer,
			     _In_ ULONG BufferSize, _Out_ PULONG BytesFilled,
			     _Out_ PULONG BytesRequired);
typedef FN_VMB_CHANNEL_SAVE_CONTINUE *PFN_VMB_CHANNEL_SAVE_CONTINUE;

typedef VOID FN_VMB_CHANNEL_SAVE_END(_In_ VMBCHANNEL Channel);
typedef FN_VMB_CHANNEL_SAVE_END *PFN_VMB_CHANNEL_SAVE_END;

typedef VOID FN_VMB_CHANNEL_UNMAP_GPADL(_In_ VMBCHANNEL Channel,
					_In_ UINT32 GpadlHandle);
typedef FN_VMB_CHANNEL_UNMAP_GPADL *PFN_VMB_CHANNEL_UNMAP_GPADL;

/* (ours) A guest has no worker processes: always STATUS_NOT_SUPPORTED. */
typedef NTSTATUS
FN_VMB_CONVERT_VMBUS_HANDLE_TO_KERNEL_HANDLE(_In_ HANDLE VmbusHandle,
					     _Out_ PHANDLE KernelHandle);
typedef FN_VMB_CONVERT_VMBUS_HANDLE_TO_KERNEL_HANDLE
	*PFN_VMB_CONVERT_VMBUS_HANDLE_TO_KERNEL_HANDLE;

typedef NTSTATUS
FN_VMB_PACKET_RESTORE(_In_ VMBPACKET Packet,
		      _In_reads_bytes_(LibBufSize) PVOID LibBuf,
		      _In_ ULONG LibBufSize);
typedef FN_VMB_PACKET_RESTORE *PFN_VMB_PACKET_RESTORE;

typedef NTSTATUS FN_VMB_SERVER_CHANNEL_INIT_SET_FLAGS(_In_ VMBCHANNEL Channel,
						      _In_ UINT32 Flags);
typedef FN_VMB_SERVER_CHANNEL_INIT_SET_FLAGS
	*PFN_VMB_SERVER_CHANNEL_INIT_SET_FLAGS;

typedef NTSTATUS
FN_VMB_SERVER_CHANNEL_INIT_SET_MMIO_MEGABYTES(_In_ VMBCHANNEL Channel,
					      _In_ UINT16 Megabytes,
					      _In_ UINT16 OptionalMegabytes);
typedef FN_VMB_SERVER_CHANNEL_INIT_SET_MMIO_MEGABYTES
	*PFN_VMB_SERVER_CHANNEL_INIT_SET_MMIO_MEGABYTES;

typedef NTSTATUS
FN_VMB_SERVER_CHANNEL_INIT_SET_SAVE_RESTORE_PACKET_CALLBACKS(_In_ VMBCHANNEL Channel,
							     PFN_VMB_CHANNEL_SAVE_PACKET Write,
							     PFN_VMB_CHANNEL_RESTORE_PACKET Read);
typedef FN_VMB_SERVER_CHANNEL_INIT_SET_SAVE_RESTORE_PACKET_CALLBACKS
	*PFN_VMB_SERVER_CHANNEL_INIT_SET_SAVE_RESTORE_PACKET_CALLBACKS;

typedef NTSTATUS
FN_VMB_SERVER_CHANNEL_INIT_SET_TARGET_INTERFACE_ID(_In_ VMBCHANNEL Channel,
						   _In_ GUID Type,
						   _In_ GUID Instance);
typedef FN_VMB_SERVER_CHANNEL_INIT_SET_TARGET_INTERFACE_ID
	*PFN_VMB_SERVER_CHANNEL_INIT_SET_TARGET_INTERFACE_ID;

typedef NTSTATUS
FN_VMB_SERVER_CHANNEL_INIT_SET_TARGET_VTL(_In_ VMBCHANNEL Channel,
					  _In_ UINT8 TargetVtl);
typedef FN_VMB_SERVER_CHANNEL_INIT_SET_TARGET_VTL
	*PFN_VMB_SERVER_CHANNEL_INIT_SET_TARGET_VTL;

/* (ours) There is one bus only: NULL is the only handle accepted. */
typedef NTSTATUS
FN_VMB_SERVER_CHANNEL_INIT_SET_VMBUS_HANDLE(_In_ VMBCHANNEL Channel,
					    _In_opt_ HANDLE VmbusHandle);
typedef FN_VMB_SERVER_CHANNEL_INIT_SET_VMBUS_HANDLE
	*PFN_VMB_SERVER_CHANNEL_INIT_SET_VMBUS_HANDLE;

/*
 * In no table of version 1, yet without it the context that
 * VmbChannelInitSetClientContextSize() reserves could not be reached. The
 * public sources have its name, (ours) is the signature.
 */
typedef PVOID
FN_VMB_CHANNEL_PACKET_GET_CLIENT_CONTEXT(_In_ VMBPACKETCOMPLETION PacketCompletion);
typedef FN_VMB_CHANNEL_PACKET_GET_CLIENT_CONTEXT
	*PFN_VMB_CHANNEL_PACKET_GET_CLIENT_CONTEXT;

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

/* Every function is also exported under its own name. */
#define KMCL_PROTOTYPE(slot, name, type)	FN_VMB_##type name;
KMCL_CLIENT_FUNCTIONS_V1(KMCL_PROTOTYPE)
KMCL_SERVER_ONLY_FUNCTIONS(KMCL_PROTOTYPE)
FN_VMB_CHANNEL_PACKET_GET_CLIENT_CONTEXT VmbChannelPacketGetClientContext;
#undef KMCL_PROTOTYPE

/*
 * The tables. Windows embeds their parts without names, so that the members of
 * each part are the table's own. That takes a compiler extension which Linux
 * does not switch on; a union of the named part with its members does not.
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

typedef struct _KMCL_SERVER_ONLY_METHODS {
	KMCL_SERVER_ONLY_FUNCTIONS(KMCL_MEMBER)
} KMCL_FIXED_LAYOUT KMCL_SERVER_ONLY_METHODS, *PKMCL_SERVER_ONLY_METHODS;

typedef struct _KMCL_SERVER_INTERFACE_V1 {
	union {
		KMCL_CLIENT_INTERFACE_V1 Client;
		struct {
			KMCL_INTERFACE_HEAD
			KMCL_CLIENT_FUNCTIONS_V1(KMCL_MEMBER)
		} KMCL_FIXED_LAYOUT;
	};
	union {
		KMCL_SERVER_ONLY_METHODS ServerOnly;
		struct {
			KMCL_SERVER_ONLY_FUNCTIONS(KMCL_MEMBER)
		} KMCL_FIXED_LAYOUT;
	};
} KMCL_FIXED_LAYOUT KMCL_SERVER_INTERFACE_V1, *PKMCL_SERVER_INTERFACE_V1;

#undef KMCL_INTERFACE_HEAD
#undef KMCL_MEMBER

/*
 * (ours) These identify the tables to WdfFdoQueryForInterface() and
 * WdfIoTargetQueryForInterface(). Windows' own values are not public.
 */

/* e81aa2e2-675c-4329-af2b-43694af7448a */
DEFINE_GUID(KMCL_CLIENT_INTERFACE_TYPE, 0xe81aa2e2, 0x675c, 0x4329,
	    0xaf, 0x2b, 0x43, 0x69, 0x4a, 0xf7, 0x44, 0x8a);

/* 7ea57fa0-4a37-493b-8ea5-caba0b1f0b20 */
DEFINE_GUID(KMCL_SERVER_INTERFACE_TYPE, 0x7ea57fa0, 0x4a37, 0x493b,
	    0x8e, 0xa5, 0xca, 0xba, 0x0b, 0x1f, 0x0b, 0x20);

#define KMCL_CLIENT_INTERFACE_VERSION_V1	1
#define KMCL_CLIENT_INTERFACE_VERSION_LATEST	KMCL_CLIENT_INTERFACE_VERSION_V1

#define KMCL_SERVER_INTERFACE_VERSION_V1	1
#define KMCL_SERVER_INTERFACE_VERSION_LATEST	KMCL_SERVER_INTERFACE_VERSION_V1

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

#define KMCL_CHECK_HEAD(type)						\
	KMCL_CHECK_OFFSET(type, Size, 0);				\
	KMCL_CHECK_OFFSET(type, Version, 2);				\
	KMCL_CHECK_OFFSET(type, Context, 8);				\
	KMCL_CHECK_OFFSET(type, InterfaceReference, 16);		\
	KMCL_CHECK_OFFSET(type, InterfaceDereference, 24)

#define KMCL_CHECK_CLIENT(slot, name, type)				\
	KMCL_CHECK_OFFSET(KMCL_CLIENT_INTERFACE_V1, name, 32 + 8 * (slot)); \
	KMCL_CHECK_OFFSET(KMCL_SERVER_INTERFACE_V1, name, 32 + 8 * (slot));

#define KMCL_CHECK_SERVER_ONLY(slot, name, type)			\
	KMCL_CHECK_OFFSET(KMCL_SERVER_ONLY_METHODS, name, 8 * (slot));	\
	KMCL_CHECK_OFFSET(KMCL_SERVER_INTERFACE_V1, name, 360 + 8 * (slot));

C_ASSERT(sizeof(KMCL_CLIENT_INTERFACE_V1) == 360);
C_ASSERT(sizeof(KMCL_SERVER_ONLY_METHODS) == 112);
C_ASSERT(sizeof(KMCL_SERVER_INTERFACE_V1) == 472);
KMCL_CHECK_HEAD(INTERFACE);
KMCL_CHECK_HEAD(KMCL_CLIENT_INTERFACE_V1);
KMCL_CHECK_HEAD(KMCL_SERVER_INTERFACE_V1);
KMCL_CLIENT_FUNCTIONS_V1(KMCL_CHECK_CLIENT)
KMCL_SERVER_ONLY_FUNCTIONS(KMCL_CHECK_SERVER_ONLY)

#undef KMCL_CHECK_SERVER_ONLY
#undef KMCL_CHECK_CLIENT
#undef KMCL_CHECK_HEAD
#undef KMCL_CHECK_OFFSET

#endif /* _VMBUSKERNELMODECLIENTLIBAPI_H */
