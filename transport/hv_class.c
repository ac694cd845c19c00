// SPDX-License-Identifier: GPL-2.0
/*
 * One VMBus driver for each class that some channel waits for.
 *
 * The driver matches no device by itself. A work item for each class binds those that
 * a channel wants, gives back those that a channel has released, and registers and
 * unregisters the driver. Only this work waits for devices' locks: a channel's worker
 * asks and goes on, for the holder of such a lock may be waiting for that worker's
 * client. In turn nothing that is called with a device's lock held waits for a
 * channel's worker: see kmcl_hv_remove().
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <asm/mshyperv.h>

#include "hv.h"

/* A device that cannot be bound just now is looked at again after that long, */
#define KMCL_HV_RETRY	msecs_to_jiffies(20)
/* and sub-channels, of whose rescind nobody tells. */
#define KMCL_HV_LOOK	msecs_to_jiffies(100)

/* Guards the list and what its members say. Nothing is waited for inside it. */
static DEFINE_SPINLOCK(kmcl_hv_lock);
static LIST_HEAD(kmcl_hv_classes);
static u64 kmcl_hv_requests;

/* Woken when a class' work has dealt with a request. */
static DECLARE_WAIT_QUEUE_HEAD(kmcl_hv_settled);
/*
 * The second is for what an opening needs done beside it. Both have rescuers: memory may be
 * being freed by what waits for a device or an opening, so that there is none for another thread.
 */
static struct workqueue_struct *kmcl_hv_wq;
struct workqueue_struct *kmcl_hv_beside_wq;

/* No device is bound: see hv_sleep.c. */
static bool kmcl_hv_asleep;

bool kmcl_hv_is_asleep(void)
{
	return READ_ONCE(kmcl_hv_asleep);
}

static const struct hv_vmbus_device_id kmcl_hv_no_ids[] = { {} };

/* Called with the lock held. */
static u64 kmcl_hv_ask(struct kmcl_hv_class *class)
{
	lockdep_assert_held(&kmcl_hv_lock);
	class->asked = ++kmcl_hv_requests;
	mod_delayed_work(kmcl_hv_wq, &class->work, 0);
	return class->asked;
}

/* Called with the lock held. */
static struct kmcl_hv_class *kmcl_hv_find(const guid_t *type)
{
	struct kmcl_hv_class *class;

	list_for_each_entry(class, &kmcl_hv_classes, node) {
		if (guid_equal(&class->type, type))
			return class;
	}
	return NULL;
}

/* A channel waits anew: what it refused while it had a link may still be free. */
void kmcl_hv_rescan(const guid_t *type)
{
	struct kmcl_hv_class *class;

	spin_lock(&kmcl_hv_lock);
	class = kmcl_hv_find(type);
	if (class)
		kmcl_hv_ask(class);
	spin_unlock(&kmcl_hv_lock);
}

/* The core is done with the link: the device is given up, by the class' work. */
void kmcl_hv_release(struct kmcl_link *link)
{
	struct kmcl_hv_link *hv = to_hv_link(link);
	struct kmcl_hv_class *class;

	spin_lock(&kmcl_hv_lock);
	/* The channel watches the class until it has released its link. */
	class = kmcl_hv_find(&link->type);
	list_add_tail(&hv->node, &class->released);
	kmcl_hv_ask(class);
	spin_unlock(&kmcl_hv_lock);
}

static void kmcl_hv_unbind_released(struct kmcl_hv_class *class)
{
	struct kmcl_hv_link *hv;

	for (;;) {
		spin_lock(&kmcl_hv_lock);
		hv = list_first_entry_or_null(&class->released,
					      struct kmcl_hv_link, node);
		if (hv)
			list_del_init(&hv->node);
		spin_unlock(&kmcl_hv_lock);
		if (!hv)
			return;
		kmcl_hv_unbind(hv);
	}
}

/* A device has come or gone, or its driver has let go of it. */
static int kmcl_hv_notify(struct notifier_block *notifier, unsigned long event,
			  void *data)
{
	struct kmcl_hv_class *class =
		container_of(notifier, struct kmcl_hv_class, notifier);
	struct hv_device *dev = device_to_hv_device((struct device *)data);

	if ((event == BUS_NOTIFY_ADD_DEVICE || event == BUS_NOTIFY_REMOVED_DEVICE ||
	     event == BUS_NOTIFY_UNBOUND_DRIVER) &&
	    guid_equal(&dev->dev_type, &class->type))
		mod_delayed_work(kmcl_hv_wq, &class->work, 0);
	return NOTIFY_DONE;
}

static void kmcl_hv_register(struct kmcl_hv_class *class)
{
	int ret = vmbus_driver_register(&class->drv);

	if (ret) {
		pr_err("cannot register a VMBus driver for class %pUl: error %d; its devices are not used\n",
		       &class->type, ret);
		return;
	}
	bus_register_notifier(class->drv.driver.bus, &class->notifier);
	class->registered = true;
}

static void kmcl_hv_unregister(struct kmcl_hv_class *class)
{
	bus_unregister_notifier(class->drv.driver.bus, &class->notifier);
	vmbus_driver_unregister(&class->drv);
	class->registered = false;
}

/* Requests up to @ticket are dealt with. Returns whether the class is over. */
static bool kmcl_hv_finish(struct kmcl_hv_class *class, u64 ticket)
{
	bool over;

	spin_lock(&kmcl_hv_lock);
	class->done = ticket;
	over = !class->users && class->asked == ticket;
	if (over)
		list_del(&class->node);
	spin_unlock(&kmcl_hv_lock);

	wake_up_all(&kmcl_hv_settled);
	return over;
}

/* Channels wait for it to open again, and for them what would free memory: see core/control.c. */
static void kmcl_hv_class_work(struct work_struct *work)
{
	struct kmcl_hv_class *class =
		container_of(to_delayed_work(work), struct kmcl_hv_class, work);
	unsigned int noio = memalloc_noio_save(), reserves;
	bool used, watched, all, again = false, looks;
	u64 ticket;

	spin_lock(&kmcl_hv_lock);
	ticket = class->asked;
	used = class->users;
	watched = class->watchers;
	all = class->tell_all;
	class->tell_all = false;
	spin_unlock(&kmcl_hv_lock);

	kmcl_hv_unbind_released(class);
	if (used && !class->registered)
		kmcl_hv_register(class);
	if (used && class->registered && !kmcl_hv_is_asleep()) {
		/* A few pages, from the reserves: see kmcl_state_reconnect(). */
		reserves = memalloc_noreclaim_save();
		again = kmcl_hv_bind_wanted(class);
		memalloc_noreclaim_restore(reserves);
	}
	if (!watched)
		kmcl_hv_devices_forget(class);
	else if (class->registered)
		again |= kmcl_hv_devices_tell(class, all);
	looks = kmcl_hv_sub_look(&class->type);
	if (!used && class->registered)
		kmcl_hv_unregister(class);

	if (kmcl_hv_finish(class, ticket)) {
		/* Off the list and without a driver it is not queued any more. */
		cancel_delayed_work(&class->work);
		kfree(class);
	} else if (again || looks) {
		queue_delayed_work(kmcl_hv_wq, &class->work,
				   again ? KMCL_HV_RETRY : KMCL_HV_LOOK);
	}
	memalloc_noio_restore(noio);
}

static struct kmcl_hv_class *kmcl_hv_class_alloc(const guid_t *type)
{
	struct kmcl_hv_class *class = kzalloc(sizeof(*class), GFP_KERNEL);

	if (!class)
		return NULL;

	guid_copy(&class->type, type);
	INIT_LIST_HEAD(&class->released);
	INIT_LIST_HEAD(&class->devices);
	INIT_DELAYED_WORK(&class->work, kmcl_hv_class_work);
	class->notifier.notifier_call = kmcl_hv_notify;
	snprintf(class->name, sizeof(class->name), "vmbkmcl-%pUl", type);
	class->drv.name = class->name;
	class->drv.id_table = kmcl_hv_no_ids;
	class->drv.probe = kmcl_hv_probe;
	class->drv.remove = kmcl_hv_remove;

	guid_copy(&class->ids[0].guid, type);
	class->match.name = class->name;
	class->match.id_table = class->ids;
	class->match.driver.name = class->name;
	spin_lock_init(&class->match.dynids.lock);
	INIT_LIST_HEAD(&class->match.dynids.list);
	return class;
}

static int kmcl_hv_use(const guid_t *type, bool devices)
{
	struct kmcl_hv_class *class, *fresh = NULL;

	if (!hv_is_hyperv_initialized())
		return -ENODEV;

	/* A channel that opens again is not to depend on memory for what is there. */
	spin_lock(&kmcl_hv_lock);
	class = kmcl_hv_find(type);
	if (!class) {
		spin_unlock(&kmcl_hv_lock);
		fresh = kmcl_hv_class_alloc(type);
		if (!fresh)
			return -ENOMEM;
		spin_lock(&kmcl_hv_lock);
		class = kmcl_hv_find(type);
	}
	if (!class) {
		class = fresh;
		fresh = NULL;
		list_add(&class->node, &kmcl_hv_classes);
	}
	class->users++;
	class->watchers += devices;
	class->tell_all |= devices;
	kmcl_hv_ask(class);
	spin_unlock(&kmcl_hv_lock);

	kfree(fresh);
	return 0;
}

/* The caller watches the class, so it is there. */
static void kmcl_hv_unuse(const guid_t *type, bool devices)
{
	struct kmcl_hv_class *class;

	spin_lock(&kmcl_hv_lock);
	class = kmcl_hv_find(type);
	class->users--;
	class->watchers -= devices;
	kmcl_hv_ask(class);
	spin_unlock(&kmcl_hv_lock);
}

int kmcl_hv_watch(const guid_t *type)
{
	return kmcl_hv_use(type, false);
}

void kmcl_hv_unwatch(const guid_t *type)
{
	kmcl_hv_unuse(type, false);
}

/* The class' work tells, and may still be telling after the opposite: no watch hears it. */
int kmcl_hv_watch_devices(const guid_t *type)
{
	return kmcl_hv_use(type, true);
}

void kmcl_hv_unwatch_devices(const guid_t *type)
{
	kmcl_hv_unuse(type, true);
}

static bool kmcl_hv_is_settled(const guid_t *type, u64 ticket)
{
	struct kmcl_hv_class *class;
	bool settled;

	spin_lock(&kmcl_hv_lock);
	class = kmcl_hv_find(type);
	/* One that was made later has a later number. */
	settled = !class || class->done >= ticket;
	spin_unlock(&kmcl_hv_lock);
	return settled;
}

void kmcl_hv_settle(const guid_t *type)
{
	struct kmcl_hv_class *class;
	u64 ticket = 0;

	spin_lock(&kmcl_hv_lock);
	class = kmcl_hv_find(type);
	if (class)
		ticket = class->asked;
	spin_unlock(&kmcl_hv_lock);

	wait_event_idle(kmcl_hv_settled, kmcl_hv_is_settled(type, ticket));
}

/* From now on, or no longer: no device is bound. */
void kmcl_hv_set_asleep(bool asleep)
{
	struct kmcl_hv_class *class;

	spin_lock(&kmcl_hv_lock);
	WRITE_ONCE(kmcl_hv_asleep, asleep);
	list_for_each_entry(class, &kmcl_hv_classes, node)
		kmcl_hv_ask(class);
	spin_unlock(&kmcl_hv_lock);

	/* A search may be under way that began before. */
	if (asleep)
		flush_workqueue(kmcl_hv_wq);
}

int kmcl_hv_classes_init(void)
{
	kmcl_hv_wq = alloc_workqueue("vmbkmcl_bind", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!kmcl_hv_wq)
		return -ENOMEM;
	kmcl_hv_beside_wq = alloc_workqueue("vmbkmcl_beside", WQ_HIGHPRI | WQ_MEM_RECLAIM, 0);
	if (!kmcl_hv_beside_wq)
		goto destroy_bind;
	return 0;

destroy_bind:
	destroy_workqueue(kmcl_hv_wq);
	return -ENOMEM;
}

/* No channel watches any more: the work that is left ends by itself. */
void kmcl_hv_classes_exit(void)
{
	wait_event_idle(kmcl_hv_settled, list_empty_careful(&kmcl_hv_classes));
	destroy_workqueue(kmcl_hv_beside_wq);
	destroy_workqueue(kmcl_hv_wq);
}
