/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the two ends say to each other. Both are Windows driver C; they run in one
 * kernel, joined by a loopback channel.
 */
#ifndef ECHO_H
#define ECHO_H

#include <ntddk.h>

/* 3b1f6c1e-52a4-4a0e-8d3e-6f2c7d0f9a11 */
DEFINE_GUID(ECHO_INTERFACE_TYPE, 0x3b1f6c1e, 0x52a4, 0x4a0e,
	    0x8d, 0x3e, 0x6f, 0x2c, 0x7d, 0x0f, 0x9a, 0x11);

/* 9e0c7b52-0d1b-4c5a-b7a6-2a9f4a1c8e01 */
DEFINE_GUID(ECHO_INTERFACE_INSTANCE, 0x9e0c7b52, 0x0d1b, 0x4c5a,
	    0xb7, 0xa6, 0x2a, 0x9f, 0x4a, 0x1c, 0x8e, 0x01);

/* Of the pipe, which is for user space; 9e0c7b52-0d1b-4c5a-b7a6-2a9f4a1c8e02 */
DEFINE_GUID(ECHO_PIPE_INSTANCE, 0x9e0c7b52, 0x0d1b, 0x4c5a,
	    0xb7, 0xa6, 0x2a, 0x9f, 0x4a, 0x1c, 0x8e, 0x02);

#define ECHO_MAXIMUM_PACKET	256

#define ECHO_WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION

typedef enum _ECHO_OPERATION {
	EchoOperationEcho = 1,	/* complete the packet with its own payload */
	EchoOperationInvert,	/* invert the external data, tell its former sum */
	EchoOperationFill,	/* fill the GPADL with its bytes' numbers */
	EchoOperationLend,	/* send a packet with external data in return */
	EchoOperationMove,	/* ask a question, then save and restore the channel */
	EchoOperationQuestion,	/* from the server: what is twice the value? */
} ECHO_OPERATION;

/* A packet's payload, and that of its completion. */
typedef struct _ECHO_MESSAGE {
	UINT32 Operation;	/* ECHO_OPERATION */
	UINT32 Gpadl;
	UINT64 Value;
	CHAR Text[64];
} ECHO_MESSAGE, *PECHO_MESSAGE;

/* Adds up the bytes of a chain of MDLs and inverts them. FALSE: no address for it. */
static inline BOOLEAN EchoInvert(PMDL Mdl, PUINT64 Sum)
{
	*Sum = 0;
	for (; Mdl; Mdl = Mdl->Next) {
		PUCHAR bytes = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority);
		ULONG i;

		if (!bytes)
			return FALSE;
		for (i = 0; i < MmGetMdlByteCount(Mdl); i++) {
			*Sum += bytes[i];
			bytes[i] = (UCHAR)~bytes[i];
		}
	}
	return TRUE;
}

#endif /* ECHO_H */
