/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _NT_WCHAR_H
#define _NT_WCHAR_H

#include <wdm.h>

#endif /* _NT_WCHAR_H */
