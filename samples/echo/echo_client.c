// SPDX-License-Identifier: GPL-2.0
/*
 * The client: opens the server's channel and tries what it can do. Everything here
 * would be the same if the server were in another partition.
 */
#include <ntddk.h>
#include <wdf.h>
#include <initguid.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "echo.h"
#include "echo_client.h"

#define ECHO_CLIENT_POOL_TAG	0x63686345	/* "Echc" */
#define ECHO_PAGES		3
#define ECHO_TRANSACTIONS	1000

static KMCL_CLIENT_INTERFACE_V1 EchoKmcl;
static VMBCHANNEL EchoChannel;
static KEVENT EchoStarted;
static ULONG EchoFailures;

/* The packet that the server has asked a question with, until the client answers. */
static VMBPACKETCOMPLETION EchoQuestion;
static ECHO_MESSAGE EchoAnswer;
static KEVENT EchoAsked;

static VOID EchoExpect(BOOLEAN Condition, PCSTR What)
{
	DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_INFO_LEVEL, "client: %s%s\n",
		   Condition ? "" : "NOT: ", What);
	if (!Condition)
		EchoFailures++;
}

static EVT_VMB_CHANNEL_POST_STARTED EchoEvtPostStarted;

static VOID EchoEvtPostStarted(VMBCHANNEL Channel)
{
	UNREFERENCED_PARAMETER(Channel);
	KeSetEvent(&EchoStarted, IO_NO_INCREMENT, FALSE);
}

static EVT_VMB_CHANNEL_PROCESS_PACKET EchoEvtProcessPacket;

static VOID EchoEvtProcessPacket(VMBCHANNEL Channel, VMBPACKETCOMPLETION Packet,
				 PVOID Buffer, UINT32 BufferLength, UINT32 Flags)
{
	PECHO_MESSAGE message = Buffer;
	NTSTATUS status;
	PMDL mdl;

	UNREFERENCED_PARAMETER(Channel);
	if (BufferLength < sizeof(*message)) {
		EchoKmcl.VmbChannelPacketFail(Packet);
		return;
	}

	if (message->Operation == EchoOperationQuestion) {
		EchoQuestion = Packet;
		EchoAnswer = *message;
		KeSetEvent(&EchoAsked, IO_NO_INCREMENT, FALSE);
		return;
	}

	if (Flags & VMBUS_CHANNEL_PROCESS_PACKET_FLAG_EXTERNAL_DATA) {
		status = EchoKmcl.VmbChannelPacketGetExternalData(Packet, 0, &mdl);
		if (status == STATUS_PENDING)
			return;
		if (NT_SUCCESS(status))
			EchoInvert(mdl, &message->Value);
	}
	EchoKmcl.VmbChannelPacketComplete(Packet, message, sizeof(*message));
}

/* Sends a message and waits for the server's completion, which replaces it. */
static NTSTATUS EchoRequest(PECHO_MESSAGE Message, PMDL Mdl)
{
	UINT32 size = sizeof(*Message);

	return EchoKmcl.VmbChannelSendSynchronousRequest(EchoChannel, Message,
							 sizeof(*Message), Mdl, ECHO_WAIT,
							 Message, &size, NULL);
}

static VOID EchoTransactions(VOID)
{
	ECHO_MESSAGE message = { EchoOperationEcho };
	ULONG i, good = 0;

	for (i = 0; i < ECHO_TRANSACTIONS; i++) {
		message.Value = i;
		if (NT_SUCCESS(EchoRequest(&message, NULL)) && message.Value == i)
			good++;
	}
	EchoExpect(good == ECHO_TRANSACTIONS, "1000 transactions came back as they went");
}

/* The server adds up and inverts memory that goes along with a packet. */
static VOID EchoExternalData(PUCHAR Memory)
{
	ECHO_MESSAGE message = { EchoOperationInvert };
	const ULONG bytes = 5000;
	UINT64 sum = 0;
	ULONG i, wrong = 0;
	PMDL mdl;

	for (i = 0; i < bytes; i++) {
		Memory[100 + i] = (UCHAR)(i * 7);
		sum += Memory[100 + i];
	}
	mdl = IoAllocateMdl(Memory + 100, bytes, FALSE, FALSE, NULL);
	if (!mdl) {
		EchoExpect(FALSE, "memory for an MDL");
		return;
	}
	MmBuildMdlForNonPagedPool(mdl);
	EchoExpect(NT_SUCCESS(EchoRequest(&message, mdl)) && message.Value == sum,
		   "the server has read the client's memory");
	for (i = 0; i < bytes; i++)
		wrong += Memory[100 + i] != (UCHAR)~(i * 7);
	EchoExpect(!wrong, "and inverted it");
	IoFreeMdl(mdl);

	/* And the other way round; the server says what came of it. */
	message.Operation = EchoOperationLend;
	EchoExpect(NT_SUCCESS(EchoRequest(&message, NULL)),
		   "the server has lent its memory to the client");
}

/* Memory that both ends share, for long. */
static VOID EchoGpadl(PUCHAR Memory)
{
	ECHO_MESSAGE message = { EchoOperationFill };
	NTSTATUS status;
	ULONG i, wrong = 0;

	RtlZeroMemory(Memory, ECHO_PAGES * PAGE_SIZE);
	status = EchoKmcl.VmbChannelCreateGpadlFromBuffer(EchoChannel, 0, Memory,
							  ECHO_PAGES * PAGE_SIZE, &message.Gpadl);
	if (!NT_SUCCESS(status)) {
		EchoExpect(FALSE, "a GPADL is made");
		return;
	}
	EchoExpect(NT_SUCCESS(EchoRequest(&message, NULL)) &&
		   message.Value == ECHO_PAGES * PAGE_SIZE, "the server has mapped a GPADL");
	EchoKmcl.VmbChannelDeleteGpadl(EchoChannel, message.Gpadl);
	for (i = 0; i < ECHO_PAGES * PAGE_SIZE; i++)
		wrong += Memory[i] != (UCHAR)i;
	EchoExpect(!wrong, "and filled it");
}

/* The server is saved and restored, with a question open; the client is not told. */
static VOID EchoMove(VOID)
{
	ECHO_MESSAGE message = { EchoOperationMove };
	LARGE_INTEGER half;

	EchoExpect(NT_SUCCESS(EchoRequest(&message, NULL)), "the server is about to move");
	KeWaitForSingleObject(&EchoAsked, Executive, KernelMode, FALSE, NULL);

	/* The server has moved when the answer comes. */
	half.QuadPart = -5000000;
	KeDelayExecutionThread(KernelMode, FALSE, &half);
	EchoAnswer.Value *= 2;
	EchoKmcl.VmbChannelPacketComplete(EchoQuestion, &EchoAnswer, sizeof(EchoAnswer));

	message.Operation = EchoOperationEcho;
	message.Value = 4711;
	EchoExpect(NT_SUCCESS(EchoRequest(&message, NULL)) && message.Value == 4711,
		   "the restored server echoes");
}

static NTSTATUS EchoConfigure(VOID)
{
	DECLARE_CONST_UNICODE_STRING(name, L"echo client");
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks;
	NTSTATUS status;

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&callbacks);
	callbacks.EvtChannelPostStarted = EchoEvtPostStarted;
	status = EchoKmcl.VmbChannelInitSetStateChangeCallbacks(EchoChannel, &callbacks);
	if (!NT_SUCCESS(status))
		return status;

	status = EchoKmcl.VmbChannelInitSetProcessPacketCallbacks(EchoChannel,
								  EchoEvtProcessPacket, NULL);
	if (!NT_SUCCESS(status))
		return status;

	status = EchoKmcl.VmbChannelInitSetMaximumPacketSize(EchoChannel, ECHO_MAXIMUM_PACKET);
	if (!NT_SUCCESS(status))
		return status;

	/* The server's pipe is of that class, too. */
	status = EchoKmcl.VmbClientChannelInitSetTargetPnp(EchoChannel, &ECHO_INTERFACE_TYPE,
							   &ECHO_INTERFACE_INSTANCE, NULL);
	if (!NT_SUCCESS(status))
		return status;

	EchoKmcl.VmbChannelSetIncomingProcessingAtPassive(EchoChannel, TRUE);
	return EchoKmcl.VmbChannelInitSetFriendlyName(EchoChannel, &name);
}

static VOID EchoTryAll(PUCHAR Memory)
{
	KeWaitForSingleObject(&EchoStarted, Executive, KernelMode, FALSE, NULL);
	EchoTransactions();
	EchoExternalData(Memory);
	EchoGpadl(Memory);
	EchoMove();
}

ULONG EchoClientRun(VOID)
{
	NTSTATUS status;
	PUCHAR memory;

	KeInitializeEvent(&EchoStarted, NotificationEvent, FALSE);
	KeInitializeEvent(&EchoAsked, NotificationEvent, FALSE);
	status = WdfFdoQueryForInterface(NULL, &KMCL_CLIENT_INTERFACE_TYPE,
					 (PINTERFACE)&EchoKmcl, sizeof(EchoKmcl),
					 KMCL_CLIENT_INTERFACE_VERSION_V1, NULL);
	if (!NT_SUCCESS(status))
		return 1;

	/* Of a page or more: it begins with one. */
	memory = ExAllocatePoolWithTag(NonPagedPoolNx, ECHO_PAGES * PAGE_SIZE,
				       ECHO_CLIENT_POOL_TAG);
	status = memory ? EchoKmcl.VmbChannelAllocate(NULL, FALSE, &EchoChannel) :
			  STATUS_INSUFFICIENT_RESOURCES;
	if (NT_SUCCESS(status)) {
		status = EchoConfigure();
		if (NT_SUCCESS(status))
			status = EchoKmcl.VmbChannelEnable(EchoChannel);
		if (NT_SUCCESS(status))
			EchoTryAll(memory);
		EchoKmcl.VmbChannelDisable(EchoChannel);
		EchoKmcl.VmbChannelCleanup(EchoChannel);
	}
	EchoExpect(NT_SUCCESS(status), "done");
	if (memory)
		ExFreePoolWithTag(memory, ECHO_CLIENT_POOL_TAG);
	EchoKmcl.InterfaceDereference(EchoKmcl.Context);
	return EchoFailures;
}
