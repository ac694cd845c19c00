/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Offers as devices: for a driver framework, which is told when they come and go.
 */
#ifndef VMBKMCL_DEVICE_H
#define VMBKMCL_DEVICE_H

#include <linux/device.h>
#include <linux/list.h>
#include <linux/uuid.h>

/**
 * struct kmcl_device_watch - a driver that is told of the devices of a class
 * @type: the class
 * @arrived: there is a device, by its instance. It may be told again of one that it
 *	knows. May allocate, but waits for nothing.
 * @gone: the device is not there any more. One of the same instance that comes later is
 *	another one. As @arrived.
 * @node: the core's
 * @watching: the core's: transports that watch for it
 */
struct kmcl_device_watch {
	guid_t type;
	void (*arrived)(struct kmcl_device_watch *watch, const guid_t *instance);
	void (*gone)(struct kmcl_device_watch *watch, const guid_t *instance);
	struct list_head node;
	unsigned long watching;
};

void kmcl_devices_watch(struct kmcl_device_watch *watch);
void kmcl_devices_unwatch(struct kmcl_device_watch *watch);

/*
 * A framework's device: the parent of channels that mean its offer where they name
 * none. See VmbClientChannelInitSetTargetPnp().
 */
struct kmcl_device {
	struct device dev;	/* of kmcl_device_type */
	guid_t type;
	guid_t instance;
};

extern const struct device_type kmcl_device_type;

static inline struct kmcl_device *kmcl_device_of(struct device *dev)
{
	return dev && dev->type == &kmcl_device_type ?
	       container_of(dev, struct kmcl_device, dev) : NULL;
}

#endif
