/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* On Windows this makes device objects with a security descriptor. There are none here. */
#ifndef _NT_WDMSEC_H
#define _NT_WDMSEC_H

#include <wdm.h>

#endif /* _NT_WDMSEC_H */
