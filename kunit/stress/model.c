// SPDX-License-Identifier: GPL-2.0
/*
 * What all of stress share: how a fault is noted, and what payloads, memory and
 * completions hold. It calls nothing else of stress.
 */
#include "stress.h"

/* Notes that something is not as it has to be. Any context. */
void stress_fault(struct stress_end *end, const char *format, ...)
{
	struct stress_run *run = end->lane->run;
	struct va_format text = { .fmt = format };
	va_list args;
	char line[sizeof(run->fault)];

	va_start(args, format);
	text.va = &args;
	snprintf(line, sizeof(line), "channel %u, %s %s: %pV", end->lane->index,
		 end->lane->calm ? "calm" : "wild",
		 end->is_server ? "server" : "client", &text);
	va_end(args);
	if (atomic_inc_return(&run->faults) > 20)
		return;
	pr_err("kmcl_stress: %s\n", line);
	if (atomic_read(&run->faults) == 1)
		strscpy(run->fault, line, sizeof(run->fault));
}

/* The context of all callbacks of a channel is its end. */
void stress_check_context(struct stress_end *end, const void *context)
{
	if (context != end)
		stress_fault(end, "a callback has the context of another");
}

/* Words of 4 bytes; the last one may be in part. */
void stress_fill(void *words, u32 bytes, u64 name)
{
	u32 *word = words, tail, i;

	for (i = 0; i < bytes / 4; i++)
		word[i] = (u32)name + i;
	tail = (u32)name + i;
	memcpy(word + i, &tail, bytes % 4);
}

bool stress_filled(const void *words, u32 bytes, u64 name)
{
	const u32 *word = words;
	u32 tail, i;

	for (i = 0; i < bytes / 4; i++)
		if (word[i] != (u32)name + i)
			return false;
	tail = (u32)name + i;
	return !memcmp(word + i, &tail, bytes % 4);
}

/* The completion of that packet. */
struct stress_answer stress_answer_to(const struct stress_msg *msg)
{
	return (struct stress_answer) {
		.source = msg->source,
		.seq = msg->seq,
		.check = stress_mix((u64)msg->source << 32 | msg->seq),
	};
}

/* Is that the completion of that packet? */
bool stress_answers(const struct stress_msg *msg, const void *buffer, u32 len)
{
	struct stress_answer answer = stress_answer_to(msg);

	return len == sizeof(answer) && !memcmp(buffer, &answer, sizeof(answer));
}

/*
 * The end has failed a packet of its @opens-th connection: nothing comes from the other
 * end any more, but what was on its way.
 */
void stress_note_failed(struct stress_end *end, u32 opens, u32 on_their_way)
{
	atomic64_inc(&end->lane->run->count.failed);
	atomic_set(&end->on_their_way, on_their_way);
	/* Pairs with the acquire of the look at it. */
	smp_store_release(&end->failed_at, opens);
	WRITE_ONCE(end->stopped, true);
}

/* Something has come to the end: is it more than was on its way? */
bool stress_is_behind_failure(struct stress_end *end)
{
	/* Pairs with the release in stress_note_failed(). */
	return smp_load_acquire(&end->failed_at) == READ_ONCE(end->opens) &&
	       atomic_dec_if_positive(&end->on_their_way) < 0;
}

/*
 * Lets the thread's nth allocation fail from here to stress_fail_end(): those of the
 * call between them, in this task.
 */
void stress_fail_begin(const struct stress_thread *thread)
{
	current->fail_nth = thread->fail_nth;
}

/* Has the call failed for that, as it may? Any other failure is for its caller. */
bool stress_fail_end(struct stress_thread *thread, NTSTATUS status)
{
	bool hit = thread->fail_nth && !current->fail_nth;

	current->fail_nth = 0;
	if (!hit)
		return false;
	atomic64_inc(&thread->run->count.failures);
	return status == (NTSTATUS)STATUS_INSUFFICIENT_RESOURCES;
}
