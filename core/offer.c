// SPDX-License-Identifier: GPL-2.0
/*
 * Offers: which transports there are, which channels wait, and which of them gets what.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/module.h>
#include <linux/mutex.h>

#include "control.h"

/*
 * Guards the table. A transport that is watched is held by its module's
 * reference count, so nothing of it is called under this.
 */
static DEFINE_MUTEX(kmcl_transports_lock);
static const struct kmcl_transport *kmcl_transports[KMCL_TRANSPORTS];

/* Guards the list. Taken inside no other lock, and a channel's control lock in it. */
static DEFINE_SPINLOCK(kmcl_waiting_lock);
static LIST_HEAD(kmcl_waiting);

void kmcl_offer_list_add(struct kmcl_channel *chan)
{
	unsigned long flags;

	spin_lock_irqsave(&kmcl_waiting_lock, flags);
	list_add_tail(&chan->node, &kmcl_waiting);
	spin_unlock_irqrestore(&kmcl_waiting_lock, flags);
}

void kmcl_offer_list_del(struct kmcl_channel *chan)
{
	unsigned long flags;

	spin_lock_irqsave(&kmcl_waiting_lock, flags);
	list_del_init(&chan->node);
	spin_unlock_irqrestore(&kmcl_waiting_lock, flags);
}

/* Has the channels that wait look for transports they do not watch yet. */
static void kmcl_offer_wake_waiting(void)
{
	struct kmcl_channel *chan;
	unsigned long flags;

	spin_lock_irqsave(&kmcl_waiting_lock, flags);
	list_for_each_entry(chan, &kmcl_waiting, node) {
		spin_lock(&chan->ctl.lock);
		kmcl_control_ask(chan);
		spin_unlock(&chan->ctl.lock);
	}
	spin_unlock_irqrestore(&kmcl_waiting_lock, flags);
}

/**
 * kmcl_transport_register() - add a transport
 * @ops: what it can do
 *
 * Channels that are enabled already start to watch for its offers.
 *
 * Return:
 *  - 0
 *  - -ENOSPC: the table of transports is full
 */
int kmcl_transport_register(const struct kmcl_transport *ops)
{
	int i, ret = -ENOSPC;

	mutex_lock(&kmcl_transports_lock);
	for (i = 0; i < KMCL_TRANSPORTS; i++) {
		if (!kmcl_transports[i]) {
			WRITE_ONCE(kmcl_transports[i], ops);
			ret = 0;
			break;
		}
	}
	mutex_unlock(&kmcl_transports_lock);

	kmcl_offer_wake_waiting();
	kmcl_devices_transport_added();
	return ret;
}
EXPORT_SYMBOL_GPL(kmcl_transport_register);

/**
 * kmcl_transport_unregister() - take a transport away
 * @ops: as registered
 *
 * The transport's module is held while any channel watches it, so none does.
 */
void kmcl_transport_unregister(const struct kmcl_transport *ops)
{
	int i;

	mutex_lock(&kmcl_transports_lock);
	for (i = 0; i < KMCL_TRANSPORTS; i++) {
		if (kmcl_transports[i] == ops)
			WRITE_ONCE(kmcl_transports[i], NULL);
	}
	mutex_unlock(&kmcl_transports_lock);
}
EXPORT_SYMBOL_GPL(kmcl_transport_unregister);

/* One of the table's, whose module is held; NULL where there is none. */
const struct kmcl_transport *kmcl_transport_hold(int i)
{
	const struct kmcl_transport *ops;

	mutex_lock(&kmcl_transports_lock);
	ops = kmcl_transports[i];
	if (ops && !try_module_get(ops->owner))
		ops = NULL;
	mutex_unlock(&kmcl_transports_lock);
	return ops;
}

/* Is there a transport that the channel does not watch yet? */
bool kmcl_offer_unwatched(const struct kmcl_channel *chan)
{
	int i;

	for (i = 0; i < KMCL_TRANSPORTS; i++) {
		if (READ_ONCE(kmcl_transports[i]) && !(chan->ctl.tried & BIT(i)))
			return true;
	}
	return false;
}

/*
 * Watches one more transport, or has it report anew what it was asked for before.
 * One that failed is not asked again until the channel is enabled anew. Returns false
 * if there was none to ask.
 */
bool kmcl_offer_watch(struct kmcl_channel *chan)
{
	const struct kmcl_transport *ops = NULL;
	bool watches = false;
	int i, ret;

	mutex_lock(&kmcl_transports_lock);
	for (i = 0; i < KMCL_TRANSPORTS; i++) {
		watches = chan->ctl.watching & BIT(i);
		/* One that is being unloaded is as good as not there. */
		if (kmcl_transports[i] && !(chan->ctl.tried & BIT(i)) &&
		    (watches || try_module_get(kmcl_transports[i]->owner))) {
			ops = kmcl_transports[i];
			break;
		}
	}
	mutex_unlock(&kmcl_transports_lock);
	if (!ops)
		return false;

	chan->ctl.tried |= BIT(i);
	if (watches) {
		ops->rescan(&chan->set.type);
		return true;
	}

	WRITE_ONCE(chan->ctl.watching, chan->ctl.watching | BIT(i));
	ret = ops->watch(&chan->set.type);
	if (ret) {
		WRITE_ONCE(chan->ctl.watching, chan->ctl.watching & ~BIT(i));
		if (ret != -ENODEV)
			kmcl_warn(chan, "%s cannot watch for offers: error %d\n",
				  ops->name, ret);
		module_put(ops->owner);
	}
	return true;
}

void kmcl_offer_unwatch(struct kmcl_channel *chan)
{
	int i;

	for (i = 0; i < KMCL_TRANSPORTS; i++) {
		/* Held by the watch, so the entry stays. */
		const struct kmcl_transport *ops = READ_ONCE(kmcl_transports[i]);

		if (!(chan->ctl.watching & BIT(i)))
			continue;
		ops->unwatch(&chan->set.type);
		module_put(ops->owner);
	}
	WRITE_ONCE(chan->ctl.watching, 0);
}

/* Returns when what the channel has given back is free for others. */
void kmcl_offer_settle(struct kmcl_channel *chan)
{
	const struct kmcl_transport *ops;
	int i;

	for (i = 0; i < KMCL_TRANSPORTS; i++) {
		ops = kmcl_transport_hold(i);
		if (!ops)
			continue;

		if (ops->settle)
			ops->settle(&chan->set.type);
		module_put(ops->owner);
	}
}

/* A transport that could not watch for the channel does not know of its end. */
static bool kmcl_channel_watches(const struct kmcl_channel *chan,
				 const struct kmcl_transport *ops)
{
	int i;

	for (i = 0; i < KMCL_TRANSPORTS; i++) {
		if (READ_ONCE(kmcl_transports[i]) == ops)
			return READ_ONCE(chan->ctl.watching) & BIT(i);
	}
	return false;
}

/* Called with the control lock held. */
static bool kmcl_channel_waits(const struct kmcl_channel *chan,
			       const struct kmcl_transport *ops)
{
	return chan->ctl.state == KMCL_ENABLED && chan->ctl.want_enabled &&
	       !chan->ctl.link && kmcl_channel_watches(chan, ops);
}

/* Called with the control lock held. */
static bool kmcl_channel_wants(const struct kmcl_channel *chan,
			       const struct kmcl_transport *ops,
			       const guid_t *type, const guid_t *instance)
{
	return kmcl_channel_waits(chan, ops) && !chan->set.primary &&
	       guid_equal(&chan->set.type, type) &&
	       (chan->set.any_instance ||
		guid_equal(&chan->set.instance, instance));
}

/* Called with the control lock held. */
static bool kmcl_channel_takes(const struct kmcl_channel *chan,
			       const struct kmcl_link *link)
{
	if (!link->primary)
		return kmcl_channel_wants(chan, link->ops, &link->type,
					  &link->instance);
	return kmcl_channel_waits(chan, link->ops) &&
	       kmcl_sub_takes(chan, link->primary, link->sub_index);
}

/**
 * kmcl_offer_wanted() - does a channel wait for such an offer?
 * @ops: the transport
 * @type: the offer's class
 * @instance: the offer's instance
 *
 * For transports to which it matters to try an offer: kmcl_offer_arrived() may still
 * find that the channel has gone.
 */
bool kmcl_offer_wanted(const struct kmcl_transport *ops, const guid_t *type,
		       const guid_t *instance)
{
	struct kmcl_channel *chan;
	bool wanted = false;
	unsigned long flags;

	spin_lock_irqsave(&kmcl_waiting_lock, flags);
	list_for_each_entry(chan, &kmcl_waiting, node) {
		spin_lock(&chan->ctl.lock);
		wanted = kmcl_channel_wants(chan, ops, type, instance);
		spin_unlock(&chan->ctl.lock);
		if (wanted)
			break;
	}
	spin_unlock_irqrestore(&kmcl_waiting_lock, flags);
	return wanted;
}
EXPORT_SYMBOL_GPL(kmcl_offer_wanted);

/**
 * kmcl_offer_sub_wanted() - does a channel wait for such a sub-channel?
 * @primary: the link of its primary
 * @index: which of the sub-channels
 *
 * As kmcl_offer_wanted().
 */
bool kmcl_offer_sub_wanted(const struct kmcl_link *primary, u16 index)
{
	struct kmcl_channel *chan;
	bool wanted = false;
	unsigned long flags;

	spin_lock_irqsave(&kmcl_waiting_lock, flags);
	list_for_each_entry(chan, &kmcl_waiting, node) {
		spin_lock(&chan->ctl.lock);
		wanted = kmcl_channel_waits(chan, primary->ops) &&
			 kmcl_sub_takes(chan, primary, index);
		spin_unlock(&chan->ctl.lock);
		if (wanted)
			break;
	}
	spin_unlock_irqrestore(&kmcl_waiting_lock, flags);
	return wanted;
}

/**
 * kmcl_offer_held() - another driver holds an offer
 * @ops: the transport
 * @type: the offer's class
 * @instance: the offer's instance
 * @others: another offer of the class is a channel's: one that takes any instance may
 *	wait for that
 *
 * A channel that waits for it is told so, once for each time that it is enabled.
 *
 * Return: whether a channel is told, so that it is news to the log as well.
 */
bool kmcl_offer_held(const struct kmcl_transport *ops, const guid_t *type,
		     const guid_t *instance, bool others)
{
	struct kmcl_channel *chan;
	unsigned long flags;
	bool news = false;

	spin_lock_irqsave(&kmcl_waiting_lock, flags);
	list_for_each_entry(chan, &kmcl_waiting, node) {
		spin_lock(&chan->ctl.lock);
		if (kmcl_channel_wants(chan, ops, type, instance) &&
		    !chan->ctl.busy_noted && !(others && chan->set.any_instance)) {
			chan->ctl.busy_noted = true;
			chan->ctl.busy = true;
			kmcl_control_ask(chan);
			news = true;
		}
		spin_unlock(&chan->ctl.lock);
	}
	spin_unlock_irqrestore(&kmcl_waiting_lock, flags);
	return news;
}
EXPORT_SYMBOL_GPL(kmcl_offer_held);

/**
 * kmcl_offer_arrived() - a transport found an offer
 * @link: initialized by kmcl_link_init(), or one that no channel took before
 *
 * Gives it to the channel that has waited for it longest. From then on the
 * core may use the link until it calls the release operation.
 *
 * Return:
 *  - 0: a channel has it
 *  - -ENODEV: no channel waits for such an offer
 */
int kmcl_offer_arrived(struct kmcl_link *link)
{
	struct kmcl_channel *chan;
	unsigned long flags;
	int ret = -ENODEV;

	spin_lock_irqsave(&kmcl_waiting_lock, flags);
	list_for_each_entry(chan, &kmcl_waiting, node) {
		spin_lock(&chan->ctl.lock);
		if (kmcl_channel_takes(chan, link)) {
			kmcl_channel_get(chan);
			link->chan = chan;
			WRITE_ONCE(chan->ctl.link, link);
			kmcl_control_ask(chan);
			ret = 0;
		}
		spin_unlock(&chan->ctl.lock);
		if (!ret)
			break;
	}
	spin_unlock_irqrestore(&kmcl_waiting_lock, flags);
	return ret;
}
EXPORT_SYMBOL_GPL(kmcl_offer_arrived);

/**
 * kmcl_transport_sleep() - a transport is to be without links for some time
 * @ops: the transport
 *
 * Channels that use a link of it close as if that had gone, and go on waiting
 * without having to be enabled anew. This does not wait for them: the transport
 * knows when it has all its links back. It reports no offers meanwhile.
 */
void kmcl_transport_sleep(const struct kmcl_transport *ops)
{
	struct kmcl_channel *chan;
	unsigned long flags;

	spin_lock_irqsave(&kmcl_waiting_lock, flags);
	list_for_each_entry(chan, &kmcl_waiting, node) {
		spin_lock(&chan->ctl.lock);
		if (chan->ctl.link && chan->ctl.link->ops == ops) {
			/* From here on the worker lets go of it, opened or not. */
			chan->ctl.link_used = true;
			chan->ctl.stays_wanted = chan->ctl.want_enabled;
			kmcl_link_set_gone(chan);
		}
		spin_unlock(&chan->ctl.lock);
	}
	spin_unlock_irqrestore(&kmcl_waiting_lock, flags);
}
EXPORT_SYMBOL_GPL(kmcl_transport_sleep);

/**
 * kmcl_offer_opened() - a client opens what a server offers
 * @offer: the offer
 * @link: the server's end, initialized by kmcl_link_init()
 *
 * From here on the core may use the link until it calls the release operation. Not
 * to be called again before that.
 *
 * Context: any.
 */
void kmcl_offer_opened(struct kmcl_offer *offer, struct kmcl_link *link)
{
	struct kmcl_channel *chan =
		container_of(offer, struct kmcl_channel, server.offer);
	unsigned long flags;

	kmcl_channel_get(chan);
	link->chan = chan;
	spin_lock_irqsave(&chan->ctl.lock, flags);
	WRITE_ONCE(chan->ctl.link, link);
	kmcl_control_ask(chan);
	spin_unlock_irqrestore(&chan->ctl.lock, flags);
}

/* The transport that takes offers stays as long as the library. */
static const struct kmcl_transport *kmcl_offer_transport(void)
{
	const struct kmcl_transport *ops = NULL;
	int i;

	mutex_lock(&kmcl_transports_lock);
	for (i = 0; i < KMCL_TRANSPORTS; i++) {
		if (kmcl_transports[i] && kmcl_transports[i]->offer)
			ops = kmcl_transports[i];
	}
	mutex_unlock(&kmcl_transports_lock);
	return ops;
}

/* Makes a server's offer, or makes it anew. As the transport's own. */
int kmcl_offer_make(struct kmcl_channel *chan)
{
	return kmcl_offer_transport()->offer(&chan->server.offer);
}

void kmcl_offer_revoke(struct kmcl_channel *chan)
{
	kmcl_offer_transport()->revoke(&chan->server.offer);
}
