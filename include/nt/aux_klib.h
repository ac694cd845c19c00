/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* On Windows this tells about the system's modules. Of that there is nothing here. */
#ifndef _NT_AUX_KLIB_H
#define _NT_AUX_KLIB_H

#include <wdm.h>

static inline NTSTATUS AuxKlibInitialize(VOID)
{
	return STATUS_SUCCESS;
}

#endif /* _NT_AUX_KLIB_H */
