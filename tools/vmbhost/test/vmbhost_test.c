// SPDX-License-Identifier: GPL-2.0
/*
 * A client of vmbhost straight on hv_vmbus, with no library between: it tests
 * the host. The first user-defined byte of an offer says what to do with it;
 * what happened is one line in the log, for scripts/vmbhost-smoke to compare with the
 * host's own account.
 */
#define pr_fmt(fmt) "vmbhost_test: " fmt

#include <linux/delay.h>
#include <linux/hyperv.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "client.h"

#define RING_BYTES		(16 * PAGE_SIZE)
#define MAX_PACKET		4096
#define PACKETS			200
#define WINDOW			16
#define BUFFER_PAGES		64
#define EXTERNAL_PAGES		3
#define EXTERNAL_OFFSET		100
#define EXTERNAL_BYTES		9000
#define PATIENCE		(20 * HZ)
/* Where the write index lies there is no end of packets. */
#define BATCH			256

enum job {
	JOB_NONE, JOB_ECHO, JOB_EXTERNAL, JOB_GPADL, JOB_SOURCE, JOB_TRANSFER, JOB_HOLD,
	JOB_SUBS,
};

static const char *const job_names[] = {
	"none", "echo", "external", "gpadl", "source", "transfer", "hold",
	"subs",
};

struct client {
	struct hv_device *dev;
	struct vmbus_channel *chan;
	struct vmbus_channel *sub;	/* the last one that was offered */
	u32 subs;			/* so many were */
	enum job job;
	struct task_struct *thread;

	wait_queue_head_t wait;
	/* Written by the channel's callback, read by the thread. */
	u32 sent, completed, received, sent_crc, received_crc;
	u64 sent_bytes, received_bytes;
	u32 wrong;
	struct vmbhost_answer answer;
	u8 *buffer;	/* for transfer pages */
	struct vmbus_gpadl gpadl;
};

static u32 crc32_step(u32 crc, const u8 *p, u32 len)
{
	int bit;

	for (crc = ~crc; len--; p++)
		for (crc ^= *p, bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	return ~crc;
}

static void fill(u8 *p, u32 len, u32 seed)
{
	u32 i;

	for (i = 0; i < len; i++)
		p[i] = VMBHOST_PATTERN(seed, i);
}

static bool is_filled(const u8 *p, u32 len, u32 seed)
{
	u32 i;

	for (i = 0; i < len; i++)
		if (p[i] != VMBHOST_PATTERN(seed, i))
			return false;
	return true;
}

/* Whole 8 bytes, as on the wire: so both ends count the same. */
static u32 echo_size(u32 id)
{
	return id * 37 % 1500 / 8 * 8;
}

static void on_completion(struct client *c, const struct vmpacket_descriptor *desc)
{
	const u8 *payload = hv_pkt_data(desc);
	u32 len = hv_pkt_datalen(desc);

	switch (c->job) {
	case JOB_ECHO:
		if (!desc->trans_id || desc->trans_id > c->sent ||
		    len != echo_size(desc->trans_id) ||
		    !is_filled(payload, len, desc->trans_id))
			c->wrong++;
		break;
	default:
		if (len >= sizeof(c->answer))
			memcpy(&c->answer, payload, sizeof(c->answer));
		else
			c->wrong++;
	}
	c->completed++;
}

static void check_source(struct client *c, const u8 *payload, u32 len)
{
	u64 sequence;

	if (len < sizeof(sequence)) {
		c->wrong++;
		return;
	}
	memcpy(&sequence, payload, sizeof(sequence));
	if (sequence != c->received ||
	    !is_filled(payload + sizeof(sequence), len - sizeof(sequence),
		       sequence + sizeof(sequence)))
		c->wrong++;
	c->received_bytes += len;
	c->received_crc = crc32_step(c->received_crc, payload, len);
}

static void on_data(struct client *c, const struct vmpacket_descriptor *desc)
{
	check_source(c, hv_pkt_data(desc), hv_pkt_datalen(desc));
	c->received++;
	if (desc->flags & VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED &&
	    vmbus_sendpacket(c->chan, NULL, 0, desc->trans_id, VM_PKT_COMP, 0))
		c->wrong++;
}

static void on_transfer(struct client *c, const struct vmpacket_descriptor *desc)
{
	const struct vmtransfer_page_packet_header *pages = (const void *)desc;
	u32 i, end = 0;

	if (pages->range_cnt > (hv_pkt_len(desc) - sizeof(*pages)) / sizeof(pages->ranges[0]))
		goto wrong;
	for (i = 0; i < pages->range_cnt; i++) {
		/* The source cuts a packet in ranges that follow each other. */
		if (i && pages->ranges[i].byte_offset != end)
			goto wrong;
		end = pages->ranges[i].byte_offset + pages->ranges[i].byte_count;
	}
	if (!pages->range_cnt || end > c->gpadl.size)
		goto wrong;
	check_source(c, c->buffer + pages->ranges[0].byte_offset,
		     end - pages->ranges[0].byte_offset);
	c->received++;
	if (vmbus_sendpacket(c->chan, NULL, 0, desc->trans_id, VM_PKT_COMP, 0))
		c->wrong++;
	return;
wrong:
	c->wrong++;
}

static void read_channel(struct client *c, struct vmbus_channel *chan)
{
	struct vmpacket_descriptor *desc;
	u32 count = 0;

	foreach_vmbus_pkt(desc, chan) {
		if (++count > BATCH) {
			hv_pkt_iter_close(chan);
			break;
		}
		switch (desc->type) {
		case VM_PKT_COMP:
			on_completion(c, desc);
			break;
		case VM_PKT_DATA_INBAND:
			on_data(c, desc);
			break;
		case VM_PKT_DATA_USING_XFER_PAGES:
			if (c->buffer)
				on_transfer(c, desc);
			break;
		default:
			c->wrong++;
		}
	}
	wake_up(&c->wait);
}

static void on_channel(void *context)
{
	struct client *c = context;

	read_channel(c, c->chan);
}

static void on_sub_channel(void *context)
{
	struct client *c = context;

	read_channel(c, c->sub);
}

static int wait_completed(struct client *c, u32 count)
{
	wait_event_timeout(c->wait, READ_ONCE(c->completed) >= count || kthread_should_stop() ||
			   c->chan->rescind, PATIENCE);
	return READ_ONCE(c->completed) >= count ? 0 : -ETIMEDOUT;
}

static int send(struct client *c, void *payload, u32 len, u64 id)
{
	int ret, tries;

	for (tries = 0; tries < 2000; tries++) {
		ret = vmbus_sendpacket(c->chan, payload, len, id, VM_PKT_DATA_INBAND,
				       VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED);
		if (ret != -EAGAIN)
			return ret;
		usleep_range(1000, 2000);
	}
	return ret;
}

static int job_echo(struct client *c)
{
	u8 *payload = kmalloc(1500, GFP_KERNEL);
	int ret = 0;
	u32 id, len;

	if (!payload)
		return -ENOMEM;
	for (id = 1; id <= PACKETS && !ret; id++) {
		len = echo_size(id);
		fill(payload, len, id);
		WRITE_ONCE(c->sent, id);
		c->sent_bytes += len;
		c->sent_crc = crc32_step(c->sent_crc, payload, len);
		ret = send(c, payload, len, id);
		if (!ret && id > WINDOW)
			ret = wait_completed(c, id - WINDOW);
	}
	kfree(payload);
	return ret ?: wait_completed(c, PACKETS);
}

static int check_answer(struct client *c, u32 crc, u64 bytes)
{
	if (c->answer.status || c->answer.crc != crc || c->answer.bytes != bytes) {
		pr_err("answer: status %x crc %x not %x, %llu bytes not %llu\n",
		       c->answer.status, c->answer.crc, crc, c->answer.bytes, bytes);
		return -EBADMSG;
	}
	return 0;
}

static int job_external(struct client *c)
{
	u32 desc_size = offsetof(struct vmbus_packet_mpb_array, range.pfn_array[EXTERNAL_PAGES]);
	struct vmbus_packet_mpb_array *desc = kzalloc(desc_size, GFP_KERNEL);
	u8 *memory = vzalloc(EXTERNAL_PAGES * PAGE_SIZE), *at;
	u64 payload = 0x1122334455667788;
	u32 round, i, crc;
	int ret = -ENOMEM;

	if (!desc || !memory)
		goto out;
	at = memory + EXTERNAL_OFFSET;
	for (round = 1, ret = 0; round <= 20 && !ret; round++) {
		fill(memory, EXTERNAL_PAGES * PAGE_SIZE, 3 * round);
		crc = crc32_step(0, at, EXTERNAL_BYTES);
		desc->rangecount = 1;
		desc->range.offset = EXTERNAL_OFFSET;
		desc->range.len = EXTERNAL_BYTES;
		for (i = 0; i < EXTERNAL_PAGES; i++)
			desc->range.pfn_array[i] = vmalloc_to_pfn(memory + i * PAGE_SIZE);
		ret = vmbus_sendpacket_mpb_desc(c->chan, desc, desc_size, &payload,
						sizeof(payload), round);
		c->sent = round;
		c->sent_bytes += sizeof(payload);
		c->sent_crc = crc32_step(c->sent_crc, (u8 *)&payload, sizeof(payload));
		ret = ret ?: wait_completed(c, round);
		ret = ret ?: check_answer(c, crc, EXTERNAL_BYTES);
		if (ret)
			break;
		/* What was described was written, and nothing else. */
		if (!is_filled(at, EXTERNAL_BYTES, c->answer.seed) ||
		    !is_filled(memory, EXTERNAL_OFFSET, 3 * round) ||
		    !is_filled(at + EXTERNAL_BYTES, 100,
			       3 * round + EXTERNAL_OFFSET + EXTERNAL_BYTES))
			c->wrong++;
	}
out:
	vfree(memory);
	kfree(desc);
	return ret;
}

static int request(struct client *c, u32 op, u32 offset, u32 length)
{
	struct vmbhost_request req = {
		.op = op, .gpadl = c->gpadl.gpadl_handle, .offset = offset, .length = length,
	};

	c->sent++;
	c->sent_bytes += sizeof(req);
	c->sent_crc = crc32_step(c->sent_crc, (u8 *)&req, sizeof(req));
	return send(c, &req, sizeof(req), c->sent) ?: wait_completed(c, c->sent);
}

static int job_gpadl(struct client *c)
{
	u32 size = BUFFER_PAGES * PAGE_SIZE, at = 5000, len = 70000, crc, crc_part;
	u8 *memory = vmalloc(size);
	int ret;

	if (!memory)
		return -ENOMEM;
	fill(memory, size, 7);
	crc = crc32_step(0, memory, size);
	crc_part = crc32_step(0, memory + at, len);
	ret = vmbus_establish_gpadl(c->chan, memory, size, &c->gpadl);
	if (ret)
		goto out;
	ret = request(c, VMBHOST_READ, 0, 0) ?: check_answer(c, crc, size);
	ret = ret ?: request(c, VMBHOST_WRITE, at, len) ?: check_answer(c, crc_part, len);
	if (!ret && (!is_filled(memory + at, len, c->answer.seed) ||
		     !is_filled(memory, at, 7) ||
		     !is_filled(memory + at + len, size - at - len, 7 + at + len)))
		c->wrong++;
	ret = vmbus_teardown_gpadl(c->chan, &c->gpadl) ?: ret;
out:
	vfree(memory);
	return ret;
}

/* Until nothing has come for a second. */
static int job_source(struct client *c)
{
	u32 last, quiet = 0;

	while (quiet < 10 && !kthread_should_stop()) {
		last = READ_ONCE(c->received);
		msleep(100);
		quiet = READ_ONCE(c->received) == last && last ? quiet + 1 : 0;
	}
	return c->received ? 0 : -ENODATA;
}

static int job_transfer(struct client *c)
{
	u32 size = BUFFER_PAGES * PAGE_SIZE;
	u8 *memory = vzalloc(size);
	int ret;

	if (!memory)
		return -ENOMEM;
	ret = vmbus_establish_gpadl(c->chan, memory, size, &c->gpadl);
	if (!ret) {
		c->buffer = memory;
		ret = request(c, VMBHOST_BUFFER, 0, 0) ?: job_source(c);
		/* The host writes to it until the channel is closed. */
		vmbus_close(c->chan);
		c->buffer = NULL;
		ret = vmbus_teardown_gpadl(c->chan, &c->gpadl) ?: ret;
	}
	vfree(memory);
	return ret;
}

/* Sends now and then, reads all, understands nothing: for hostile hosts. */
static int job_hold(struct client *c)
{
	u64 payload[8] = { 0 };

	while (!kthread_should_stop() && !c->chan->rescind) {
		if (!vmbus_sendpacket(c->chan, payload, sizeof(payload), ++c->sent,
				      VM_PKT_DATA_INBAND,
				      VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED))
			c->sent_bytes += sizeof(payload);
		usleep_range(5000, 10000);
	}
	return 0;
}

static void on_sub_offer(struct vmbus_channel *sub)
{
	struct client *c = hv_get_drvdata(sub->primary_channel->device_obj);

	c->sub = sub;
	WRITE_ONCE(c->subs, c->subs + 1);
	wake_up(&c->wait);
}

/* A packet there and back on the sub-channel that comes with the nth opening. */
static int sub_echo(struct client *c, u32 nth)
{
	u64 payload[8] = { nth };
	int ret;

	if (!wait_event_timeout(c->wait, READ_ONCE(c->subs) == nth, PATIENCE))
		return -ETIMEDOUT;
	c->sub->max_pkt_size = MAX_PACKET;
	ret = vmbus_open(c->sub, RING_BYTES, RING_BYTES, NULL, 0, on_sub_channel, c);
	if (ret)
		return ret;
	c->sent++;
	ret = vmbus_sendpacket(c->sub, payload, sizeof(payload), c->sent, VM_PKT_DATA_INBAND,
			       VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED);
	return ret ?: wait_completed(c, c->sent);
}

/* The primary is closed, its sub-channel with it, and opened again. */
static int job_subs(struct client *c)
{
	int ret = sub_echo(c, 1);

	if (ret)
		return ret;
	/* A close forgets the callback, too. */
	vmbus_close(c->chan);
	vmbus_set_sc_create_callback(c->chan, on_sub_offer);
	ret = vmbus_open(c->chan, RING_BYTES, RING_BYTES, NULL, 0, on_channel, c);
	return ret ?: sub_echo(c, 2);
}

static int (*const jobs[])(struct client *c) = {
	[JOB_ECHO] = job_echo, [JOB_EXTERNAL] = job_external, [JOB_GPADL] = job_gpadl,
	[JOB_SOURCE] = job_source, [JOB_TRANSFER] = job_transfer, [JOB_HOLD] = job_hold,
	[JOB_SUBS] = job_subs,
};

static int client_thread(void *arg)
{
	struct client *c = arg;
	int ret = jobs[c->job](c);

	pr_info("%s relid=%u result=%d wrong=%u sent=%u sent_bytes=%llu sent_crc=%u completed=%u received=%u received_bytes=%llu received_crc=%u subs=%u\n",
		job_names[c->job], c->chan->offermsg.child_relid, ret, c->wrong, c->sent,
		c->sent_bytes, c->sent_crc, c->completed, c->received, c->received_bytes,
		c->received_crc, c->subs);
	while (!kthread_should_stop())
		msleep(20);
	return 0;
}

/* How much of the MMIO that the offer speaks of can be had, in megabytes. */
static u64 client_mmio(struct hv_device *dev)
{
	u64 size = (u64)dev->channel->offermsg.offer.mmio_megabytes << 20;
	struct resource *res;

	if (!size || vmbus_allocate_mmio(&res, dev, 0, -1, size, PAGE_SIZE, false))
		return 0;
	size = resource_size(res) >> 20;
	vmbus_free_mmio(res->start, resource_size(res));
	return size;
}

static int client_probe(struct hv_device *dev, const struct hv_vmbus_device_id *id)
{
	struct client *c;
	int ret;

	c = kzalloc(sizeof(*c), GFP_KERNEL);
	if (!c)
		return -ENOMEM;
	c->dev = dev;
	c->chan = dev->channel;
	c->job = c->chan->offermsg.offer.u.std.user_def[0];
	if (c->job >= ARRAY_SIZE(jobs) || !jobs[c->job])
		c->job = JOB_HOLD;
	init_waitqueue_head(&c->wait);
	c->chan->max_pkt_size = MAX_PACKET;
	hv_set_drvdata(dev, c);
	/* Before the first opening: the offers come with it. */
	if (c->job == JOB_SUBS)
		vmbus_set_sc_create_callback(c->chan, on_sub_offer);

	ret = vmbus_open(c->chan, RING_BYTES, RING_BYTES, NULL, 0, on_channel, c);
	pr_info("%s relid=%u open=%d mmio=%llu\n", job_names[c->job],
		c->chan->offermsg.child_relid, ret, client_mmio(dev));
	if (ret)
		goto free;
	c->thread = kthread_run(client_thread, c, "vmbhost_test");
	if (!IS_ERR(c->thread))
		return 0;
	ret = PTR_ERR(c->thread);
	vmbus_close(c->chan);
free:
	kfree(c);
	return ret;
}

static void client_remove(struct hv_device *dev)
{
	struct client *c = hv_get_drvdata(dev);

	kthread_stop(c->thread);
	vmbus_close(c->chan);
	pr_info("%s relid=%u removed\n", job_names[c->job], c->chan->offermsg.child_relid);
	kfree(c);
}

/* The class of offers that vmbhost gives to those that name none. */
static const struct hv_vmbus_device_id client_ids[] = {
	{ .guid = GUID_INIT(0x7b6ad24f, 0xe518, 0x493c, 0x9a, 0x60,
			    0x76, 0x6d, 0x62, 0x68, 0x6f, 0x73) },
	{}
};

static struct hv_driver client_driver = {
	.name = "vmbhost_test",
	.id_table = client_ids,
	.probe = client_probe,
	.remove = client_remove,
};

static int __init client_init(void)
{
	return vmbus_driver_register(&client_driver);
}

static void __exit client_exit(void)
{
	vmbus_driver_unregister(&client_driver);
}

module_init(client_init);
module_exit(client_exit);

MODULE_DESCRIPTION("Client of vmbhost, straight on hv_vmbus");
MODULE_LICENSE("GPL");
