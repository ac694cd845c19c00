// SPDX-License-Identifier: GPL-2.0
/*
 * What makes the client a Linux module, with a SCSI host for each controller.
 */
#define pr_fmt(fmt) "disk: " fmt

#include <linux/limits.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>

#include <wdf.h>

#include "disk_linux.h"

/* Each command has its memory from the beginning on; cmd_per_lun has 15 bits. */
static int disk_set_queue_depth(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 1, 4096);
}

static const struct kernel_param_ops disk_queue_depth_ops = {
	.set = disk_set_queue_depth,
	.get = param_get_uint,
};
module_param_cb(queue_depth, &disk_queue_depth_ops, &disk_queue_depth, 0444);
MODULE_PARM_DESC(queue_depth, "commands of a queue under way, at most (256; 1 to 4096)");

module_param_named(ring_pages, DiskRingPages, uint, 0444);
MODULE_PARM_DESC(ring_pages, "pages of 4 KiB of each ring, but always enough for a packet (33)");

/* A reset of ours closes the channel, too, and that is not to cost a disk. */
static int disk_set_reoffer_seconds(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 5, 24 * 60 * 60);
}

static const struct kernel_param_ops disk_reoffer_seconds_ops = {
	.set = disk_set_reoffer_seconds,
	.get = param_get_uint,
};
module_param_cb(reoffer_seconds, &disk_reoffer_seconds_ops, &disk_reoffer_seconds, 0644);
MODULE_PARM_DESC(reoffer_seconds,
		 "how long commands wait for a controller to come back, before they fail (60; 5 to 86400)");

DRIVER_INITIALIZE DriverEntry;

/* What DiskHostDeleteAll() undoes when the driver is unloaded. */
static NTSTATUS disk_driver_entry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
	NTSTATUS status;

	if (disk_hosts_init())
		return STATUS_INSUFFICIENT_RESOURCES;
	status = DriverEntry(DriverObject, RegistryPath);
	if (!NT_SUCCESS(status))
		DiskHostDeleteAll();
	return status;
}

/* ba6163d9-04a1-4d29-b605-72e2ffb1dc7f */
static const struct hv_vmbus_device_id disk_ids[] = {
	{ .guid = GUID_INIT(0xba6163d9, 0x04a1, 0x4d29,
			    0xb6, 0x05, 0x72, 0xe2, 0xff, 0xb1, 0xdc, 0x7f) },
	{}
};

module_kmdf_driver(disk_driver_entry, disk_ids);

MODULE_DESCRIPTION("Hyper-V's disks on the VMBus Kernel Mode Client Library");
MODULE_LICENSE("GPL");
