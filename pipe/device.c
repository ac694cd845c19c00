// SPDX-License-Identifier: GPL-2.0
/*
 * The devices: one for each offer that user space can open, from when it is made until
 * it is revoked.
 *
 * devtmpfs makes the node, /dev/vmbkmcl/CLASS-INSTANCE, with its own default mode, 0600
 * for root. A file that is open holds the device's memory, not the offer: it may stay
 * open for as long as user space likes, and nothing here waits for it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "pipe.h"

/* A server's worker calls them, whose allocations a suite cannot make fail. */
#ifdef VMBKMCL_KUNIT
#define EXPORT_SYMBOL_FOR_KMCL_TESTS(function) EXPORT_SYMBOL_GPL(function)
#else
#define EXPORT_SYMBOL_FOR_KMCL_TESTS(function)
#endif

/* Where the channels of closed files are disposed of; each may wait for its server. */
struct workqueue_struct *kmcl_pipe_wq;

static struct class kmcl_pipe_class = {
	.name = "vmbkmcl",
};

static dev_t kmcl_pipe_numbers;
static DEFINE_IDA(kmcl_pipe_minors);

static void kmcl_pipe_release(struct device *device)
{
	struct kmcl_pipe_device *dev = container_of(device, struct kmcl_pipe_device, dev);

	ida_free(&kmcl_pipe_minors, MINOR(device->devt));
	kfree(dev);
}

static void kmcl_pipe_device_init(struct kmcl_pipe_device *dev, const guid_t *type,
				  const guid_t *instance,
				  const struct kmcl_pipe_limits *max, int minor)
{
	memcpy(&dev->type, type, sizeof(dev->type));
	memcpy(&dev->instance, instance, sizeof(dev->instance));
	dev->max = *max;
	spin_lock_init(&dev->lock);
	init_waitqueue_head(&dev->wait);

	device_initialize(&dev->dev);
	dev->dev.class = &kmcl_pipe_class;
	dev->dev.devt = MKDEV(MAJOR(kmcl_pipe_numbers), minor);
	dev->dev.release = kmcl_pipe_release;
	cdev_init(&dev->cdev, &kmcl_pipe_fops);
	dev->cdev.owner = THIS_MODULE;
}

static struct kmcl_pipe_device *
kmcl_pipe_device_create(const guid_t *type, const guid_t *instance,
			const struct kmcl_pipe_limits *max)
{
	struct kmcl_pipe_device *dev;
	int ret;

	dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	if (!dev)
		return ERR_PTR(-ENOMEM);

	ret = ida_alloc_max(&kmcl_pipe_minors, MINORMASK, GFP_KERNEL);
	if (ret < 0) {
		kfree(dev);
		return ERR_PTR(ret);
	}
	kmcl_pipe_device_init(dev, type, instance, max, ret);

	/* In a node's name '!' becomes '/'. */
	ret = dev_set_name(&dev->dev, "vmbkmcl!%pUl-%pUl", type, instance);
	if (ret)
		goto put;
	ret = cdev_device_add(&dev->cdev, &dev->dev);
	if (ret)
		goto put;
	return dev;

put:
	put_device(&dev->dev);
	return ERR_PTR(ret);
}

/**
 * kmcl_pipe_add() - let user space open an offer
 * @type: the offer's class
 * @instance: the offer's instance, of which there is no other device
 * @max: the largest packets, in both directions
 *
 * Context: can sleep.
 *
 * Return: the device; NULL if there is none, with a line in the log.
 */
struct kmcl_pipe_device *kmcl_pipe_add(const guid_t *type, const guid_t *instance,
				       const struct kmcl_pipe_limits *max)
{
	struct kmcl_pipe_device *dev = kmcl_pipe_device_create(type, instance, max);

	if (!IS_ERR(dev))
		return dev;
	pr_warn("user space cannot open the offer %pUl-%pUl: no device for it, error %ld\n",
		type, instance, PTR_ERR(dev));
	return NULL;
}
EXPORT_SYMBOL_FOR_KMCL_TESTS(kmcl_pipe_add);

/**
 * kmcl_pipe_remove() - the offer is about to be revoked
 * @dev: from kmcl_pipe_add()
 *
 * Ends the waiting of a file that is being opened. One that is open learns of the end
 * of its connection as every client does.
 *
 * Context: can sleep; waits for no file.
 */
void kmcl_pipe_remove(struct kmcl_pipe_device *dev)
{
	spin_lock_bh(&dev->lock);
	dev->gone = true;
	if (dev->file)
		kmcl_pipe_file_offer_gone(dev->file);
	spin_unlock_bh(&dev->lock);
	wake_up_all(&dev->wait);

	cdev_device_del(&dev->cdev, &dev->dev);
	put_device(&dev->dev);
}
EXPORT_SYMBOL_FOR_KMCL_TESTS(kmcl_pipe_remove);

int __init kmcl_pipe_init(void)
{
	int ret;

	kmcl_pipe_wq = alloc_workqueue("vmbkmcl_pipe", WQ_UNBOUND, WQ_MAX_ACTIVE);
	if (!kmcl_pipe_wq)
		return -ENOMEM;

	ret = alloc_chrdev_region(&kmcl_pipe_numbers, 0, MINORMASK + 1, "vmbkmcl");
	if (ret)
		goto destroy_workqueue;

	ret = class_register(&kmcl_pipe_class);
	if (ret)
		goto unregister_region;
	return 0;

unregister_region:
	unregister_chrdev_region(kmcl_pipe_numbers, MINORMASK + 1);
destroy_workqueue:
	destroy_workqueue(kmcl_pipe_wq);
	return ret;
}

/* All servers are gone, for they use this module, and so are all files. */
void kmcl_pipe_exit(void)
{
	destroy_workqueue(kmcl_pipe_wq);
	class_unregister(&kmcl_pipe_class);
	unregister_chrdev_region(kmcl_pipe_numbers, MINORMASK + 1);
	ida_destroy(&kmcl_pipe_minors);
}
