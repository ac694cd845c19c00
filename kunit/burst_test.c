// SPDX-License-Identifier: GPL-2.0
/*
 * Much at once: long queues, many open transactions, routines that send for ever. No
 * context is to be held up by them, and interrupts are not to stay off.
 */
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/sched/task_stack.h>
#include <linux/smp.h>
#include <linux/vmalloc.h>

#include "client.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION

#define BURST		65536
#define BURST_STRIDE	768	/* of a packet and what the tests know of it */

/*
 * So many packets may be written with interrupts off, and for so long. The time is
 * for a machine that is emulated and has KASAN, or KCSAN, which waits at many an access;
 * the number is not.
 */
#define BURST_IRQS_OFF_PACKETS	64
#define BURST_IRQS_OFF_NS	((IS_ENABLED(CONFIG_KCSAN) ? 200 : 40) * NSEC_PER_MSEC)

static struct burst {
	u8 *packets;
	struct host *host;
	struct client *client;

	/* What the host is sent with interrupts off, and in which order. */
	struct irq_work irqs_on;	/* runs as soon as they are on again */
	u32 run;		/* packets since it ran */
	u32 longest_run;
	u64 run_began;
	u64 longest_ns;
	u32 taken;
	u32 out_of_order;

	unsigned long until;	/* what sends again for ever stops then */
	struct completion started;
	struct completion ended;
} burst;

static void burst_irqs_on(struct irq_work *work)
{
	u64 ns = local_clock() - burst.run_began;

	burst.longest_run = max(burst.longest_run, burst.run);
	burst.longest_ns = max(burst.longest_ns, ns);
	burst.run = 0;
}

/* A host that takes all; each packet has its number. Called with the send lock held. */
static int burst_take(struct host *host, const void *data, u32 len)
{
	u32 taken = burst.taken;

	if (len >= 4 && *(const u32 *)data != taken)
		burst.out_of_order++;
	WRITE_ONCE(burst.taken, taken + 1);
	if (!burst.run++) {
		burst.run_began = local_clock();
		irq_work_queue(&burst.irqs_on);
	}
	return 0;
}

static void burst_free(void *unused)
{
	irq_work_sync(&burst.irqs_on);
	vfree(burst.packets);
}

static void burst_create(struct kunit *test)
{
	memset(&burst, 0, sizeof(burst));
	init_irq_work(&burst.irqs_on, burst_irqs_on);
	init_completion(&burst.started);
	init_completion(&burst.ended);
	burst.packets = vzalloc(BURST * BURST_STRIDE);
	KUNIT_ASSERT_NOT_NULL(test, burst.packets);
	/* After the client, which may hold packets. */
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, burst_free, NULL), 0);

	burst.host = host_create(test);
	burst.host->offered = true;
	burst.host->on_send = burst_take;
	burst.client = client_create(test, burst.host);
	ASSERT_STATUS(test, VmbChannelInitSetMaximumPacketSize(burst.client->channel, 64),
		      STATUS_SUCCESS);
}

static struct client_done *burst_done(u32 i)
{
	return (void *)(burst.packets + i * BURST_STRIDE);
}

static struct client_done *burst_packet(struct kunit *test, u32 i)
{
	u32 size = VmbChannelSizeofPacket(burst.client->channel);
	struct client_done *done = burst_done(i);

	KUNIT_ASSERT_LE(test, sizeof(*done) + size, BURST_STRIDE);
	done->packet = (VMBPACKET)(done + 1);
	ASSERT_STATUS(test, VmbPacketInitialize(burst.client->channel, done->packet, size),
		      STATUS_SUCCESS);
	VmbPacketSetPointer(done->packet, done);
	VmbPacketSetCompletionRoutine(done->packet, client_routine);
	return done;
}

/* Queues packets that carry their numbers. */
static void burst_queue(struct kunit *test, u32 n, u32 flags)
{
	u32 i;

	for (i = 0; i < n; i++)
		ASSERT_STATUS(test, client_send(burst_packet(test, i), &i, sizeof(i), flags),
			      STATUS_SUCCESS);
}

static void burst_expect_calls(struct kunit *test, u32 n, int calls)
{
	u32 i, wrong = 0;

	for (i = 0; i < n; i++)
		wrong += client_calls(burst_done(i)) != calls;
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

static void a_long_queue_is_written_in_pieces_and_in_order(struct kunit *test)
{
	u32 i, wrong = 0;

	burst_create(test);
	burst_queue(test, BURST, 0);
	client_enable(burst.client);
	EVENTUALLY(test, client_calls(burst_done(BURST - 1)));

	kunit_info(test, "at most %u packets, %llu us, with interrupts off\n",
		   burst.longest_run, burst.longest_ns / NSEC_PER_USEC);
	/* On PREEMPT_RT the lock leaves interrupts on, and a thread notes that they are. */
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		KUNIT_EXPECT_LE(test, burst.longest_run, BURST_IRQS_OFF_PACKETS);
	KUNIT_EXPECT_EQ(test, burst.taken, BURST);
	KUNIT_EXPECT_EQ(test, burst.out_of_order, 0);
	burst_expect_calls(test, BURST, 1);
	for (i = 1; i < BURST; i++)
		wrong += burst_done(i)->order < burst_done(i - 1)->order;
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

/* Sends on while the queue before it drains. */
static int burst_sender(void *unused)
{
	u32 i;

	complete(&burst.started);
	for (i = BURST / 4; i < BURST / 2; i++)
		client_send(burst_done(i), &i, sizeof(i), 0);
	complete(&burst.ended);
	return 0;
}

static void nothing_overtakes_a_queue_that_is_written_in_pieces(struct kunit *test)
{
	u32 i;

	burst_create(test);
	burst_queue(test, BURST / 4, 0);
	for (i = BURST / 4; i < BURST / 2; i++)
		burst_packet(test, i);
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(burst_sender, NULL, "kmcl_sender")));
	wait_for_completion(&burst.started);
	client_enable(burst.client);
	wait_for_completion(&burst.ended);
	EVENTUALLY(test, client_calls(burst_done(BURST / 2 - 1)));
	KUNIT_EXPECT_EQ(test, burst.taken, BURST / 2);
	KUNIT_EXPECT_EQ(test, burst.out_of_order, 0);
}

/* How long a processor takes to answer an interrupt of another one. */
struct burst_probe {
	struct task_struct *task;
	u64 sent;
	u64 longest_ns;
};

static DEFINE_PER_CPU(struct burst_probe, burst_probes);

static void burst_probed(void *data)
{
	struct burst_probe *probe = data;

	probe->longest_ns = max(probe->longest_ns, ktime_get_ns() - probe->sent);
}

/* One on each processor, which interrupts the others. */
static int burst_probe_thread(void *data)
{
	struct burst_probe *probe = data;
	int cpu;

	while (!kthread_should_stop()) {
		for_each_online_cpu(cpu) {
			preempt_disable();
			probe->sent = ktime_get_ns();
			if (cpu != smp_processor_id())
				smp_call_function_single(cpu, burst_probed, probe, true);
			preempt_enable();
		}
		usleep_range(100, 200);
	}
	return 0;
}

static void burst_probes_start(struct kunit *test)
{
	int cpu;

	for_each_online_cpu(cpu) {
		struct burst_probe *probe = per_cpu_ptr(&burst_probes, cpu);

		probe->longest_ns = 0;
		probe->task = kthread_create(burst_probe_thread, probe, "kmcl_probe/%d", cpu);
		KUNIT_ASSERT_FALSE(test, IS_ERR(probe->task));
		kthread_bind(probe->task, cpu);
		wake_up_process(probe->task);
	}
}

static u64 burst_probes_stop(void)
{
	u64 longest = 0;
	int cpu;

	for_each_online_cpu(cpu) {
		struct burst_probe *probe = per_cpu_ptr(&burst_probes, cpu);

		kthread_stop(probe->task);
		longest = max(longest, probe->longest_ns);
	}
	return longest;
}

/*
 * All are open at once, so the table grows to its full size and is emptied. The
 * machine itself may be late, so the best of some rounds counts.
 */
static void interrupts_stay_on_while_many_transactions_open_and_end(struct kunit *test)
{
	u64 late[2] = { U64_MAX, U64_MAX };
	u32 round;

	burst_create(test);
	for (round = 0; round < 10 && max(late[0], late[1]) >= BURST_IRQS_OFF_NS; round++) {
		burst.taken = 0;
		burst_queue(test, BURST, WAIT);
		burst_probes_start(test);
		client_enable(burst.client);
		EVENTUALLY(test, READ_ONCE(burst.taken) == BURST);
		EVENTUALLY(test, READ_ONCE(client_chan(burst.client)->trans.open_mask) >=
				 BURST / 4 - 1);
		msleep(50);
		late[0] = min(late[0], burst_probes_stop());

		burst_probes_start(test);
		VmbChannelDisable(burst.client->channel);
		late[1] = min(late[1], burst_probes_stop());
		burst_expect_calls(test, BURST, 1);
		memset(burst.packets, 0, BURST * BURST_STRIDE);
	}
	kunit_info(test, "an interrupt was late by %llu us while %u transactions opened, %llu us while they ended\n",
		   late[0] / NSEC_PER_USEC, BURST, late[1] / NSEC_PER_USEC);
	KUNIT_EXPECT_LT(test, late[0], BURST_IRQS_OFF_NS);
	KUNIT_EXPECT_LT(test, late[1], BURST_IRQS_OFF_NS);
	KUNIT_EXPECT_EQ(test, burst.out_of_order, 0);
}

static void burst_resend(struct client_done *done)
{
	if (time_before(jiffies, READ_ONCE(burst.until)))
		client_send(done, NULL, 0, 0);
}

/* The packet of this case is its own, so a Disable while it goes on is no race. */
static void a_routine_that_sends_for_ever_lets_its_sender_go_on(struct kunit *test)
{
	struct client_done *done;
	unsigned long began;
	int calls;

	burst_create(test);
	client_enable(burst.client);
	done = burst_packet(test, 0);
	done->again = burst_resend;
	began = jiffies;
	burst.until = began + 4 * HZ;
	EXPECT_STATUS(test, client_send(done, NULL, 0, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_LT(test, jiffies_to_msecs(jiffies - began), 1000);

	/* It goes on, until the channel is closed. */
	calls = client_calls(done);
	EVENTUALLY(test, client_calls(done) > calls + 1000);
	VmbChannelDisable(burst.client->channel);
	KUNIT_EXPECT_LT(test, jiffies_to_msecs(jiffies - began), 3000);
	calls = client_calls(done);
	msleep(20);
	KUNIT_EXPECT_EQ(test, client_calls(done), calls);
	EXPECT_STATUS(test, done->status, STATUS_DEVICE_REMOVED);
	burst.until = jiffies;
}

static int burst_answers(void *id)
{
	complete(&burst.started);
	host_complete(burst.host, *(u64 *)id, NULL, 0);
	complete(&burst.ended);
	return 0;
}

static void disable_ends_though_a_routine_of_the_reader_sends_for_ever(struct kunit *test)
{
	struct client_done *done;
	unsigned long began;
	u64 id = 1;

	burst_create(test);
	client_enable(burst.client);
	done = burst_packet(test, 0);
	done->again = burst_resend;
	burst.until = jiffies + 4 * HZ;
	EXPECT_STATUS(test, client_send(done, NULL, 0, WAIT), STATUS_SUCCESS);
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(burst_answers, &id, "kmcl_answers")));
	wait_for_completion(&burst.started);
	EVENTUALLY(test, client_calls(done) > 1000);
	began = jiffies;
	VmbChannelDisable(burst.client->channel);
	KUNIT_EXPECT_LT(test, jiffies_to_msecs(jiffies - began), 2000);
	wait_for_completion(&burst.ended);
	EXPECT_STATUS(test, done->status, STATUS_DEVICE_REMOVED);
	burst.until = jiffies;
}

/* More than are called in a turn; the rest is put off. */
#define BURST_TURN	1000

static void burst_send_many(struct client_done *done)
{
	u32 i;

	for (i = 1; i < BURST_TURN; i++)
		client_send(burst_done(i), NULL, 0, 0);
}

static void routines_that_are_put_off_keep_their_order(struct kunit *test)
{
	u32 i, wrong = 0;

	burst_create(test);
	client_enable(burst.client);
	for (i = 0; i < 2 * BURST_TURN; i++)
		burst_packet(test, i);
	burst_done(0)->again = burst_send_many;
	for (i = 0; i < 2 * BURST_TURN; i = i ? i + 1 : BURST_TURN)
		EXPECT_STATUS(test, client_send(burst_done(i), NULL, 0, 0), STATUS_SUCCESS);
	EVENTUALLY(test, client_calls(burst_done(2 * BURST_TURN - 1)));
	burst_expect_calls(test, 2 * BURST_TURN, 1);
	for (i = 1; i < 2 * BURST_TURN; i++)
		wrong += burst_done(i)->order < burst_done(i - 1)->order;
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

/*
 * A task is preempted in its routine by a more urgent one, whose routine sends again:
 * that happens on PREEMPT_RT only. Elsewhere the two run one after the other.
 */
static struct {
	struct completion in_routine;
	struct completion ended;
	bool over;		/* the urgent one's routines */
	u32 left;		/* so often they send again */
	struct task_struct *task;
	unsigned long low, high;	/* their frames, in that task's own stack */
} urgent;

static void urgent_resend(struct client_done *done)
{
	unsigned long here = (unsigned long)__builtin_frame_address(0);

	/* What a slow machine leaves to the tasklet is called on another stack. */
	if (current == urgent.task &&
	    here - (unsigned long)task_stack_page(current) < THREAD_SIZE) {
		urgent.low = min(urgent.low, here);
		urgent.high = max(urgent.high, here);
	}
	if (urgent.left--)
		client_send(done, NULL, 0, 0);
	else
		WRITE_ONCE(urgent.over, true);
}

static int urgent_thread(void *unused)
{
	wait_for_completion(&urgent.in_routine);
	urgent.task = current;
	client_send(burst_done(3), NULL, 0, 0);
	complete(&urgent.ended);
	return 0;
}

static void send_and_be_preempted(struct client_done *done)
{
	u32 ms;

	client_send(burst_done(1), NULL, 0, 0);
	complete(&urgent.in_routine);
	for (ms = 0; ms < 50 && !READ_ONCE(urgent.over); ms++)
		mdelay(1);
	client_send(burst_done(2), NULL, 0, 0);
}

static void a_routine_that_is_preempted_loses_nothing_and_nothing_nests(struct kunit *test)
{
	struct task_struct *task;
	u32 i;

	burst_create(test);
	client_enable(burst.client);
	for (i = 0; i < 4; i++)
		burst_packet(test, i);
	burst_done(0)->again = send_and_be_preempted;
	burst_done(3)->again = urgent_resend;
	memset(&urgent, 0, sizeof(urgent));
	urgent.left = 15;
	urgent.low = ULONG_MAX;
	init_completion(&urgent.in_routine);
	init_completion(&urgent.ended);

	task = kthread_create(urgent_thread, NULL, "kmcl_urgent");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	migrate_disable();
	kthread_bind(task, smp_processor_id());
	sched_set_fifo(task);
	wake_up_process(task);
	EXPECT_STATUS(test, client_send(burst_done(0), NULL, 0, 0), STATUS_SUCCESS);
	migrate_enable();

	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&urgent.ended, 5 * HZ), 0);
	EVENTUALLY(test, READ_ONCE(urgent.over));
	EVENTUALLY(test, client_calls(burst_done(2)) == 1);
	KUNIT_EXPECT_EQ(test, client_calls(burst_done(1)), 1);
	KUNIT_EXPECT_EQ(test, client_calls(burst_done(3)), 16);
	KUNIT_EXPECT_LT(test, urgent.high - urgent.low, 1024);
}

static struct kunit_case burst_cases[] = {
	KUNIT_CASE_SLOW(a_long_queue_is_written_in_pieces_and_in_order),
	KUNIT_CASE(nothing_overtakes_a_queue_that_is_written_in_pieces),
	KUNIT_CASE_SLOW(interrupts_stay_on_while_many_transactions_open_and_end),
	KUNIT_CASE(a_routine_that_sends_for_ever_lets_its_sender_go_on),
	KUNIT_CASE(disable_ends_though_a_routine_of_the_reader_sends_for_ever),
	KUNIT_CASE(routines_that_are_put_off_keep_their_order),
	KUNIT_CASE(a_routine_that_is_preempted_loses_nothing_and_nothing_nests),
	{}
};

static struct kunit_suite burst_suite = {
	.name = "kmcl_burst",
	.test_cases = burst_cases,
};

kunit_test_suite(burst_suite);
