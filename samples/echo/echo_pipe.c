// SPDX-License-Identifier: GPL-2.0
/*
 * A pipe for user space: the server offers a second channel, whose messages it sends back.
 * On Windows a program opens it by its device interface, on Linux as /dev/vmbkmcl/....
 */
#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "echo_server.h"

/* Answers that a program leaves unread; those beyond that are not sent. */
#define ECHO_PIPE_MAXIMUM_UNSENT	64

static EVT_VMB_CHANNEL_PROCESS_PACKET EchoPipeProcessPacket;
static EVT_VMB_PACKET_COMPLETION_ROUTINE EchoPipeSent;

static VMBCHANNEL EchoPipeChannel;
static LONG EchoPipeUnsent;

static VOID EchoPipeSent(VMBPACKET Packet, NTSTATUS Status, PVOID Buffer, UINT32 BufferLength)
{
	UNREFERENCED_PARAMETER(Status);
	UNREFERENCED_PARAMETER(Buffer);
	UNREFERENCED_PARAMETER(BufferLength);
	EchoServerKmcl.VmbPacketFree(Packet);
	InterlockedDecrement(&EchoPipeUnsent);
}

static NTSTATUS EchoPipeSend(VMBCHANNEL Channel, PVOID Buffer, UINT32 BufferLength)
{
	VMBPACKET packet = EchoServerKmcl.VmbPacketAllocate(Channel);
	NTSTATUS status;

	if (!packet)
		return STATUS_INSUFFICIENT_RESOURCES;

	EchoServerKmcl.VmbPacketSetCompletionRoutine(packet, EchoPipeSent);
	status = EchoServerKmcl.VmbPacketSend(packet, Buffer, BufferLength, NULL, 0);
	if (!NT_SUCCESS(status))
		EchoServerKmcl.VmbPacketFree(packet);
	return status;
}

/* A program's message asks for no completion: the answer is a packet of its own. */
static VOID EchoPipeProcessPacket(VMBCHANNEL Channel, VMBPACKETCOMPLETION Packet, PVOID Buffer,
				  UINT32 BufferLength, UINT32 Flags)
{
	NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;

	UNREFERENCED_PARAMETER(Flags);
	if (InterlockedIncrement(&EchoPipeUnsent) <= ECHO_PIPE_MAXIMUM_UNSENT)
		status = EchoPipeSend(Channel, Buffer, BufferLength);
	if (!NT_SUCCESS(status)) {
		InterlockedDecrement(&EchoPipeUnsent);
		DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_ERROR_LEVEL,
			   "server: a message is not echoed: status %#x\n", status);
	}
	EchoServerKmcl.VmbChannelPacketComplete(Packet, NULL, 0);
}

static NTSTATUS EchoPipeConfigure(VMBCHANNEL Channel)
{
	DECLARE_CONST_UNICODE_STRING(name, L"echo pipe");
	NTSTATUS status;

	status = EchoServerKmcl.VmbServerChannelInitSetTargetInterfaceId(Channel,
									 ECHO_INTERFACE_TYPE,
									 ECHO_PIPE_INSTANCE);
	if (!NT_SUCCESS(status))
		return status;

	status = EchoServerKmcl.VmbServerChannelInitSetFlags(Channel,
			VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER |
			VMBUS_SERVER_CHANNEL_INIT_FLAG_OFFER_AS_PIPE |
			VMBUS_SERVER_CHANNEL_INIT_FLAG_ENUMERATE_DEVICE_INTERFACE);
	if (!NT_SUCCESS(status))
		return status;

	status = EchoServerKmcl.VmbChannelInitSetMaximumPacketSize(Channel, ECHO_MAXIMUM_PACKET);
	if (!NT_SUCCESS(status))
		return status;

	status = EchoServerKmcl.VmbChannelInitSetProcessPacketCallbacks(Channel,
									EchoPipeProcessPacket,
									NULL);
	if (!NT_SUCCESS(status))
		return status;
	return EchoServerKmcl.VmbChannelInitSetFriendlyName(Channel, &name);
}

NTSTATUS EchoPipeStart(VOID)
{
	NTSTATUS status;

	status = EchoServerKmcl.VmbChannelAllocate(NULL, TRUE, &EchoPipeChannel);
	if (!NT_SUCCESS(status))
		return status;

	status = EchoPipeConfigure(EchoPipeChannel);
	if (NT_SUCCESS(status))
		status = EchoServerKmcl.VmbChannelEnable(EchoPipeChannel);
	if (!NT_SUCCESS(status)) {
		EchoServerKmcl.VmbChannelCleanup(EchoPipeChannel);
		return status;
	}
	EchoServerKmcl.VmbChannelStart(EchoPipeChannel);
	return STATUS_SUCCESS;
}

VOID EchoPipeStop(VOID)
{
	EchoServerKmcl.VmbChannelDisable(EchoPipeChannel);
	EchoServerKmcl.VmbChannelCleanup(EchoPipeChannel);
}
