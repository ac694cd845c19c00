// SPDX-License-Identifier: GPL-2.0
/*
 * Which functions the instructions of an operation are in: the processor traps after
 * each one of them, in the thread that is timed. What an interrupt does is not seen: the
 * processor takes it with the trap off.
 */
#include <linux/kallsyms.h>
#include <linux/kdebug.h>
#include <linux/module.h>
#include <linux/sort.h>
#include <linux/vmalloc.h>
#include <asm/debugreg.h>
#include <asm/processor-flags.h>

#include "bench.h"

#define STEPS_MAX	BIT(22)
#define RUNS_MAX	50	/* that an interrupt's softirq came into */

static char *profile;
module_param_named(bench_profile, profile, charp, 0444);
MODULE_PARM_DESC(bench_profile, "the operation to profile, _ for each blank");

static unsigned int profile_bytes = 64;
module_param_named(bench_profile_bytes, profile_bytes, uint, 0444);
MODULE_PARM_DESC(bench_profile_bytes, "payload of that operation");

bool bench_stepping;

static struct {
	unsigned long *ips;
	u32 n;
	bool timed;
} steps;

/*
 * regs->ip is the instruction that comes next. The window is what get_cycles() measures:
 * from the suite's first rdtsc up to its second one, of which it counts one.
 */
static int bench_step(struct notifier_block *nb, unsigned long event, void *data)
{
	struct die_args *args = data;
	unsigned long ip = args->regs->ip;

	if (event != DIE_DEBUG || user_mode(args->regs) ||
	    !(*(unsigned long *)args->err & DR_STEP))
		return NOTIFY_DONE;
	if (!bench_stepping)
		args->regs->flags &= ~X86_EFLAGS_TF;
	if (within_module(ip, THIS_MODULE) && *(u16 *)ip == 0x310f)
		steps.timed = !steps.timed;
	if (steps.timed && steps.n < STEPS_MAX)
		steps.ips[steps.n++] = ip;
	return NOTIFY_STOP;
}

static struct notifier_block bench_step_nb = { .notifier_call = bench_step };

noinline void bench_step_on(void)
{
	asm volatile("pushf; orl %0, (%%rsp); popf" :: "i" (X86_EFLAGS_TF) : "memory", "cc");
}

noinline void bench_step_off(void)
{
	asm volatile("pushf; andl %0, (%%rsp); popf" :: "i" (~X86_EFLAGS_TF) : "memory", "cc");
}

/* Is this the operation that scripts/bench asks for? True without a question. */
bool bench_is_wanted(const char *name, u32 bytes)
{
	u32 i;

	if (!profile)
		return true;
	for (i = 0; name[i] && profile[i]; i++)
		if (profile[i] != (name[i] == ' ' ? '_' : name[i]))
			return false;
	return !name[i] && !profile[i] && (!bytes || bytes == profile_bytes);
}

static int bench_compare(const void *a, const void *b)
{
	unsigned long one = *(const unsigned long *)a, other = *(const unsigned long *)b;

	return one < other ? -1 : one > other;
}

/* A line for each function: instructions, and how often it was entered. */
static void bench_show_steps(const char *name, u32 bytes, u32 n, const char *way)
{
	char symbol[KSYM_SYMBOL_LEN], last[KSYM_SYMBOL_LEN] = "";
	u32 i, count = 0, calls = 0;
	char *offset;

	sort(steps.ips, steps.n, sizeof(*steps.ips), bench_compare, NULL);
	for (i = 0; i <= steps.n; i++) {
		symbol[0] = 0;
		if (i < steps.n)
			snprintf(symbol, sizeof(symbol), "%pS", (void *)steps.ips[i]);
		offset = strstr(symbol, "+0x");
		if (offset)
			*offset = 0;
		if (i && strcmp(symbol, last)) {
			pr_info("profile|%s|%u|%u|%s|%u|%u|%s\n", name, bytes, n, way, count,
				calls, last);
			count = 0;
			calls = 0;
		}
		count++;
		calls += offset && !strncmp(offset + 1, "0x0/", 4);
		strscpy(last, symbol, sizeof(last));
	}
}

/* Where the @ticks of an operation are, if scripts/bench asks for it. */
void bench_profile(struct bench *b, const char *name, u32 bytes, u32 n, const char *way,
		   bench_fn fn, u64 ticks)
{
	u32 i, best = U32_MAX;

	if (!profile || !fn)
		return;
	steps.ips = vmalloc_array(2 * STEPS_MAX, sizeof(*steps.ips));
	KUNIT_ASSERT_NOT_NULL(b->test, steps.ips);
	KUNIT_ASSERT_EQ(b->test, register_die_notifier(&bench_step_nb), 0);
	for (i = 0; i < RUNS_MAX && best != ticks; i++) {
		steps.n = 0;
		bench_stepping = true;
		fn(b, bytes, n);
		bench_stepping = false;
		bench_rings_empty(b);
		if (steps.n < best) {
			best = steps.n;
			memcpy(steps.ips + STEPS_MAX, steps.ips, best * sizeof(*steps.ips));
		}
	}
	unregister_die_notifier(&bench_step_nb);
	memcpy(steps.ips, steps.ips + STEPS_MAX, best * sizeof(*steps.ips));
	steps.n = best;
	bench_show_steps(name, bytes, n, way);
	vfree(steps.ips);
}
