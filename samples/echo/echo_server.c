// SPDX-License-Identifier: GPL-2.0
/*
 * The server: offers a channel to clients in the same kernel, and does for them
 * what their packets say.
 */
#include <ntddk.h>
#include <wdf.h>
#include <initguid.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "echo.h"
#include "echo_server.h"

KMCL_SERVER_INTERFACE_V1 EchoServerKmcl;
ECHO_SERVER EchoServer;

static EVT_VMB_CHANNEL_PROCESS_PACKET EchoServerProcessPacket;
static EVT_VMB_PACKET_COMPLETION_ROUTINE EchoServerLendOver;

/* What the server lends to the client, to be inverted. */
static UCHAR EchoServerMemory[300];

static NTSTATUS EchoServerFill(VMBCHANNEL Channel, PECHO_MESSAGE Message)
{
	PUCHAR bytes;
	NTSTATUS status;
	PMDL mdl;
	ULONG i;

	status = EchoServerKmcl.VmbChannelMapGpadl(Channel, 0, Message->Gpadl, &mdl);
	if (!NT_SUCCESS(status))
		return status;

	bytes = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
	for (i = 0; bytes && i < MmGetMdlByteCount(mdl); i++)
		bytes[i] = (UCHAR)i;
	Message->Value = bytes ? MmGetMdlByteCount(mdl) : 0;
	EchoServerKmcl.VmbChannelUnmapGpadl(Channel, Message->Gpadl);
	return STATUS_SUCCESS;
}

static VOID EchoServerLendOver(VMBPACKET Packet, NTSTATUS Status, PVOID Buffer,
			       UINT32 BufferLength)
{
	PMDL mdl = EchoServerKmcl.VmbPacketGetPointer(Packet);
	ULONG i, wrong = 0;

	UNREFERENCED_PARAMETER(Buffer);
	UNREFERENCED_PARAMETER(BufferLength);
	for (i = 0; i < sizeof(EchoServerMemory); i++)
		wrong += EchoServerMemory[i] != (UCHAR)~i;
	DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_INFO_LEVEL,
		   "server: %s\n", NT_SUCCESS(Status) && !wrong ?
		   "the client has inverted the server's memory" :
		   "the server's memory is not as expected");
	IoFreeMdl(mdl);
	EchoServerKmcl.VmbPacketFree(Packet);
}

/* A packet with external data from the server to the client. */
static NTSTATUS EchoServerLend(VMBCHANNEL Channel)
{
	ECHO_MESSAGE message = { EchoOperationInvert };
	NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
	VMBPACKET packet;
	PMDL mdl;
	ULONG i;

	for (i = 0; i < sizeof(EchoServerMemory); i++)
		EchoServerMemory[i] = (UCHAR)i;

	mdl = IoAllocateMdl(EchoServerMemory, sizeof(EchoServerMemory), FALSE, FALSE, NULL);
	if (!mdl)
		return status;
	MmBuildMdlForNonPagedPool(mdl);

	packet = EchoServerKmcl.VmbPacketAllocate(Channel);
	if (packet) {
		EchoServerKmcl.VmbPacketSetPointer(packet, mdl);
		EchoServerKmcl.VmbPacketSetCompletionRoutine(packet, EchoServerLendOver);
		status = EchoServerKmcl.VmbPacketSend(packet, &message, sizeof(message), mdl,
						      ECHO_WAIT);
		if (NT_SUCCESS(status))
			return status;
		EchoServerKmcl.VmbPacketFree(packet);
	}
	IoFreeMdl(mdl);
	return status;
}

VOID EchoServerQuestionOver(VMBPACKET Packet, NTSTATUS Status, PVOID Buffer,
			    UINT32 BufferLength)
{
	PECHO_QUESTION question = EchoServerKmcl.VmbPacketGetPointer(Packet);
	PECHO_MESSAGE answer = Buffer;

	/* A saved channel ends its own packet: its successor's gets the answer. */
	if (NT_SUCCESS(Status) && BufferLength >= sizeof(*answer))
		DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_INFO_LEVEL,
			   "server: twice %u is %u, says the client%s\n",
			   (UINT32)question->Value, (UINT32)answer->Value,
			   question->Restored ?
			   ", asked before the channel was saved" : "");
	ExFreePoolWithTag(question, ECHO_POOL_TAG);
	EchoServerKmcl.VmbPacketFree(Packet);
}

static NTSTATUS EchoServerAsk(VMBCHANNEL Channel, UINT64 Value)
{
	ECHO_MESSAGE message = { EchoOperationQuestion, 0, Value };
	NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
	PECHO_QUESTION question;
	VMBPACKET packet;

	question = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*question), ECHO_POOL_TAG);
	if (!question)
		return status;
	question->Value = Value;
	question->Restored = FALSE;

	packet = EchoServerKmcl.VmbPacketAllocate(Channel);
	if (packet) {
		EchoServerKmcl.VmbPacketSetPointer(packet, question);
		EchoServerKmcl.VmbPacketSetCompletionRoutine(packet, EchoServerQuestionOver);
		status = EchoServerKmcl.VmbPacketSend(packet, &message, sizeof(message), NULL,
						      ECHO_WAIT);
		if (NT_SUCCESS(status))
			return status;
		EchoServerKmcl.VmbPacketFree(packet);
	}
	ExFreePoolWithTag(question, ECHO_POOL_TAG);
	return status;
}

/* STATUS_PENDING: the packet will be delivered again. */
static NTSTATUS EchoServerInvert(VMBPACKETCOMPLETION Packet, PECHO_MESSAGE Message)
{
	NTSTATUS status;
	PMDL mdl;

	status = EchoServerKmcl.VmbChannelPacketGetExternalData(Packet, 0, &mdl);
	if (status == STATUS_SUCCESS && !EchoInvert(mdl, &Message->Value))
		status = STATUS_INSUFFICIENT_RESOURCES;
	return status;
}

static VOID EchoServerProcessPacket(VMBCHANNEL Channel, VMBPACKETCOMPLETION Packet,
				    PVOID Buffer, UINT32 BufferLength, UINT32 Flags)
{
	PECHO_MESSAGE message = Buffer;
	NTSTATUS status = STATUS_SUCCESS;

	UNREFERENCED_PARAMETER(Flags);
	if (BufferLength < sizeof(*message)) {
		EchoServerKmcl.VmbChannelPacketFail(Packet);
		return;
	}

	switch (message->Operation) {
	case EchoOperationEcho:
		break;
	case EchoOperationInvert:
		status = EchoServerInvert(Packet, message);
		if (status == STATUS_PENDING)
			return;
		break;
	case EchoOperationFill:
		status = EchoServerFill(Channel, message);
		break;
	case EchoOperationLend:
		status = EchoServerLend(Channel);
		break;
	case EchoOperationMove:
		status = EchoServerAsk(Channel, 21);
		if (NT_SUCCESS(status))
			EchoServerMoveLater();
		break;
	default:
		status = STATUS_NOT_SUPPORTED;
	}

	if (!NT_SUCCESS(status))
		DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_ERROR_LEVEL,
			   "server: operation %u failed with status %#x\n",
			   message->Operation, status);
	EchoServerKmcl.VmbChannelPacketComplete(Packet, message, sizeof(*message));
}

static NTSTATUS EchoServerConfigure(VMBCHANNEL Channel)
{
	DECLARE_CONST_UNICODE_STRING(name, L"echo server");
	NTSTATUS status;

	status = EchoServerKmcl.VmbServerChannelInitSetTargetInterfaceId(Channel,
									 ECHO_INTERFACE_TYPE,
									 ECHO_INTERFACE_INSTANCE);
	if (!NT_SUCCESS(status))
		return status;

	status = EchoServerKmcl.VmbServerChannelInitSetFlags(Channel,
			VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER |
			VMBUS_SERVER_CHANNEL_INIT_FLAG_ENUMERATE_DEVICE_INTERFACE);
	if (!NT_SUCCESS(status))
		return status;

	status = EchoServerKmcl.VmbChannelInitSetMaximumPacketSize(Channel, ECHO_MAXIMUM_PACKET);
	if (!NT_SUCCESS(status))
		return status;

	status = EchoServerKmcl.VmbChannelInitSetProcessPacketCallbacks(Channel,
									EchoServerProcessPacket,
									NULL);
	if (!NT_SUCCESS(status))
		return status;

	status = EchoServerKmcl.VmbServerChannelInitSetSaveRestorePacketCallbacks(Channel,
			EchoServerSavePacket, EchoServerRestorePacket);
	if (!NT_SUCCESS(status))
		return status;

	/* To map memory takes PASSIVE_LEVEL. */
	EchoServerKmcl.VmbChannelSetIncomingProcessingAtPassive(Channel, TRUE);
	return EchoServerKmcl.VmbChannelInitSetFriendlyName(Channel, &name);
}

/* Makes a channel that is set up, and disabled. */
NTSTATUS EchoServerMakeChannel(VMBCHANNEL *Channel)
{
	NTSTATUS status;

	status = EchoServerKmcl.VmbChannelAllocate(NULL, TRUE, Channel);
	if (!NT_SUCCESS(status))
		return status;

	status = EchoServerConfigure(*Channel);
	if (!NT_SUCCESS(status))
		EchoServerKmcl.VmbChannelCleanup(*Channel);
	return status;
}

NTSTATUS EchoServerStart(VOID)
{
	NTSTATUS status;

	status = WdfFdoQueryForInterface(NULL, &KMCL_SERVER_INTERFACE_TYPE,
					 (PINTERFACE)&EchoServerKmcl, sizeof(EchoServerKmcl),
					 KMCL_SERVER_INTERFACE_VERSION_V1, NULL);
	if (!NT_SUCCESS(status))
		return status;

	status = EchoServerMakeChannel(&EchoServer.Channel);
	if (!NT_SUCCESS(status))
		goto dereference;

	status = EchoServerKmcl.VmbChannelEnable(EchoServer.Channel);
	if (!NT_SUCCESS(status))
		goto cleanup;
	EchoServerKmcl.VmbChannelStart(EchoServer.Channel);

	status = EchoPipeStart();
	if (!NT_SUCCESS(status))
		goto disable;
	DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_INFO_LEVEL, "server: offers its channel\n");
	return STATUS_SUCCESS;

disable:
	EchoServerKmcl.VmbChannelDisable(EchoServer.Channel);
cleanup:
	EchoServerKmcl.VmbChannelCleanup(EchoServer.Channel);
dereference:
	EchoServerKmcl.InterfaceDereference(EchoServerKmcl.Context);
	return status;
}

VOID EchoServerStop(VOID)
{
	EchoPipeStop();
	EchoServerKmcl.VmbChannelDisable(EchoServer.Channel);
	EchoServerKmcl.VmbChannelCleanup(EchoServer.Channel);
	EchoServerKmcl.InterfaceDereference(EchoServerKmcl.Context);
}
