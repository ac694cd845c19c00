// SPDX-License-Identifier: GPL-2.0
/*
 * Save and restore: the server's channel is saved with the question that its
 * client has not answered yet, and a new channel takes the client over.
 */
#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "echo_server.h"

/* Small, so that the save has more than one chunk. */
#define ECHO_CHUNK		128
#define ECHO_SAVED_MAXIMUM	(64 * ECHO_CHUNK)

/* Called twice for each packet: to tell how much there is to save, and to save it. */
NTSTATUS EchoServerSavePacket(VMBCHANNEL Channel, VMBPACKET Packet, PVOID SaveBuf,
			      UINT32 SaveBufSize, PUINT32 BytesNeeded)
{
	PECHO_QUESTION question = EchoServerKmcl.VmbPacketGetPointer(Packet);

	UNREFERENCED_PARAMETER(Channel);
	*BytesNeeded = sizeof(question->Value);
	if (SaveBufSize < sizeof(question->Value))
		return STATUS_BUFFER_TOO_SMALL;

	RtlCopyMemory(SaveBuf, &question->Value, sizeof(question->Value));
	return STATUS_SUCCESS;
}

NTSTATUS EchoServerRestorePacket(VMBCHANNEL Channel, PVOID LibBuf, UINT32 LibBufSize,
				 PVOID SaveBuf, UINT32 SaveBufSize)
{
	PECHO_QUESTION question;
	VMBPACKET packet;
	NTSTATUS status;

	if (SaveBufSize < sizeof(question->Value))
		return STATUS_INVALID_PARAMETER;

	question = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*question), ECHO_POOL_TAG);
	if (!question)
		return STATUS_INSUFFICIENT_RESOURCES;
	RtlCopyMemory(&question->Value, SaveBuf, sizeof(question->Value));
	question->Restored = TRUE;

	packet = EchoServerKmcl.VmbPacketAllocate(Channel);
	status = STATUS_INSUFFICIENT_RESOURCES;
	if (packet) {
		EchoServerKmcl.VmbPacketSetPointer(packet, question);
		EchoServerKmcl.VmbPacketSetCompletionRoutine(packet, EchoServerQuestionOver);
		status = EchoServerKmcl.VmbPacketRestore(packet, LibBuf, LibBufSize);
		if (NT_SUCCESS(status))
			return status;
		EchoServerKmcl.VmbPacketFree(packet);
	}
	ExFreePoolWithTag(question, ECHO_POOL_TAG);
	return status;
}

static NTSTATUS EchoServerSaveChunks(VMBCHANNEL Channel)
{
	ULONG room = ECHO_CHUNK, filled, required;
	NTSTATUS status;

	for (;;) {
		if (room > ECHO_SAVED_MAXIMUM - EchoServer.SavedBytes)
			return STATUS_INSUFFICIENT_RESOURCES;

		status = EchoServerKmcl.VmbChannelSaveContinue(Channel, EchoServer.Saved +
							       EchoServer.SavedBytes, room,
							       &filled, &required);
		if (status == STATUS_BUFFER_TOO_SMALL) {
			room = required;
			continue;
		}
		if (status != STATUS_SUCCESS && status != STATUS_BUFFER_OVERFLOW)
			return status;

		EchoServer.SavedBytes += filled;
		DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_INFO_LEVEL,
			   "server: a chunk of %u bytes is saved\n", filled);
		if (status == STATUS_SUCCESS)
			return status;
		room = ECHO_CHUNK;
	}
}

static NTSTATUS EchoServerSave(VMBCHANNEL Channel)
{
	NTSTATUS status;

	EchoServerKmcl.VmbChannelPause(Channel);
	status = EchoServerKmcl.VmbChannelSaveBegin(Channel);
	if (!NT_SUCCESS(status))
		return status;

	EchoServer.SavedBytes = 0;
	status = EchoServerSaveChunks(Channel);
	EchoServerKmcl.VmbChannelSaveEnd(Channel);
	return status;
}

/* The channel goes; another one goes on in its place. */
static NTSTATUS EchoServerReplace(VMBCHANNEL New)
{
	VMBCHANNEL old = EchoServer.Channel;
	NTSTATUS status;

	EchoServerKmcl.VmbChannelDisable(old);
	EchoServerKmcl.VmbChannelCleanup(old);
	EchoServer.Channel = New;

	status = EchoServerKmcl.VmbChannelRestoreFromBuffer(New, EchoServer.Saved,
							    EchoServer.SavedBytes);
	if (!NT_SUCCESS(status))
		return status;
	status = EchoServerKmcl.VmbChannelEnable(New);
	if (NT_SUCCESS(status))
		EchoServerKmcl.VmbChannelStart(New);
	return status;
}

NTSTATUS EchoServerMove(VOID)
{
	VMBCHANNEL new;
	NTSTATUS status;

	EchoServer.Saved = ExAllocatePoolWithTag(NonPagedPoolNx, ECHO_SAVED_MAXIMUM,
						 ECHO_POOL_TAG);
	if (!EchoServer.Saved)
		return STATUS_INSUFFICIENT_RESOURCES;

	status = EchoServerSave(EchoServer.Channel);
	if (!NT_SUCCESS(status)) {
		EchoServerKmcl.VmbChannelStart(EchoServer.Channel);
		goto free;
	}

	status = EchoServerMakeChannel(&new);
	if (NT_SUCCESS(status))
		status = EchoServerReplace(new);
	DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_INFO_LEVEL,
		   "server: the channel is restored with status %#x\n", status);
free:
	ExFreePoolWithTag(EchoServer.Saved, ECHO_POOL_TAG);
	EchoServer.Saved = NULL;
	return status;
}
