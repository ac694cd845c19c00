// SPDX-License-Identifier: GPL-2.0
/*
 * The transport over hv_vmbus: module vmbkmcl_hv.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>

#include "hv.h"

const struct kmcl_transport kmcl_hv_transport = {
	.name = KBUILD_MODNAME,
	.owner = THIS_MODULE,
	.max_gpadl_pages = KMCL_HV_GPADL_PAGES,
	.watch = kmcl_hv_watch,
	.rescan = kmcl_hv_rescan,
	.unwatch = kmcl_hv_unwatch,
	.settle = kmcl_hv_settle,
	.watch_devices = kmcl_hv_watch_devices,
	.unwatch_devices = kmcl_hv_unwatch_devices,
	.open = kmcl_hv_open,
	.close = kmcl_hv_close,
	.release = kmcl_hv_release,
	.send = kmcl_hv_send,
	.send_request = kmcl_hv_send_request,
	.want_room = kmcl_hv_want_room,
	.map = kmcl_hv_map,
	.unmap = kmcl_hv_unmap,
	.recv_begin = kmcl_hv_recv_begin,
	.recv_first = kmcl_hv_recv_first,
	.recv_next = kmcl_hv_recv_next,
	.recv_commit = kmcl_hv_recv_commit,
	.recv_end = kmcl_hv_recv_end,
	.gpadl_create = kmcl_hv_gpadl_create,
	.gpadl_delete = kmcl_hv_gpadl_delete,
	.gpadl_alloc = kmcl_hv_gpadl_alloc,
	.gpadl_free = kmcl_hv_gpadl_free,
};

static int __init kmcl_hv_init(void)
{
	int ret;

	ret = kmcl_hv_classes_init();
	if (ret)
		return ret;
	ret = kmcl_hv_sleep_init();
	if (ret)
		goto exit_classes;
	ret = kmcl_transport_register(&kmcl_hv_transport);
	if (ret)
		goto exit_sleep;
	return 0;

exit_sleep:
	kmcl_hv_sleep_exit();
exit_classes:
	kmcl_hv_classes_exit();
	return ret;
}
module_init(kmcl_hv_init);

static void __exit kmcl_hv_exit(void)
{
	kmcl_transport_unregister(&kmcl_hv_transport);
	kmcl_hv_sleep_exit();
	kmcl_hv_classes_exit();
}
module_exit(kmcl_hv_exit);

MODULE_DESCRIPTION("VMBus Kernel Mode Client Library: transport over hv_vmbus");
MODULE_LICENSE("GPL");
MODULE_VERSION(VMBKMCL_VERSION);
