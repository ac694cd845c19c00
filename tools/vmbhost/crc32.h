/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VMBHOST_CRC32_H
#define VMBHOST_CRC32_H

#include "vmbhost.h"

/* As in Ethernet and zip; 0 to start with. Linux: ~crc32_le(~crc, p, len). */
u32 crc32(u32 crc, const void *bytes, size_t len);

#endif /* VMBHOST_CRC32_H */
