/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _NT_STDDEF_H
#define _NT_STDDEF_H

#include <wdm.h>

#endif /* _NT_STDDEF_H */
