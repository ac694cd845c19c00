// SPDX-License-Identifier: GPL-2.0
/*
 * Functions of the tables that do nothing yet but say so: a status, or where
 * there is none a warning, once. docs/api-status.md lists them.
 */
#include <linux/export.h>

#include "kmcl.h"

#define KMCL_UNSUPPORTED_VOID() \
	WARN_ONCE(1, "vmbkmcl: %s() is not supported\n", __func__)

/**
 * VmbChannelSetInterruptLatency() - set how long the host may batch signals
 * @Channel: the channel
 * @Latency100ns: not looked at
 * @OriginalLatency100ns: not written to
 *
 * The pages that hold this latency belong to hv_vmbus, which offers no way to
 * change it: so this is how it stays, unlike on Windows.
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: STATUS_NOT_SUPPORTED.
 */
NTSTATUS VmbChannelSetInterruptLatency(VMBCHANNEL Channel, UINT16 Latency100ns,
				       PUINT16 OriginalLatency100ns)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbChannelSetInterruptLatency);

/* The server's half */

NTSTATUS VmbChannelMapGpadl(VMBCHANNEL Channel, UINT32 Flags,
			    UINT32 GpadlHandle, PMDL *Mdl)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbChannelMapGpadl);

NTSTATUS VmbChannelRestoreFromBuffer(VMBCHANNEL Channel, PVOID Buffer,
				     ULONG BufferSize)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbChannelRestoreFromBuffer);

NTSTATUS VmbChannelSaveBegin(VMBCHANNEL Channel)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbChannelSaveBegin);

NTSTATUS VmbChannelSaveContinue(VMBCHANNEL Channel, PVOID Buffer,
				ULONG BufferSize, PULONG BytesFilled,
				PULONG BytesRequired)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbChannelSaveContinue);

VOID VmbChannelSaveEnd(VMBCHANNEL Channel)
{
	KMCL_UNSUPPORTED_VOID();
}
EXPORT_SYMBOL_GPL(VmbChannelSaveEnd);

VOID VmbChannelUnmapGpadl(VMBCHANNEL Channel, UINT32 GpadlHandle)
{
	KMCL_UNSUPPORTED_VOID();
}
EXPORT_SYMBOL_GPL(VmbChannelUnmapGpadl);

NTSTATUS VmbConvertVmbusHandleToKernelHandle(HANDLE VmbusHandle,
					     PHANDLE KernelHandle)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbConvertVmbusHandleToKernelHandle);

NTSTATUS VmbPacketRestore(VMBPACKET PacketObject, PVOID Buffer,
			  ULONG BufferSize)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbPacketRestore);

NTSTATUS VmbServerChannelInitSetFlags(VMBCHANNEL Channel, UINT32 Flags)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbServerChannelInitSetFlags);

NTSTATUS VmbServerChannelInitSetMmioMegabytes(VMBCHANNEL Channel,
					      UINT16 MmioMegabytes,
					      UINT16 MmioMegabytesOptional)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbServerChannelInitSetMmioMegabytes);

NTSTATUS
VmbServerChannelInitSetSaveRestorePacketCallbacks(VMBCHANNEL Channel,
						  PFN_VMB_CHANNEL_SAVE_PACKET SavePacket,
						  PFN_VMB_CHANNEL_RESTORE_PACKET RestorePacket)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbServerChannelInitSetSaveRestorePacketCallbacks);

NTSTATUS VmbServerChannelInitSetTargetInterfaceId(VMBCHANNEL Channel,
						  GUID InterfaceType,
						  GUID InterfaceInstance)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbServerChannelInitSetTargetInterfaceId);

NTSTATUS VmbServerChannelInitSetTargetVtl(VMBCHANNEL Channel, UINT8 TargetVtl)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbServerChannelInitSetTargetVtl);

NTSTATUS VmbServerChannelInitSetVmbusHandle(VMBCHANNEL Channel,
					    HANDLE VmbusHandle)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbServerChannelInitSetVmbusHandle);
