/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _NT_STDARG_H
#define _NT_STDARG_H

#include <wdm.h>

#endif /* _NT_STDARG_H */
