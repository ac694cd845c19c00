/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The way to the guest: a page of messages and a page of event flags for each
 * processor, and an interrupt. KVM keeps the registers, we fill the pages.
 */
#ifndef VMBHOST_SYNIC_H
#define VMBHOST_SYNIC_H

#include "vmbhost.h"

struct vm;

enum synic_result {
	SYNIC_SENT,
	SYNIC_BUSY,	/* the guest still has the last one; the acknowledgment tells */
	SYNIC_OFF,	/* the guest has no page for it */
};

void synic_create(struct vm *vm);
/* From the processor's own thread, when the guest has set a register. */
void synic_update(unsigned int cpu, u64 control, u64 messages, u64 events);
enum synic_result synic_send(unsigned int cpu, u32 type, const void *payload, u8 len);
enum synic_result synic_set_flag(unsigned int cpu, u32 flag);
/* Readable when the guest has taken a message. */
int synic_ack_fd(unsigned int cpu);

#endif /* VMBHOST_SYNIC_H */
