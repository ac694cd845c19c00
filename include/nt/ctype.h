/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _NT_CTYPE_H
#define _NT_CTYPE_H

#include <wdm.h>

#endif /* _NT_CTYPE_H */
