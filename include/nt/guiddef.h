/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * GUID and DEFINE_GUID(). As on Windows, DEFINE_GUID() declares, unless
 * INITGUID is defined when this header is (again) included: <initguid.h>
 * does that, and DEFINE_GUID() then defines.
 */
#ifndef _NT_GUIDDEF_H
#define _NT_GUIDDEF_H

#include <nt_source.h>

#include <linux/compiler.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/uuid.h>

typedef struct _GUID {
	u32 Data1;
	u16 Data2;
	u16 Data3;
	u8 Data4[8];
} GUID, *PGUID, *LPGUID;

typedef const GUID *LPCGUID, *REFGUID;

/*
 * The bytes are those of a guid_t, so memcpy() converts. A cast would not do:
 * guid_t may sit at any address, GUID wants 4-byte alignment.
 */
_Static_assert(sizeof(GUID) == sizeof(guid_t), "GUID is not a guid_t");

#define IsEqualGUID(a, b)	(!memcmp((a), (b), sizeof(GUID)))
#define InlineIsEqualGUID(a, b)	IsEqualGUID(a, b)

#endif /* _NT_GUIDDEF_H */

/* Outside the include guard: a second inclusion may change the meaning. */
#undef DEFINE_GUID
#ifdef INITGUID
/*
 * Weak, as two files of a module may both define the same GUID; the extern
 * declaration first, as sparse wants one for whatever is not static.
 */
#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8)	\
	extern const GUID name;						\
	const GUID name __weak = {					\
		l, w1, w2, { b1, b2, b3, b4, b5, b6, b7, b8 }		\
	}
#else
#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8)	\
	extern const GUID name
#endif
