// SPDX-License-Identifier: GPL-2.0
/*
 * Which devices of a class there are, for drivers that are told of them: see
 * kmcl_devices_watch(). All of this is called by the class' work (hv_class.c), which
 * compares what it has told with what the bus has; so what it tells is in order.
 */
#include <linux/device.h>
#include <linux/slab.h>

#include "hv.h"

/* As long as it is referenced no other device has its address. */
struct kmcl_hv_told {
	struct list_head node;
	struct hv_device *dev;	/* a reference is held */
	bool there;
	bool news;
};

struct kmcl_hv_survey {
	struct kmcl_hv_class *class;
	bool again;		/* there was no memory for one */
};

static struct kmcl_hv_told *kmcl_hv_find_told(struct kmcl_hv_class *class,
					      struct hv_device *dev)
{
	struct kmcl_hv_told *told;

	list_for_each_entry(told, &class->devices, node) {
		if (told->dev == dev)
			return told;
	}
	return NULL;
}

static int kmcl_hv_survey_one(struct device *device, void *data)
{
	struct hv_device *dev = device_to_hv_device(device);
	struct kmcl_hv_survey *survey = data;
	struct kmcl_hv_class *class = survey->class;
	struct kmcl_hv_told *told;

	if (!guid_equal(&dev->dev_type, &class->type))
		return 0;
	told = kmcl_hv_find_told(class, dev);
	if (!told) {
		told = kzalloc(sizeof(*told), GFP_KERNEL);
		if (!told) {
			survey->again = true;
			return 0;
		}
		get_device(device);
		told->dev = dev;
		told->news = true;
		list_add_tail(&told->node, &class->devices);
	}
	told->there = true;
	return 0;
}

static void kmcl_hv_forget(struct kmcl_hv_told *told)
{
	list_del(&told->node);
	put_device(&told->dev->device);
	kfree(told);
}

/* Nobody watches the class' devices any more. */
void kmcl_hv_devices_forget(struct kmcl_hv_class *class)
{
	struct kmcl_hv_told *told, *next;

	list_for_each_entry_safe(told, next, &class->devices, node)
		kmcl_hv_forget(told);
}

/* Tells what has changed, or, with @all, all. Returns whether it has to be done again soon. */
bool kmcl_hv_devices_tell(struct kmcl_hv_class *class, bool all)
{
	struct kmcl_hv_survey survey = { .class = class };
	struct kmcl_hv_told *told, *next;

	list_for_each_entry(told, &class->devices, node) {
		told->there = false;
		told->news |= all;
	}
	bus_for_each_dev(class->drv.driver.bus, NULL, &survey, kmcl_hv_survey_one);

	/* One that comes back has the same name: first what is gone. */
	list_for_each_entry_safe(told, next, &class->devices, node) {
		if (told->there)
			continue;
		kmcl_device_gone(&class->type, &told->dev->dev_instance);
		kmcl_hv_forget(told);
	}
	list_for_each_entry(told, &class->devices, node) {
		if (told->news)
			kmcl_device_arrived(&class->type, &told->dev->dev_instance);
		told->news = false;
	}
	return survey.again;
}
