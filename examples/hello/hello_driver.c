// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <ntddk.h>
#include <initguid.h>
#include <vmbuskernelmodeclientlibapi.h>
#include "hello.h"

static KMCL_CLIENT_INTERFACE_V1 Kmcl;
static VMBCHANNEL Channel;

static VOID Question(VMBCHANNEL C, VMBPACKETCOMPLETION P, PVOID Buffer, UINT32 Length,
		     UINT32 Flags)
{
	Kmcl.VmbChannelPacketComplete(P, NULL, 0);
}

static VOID Answer(VMBPACKET P, NTSTATUS Status, PVOID Buffer, UINT32 Length)
{
	DbgPrint("hello: the host has answered: status %08x, %u bytes\n", Status, Length);
	Kmcl.VmbPacketFree(P);
}

/* Goes out when the channel opens, which it does when the host offers it. */
static NTSTATUS HelloSend(VOID)
{
	VMBPACKET P = Kmcl.VmbPacketAllocate(Channel);
	NTSTATUS Status;

	if (!P)
		return STATUS_INSUFFICIENT_RESOURCES;
	Kmcl.VmbPacketSetCompletionRoutine(P, Answer);
	Status = Kmcl.VmbPacketSend(P, "hello", 6, NULL,
				    VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION);
	if (!NT_SUCCESS(Status))
		Kmcl.VmbPacketFree(P);
	return Status;
}

NTSTATUS HelloStart(WDFDEVICE Device)
{
	NTSTATUS Status;

	Status = WdfFdoQueryForInterface(Device, &KMCL_CLIENT_INTERFACE_TYPE, (PINTERFACE)&Kmcl,
					 sizeof(Kmcl), KMCL_CLIENT_INTERFACE_VERSION_V1, NULL);
	if (!NT_SUCCESS(Status))
		return Status;
	Status = Kmcl.VmbChannelAllocate(NULL, FALSE, &Channel);
	if (!NT_SUCCESS(Status)) {
		Kmcl.InterfaceDereference(Kmcl.Context);
		return Status;
	}
	Kmcl.VmbChannelInitSetProcessPacketCallbacks(Channel, Question, NULL);
	Status = Kmcl.VmbClientChannelInitSetTargetPnp(Channel, &HELLO_CLASS, NULL, NULL);
	if (NT_SUCCESS(Status))
		Status = Kmcl.VmbChannelEnable(Channel);
	if (NT_SUCCESS(Status))
		Status = HelloSend();
	if (!NT_SUCCESS(Status))
		HelloStop();
	return Status;
}

VOID HelloStop(VOID)
{
	Kmcl.VmbChannelDisable(Channel);
	Kmcl.VmbChannelCleanup(Channel);
	Kmcl.InterfaceDereference(Kmcl.Context);
}
