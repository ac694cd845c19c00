/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VMBHOST_HYPERCALL_H
#define VMBHOST_HYPERCALL_H

#include "vmbhost.h"

struct vm;

/* Results, and what bus_post() returns. */
#define HV_STATUS_SUCCESS		0x00
#define HV_STATUS_INVALID_CODE		0x02
#define HV_STATUS_INVALID_INPUT		0x03
#define HV_STATUS_INVALID_ALIGNMENT	0x04
#define HV_STATUS_INVALID_PARAMETER	0x05
#define HV_STATUS_INVALID_CONNECTION	0x12
#define HV_STATUS_NO_BUFFERS		0x13

/* A hypercall that KVM left to us; from a processor's thread. */
u64 hypercall(struct vm *vm, u64 control, u64 input);

#endif /* VMBHOST_HYPERCALL_H */
