// SPDX-License-Identifier: GPL-2.0
/*
 * A channel is opened and closed, and with it its rings: memory that the host
 * writes to from the opening until it has answered the teardown of their GPADL.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>

#include "hv.h"

/* In softirq context: the channel's tasklet. */
static void kmcl_hv_callback(void *context)
{
	struct kmcl_hv_link *hv = context;

	kmcl_data_ready(&hv->link);
}

/*
 * Tells the host, and returns when it does not write to the rings any more. Not by
 * vmbus_close(): that waits for the host's answer with hv_vmbus' lock of all
 * channels held, so that a host that does not answer stops every other device, and
 * even its own rescind. Without the GPADL hv_vmbus only sends the message; the
 * teardown follows here, under a lock of this device's own.
 */
static int kmcl_hv_disconnect(struct kmcl_hv_link *hv)
{
	struct vmbus_channel *channel = hv->channel;
	struct vmbus_gpadl *rings = &channel->ringbuffer_gpadlhandle;
	bool was_open = channel->state == CHANNEL_OPENED_STATE;
	u32 handle = rings->gpadl_handle;
	int ret;

	rings->gpadl_handle = 0;
	ret = vmbus_disconnect_ring(channel);
	/* To hv_vmbus it is an error, but not here, that an opening had failed. */
	if (!was_open)
		ret = 0;

	rings->gpadl_handle = handle;
	if (!ret && handle)
		ret = kmcl_hv_gpadl_teardown(hv, rings, "a close");
	return channel->rescind ? 0 : ret;
}

/* Leaves the channel as the next driver expects it. Called with @rings held. */
static void kmcl_hv_close_rings(struct kmcl_hv_link *hv)
{
	struct vmbus_channel *channel = hv->channel;
	int ret;

	hv->open = false;
	ret = kmcl_hv_disconnect(hv);
	if (ret) {
		pr_err("VMBus device %s: the channel cannot be closed: error %d; the host may still write to its rings, so their %u pages are never used again\n",
		       dev_name(&hv->dev->device), ret,
		       channel->ringbuffer_pagecount);
		channel->ringbuffer_page = NULL;
		kmcl_link_not_closed(&hv->link);
	}
	channel->ringbuffer_gpadlhandle.gpadl_handle = 0;
	vmbus_free_ring(channel);
	channel->max_pkt_size = 0;
	set_channel_read_mode(channel, HV_CALL_BATCHED);
}

void kmcl_hv_close(struct kmcl_link *link)
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
static int kmcl_hv_connect(struct kmcl_hv_link *hv,
			   const struct kmcl_link_params *p)
{
	struct vmbus_channel *channel = hv->channel;
	struct kmcl_hv_wait wait;
	int ret;

	ret = vmbus_alloc_ring(channel, p->send_bytes, p->recv_bytes);
	if (ret)
		return ret;

	kmcl_hv_wait_begin(&wait, hv, "an opening");
	ret = vmbus_connect_ring(channel, kmcl_hv_callback, hv);
	kmcl_hv_wait_end(&wait);
	return ret;
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
	 * requestor pointed to is freed by now, which hv_vmbus does not note, and
	 * rings that it could not close are not to be freed.
	 */
	channel->rqstor_size = 0;
	channel->requestor.req_arr = NULL;
	channel->requestor.req_bitmap = NULL;
	channel->next_request_id_callback = NULL;
	channel->request_addr_callback = NULL;
	channel->change_target_cpu_callback = NULL;
	channel->ringbuffer_page = NULL;
	channel->ringbuffer_gpadlhandle.gpadl_handle = 0;
	channel->max_pkt_size = kmcl_hv_packet_buffer_size(p);

	/* The core masks signals itself: it may leave packets in the ring. */
	set_channel_read_mode(channel, HV_CALL_DIRECT);

	ret = kmcl_hv_connect(hv, p);
	/*
	 * A failed open leaves the callback in place, for the host to trigger, and
	 * the rings' GPADL where the host could not be told of its end.
	 */
	if (ret)
		kmcl_hv_close_rings(hv);
	else
		hv->open = true;
	return ret;
}

int kmcl_hv_open(struct kmcl_link *link, const struct kmcl_link_params *p)
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
