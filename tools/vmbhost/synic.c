// SPDX-License-Identifier: GPL-2.0
/*
 * Synthetic interrupts: messages and event flags to the guest.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bus.h"
#include "synic.h"
#include "vm.h"

#define SYNIC_ENABLED		1ull
#define SYNIC_PAGE(reg)		((reg) & ~(u64)(PAGE_SIZE - 1))

#define MESSAGE_PENDING		1

struct hv_message {
	u32 type;
	u8 size;
	u8 flags;
	u8 reserved[2];
	u64 sender;
	u8 payload[HV_MESSAGE_PAYLOAD];
} __packed;

_Static_assert(sizeof(struct hv_message) == 256, "a slot in the page of messages");

static struct vm *synic_vm;
static struct {
	/* Guards the registers: pages must not move while we write to them. */
	pthread_mutex_t lock;
	u64 control, messages, events;
	int inject_fd, ack_fd;
} synic[VM_MAX_CPUS];

void synic_create(struct vm *vm)
{
	unsigned int i;

	synic_vm = vm;
	for (i = 0; i < vm->cpus; i++) {
		struct kvm_irqfd irqfd = {
			.gsi = VM_GSI_SINT(i), .flags = KVM_IRQFD_FLAG_RESAMPLE,
		};

		pthread_mutex_init(&synic[i].lock, NULL);
		synic[i].inject_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		synic[i].ack_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		irqfd.fd = synic[i].inject_fd;
		irqfd.resamplefd = synic[i].ack_fd;
		if (ioctl(vm->fd, KVM_IRQFD, &irqfd))
			die("KVM_IRQFD: %s", strerror(errno));
	}
}

int synic_ack_fd(unsigned int cpu)
{
	return synic[cpu].ack_fd;
}

void synic_update(unsigned int cpu, u64 control, u64 messages, u64 events)
{
	pthread_mutex_lock(&synic[cpu].lock);
	synic[cpu].control = control;
	synic[cpu].messages = messages;
	synic[cpu].events = events;
	pthread_mutex_unlock(&synic[cpu].lock);
}

/* Where VMBus' slot of a page is, if the guest has switched that page on. */
static void *synic_slot(unsigned int cpu, u64 page, size_t size)
{
	u8 *p;

	if (!(synic[cpu].control & SYNIC_ENABLED) || !(page & SYNIC_ENABLED))
		return NULL;
	p = vm_gpa(synic_vm, SYNIC_PAGE(page), PAGE_SIZE);
	return p ? p + VMBUS_MESSAGE_SINT * size : NULL;
}

static void synic_inject(unsigned int cpu)
{
	const u64 one = 1;

	if (write(synic[cpu].inject_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		die("interrupt: %s", strerror(errno));
}

static bool synic_fill(struct hv_message *slot, u32 type, const void *payload, u8 len)
{
	if (__atomic_load_n(&slot->type, __ATOMIC_ACQUIRE)) {
		/* With this flag the guest acknowledges; it may have looked already. */
		WRITE_ONCE(&slot->flags, MESSAGE_PENDING);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (__atomic_load_n(&slot->type, __ATOMIC_ACQUIRE))
			return false;
	}
	slot->size = len;
	slot->flags = 0;
	slot->sender = 0;
	memcpy(slot->payload, payload, len);
	/* The guest reads the rest once it sees the type. */
	__atomic_store_n(&slot->type, type, __ATOMIC_RELEASE);
	return true;
}

enum synic_result synic_send(unsigned int cpu, u32 type, const void *payload, u8 len)
{
	enum synic_result result = SYNIC_OFF;
	struct hv_message *slot;

	pthread_mutex_lock(&synic[cpu].lock);
	slot = synic_slot(cpu, synic[cpu].messages, sizeof(*slot));
	if (slot)
		result = synic_fill(slot, type, payload, len) ? SYNIC_SENT : SYNIC_BUSY;
	if (result == SYNIC_SENT)
		synic_inject(cpu);
	pthread_mutex_unlock(&synic[cpu].lock);
	return result;
}

enum synic_result synic_set_flag(unsigned int cpu, u32 flag)
{
	enum synic_result result = SYNIC_OFF;
	u32 *flags;

	pthread_mutex_lock(&synic[cpu].lock);
	flags = synic_slot(cpu, synic[cpu].events, HV_EVENT_FLAGS / 8);
	if (flags && flag < HV_EVENT_FLAGS) {
		result = SYNIC_SENT;
		__atomic_fetch_or(&flags[flag / 32], 1u << flag % 32, __ATOMIC_SEQ_CST);
		synic_inject(cpu);
	}
	pthread_mutex_unlock(&synic[cpu].lock);
	return result;
}
