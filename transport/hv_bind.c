// SPDX-License-Identifier: GPL-2.0
/*
 * From a channel's target to a VMBus device: one VMBus driver for each class
 * that some channel waits for, registered while that lasts.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <asm/mshyperv.h>

#include "hv.h"
#include "hv_compat.h"

struct kmcl_hv_watch {
	struct list_head node;
	guid_t type;
	u32 users;
	char name[sizeof("vmbkmcl-") + UUID_STRING_LEN];
	struct hv_vmbus_device_id ids[2];
	struct hv_driver drv;
};

/* The core calls watch and unwatch one at a time, so this needs no lock. */
static LIST_HEAD(kmcl_hv_watches);

static void kmcl_hv_link_free(struct kref *ref)
{
	struct kmcl_hv_link *hv = container_of(ref, struct kmcl_hv_link, ref);

	kmcl_link_destroy(&hv->link);
	put_device(&hv->dev->device);
	kfree(hv);
}

static int kmcl_hv_probe(struct hv_device *dev,
			 const struct hv_vmbus_device_id *id)
{
	struct kmcl_hv_link *hv;
	int ret;

	hv = kzalloc(sizeof(*hv), GFP_KERNEL);
	if (!hv)
		return -ENOMEM;

	kmcl_link_init(&hv->link, &kmcl_hv_transport, &dev->dev_type,
		       &dev->dev_instance);
	kref_init(&hv->ref);
	hv->dev = dev;
	hv->channel = dev->channel;
	hv->bound = true;
	get_device(&dev->device);
	hv_set_drvdata(dev, hv);

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

static kmcl_hv_remove_t kmcl_hv_remove(struct hv_device *dev)
{
	struct kmcl_hv_link *hv = hv_get_drvdata(dev);

	kmcl_offer_gone(&hv->link);
	hv->bound = false;
	hv_set_drvdata(dev, NULL);
	kref_put(&hv->ref, kmcl_hv_link_free);
	return KMCL_HV_REMOVED;
}

/*
 * Gives the device up. If a rescind is removing it, that has waited for the core
 * to get here, holds the device's lock until it is done, and leaves nothing to do.
 */
void kmcl_hv_release(struct kmcl_link *link)
{
	struct kmcl_hv_link *hv = to_hv_link(link);
	struct device *dev = &hv->dev->device;
	bool bound;

	device_lock(dev);
	bound = hv->bound;
	device_unlock(dev);

	if (bound)
		device_release_driver(dev);
	kref_put(&hv->ref, kmcl_hv_link_free);
}

struct kmcl_hv_search {
	const struct kmcl_hv_watch *watch;
	const guid_t *instance;
	bool ours;
	bool held;
};

static int kmcl_hv_look_at(struct device *device, void *data)
{
	struct hv_device *dev = device_to_hv_device(device);
	struct kmcl_hv_search *search = data;
	const char *ours = search->watch->name;

	if (!guid_equal(&dev->dev_type, &search->watch->type) ||
	    (search->instance && !guid_equal(&dev->dev_instance, search->instance)))
		return 0;

	/*
	 * A device whose lock is taken is being bound or removed. To wait for it
	 * could be to wait for ourselves, for a removal waits for the core.
	 */
	if (!device_trylock(device))
		return 0;

	if (device->driver == &search->watch->drv.driver) {
		search->ours = true;
	} else if (device->driver) {
		search->held = true;
		pr_warn("VMBus device %s is held by driver %s; to hand it over: echo %s > /sys/bus/vmbus/drivers/%s/unbind; echo %s > /sys/bus/vmbus/drivers/%s/bind\n",
			dev_name(device), device->driver->name,
			dev_name(device), device->driver->name,
			dev_name(device), ours);
	}
	device_unlock(device);
	return 0;
}

static struct kmcl_hv_watch *kmcl_hv_find_watch(const guid_t *type)
{
	struct kmcl_hv_watch *watch;

	list_for_each_entry(watch, &kmcl_hv_watches, node) {
		if (guid_equal(&watch->type, type))
			return watch;
	}
	return NULL;
}

static int kmcl_hv_new_watch(const guid_t *type, struct kmcl_hv_watch **result)
{
	struct kmcl_hv_watch *watch;
	int ret;

	watch = kzalloc(sizeof(*watch), GFP_KERNEL);
	if (!watch)
		return -ENOMEM;

	guid_copy(&watch->type, type);
	guid_copy(&watch->ids[0].guid, type);
	snprintf(watch->name, sizeof(watch->name), "vmbkmcl-%pUl", type);
	watch->drv.name = watch->name;
	watch->drv.id_table = watch->ids;
	watch->drv.probe = kmcl_hv_probe;
	watch->drv.remove = kmcl_hv_remove;
	/* Devices that are present are to be bound when this returns. */
	watch->drv.driver.probe_type = PROBE_FORCE_SYNCHRONOUS;

	ret = vmbus_driver_register(&watch->drv);
	if (ret) {
		kfree(watch);
		return ret;
	}
	list_add(&watch->node, &kmcl_hv_watches);
	*result = watch;
	return 0;
}

int kmcl_hv_watch(const guid_t *type, const guid_t *instance)
{
	struct kmcl_hv_watch *watch = kmcl_hv_find_watch(type);
	struct kmcl_hv_search search = { .instance = instance };
	int ret;

	if (!hv_is_hyperv_initialized())
		return -ENODEV;

	if (watch)
		ret = driver_attach(&watch->drv.driver);
	else
		ret = kmcl_hv_new_watch(type, &watch);
	if (ret)
		return ret;
	watch->users++;

	search.watch = watch;
	bus_for_each_dev(watch->drv.driver.bus, NULL, &search, kmcl_hv_look_at);
	return search.held && !search.ours ? -EBUSY : 0;
}

void kmcl_hv_unwatch(const guid_t *type)
{
	struct kmcl_hv_watch *watch = kmcl_hv_find_watch(type);

	if (--watch->users)
		return;

	list_del(&watch->node);
	vmbus_driver_unregister(&watch->drv);
	kfree(watch);
}
