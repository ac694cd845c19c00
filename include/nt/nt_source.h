/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Whose source file this is. That of a Windows driver includes Windows' headers
 * only: what Linux has in it came by ours. A file of Linux' side includes Linux'
 * headers, and those first. The header that is included first asks.
 */
#ifndef _NT_SOURCE_H
#define _NT_SOURCE_H

#if defined(__LINUX_COMPILER_H) || defined(_LINUX_TYPES_H)
#define NT_DRIVER_SOURCE	0
#else
#define NT_DRIVER_SOURCE	1
#endif

#endif /* _NT_SOURCE_H */
