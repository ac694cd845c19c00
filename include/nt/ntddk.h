/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* On Windows this holds a little more than wdm.h; KMCL needs none of it. */
#ifndef _NT_NTDDK_H
#define _NT_NTDDK_H

#include <wdm.h>

#endif /* _NT_NTDDK_H */
