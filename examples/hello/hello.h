/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#include <wdf.h>

/* 68656c6c-6f00-4b4d-434c-000000000001, also in hello_linux.c */
DEFINE_GUID(HELLO_CLASS, 0x68656c6c, 0x6f00, 0x4b4d,
	    0x43, 0x4c, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01);

NTSTATUS HelloStart(WDFDEVICE Device);
VOID HelloStop(void);
