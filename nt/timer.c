// SPDX-License-Identifier: GPL-2.0
/*
 * Timers.
 *
 * A timer is in memory of the driver's, which may free it as soon as it is out of the
 * queue: after KeCancelTimer(), after a wait for it, or in its DPC's routine. An hrtimer
 * in it would have to be waited for then. So timers are in queues of this file's, and
 * each queue has one hrtimer for the next of them.
 */
#include <linux/export.h>
#include <linux/hrtimer.h>
#include <linux/rbtree.h>
#include <linux/version.h>

#include <ntddk.h>

#include "nt.h"
#include "object.h"

/* The timers that are set by one of Linux' clocks, the next one first. */
struct nt_clock {
	struct hrtimer hrtimer;
	struct rb_root_cached timers;
	ktime_t (*now)(void);
};

/* Intervals; and times of the day, which follow the clock when that is set. */
static struct nt_clock nt_interval_clock = { .now = ktime_get };
static struct nt_clock nt_day_clock = { .now = ktime_get_real };

/* Guards both queues and the timers in them. Outside the objects' locks. */
static DEFINE_RAW_SPINLOCK(nt_timer_lock);

static bool nt_timer_less(struct rb_node *a, const struct rb_node *b)
{
	return ktime_before(rb_entry(a, KTIMER, Node)->Due, rb_entry(b, KTIMER, Node)->Due);
}

static void nt_clock_start(struct nt_clock *clock, const KTIMER *next)
{
	hrtimer_start(&clock->hrtimer, next->Due, HRTIMER_MODE_ABS_HARD);
}

static void nt_timer_insert(KTIMER *timer, struct nt_clock *clock, ktime_t due)
{
	timer->Clock = clock;
	timer->Due = due;
	if (rb_add_cached(&timer->Node, &clock->timers, nt_timer_less))
		nt_clock_start(clock, timer);
}

static bool nt_timer_remove(KTIMER *timer)
{
	if (!timer->Clock)
		return false;
	rb_erase_cached(&timer->Node, &timer->Clock->timers);
	timer->Clock = NULL;
	return true;
}

/* When it is due again: a beat that has been missed is left out. */
static ktime_t nt_timer_again(const KTIMER *timer, bool of_day)
{
	ktime_t now = nt_interval_clock.now();
	ktime_t period = ms_to_ktime(timer->Period);
	ktime_t due = ktime_add(timer->Due, period);

	return of_day || ktime_before(due, now) ? ktime_add(now, period) : due;
}

static void nt_timer_expire(KTIMER *timer)
{
	bool of_day = timer->Clock == &nt_day_clock;
	PKDPC dpc = timer->Dpc;
	struct nt_hold hold;

	nt_timer_remove(timer);
	if (timer->Period)
		nt_timer_insert(timer, &nt_interval_clock, nt_timer_again(timer, of_day));

	nt_object_lock(&timer->Header, &hold);
	timer->Header.SignalState = 1;
	nt_object_serve(&timer->Header);
	nt_object_unlock(&timer->Header, &hold);

	/*
	 * At last, as the routine may free the timer. A thread that waited for it may flush
	 * DPCs already, but nt_timers_settle() waits until this one is queued.
	 */
	if (dpc)
		KeInsertQueueDpc(dpc, NULL, NULL);
}

/* Under nt_timer_lock. */
static void nt_clock_run(struct nt_clock *clock)
{
	ktime_t now = clock->now();
	struct rb_node *first;

	while ((first = rb_first_cached(&clock->timers))) {
		KTIMER *timer = rb_entry(first, KTIMER, Node);

		if (ktime_after(timer->Due, now)) {
			nt_clock_start(clock, timer);
			break;
		}
		nt_timer_expire(timer);
	}
}

static enum hrtimer_restart nt_clock_fn(struct hrtimer *hrtimer)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&nt_timer_lock, flags);
	nt_clock_run(container_of(hrtimer, struct nt_clock, hrtimer));
	raw_spin_unlock_irqrestore(&nt_timer_lock, flags);
	/* Or it has been started here. */
	return HRTIMER_NORESTART;
}

/* What expired before this is called has signaled its timer and queued its DPC after it. */
void nt_timers_settle(void)
{
	raw_spin_lock_irq(&nt_timer_lock);
	raw_spin_unlock_irq(&nt_timer_lock);
}

/**
 * KeInitializeTimerEx() - make a timer that is not set and not signaled
 * @Timer: memory for it
 * @Type: NotificationTimer: stays signaled until it is set again, and releases all
 *	threads that wait. SynchronizationTimer: releases one, and is reset by that.
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID KeInitializeTimerEx(PKTIMER Timer, TIMER_TYPE Type)
{
	nt_object_init(&Timer->Header, Type == NotificationTimer ?
		       NtNotificationObject : NtSynchronizationObject, 0);
	Timer->Clock = NULL;
	Timer->Period = 0;
	Timer->Dpc = NULL;
}
EXPORT_SYMBOL_GPL(KeInitializeTimerEx);

/**
 * KeSetTimerEx() - have a timer signaled, once or again and again
 * @Timer: the timer. If it is set that is undone; if it is signaled that, too.
 * @DueTime: in units of 100 ns: negative: from now on, and time asleep does not
 *	count; positive: the system time, also if that is set meanwhile. What is over is
 *	at once.
 * @Period: in ms from then on; 0: once
 * @Dpc: queued when it is signaled, with arguments that say nothing; may be NULL
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: whether it was set: TRUE or FALSE.
 */
BOOLEAN KeSetTimerEx(PKTIMER Timer, LARGE_INTEGER DueTime, LONG Period, PKDPC Dpc)
{
	struct nt_clock *clock = &nt_interval_clock;
	struct nt_hold hold;
	unsigned long flags;
	bool was_set;
	ktime_t due;

	if (DueTime.QuadPart < 0) {
		due = ktime_add_safe(clock->now(), nt_units_to_ktime(-(u64)DueTime.QuadPart));
	} else {
		clock = &nt_day_clock;
		due = nt_units_to_ktime(max(DueTime.QuadPart, NT_TIME_OF_1970) -
					NT_TIME_OF_1970);
	}

	raw_spin_lock_irqsave(&nt_timer_lock, flags);
	was_set = nt_timer_remove(Timer);
	nt_object_lock(&Timer->Header, &hold);
	Timer->Header.SignalState = 0;
	nt_object_unlock(&Timer->Header, &hold);
	Timer->Period = max(Period, 0);
	Timer->Dpc = Dpc;
	nt_timer_insert(Timer, clock, due);
	if (!ktime_after(due, clock->now()))
		nt_clock_run(clock);
	raw_spin_unlock_irqrestore(&nt_timer_lock, flags);
	return was_set;
}
EXPORT_SYMBOL_GPL(KeSetTimerEx);

/**
 * KeCancelTimer() - undo KeSetTimerEx()
 * @Timer: the timer. It stays signaled if it is. Its DPC may be queued, or run: see
 *	KeFlushQueuedDpcs() and KeRemoveQueueDpc().
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: whether it was set: TRUE or FALSE. With a period it is until it is cancelled.
 */
BOOLEAN KeCancelTimer(PKTIMER Timer)
{
	unsigned long flags;
	bool was_set;

	raw_spin_lock_irqsave(&nt_timer_lock, flags);
	was_set = nt_timer_remove(Timer);
	raw_spin_unlock_irqrestore(&nt_timer_lock, flags);
	return was_set;
}
EXPORT_SYMBOL_GPL(KeCancelTimer);

/**
 * KeReadStateTimer() - whether a timer is signaled
 * @Timer: the timer
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: TRUE or FALSE.
 */
BOOLEAN KeReadStateTimer(PKTIMER Timer)
{
	return nt_object_state(&Timer->Header) > 0;
}
EXPORT_SYMBOL_GPL(KeReadStateTimer);

static void nt_clock_init(struct nt_clock *clock, clockid_t id)
{
	clock->timers = RB_ROOT_CACHED;
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
	hrtimer_init(&clock->hrtimer, id, HRTIMER_MODE_ABS_HARD);
	clock->hrtimer.function = nt_clock_fn;
#else
	hrtimer_setup(&clock->hrtimer, nt_clock_fn, id, HRTIMER_MODE_ABS_HARD);
#endif
}

void nt_timers_init(void)
{
	nt_clock_init(&nt_interval_clock, CLOCK_MONOTONIC);
	nt_clock_init(&nt_day_clock, CLOCK_REALTIME);
}

/* It may still be started for a timer that has been cancelled. */
void nt_timers_exit(void)
{
	hrtimer_cancel(&nt_interval_clock.hrtimer);
	hrtimer_cancel(&nt_day_clock.hrtimer);
}
