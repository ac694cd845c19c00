// SPDX-License-Identifier: GPL-2.0
/*
 * Rings whose indices lie, and whose contents change while they are read. What
 * the host itself goes by is its own copy: an honest packet repairs the index.
 */
#include <sched.h>
#include <string.h>

#include "hostile.h"

#define RANDOM_BYTES		256

static bool write_index(struct hostile *hostile, u32 index)
{
	WRITE_ONCE(&hostile->chan->out.head->write_index, index);
	channel_signal(hostile->chan);
	return true;
}

/* Behind a ring of @size bytes, near or far. */
static u32 index_behind(struct hostile *hostile, u32 size)
{
	static const u32 past[] = { 0, 8, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff };
	u32 add = past[hostile_random(hostile) % ARRAY_SIZE(past)];

	return add < 0x1000 ? size + add : add;
}

static bool index_past(struct hostile *hostile, const struct trick *trick)
{
	(void)trick;
	return write_index(hostile, index_behind(hostile, hostile->chan->out.size));
}

static bool index_odd(struct hostile *hostile, const struct trick *trick)
{
	(void)trick;
	return write_index(hostile, hostile->chan->out.index ^ (1 + hostile_random(hostile) % 7));
}

static bool index_back(struct hostile *hostile, const struct trick *trick)
{
	struct ring *out = &hostile->chan->out;
	u32 back = 8 * (1 + hostile_random(hostile) % 64);

	(void)trick;
	return write_index(hostile, (out->index + out->size - back % out->size) % out->size);
}

static bool index_jump(struct hostile *hostile, const struct trick *trick)
{
	(void)trick;
	return write_index(hostile, hostile_random(hostile) % (hostile->chan->out.size / 8) * 8);
}

/* The other ring: the guest believes to have more room than there is, or less. */
static bool read_index(struct hostile *hostile, const struct trick *trick)
{
	struct ring *in = &hostile->chan->in;

	(void)trick;
	WRITE_ONCE(&in->head->read_index,
		   hostile_random(hostile) % 2 ? hostile_random(hostile) :
		   hostile_random(hostile) % (in->size / 8) * 8);
	channel_signal(hostile->chan);
	return true;
}

/*
 * The index of the other ring that is the guest's alone. Where the guest goes by it
 * nobody knows what lies in that ring: the host does not read it any more.
 */
static bool own_index(struct hostile *hostile, u32 index)
{
	struct ring *in = &hostile->chan->in;

	hostile->chan->broken = true;
	WRITE_ONCE(&in->head->write_index, index);
	channel_signal(hostile->chan);
	return true;
}

static bool own_index_past(struct hostile *hostile, const struct trick *trick)
{
	(void)trick;
	return own_index(hostile, index_behind(hostile, hostile->chan->in.size));
}

/* In the ring, but a multiple of 8 by chance only, and not where the guest was. */
static bool own_index_jump(struct hostile *hostile, const struct trick *trick)
{
	struct ring *in = &hostile->chan->in;
	u32 index = READ_ONCE(&in->head->write_index), add;

	(void)trick;
	add = 1 + hostile_random(hostile) % (in->size - 1);
	return own_index(hostile, index < in->size ? (index + add) % in->size : add);
}

static bool random_ring(struct hostile *hostile, const struct trick *trick)
{
	struct ring *out = &hostile->chan->out;
	u32 len = trick->size ? trick->size : RANDOM_BYTES, i;

	if (len > out->size / 2)
		len = out->size / 2;
	len = ALIGN_UP(len, 8);
	for (i = 0; i < len; i++)
		out->data[out->index + i] = hostile_random(hostile);
	out->index = (out->index + len) % out->size;
	return write_index(hostile, out->index);
}

static u64 rewriter_random(u64 *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return *state >> 24;
}

/*
 * Flips words of what the guest may be reading, and back, as fast as it can;
 * now and then the index. It only touches what is mapped.
 */
static void *rewriter(void *arg)
{
	struct hostile *hostile = arg;
	struct ring *out = &hostile->chan->out;
	u64 random = hostile->random;
	u32 n, back, at, old;
	u16 *word;

	while (!READ_ONCE(&hostile->stop)) {
		for (n = 0; n < 256; n++) {
			/* Near the end of what was written is what is new. */
			back = 8 * (rewriter_random(&random) % 512);
			at = (READ_ONCE(&out->index) + out->size - back % out->size) % out->size;
			word = (u16 *)(out->data + at) + rewriter_random(&random) % 4;
			old = READ_ONCE(word);
			WRITE_ONCE(word, rewriter_random(&random));
			if (n % 32 == 0)
				WRITE_ONCE(&out->head->write_index,
					   rewriter_random(&random) % (2 * out->size));
			WRITE_ONCE(word, old);
			if (n % 32 == 0)
				WRITE_ONCE(&out->head->write_index, READ_ONCE(&out->index));
		}
		/* Processors are few where this runs. */
		sched_yield();
	}
	return NULL;
}

static bool rewrite(struct hostile *hostile, const struct trick *trick)
{
	(void)trick;
	/* Once an opening. */
	if (hostile->rewriting)
		return false;
	hostile->rewriting = !pthread_create(&hostile->rewriter, NULL, rewriter, hostile);
	return hostile->rewriting;
}

void hostile_stop_rewriting(struct hostile *hostile)
{
	if (!hostile->rewriting)
		return;
	WRITE_ONCE(&hostile->stop, true);
	pthread_join(hostile->rewriter, NULL);
	hostile->rewriting = false;
}

const struct trick_kind tricks_ring[] = {
	{ "index-past", "a write index outside of the ring", index_past },
	{ "index-odd", "a write index that is no multiple of 8", index_odd },
	{ "index-back", "a write index that goes backwards", index_back },
	{ "index-jump", "a write index anywhere in the ring", index_jump },
	{ "read-index", "a read index of the guest's ring anywhere", read_index },
	{ "own-index-past", "the write index of the guest's ring, out of range", own_index_past },
	{ "own-index-jump", "the write index of the guest's ring, elsewhere", own_index_jump },
	{ "random-ring", "size=S random bytes (256) as if they were packets", random_ring },
	{ "rewrite", "a thread that rewrites the ring while it is read", rewrite },
	{ NULL },
};
