// SPDX-License-Identifier: GPL-2.0
/*
 * HvPostMessage and HvSignalEvent. Signals for channels that exist never come
 * here: KVM turns them into events by itself.
 */
#include "bus.h"
#include "hypercall.h"
#include "log.h"
#include "vm.h"

#define HVCALL_POST_MESSAGE	0x5c
#define HVCALL_SIGNAL_EVENT	0x5d
#define HVCALL_FAST		BIT(16)

struct hv_post_message {
	u32 connection;
	u32 reserved;
	u32 type;
	u32 size;
	u8 payload[HV_MESSAGE_PAYLOAD];
} __packed;

static u64 hypercall_post(struct vm *vm, u64 gpa)
{
	struct hv_post_message msg;

	if (gpa % 8 || (gpa & (PAGE_SIZE - 1)) + sizeof(msg) > PAGE_SIZE)
		return HV_STATUS_INVALID_ALIGNMENT;
	if (!vm_copy_from(vm, &msg, gpa, sizeof(msg)))
		return HV_STATUS_INVALID_PARAMETER;
	if (msg.size > sizeof(msg.payload) || !msg.type || msg.type >> 31)
		return HV_STATUS_INVALID_PARAMETER;
	return bus_post(msg.connection & 0xffffff, msg.payload, msg.size);
}

u64 hypercall(struct vm *vm, u64 control, u64 input)
{
	switch (control & 0xffff) {
	case HVCALL_POST_MESSAGE:
		return control & HVCALL_FAST ? HV_STATUS_INVALID_INPUT :
					       hypercall_post(vm, input);
	case HVCALL_SIGNAL_EVENT:
		/* A channel that is gone, mostly: guests may be late. */
		log_begin("signal-unknown");
		log_hex("connection", control & HVCALL_FAST ? input & 0xffffff : 0);
		log_end();
		return HV_STATUS_INVALID_CONNECTION;
	}
	return HV_STATUS_INVALID_CODE;
}
