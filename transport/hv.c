// SPDX-License-Identifier: GPL-2.0
/*
 * The transport over hv_vmbus: module vmbkmcl_hv.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>

#include "hv.h"

/* In softirq context: the channel's tasklet. */
static void kmcl_hv_callback(void *context)
{
	struct kmcl_hv_link *hv = context;

	kmcl_data_ready(&hv->link);
}

/* Leaves the channel as the next driver expects it. */
static void kmcl_hv_close(struct kmcl_link *link)
{
	struct vmbus_channel *channel = to_hv_link(link)->channel;

	vmbus_close(channel);
	kmcl_hv_mmio_release(to_hv_link(link));
	channel->max_pkt_size = 0;
	set_channel_read_mode(channel, HV_CALL_BATCHED);
}

static int kmcl_hv_open(struct kmcl_link *link, const struct kmcl_link_params *p)
{
	struct kmcl_hv_link *hv = to_hv_link(link);
	struct vmbus_channel *channel = hv->channel;
	int ret;

	/*
	 * A driver that had the device before may have left these set. What its
	 * requestor pointed to is freed by now, which hv_vmbus does not note.
	 */
	channel->rqstor_size = 0;
	channel->requestor.req_arr = NULL;
	channel->requestor.req_bitmap = NULL;
	channel->next_request_id_callback = NULL;
	channel->request_addr_callback = NULL;
	channel->change_target_cpu_callback = NULL;
	channel->max_pkt_size = kmcl_hv_packet_buffer_size(p);

	/* The core masks signals itself: it may leave packets in the ring. */
	set_channel_read_mode(channel, HV_CALL_DIRECT);

	ret = vmbus_open(channel, p->send_bytes, p->recv_bytes, NULL, 0,
			 kmcl_hv_callback, hv);
	/* A failed open leaves the callback in place, for the host to trigger. */
	if (ret)
		kmcl_hv_close(link);
	else
		kmcl_hv_mmio_claim(hv);
	return ret;
}

const struct kmcl_transport kmcl_hv_transport = {
	.name = KBUILD_MODNAME,
	.owner = THIS_MODULE,
	.watch = kmcl_hv_watch,
	.unwatch = kmcl_hv_unwatch,
	.open = kmcl_hv_open,
	.close = kmcl_hv_close,
	.release = kmcl_hv_release,
	.send = kmcl_hv_send,
	.want_room = kmcl_hv_want_room,
	.recv_begin = kmcl_hv_recv_begin,
	.recv_first = kmcl_hv_recv_first,
	.recv_next = kmcl_hv_recv_next,
	.recv_commit = kmcl_hv_recv_commit,
	.recv_end = kmcl_hv_recv_end,
	.gpadl_create = kmcl_hv_gpadl_create,
	.gpadl_delete = kmcl_hv_gpadl_delete,
};

static int __init kmcl_hv_init(void)
{
	return kmcl_transport_register(&kmcl_hv_transport);
}
module_init(kmcl_hv_init);

static void __exit kmcl_hv_exit(void)
{
	kmcl_transport_unregister(&kmcl_hv_transport);
}
module_exit(kmcl_hv_exit);

MODULE_DESCRIPTION("VMBus Kernel Mode Client Library: transport over hv_vmbus");
MODULE_LICENSE("GPL");
