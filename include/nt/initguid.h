/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Included by the one source file in which DEFINE_GUID() is to define and not
 * only to declare, ahead of the headers with the GUIDs.
 */
#ifndef INITGUID
#define INITGUID
#endif

#include <guiddef.h>
