// SPDX-License-Identifier: GPL-2.0
/*
 * Linux' 64-bit boot protocol: the kernel and its initrd into memory, the
 * first processor into 64-bit mode.
 */
#include <asm/bootparam.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vm.h"

#define BOOT_CS			0x10
#define BOOT_DS			0x18
/* From where a bzImage's 64-bit code can be entered. */
#define BOOT_ENTRY_64		0x200
#define BOOT_SETUP_MAX		(64u << 10)

static u64 boot_file_size(int fd, const char *name)
{
	struct stat st;

	if (fstat(fd, &st))
		die("%s: %s", name, strerror(errno));
	return st.st_size;
}

static int boot_open(const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("%s: %s", name, strerror(errno));
	return fd;
}

static void boot_read(int fd, const char *name, u64 offset, void *to, u64 len)
{
	while (len) {
		ssize_t got = pread(fd, to, len, offset);

		if (got <= 0)
			die("%s: %s", name, got ? strerror(errno) : "too short");
		to = (u8 *)to + got;
		offset += got;
		len -= got;
	}
}

static void boot_e820(struct vm *vm, struct boot_params *params)
{
	const struct boot_e820_entry map[] = {
		{ 0, 0x9fc00, 1 },
		{ VM_ACPI, VM_ACPI_END - VM_ACPI, 2 },
		{ VM_KERNEL, vm->ram_size - VM_KERNEL, 1 },
	};

	memcpy(params->e820_table, map, sizeof(map));
	params->e820_entries = ARRAY_SIZE(map);
}

static void boot_initrd(struct vm *vm, struct boot_params *params, const char *name)
{
	int fd = boot_open(name);
	u64 size = boot_file_size(fd, name), end = vm->ram_size, at;

	if (end > (u64)params->hdr.initrd_addr_max + 1)
		end = (u64)params->hdr.initrd_addr_max + 1;
	/* Below it the kernel unpacks itself. */
	if (size > end || end - size < VM_KERNEL + params->hdr.init_size)
		die("%s: no room in %llu MiB of memory", name,
		    (unsigned long long)vm->ram_size >> 20);
	at = (end - size) & ~(u64)(PAGE_SIZE - 1);
	boot_read(fd, name, 0, vm->ram + at, size);
	close(fd);
	params->hdr.ramdisk_image = at;
	params->hdr.ramdisk_size = size;
}

void boot_load(struct vm *vm, const char *kernel, const char *initrd,
	       const char *cmdline)
{
	struct boot_params *params = (void *)(vm->ram + VM_ZERO_PAGE);
	struct setup_header hdr;
	u64 size, setup;
	int fd;

	fd = boot_open(kernel);
	size = boot_file_size(fd, kernel);
	boot_read(fd, kernel, offsetof(struct boot_params, hdr), &hdr, sizeof(hdr));
	setup = 512 * ((hdr.setup_sects ? hdr.setup_sects : 4) + 1);
	if (hdr.header != 0x53726448 || hdr.version < 0x020c ||
	    !(hdr.xloadflags & XLF_KERNEL_64) || setup > BOOT_SETUP_MAX || setup >= size)
		die("%s: no 64-bit bzImage", kernel);
	if (VM_KERNEL + hdr.init_size > vm->ram_size || size > vm->ram_size - VM_KERNEL)
		die("%s: no room in memory", kernel);
	boot_read(fd, kernel, setup, vm->ram + VM_KERNEL, size - setup);
	close(fd);

	params->hdr = hdr;
	params->hdr.type_of_loader = 0xff;
	params->hdr.code32_start = VM_KERNEL;
	params->hdr.cmd_line_ptr = VM_CMDLINE;
	params->hdr.ramdisk_image = 0;
	params->hdr.ramdisk_size = 0;
	if (strlen(cmdline) > hdr.cmdline_size || strlen(cmdline) >= 0x10000)
		die("the command line is too long");
	memcpy(vm->ram + VM_CMDLINE, cmdline, strlen(cmdline) + 1);
	boot_e820(vm, params);
	if (initrd)
		boot_initrd(vm, params, initrd);
	params->acpi_rsdp_addr = acpi_write_tables(vm);
	vm->entry = VM_KERNEL + BOOT_ENTRY_64;
}

/* The first 4 GiB, one to one, in pages of 2 MiB. */
static void boot_page_tables(struct vm *vm)
{
	u64 *top = (u64 *)(vm->ram + VM_PAGE_TABLES);
	u64 *middle = top + 512, *low = middle + 512;
	u64 i;

	top[0] = (VM_PAGE_TABLES + PAGE_SIZE) | 3;
	for (i = 0; i < 4; i++)
		middle[i] = (VM_PAGE_TABLES + (2 + i) * PAGE_SIZE) | 3;
	for (i = 0; i < 4 * 512; i++)
		low[i] = i << 21 | 0x83;
}

static struct kvm_segment boot_segment(u16 selector, bool code)
{
	return (struct kvm_segment) {
		.selector = selector, .limit = 0xffffffff, .type = code ? 11 : 3,
		.present = 1, .s = 1, .g = 1, .l = code, .db = !code,
	};
}

void boot_set_registers(struct vcpu *cpu)
{
	static const u64 gdt[] = { 0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff };
	struct kvm_regs regs = {
		.rip = cpu->vm->entry, .rsi = VM_ZERO_PAGE, .rsp = VM_STACK, .rflags = 2,
	};
	struct kvm_segment data = boot_segment(BOOT_DS, false);
	struct kvm_sregs sregs;

	memcpy(cpu->vm->ram + VM_GDT, gdt, sizeof(gdt));
	boot_page_tables(cpu->vm);
	if (ioctl(cpu->fd, KVM_GET_SREGS, &sregs))
		die("KVM_GET_SREGS: %s", strerror(errno));
	sregs.cs = boot_segment(BOOT_CS, true);
	sregs.ds = data;
	sregs.es = data;
	sregs.fs = data;
	sregs.gs = data;
	sregs.ss = data;
	sregs.gdt.base = VM_GDT;
	sregs.gdt.limit = sizeof(gdt) - 1;
	sregs.cr3 = VM_PAGE_TABLES;
	sregs.cr4 |= 1 << 5; /* PAE */
	sregs.cr0 |= 1u << 31 | 1; /* paging, protection */
	sregs.efer |= 1 << 10 | 1 << 8; /* long mode */
	if (ioctl(cpu->fd, KVM_SET_SREGS, &sregs) || ioctl(cpu->fd, KVM_SET_REGS, &regs))
		die("registers: %s", strerror(errno));
}
