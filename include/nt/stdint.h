/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _NT_STDINT_H
#define _NT_STDINT_H

#include <wdm.h>

#endif /* _NT_STDINT_H */
