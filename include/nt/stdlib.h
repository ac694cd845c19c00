/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _NT_STDLIB_H
#define _NT_STDLIB_H

#include <wdm.h>

#endif /* _NT_STDLIB_H */
