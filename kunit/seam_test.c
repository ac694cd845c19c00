// SPDX-License-Identifier: GPL-2.0
/*
 * The seam to hv_vmbus where a host must do what no host can be told to: not take a
 * message, not answer for ever, isolate its guest. The transport's files are built
 * once more here, with calls into hv_vmbus that this suite answers.
 */
#include <linux/cpu.h>
#include <linux/dma-mapping.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <asm/mshyperv.h>
#include <linux/cc_platform.h>

#include "client.h"
#include "log.h"

/* What the host does, and what it was told. */
static struct vmbus {
	bool isolated;
	bool mute;		/* GPADLs and teardowns are answered when @answer is */
	struct completion answer;
	int connect_error;
	int disconnect_error;
	int teardown_error;
	int establish_error;
	bool no_buffer;
	bool stays_shared;	/* the memory of a GPADL, when that is over */
	bool hides_error;	/* as hv_vmbus does: the handle stays, and that is all */
	u32 no_memory;		/* teardowns that fail for that, first */
	atomic_t waiting;	/* calls that wait for the host */
	atomic_t most_waiting;
	char order[128];
	u32 rings_handle;	/* as the disconnect found it */
	u32 disconnected;	/* the number of the channel */
	bool listens;		/* for sub-channels */
	struct page *rings;
	u32 send_bytes;		/* of them, as asked for */
	u32 recv_bytes;
	bool rings_freed;
	struct resource mmio;
} *vmbus;

static void vmbus_note(const char *what)
{
	strlcat(vmbus->order, what, sizeof(vmbus->order));
}

static void vmbus_wait(struct vmbus_channel *channel)
{
	int n = atomic_inc_return(&vmbus->waiting);

	if (n > atomic_read(&vmbus->most_waiting))
		atomic_set(&vmbus->most_waiting, n);
	/* A rescind ends one wait, as in hv_vmbus. */
	if (vmbus->mute)
		wait_for_completion(&vmbus->answer);
	atomic_dec(&vmbus->waiting);
}

static bool fake_isolation(void)
{
	return vmbus->isolated;
}

static int fake_establish(struct vmbus_channel *channel, void *buffer, u32 size,
			  struct vmbus_gpadl *gpadl)
{
	vmbus_note("establish ");
	vmbus_wait(channel);
	if (channel->rescind)
		return -ENODEV;
	gpadl->gpadl_handle = 4711;
	return 0;
}

/* Memory that is shared while it is allocated, as newer kernels have it. */
static void *fake_alloc_buffer(struct vmbus_channel *channel, u32 size,
			       struct page ***chunks, u32 *n)
{
	vmbus_note("alloc ");
	*chunks = NULL;
	*n = 0;
	return vmbus->no_buffer ? NULL : vzalloc(size);
}

static void fake_free_buffer(void *address, struct page **chunks, u32 n)
{
	vmbus_note("free ");
	vfree(address);
}

static int fake_establish_shared(struct vmbus_channel *channel, void *buffer, u32 size,
				 struct vmbus_gpadl *gpadl)
{
	vmbus_note("shared ");
	gpadl->decrypted = vmbus->stays_shared;
	if (vmbus->establish_error)
		return vmbus->establish_error;
	gpadl->gpadl_handle = 4712;
	return 0;
}

static int fake_teardown(struct vmbus_channel *channel, struct vmbus_gpadl *gpadl)
{
	if (vmbus->no_memory) {
		vmbus->no_memory--;
		return -ENOMEM;
	}
	vmbus_note("teardown ");
	if (channel->rescind)
		return 0;
	if (vmbus->teardown_error)
		return vmbus->hides_error ? 0 : vmbus->teardown_error;
	vmbus_wait(channel);
	gpadl->gpadl_handle = 0;
	return 0;
}

static int fake_alloc_ring(struct vmbus_channel *channel, u32 send, u32 recv)
{
	/* As hv_vmbus does. */
	if (send % PAGE_SIZE || recv % PAGE_SIZE)
		return -EINVAL;
	vmbus->send_bytes = send;
	vmbus->recv_bytes = recv;
	vmbus->rings = alloc_pages(GFP_KERNEL | __GFP_NOFAIL, get_order(send + recv));
	channel->ringbuffer_page = vmbus->rings;
	channel->ringbuffer_pagecount = (send + recv) >> PAGE_SHIFT;
	return 0;
}

static void fake_free_ring(struct vmbus_channel *channel)
{
	vmbus->rings_freed = channel->ringbuffer_page;
	channel->ringbuffer_page = NULL;
}

static int fake_connect(struct vmbus_channel *channel, void (*callback)(void *),
			void *context)
{
	channel->ringbuffer_gpadlhandle.gpadl_handle = 12;
	if (vmbus->connect_error)
		return vmbus->connect_error;
	channel->state = CHANNEL_OPENED_STATE;
	return 0;
}

static int fake_disconnect(struct vmbus_channel *channel)
{
	vmbus_note("disconnect ");
	vmbus->rings_handle = channel->ringbuffer_gpadlhandle.gpadl_handle;
	if (channel->state != CHANNEL_OPENED_STATE)
		return -EINVAL;
	channel->state = CHANNEL_OPEN_STATE;
	vmbus->disconnected = channel->offermsg.child_relid;
	return vmbus->disconnect_error;
}

static int fake_allocate_mmio(struct resource **res, struct hv_device *dev,
			      resource_size_t min, resource_size_t max,
			      resource_size_t size, resource_size_t align, bool fb)
{
	vmbus->mmio.start = 0xf8000000;
	*res = &vmbus->mmio;
	return 0;
}

static void fake_free_mmio(resource_size_t start, resource_size_t size)
{
}

static void fake_sub_listen(struct kmcl_hv_link *primary)
{
	vmbus->listens = true;
}

static void fake_sub_deafen(struct kmcl_hv_link *primary)
{
	vmbus->listens = false;
}

#define kmcl_hv_beside_wq		system_highpri_wq
#define kmcl_hv_sub_listen		fake_sub_listen
#define kmcl_hv_sub_deafen		fake_sub_deafen
#define hv_is_isolation_supported	fake_isolation
#define vmbus_establish_gpadl		fake_establish
#define vmbus_teardown_gpadl		fake_teardown
#define vmbus_alloc_buffer		fake_alloc_buffer
#define vmbus_free_buffer		fake_free_buffer
#define vmbus_establish_gpadl_caller_decrypted	fake_establish_shared
#define vmbus_alloc_ring		fake_alloc_ring
#define vmbus_free_ring			fake_free_ring
#define vmbus_connect_ring		fake_connect
#define vmbus_disconnect_ring		fake_disconnect
#define vmbus_allocate_mmio		fake_allocate_mmio
#define vmbus_free_mmio			fake_free_mmio
#define vmbus_proto_version		VERSION_WIN10
#undef KMCL_HV_ALLOC_BUFFER
#define KMCL_HV_ALLOC_BUFFER		1
#undef KMCL_HV_GPADL_DECRYPTED
#define KMCL_HV_GPADL_DECRYPTED		1
#undef KMCL_HV_PATIENCE_MS
#define KMCL_HV_PATIENCE_MS		1000
#undef pr_fmt
#include "../transport/hv_memory.c"
#undef pr_fmt
#include "../transport/hv_open.c"
#undef pr_fmt
#include "../transport/hv_wait.c"

/* A device with a channel, and a page of the client's. */
struct seam {
	struct kunit *test;
	struct vmbus vmbus;
	struct kmcl_hv_link hv;
	struct hv_device dev;
	struct vmbus_channel channel;
	struct kmcl_channel *chan;
	VMBCHANNEL handle;
	struct kmcl_gpadl gpadl;
	struct page *page;
	struct kmcl_spare_rings spare;	/* there is a place for one if @bytes is set */
	struct completion over;
	int result;
};

static void seam_destroy(void *data)
{
	struct seam *s = data;

	VmbChannelCleanup(s->handle);
	kfree(s->hv.stand_in);
	if (s->page)
		__free_page(s->page);
	kmcl_spare_rings_free(&s->spare);
	if (s->vmbus.rings)
		__free_pages(s->vmbus.rings,
			     get_order(s->vmbus.send_bytes + s->vmbus.recv_bytes));
	vmbus = NULL;
}

static struct seam *seam_create(struct kunit *test)
{
	struct seam *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);

	s->test = test;
	vmbus = &s->vmbus;
	init_completion(&vmbus->answer);
	ASSERT_STATUS(test, VmbChannelAllocate(NULL, FALSE, &s->handle), STATUS_SUCCESS);
	s->chan = (struct kmcl_channel *)s->handle;
	s->hv.dev = &s->dev;
	s->hv.channel = &s->channel;
	s->hv.link.chan = s->chan;
	s->dev.device.init_name = "seam-device";
	s->dev.device.dma_parms = &s->dev.dma_parms;
	s->dev.dma_mask = DMA_BIT_MASK(64);
	s->dev.device.dma_mask = &s->dev.dma_mask;
	s->channel.state = CHANNEL_OPEN_STATE;
	mutex_init(&s->hv.rings);
	mutex_init(&s->hv.gpadls);
	spin_lock_init(&s->channel.sched_lock);
	tasklet_init(&s->channel.callback_event, NULL, 0);
	s->channel.offermsg.child_relid = 17;
	init_completion(&s->over);
	s->page = alloc_page(GFP_KERNEL | __GFP_NOFAIL);
	s->gpadl.pages = &s->page;
	s->gpadl.n_pages = 1;
	s->gpadl.len = 4096;
	s->gpadl.address = page_address(s->page);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, seam_destroy, s), 0);
	return s;
}

static void seam_reopen(struct seam *s, u32 bytes)
{
	struct kmcl_link_params params = {
		.send_bytes = bytes, .recv_bytes = bytes, .max_packet = 64, .target_cpu = -1,
		.spare = s->spare.bytes ? &s->spare : NULL,
	};

	s->result = kmcl_hv_open(&s->hv.link, &params);
}

static struct seam *seam_open_as(struct kunit *test, bool isolated)
{
	struct seam *s = seam_create(test);

	vmbus->isolated = isolated;
	seam_reopen(s, 8192);
	return s;
}

static struct seam *seam_open(struct kunit *test)
{
	return seam_open_as(test, false);
}

static void what_an_isolated_guest_cannot_share_is_refused(struct kunit *test)
{
	struct seam *s = seam_open(test);

	KUNIT_EXPECT_TRUE(test, kmcl_hv_may_share("this"));
	vmbus->isolated = true;
	KUNIT_EXPECT_FALSE(test, kmcl_hv_may_share("that"));
	KUNIT_EXPECT_EQ(test, kmcl_hv_gpadl_create(&s->hv.link, &s->gpadl), -EOPNOTSUPP);
	KUNIT_EXPECT_STREQ(test, vmbus->order, "");
}

/* Packets' memory only where the kernel makes copies of it, which it does not here. */
static void what_the_kernel_does_not_copy_is_refused(struct kunit *test)
{
	struct seam *s = seam_open_as(test, true);
	struct kmcl_wire_gpa gpa = { .ranges = 1 };
	struct kmcl_out out = { .gpa = &gpa, .gpa_len = sizeof(gpa) };

	KUNIT_ASSERT_EQ(test, s->result, 0);
	KUNIT_EXPECT_EQ(test, s->hv.link.bounce_pages, 0);
	s->channel.outbound.ring_buffer = page_address(s->page);
	s->channel.outbound.ring_datasize = 4096;
	memset(s->channel.outbound.ring_buffer, 0, 4096);
	KUNIT_EXPECT_EQ(test, kmcl_hv_send_request(&s->hv.link, &out, NULL), -EOPNOTSUPP);
}

/* Rings of 16 KiB together, closed again. */
static struct seam *seam_spare(struct kunit *test, bool isolated)
{
	struct seam *s = seam_create(test);

	vmbus->isolated = isolated;
	s->spare.bytes = 1;
	seam_reopen(s, 8192);
	KUNIT_ASSERT_EQ(test, s->result, 0);
	kmcl_hv_close(&s->hv.link);
	return s;
}

static void rings_are_made_of_what_those_before_them_have_left(struct kunit *test)
{
	struct seam *s = seam_spare(test, false);
	struct page *rings = vmbus->rings;
	u8 *data = page_address(rings);

	KUNIT_EXPECT_FALSE(test, vmbus->rings_freed);
	KUNIT_ASSERT_PTR_EQ(test, s->spare.pages, rings);
	vmbus->rings = NULL;
	memset(data, 0x5a, 4 * PAGE_SIZE);

	seam_reopen(s, 8192);
	KUNIT_ASSERT_EQ(test, s->result, 0);
	KUNIT_EXPECT_PTR_EQ(test, s->channel.ringbuffer_page, rings);
	KUNIT_EXPECT_EQ(test, s->channel.ringbuffer_pagecount, 4);
	KUNIT_EXPECT_EQ(test, s->channel.ringbuffer_send_offset, 2);
	KUNIT_EXPECT_NULL(test, memchr_inv(data, 0, 4 * PAGE_SIZE));
	KUNIT_EXPECT_NULL(test, vmbus->rings);
	KUNIT_EXPECT_NULL(test, s->spare.pages);
	kmcl_hv_close(&s->hv.link);
	KUNIT_EXPECT_PTR_EQ(test, s->spare.pages, rings);
}

static void rings_of_another_size_are_made_anew(struct kunit *test)
{
	struct seam *s = seam_spare(test, false);

	vmbus->rings = NULL;
	seam_reopen(s, 4 * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, s->result, 0);
	KUNIT_EXPECT_NOT_NULL(test, vmbus->rings);
	KUNIT_EXPECT_NULL(test, s->spare.pages);
	kmcl_hv_close(&s->hv.link);
	KUNIT_EXPECT_PTR_EQ(test, s->spare.pages, vmbus->rings);
	vmbus->rings = NULL;
}

/* hv_vmbus frees them, if they are as they were. */
static void no_rings_are_left_in_an_isolated_guest(struct kunit *test)
{
	struct seam *s = seam_spare(test, true);

	KUNIT_EXPECT_TRUE(test, vmbus->rings_freed);
	KUNIT_EXPECT_NULL(test, s->spare.pages);
}

static void rings_that_the_host_still_has_are_not_used_again(struct kunit *test)
{
	struct seam *s = seam_create(test);

	s->spare.bytes = 1;
	seam_reopen(s, 8192);
	KUNIT_ASSERT_EQ(test, s->result, 0);
	vmbus->disconnect_error = -EAGAIN;
	kmcl_hv_close(&s->hv.link);
	KUNIT_EXPECT_NULL(test, s->spare.pages);
	KUNIT_EXPECT_FALSE(test, vmbus->rings_freed);
}

static void memory_of_the_librarys_is_shared_in_an_isolated_guest(struct kunit *test)
{
	struct kmcl_gpadl made = { .made = true, .len = 8192, .n_pages = 2 };
	struct seam *s = seam_open(test);

	vmbus->isolated = true;
	KUNIT_ASSERT_EQ(test, kmcl_hv_gpadl_alloc(&s->hv.link, &made), 0);
	KUNIT_ASSERT_NOT_NULL(test, made.address);
	KUNIT_ASSERT_EQ(test, kmcl_hv_gpadl_create(&s->hv.link, &made), 0);
	KUNIT_EXPECT_EQ(test, made.handle, 4712);
	KUNIT_EXPECT_EQ(test, kmcl_hv_gpadl_delete(&s->hv.link, &made), 0);
	kmcl_hv_gpadl_free(&s->hv.link, &made);
	KUNIT_EXPECT_STREQ(test, vmbus->order, "alloc shared teardown free ");

	vmbus->no_buffer = true;
	KUNIT_EXPECT_EQ(test, kmcl_hv_gpadl_alloc(&s->hv.link, &made), -ENOMEM);
}

struct kept {
	const char *name;
	int establish_error;
	int teardown_error;
	bool stays_shared;
	bool kept;
};

static const struct kept kept_cases[] = {
	{ "refused", -EDQUOT, 0, false, false },
	{ "refused, and shared still", -EDQUOT, 0, true, true },
	{ "over, and shared still", 0, 0, true, true },
	{ "not over", 0, -EAGAIN, false, true },
};

KUNIT_ARRAY_PARAM_DESC(kept, kept_cases, name);

/* The host could write to it, or would see what its next owner writes. */
static void memory_that_is_still_shared_is_never_used_again(struct kunit *test)
{
	struct kmcl_gpadl made = { .made = true, .len = 8192, .n_pages = 2 };
	const struct kept *kept = test->param_value;
	struct seam *s = seam_open(test);
	struct kmsg_dump_iter mark = log_mark();

	vmbus->establish_error = kept->establish_error;
	vmbus->teardown_error = kept->teardown_error;
	vmbus->stays_shared = kept->stays_shared;
	KUNIT_ASSERT_EQ(test, kmcl_hv_gpadl_alloc(&s->hv.link, &made), 0);
	KUNIT_EXPECT_EQ(test, kmcl_hv_gpadl_create(&s->hv.link, &made), kept->establish_error);
	if (!kept->establish_error)
		kmcl_hv_gpadl_delete(&s->hv.link, &made);
	kmcl_hv_gpadl_free(&s->hv.link, &made);
	KUNIT_EXPECT_EQ(test, !strstr(vmbus->order, "free "), kept->kept);
	KUNIT_EXPECT_EQ(test, log_lines(&mark, "2 pages of a GPADL are still shared"),
			kept->kept);
	/* What the library has lost on purpose is no leak of the suite's. */
	if (kept->kept) {
		vfree(made.address);
		kfree(made.private);
	}
}

/* hv_vmbus would wait for the host's answer with its lock of all channels. */
static void a_close_waits_for_the_host_without_the_lock_of_all(struct kunit *test)
{
	struct seam *s = seam_open(test);

	KUNIT_EXPECT_EQ(test, s->result, 0);
	kmcl_hv_close(&s->hv.link);
	KUNIT_EXPECT_STREQ(test, vmbus->order, "disconnect teardown ");
	KUNIT_EXPECT_EQ(test, vmbus->rings_handle, 0);
	KUNIT_EXPECT_TRUE(test, vmbus->rings_freed);
}

struct close_failure {
	const char *name;
	int disconnect_error;
	int teardown_error;
	bool hides_error;
};

static const struct close_failure close_failures[] = {
	{ "the close was not sent", -EAGAIN, 0 },
	{ "the teardown was not sent", 0, -EAGAIN },
	{ "the teardown was not sent, in silence", 0, -EAGAIN, true },
};

KUNIT_ARRAY_PARAM_DESC(close_failure, close_failures, name);

static void rings_of_a_channel_that_is_not_closed_are_kept(struct kunit *test)
{
	const struct close_failure *failure = test->param_value;
	struct seam *s = seam_open(test);
	struct kmsg_dump_iter mark = log_mark();

	vmbus->disconnect_error = failure->disconnect_error;
	vmbus->teardown_error = failure->teardown_error;
	vmbus->hides_error = failure->hides_error;
	kmcl_hv_close(&s->hv.link);
	KUNIT_EXPECT_FALSE(test, vmbus->rings_freed);
	KUNIT_EXPECT_EQ(test, log_lines(&mark, "their 4 pages are never used again"), 1);
}

/* The control page and, of the data, as many as hold what was asked for. */
static void rings_are_of_whole_pages_of_the_kernels(struct kunit *test)
{
	static const struct kmcl_link_params params = {
		.send_bytes = 3 * 4096, .recv_bytes = 20 * 4096, .max_packet = 64,
		.target_cpu = -1,
	};
	u32 send = ALIGN(2 * 4096, PAGE_SIZE), recv = ALIGN(19 * 4096, PAGE_SIZE);
	struct seam *s = seam_create(test);

	KUNIT_ASSERT_EQ(test, kmcl_hv_open(&s->hv.link, &params), 0);
	KUNIT_EXPECT_EQ(test, vmbus->send_bytes, PAGE_SIZE + send);
	KUNIT_EXPECT_EQ(test, vmbus->recv_bytes, PAGE_SIZE + recv);
	/* What the core may write. */
	KUNIT_EXPECT_EQ(test, s->hv.link.send_bytes, send);
	kmcl_hv_close(&s->hv.link);
}

static void rings_of_an_opening_that_fails_are_kept_if_they_must(struct kunit *test)
{
	static const struct kmcl_link_params params = {
		.send_bytes = 8192, .recv_bytes = 8192, .max_packet = 64, .target_cpu = -1,
	};
	struct seam *s = seam_create(test);

	vmbus->connect_error = -EAGAIN;
	KUNIT_EXPECT_EQ(test, kmcl_hv_open(&s->hv.link, &params), -EAGAIN);
	KUNIT_EXPECT_STREQ(test, vmbus->order, "teardown ");
	KUNIT_EXPECT_FALSE(test, vmbus->listens);
	KUNIT_EXPECT_TRUE(test, vmbus->rings_freed);
	__free_pages(vmbus->rings, 1);

	vmbus->teardown_error = -EAGAIN;
	KUNIT_EXPECT_EQ(test, kmcl_hv_open(&s->hv.link, &params), -EAGAIN);
	KUNIT_EXPECT_FALSE(test, vmbus->rings_freed);
}

static void after_a_rescind_nothing_is_kept(struct kunit *test)
{
	struct seam *s = seam_open(test);

	s->channel.rescind = true;
	vmbus->disconnect_error = -EAGAIN;
	vmbus->teardown_error = -EAGAIN;
	kmcl_hv_close(&s->hv.link);
	KUNIT_EXPECT_TRUE(test, vmbus->rings_freed);
}

static void a_deletion_that_was_not_sent_is_an_error(struct kunit *test)
{
	struct seam *s = seam_open(test);

	KUNIT_ASSERT_EQ(test, kmcl_hv_gpadl_create(&s->hv.link, &s->gpadl), 0);
	KUNIT_EXPECT_EQ(test, s->gpadl.handle, 4711);
	vmbus->no_memory = 3;
	KUNIT_EXPECT_EQ(test, kmcl_hv_gpadl_delete(&s->hv.link, &s->gpadl), 0);

	KUNIT_ASSERT_EQ(test, kmcl_hv_gpadl_create(&s->hv.link, &s->gpadl), 0);
	vmbus->teardown_error = -EAGAIN;
	vmbus->hides_error = true;
	KUNIT_EXPECT_EQ(test, kmcl_hv_gpadl_delete(&s->hv.link, &s->gpadl), -EIO);

	vmbus->teardown_error = 0;
	KUNIT_ASSERT_EQ(test, kmcl_hv_gpadl_create(&s->hv.link, &s->gpadl), 0);
	s->channel.rescind = true;
	vmbus->no_memory = U32_MAX;
	KUNIT_EXPECT_EQ(test, kmcl_hv_gpadl_delete(&s->hv.link, &s->gpadl), 0);
}

/* So hv_vmbus forgets it when it is rescinded; and its number may be another's then. */
static void a_sub_channel_is_never_open_to_hv_vmbus(struct kunit *test)
{
	static const struct kmcl_link_params params = {
		.send_bytes = 8192, .recv_bytes = 8192, .max_packet = 64, .target_cpu = -1,
	};
	struct seam *s = seam_create(test);
	struct kmcl_hv_link primary;

	s->hv.primary = &primary;
	KUNIT_EXPECT_EQ(test, kmcl_hv_open(&s->hv.link, &params), 0);
	KUNIT_EXPECT_EQ(test, s->channel.state, CHANNEL_OPEN_STATE);
	KUNIT_EXPECT_FALSE(test, vmbus->listens);
	kmcl_hv_close(&s->hv.link);
	KUNIT_EXPECT_EQ(test, vmbus->disconnected, 17);
	KUNIT_EXPECT_STREQ(test, vmbus->order, "disconnect teardown ");
	KUNIT_EXPECT_TRUE(test, vmbus->rings_freed);
	__free_pages(vmbus->rings, 1);

	vmbus->order[0] = 0;
	KUNIT_EXPECT_EQ(test, kmcl_hv_open(&s->hv.link, &params), 0);
	s->channel.rescind = true;
	kmcl_hv_close(&s->hv.link);
	KUNIT_EXPECT_STREQ(test, vmbus->order, "teardown ");
	KUNIT_EXPECT_TRUE(test, vmbus->rings_freed);
}

static void a_channel_that_could_not_be_closed_is_not_opened(struct kunit *test)
{
	static const struct kmcl_link_params params = {
		.send_bytes = 8192, .recv_bytes = 8192, .max_packet = 64, .target_cpu = -1,
	};
	struct seam *s = seam_create(test);

	current->fail_nth = 1;
	KUNIT_EXPECT_EQ(test, kmcl_hv_open(&s->hv.link, &params), -ENOMEM);
	KUNIT_EXPECT_EQ(test, current->fail_nth, 0);
	current->fail_nth = 0;
	KUNIT_EXPECT_STREQ(test, vmbus->order, "");
	KUNIT_EXPECT_NULL(test, vmbus->rings);
}

static void a_channel_is_opened_on_the_processor_that_was_asked_for(struct kunit *test)
{
	struct kmcl_link_params params = {
		.send_bytes = 8192, .recv_bytes = 8192, .max_packet = 64, .target_cpu = 1,
	};
	struct seam *s = seam_create(test);
	struct kmsg_dump_iter mark = log_mark();

	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two processors");
	KUNIT_EXPECT_EQ(test, kmcl_hv_open(&s->hv.link, &params), 0);
	KUNIT_EXPECT_EQ(test, s->channel.target_cpu, 1);
	KUNIT_EXPECT_EQ(test, s->hv.link.target_cpu, 1);
	kmcl_hv_close(&s->hv.link);
	KUNIT_EXPECT_EQ(test, s->channel.target_cpu, 0);
	__free_pages(vmbus->rings, 1);
	vmbus->rings = NULL;

	if (remove_cpu(1))
		kunit_skip(test, "needs a processor that can be taken offline");
	KUNIT_EXPECT_EQ(test, kmcl_hv_open(&s->hv.link, &params), 0);
	KUNIT_EXPECT_EQ(test, s->channel.target_cpu, 0);
	KUNIT_EXPECT_EQ(test, s->hv.link.target_cpu, -1);
	KUNIT_EXPECT_EQ(test, add_cpu(1), 0);
	KUNIT_EXPECT_EQ(test, log_lines(&mark, "or isolated; interrupts come on processor 0"), 1);
	kmcl_hv_close(&s->hv.link);
}

static int create_thread(void *data)
{
	struct seam *s = data;

	s->result = kmcl_hv_gpadl_create(&s->hv.link, &s->gpadl);
	complete(&s->over);
	return 0;
}

static int close_thread(void *data)
{
	struct seam *s = data;

	kmcl_hv_close(&s->hv.link);
	complete(&s->over);
	return 0;
}

/* hv_vmbus wakes one waiter: there must not be two. */
static void a_rescind_ends_a_gpadl_and_a_close_that_meet(struct kunit *test)
{
	struct seam *s = seam_open(test);

	vmbus->mute = true;
	kthread_run(create_thread, s, "seam_create");
	EVENTUALLY(test, atomic_read(&vmbus->waiting) == 1);
	kthread_run(close_thread, s, "seam_close");
	/* The host is told of the close at once: it may be what it waits for. */
	EVENTUALLY(test, strstr(vmbus->order, "disconnect"));
	msleep(50);
	KUNIT_EXPECT_EQ(test, atomic_read(&vmbus->most_waiting), 1);

	s->channel.rescind = true;
	complete(&vmbus->answer);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&s->over, 5 * HZ), 0);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&s->over, 5 * HZ), 0);
	KUNIT_EXPECT_EQ(test, s->result, -ENODEV);
	KUNIT_EXPECT_TRUE(test, vmbus->rings_freed);
	complete_all(&vmbus->answer);
}

/* The patience of 30 s is 1 s here. */
static void a_host_that_does_not_answer_is_named_in_the_log(struct kunit *test)
{
	static const char unanswered[] =
		"VMBus device seam-device: the host has not answered the making of a GPADL for ";
	struct seam *s = seam_open(test);
	struct kmsg_dump_iter mark = log_mark();
	u32 lines = 0;

	vmbus->mute = true;
	kthread_run(create_thread, s, "seam_create");
	EVENTUALLY(test, (lines += log_lines(&mark, unanswered)) >= 2);
	complete(&vmbus->answer);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&s->over, 5 * HZ), 0);
	mark = log_mark();
	msleep(1500);
	KUNIT_EXPECT_EQ(test, log_lines(&mark, "has not answered"), 0);
	vmbus->mute = false;
	KUNIT_EXPECT_EQ(test, kmcl_hv_gpadl_delete(&s->hv.link, &s->gpadl), 0);

	vmbus->mute = true;
	kthread_run(close_thread, s, "seam_close");
	EVENTUALLY(test, log_lines(&mark, "has not answered a close for 1 s"));
	complete(&vmbus->answer);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&s->over, 5 * HZ), 0);
}

static int mmio_thread(void *data)
{
	struct seam *s = data;

	kmcl_hv_mmio_claim(&s->hv);
	complete(&s->over);
	return 0;
}

/* Nobody sees one half of it. */
static void mmio_space_is_published_under_the_lock_it_is_read_under(struct kunit *test)
{
	struct seam *s = seam_create(test);
	struct task_struct *thread;
	unsigned long flags;
	u64 size;

	s->channel.offermsg.offer.mmio_megabytes = 8;
	thread = kthread_create(mmio_thread, s, "seam_mmio");
	KUNIT_ASSERT_FALSE(test, IS_ERR(thread));
	migrate_disable();
	kthread_bind(thread, !smp_processor_id());
	spin_lock_irqsave(&s->chan->ctl.lock, flags);
	wake_up_process(thread);
	mdelay(20);
	size = READ_ONCE(s->hv.link.mmio_size);
	spin_unlock_irqrestore(&s->chan->ctl.lock, flags);
	migrate_enable();

	KUNIT_EXPECT_EQ(test, size, 0);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&s->over, 5 * HZ), 0);
	KUNIT_EXPECT_EQ(test, s->hv.link.mmio_start, 0xf8000000);
	KUNIT_EXPECT_EQ(test, s->hv.link.mmio_size, 8 << 20);
}

static struct kunit_case seam_cases[] = {
	KUNIT_CASE(what_an_isolated_guest_cannot_share_is_refused),
	KUNIT_CASE(what_the_kernel_does_not_copy_is_refused),
	KUNIT_CASE(rings_are_made_of_what_those_before_them_have_left),
	KUNIT_CASE(rings_of_another_size_are_made_anew),
	KUNIT_CASE(no_rings_are_left_in_an_isolated_guest),
	KUNIT_CASE(rings_that_the_host_still_has_are_not_used_again),
	KUNIT_CASE(memory_of_the_librarys_is_shared_in_an_isolated_guest),
	KUNIT_CASE_PARAM(memory_that_is_still_shared_is_never_used_again, kept_gen_params),
	KUNIT_CASE(a_close_waits_for_the_host_without_the_lock_of_all),
	KUNIT_CASE_PARAM(rings_of_a_channel_that_is_not_closed_are_kept,
			 close_failure_gen_params),
	KUNIT_CASE(rings_are_of_whole_pages_of_the_kernels),
	KUNIT_CASE(rings_of_an_opening_that_fails_are_kept_if_they_must),
	KUNIT_CASE(after_a_rescind_nothing_is_kept),
	KUNIT_CASE(a_deletion_that_was_not_sent_is_an_error),
	KUNIT_CASE(a_sub_channel_is_never_open_to_hv_vmbus),
	KUNIT_CASE(a_channel_that_could_not_be_closed_is_not_opened),
	KUNIT_CASE(a_channel_is_opened_on_the_processor_that_was_asked_for),
	KUNIT_CASE(a_rescind_ends_a_gpadl_and_a_close_that_meet),
	KUNIT_CASE(a_host_that_does_not_answer_is_named_in_the_log),
	KUNIT_CASE(mmio_space_is_published_under_the_lock_it_is_read_under),
	{}
};

static struct kunit_suite seam_suite = {
	.name = "kmcl_seam",
	.test_cases = seam_cases,
};

kunit_test_suite(seam_suite);
