// SPDX-License-Identifier: GPL-2.0
/*
 * The status report: what the host decides on how much memory the guest needs.
 */
#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "dynmem.h"
#include "dynmem_client.h"
#include "dynmem_proto.h"

#define DYNMEM_POOL_TAG		0x6d6d7944	/* "Dymm" */

static EVT_VMB_PACKET_COMPLETION_ROUTINE_EX DynmemStatusSent;

/* To be called when the channel's settings are made: they give the size. */
NTSTATUS DynmemStatusInitialize(PDYNMEM Dynmem)
{
	NTSTATUS status;
	UINT32 size;

	size = Dynmem->Kmcl.VmbChannelSizeofPacket(Dynmem->Channel);
	Dynmem->StatusPacket = ExAllocatePoolWithTag(NonPagedPoolNx, size,
						     DYNMEM_POOL_TAG);
	if (!Dynmem->StatusPacket)
		return STATUS_INSUFFICIENT_RESOURCES;

	status = Dynmem->Kmcl.VmbPacketInitialize(Dynmem->Channel,
						Dynmem->StatusPacket, size);
	if (!NT_SUCCESS(status)) {
		DynmemStatusUninitialize(Dynmem);
		return status;
	}

	Dynmem->Kmcl.VmbPacketSetCompletionRoutineEx(Dynmem->StatusPacket, Dynmem,
						     DynmemStatusSent);
	return STATUS_SUCCESS;
}

/* The channel is disabled, so the packet is completed if it was ever sent. */
VOID DynmemStatusUninitialize(PDYNMEM Dynmem)
{
	if (Dynmem->StatusPacket)
		ExFreePoolWithTag(Dynmem->StatusPacket, DYNMEM_POOL_TAG);
	Dynmem->StatusPacket = NULL;
}

VOID DynmemReportStatus(PDYNMEM Dynmem)
{
	DYNMEM_STATUS_REPORT report;
	DYNMEM_MEMORY memory;
	NTSTATUS status;

	if (DynmemGetState(Dynmem) != DynmemStateActive || !Dynmem->Reporting)
		return;

	/* The host is slow to read: it gets a fresher report the next time. */
	if (InterlockedCompareExchange(&Dynmem->StatusPacketBusy, 1, 0))
		return;

	/*
	 * To the host, what the guest has committed is what it cannot do
	 * without. So it counts what was given away already, lest the same need
	 * look smaller the more is given, and the floor, which the guest would
	 * not give.
	 */
	DynmemQueryMemory(&memory);
	RtlZeroMemory(&report, sizeof(report));
	report.Header.Type = DYNMEM_TYPE_STATUS_REPORT;
	report.Header.Size = sizeof(report);
	report.Header.TransactionId =
		InterlockedIncrement(&Dynmem->TransactionId);
	report.Available = memory.AvailablePages;
	report.Committed = memory.CommittedPages +
		InterlockedExchangeAdd(&Dynmem->Ballooned, 0) +
		DynmemBalloonFloor(&memory);

	status = Dynmem->Kmcl.VmbPacketSend(Dynmem->StatusPacket, &report,
					  sizeof(report), NULL, 0);
	if (!NT_SUCCESS(status))
		InterlockedExchange(&Dynmem->StatusPacketBusy, 0);
}

_Use_decl_annotations_
static VOID DynmemStatusSent(VMBPACKET Packet, PVOID Context, NTSTATUS Status, PVOID Buffer,
			     UINT32 BufferLength)
{
	PDYNMEM dynmem = Context;

	/* Sent or not: the next report is a new one. */
	UNREFERENCED_PARAMETER(Packet);
	UNREFERENCED_PARAMETER(Status);
	UNREFERENCED_PARAMETER(Buffer);
	UNREFERENCED_PARAMETER(BufferLength);
	InterlockedExchange(&dynmem->StatusPacketBusy, 0);
}
