// SPDX-License-Identifier: GPL-2.0
/*
 * The virtual machine: made, with its memory and interrupt lines.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vm.h"

/* The slot of VMBus among a processor's synthetic interrupt sources. */
#define VMBUS_SINT		2

static void vm_need(struct vm *vm, int cap, const char *what)
{
	if (ioctl(vm->kvm, KVM_CHECK_EXTENSION, cap) <= 0)
		die("this machine's KVM has no %s (a kernel with CONFIG_KVM_HYPERV has)",
		    what);
}

static void vm_create_ram(struct vm *vm)
{
	struct kvm_userspace_memory_region region = { 0 };

	/* A file, so that pages of rings can be mapped a second time. */
	vm->ram_fd = memfd_create("guest", MFD_CLOEXEC);
	if (vm->ram_fd < 0 || ftruncate(vm->ram_fd, vm->ram_size))
		die("guest memory: %s", strerror(errno));
	vm->ram = mmap(NULL, vm->ram_size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_NORESERVE, vm->ram_fd, 0);
	if (vm->ram == MAP_FAILED)
		die("guest memory: %s", strerror(errno));

	region.memory_size = vm->ram_size;
	region.userspace_addr = (uintptr_t)vm->ram;
	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region))
		die("KVM_SET_USER_MEMORY_REGION: %s", strerror(errno));
}

/*
 * The routes that KVM makes by itself, but the PIT's to pin 2 as on every PC,
 * and a line for each processor's VMBus SINT. Their SynICs must be on already.
 */
static void vm_route_irqs(struct vm *vm)
{
	struct kvm_irq_routing *table;
	struct kvm_irq_routing_entry *e;
	unsigned int i;

	table = xalloc(sizeof(*table) + (16 + 24 + VM_MAX_CPUS) * sizeof(*e));
	e = table->entries;
	for (i = 0; i < 16; i++, e++) {
		e->gsi = i;
		e->type = KVM_IRQ_ROUTING_IRQCHIP;
		e->u.irqchip.irqchip = i < 8 ? KVM_IRQCHIP_PIC_MASTER :
					       KVM_IRQCHIP_PIC_SLAVE;
		e->u.irqchip.pin = i % 8;
	}
	for (i = 0; i < 24; i++) {
		if (i == 2)
			continue;
		e->gsi = i;
		e->type = KVM_IRQ_ROUTING_IRQCHIP;
		e->u.irqchip.irqchip = KVM_IRQCHIP_IOAPIC;
		e->u.irqchip.pin = i ? i : 2;
		e++;
	}
	for (i = 0; i < vm->cpus; i++, e++) {
		e->gsi = VM_GSI_SINT(i);
		e->type = KVM_IRQ_ROUTING_HV_SINT;
		e->u.hv_sint.vcpu = i;
		e->u.hv_sint.sint = VMBUS_SINT;
	}
	table->nr = e - table->entries;
	if (ioctl(vm->fd, KVM_SET_GSI_ROUTING, table))
		die("KVM_SET_GSI_ROUTING: %s", strerror(errno));
	free(table);
}

void vm_create(struct vm *vm, u64 ram_size, unsigned int cpus)
{
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	u64 identity_map = 0xfffbc000;
	unsigned int i;

	vm->ram_size = ram_size;
	vm->cpus = cpus;
	pthread_mutex_init(&vm->ports_lock, NULL);

	vm->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm < 0)
		die("/dev/kvm: %s", strerror(errno));
	vm_need(vm, KVM_CAP_HYPERV_SYNIC2, "SynIC of Hyper-V");
	vm_need(vm, KVM_CAP_HYPERV_EVENTFD, "events of Hyper-V");
	vm_need(vm, KVM_CAP_IRQFD_RESAMPLE, "interrupts with acknowledgment");

	vm->fd = ioctl(vm->kvm, KVM_CREATE_VM, 0);
	if (vm->fd < 0)
		die("KVM_CREATE_VM: %s", strerror(errno));
	/* Only Intel's processors want these three pages. */
	ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity_map);
	ioctl(vm->fd, KVM_SET_TSS_ADDR, 0xfffbd000ul);
	if (ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0) ||
	    ioctl(vm->fd, KVM_CREATE_PIT2, &pit))
		die("interrupt controllers: %s", strerror(errno));

	vm_create_ram(vm);
	for (i = 0; i < cpus; i++) {
		vm->vcpu[i].vm = vm;
		vm->vcpu[i].index = i;
		vcpu_create(&vm->vcpu[i]);
	}
	vm_route_irqs(vm);
}

void vm_irq_line(struct vm *vm, unsigned int gsi, bool level)
{
	struct kvm_irq_level line = { .irq = gsi, .level = level };

	ioctl(vm->fd, KVM_IRQ_LINE, &line);
}
