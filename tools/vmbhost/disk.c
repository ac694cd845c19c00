// SPDX-License-Identifier: GPL-2.0
/*
 * Disks in memory, or in files, which are mapped: what is written is in the file once it
 * is flushed, or when the program ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk.h"

/* All zero, and taken when it is written to. */
static const char *disk_memory(struct disk *disk, u64 megabytes)
{
	disk->blocks = megabytes * ((1u << 20) / DISK_BLOCK);
	disk->bytes = mmap(NULL, megabytes << 20, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return disk->bytes == MAP_FAILED ? strerror(errno) : NULL;
}

/* Makes it of @megabytes, unless there is one. */
static const char *disk_file(struct disk *disk, const char *name, u64 megabytes)
{
	int fd = open(name, O_RDWR | O_CLOEXEC | (megabytes ? O_CREAT : 0), 0600);
	struct stat stat;
	const char *wrong = NULL;

	if (fd < 0)
		return strerror(errno);
	if (fstat(fd, &stat) || (megabytes && !stat.st_size &&
				 (ftruncate(fd, megabytes << 20) || fstat(fd, &stat))))
		wrong = strerror(errno);
	else if (!S_ISREG(stat.st_mode) || !stat.st_size || stat.st_size % DISK_BLOCK)
		wrong = "a disk is a file of whole blocks of 512 bytes";
	if (!wrong) {
		disk->file = true;
		disk->blocks = stat.st_size / DISK_BLOCK;
		disk->bytes = mmap(NULL, stat.st_size, PROT_READ | PROT_WRITE, MAP_SHARED,
				   fd, 0);
		if (disk->bytes == MAP_FAILED)
			wrong = strerror(errno);
	}
	close(fd);
	return wrong;
}

const char *disk_make(struct disk *disk, const char *what)
{
	char *end;
	u64 megabytes = strtoull(what, &end, 10);

	if (end == what || (*end && *end != ':'))
		return disk_file(disk, what, 0);
	if (!megabytes || megabytes > 1u << 20)
		return "a disk has 1 to 1048576 MB";
	return *end ? disk_file(disk, end + 1, megabytes) : disk_memory(disk, megabytes);
}

bool disk_has(const struct disk *disk, u64 first, u64 count)
{
	return first <= disk->blocks && count <= disk->blocks - first;
}

bool disk_flush(struct disk *disk)
{
	return !disk->file || !msync(disk->bytes, disk->blocks * DISK_BLOCK, MS_SYNC);
}
