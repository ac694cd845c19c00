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

/* Leaves the channel as the next driver expects it. Called with @rings held. */
static void kmcl_hv_close_rings(struct kmcl_hv_link *hv)
{
	struct vmbus_channel *channel = hv->channel;

	hv->open = false;
	vmbus_close(channel);
	channel->max_pkt_size = 0;
	set_channel_read_mode(channel, HV_CALL_BATCHED);
}

static void kmcl_hv_close(struct kmcl_link *link)
{
	struct kmcl_hv_link *hv = to_hv_link(link);

	mutex_lock(&hv->rings);
	if (hv->open)
		kmcl_hv_close_rings(hv);
	mutex_unlock(&hv->rings);
}

/*
 * The device is taken from this driver, or goes away. An opening that is under way ends
 * first: a rescind has ended it already.
 */
void kmcl_hv_shut(struct kmcl_hv_link *hv)
{
	mutex_lock(&hv->rings);
	hv->gone = true;
	if (hv->open)
		kmcl_hv_close_rings(hv);
	mutex_unlock(&hv->rings);
}

/* Called with @rings held. */
static int kmcl_hv_open_rings(struct kmcl_hv_link *hv,
			      const struct kmcl_link_params *p)
{
	struct vmbus_channel *channel = hv->channel;
	int ret;

	if (hv->gone)
		return -ENODEV;

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
		kmcl_hv_close_rings(hv);
	else
		hv->open = true;
	return ret;
}

static int kmcl_hv_open(struct kmcl_link *link, const struct kmcl_link_params *p)
{
	struct kmcl_hv_link *hv = to_hv_link(link);
	int ret;

	mutex_lock(&hv->rings);
	ret = kmcl_hv_open_rings(hv, p);
	mutex_unlock(&hv->rings);
	if (!ret)
		kmcl_hv_mmio_claim(hv);
	return ret;
}

const struct kmcl_transport kmcl_hv_transport = {
	.name = KBUILD_MODNAME,
	.owner = THIS_MODULE,
	.max_gpadl_pages = KMCL_HV_GPADL_PAGES,
	.watch = kmcl_hv_watch,
	.rescan = kmcl_hv_rescan,
	.unwatch = kmcl_hv_unwatch,
	.settle = kmcl_hv_settle,
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
	int ret;

	ret = kmcl_hv_bind_init();
	if (ret)
		return ret;
	ret = kmcl_hv_sleep_init();
	if (ret)
		goto exit_bind;
	ret = kmcl_transport_register(&kmcl_hv_transport);
	if (ret)
		goto exit_sleep;
	return 0;

exit_sleep:
	kmcl_hv_sleep_exit();
exit_bind:
	kmcl_hv_bind_exit();
	return ret;
}
module_init(kmcl_hv_init);

static void __exit kmcl_hv_exit(void)
{
	kmcl_transport_unregister(&kmcl_hv_transport);
	kmcl_hv_sleep_exit();
	kmcl_hv_bind_exit();
}
module_exit(kmcl_hv_exit);

MODULE_DESCRIPTION("VMBus Kernel Mode Client Library: transport over hv_vmbus");
MODULE_LICENSE("GPL");
