// SPDX-License-Identifier: GPL-2.0
/*
 * From a channel's target to a VMBus device: one VMBus driver for each class that
 * some channel waits for.
 *
 * The driver matches no device by itself. A work item for each class binds those that
 * a channel wants, gives back those that a channel has released, and registers and
 * unregisters the driver. Only this work waits for devices' locks: a channel's worker
 * asks and goes on, for the holder of such a lock may be waiting for that worker's
 * client. In turn nothing that is called with a device's lock held waits for a
 * channel's worker: see kmcl_hv_remove().
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <asm/mshyperv.h>

#include "hv.h"
#include "hv_compat.h"

/* A device that cannot be bound just now is looked at again after that long. */
#define KMCL_HV_RETRY	msecs_to_jiffies(20)

struct kmcl_hv_class {
	struct list_head node;
	guid_t type;
	struct delayed_work work;
	/* The next four are guarded by kmcl_hv_lock. */
	u32 users;
	struct list_head released;	/* of kmcl_hv_link, to be unbound */
	u64 asked;		/* the number of the last request */
	u64 done;		/* requests up to that one are dealt with */
	/* The work's own. */
	bool registered;
	struct notifier_block notifier;
	char name[sizeof("vmbkmcl-") + UUID_STRING_LEN];
	struct hv_driver drv;
	struct hv_driver match;	/* never registered: see kmcl_hv_may_have() */
	struct hv_vmbus_device_id ids[2];
};

/* Guards the list and what its members say. Nothing is waited for inside it. */
static DEFINE_SPINLOCK(kmcl_hv_lock);
static LIST_HEAD(kmcl_hv_classes);
static u64 kmcl_hv_requests;

/* Woken when a class' work has dealt with a request. */
static DECLARE_WAIT_QUEUE_HEAD(kmcl_hv_settled);
static struct workqueue_struct *kmcl_hv_wq;

/* Devices that are bound, or whose channel has not let go of the link yet. */
static atomic_t kmcl_hv_links = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(kmcl_hv_unlinked);

/* No device is bound: see hv_sleep.c. */
static bool kmcl_hv_asleep;

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

static void kmcl_hv_link_free(struct kref *ref)
{
	struct kmcl_hv_link *hv = container_of(ref, struct kmcl_hv_link, ref);

	kmcl_link_destroy(&hv->link);
	put_device(&hv->dev->device);
	kfree(hv);
	if (atomic_dec_and_test(&kmcl_hv_links))
		wake_up_all(&kmcl_hv_unlinked);
}

static int kmcl_hv_probe(struct hv_device *dev,
			 const struct hv_vmbus_device_id *id)
{
	struct kmcl_hv_link *hv;
	int ret;

	/* By hand devices can be bound at any time. */
	if (READ_ONCE(kmcl_hv_asleep))
		return -EBUSY;
	hv = kzalloc(sizeof(*hv), GFP_KERNEL);
	if (!hv)
		return -ENOMEM;

	kmcl_link_init(&hv->link, &kmcl_hv_transport, &dev->dev_type,
		       &dev->dev_instance);
	kref_init(&hv->ref);
	hv->dev = dev;
	hv->channel = dev->channel;
	hv->bound = true;
	INIT_LIST_HEAD(&hv->node);
	mutex_init(&hv->rings);
	mutex_init(&hv->gpadls);
	get_device(&dev->device);
	atomic_inc(&kmcl_hv_links);
	hv_set_drvdata(dev, hv);
	/* A driver that had the device before may have left its own. */
	vmbus_set_chn_rescind_callback(dev->channel, NULL);

	/* The core's reference, which it may drop before the next line returns. */
	kref_get(&hv->ref);
	ret = kmcl_offer_arrived(&hv->link);
	if (ret) {
		hv_set_drvdata(dev, NULL);
		kref_put(&hv->ref, kmcl_hv_link_free);
		kref_put(&hv->ref, kmcl_hv_link_free);
	}
	return ret;
}

/* What a channel refused because it had a link may still be free. */
static void kmcl_hv_look_for_more(const guid_t *type)
{
	struct kmcl_hv_class *class;

	spin_lock(&kmcl_hv_lock);
	class = kmcl_hv_find(type);
	if (class)
		kmcl_hv_ask(class);
	spin_unlock(&kmcl_hv_lock);
}

/*
 * hv_vmbus calls this with the device's lock held and, after a rescind, in the one
 * queue of all rescinds. So it does what has to be done before the device goes to
 * another driver, or away, and waits for nothing of the client's: the rings are taken
 * from the core and closed here. The channel's worker then tells the client, and lets
 * go of the link when that is done with it; until then the reference on the device
 * keeps the struct vmbus_channel.
 */
static kmcl_hv_remove_t kmcl_hv_remove(struct hv_device *dev)
{
	struct kmcl_hv_link *hv = hv_get_drvdata(dev);
	bool used = kmcl_offer_gone(&hv->link);

	kmcl_hv_shut(hv);
	if (used) {
		kmcl_offer_closed(&hv->link);
	} else {
		kmcl_hv_look_for_more(&dev->dev_type);
		kref_put(&hv->ref, kmcl_hv_link_free);
	}
	hv->bound = false;
	hv_set_drvdata(dev, NULL);
	kref_put(&hv->ref, kmcl_hv_link_free);
	return KMCL_HV_REMOVED;
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

/*
 * If another driver is bound to the device by hand between the two locks it is that
 * one which is unbound: there is no way to release the device from this driver only.
 */
static void kmcl_hv_unbind(struct kmcl_hv_link *hv)
{
	struct device *dev = &hv->dev->device;
	bool bound;

	device_lock(dev);
	bound = hv->bound;
	device_unlock(dev);

	if (bound)
		device_release_driver(dev);
	kmcl_hv_mmio_release(hv);
	kref_put(&hv->ref, kmcl_hv_link_free);
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

struct kmcl_hv_search {
	struct kmcl_hv_class *class;
	struct hv_device *held;		/* by another driver; referenced */
	bool ours;			/* a device of the class is a channel's */
	bool again;			/* some could not be looked at */
};

/* Would the bus let a driver for the class have it? See driver_override. */
static bool kmcl_hv_may_have(struct kmcl_hv_class *class, struct device *device)
{
	return device->bus->match(device, &class->match.driver);
}

static int kmcl_hv_look_at(struct device *device, void *data)
{
	struct hv_device *dev = device_to_hv_device(device);
	struct kmcl_hv_search *search = data;
	struct kmcl_hv_class *class = search->class;
	struct device_driver *driver;
	bool wanted;

	if (!guid_equal(&dev->dev_type, &class->type))
		return 0;
	wanted = kmcl_offer_wanted(&kmcl_hv_transport, &dev->dev_type,
				   &dev->dev_instance);

	/*
	 * One that is being bound or removed, or whose bus has not yet asked its
	 * other drivers, is looked at later.
	 */
	if (!READ_ONCE(dev->channel->probe_done) || !device_trylock(device)) {
		search->again |= wanted;
		return 0;
	}
	driver = device->driver;
	device_unlock(device);

	if (driver == &class->drv.driver) {
		search->ours = true;
	} else if (driver && wanted && !search->held) {
		get_device(device);
		search->held = dev;
	} else if (!driver && wanted && kmcl_hv_may_have(class, device)) {
		/* Binds it to whichever channel has waited longest. */
		search->ours |= !device_driver_attach(&class->drv.driver, device);
	}
	return 0;
}

/* Tells those that wait for it, and says what a person can do. */
static void kmcl_hv_report_held(struct kmcl_hv_search *search)
{
	struct device *device = &search->held->device;
	char holder[64] = "";

	if (device_trylock(device)) {
		if (device->driver)
			strscpy(holder, device->driver->name, sizeof(holder));
		device_unlock(device);
	}
	if (holder[0] && kmcl_offer_held(&kmcl_hv_transport, &search->held->dev_type,
					 &search->held->dev_instance, search->ours))
		pr_warn("VMBus device %s is held by driver %s; to hand it over: echo %s > /sys/bus/vmbus/drivers/%s/unbind\n",
			dev_name(device), holder, dev_name(device), holder);
	put_device(device);
}

/* Returns whether it has to be done again soon. */
static bool kmcl_hv_bind_wanted(struct kmcl_hv_class *class)
{
	struct kmcl_hv_search search = { .class = class };

	bus_for_each_dev(class->drv.driver.bus, NULL, &search, kmcl_hv_look_at);
	if (search.held)
		kmcl_hv_report_held(&search);
	return search.again;
}

/* A device has come, or its driver has let go of it. */
static int kmcl_hv_notify(struct notifier_block *notifier, unsigned long event,
			  void *data)
{
	struct kmcl_hv_class *class =
		container_of(notifier, struct kmcl_hv_class, notifier);
	struct hv_device *dev = device_to_hv_device((struct device *)data);

	if ((event == BUS_NOTIFY_ADD_DEVICE || event == BUS_NOTIFY_UNBOUND_DRIVER) &&
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

static void kmcl_hv_class_work(struct work_struct *work)
{
	struct kmcl_hv_class *class =
		container_of(to_delayed_work(work), struct kmcl_hv_class, work);
	bool used, again = false;
	u64 ticket;

	spin_lock(&kmcl_hv_lock);
	ticket = class->asked;
	used = class->users;
	spin_unlock(&kmcl_hv_lock);

	kmcl_hv_unbind_released(class);
	if (used && !class->registered)
		kmcl_hv_register(class);
	if (used && class->registered && !READ_ONCE(kmcl_hv_asleep))
		again = kmcl_hv_bind_wanted(class);
	if (!used && class->registered)
		kmcl_hv_unregister(class);

	if (kmcl_hv_finish(class, ticket)) {
		/* Off the list and without a driver it is not queued any more. */
		cancel_delayed_work(&class->work);
		kfree(class);
	} else if (again) {
		queue_delayed_work(kmcl_hv_wq, &class->work, KMCL_HV_RETRY);
	}
}

static struct kmcl_hv_class *kmcl_hv_class_alloc(const guid_t *type)
{
	struct kmcl_hv_class *class = kzalloc(sizeof(*class), GFP_KERNEL);

	if (!class)
		return NULL;

	guid_copy(&class->type, type);
	INIT_LIST_HEAD(&class->released);
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

int kmcl_hv_watch(const guid_t *type)
{
	struct kmcl_hv_class *class, *fresh;

	if (!hv_is_hyperv_initialized())
		return -ENODEV;

	fresh = kmcl_hv_class_alloc(type);
	if (!fresh)
		return -ENOMEM;

	spin_lock(&kmcl_hv_lock);
	class = kmcl_hv_find(type);
	if (!class) {
		class = fresh;
		fresh = NULL;
		list_add(&class->node, &kmcl_hv_classes);
	}
	class->users++;
	kmcl_hv_ask(class);
	spin_unlock(&kmcl_hv_lock);

	kfree(fresh);
	return 0;
}

/* The caller watches the class, so it is there. */
void kmcl_hv_rescan(const guid_t *type)
{
	kmcl_hv_look_for_more(type);
}

void kmcl_hv_unwatch(const guid_t *type)
{
	struct kmcl_hv_class *class;

	spin_lock(&kmcl_hv_lock);
	class = kmcl_hv_find(type);
	class->users--;
	kmcl_hv_ask(class);
	spin_unlock(&kmcl_hv_lock);
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

/* False if after @timeout, in jiffies, there are devices that are not given back. */
bool kmcl_hv_wait_unlinked(unsigned long timeout)
{
	return wait_event_timeout(kmcl_hv_unlinked, !atomic_read(&kmcl_hv_links),
				  timeout);
}

int kmcl_hv_bind_init(void)
{
	kmcl_hv_wq = alloc_workqueue("vmbkmcl_bind", WQ_UNBOUND, 0);
	return kmcl_hv_wq ? 0 : -ENOMEM;
}

/* No channel watches any more: the work that is left ends by itself. */
void kmcl_hv_bind_exit(void)
{
	wait_event_idle(kmcl_hv_settled, list_empty_careful(&kmcl_hv_classes));
	destroy_workqueue(kmcl_hv_wq);
}
