// SPDX-License-Identifier: GPL-2.0
/* The NT words that do not wait: levels, locks, pool, lists, work items, strings. */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "nt_words.h"

#define TAG	0x4b547374

/* Statuses are numbers with the top bit set: shown as such when they differ. */
#define EXPECT_STATUS(test, call, status) \
	KUNIT_EXPECT_EQ(test, (u32)(call), (u32)(status))

static void words_for_both_systems_do_as_on_windows(struct kunit *test)
{
	KUNIT_EXPECT_EQ_MSG(test, NtWords(), 0, "the line of nt_words.c");
	KUNIT_EXPECT_EQ_MSG(test, NtWordsObjects(), 0, "the line of nt_words_objects.c");
	KUNIT_EXPECT_EQ_MSG(test, NtWordsText(), 0, "the line of nt_words_text.c");
}

/* Levels and locks */

struct level {
	struct tasklet_struct tasklet;
	struct irq_work irq_work;
	KSPIN_LOCK lock;
	atomic_t level;
	atomic_t within;	/* with the lock held */
	atomic_t after;
};

static void level_tasklet(struct tasklet_struct *tasklet)
{
	struct level *level = container_of(tasklet, struct level, tasklet);
	KIRQL old;

	atomic_set(&level->level, KeGetCurrentIrql());
	KeAcquireSpinLock(&level->lock, &old);
	atomic_set(&level->within, KeGetCurrentIrql());
	KeReleaseSpinLock(&level->lock, old);
	atomic_set(&level->after, KeGetCurrentIrql());
}

static void level_irq_work(struct irq_work *work)
{
	struct level *level = container_of(work, struct level, irq_work);

	atomic_set(&level->level, KeGetCurrentIrql());
}

static void the_level_follows_the_context(struct kunit *test)
{
	KIRQL bottom_halves, preemption, interrupts, locked, rcu;
	static DEFINE_SPINLOCK(lock);
	struct level level;

	KUNIT_EXPECT_EQ(test, KeGetCurrentIrql(), PASSIVE_LEVEL);
	local_bh_disable();
	bottom_halves = KeGetCurrentIrql();
	local_bh_enable();
	preempt_disable();
	preemption = KeGetCurrentIrql();
	preempt_enable();
	local_irq_disable();
	interrupts = KeGetCurrentIrql();
	local_irq_enable();
	spin_lock(&lock);
	locked = KeGetCurrentIrql();
	spin_unlock(&lock);
	rcu_read_lock();
	rcu = KeGetCurrentIrql();
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, bottom_halves, DISPATCH_LEVEL);
	KUNIT_EXPECT_EQ(test, interrupts, DISPATCH_LEVEL);
	if (IS_ENABLED(CONFIG_PREEMPT_COUNT)) {
		KUNIT_EXPECT_EQ(test, preemption, DISPATCH_LEVEL);
		KUNIT_EXPECT_EQ(test, locked, DISPATCH_LEVEL);
		KUNIT_EXPECT_EQ(test, rcu, DISPATCH_LEVEL);
	}
	KUNIT_EXPECT_EQ(test, KeGetCurrentIrql(), PASSIVE_LEVEL);

	KeInitializeSpinLock(&level.lock);
	tasklet_setup(&level.tasklet, level_tasklet);
	tasklet_schedule(&level.tasklet);
	tasklet_kill(&level.tasklet);
	KUNIT_EXPECT_EQ(test, atomic_read(&level.level), DISPATCH_LEVEL);
	KUNIT_EXPECT_EQ(test, atomic_read(&level.within), DISPATCH_LEVEL);
	KUNIT_EXPECT_EQ(test, atomic_read(&level.after), DISPATCH_LEVEL);

	/* Another kind is a thread's on PREEMPT_RT. */
	level.irq_work = IRQ_WORK_INIT_HARD(level_irq_work);
	irq_work_queue(&level.irq_work);
	irq_work_sync(&level.irq_work);
	KUNIT_EXPECT_EQ(test, atomic_read(&level.level), HIGH_LEVEL);
}

static void raising_and_lowering_nest(struct kunit *test)
{
	KIRQL first, second, apc, levels[4];

	KeRaiseIrql(APC_LEVEL, &apc);
	levels[0] = KeGetCurrentIrql();
	KeRaiseIrql(DISPATCH_LEVEL, &first);
	levels[1] = KeGetCurrentIrql();
	second = KeRaiseIrqlToDpcLevel();
	KeLowerIrql(second);
	levels[2] = KeGetCurrentIrql();
	KeLowerIrql(first);
	levels[3] = KeGetCurrentIrql();
	KeLowerIrql(apc);
	KUNIT_EXPECT_EQ(test, levels[0], PASSIVE_LEVEL);
	KUNIT_EXPECT_EQ(test, levels[1], DISPATCH_LEVEL);
	KUNIT_EXPECT_EQ(test, levels[2], DISPATCH_LEVEL);
	KUNIT_EXPECT_EQ(test, levels[3], PASSIVE_LEVEL);
	KUNIT_EXPECT_EQ(test, apc, PASSIVE_LEVEL);
	KUNIT_EXPECT_EQ(test, first, PASSIVE_LEVEL);
	KUNIT_EXPECT_EQ(test, second, DISPATCH_LEVEL);
	KUNIT_EXPECT_EQ(test, KeGetCurrentIrql(), PASSIVE_LEVEL);
}

static void lowering_undoes_every_raise(struct kunit *test)
{
	KIRQL old_one, old_two, raised, twice, apc, locks;
	KSPIN_LOCK one, two;

	KeRaiseIrql(DISPATCH_LEVEL, &old_one);
	KeRaiseIrql(DISPATCH_LEVEL, &old_two);
	raised = KeGetCurrentIrql();
	KeLowerIrql(PASSIVE_LEVEL);
	twice = KeGetCurrentIrql();
	KUNIT_EXPECT_EQ(test, raised, DISPATCH_LEVEL);
	KUNIT_EXPECT_EQ(test, twice, PASSIVE_LEVEL);

	KeRaiseIrql(DISPATCH_LEVEL, &old_one);
	KeRaiseIrql(DISPATCH_LEVEL, &old_two);
	KeLowerIrql(APC_LEVEL);
	apc = KeGetCurrentIrql();
	KUNIT_EXPECT_EQ(test, apc, PASSIVE_LEVEL);

	/* The levels of two locks mixed up: the last one is what counts. */
	KeInitializeSpinLock(&one);
	KeInitializeSpinLock(&two);
	KeAcquireSpinLock(&one, &old_one);
	KeAcquireSpinLock(&two, &old_two);
	KeReleaseSpinLockFromDpcLevel(&two);
	KeReleaseSpinLock(&one, old_one);
	locks = KeGetCurrentIrql();
	KUNIT_EXPECT_EQ(test, locks, PASSIVE_LEVEL);

	/* Of what is left, the other cases would be the victims. */
	while (softirq_count())
		local_bh_enable();
}

static void raising_where_linux_only_keeps_preemption_off_keeps_dpcs_out(struct kunit *test)
{
	KIRQL old, level, lowered;
	bool out, in;

	if (!IS_ENABLED(CONFIG_PREEMPT_COUNT))
		kunit_skip(test, "the kernel does not know");
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		kunit_skip(test, "PREEMPT_RT takes a lock that may sleep for this");

	preempt_disable();
	KeRaiseIrql(DISPATCH_LEVEL, &old);
	level = KeGetCurrentIrql();
	out = softirq_count();
	KeLowerIrql(old);
	lowered = KeGetCurrentIrql();
	in = !softirq_count();
	preempt_enable();
	KUNIT_EXPECT_EQ(test, level, DISPATCH_LEVEL);
	KUNIT_EXPECT_TRUE(test, out);
	KUNIT_EXPECT_EQ(test, lowered, DISPATCH_LEVEL);
	KUNIT_EXPECT_TRUE(test, in);
	KUNIT_EXPECT_EQ(test, old, APC_LEVEL);
	KUNIT_EXPECT_EQ(test, KeGetCurrentIrql(), PASSIVE_LEVEL);
}

static void locks_are_released_in_any_order(struct kunit *test)
{
	KIRQL old_one, old_two, between;
	KSPIN_LOCK one, two;

	KeInitializeSpinLock(&one);
	KeInitializeSpinLock(&two);
	KeAcquireSpinLock(&one, &old_one);
	KeAcquireSpinLock(&two, &old_two);
	KeReleaseSpinLock(&one, old_two);
	between = KeGetCurrentIrql();
	KeReleaseSpinLock(&two, old_one);
	KUNIT_EXPECT_EQ(test, between, DISPATCH_LEVEL);
	KUNIT_EXPECT_EQ(test, KeGetCurrentIrql(), PASSIVE_LEVEL);

	/* The level is lowered by a call of its own. */
	KeAcquireSpinLock(&one, &old_one);
	KeReleaseSpinLockFromDpcLevel(&one);
	between = KeGetCurrentIrql();
	KeLowerIrql(old_one);
	KUNIT_EXPECT_EQ(test, between, DISPATCH_LEVEL);
	KUNIT_EXPECT_EQ(test, KeGetCurrentIrql(), PASSIVE_LEVEL);
}

static void a_lock_leaves_interrupts_off_that_are_off(struct kunit *test)
{
	KLOCK_QUEUE_HANDLE handle;
	unsigned long flags;
	bool within, after;
	KSPIN_LOCK lock;

	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		kunit_skip(test, "a spinlock may sleep on PREEMPT_RT, and must not be taken so");

	KeInitializeSpinLock(&lock);
	local_irq_save(flags);
	KeAcquireInStackQueuedSpinLock(&lock, &handle);
	within = irqs_disabled();
	KeReleaseInStackQueuedSpinLock(&handle);
	after = irqs_disabled();
	local_irq_restore(flags);
	KUNIT_EXPECT_TRUE(test, within);
	KUNIT_EXPECT_TRUE(test, after);
	KUNIT_EXPECT_EQ(test, KeGetCurrentIrql(), PASSIVE_LEVEL);
}

/* A lock in process context and in a tasklet: lockdep sees what is not right. */
static void a_lock_keeps_a_dpc_out(struct kunit *test)
{
	struct level level;
	KIRQL old;
	int i, within = 0;

	KeInitializeSpinLock(&level.lock);
	tasklet_setup(&level.tasklet, level_tasklet);
	for (i = 0; i < 100; i++) {
		atomic_set(&level.within, -1);
		KeAcquireSpinLock(&level.lock, &old);
		tasklet_schedule(&level.tasklet);
		udelay(9);
		within += atomic_read(&level.within) != -1;
		KeReleaseSpinLock(&level.lock, old);
		tasklet_kill(&level.tasklet);
	}
	KUNIT_EXPECT_EQ(test, within, 0);
}

/* Memory */

/* Whether what Windows says of the alignment holds. */
static bool aligned(const void *memory, size_t bytes)
{
	unsigned long first = (unsigned long)memory;

	if (bytes >= 4096)
		return IS_ALIGNED(first, 4096);
	return IS_ALIGNED(first, 16) && first / 4096 == (first + bytes - 1) / 4096;
}

static const size_t pool_sizes[] = {
	1, 8, 15, 16, 17, 24, 65, 96, 100, 129, 192, 193, 1000, 2047, 2049, 4095,
	4096, 4097, 5000, 8191, 8192, 8193, 12288, 20000, 65537, 131073,
};

static void pool_size_name(const size_t *size, char *name)
{
	snprintf(name, KUNIT_PARAM_DESC_SIZE, "%zu bytes", *size);
}

KUNIT_ARRAY_PARAM(pool_size, pool_sizes, pool_size_name);

static void pool_memory_is_aligned_as_on_windows(struct kunit *test)
{
	size_t size = *(const size_t *)test->param_value;
	void *pieces[24];
	int i;

	/* Several pieces, for one may be aligned by chance. */
	for (i = 0; i < ARRAY_SIZE(pieces); i++) {
		pieces[i] = i & 1 ? ExAllocatePool2(POOL_FLAG_NON_PAGED, size, TAG) :
				    ExAllocatePoolWithTag(NonPagedPoolNx, size, TAG);
		KUNIT_EXPECT_NOT_NULL(test, pieces[i]);
		if (!pieces[i])
			continue;
		KUNIT_EXPECT_TRUE_MSG(test, aligned(pieces[i], size), "at %lu",
				      offset_in_page(pieces[i]));
		memset(pieces[i], 0xff, size);
	}
	for (i = 0; i < ARRAY_SIZE(pieces); i++)
		ExFreePoolWithTag(pieces[i], TAG);
}

static void pool_memory_is_zeroed_where_promised(struct kunit *test)
{
	size_t size = *(const size_t *)test->param_value;
	u8 *piece;
	int i;

	for (i = 0; i < 8; i++) {
		piece = i & 1 ? ExAllocatePool2(POOL_FLAG_PAGED, size, TAG) :
				ExAllocatePoolZero(PagedPool, size, TAG);
		KUNIT_ASSERT_NOT_NULL(test, piece);
		KUNIT_EXPECT_NULL(test, memchr_inv(piece, 0, size));
		memset(piece, 0xff, size);
		ExFreePool(piece);
	}
	piece = ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_UNINITIALIZED, size, TAG);
	KUNIT_EXPECT_NOT_NULL(test, piece);
	ExFreePool(piece);
}

static void pool_flags_are_obeyed_or_refused(struct kunit *test)
{
	static const u64 refused[] = {
		POOL_FLAG_RAISE_ON_FAILURE, POOL_FLAG_NON_PAGED_EXECUTE,
		POOL_FLAG_SESSION, 0x80000000, 0x800,
	};
	void *piece;
	int i;

	for (i = 0; i < ARRAY_SIZE(refused); i++)
		KUNIT_EXPECT_NULL(test, ExAllocatePool2(POOL_FLAG_NON_PAGED | refused[i],
							64, TAG));
	KUNIT_EXPECT_NULL(test, ExAllocatePool2(POOL_FLAG_NON_PAGED, 64, 0));
	KUNIT_EXPECT_NULL(test, ExAllocatePool2(POOL_FLAG_NON_PAGED, 0, TAG));
	KUNIT_EXPECT_NULL(test, ExAllocatePool2(POOL_FLAG_NON_PAGED, 1ULL << 40, TAG));
	KUNIT_EXPECT_NULL(test, ExAllocatePoolWithTag(NonPagedPoolNx, ~0ULL, TAG));

	piece = ExAllocatePoolWithTag(NonPagedPoolNx, 0, TAG);
	KUNIT_EXPECT_NOT_NULL(test, piece);
	ExFreePool(piece);

	/* Flags of the upper half are wishes. */
	piece = ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_CACHE_ALIGNED |
				POOL_FLAG_USE_QUOTA | 0xffffffff00000000ULL, 8, TAG);
	KUNIT_ASSERT_NOT_NULL(test, piece);
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)piece, cache_line_size()));
	ExFreePool(piece);
}

static void much_memory_is_had_at_passive_level_and_freed_at_any(struct kunit *test)
{
	const size_t size = 5000001;
	void *at_passive, *at_dispatch;
	KIRQL old;

	if (size <= KMALLOC_MAX_SIZE)
		kunit_skip(test, "as much can be had in one piece from this kernel");
	at_passive = ExAllocatePool2(POOL_FLAG_NON_PAGED, size, TAG);
	KUNIT_ASSERT_NOT_NULL(test, at_passive);
	KUNIT_EXPECT_TRUE(test, aligned(at_passive, size));
	KUNIT_EXPECT_NULL(test, memchr_inv(at_passive, 0, size));
	KUNIT_ASSERT_TRUE(test, is_vmalloc_addr(at_passive));
	KUNIT_EXPECT_NOT_NULL(test, vmalloc_to_page(at_passive));

	KeRaiseIrql(DISPATCH_LEVEL, &old);
	at_dispatch = ExAllocatePool2(POOL_FLAG_NON_PAGED, size, TAG);
	ExFreePool(at_passive);
	KeLowerIrql(old);
	KUNIT_EXPECT_NULL(test, at_dispatch);
	linux_flush_work_items();
	KUNIT_EXPECT_NULL(test, vmalloc_to_page(at_passive));
}

static int lookaside_calls;
static SIZE_T lookaside_bytes;
static ULONG lookaside_tag;

static PVOID lookaside_allocate(POOL_TYPE type, SIZE_T bytes, ULONG tag)
{
	lookaside_calls++;
	lookaside_bytes = bytes;
	lookaside_tag = tag;
	return ExAllocatePoolWithTag(type, bytes, tag);
}

static void lookaside_free(PVOID buffer)
{
	lookaside_calls += 100;
	ExFreePool(buffer);
}

static void a_lookaside_list_gives_entries_of_its_size(struct kunit *test)
{
	NPAGED_LOOKASIDE_LIST list;
	void *entries[50];
	KIRQL old;
	int i;

	ExInitializeNPagedLookasideList(&list, NULL, NULL, 0, 100, TAG, 4);
	KeRaiseIrql(DISPATCH_LEVEL, &old);
	for (i = 0; i < ARRAY_SIZE(entries); i++) {
		entries[i] = ExAllocateFromNPagedLookasideList(&list);
		if (entries[i])
			memset(entries[i], i, 100);
	}
	KeLowerIrql(old);
	for (i = 0; i < ARRAY_SIZE(entries); i++) {
		KUNIT_EXPECT_NOT_NULL(test, entries[i]);
		if (!entries[i])
			continue;
		KUNIT_EXPECT_NULL(test, memchr_inv(entries[i], i, 100));
		ExFreeToNPagedLookasideList(&list, entries[i]);
	}
	ExDeleteNPagedLookasideList(&list);
}

static void a_lookaside_list_uses_the_drivers_routines(struct kunit *test)
{
	NPAGED_LOOKASIDE_LIST list;
	void *entry;

	lookaside_calls = 0;
	ExInitializeNPagedLookasideList(&list, lookaside_allocate, lookaside_free, 0, 100,
					TAG, 4);
	entry = ExAllocateFromNPagedLookasideList(&list);
	KUNIT_EXPECT_NOT_NULL(test, entry);
	KUNIT_EXPECT_EQ(test, lookaside_calls, 1);
	KUNIT_EXPECT_EQ(test, lookaside_bytes, 100);
	KUNIT_EXPECT_EQ(test, lookaside_tag, TAG);
	ExFreeToNPagedLookasideList(&list, entry);
	KUNIT_EXPECT_EQ(test, lookaside_calls, 101);
	ExDeleteNPagedLookasideList(&list);
}

/* A driver's own list, which its routines find by the list that they are passed. */
struct lookaside_ex {
	LOOKASIDE_LIST_EX list;
	int allocated;
	int freed;
	SIZE_T bytes;
	ULONG tag;
	int type;
};

static PVOID lookaside_ex_allocate(POOL_TYPE type, SIZE_T bytes, ULONG tag,
				   PLOOKASIDE_LIST_EX list)
{
	struct lookaside_ex *mine = CONTAINING_RECORD(list, struct lookaside_ex, list);

	mine->allocated++;
	mine->bytes = bytes;
	mine->tag = tag;
	mine->type = type;
	return ExAllocatePoolWithTag(type, bytes, tag);
}

static void lookaside_ex_free(PVOID buffer, PLOOKASIDE_LIST_EX list)
{
	struct lookaside_ex *mine = CONTAINING_RECORD(list, struct lookaside_ex, list);

	mine->freed++;
	ExFreePool(buffer);
}

static void an_ex_lookaside_list_tells_the_drivers_routines_of_itself(struct kunit *test)
{
	struct lookaside_ex mine = {};
	void *entries[2];

	EXPECT_STATUS(test, ExInitializeLookasideListEx(&mine.list, lookaside_ex_allocate,
							lookaside_ex_free, PagedPool, 0, 100,
							TAG, 0), STATUS_SUCCESS);
	entries[0] = ExAllocateFromLookasideListEx(&mine.list);
	entries[1] = ExAllocateFromLookasideListEx(&mine.list);
	KUNIT_EXPECT_NOT_NULL(test, entries[0]);
	KUNIT_EXPECT_EQ(test, mine.allocated, 2);
	KUNIT_EXPECT_EQ(test, mine.bytes, 100);
	KUNIT_EXPECT_EQ(test, mine.tag, TAG);
	KUNIT_EXPECT_EQ(test, mine.type, PagedPool);
	ExFreeToLookasideListEx(&mine.list, entries[0]);
	ExFreeToLookasideListEx(&mine.list, entries[1]);
	ExFlushLookasideListEx(&mine.list);
	KUNIT_EXPECT_EQ(test, mine.freed, 2);
	ExDeleteLookasideListEx(&mine.list);
	KUNIT_EXPECT_EQ(test, mine.allocated, 2);
}

static void an_ex_lookaside_list_needs_no_routines(struct kunit *test)
{
	LOOKASIDE_LIST_EX list;
	u8 *entry;
	KIRQL old;

	EXPECT_STATUS(test, ExInitializeLookasideListEx(&list, NULL, NULL, NonPagedPoolNx, 0,
							100, TAG, 0), STATUS_SUCCESS);
	KeRaiseIrql(DISPATCH_LEVEL, &old);
	entry = ExAllocateFromLookasideListEx(&list);
	KeLowerIrql(old);
	KUNIT_ASSERT_NOT_NULL(test, entry);
	KUNIT_EXPECT_TRUE(test, aligned(entry, 100));
	memset(entry, 0xff, 100);
	ExFreeToLookasideListEx(&list, entry);
	ExDeleteLookasideListEx(&list);
}

static void an_ex_lookaside_list_checks_its_parameters(struct kunit *test)
{
	const ULONG raise = EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL;
	LOOKASIDE_LIST_EX list;

	EXPECT_STATUS(test, ExInitializeLookasideListEx(&list, NULL, NULL, 2, 0, 100, TAG, 0),
		      STATUS_INVALID_PARAMETER_4);
	EXPECT_STATUS(test, ExInitializeLookasideListEx(&list, NULL, NULL, PagedPool, raise,
							100, TAG, 0),
		      STATUS_INVALID_PARAMETER_5);
	EXPECT_STATUS(test, ExInitializeLookasideListEx(&list, NULL, NULL, PagedPool, 4, 100,
							TAG, 0),
		      STATUS_INVALID_PARAMETER_5);
	EXPECT_STATUS(test, ExInitializeLookasideListEx(&list, NULL, NULL, PagedPool, 0, 100,
							TAG, 1),
		      STATUS_INVALID_PARAMETER_8);
}

/* Singly linked lists */

struct slist_record {
	SLIST_ENTRY entry;
	atomic_t holders;
};

struct slist {
	SLIST_HEADER head;
	struct slist_record records[8];
	struct irq_work irq_work;
	atomic_t shared;	/* how often a record had two holders */
};

static struct slist_record *slist_take(struct slist *slist)
{
	PSLIST_ENTRY entry = InterlockedPopEntrySList(&slist->head);
	struct slist_record *record;

	if (!entry)
		return NULL;
	record = CONTAINING_RECORD(entry, struct slist_record, entry);
	if (atomic_inc_return(&record->holders) != 1)
		atomic_inc(&slist->shared);
	return record;
}

static void slist_give(struct slist *slist, struct slist_record *record)
{
	if (!record)
		return;
	atomic_dec(&record->holders);
	InterlockedPushEntrySList(&slist->head, &record->entry);
}

/* Puts the first entry back below the second: a pop that looked at it is deceived. */
static void slist_turn(struct slist *slist)
{
	struct slist_record *first = slist_take(slist);
	struct slist_record *second = slist_take(slist);

	slist_give(slist, first);
	slist_give(slist, second);
}

static void slist_irq_work(struct irq_work *work)
{
	slist_turn(container_of(work, struct slist, irq_work));
}

static int slist_thread(void *data)
{
	while (!kthread_should_stop()) {
		slist_turn(data);
		cond_resched();
	}
	return 0;
}

static void an_entry_is_popped_once_whoever_pops_it(struct kunit *test)
{
	struct slist *slist = kunit_kzalloc(test, sizeof(*slist), GFP_KERNEL);
	struct task_struct *thread;
	PSLIST_ENTRY entry;
	int i, left = 0;

	KUNIT_ASSERT_NOT_NULL(test, slist);
	InitializeSListHead(&slist->head);
	init_irq_work(&slist->irq_work, slist_irq_work);
	for (i = 0; i < ARRAY_SIZE(slist->records); i++)
		InterlockedPushEntrySList(&slist->head, &slist->records[i].entry);

	thread = kthread_run(slist_thread, slist, "kmcl_slist");
	KUNIT_ASSERT_FALSE(test, IS_ERR(thread));
	for (i = 0; i < 20000; i++) {
		irq_work_queue(&slist->irq_work);
		slist_turn(slist);
	}
	irq_work_sync(&slist->irq_work);
	kthread_stop(thread);

	KUNIT_EXPECT_EQ(test, atomic_read(&slist->shared), 0);
	KUNIT_EXPECT_EQ(test, QueryDepthSList(&slist->head), ARRAY_SIZE(slist->records));
	entry = InterlockedFlushSList(&slist->head);
	for (; entry && left < 100; entry = entry->Next)
		left++;
	KUNIT_EXPECT_EQ(test, left, ARRAY_SIZE(slist->records));
}

/* Work items */

struct work {
	PIO_WORKITEM item;
	PDEVICE_OBJECT device;
	int again;		/* how often the routine queues the item */
	int calls;
	bool free;
	KIRQL level;
	KEVENT may_go_on;
};

static void work_routine(PDEVICE_OBJECT device, PVOID context)
{
	struct work *work = context;

	KeWaitForSingleObject(&work->may_go_on, Executive, KernelMode, FALSE, NULL);
	work->calls++;
	work->device = device;
	work->level = KeGetCurrentIrql();
	if (work->again-- > 0)
		IoQueueWorkItem(work->item, work_routine, DelayedWorkQueue, work);
	else if (work->free)
		IoFreeWorkItem(work->item);
}

static void work_start(struct kunit *test, struct work *work)
{
	work->item = IoAllocateWorkItem((PDEVICE_OBJECT)test);
	KUNIT_ASSERT_NOT_NULL(test, work->item);
	KeInitializeEvent(&work->may_go_on, NotificationEvent, TRUE);
}

static void a_work_item_runs_at_passive_level(struct kunit *test)
{
	struct work work = {};
	KIRQL old;

	work_start(test, &work);
	KeRaiseIrql(DISPATCH_LEVEL, &old);
	IoQueueWorkItem(work.item, work_routine, DelayedWorkQueue, &work);
	KeLowerIrql(old);
	linux_flush_work_items();
	KUNIT_EXPECT_EQ(test, work.calls, 1);
	KUNIT_EXPECT_EQ(test, work.level, PASSIVE_LEVEL);
	KUNIT_EXPECT_PTR_EQ(test, work.device, (PDEVICE_OBJECT)test);
	IoFreeWorkItem(work.item);
}

static void a_work_item_may_queue_and_free_itself(struct kunit *test)
{
	struct work work = { .again = 2, .free = true };
	int i;

	work_start(test, &work);
	IoQueueWorkItem(work.item, work_routine, DelayedWorkQueue, &work);
	for (i = 0; i < 3; i++)
		linux_flush_work_items();
	KUNIT_EXPECT_EQ(test, work.calls, 3);
}

static void a_work_item_that_waits_keeps_no_other_waiting(struct kunit *test)
{
	struct work first = {}, second = {};
	int i;

	work_start(test, &first);
	work_start(test, &second);
	KeClearEvent(&first.may_go_on);
	IoQueueWorkItem(first.item, work_routine, DelayedWorkQueue, &first);
	IoQueueWorkItem(second.item, work_routine, DelayedWorkQueue, &second);
	for (i = 0; i < 5000 && !READ_ONCE(second.calls); i++)
		usleep_range(1000, 1100);
	KUNIT_EXPECT_EQ(test, second.calls, 1);
	KUNIT_EXPECT_EQ(test, first.calls, 0);
	KeSetEvent(&first.may_go_on, IO_NO_INCREMENT, FALSE);
	linux_flush_work_items();
	KUNIT_EXPECT_EQ(test, first.calls, 1);
	IoFreeWorkItem(first.item);
	IoFreeWorkItem(second.item);
}

static void a_work_item_that_is_queued_twice_runs_once(struct kunit *test)
{
	struct work work = {}, other = {};
	int i;

	work_start(test, &work);
	KeInitializeEvent(&other.may_go_on, NotificationEvent, TRUE);
	/* While its routine runs the item can be queued, and then it is. */
	KeClearEvent(&work.may_go_on);
	IoQueueWorkItem(work.item, work_routine, DelayedWorkQueue, &work);
	for (i = 0; i < 5000 && list_empty_careful(&work.may_go_on.Header.Waiters); i++)
		usleep_range(1000, 1100);
	IoQueueWorkItem(work.item, work_routine, DelayedWorkQueue, &work);
	IoQueueWorkItem(work.item, work_routine, DelayedWorkQueue, &other);
	KeSetEvent(&work.may_go_on, IO_NO_INCREMENT, FALSE);
	linux_flush_work_items();
	KUNIT_EXPECT_EQ(test, work.calls, 2);
	KUNIT_EXPECT_EQ(test, other.calls, 0);
	IoFreeWorkItem(work.item);
}

/* Another module's, as a routine of it would look to this one. */
static struct module *const other_module; /* NULL, which no module is */

static int flushing_thread(void *data)
{
	struct completion *flushed = data;

	linux_flush_work_items();
	complete(flushed);
	while (!kthread_should_stop())
		usleep_range(100, 200);
	return 0;
}

static void flushing_waits_for_no_other_modules_items(struct kunit *test)
{
	DECLARE_COMPLETION_ONSTACK(flushed);
	struct work mine = {}, others = {};
	struct task_struct *thread;

	work_start(test, &mine);
	others.item = nt_allocate_work_item(NULL, other_module);
	KUNIT_ASSERT_NOT_NULL(test, others.item);
	KeInitializeEvent(&others.may_go_on, NotificationEvent, FALSE);
	KeClearEvent(&mine.may_go_on);
	IoQueueWorkItem(others.item, work_routine, DelayedWorkQueue, &others);
	IoQueueWorkItem(mine.item, work_routine, DelayedWorkQueue, &mine);

	thread = kthread_run(flushing_thread, &flushed, "kmcl_flush");
	KUNIT_EXPECT_FALSE(test, IS_ERR(thread));
	/* For its own it waits. */
	KUNIT_EXPECT_EQ(test, wait_for_completion_timeout(&flushed, HZ / 10), 0);
	KeSetEvent(&mine.may_go_on, IO_NO_INCREMENT, FALSE);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&flushed, 10 * HZ), 0);
	KUNIT_EXPECT_EQ(test, mine.calls, 1);
	KUNIT_EXPECT_EQ(test, others.calls, 0);

	KeSetEvent(&others.may_go_on, IO_NO_INCREMENT, FALSE);
	nt_flush_work_items(other_module);
	KUNIT_EXPECT_EQ(test, others.calls, 1);
	if (!IS_ERR(thread))
		kthread_stop(thread);
	IoFreeWorkItem(mine.item);
	IoFreeWorkItem(others.item);
}

/* Strings and the rest */

/* Two words of the same name: each side has its own. That of drivers is in nt_words_text.c. */
static void words_that_mean_something_else_are_linux_on_its_side(struct kunit *test)
{
	int current_is_a_macro = 0;

#ifdef current
	current_is_a_macro = 1;
#endif
	KUNIT_EXPECT_EQ(test, current_is_a_macro, 1);
	KUNIT_EXPECT_EQ(test, PAGE_ALIGN(1UL), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, ULONG_MAX, ~0UL);
}

static void strings_are_copied_as_far_as_there_is_room(struct kunit *test)
{
	WCHAR room[8];
	UNICODE_STRING copy = { .MaximumLength = 8, .Buffer = room };
	UNICODE_STRING text;

	memset(room, 0xff, sizeof(room));
	RtlInitUnicodeString(&text, L"abc");
	KUNIT_EXPECT_EQ(test, text.Length, 6);
	KUNIT_EXPECT_EQ(test, text.MaximumLength, 8);
	RtlCopyUnicodeString(&copy, &text);
	KUNIT_EXPECT_EQ(test, copy.Length, 6);
	KUNIT_EXPECT_EQ(test, memcmp(room, L"abc", 8), 0);

	/* No room for a zero, and none for the rest. */
	RtlInitUnicodeString(&text, L"defghi");
	RtlCopyUnicodeString(&copy, &text);
	KUNIT_EXPECT_EQ(test, copy.Length, 8);
	KUNIT_EXPECT_EQ(test, memcmp(room, L"defg\xffff", 10), 0);

	RtlCopyUnicodeString(&copy, NULL);
	KUNIT_EXPECT_EQ(test, copy.Length, 0);
	KUNIT_EXPECT_EQ(test, copy.MaximumLength, 8);
	KUNIT_EXPECT_EQ(test, room[0], 'd');
}

static void strings_are_compared_by_character_and_length(struct kunit *test)
{
	UNICODE_STRING empty, ab, abc, big, umlaut, umlaut_big;

	RtlInitUnicodeString(&empty, NULL);
	RtlInitUnicodeString(&ab, L"ab");
	RtlInitUnicodeString(&abc, L"abc");
	RtlInitUnicodeString(&big, L"AB");
	RtlInitUnicodeString(&umlaut, L"\x00e4");
	RtlInitUnicodeString(&umlaut_big, L"\x00c4");
	KUNIT_EXPECT_EQ(test, RtlCompareUnicodeString(&ab, &ab, FALSE), 0);
	KUNIT_EXPECT_LT(test, RtlCompareUnicodeString(&ab, &abc, FALSE), 0);
	KUNIT_EXPECT_GT(test, RtlCompareUnicodeString(&abc, &ab, FALSE), 0);
	KUNIT_EXPECT_GT(test, RtlCompareUnicodeString(&ab, &big, FALSE), 0);
	KUNIT_EXPECT_EQ(test, RtlCompareUnicodeString(&ab, &big, TRUE), 0);
	KUNIT_EXPECT_EQ(test, RtlCompareUnicodeString(&big, &ab, TRUE), 0);
	KUNIT_EXPECT_LT(test, RtlCompareUnicodeString(&empty, &ab, TRUE), 0);
	KUNIT_EXPECT_TRUE(test, RtlEqualUnicodeString(&empty, &empty, TRUE));
	KUNIT_EXPECT_FALSE(test, RtlEqualUnicodeString(&ab, &abc, TRUE));
	/* The capitals of ASCII only. */
	KUNIT_EXPECT_FALSE(test, RtlEqualUnicodeString(&umlaut, &umlaut_big, TRUE));
}

static void assertions_cost_nothing_in_a_free_build(struct kunit *test)
{
	int evaluated = 0;

	NT_ASSERT(++evaluated < 0);
	KUNIT_EXPECT_EQ(test, evaluated, 0);
	KUNIT_EXPECT_FALSE(test, NT_VERIFY(++evaluated < 0));
	KUNIT_EXPECT_EQ(test, evaluated, 1);
}

static struct kunit_case nt_cases[] = {
	KUNIT_CASE(words_for_both_systems_do_as_on_windows),
	KUNIT_CASE(the_level_follows_the_context),
	KUNIT_CASE(raising_and_lowering_nest),
	KUNIT_CASE(lowering_undoes_every_raise),
	KUNIT_CASE(raising_where_linux_only_keeps_preemption_off_keeps_dpcs_out),
	KUNIT_CASE(locks_are_released_in_any_order),
	KUNIT_CASE(a_lock_leaves_interrupts_off_that_are_off),
	KUNIT_CASE(a_lock_keeps_a_dpc_out),
	KUNIT_CASE_PARAM(pool_memory_is_aligned_as_on_windows, pool_size_gen_params),
	KUNIT_CASE_PARAM(pool_memory_is_zeroed_where_promised, pool_size_gen_params),
	KUNIT_CASE(pool_flags_are_obeyed_or_refused),
	KUNIT_CASE(much_memory_is_had_at_passive_level_and_freed_at_any),
	KUNIT_CASE(a_lookaside_list_gives_entries_of_its_size),
	KUNIT_CASE(a_lookaside_list_uses_the_drivers_routines),
	KUNIT_CASE(an_ex_lookaside_list_tells_the_drivers_routines_of_itself),
	KUNIT_CASE(an_ex_lookaside_list_needs_no_routines),
	KUNIT_CASE(an_ex_lookaside_list_checks_its_parameters),
	KUNIT_CASE(an_entry_is_popped_once_whoever_pops_it),
	KUNIT_CASE(a_work_item_runs_at_passive_level),
	KUNIT_CASE(a_work_item_may_queue_and_free_itself),
	KUNIT_CASE(a_work_item_that_waits_keeps_no_other_waiting),
	KUNIT_CASE(a_work_item_that_is_queued_twice_runs_once),
	KUNIT_CASE(flushing_waits_for_no_other_modules_items),
	KUNIT_CASE(words_that_mean_something_else_are_linux_on_its_side),
	KUNIT_CASE(strings_are_copied_as_far_as_there_is_room),
	KUNIT_CASE(strings_are_compared_by_character_and_length),
	KUNIT_CASE(assertions_cost_nothing_in_a_free_build),
	{}
};

static struct kunit_suite nt_suite = {
	.name = "kmcl_nt",
	.test_cases = nt_cases,
};

kunit_test_suite(nt_suite);
