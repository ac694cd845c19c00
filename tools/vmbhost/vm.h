/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The machine: memory, processors, interrupts, a few ports.
 */
#ifndef VMBHOST_VM_H
#define VMBHOST_VM_H

#include <pthread.h>

#include "vmbhost.h"

#define VM_MAX_CPUS		4
/* Above it lies MMIO; all RAM is below. */
#define VM_MAX_RAM		(3ull << 30)

/* Interrupt lines; a processor's VMBus SINT comes after the I/O APIC's pins. */
#define VM_IRQ_SERIAL		4
#define VM_IRQ_SCI		9
#define VM_GSI_SINT(cpu)	(24 + (cpu))

/* Where things lie in guest memory before its kernel runs. */
#define VM_GDT			0x500
#define VM_ZERO_PAGE		0x7000
#define VM_PAGE_TABLES		0x9000
#define VM_STACK		0x8ff0
#define VM_CMDLINE		0x20000
#define VM_ACPI			0xe0000
#define VM_ACPI_END		0x100000
#define VM_KERNEL		0x100000

/* Memory that outlives the guest. */
#define VM_PMEM			0x100000000ull
#define VM_PMEM_ALIGN		(2u << 20)

/* MMIO that the VMBus device may hand to its children. */
#define VM_MMIO_LOW		0xe0000000u
#define VM_MMIO_LOW_END		0xfec00000u
#define VM_MMIO_HIGH		0xfe0000000ull
#define VM_MMIO_HIGH_END	0x1000000000ull

struct vm;
struct kvm_run;

struct vcpu {
	struct vm *vm;
	unsigned int index;
	int fd;
	struct kvm_run *run;
	pthread_t thread;
};

struct vm {
	int kvm;
	int fd;
	int ram_fd;
	u8 *ram;
	u64 ram_size;
	u64 pmem_size;
	unsigned int cpus;
	struct vcpu vcpu[VM_MAX_CPUS];
	u64 entry;
	/* Ports and devices: one processor at a time. */
	pthread_mutex_t ports_lock;
};

/* vm.c */
void vm_create(struct vm *vm, u64 ram_size, unsigned int cpus);
void vm_irq_line(struct vm *vm, unsigned int gsi, bool level);

/* pmem.c: before boot_load() */
void pmem_create(struct vm *vm, const char *file);

/* memory.c */
void *vm_gpa(struct vm *vm, u64 gpa, u64 len);
bool vm_copy_from(struct vm *vm, void *to, u64 gpa, u64 len);
bool vm_copy_to(struct vm *vm, u64 gpa, const void *from, u64 len);
void *vm_map_pages(struct vm *vm, const u64 *pfns, u32 count, u32 repeat_from);
void vm_unmap_pages(void *map, u32 count, u32 repeat_from);

/* vcpu.c */
void vcpu_create(struct vcpu *cpu);
void vcpu_start(struct vcpu *cpu);

/* cpuid.c */
void cpuid_set(struct vcpu *cpu);

/* boot.c */
void boot_load(struct vm *vm, const char *kernel, const char *initrd,
	       const char *cmdline);
void boot_set_registers(struct vcpu *cpu);

/* acpi.c */
u64 acpi_write_tables(struct vm *vm);

/* ports.c: called with ports_lock held */
u32 ports_in(struct vm *vm, u16 port, unsigned int size);
void ports_out(struct vm *vm, u16 port, unsigned int size, u32 value);

/* serial.c: called with ports_lock held */
void serial_open(const char *file);
u8 serial_in(struct vm *vm, unsigned int reg);
void serial_out(struct vm *vm, unsigned int reg, u8 value);
void serial_flush(void);

/* main.c: the guest is over; the caller does not return to it */
void vm_end(enum vmbhost_status status, const char *why) __noreturn;

#endif /* VMBHOST_VM_H */
