/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Disks: blocks that outlive the channels over which they are read and written.
 */
#ifndef VMBHOST_DISK_H
#define VMBHOST_DISK_H

#include "vmbhost.h"

#define DISK_BLOCK		512u

struct disk {
	u64 blocks;
	u8 *bytes;
	bool file;
	char serial;		/* tells it from the offer's others */
	bool away;		/* the guest has no such unit */
};

/*
 * @what: megabytes of memory, a file of whole blocks, or "megabytes:file", which is made if
 * it is not there. NULL, or what is wrong.
 */
const char *disk_make(struct disk *disk, const char *what);
/* Does it have @count blocks from @first on? */
bool disk_has(const struct disk *disk, u64 first, u64 count);
/* All that was written is where it stays. */
bool disk_flush(struct disk *disk);

#endif /* VMBHOST_DISK_H */
