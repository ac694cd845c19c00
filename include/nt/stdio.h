/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _NT_STDIO_H
#define _NT_STDIO_H

#include <wdm.h>

#endif /* _NT_STDIO_H */
