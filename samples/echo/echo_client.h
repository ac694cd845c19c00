/* SPDX-License-Identifier: GPL-2.0 */
/* The client, as whoever loads it sees it. */
#ifndef ECHO_CLIENT_H
#define ECHO_CLIENT_H

#include <ntddk.h>

/* Does all that the server can, one after the other; the number of failures. */
ULONG EchoClientRun(void);

#endif /* ECHO_CLIENT_H */
