// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that outlives the guest: a file at a place of its own behind all that is
 * below 4 GiB. Linux calls it /dev/pmem0 where it has nfit and nd_pmem; there is no
 * other disk. It is no RAM: no packet can describe it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vm.h"

#define PMEM_SLOT		1

void pmem_create(struct vm *vm, const char *file)
{
	struct kvm_userspace_memory_region region = {
		.slot = PMEM_SLOT, .guest_phys_addr = VM_PMEM,
	};
	int fd = open(file, O_RDWR | O_CLOEXEC);
	struct stat st;
	void *map;

	if (fd < 0 || fstat(fd, &st))
		die("%s: %s", file, strerror(errno));
	if (!st.st_size || st.st_size & (VM_PMEM_ALIGN - 1))
		die("%s: no multiple of 2 MiB", file);
	map = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		die("%s: %s", file, strerror(errno));
	close(fd);
	vm->pmem_size = st.st_size;
	region.memory_size = st.st_size;
	region.userspace_addr = (uintptr_t)map;
	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region))
		die("KVM_SET_USER_MEMORY_REGION: %s", strerror(errno));
}
