/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* On Windows this has the GUIDs of buses and of device events, of which there are none here. */
#ifndef _NT_WDMGUID_H
#define _NT_WDMGUID_H

#include <guiddef.h>

#endif /* _NT_WDMGUID_H */
