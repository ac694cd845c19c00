/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _NT_LIMITS_H
#define _NT_LIMITS_H

#include <wdm.h>

#endif /* _NT_LIMITS_H */
