// SPDX-License-Identifier: GPL-2.0
/*
 * What the guest's CPUID instruction says: the real processor, as far as KVM
 * can show it, on a hypervisor that is Hyper-V.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vm.h"

#define CPUID_ENTRIES		256

#define HV_LEAF			0x40000000u
#define HV_LEAF_LAST		0x40000005u

/* Leaf 3, EAX: groups of registers */
#define HV_VP_RUNTIME		BIT(0)
#define HV_TIME_REF_COUNT	BIT(1)
#define HV_SYNIC		BIT(2)
#define HV_SYNTHETIC_TIMERS	BIT(3)
#define HV_APIC_REGISTERS	BIT(4)
#define HV_HYPERCALL		BIT(5)
#define HV_VP_INDEX		BIT(6)
#define HV_REFERENCE_TSC	BIT(9)
#define HV_FREQUENCY		BIT(11)
/* Leaf 3, EBX: hypercalls */
#define HV_POST_MESSAGES	BIT(4)
#define HV_SIGNAL_EVENTS	BIT(5)
/* Leaf 3, EDX: the rest */
#define HV_HAS_FREQUENCY	BIT(8)
#define HV_HAS_CRASH		BIT(10)
/* Timers that come as interrupts need no slot in the page of messages. */
#define HV_HAS_DIRECT_TIMERS	BIT(19)
/* Leaf 4, EAX: recommendations */
#define HV_USE_APIC_REGISTERS	BIT(3)
#define HV_RELAXED_TIMING	BIT(5)
#define HV_NO_AUTO_EOI		BIT(9)

static void cpuid_hyperv_leaf(struct kvm_cpuid_entry2 *e)
{
	switch (e->function) {
	case HV_LEAF:
		e->eax = HV_LEAF_LAST;
		memcpy(&e->ebx, "Micr", 4);
		memcpy(&e->ecx, "osof", 4);
		memcpy(&e->edx, "t Hv", 4);
		break;
	case HV_LEAF + 3:
		e->eax &= HV_VP_RUNTIME | HV_TIME_REF_COUNT | HV_SYNIC |
			  HV_SYNTHETIC_TIMERS | HV_APIC_REGISTERS | HV_HYPERCALL |
			  HV_VP_INDEX | HV_REFERENCE_TSC | HV_FREQUENCY;
		e->ebx &= HV_POST_MESSAGES | HV_SIGNAL_EVENTS;
		e->edx &= HV_HAS_FREQUENCY | HV_HAS_CRASH | HV_HAS_DIRECT_TIMERS;
		break;
	case HV_LEAF + 4:
		e->eax &= HV_USE_APIC_REGISTERS | HV_RELAXED_TIMING | HV_NO_AUTO_EOI;
		break;
	}
}

/* Every processor is a package of its own: no leaf on topology says otherwise. */
static bool cpuid_processor_leaf(struct kvm_cpuid_entry2 *e, u32 apic_id)
{
	switch (e->function) {
	case 1:
		e->ebx = (e->ebx & 0xffff) | 1u << 16 | apic_id << 24;
		e->edx &= ~(1u << 28); /* more than one in a package */
		e->ecx |= 1u << 31; /* a hypervisor */
		break;
	case 4:
		e->eax &= 0x3ff;
		break;
	case 0xb:
	case 0x1f:
	case 0x8000001e:
	case 0x80000026:
		return false;
	case 0x80000001:
		e->ecx &= ~(1u << 22 | 1u << 1); /* leaf 0x8000001e; legacy cores */
		break;
	case 0x80000008:
		e->ecx = 0;
		break;
	}
	return e->function < HV_LEAF || e->function > HV_LEAF + 0xffff;
}

static struct kvm_cpuid2 *cpuid_get(int fd, unsigned long request, const char *what)
{
	struct kvm_cpuid2 *list;

	list = xalloc(sizeof(*list) + CPUID_ENTRIES * sizeof(list->entries[0]));
	list->nent = CPUID_ENTRIES;
	if (ioctl(fd, request, list))
		die("%s: %s", what, strerror(errno));
	return list;
}

void cpuid_set(struct vcpu *cpu)
{
	struct kvm_cpuid2 *processor, *hyperv, *all;
	u32 i;

	processor = cpuid_get(cpu->vm->kvm, KVM_GET_SUPPORTED_CPUID,
			      "KVM_GET_SUPPORTED_CPUID");
	hyperv = cpuid_get(cpu->fd, KVM_GET_SUPPORTED_HV_CPUID,
			   "KVM_GET_SUPPORTED_HV_CPUID");
	all = xalloc(sizeof(*all) + 2 * CPUID_ENTRIES * sizeof(all->entries[0]));

	for (i = 0; i < processor->nent; i++)
		if (cpuid_processor_leaf(&processor->entries[i], cpu->index))
			all->entries[all->nent++] = processor->entries[i];
	for (i = 0; i < hyperv->nent; i++) {
		if (hyperv->entries[i].function > HV_LEAF_LAST)
			continue;
		cpuid_hyperv_leaf(&hyperv->entries[i]);
		all->entries[all->nent++] = hyperv->entries[i];
	}
	if (ioctl(cpu->fd, KVM_SET_CPUID2, all))
		die("KVM_SET_CPUID2: %s", strerror(errno));

	free(all);
	free(hyperv);
	free(processor);
}
