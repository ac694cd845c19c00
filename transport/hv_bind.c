// SPDX-License-Identifier: GPL-2.0
/*
 * VMBus devices and the channels that use them: bound, taken away, given back. All but
 * what the driver core calls is called by the work of the device's class (hv_class.c).
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "hv.h"

/* Devices that are bound, or whose channel has not let go of the link yet. */
static atomic_t kmcl_hv_links = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(kmcl_hv_unlinked);

static void kmcl_hv_link_free(struct kref *ref)
{
	struct kmcl_hv_link *hv = container_of(ref, struct kmcl_hv_link, ref);

	kmcl_link_destroy(&hv->link);
	if (hv->primary) {
		kobject_put(&hv->channel->kobj);
		kmcl_hv_link_put(hv->primary);
	}
	kmcl_hv_bounce_free(hv);
	put_device(&hv->dev->device);
	kfree(hv);
	if (atomic_dec_and_test(&kmcl_hv_links))
		wake_up_all(&kmcl_hv_unlinked);
}

void kmcl_hv_link_put(struct kmcl_hv_link *hv)
{
	kref_put(&hv->ref, kmcl_hv_link_free);
}

/* A link for @channel, of that device, with one reference. */
struct kmcl_hv_link *kmcl_hv_link_alloc(struct hv_device *dev,
					struct vmbus_channel *channel)
{
	struct kmcl_hv_link *hv = kzalloc(sizeof(*hv), GFP_KERNEL);

	if (!hv)
		return NULL;

	kmcl_link_init(&hv->link, &kmcl_hv_transport, &dev->dev_type,
		       &dev->dev_instance);
	kref_init(&hv->ref);
	hv->link.device = &dev->device;
	hv->dev = dev;
	hv->channel = channel;
	INIT_LIST_HEAD(&hv->node);
	INIT_LIST_HEAD(&hv->sub_node);
	mutex_init(&hv->rings);
	mutex_init(&hv->gpadls);
	get_device(&dev->device);
	atomic_inc(&kmcl_hv_links);
	return hv;
}

int kmcl_hv_probe(struct hv_device *dev,
		  const struct hv_vmbus_device_id *id)
{
	struct kmcl_hv_link *hv;
	int ret;

	/* By hand devices can be bound at any time. */
	if (kmcl_hv_is_asleep())
		return -EBUSY;
	hv = kmcl_hv_link_alloc(dev, dev->channel);
	if (!hv)
		return -ENOMEM;

	hv->bound = true;
	hv_set_drvdata(dev, hv);
	/* A driver that had the device before may have left its own. */
	vmbus_set_chn_rescind_callback(dev->channel, NULL);

	/* The core's reference, which it may drop before the next line returns. */
	kref_get(&hv->ref);
	ret = kmcl_offer_arrived(&hv->link);
	if (ret) {
		hv_set_drvdata(dev, NULL);
		kmcl_hv_link_put(hv);
		kmcl_hv_link_put(hv);
	}
	return ret;
}

/*
 * hv_vmbus calls this with the device's lock held and, after a rescind, in the one
 * queue of all rescinds. So it does what has to be done before the device goes to
 * another driver, or away, and waits for nothing of the client's: the rings are taken
 * from the core and closed here. The channel's worker then tells the client, and lets
 * go of the link when that is done with it; until then the reference on the device
 * keeps the struct vmbus_channel.
 */
kmcl_hv_remove_t kmcl_hv_remove(struct hv_device *dev)
{
	struct kmcl_hv_link *hv = hv_get_drvdata(dev);
	bool used = kmcl_offer_gone(&hv->link);

	kmcl_hv_sub_lose_all(hv);
	kmcl_hv_shut(hv);
	if (used) {
		kmcl_offer_closed(&hv->link);
	} else {
		kmcl_hv_rescan(&dev->dev_type);
		kmcl_hv_link_put(hv);
	}
	hv->bound = false;
	hv_set_drvdata(dev, NULL);
	kmcl_hv_link_put(hv);
	return KMCL_HV_REMOVED;
}

/*
 * If another driver is bound to the device by hand between the two locks it is that
 * one which is unbound: there is no way to release the device from this driver only.
 */
void kmcl_hv_unbind(struct kmcl_hv_link *hv)
{
	struct device *dev = &hv->dev->device;
	bool bound;

	if (hv->primary) {
		kmcl_hv_sub_released(hv);
		return;
	}
	device_lock(dev);
	bound = hv->bound;
	device_unlock(dev);

	if (bound)
		device_release_driver(dev);
	kmcl_hv_mmio_release(hv);
	kmcl_hv_link_put(hv);
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
	int err;

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
		err = device_driver_attach(&class->drv.driver, device);
		search->ours |= !err;
		/* Where memory is short that passes. */
		search->again |= err == -ENOMEM;
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
bool kmcl_hv_bind_wanted(struct kmcl_hv_class *class)
{
	struct kmcl_hv_search search = { .class = class };

	bus_for_each_dev(class->drv.driver.bus, NULL, &search, kmcl_hv_look_at);
	if (search.held)
		kmcl_hv_report_held(&search);
	return search.again;
}

/* False if after @timeout, in jiffies, there are devices that are not given back. */
bool kmcl_hv_wait_unlinked(unsigned long timeout)
{
	return wait_event_timeout(kmcl_hv_unlinked, !atomic_read(&kmcl_hv_links),
				  timeout);
}
