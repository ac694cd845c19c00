// SPDX-License-Identifier: GPL-2.0
/*
 * Links: an offer that a channel has accepted, until the transport has it back. Here is
 * how it ends when it is not the channel that ends it.
 */
#include <linux/export.h>

#include "control.h"

/**
 * kmcl_link_init() - make a link for an offer
 * @link: the transport's
 * @ops: the transport
 * @type: the offer's class
 * @instance: the offer's instance
 *
 * For a sub-channel the transport sets @primary and @sub_index behind this.
 */
void kmcl_link_init(struct kmcl_link *link, const struct kmcl_transport *ops,
		    const guid_t *type, const guid_t *instance)
{
	link->ops = ops;
	guid_copy(&link->type, type);
	guid_copy(&link->instance, instance);
	link->primary = NULL;
	link->sub_index = 0;
	link->target_cpu = -1;
	link->chan = NULL;
	link->cut = false;
	link->flushed = false;
	link->device = NULL;
	atomic_set(&link->external, 0);
}
EXPORT_SYMBOL_GPL(kmcl_link_init);

/**
 * kmcl_link_destroy() - a transport is about to free a link
 * @link: initialized by kmcl_link_init(), accepted or not
 */
void kmcl_link_destroy(struct kmcl_link *link)
{
	if (link->chan)
		kmcl_channel_put(link->chan);
}
EXPORT_SYMBOL_GPL(kmcl_link_destroy);

/* The channel is to close its link. Called with the control lock held. */
void kmcl_link_set_gone(struct kmcl_channel *chan)
{
	chan->ctl.link_gone = true;
	kmcl_requests_off(chan);
	kmcl_receive_discard(chan);
	kmcl_control_ask(chan);
}

/* The outgoing ring is broken: the channel is closed as if the offer were gone. */
void kmcl_link_broke(struct work_struct *work)
{
	struct kmcl_channel *chan =
		container_of(work, struct kmcl_channel, send.hang_up);
	unsigned long flags;

	spin_lock_irqsave(&chan->ctl.lock, flags);
	/* That ring may have been closed meanwhile, and another one be open. */
	if (chan->ctl.link_used && READ_ONCE(chan->send.broken))
		kmcl_link_set_gone(chan);
	spin_unlock_irqrestore(&chan->ctl.lock, flags);
}

/**
 * kmcl_link_hang_up() - the other end of a link went away
 * @link: accepted by kmcl_offer_arrived() or given by kmcl_offer_opened()
 *
 * The channel is asked to close it. If it has not begun to open it, it is taken
 * back at once.
 *
 * Context: any.
 *
 * Return:
 *  - true: the release operation has been or will be called
 *  - false: it will not
 */
bool kmcl_link_hang_up(struct kmcl_link *link)
{
	struct kmcl_channel *chan = link->chan;
	bool used = true;
	unsigned long flags;

	spin_lock_irqsave(&chan->ctl.lock, flags);
	if (chan->ctl.link == link) {
		used = chan->ctl.link_used;
		if (used)
			kmcl_link_set_gone(chan);
		else
			chan->ctl.link = NULL;
	}
	spin_unlock_irqrestore(&chan->ctl.lock, flags);
	return used;
}

/**
 * kmcl_offer_gone() - an offer that a channel had accepted went away
 * @link: accepted by kmcl_offer_arrived()
 *
 * When this returns the core does not touch the link's rings any more, and the
 * transport may close it at once, whatever the channel's worker and its client are
 * doing; then it calls kmcl_offer_closed(). It waits for nothing of the client's. A
 * link that the channel has not begun to open is taken back. The caller keeps @link
 * alive until the release operation.
 *
 * Context: may sleep.
 *
 * Return:
 *  - true: the release operation has been or will be called
 *  - false: it will not
 */
bool kmcl_offer_gone(struct kmcl_link *link)
{
	bool used = kmcl_link_hang_up(link);

	if (used) {
		kmcl_send_cut(link->chan, link);
		kmcl_receive_cut(link->chan, link);
	}
	return used;
}
EXPORT_SYMBOL_GPL(kmcl_offer_gone);

/**
 * kmcl_offer_closed() - a link that is gone was closed
 * @link: see kmcl_offer_gone(), which has returned true
 *
 * What was sent over it cannot be answered any more, and is complete when this
 * returns: the client may need that before it can let go of what it holds.
 *
 * Context: may sleep.
 */
void kmcl_offer_closed(struct kmcl_link *link)
{
	kmcl_send_abort(link->chan, link);
}
EXPORT_SYMBOL_GPL(kmcl_offer_closed);

/**
 * kmcl_link_not_closed() - the other end could not be told that a link is closed
 * @link: whose rings are not used any more
 *
 * Called before what was sent over it is completed: the memory that this describes
 * is not to be used for anything else. It completes all the same.
 *
 * Context: may sleep.
 */
void kmcl_link_not_closed(struct kmcl_link *link)
{
	kmcl_transactions_pin(link->chan);
	kmcl_pin_report(link->chan);
}
EXPORT_SYMBOL_GPL(kmcl_link_not_closed);
