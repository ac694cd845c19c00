// SPDX-License-Identifier: GPL-2.0
/* What a thread of stress does. */
#include <linux/delay.h>

#include "stress.h"

static void do_burst(struct stress_thread *thread, struct stress_end *end, u64 draw)
{
	u32 i, tries, n = draw % 48 + 1;

	for (i = 0; i < n; i++) {
		for (tries = 0; tries < 5; tries++) {
			if (stress_send(thread, end, stress_mix(draw + i), false))
				break;
			usleep_range(100, 200);
		}
		/* The other end is not taking any. */
		if (tries == 5)
			return;
	}
}

static void do_memory(struct stress_thread *thread, struct stress_end *end, u64 draw)
{
	u32 i;

	/* A server with memory under way cannot be saved. */
	if (end->is_server && end->lane->saves)
		end = end->peer;
	for (i = 0; i <= draw % STRESS_MEMORIES; i++)
		stress_send(thread, end, stress_mix(draw + i), true);
}

/* Nor one with a request. */
static void do_request(struct stress_thread *thread, struct stress_end *end, u64 draw)
{
	if (end->is_server && end->lane->saves)
		end = end->peer;
	stress_request(thread, end, draw);
}

static void do_pause(struct stress_thread *thread, struct stress_end *end, u64 draw)
{
	atomic64_inc(&thread->run->count.pauses);
	VmbChannelPause(end->channel);
	if (draw & 1)
		usleep_range(50, 50 + (draw >> 8) % 2000);
	VmbChannelStart(end->channel);
}

static void do_quota(struct stress_thread *thread, struct stress_end *end, u64 draw)
{
	VmbChannelSetTransactionQuota(end->channel, draw & 3 ? 1 + (draw >> 8) % 32 :
				      1000);
}

static void do_passive(struct stress_thread *thread, struct stress_end *end, u64 draw)
{
	VmbChannelSetIncomingProcessingAtPassive(end->channel, draw & 1);
}

static void do_share(struct stress_thread *thread, struct stress_end *end, u64 draw)
{
	VmbChannelSetAllowableDpcCpuUsage(end->channel, draw & 1 ? 100 :
					  1 + (draw >> 8) % 10);
}

static void do_gpadl_create(struct stress_thread *thread, struct stress_end *end, u64 draw)
{
	stress_gpadl_create(thread, end->lane, draw);
}

static void do_gpadl_delete(struct stress_thread *thread, struct stress_end *end, u64 draw)
{
	stress_gpadl_delete(end->lane, draw);
}

static void do_gpadl_map(struct stress_thread *thread, struct stress_end *end, u64 draw)
{
	stress_gpadl_map(thread, end->lane, draw);
}

/* Closes, or revokes the offer and makes it anew. */
static void do_disable(struct stress_thread *thread, struct stress_end *end, u64 draw)
{
	if (end->lane->calm)
		return;
	atomic64_inc(&thread->run->count.disables);
	VmbChannelDisable(end->channel);
	if (draw & 1)
		usleep_range(50, 50 + (draw >> 8) % 2000);
	stress_heal(end);
}

static void do_save(struct stress_thread *thread, struct stress_end *end, u64 draw)
{
	stress_save(thread, end, draw);
}

/* Which end an operation needs for itself, or at least kept. */
enum { ANY_END, ITS_SERVER, ITS_SERVER_ALONE };

static const struct stress_op {
	const char *name;
	void (*call)(struct stress_thread *thread, struct stress_end *end, u64 draw);
	u32 weight;
	u32 which;
} stress_ops[] = {
	{ "a burst", do_burst, 150 },
	{ "memory", do_memory, 24 },
	{ "a request", do_request, 4 },
	{ "pause", do_pause, 6 },
	{ "quota", do_quota, 8 },
	{ "passive", do_passive, 8 },
	{ "share", do_share, 8 },
	{ "create a GPADL", do_gpadl_create, 12 },
	{ "delete a GPADL", do_gpadl_delete, 8 },
	{ "map a GPADL", do_gpadl_map, 16, ITS_SERVER },
	{ "disable", do_disable, 3 },
	{ "save", do_save, 2, ITS_SERVER_ALONE },
};

static const struct stress_op *stress_pick(u32 draw)
{
	u32 i, all = 0;

	for (i = 0; i < ARRAY_SIZE(stress_ops); i++)
		all += stress_ops[i].weight;
	draw %= all;
	for (i = 0; draw >= stress_ops[i].weight; i++)
		draw -= stress_ops[i].weight;
	return &stress_ops[i];
}

/* Whoever comes by lets an end go on that has failed a packet. */
static void stress_heal_stopped(struct stress_end *end)
{
	if (READ_ONCE(end->stopped))
		stress_heal(end);
}

static void stress_call(const struct stress_op *op, struct stress_thread *thread,
			struct stress_end *end, u64 draw)
{
	stress_heal_stopped(&end->lane->client);
	stress_heal_stopped(&end->lane->server);
	op->call(thread, end, draw);
}

/* One operation. Always two draws, so that the next are the same in each run. */
void stress_operate(struct stress_thread *thread)
{
	u64 choice = stress_draw(thread), draw = stress_draw(thread);
	struct stress_run *run = thread->run;
	struct stress_lane *lane = &run->lanes[(choice >> 32) % run->n_lanes];
	const struct stress_op *op = stress_pick(choice);
	struct stress_end *end = choice >> 63 || op->which ? &lane->server : &lane->client;

	if (op->which == ITS_SERVER_ALONE && !lane->saves)
		return;

	/* In one of eight an allocation fails, the first, second or third of each call. */
	thread->fail_nth = choice >> 56 & 7 ? 0 : 1 + (choice >> 59 & 15) % 3;
	thread->lane = lane->index;
	thread->server = end->is_server;
	WRITE_ONCE(thread->op, op->name);
	if (op->which == ITS_SERVER_ALONE) {
		down_write(&lane->server.use);
		stress_call(op, thread, end, draw);
		up_write(&lane->server.use);
	} else {
		down_read(&lane->server.use);
		stress_call(op, thread, end, draw);
		up_read(&lane->server.use);
	}
	WRITE_ONCE(thread->op, NULL);
}
