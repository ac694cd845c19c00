// SPDX-License-Identifier: GPL-2.0
/*
 * A processor: one thread, which runs the guest and does what it cannot.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "hypercall.h"
#include "log.h"
#include "synic.h"
#include "vm.h"

#define MSR_MTRR_DEFAULT_TYPE	0x2ff
#define MTRR_ON_WRITE_BACK	0x806

static void vcpu_set_msrs(struct vcpu *cpu)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry[1];
	} msrs = {
		.head.nmsrs = 1,
		.entry = { { .index = MSR_MTRR_DEFAULT_TYPE, .data = MTRR_ON_WRITE_BACK } },
	};

	if (ioctl(cpu->fd, KVM_SET_MSRS, &msrs) != 1)
		die("KVM_SET_MSRS: %s", strerror(errno));
}

void vcpu_create(struct vcpu *cpu)
{
	struct kvm_enable_cap synic = { .cap = KVM_CAP_HYPERV_SYNIC2 };
	int size = ioctl(cpu->vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	cpu->fd = ioctl(cpu->vm->fd, KVM_CREATE_VCPU, cpu->index);
	if (cpu->fd < 0)
		die("KVM_CREATE_VCPU: %s", strerror(errno));
	cpu->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, cpu->fd, 0);
	if (cpu->run == MAP_FAILED)
		die("KVM_RUN: %s", strerror(errno));
	cpuid_set(cpu);
	if (ioctl(cpu->fd, KVM_ENABLE_CAP, &synic))
		die("SynIC: %s", strerror(errno));
	vcpu_set_msrs(cpu);
}

static void vcpu_io(struct vcpu *cpu)
{
	struct kvm_run *run = cpu->run;
	u8 *data = (u8 *)run + run->io.data_offset;
	u32 i, value;

	pthread_mutex_lock(&cpu->vm->ports_lock);
	for (i = 0; i < run->io.count; i++, data += run->io.size) {
		value = 0;
		if (run->io.direction == KVM_EXIT_IO_IN) {
			value = ports_in(cpu->vm, run->io.port, run->io.size);
			memcpy(data, &value, run->io.size);
		} else {
			memcpy(&value, data, run->io.size);
			ports_out(cpu->vm, run->io.port, run->io.size, value);
		}
	}
	pthread_mutex_unlock(&cpu->vm->ports_lock);
}

static void vcpu_hyperv(struct vcpu *cpu)
{
	struct kvm_hyperv_exit *exit = &cpu->run->hyperv;

	switch (exit->type) {
	case KVM_EXIT_HYPERV_SYNIC:
		synic_update(cpu->index, exit->u.synic.control, exit->u.synic.msg_page,
			     exit->u.synic.evt_page);
		break;
	case KVM_EXIT_HYPERV_HCALL:
		exit->u.hcall.result = hypercall(cpu->vm, exit->u.hcall.input,
						 exit->u.hcall.params[0]);
		break;
	}
}

static void vcpu_system_event(struct vcpu *cpu)
{
	const u64 *data = (const u64 *)cpu->run->system_event.data;

	switch (cpu->run->system_event.type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
		vm_end(STATUS_POWERED_OFF, "powered off");
	case KVM_SYSTEM_EVENT_RESET:
		vm_end(STATUS_RESET, "reset");
	case KVM_SYSTEM_EVENT_CRASH:
		/* By Hyper-V's crash registers; the guest goes on. */
		log_begin("crash");
		log_hex("p0", data[0]);
		log_hex("p1", data[1]);
		log_end();
	}
}

static void vcpu_exit(struct vcpu *cpu)
{
	struct kvm_run *run = cpu->run;

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		vcpu_io(cpu);
		break;
	case KVM_EXIT_MMIO:
		/* Nothing is there. */
		if (!run->mmio.is_write)
			memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
		break;
	case KVM_EXIT_HYPERV:
		vcpu_hyperv(cpu);
		break;
	case KVM_EXIT_SYSTEM_EVENT:
		vcpu_system_event(cpu);
		break;
	case KVM_EXIT_SHUTDOWN:
		vm_end(STATUS_TRIPLE_FAULT, "triple fault");
	case KVM_EXIT_FAIL_ENTRY:
	case KVM_EXIT_INTERNAL_ERROR:
		vm_end(STATUS_LOST, "KVM cannot run the guest any further");
	case KVM_EXIT_INTR:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
	case KVM_EXIT_HLT:
		break;
	default:
		log_begin("exit");
		log_u64("reason", run->exit_reason);
		log_end();
	}
}

static void *vcpu_thread(void *arg)
{
	struct vcpu *cpu = arg;

	for (;;) {
		if (!ioctl(cpu->fd, KVM_RUN, 0))
			vcpu_exit(cpu);
		/* EAGAIN: a processor that waits to be started was woken. */
		else if (errno != EINTR && errno != EAGAIN)
			vm_end(STATUS_LOST, strerror(errno));
	}
	return NULL;
}

void vcpu_start(struct vcpu *cpu)
{
	if (pthread_create(&cpu->thread, NULL, vcpu_thread, cpu))
		die("no thread for a processor");
}
