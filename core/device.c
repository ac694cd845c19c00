// SPDX-License-Identifier: GPL-2.0
/*
 * Devices: which driver frameworks are told what is offered. No channel is needed for
 * that, and no offer is taken by it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/module.h>
#include <linux/mutex.h>

#include "control.h"
#include "device.h"

/* Held while a transport is asked to watch: it reports meanwhile. */
static DEFINE_MUTEX(kmcl_watches_lock);

/*
 * Guards the list, which is written under both, and is held while a watch is told: it is
 * told nothing any more once it is off the list. Taken inside kmcl_watches_lock and
 * a transport's own locks.
 */
static DEFINE_MUTEX(kmcl_devices_lock);
static LIST_HEAD(kmcl_watches);

const struct device_type kmcl_device_type = {
	.name = "vmbkmcl",
};
EXPORT_SYMBOL_GPL(kmcl_device_type);

/* Has the transports that do not watch yet do so. One without a bus stays asked. */
static void kmcl_device_watch_all(struct kmcl_device_watch *watch)
{
	const struct kmcl_transport *ops;
	int i, ret;

	for (i = 0; i < KMCL_TRANSPORTS; i++) {
		ops = watch->watching & BIT(i) ? NULL : kmcl_transport_hold(i);
		if (!ops)
			continue;
		ret = ops->watch_devices ? ops->watch_devices(&watch->type) : -ENODEV;
		if (!ret) {
			watch->watching |= BIT(i);
			continue;
		}
		if (ret != -ENODEV)
			pr_err("%s cannot watch for devices of class %pUl: error %d\n",
			       ops->name, &watch->type, ret);
		module_put(ops->owner);
	}
}

/**
 * kmcl_devices_watch() - be told of the devices of a class
 * @watch: what is to be told, of devices that are there and of those to come
 *
 * Transports that come later are asked, too. Those that watch are held.
 *
 * Context: PASSIVE_LEVEL.
 */
void kmcl_devices_watch(struct kmcl_device_watch *watch)
{
	mutex_lock(&kmcl_watches_lock);
	watch->watching = 0;
	mutex_lock(&kmcl_devices_lock);
	list_add_tail(&watch->node, &kmcl_watches);
	mutex_unlock(&kmcl_devices_lock);
	kmcl_device_watch_all(watch);
	mutex_unlock(&kmcl_watches_lock);
}
EXPORT_SYMBOL_GPL(kmcl_devices_watch);

/**
 * kmcl_devices_unwatch() - the opposite
 * @watch: it is told nothing any more when this returns
 *
 * Context: PASSIVE_LEVEL.
 */
void kmcl_devices_unwatch(struct kmcl_device_watch *watch)
{
	const struct kmcl_transport *ops;
	int i;

	mutex_lock(&kmcl_watches_lock);
	mutex_lock(&kmcl_devices_lock);
	list_del(&watch->node);
	mutex_unlock(&kmcl_devices_lock);
	for (i = 0; i < KMCL_TRANSPORTS; i++) {
		if (!(watch->watching & BIT(i)))
			continue;
		ops = kmcl_transport_hold(i);
		ops->unwatch_devices(&watch->type);
		module_put(ops->owner);
		/* What the watch held. */
		module_put(ops->owner);
	}
	mutex_unlock(&kmcl_watches_lock);
}
EXPORT_SYMBOL_GPL(kmcl_devices_unwatch);

/* A transport has come. */
void kmcl_devices_transport_added(void)
{
	struct kmcl_device_watch *watch;

	mutex_lock(&kmcl_watches_lock);
	list_for_each_entry(watch, &kmcl_watches, node)
		kmcl_device_watch_all(watch);
	mutex_unlock(&kmcl_watches_lock);
}

/**
 * kmcl_device_arrived() - a transport has an offer that is no sub-channel's
 * @type: the offer's class
 * @instance: the offer's instance
 *
 * Context: PASSIVE_LEVEL.
 */
void kmcl_device_arrived(const guid_t *type, const guid_t *instance)
{
	struct kmcl_device_watch *watch;

	mutex_lock(&kmcl_devices_lock);
	list_for_each_entry(watch, &kmcl_watches, node) {
		if (guid_equal(&watch->type, type))
			watch->arrived(watch, instance);
	}
	mutex_unlock(&kmcl_devices_lock);
}
EXPORT_SYMBOL_GPL(kmcl_device_arrived);

/**
 * kmcl_device_gone() - the opposite
 * @type: the offer's class
 * @instance: the offer's instance
 *
 * Context: PASSIVE_LEVEL.
 */
void kmcl_device_gone(const guid_t *type, const guid_t *instance)
{
	struct kmcl_device_watch *watch;

	mutex_lock(&kmcl_devices_lock);
	list_for_each_entry(watch, &kmcl_watches, node) {
		if (guid_equal(&watch->type, type))
			watch->gone(watch, instance);
	}
	mutex_unlock(&kmcl_devices_lock);
}
EXPORT_SYMBOL_GPL(kmcl_device_gone);
