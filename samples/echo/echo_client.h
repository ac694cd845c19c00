/* SPDX-License-Identifier: GPL-2.0 */
/* The client, as its Linux module sees it. */
#ifndef ECHO_CLIENT_H
#define ECHO_CLIENT_H

#include <ntddk.h>

/* Tries what the server can do, one after the other; returns the number of failures. */
ULONG EchoClientRun(void);

#endif /* ECHO_CLIENT_H */
