// SPDX-License-Identifier: GPL-2.0
/*
 * A channel is opened and closed, and with it its rings: memory that the host
 * writes to from the opening until it has answered the teardown of their GPADL.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/sched/isolation.h>
#include <linux/slab.h>

#include "hv.h"

/* In softirq context: the channel's tasklet. */
static void kmcl_hv_callback(void *context)
{
	struct kmcl_hv_link *hv = context;

	kmcl_data_ready(&hv->link);
}

/* What hv_vmbus needs of a channel to tell the host that it is closed. */
static struct vmbus_channel *kmcl_hv_stand_in(const struct vmbus_channel *channel)
{
	struct vmbus_channel *stand_in = kzalloc(sizeof(*stand_in), GFP_KERNEL);

	if (!stand_in)
		return NULL;

	stand_in->state = CHANNEL_OPENED_STATE;
	stand_in->offermsg = channel->offermsg;
	INIT_LIST_HEAD(&stand_in->sc_list);
	spin_lock_init(&stand_in->sched_lock);
	tasklet_init(&stand_in->callback_event, NULL, 0);
	return stand_in;
}

/* From here on hv_vmbus does not call kmcl_hv_callback(), which has returned. */
static void kmcl_hv_silence(struct vmbus_channel *channel)
{
	tasklet_disable(&channel->callback_event);
	spin_lock_irq(&channel->sched_lock);
	channel->onchannel_callback = NULL;
	spin_unlock_irq(&channel->sched_lock);
	channel->sc_creation_callback = NULL;
	tasklet_enable(&channel->callback_event);
}

/*
 * Tells the host, and returns when it does not write to the rings any more. Not by
 * vmbus_close(): that waits for the host's answer with hv_vmbus' lock of all
 * channels held, so that a host that does not answer stops every other device, and
 * even its own rescind. Without a GPADL hv_vmbus only sends the message; the
 * teardown follows here, under a lock of this device's own.
 *
 * The message is sent for a stand-in with the channel's number. hv_vmbus refuses it for a
 * sub-channel, and for a primary walks the list of its sub-channels, without a lock and
 * waiting for those that are being rescinded.
 */
static int kmcl_hv_disconnect(struct kmcl_hv_link *hv, bool was_open)
{
	struct vmbus_channel *channel = hv->channel;
	struct vmbus_gpadl *rings = &channel->ringbuffer_gpadlhandle;
	int ret = 0;

	kmcl_hv_silence(channel);
	if (was_open) {
		/*
		 * Before the message: hv_vmbus asks for another processor only for a
		 * channel that is open, and under the lock that it sends this one under.
		 */
		WRITE_ONCE(channel->state, CHANNEL_OPEN_STATE);
		/* The number of a rescinded sub-channel may be another channel's by now. */
		if (!hv->primary || !READ_ONCE(channel->rescind))
			ret = vmbus_disconnect_ring(hv->stand_in);
	}
	if (!ret && rings->gpadl_handle)
		ret = kmcl_hv_gpadl_teardown(hv, rings, "a close");
	return channel->rescind ? 0 : ret;
}

/* Where the host is to send the channel's interrupts, if it can be where @cpu says. */
static void kmcl_hv_set_cpu(struct kmcl_hv_link *hv, int cpu)
{
	struct vmbus_channel *channel = hv->channel;

	hv->link.target_cpu = -1;
	if (cpu < 0)
		return;

	/* hv_vmbus lets no processor go that a channel has. */
	cpus_read_lock();
	if (cpu_online(cpu) &&
	    cpumask_test_cpu(cpu, housekeeping_cpumask(HK_TYPE_MANAGED_IRQ))) {
		hv->own_cpu = channel->target_cpu;
		WRITE_ONCE(channel->target_cpu, cpu);
		hv->link.target_cpu = cpu;
	}
	cpus_read_unlock();
	if (hv->link.target_cpu < 0)
		pr_warn("VMBus device %s: processor %d is offline or isolated; interrupts come on processor %u\n",
			dev_name(&hv->dev->device), cpu, channel->target_cpu);
}

static void kmcl_hv_reset_cpu(struct kmcl_hv_link *hv)
{
	struct vmbus_channel *channel = hv->channel;

	if (hv->link.target_cpu < 0)
		return;

	cpus_read_lock();
	/* An administrator may have moved it meanwhile. */
	if (channel->target_cpu == hv->link.target_cpu && cpu_online(hv->own_cpu))
		WRITE_ONCE(channel->target_cpu, hv->own_cpu);
	cpus_read_unlock();
}

/* Makes the rings of what another opening has left behind, if that is as large. */
static bool kmcl_hv_take_spare(struct kmcl_hv_link *hv, u32 send_bytes, u32 recv_bytes)
{
	struct vmbus_channel *channel = hv->channel;
	struct kmcl_spare_rings *spare = hv->spare;

	if (!spare || !spare->pages)
		return false;
	if (spare->bytes != send_bytes + recv_bytes) {
		kmcl_spare_rings_free(spare);
		return false;
	}
	memset(page_address(spare->pages), 0, spare->bytes);
	channel->ringbuffer_page = spare->pages;
	channel->ringbuffer_pagecount = spare->bytes >> PAGE_SHIFT;
	channel->ringbuffer_send_offset = send_bytes >> PAGE_SHIFT;
	spare->pages = NULL;
	return true;
}

/*
 * The opposite, with the host done with them. Not in an isolated guest, where what the
 * host could see may not be as it was: hv_vmbus knows what to free there.
 */
static void kmcl_hv_leave_spare(struct kmcl_hv_link *hv)
{
	struct vmbus_channel *channel = hv->channel;

	if (!hv->spare || !channel->ringbuffer_page || kmcl_hv_is_isolated())
		return;
	hv->spare->pages = channel->ringbuffer_page;
	hv->spare->bytes = channel->ringbuffer_pagecount << PAGE_SHIFT;
	channel->ringbuffer_page = NULL;
}

/* Leaves the channel as the next driver expects it. Called with @rings held. */
static void kmcl_hv_close_rings(struct kmcl_hv_link *hv)
{
	struct vmbus_channel *channel = hv->channel;
	bool was_open = hv->open;
	int ret;

	hv->open = false;
	ret = kmcl_hv_disconnect(hv, was_open);
	if (!hv->primary)
		kmcl_hv_sub_deafen(hv);
	if (ret) {
		pr_err("VMBus device %s: the channel cannot be closed: error %d; the host may still write to its rings, so their %u pages are never used again\n",
		       dev_name(&hv->dev->device), ret,
		       channel->ringbuffer_pagecount);
		channel->ringbuffer_page = NULL;
		kmcl_link_not_closed(&hv->link);
	}
	kmcl_hv_leave_spare(hv);
	channel->ringbuffer_gpadlhandle.gpadl_handle = 0;
	vmbus_free_ring(channel);
	channel->max_pkt_size = 0;
	channel->next_request_id_callback = NULL;
	set_channel_read_mode(channel, HV_CALL_BATCHED);
	kmcl_hv_reset_cpu(hv);
	kfree(hv->stand_in);
	hv->stand_in = NULL;
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

/* To hv_vmbus a sub-channel of ours is never open, and not being opened: see hv_sub.c. */
struct kmcl_hv_hiding {
	struct work_struct work;
	struct vmbus_channel *channel;
	bool over;
};

/* vmbus_connect_ring() notes the state as it begins, and does not look at it again. */
static void kmcl_hv_hide(struct work_struct *work)
{
	struct kmcl_hv_hiding *hiding =
		container_of(work, struct kmcl_hv_hiding, work);

	while (!READ_ONCE(hiding->over) &&
	       READ_ONCE(hiding->channel->state) != CHANNEL_OPENING_STATE)
		usleep_range_state(20, 50, TASK_IDLE);
	WRITE_ONCE(hiding->channel->state, CHANNEL_OPEN_STATE);
}

static int kmcl_hv_connect_sub(struct kmcl_hv_link *hv)
{
	struct kmcl_hv_hiding hiding = { .channel = hv->channel };
	int ret;

	INIT_WORK_ONSTACK(&hiding.work, kmcl_hv_hide);
	queue_work(kmcl_hv_beside_wq, &hiding.work);
	ret = vmbus_connect_ring(hv->channel, kmcl_hv_callback, hv);
	WRITE_ONCE(hiding.over, true);
	flush_work(&hiding.work);
	destroy_work_on_stack(&hiding.work);
	WRITE_ONCE(hv->channel->state, CHANNEL_OPEN_STATE);
	return ret;
}

/* Called with @rings held. */
static int kmcl_hv_connect(struct kmcl_hv_link *hv,
			   const struct kmcl_link_params *p)
{
	struct vmbus_channel *channel = hv->channel;
	u32 recv_bytes = PAGE_SIZE + kmcl_hv_ring_data(p->recv_bytes);
	struct kmcl_hv_wait wait;
	u32 send_bytes;
	int ret;

	hv->link.send_bytes = kmcl_hv_ring_data(p->send_bytes);
	send_bytes = PAGE_SIZE + hv->link.send_bytes;
	hv->spare = p->spare;
	if (!kmcl_hv_take_spare(hv, send_bytes, recv_bytes)) {
		ret = vmbus_alloc_ring(channel, send_bytes, recv_bytes);
		if (ret)
			return ret;
	}

	kmcl_hv_wait_begin(&wait, hv, "an opening");
	ret = hv->primary ? kmcl_hv_connect_sub(hv) :
			    vmbus_connect_ring(channel, kmcl_hv_callback, hv);
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
	hv->stand_in = kmcl_hv_stand_in(channel);
	if (!hv->stand_in)
		return -ENOMEM;

	/*
	 * A driver that had the device before may have left these set. What its
	 * requestor pointed to is freed by now, which hv_vmbus does not note, and
	 * rings that it could not close are not to be freed.
	 */
	channel->rqstor_size = 0;
	channel->requestor.req_arr = NULL;
	channel->requestor.req_bitmap = NULL;
	channel->next_request_id_callback = kmcl_hv_next_request_id;
	channel->request_addr_callback = NULL;
	channel->change_target_cpu_callback = NULL;
	channel->ringbuffer_page = NULL;
	channel->ringbuffer_gpadlhandle.gpadl_handle = 0;
	channel->max_pkt_size = kmcl_hv_packet_buffer_size(p);

	/* The core masks signals itself: it may leave packets in the ring. */
	set_channel_read_mode(channel, HV_CALL_DIRECT);

	kmcl_hv_set_cpu(hv, p->target_cpu);
	if (!hv->primary)
		kmcl_hv_sub_listen(hv);
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

	ret = kmcl_hv_bounce_prepare(hv, p);
	if (ret)
		return ret;
	/* Where the kernel makes no copies for it the host of an isolated guest sees nothing. */
	hv->hidden = !link->bounce_pages && kmcl_hv_is_isolated();
	mutex_lock(&hv->rings);
	ret = kmcl_hv_open_rings(hv, p);
	mutex_unlock(&hv->rings);
	if (!ret && !hv->primary)
		kmcl_hv_mmio_claim(hv);
	return ret;
}
