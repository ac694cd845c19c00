// SPDX-License-Identifier: GPL-2.0
/*
 * Plug and play: what is offered becomes a device of the driver's, and goes.
 *
 * The core tells of offers (core/device.h) and of hibernation (core/sleep.h), a driver that
 * it is unloaded. All of them only note what they want and queue the work of the devices
 * concerned: one for each, so that devices do not wait for each other. The work compares
 * that with what is, and takes one step after the other. All callbacks of a device
 * but those of its own timers, DPCs and work items run in it, one at a time.
 *
 * Before hv_vmbus' channels are closed for hibernation (hv_sleep.c) the devices leave D0,
 * so that their drivers close them as on Windows; they enter it again when that is over.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/notifier.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "../core/sleep.h"
#include "framework.h"

/* Drivers may need time; hv_sleep.c has as much for their channels. */
#define WDF_SLEEP_TIMEOUT	(35 * HZ)
/* Told before hv_sleep.c. */
#define WDF_SLEEP_PRIORITY	1

static struct workqueue_struct *wdf_pnp_wq;

/* Guards the lists, and of a device what is said there. Nothing is called under it. */
static DEFINE_SPINLOCK(wdf_pnp_lock);
static LIST_HEAD(wdf_drivers);
static bool wdf_sleeps;

/* Woken when a device has fallen asleep, or is gone. */
static DECLARE_WAIT_QUEUE_HEAD(wdf_pnp_settled);

/* Called with the lock held. */
static void wdf_pnp_ask(struct wdf_pnp *pnp)
{
	lockdep_assert_held(&wdf_pnp_lock);
	queue_work(wdf_pnp_wq, &pnp->work);
}

/* The first of that name, which may be gone already. Called with the lock held. */
static struct wdf_pnp *wdf_pnp_first(struct wdf_driver *driver, const guid_t *type,
				     const guid_t *instance)
{
	struct wdf_pnp *pnp;

	list_for_each_entry(pnp, &driver->devices, node) {
		if (guid_equal(&pnp->type, type) && guid_equal(&pnp->instance, instance))
			return pnp;
	}
	return NULL;
}

/* The one of that name that is offered. Called with the lock held. */
static struct wdf_pnp *wdf_pnp_find(struct wdf_driver *driver, const guid_t *type,
				    const guid_t *instance)
{
	struct wdf_pnp *pnp;

	list_for_each_entry(pnp, &driver->devices, node) {
		if (!pnp->gone && guid_equal(&pnp->type, type) &&
		    guid_equal(&pnp->instance, instance))
			return pnp;
	}
	return NULL;
}

/* The driver may have references on it, but it is of no device any more. */
static void wdf_pnp_delete(struct wdf_pnp *pnp)
{
	struct wdf_device *device = pnp->device;

	pnp->device = NULL;
	spin_lock_irq(&wdf_pnp_lock);
	device->pnp = NULL;
	spin_unlock_irq(&wdf_pnp_lock);
	wdf_object_delete(wdf_object_of(device));
}

static void wdf_pnp_remove(struct wdf_pnp *pnp, bool surprise)
{
	wdf_power_remove(pnp->device, surprise);
	wdf_pnp_delete(pnp);
}

static void wdf_pnp_add(struct wdf_pnp *pnp)
{
	struct wdf_driver *driver = pnp->driver;
	NTSTATUS status;

	if (!driver->config.EvtDriverDeviceAdd)
		return;
	pnp->init.pnp = pnp;
	status = driver->config.EvtDriverDeviceAdd(wdf_body(driver->object), &pnp->init);
	if (!NT_SUCCESS(status)) {
		pr_err("%s: EvtDriverDeviceAdd of %pUl failed: status %08x\n",
		       driver->kmdf->name, &pnp->instance, status);
		if (pnp->device)
			wdf_pnp_delete(pnp);
	} else if (pnp->device && !wdf_power_start(pnp->device)) {
		wdf_pnp_remove(pnp, false);
	}
}

/* One step towards what is wanted. Returns false if there is none left to take. */
static bool wdf_pnp_step(struct wdf_pnp *pnp)
{
	struct wdf_device *device = pnp->device;
	bool gone, unloads, failed, sleeps, first;

	spin_lock_irq(&wdf_pnp_lock);
	gone = pnp->gone;
	unloads = pnp->unloads;
	failed = pnp->failed;
	sleeps = wdf_sleeps;
	/* One that was rescinded may still be going: then this one waits. */
	first = wdf_pnp_first(pnp->driver, &pnp->type, &pnp->instance) == pnp;
	/* It has no callback that hibernation would have to wait for. */
	pnp->rests = sleeps && (!device || !device->in_d0);
	spin_unlock_irq(&wdf_pnp_lock);

	if (device && (gone || unloads || failed)) {
		wdf_pnp_remove(pnp, gone || failed);
	} else if (!pnp->added && first && !sleeps && !gone && !unloads) {
		pnp->added = true;
		wdf_pnp_add(pnp);
	} else if (device && device->in_d0 && sleeps) {
		wdf_power_down(device, WdfPowerDeviceD3);
	} else if (device && !device->in_d0 && !sleeps) {
		if (!wdf_power_up(device))
			wdf_pnp_remove(pnp, true);
	} else {
		return false;
	}
	return true;
}

static void wdf_pnp_work(struct work_struct *work)
{
	struct wdf_pnp *pnp = container_of(work, struct wdf_pnp, work);
	unsigned int flags = memalloc_noio_save();
	struct wdf_pnp *next;
	bool over;

	/* A disk's requests may wait for its device to come back, and memory for them. */
	while (wdf_pnp_step(pnp))
		;
	memalloc_noio_restore(flags);

	spin_lock_irq(&wdf_pnp_lock);
	over = (pnp->gone || pnp->unloads) && !pnp->device;
	if (over) {
		list_del(&pnp->node);
		next = wdf_pnp_first(pnp->driver, &pnp->type, &pnp->instance);
		if (next)
			wdf_pnp_ask(next);
	}
	spin_unlock_irq(&wdf_pnp_lock);
	if (over) {
		/* Off the list and without a device it is not queued any more. */
		cancel_work(&pnp->work);
		kfree(pnp);
	}
	/* The driver may be gone from here on. */
	wake_up_all(&wdf_pnp_settled);
}

static struct wdf_pnp *wdf_pnp_alloc(struct wdf_driver *driver, const guid_t *type,
				     const guid_t *instance)
{
	struct wdf_pnp *pnp = kzalloc(sizeof(*pnp), GFP_KERNEL);

	if (!pnp)
		return NULL;
	pnp->driver = driver;
	guid_copy(&pnp->type, type);
	guid_copy(&pnp->instance, instance);
	INIT_WORK(&pnp->work, wdf_pnp_work);
	return pnp;
}

static void wdf_pnp_arrived(struct kmcl_device_watch *watch, const guid_t *instance)
{
	struct wdf_watch *w = container_of(watch, struct wdf_watch, watch);
	struct wdf_driver *driver = w->driver;
	struct wdf_pnp *fresh;

	fresh = wdf_pnp_alloc(driver, &watch->type, instance);
	if (!fresh) {
		pr_err("%s: no memory for device %pUl\n", driver->kmdf->name, instance);
		return;
	}

	spin_lock_irq(&wdf_pnp_lock);
	if (!wdf_pnp_find(driver, &watch->type, instance)) {
		list_add_tail(&fresh->node, &driver->devices);
		wdf_pnp_ask(fresh);
		fresh = NULL;
	}
	spin_unlock_irq(&wdf_pnp_lock);
	kfree(fresh);
}

static void wdf_pnp_gone(struct kmcl_device_watch *watch, const guid_t *instance)
{
	struct wdf_watch *w = container_of(watch, struct wdf_watch, watch);
	struct wdf_pnp *pnp;

	spin_lock_irq(&wdf_pnp_lock);
	pnp = wdf_pnp_find(w->driver, &watch->type, instance);
	if (pnp) {
		pnp->gone = true;
		wdf_pnp_ask(pnp);
	}
	spin_unlock_irq(&wdf_pnp_lock);
}

/* The driver of the device says that it does not work. */
void wdf_pnp_fail(struct wdf_device *device)
{
	unsigned long flags;

	spin_lock_irqsave(&wdf_pnp_lock, flags);
	if (device->pnp) {
		device->pnp->failed = true;
		wdf_pnp_ask(device->pnp);
	}
	spin_unlock_irqrestore(&wdf_pnp_lock, flags);
}

/* From now on its devices are added. */
void wdf_pnp_start(struct wdf_driver *driver)
{
	u32 i;

	spin_lock_irq(&wdf_pnp_lock);
	list_add_tail(&driver->node, &wdf_drivers);
	spin_unlock_irq(&wdf_pnp_lock);
	for (i = 0; i < driver->n_watches; i++) {
		driver->watches[i].watch.arrived = wdf_pnp_arrived;
		driver->watches[i].watch.gone = wdf_pnp_gone;
		kmcl_devices_watch(&driver->watches[i].watch);
	}
}

static bool wdf_pnp_has_none(struct wdf_driver *driver)
{
	bool none;

	spin_lock_irq(&wdf_pnp_lock);
	none = list_empty(&driver->devices);
	spin_unlock_irq(&wdf_pnp_lock);
	return none;
}

/* When this returns all its devices have been removed. */
void wdf_pnp_stop(struct wdf_driver *driver)
{
	struct wdf_pnp *pnp;
	u32 i;

	for (i = 0; i < driver->n_watches; i++)
		kmcl_devices_unwatch(&driver->watches[i].watch);

	spin_lock_irq(&wdf_pnp_lock);
	list_for_each_entry(pnp, &driver->devices, node) {
		pnp->unloads = true;
		wdf_pnp_ask(pnp);
	}
	spin_unlock_irq(&wdf_pnp_lock);
	wait_event_idle(wdf_pnp_settled, wdf_pnp_has_none(driver));

	spin_lock_irq(&wdf_pnp_lock);
	list_del(&driver->node);
	spin_unlock_irq(&wdf_pnp_lock);
}

static void wdf_pnp_set_sleeps(bool sleeps)
{
	struct wdf_driver *driver;
	struct wdf_pnp *pnp;

	spin_lock_irq(&wdf_pnp_lock);
	wdf_sleeps = sleeps;
	list_for_each_entry(driver, &wdf_drivers, node) {
		list_for_each_entry(pnp, &driver->devices, node) {
			pnp->rests = false;
			wdf_pnp_ask(pnp);
		}
	}
	spin_unlock_irq(&wdf_pnp_lock);
}

static bool wdf_pnp_all_rest(void)
{
	struct wdf_driver *driver;
	struct wdf_pnp *pnp;
	bool all = true;

	spin_lock_irq(&wdf_pnp_lock);
	list_for_each_entry(driver, &wdf_drivers, node)
		list_for_each_entry(pnp, &driver->devices, node)
			all &= pnp->rests;
	spin_unlock_irq(&wdf_pnp_lock);
	return all;
}

static int wdf_pnp_sleep_event(struct notifier_block *sleeper, unsigned long event,
			       void *unused)
{
	wdf_pnp_set_sleeps(event == KMCL_SLEEP);
	if (event == KMCL_WAKE ||
	    wait_event_timeout(wdf_pnp_settled, wdf_pnp_all_rest(), WDF_SLEEP_TIMEOUT))
		return NOTIFY_DONE;

	pr_err("the guest cannot hibernate: a device does not leave D0\n");
	wdf_pnp_set_sleeps(false);
	return notifier_from_errno(-EBUSY);
}

static struct notifier_block wdf_pnp_sleeper = {
	.notifier_call = wdf_pnp_sleep_event,
	.priority = WDF_SLEEP_PRIORITY,
};

int wdf_pnp_init(void)
{
	int err;

	/* Without a rescuer: a device that goes may flush any queue, as a SCSI host's does. */
	wdf_pnp_wq = alloc_workqueue("vmbkmcl_pnp", WQ_UNBOUND, 0);
	if (!wdf_pnp_wq)
		return -ENOMEM;
	err = kmcl_sleep_register(&wdf_pnp_sleeper);
	if (err)
		destroy_workqueue(wdf_pnp_wq);
	return err;
}

void wdf_pnp_exit(void)
{
	kmcl_sleep_unregister(&wdf_pnp_sleeper);
	destroy_workqueue(wdf_pnp_wq);
}
