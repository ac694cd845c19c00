// SPDX-License-Identifier: GPL-2.0
/*
 * Timers: a Linux timer, whose handler is at DISPATCH_LEVEL; where the callback is for
 * PASSIVE_LEVEL, it queues work.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/timer.h>
#include <linux/version.h>

#include "framework.h"

/* Their old names, which newer kernels do not have. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define timer_delete(timer)		del_timer(timer)
#define timer_delete_sync(timer)	del_timer_sync(timer)
#endif

struct wdf_timer {
	PFN_WDF_TIMER func;
	struct wdf_serial *serial;
	unsigned long period;	/* in jiffies, or 0 */
	bool passive;
	spinlock_t lock;	/* guards the next: whether the timer is set anew */
	bool on;
	struct timer_list timer;
	struct work_struct work;
};

static void wdf_timer_call(struct wdf_timer *t)
{
	wdf_serial_enter(t->serial);
	t->func((WDFTIMER)t);
	wdf_serial_leave(t->serial);
}

static void wdf_timer_work(struct work_struct *work)
{
	struct wdf_timer *t = container_of(work, struct wdf_timer, work);

	/* The callback may delete the timer, which is later done by another work item. */
	wdf_object_runs(t, true);
	wdf_timer_call(t);
	wdf_object_runs(t, false);
}

static void wdf_timer_expired(struct timer_list *timer)
{
	struct wdf_timer *t = container_of(timer, struct wdf_timer, timer);

	spin_lock(&t->lock);
	if (t->on && t->period)
		mod_timer(timer, jiffies + t->period);
	spin_unlock(&t->lock);
	if (t->passive)
		queue_work(wdf_wq, &t->work);
	else
		wdf_timer_call(t);
}

static bool wdf_timer_off(struct wdf_timer *t)
{
	unsigned long flags;
	bool was;

	spin_lock_irqsave(&t->lock, flags);
	t->on = false;
	was = timer_delete(&t->timer);
	spin_unlock_irqrestore(&t->lock, flags);
	return was;
}

static void wdf_timer_wait(struct wdf_timer *t)
{
	timer_delete_sync(&t->timer);
	flush_work(&t->work);
}

static void wdf_timer_stop(void *body)
{
	wdf_timer_off(body);
	wdf_timer_wait(body);
}

static const struct wdf_kind wdf_timer_kind = {
	.name = "timer",
	.size = sizeof(struct wdf_timer),
	.stop = wdf_timer_stop,
};

/**
 * WdfTimerCreate() - make a timer
 * @Config: its function; a period in ms or 0; whether it takes turns with others of
 *	the device; other members are not looked at
 * @Attributes: with a parent, which is a device or below one. With
 *	WdfExecutionLevelPassive the function is called at PASSIVE_LEVEL.
 * @Timer: the timer, which is not started
 *
 * This project's decision: a timer for PASSIVE_LEVEL may have a period. While its
 * function runs one expiry at most is remembered.
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_WDF_PARENT_NOT_SPECIFIED: there is no parent in @Attributes
 *  - STATUS_INVALID_DEVICE_REQUEST: the parent is not a device nor below one
 *  - STATUS_INVALID_PARAMETER: @Config has no function
 *  - STATUS_INFO_LENGTH_MISMATCH: the size of @Config or @Attributes
 *  - STATUS_WDF_INCOMPATIBLE_EXECUTION_LEVEL: it is to take turns with callbacks of
 *    the other level
 *  - STATUS_DELETE_PENDING: the parent is being deleted
 *  - STATUS_INSUFFICIENT_RESOURCES
 */
NTSTATUS WdfTimerCreate(PWDF_TIMER_CONFIG Config, PWDF_OBJECT_ATTRIBUTES Attributes,
			WDFTIMER *Timer)
{
	struct wdf_timer *t;
	NTSTATUS status;
	void *body;

	if (Config->Size != sizeof(*Config))
		return STATUS_INFO_LENGTH_MISMATCH;
	if (!Config->EvtTimerFunc)
		return STATUS_INVALID_PARAMETER;
	status = wdf_object_make(&wdf_timer_kind, NULL, Attributes, &body);
	if (!NT_SUCCESS(status))
		return status;

	t = body;
	t->func = Config->EvtTimerFunc;
	t->passive = Attributes->ExecutionLevel == WdfExecutionLevelPassive;
	if (Config->Period)
		t->period = max(msecs_to_jiffies(Config->Period), 1UL);
	spin_lock_init(&t->lock);
	timer_setup(&t->timer, wdf_timer_expired, 0);
	INIT_WORK(&t->work, wdf_timer_work);
	status = wdf_serial_add(t, Config->AutomaticSerialization, t->passive, &t->serial);
	if (NT_SUCCESS(status))
		*Timer = body;
	return status;
}
EXPORT_SYMBOL_GPL(WdfTimerCreate);

/* Not before @due, so a jiffy more than it takes. */
static unsigned long wdf_timer_jiffies(LONGLONG due)
{
	LONGLONG units = -max(due, -S64_MAX);
	LARGE_INTEGER now;

	if (due >= 0) {
		KeQuerySystemTimePrecise(&now);
		units = due - now.QuadPart;
	}
	if (units <= 0)
		return jiffies;
	/* 292 years are as good as any longer time. */
	units = min(units, S64_MAX / NT_TIME_UNIT_NS);
	return jiffies + nsecs_to_jiffies(units * NT_TIME_UNIT_NS) + 1;
}

/**
 * WdfTimerStart() - set a timer
 * @Timer: the timer
 * @DueTime: when its function is to be called first, in units of 100 ns: negative is
 *	from now on; else it is a system time, and a clock that is set meanwhile does not
 *	move it (this project's decision)
 *
 * One that is being deleted is left alone.
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: TRUE: it was set, and that is over.
 */
BOOLEAN WdfTimerStart(WDFTIMER Timer, LONGLONG DueTime)
{
	struct wdf_timer *t = wdf_get(Timer, &wdf_timer_kind);
	unsigned long flags;
	bool was = false;

	if (!t)
		return FALSE;
	spin_lock_irqsave(&t->lock, flags);
	/* Else it has been stopped for the last time, or is about to be. */
	if (!wdf_object_is_deleted(t)) {
		t->on = true;
		was = mod_timer(&t->timer, wdf_timer_jiffies(DueTime));
	}
	spin_unlock_irqrestore(&t->lock, flags);
	return was;
}
EXPORT_SYMBOL_GPL(WdfTimerStart);

/**
 * WdfTimerStop() - the opposite
 * @Timer: the timer
 * @Wait: return when its function does not run any more either. Not from the function:
 *	there it does not wait, with a line in the log.
 *
 * Context: PASSIVE_LEVEL with @Wait, else up to DISPATCH_LEVEL.
 *
 * Return: TRUE: it was set.
 */
BOOLEAN WdfTimerStop(WDFTIMER Timer, BOOLEAN Wait)
{
	struct wdf_timer *t = wdf_get(Timer, &wdf_timer_kind);
	bool was;

	if (!t)
		return FALSE;
	was = wdf_timer_off(t);
	if (!Wait)
		return was;
	if (KeGetCurrentIrql() >= DISPATCH_LEVEL || wdf_object_is_self(t))
		pr_err_ratelimited("%pS waits for a timer where that cannot be\n",
				   (void *)_RET_IP_);
	else
		wdf_timer_wait(t);
	return was;
}
EXPORT_SYMBOL_GPL(WdfTimerStop);

/**
 * WdfTimerGetParentObject() - the parent of a timer
 * @Timer: the timer
 *
 * Return: the parent.
 */
WDFOBJECT WdfTimerGetParentObject(WDFTIMER Timer)
{
	struct wdf_timer *t = wdf_get(Timer, &wdf_timer_kind);

	return t ? wdf_object_parent(t) : NULL;
}
EXPORT_SYMBOL_GPL(WdfTimerGetParentObject);
