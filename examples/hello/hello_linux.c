// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What makes the client a Linux module, and has udev load it when there is a device. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mod_devicetable.h>
#include <linux/module.h>

#include "hello.h"

/* HELLO_CLASS, in Linux' words. */
static const struct hv_vmbus_device_id hello_devices[] = {
	{ .guid = GUID_INIT(0x68656c6c, 0x6f00, 0x4b4d,
			    0x43, 0x4c, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01) },
	{}
};
MODULE_DEVICE_TABLE(vmbus, hello_devices);

static int __init hello_init(void)
{
	NTSTATUS status = HelloStart(linux_device_to_wdfdevice(NULL));

	if (!NT_SUCCESS(status)) {
		pr_err("not started: status %08x\n", status);
		return -EIO;
	}
	return 0;
}
module_init(hello_init);

static void __exit hello_exit(void)
{
	HelloStop();
}
module_exit(hello_exit);

MODULE_DESCRIPTION("The smallest client of the VMBus Kernel Mode Client Library");
MODULE_LICENSE("Dual MIT/GPL");
MODULE_SOFTDEP("pre: vmbkmcl");
