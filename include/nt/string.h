/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _NT_STRING_H
#define _NT_STRING_H

#include <wdm.h>

#endif /* _NT_STRING_H */
