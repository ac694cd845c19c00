/* SPDX-License-Identifier: GPL-2.0 */
/* What the server's own files share. */
#ifndef ECHO_SERVER_H
#define ECHO_SERVER_H

#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "echo.h"

extern KMCL_SERVER_INTERFACE_V1 EchoServerKmcl;

/* A packet of the server's own that waits for the client. */
typedef struct _ECHO_QUESTION {
	UINT64 Value;
	BOOLEAN Restored;	/* asked by the channel that was saved */
} ECHO_QUESTION, *PECHO_QUESTION;

typedef struct _ECHO_SERVER {
	VMBCHANNEL Channel;

	/* The save, chunk by chunk, on its way from one channel to the next. */
	PUCHAR Saved;
	ULONG SavedBytes;
} ECHO_SERVER, *PECHO_SERVER;

extern ECHO_SERVER EchoServer;

#define ECHO_POOL_TAG	0x6f686345	/* "Echo" */

/* echo_server.c */
NTSTATUS EchoServerStart(void);
VOID EchoServerStop(void);
NTSTATUS EchoServerMakeChannel(VMBCHANNEL *Channel);
EVT_VMB_PACKET_COMPLETION_ROUTINE EchoServerQuestionOver;

/* echo_pipe.c */
NTSTATUS EchoPipeStart(void);
VOID EchoPipeStop(void);

/* echo_move.c */
EVT_VMB_CHANNEL_SAVE_PACKET EchoServerSavePacket;
EVT_VMB_CHANNEL_RESTORE_PACKET EchoServerRestorePacket;
NTSTATUS EchoServerMove(void);

/* From the system: have EchoServerMove() called soon, at PASSIVE_LEVEL. */
VOID EchoServerMoveLater(void);

#endif /* ECHO_SERVER_H */
