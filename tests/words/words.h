/* SPDX-License-Identifier: GPL-2.0 */
/* The headers that words.txt is looked for in. */
#include <ntddk.h>
#include <wdf.h>
#include <initguid.h>
#include <ntintsafe.h>
#include <ntstrsafe.h>
#include <vmbuskernelmodeclientlibapi.h>
#include "trace.tmh"
