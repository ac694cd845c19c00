// SPDX-License-Identifier: GPL-2.0
/* Functions of the tables that cannot work in a Linux guest, and say so. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/printk.h>

#include "kmcl.h"

/**
 * VmbChannelSetInterruptLatency() - set how long a signal to the host may take
 * @Channel: the channel
 * @Latency100ns: not looked at
 * @OriginalLatency100ns: not written to
 *
 * On Windows that changes how often the hypervisor looks at the guest's outgoing monitor
 * page. Here that page is hv_vmbus' own: it exports the structure with its address, but
 * not what that structure is, and its files in sysfs can only be read. Signals that are
 * held back by this library would be no such latency. The details are in
 * docs/api-status.md.
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: STATUS_NOT_SUPPORTED.
 */
NTSTATUS VmbChannelSetInterruptLatency(VMBCHANNEL Channel, UINT16 Latency100ns,
				       PUINT16 OriginalLatency100ns)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbChannelSetInterruptLatency);

/**
 * VmbConvertVmbusHandleToKernelHandle() - make a bus' handle good for the kernel
 * @VmbusHandle: not looked at
 * @KernelHandle: not written to
 *
 * On Windows this is about the bus of a virtual machine's worker process, which is
 * in the root partition; a guest has none. The log says so, once.
 *
 * Return: STATUS_NOT_SUPPORTED.
 */
NTSTATUS VmbConvertVmbusHandleToKernelHandle(HANDLE VmbusHandle,
					     PHANDLE KernelHandle)
{
	pr_warn_once("%s() is not supported: a guest has no worker process' bus\n",
		     __func__);
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbConvertVmbusHandleToKernelHandle);
