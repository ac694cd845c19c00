/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _NT_MEMORY_H
#define _NT_MEMORY_H

#include <wdm.h>

#endif /* _NT_MEMORY_H */
