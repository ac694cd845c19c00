// SPDX-License-Identifier: GPL-2.0
/*
 * Sub-channels of VMBus devices.
 *
 * The host offers them while their primary is open. hv_vmbus makes a struct
 * vmbus_channel of each such offer and passes it to the primary's callback; here it is
 * kept, in a link, for the channel that asks for its index. After that a sub-channel's
 * driver is told nothing of it, not even a rescind, and hv_vmbus closes it only together
 * with its primary. So
 *
 * - to hv_vmbus a sub-channel of ours is never open, nor being opened (hv_open.c sets its
 *   state back). Rescinded, it is forgotten by hv_vmbus at once, and its number free for
 *   the next offer. Its memory is kept by a reference on its kobject, its rings are ours;
 * - the class' work looks ten times a second whether one was rescinded.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/mutex.h>

#include "hv.h"

/* Guards the two lists. Nothing is waited for inside it. */
static DEFINE_MUTEX(kmcl_hv_sub_lock);
/* Primaries that are open or being opened. Both are of kmcl_hv_link.sub_node. */
static LIST_HEAD(kmcl_hv_primaries);
/* Sub-channels, with a reference: until they are released, rescinded, or not used. */
static LIST_HEAD(kmcl_hv_subs);

/* Called with the lock held. */
static void kmcl_hv_sub_add(struct kmcl_hv_link *primary, struct vmbus_channel *channel)
{
	u16 index = channel->offermsg.offer.sub_channel_index;
	struct kmcl_hv_link *hv = kmcl_hv_link_alloc(primary->dev, channel);

	if (!hv) {
		pr_warn("VMBus device %s: no memory for its sub-channel %u\n",
			dev_name(&primary->dev->device), index);
		return;
	}
	kref_get(&primary->ref);
	hv->primary = primary;
	hv->link.primary = &primary->link;
	hv->link.sub_index = index;
	kobject_get(&channel->kobj);
	list_add_tail(&hv->sub_node, &kmcl_hv_subs);
}

/* Called with the lock held. It is in the list once; a reference of that is dropped. */
static void kmcl_hv_sub_del(struct kmcl_hv_link *hv)
{
	if (list_empty(&hv->sub_node))
		return;
	list_del_init(&hv->sub_node);
	kmcl_hv_link_put(hv);
}

/* hv_vmbus has made a new one, which stays at least until this returns. */
static void kmcl_hv_sub_created(struct vmbus_channel *channel)
{
	struct kmcl_hv_link *primary;

	mutex_lock(&kmcl_hv_sub_lock);
	list_for_each_entry(primary, &kmcl_hv_primaries, sub_node) {
		if (primary->channel != channel->primary_channel)
			continue;
		kmcl_hv_sub_add(primary, channel);
		kmcl_hv_rescan(&primary->link.type);
		break;
	}
	mutex_unlock(&kmcl_hv_sub_lock);
}

/* From now on sub-channels of the device are taken: called before it is opened. */
void kmcl_hv_sub_listen(struct kmcl_hv_link *primary)
{
	mutex_lock(&kmcl_hv_sub_lock);
	list_add_tail(&primary->sub_node, &kmcl_hv_primaries);
	mutex_unlock(&kmcl_hv_sub_lock);
	vmbus_set_sc_create_callback(primary->channel, kmcl_hv_sub_created);
}

/* The opposite: those that no channel has are let go of. */
void kmcl_hv_sub_deafen(struct kmcl_hv_link *primary)
{
	struct kmcl_hv_link *hv, *next;

	mutex_lock(&kmcl_hv_sub_lock);
	list_del_init(&primary->sub_node);
	list_for_each_entry_safe(hv, next, &kmcl_hv_subs, sub_node) {
		if (hv->primary == primary && !hv->link.chan)
			kmcl_hv_sub_del(hv);
	}
	mutex_unlock(&kmcl_hv_sub_lock);
}

/*
 * A sub-channel is gone. Its rings are taken from the core and, if @shut, closed: that
 * waits for the host, so it is only for one that is rescinded, which ends such waits, or
 * whose device is being unbound.
 */
static void kmcl_hv_sub_lose(struct kmcl_hv_link *hv, bool shut)
{
	if (kmcl_offer_gone(&hv->link)) {
		if (shut) {
			kmcl_hv_shut(hv);
			kmcl_offer_closed(&hv->link);
		}
		return;
	}

	/* Its channel had not begun to open it. */
	kmcl_hv_rescan(&hv->link.type);
	mutex_lock(&kmcl_hv_sub_lock);
	kmcl_hv_sub_del(hv);
	mutex_unlock(&kmcl_hv_sub_lock);
	kmcl_hv_link_put(hv);
}

/* One that a channel has, of @primary and not lost yet, or NULL. With a reference. */
static struct kmcl_hv_link *kmcl_hv_sub_of(const struct kmcl_hv_link *primary)
{
	struct kmcl_hv_link *hv, *found = NULL;

	mutex_lock(&kmcl_hv_sub_lock);
	list_for_each_entry(hv, &kmcl_hv_subs, sub_node) {
		if (hv->primary == primary && hv->link.chan && !hv->orphaned) {
			hv->orphaned = true;
			kref_get(&hv->ref);
			found = hv;
			break;
		}
	}
	mutex_unlock(&kmcl_hv_sub_lock);
	return found;
}

/*
 * The primary's device is being taken from this driver, with its lock held. After a
 * rescind nothing may be waited for here that only the next rescind ends: the class'
 * work closes the rings of its sub-channels as the host withdraws these.
 */
void kmcl_hv_sub_lose_all(struct kmcl_hv_link *primary)
{
	struct kmcl_hv_link *hv;

	while ((hv = kmcl_hv_sub_of(primary))) {
		kmcl_hv_sub_lose(hv, !primary->channel->rescind);
		kmcl_hv_link_put(hv);
	}
}

/* One of the class that was rescinded, which is seen to now, or NULL. With a reference. */
static struct kmcl_hv_link *kmcl_hv_sub_rescinded(const guid_t *type)
{
	struct kmcl_hv_link *hv, *found = NULL;

	mutex_lock(&kmcl_hv_sub_lock);
	list_for_each_entry(hv, &kmcl_hv_subs, sub_node) {
		if (guid_equal(&hv->link.type, type) && READ_ONCE(hv->channel->rescind) &&
		    !hv->rescinded) {
			hv->rescinded = true;
			kref_get(&hv->ref);
			found = hv;
			break;
		}
	}
	/* One that no channel has nobody will release. */
	if (found && !found->link.chan)
		kmcl_hv_sub_del(found);
	mutex_unlock(&kmcl_hv_sub_lock);
	return found;
}

/* Called with the lock held. */
static void kmcl_hv_sub_offer(struct kmcl_hv_link *hv)
{
	/* The core's reference, which it may drop before the next line returns. */
	kref_get(&hv->ref);
	if (kmcl_offer_arrived(&hv->link))
		kmcl_hv_link_put(hv);
}

/*
 * Called by the class' work: sees to those that were rescinded, and gives the others to
 * the channels that wait for them. Returns whether there are any to be looked at.
 */
bool kmcl_hv_sub_look(const guid_t *type)
{
	struct kmcl_hv_link *hv;
	bool any = false;

	while ((hv = kmcl_hv_sub_rescinded(type))) {
		if (hv->link.chan)
			kmcl_hv_sub_lose(hv, true);
		kmcl_hv_link_put(hv);
	}

	mutex_lock(&kmcl_hv_sub_lock);
	list_for_each_entry(hv, &kmcl_hv_subs, sub_node) {
		if (!guid_equal(&hv->link.type, type))
			continue;
		any = true;
		if (!hv->link.chan && !kmcl_hv_is_asleep())
			kmcl_hv_sub_offer(hv);
	}
	mutex_unlock(&kmcl_hv_sub_lock);
	return any;
}

/* The core has released it. While its primary is open another channel may have it. */
void kmcl_hv_sub_released(struct kmcl_hv_link *hv)
{
	struct kmcl_hv_link *primary = hv->primary;

	mutex_lock(&kmcl_hv_sub_lock);
	if (!list_empty(&primary->sub_node) && !hv->orphaned &&
	    !READ_ONCE(hv->channel->rescind))
		kmcl_hv_sub_add(primary, hv->channel);
	kmcl_hv_sub_del(hv);
	mutex_unlock(&kmcl_hv_sub_lock);
	kmcl_hv_link_put(hv);
}
