// SPDX-License-Identifier: GPL-2.0
/*
 * The loopback transport: servers and clients in one kernel.
 *
 * A server's offer is in a list. A client that looks for such an offer, or waits
 * for one, is given a connection: two ends with a ring in each direction. When
 * it opens its end, the other one goes to the server's channel, and the client
 * waits until that has been opened or refused.
 *
 *	server's end	client's end	what it means
 *	new		new		a client has the offer, but has not opened it
 *	new		open		the server is being asked
 *	open		open		connected
 *	closed		open		refused, revoked or disabled: the client is
 *					told, unless it is waiting for the answer
 *	open		closed		the client left: the server is told
 *	parked		open		the server was saved: its successor may come
 *	closed		closed		freed when both channels have released it
 *
 * An end that closes does not wait for the other's worker, so that it does not
 * matter which end closes first or whether both do. It sees to it that the other end
 * takes no packet with this end's memory from the ring any more, tells the other end
 * to close, and waits until such packets that the other end has taken are completed.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/interrupt.h>
#include <linux/kref.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include "loopback.h"

enum kmcl_lb_state {
	KMCL_LB_NEW,
	KMCL_LB_OPEN,
	KMCL_LB_PARKED,
	KMCL_LB_CLOSED,
};

struct kmcl_lb_end {
	struct kmcl_link link;
	struct kmcl_lb_conn *conn;
	struct kmcl_lb_end *peer;
	struct kmcl_lb_ring *out;
	struct kmcl_lb_ring *in;
	/* Written under the lock; softirqs look at it under RCU. */
	enum kmcl_lb_state state;
	bool closing;		/* its channel is about to close it */
	struct tasklet_struct tasklet;	/* the peer's signal */
};

struct kmcl_lb_conn {
	struct kref ref;	/* the links that channels have, and @primary of others */
	struct kmcl_lb_conn *primary;	/* of a sub-channel */
	struct kmcl_offer *offer;	/* NULL once it has left the offer */
	struct list_head parked;
	u64 save;		/* number of the save by which it may be resumed */
	struct kmcl_lb_end client;
	struct kmcl_lb_end server;
	bool handed;		/* the server's channel has its link */
	bool decided;
	int decision;		/* what opening gives to the client */
	struct completion answered;
	struct kmcl_lb_ring to_server;
	struct kmcl_lb_ring to_client;
	struct list_head gpadls;
	u32 last_gpadl;
	u32 deletions;		/* of GPADLs, that wait for the server */
	wait_queue_head_t unmapped;
};

struct kmcl_lb_gpadl {
	struct list_head node;
	const struct kmcl_gpadl *gpadl;
	bool mapped;
	bool dying;
};

/*
 * Guards the lists, and of a connection all but its rings. The core's own locks
 * are taken inside.
 */
static DEFINE_MUTEX(kmcl_lb_lock);
static LIST_HEAD(kmcl_lb_offers);
static LIST_HEAD(kmcl_lb_parked);

static const struct kmcl_transport kmcl_lb_transport;

static struct kmcl_lb_end *to_lb_end(struct kmcl_link *link)
{
	return container_of(link, struct kmcl_lb_end, link);
}

static bool kmcl_lb_is_server(const struct kmcl_lb_end *end)
{
	return end == &end->conn->server;
}

static void kmcl_lb_tasklet(struct tasklet_struct *t)
{
	struct kmcl_lb_end *end = container_of(t, struct kmcl_lb_end, tasklet);

	kmcl_data_ready(&end->link);
}

/* A closed end is left alone: kmcl_lb_shut() waits for calls that saw it open. */
static void kmcl_lb_signal(struct kmcl_lb_end *end)
{
	rcu_read_lock();
	if (READ_ONCE(end->state) == KMCL_LB_OPEN)
		tasklet_schedule(&end->tasklet);
	rcu_read_unlock();
}

static void kmcl_lb_end_init(struct kmcl_lb_conn *conn, struct kmcl_lb_end *end,
			     struct kmcl_lb_end *peer, struct kmcl_lb_ring *out,
			     struct kmcl_lb_ring *in)
{
	end->conn = conn;
	end->peer = peer;
	end->out = out;
	end->in = in;
	tasklet_setup(&end->tasklet, kmcl_lb_tasklet);
}

/* A sub-channel's connection keeps that of its primary. */
static void kmcl_lb_link_init(struct kmcl_lb_end *end,
			      const struct kmcl_offer *offer)
{
	struct kmcl_lb_conn *primary = end->conn->primary;

	kmcl_link_init(&end->link, &kmcl_lb_transport, &offer->type,
		       &offer->instance);
	end->link.sub_index = offer->sub_index;
	if (primary)
		end->link.primary = kmcl_lb_is_server(end) ? &primary->server.link :
							     &primary->client.link;
	end->closing = false;
}

static void kmcl_lb_free(struct kref *ref)
{
	struct kmcl_lb_conn *conn = container_of(ref, struct kmcl_lb_conn, ref);

	/* That one is no sub-channel's, so this goes no deeper. */
	if (conn->primary)
		kref_put(&conn->primary->ref, kmcl_lb_free);
	kmcl_lb_ring_destroy(&conn->to_server);
	kmcl_lb_ring_destroy(&conn->to_client);
	kfree(conn);
}

/* Does a client wait for it? For a sub-channel: that whose primary is connected to its. */
static bool kmcl_lb_wanted(const struct kmcl_offer *offer)
{
	if (offer->primary)
		return kmcl_offer_sub_wanted(&to_lb_end(offer->primary)->peer->link,
					     offer->sub_index);
	return kmcl_offer_wanted(&kmcl_lb_transport, &offer->type, &offer->instance);
}

/* Gives the offer, if it has no connection, to the client that has waited longest. */
static int kmcl_lb_give(struct kmcl_offer *offer)
{
	struct kmcl_lb_conn *conn;

	if (offer->private || !kmcl_lb_wanted(offer))
		return 0;

	conn = kzalloc(sizeof(*conn), GFP_KERNEL);
	if (!conn)
		return -ENOMEM;

	kref_init(&conn->ref);
	if (offer->primary) {
		conn->primary = to_lb_end(offer->primary)->conn;
		kref_get(&conn->primary->ref);
	}
	INIT_LIST_HEAD(&conn->parked);
	init_completion(&conn->answered);
	INIT_LIST_HEAD(&conn->gpadls);
	init_waitqueue_head(&conn->unmapped);
	kmcl_lb_end_init(conn, &conn->client, &conn->server, &conn->to_server,
			 &conn->to_client);
	kmcl_lb_end_init(conn, &conn->server, &conn->client, &conn->to_client,
			 &conn->to_server);
	kmcl_lb_link_init(&conn->client, offer);
	if (kmcl_offer_arrived(&conn->client.link)) {
		kref_put(&conn->ref, kmcl_lb_free);
		return 0;
	}

	offer->private = conn;
	conn->offer = offer;
	return 0;
}

/* Gives the offers of the class that are free. Called with the lock held. */
static int kmcl_lb_give_all(const guid_t *type)
{
	struct kmcl_offer *offer;
	int ret = 0;

	list_for_each_entry(offer, &kmcl_lb_offers, node) {
		if (guid_equal(&offer->type, type))
			ret = kmcl_lb_give(offer);
		if (ret)
			break;
	}
	return ret;
}

static int kmcl_lb_watch(const guid_t *type)
{
	int ret;

	mutex_lock(&kmcl_lb_lock);
	ret = kmcl_lb_give_all(type);
	mutex_unlock(&kmcl_lb_lock);
	return ret;
}

static void kmcl_lb_rescan(const guid_t *type)
{
	if (kmcl_lb_watch(type))
		pr_warn("no memory to tell a waiting client of offers of class %pUl\n",
			type);
}

/* An offer finds the clients that wait by itself, and the drivers of its class. */
static void kmcl_lb_unwatch(const guid_t *type)
{
}

static int kmcl_lb_watch_devices(const guid_t *type)
{
	struct kmcl_offer *offer;
	struct kmcl_lb_conn *conn;

	mutex_lock(&kmcl_lb_lock);
	list_for_each_entry(offer, &kmcl_lb_offers, node) {
		if (!offer->primary && guid_equal(&offer->type, type))
			kmcl_device_arrived(type, &offer->instance);
	}
	/* A saved server's is there for its client. */
	list_for_each_entry(conn, &kmcl_lb_parked, parked) {
		if (guid_equal(&conn->client.link.type, type))
			kmcl_device_arrived(type, &conn->client.link.instance);
	}
	mutex_unlock(&kmcl_lb_lock);
	return 0;
}

/* Answers the client that opens, unless it has been answered. */
static void kmcl_lb_decide(struct kmcl_lb_conn *conn, int decision)
{
	if (conn->decided)
		return;
	conn->decided = true;
	conn->decision = decision;
	complete(&conn->answered);
}

/* Tells the peer's channel to close, if its opening has succeeded. */
static void kmcl_lb_hang_up(struct kmcl_lb_end *peer)
{
	if (peer->state == KMCL_LB_OPEN && peer->conn->decided &&
	    !peer->conn->decision)
		kmcl_link_hang_up(&peer->link);
}

/*
 * From here on the connection has nothing to do with the offer. True: the client has
 * not begun to open it, and does not even notice.
 */
static bool kmcl_lb_leave_offer(struct kmcl_lb_conn *conn)
{
	conn->offer->private = NULL;
	conn->offer = NULL;
	kmcl_lb_decide(conn, -ENODEV);
	return !conn->handed && !kmcl_link_hang_up(&conn->client.link);
}

static bool kmcl_lb_same(const struct kmcl_link *link,
			 const struct kmcl_offer *offer)
{
	return !offer->primary && guid_equal(&link->type, &offer->type) &&
	       guid_equal(&link->instance, &offer->instance);
}

static bool kmcl_lb_is_parked(const struct kmcl_offer *offer)
{
	struct kmcl_lb_conn *conn;

	list_for_each_entry(conn, &kmcl_lb_parked, parked) {
		if (kmcl_lb_same(&conn->client.link, offer))
			return true;
	}
	return false;
}

static void kmcl_lb_hand_over(struct kmcl_lb_conn *conn,
			      struct kmcl_offer *offer)
{
	offer->private = conn;
	conn->offer = offer;
	conn->handed = true;
	WRITE_ONCE(conn->server.state, KMCL_LB_NEW);
	kref_get(&conn->ref);
	kmcl_lb_link_init(&conn->server, offer);
	kmcl_offer_opened(offer, &conn->server.link);
}

/*
 * A server has come for an offer whose client may have been left waiting. The
 * successor of the saved server goes on with that client; for any other the client
 * is told to close.
 */
static bool kmcl_lb_resume(struct kmcl_offer *offer)
{
	struct kmcl_lb_conn *conn;

	list_for_each_entry(conn, &kmcl_lb_parked, parked) {
		struct kmcl_lb_end *server = &conn->server;

		if (!kmcl_lb_same(&conn->client.link, offer))
			continue;
		list_del_init(&conn->parked);
		/* The number of a save is its own, and serves once. */
		if (conn->save == offer->resume) {
			kmcl_lb_hand_over(conn, offer);
			return true;
		}
		WRITE_ONCE(server->state, KMCL_LB_CLOSED);
		kmcl_lb_hang_up(&conn->client);
		kmcl_device_gone(&offer->type, &offer->instance);
		return false;
	}
	return false;
}

static int kmcl_lb_offer(struct kmcl_offer *offer)
{
	bool resumed;
	int ret = 0;

	mutex_lock(&kmcl_lb_lock);
	if (list_empty(&offer->node))
		list_add_tail(&offer->node, &kmcl_lb_offers);
	resumed = kmcl_lb_resume(offer);
	if (!offer->primary)
		kmcl_device_arrived(&offer->type, &offer->instance);
	if (!resumed)
		ret = kmcl_lb_give(offer);
	mutex_unlock(&kmcl_lb_lock);

	if (ret)
		pr_warn("no memory to tell a waiting client of the offer %pUl\n",
			&offer->instance);
	return offer->resume && !resumed ? -ENOENT : 0;
}

static void kmcl_lb_revoke(struct kmcl_offer *offer)
{
	struct kmcl_lb_conn *conn;
	bool unused = false;

	mutex_lock(&kmcl_lb_lock);
	/* Else it is there for its client until the successor has come, or the client goes. */
	if (!list_empty(&offer->node) && !offer->primary && !kmcl_lb_is_parked(offer))
		kmcl_device_gone(&offer->type, &offer->instance);
	list_del_init(&offer->node);
	conn = offer->private;
	if (conn)
		unused = kmcl_lb_leave_offer(conn);
	if (unused)
		kmcl_link_destroy(&conn->client.link);
	mutex_unlock(&kmcl_lb_lock);

	if (!unused)
		return;
	kref_put(&conn->ref, kmcl_lb_free);
	/* That client has refused others meanwhile. */
	kmcl_lb_rescan(&offer->type);
}

/*
 * When this returns no signal comes to the end any more, and its peer has let go
 * of the memory that packets told it of, and learns of no more.
 */
static void kmcl_lb_shut(struct kmcl_lb_end *end)
{
	atomic_t *external = &end->peer->link.external;

	/* A peer that saw the end open has signalled, or counted the packet it read. */
	synchronize_rcu();
	tasklet_kill(&end->tasklet);
	/*
	 * The core wakes this when it counts down to 0. That may take a client's time,
	 * which is no matter for the hung-task watchdog. The acquire pairs with its full
	 * barrier: what the peer wrote to the memory is there.
	 */
	___wait_var_event(external, !atomic_read_acquire(external), TASK_IDLE, 0, 0,
			  schedule());
}

static int kmcl_lb_make_rings(struct kmcl_lb_conn *conn,
			      const struct kmcl_link_params *p)
{
	int ret = kmcl_lb_ring_init(&conn->to_server, p->send_bytes);

	return ret ?: kmcl_lb_ring_init(&conn->to_client, p->recv_bytes);
}

/* Asks the server, and waits for its answer. */
static int kmcl_lb_open_client(struct kmcl_lb_end *end,
			       const struct kmcl_link_params *p)
{
	struct kmcl_lb_conn *conn = end->conn;
	struct kmcl_offer *offer;
	int ret;

	ret = kmcl_lb_make_rings(conn, p);
	if (ret)
		return ret;

	mutex_lock(&kmcl_lb_lock);
	offer = conn->offer;
	if (!offer) {
		ret = -ENODEV;
	} else if (offer->pipe != p->pipe) {
		pr_warn("offer %pUl is %s pipe, which its client does not expect\n",
			&offer->instance, offer->pipe ? "a" : "no");
		ret = -EPROTOTYPE;
	} else {
		WRITE_ONCE(end->state, KMCL_LB_OPEN);
		kmcl_lb_hand_over(conn, offer);
	}
	mutex_unlock(&kmcl_lb_lock);
	if (ret)
		return ret;

	/* Signals come on any processor; the core takes them there. */
	end->link.target_cpu = p->target_cpu;
	wait_for_completion_state(&conn->answered, TASK_IDLE);
	if (!conn->decision)
		return 0;

	mutex_lock(&kmcl_lb_lock);
	WRITE_ONCE(end->state, KMCL_LB_CLOSED);
	mutex_unlock(&kmcl_lb_lock);
	kmcl_lb_shut(end);
	return conn->decision;
}

static int kmcl_lb_open(struct kmcl_link *link, const struct kmcl_link_params *p)
{
	struct kmcl_lb_end *end = to_lb_end(link);
	int ret = 0;

	if (!kmcl_lb_is_server(end))
		return kmcl_lb_open_client(end, p);

	mutex_lock(&kmcl_lb_lock);
	/* The client may have left while its server's successor was on the way. */
	link->send_bytes = end->out->size;
	if (end->peer->state == KMCL_LB_OPEN)
		WRITE_ONCE(end->state, KMCL_LB_OPEN);
	else
		ret = -ENODEV;
	mutex_unlock(&kmcl_lb_lock);
	return ret;
}

static void kmcl_lb_opened(struct kmcl_link *link)
{
	mutex_lock(&kmcl_lb_lock);
	kmcl_lb_decide(to_lb_end(link)->conn, 0);
	mutex_unlock(&kmcl_lb_lock);
}

static void kmcl_lb_close(struct kmcl_link *link)
{
	struct kmcl_lb_end *end = to_lb_end(link);
	struct kmcl_lb_conn *conn = end->conn;

	mutex_lock(&kmcl_lb_lock);
	WRITE_ONCE(end->state, KMCL_LB_CLOSED);
	if (!list_empty(&conn->parked) && !conn->primary)
		kmcl_device_gone(&link->type, &link->instance);
	list_del_init(&conn->parked);
	if (kmcl_lb_is_server(end))
		kmcl_lb_decide(conn, -ECONNREFUSED);
	kmcl_lb_hang_up(end->peer);
	mutex_unlock(&kmcl_lb_lock);

	kmcl_lb_shut(end);
}

/* The client goes on as if its server took a long time. */
static void kmcl_lb_park(struct kmcl_link *link, u64 save)
{
	struct kmcl_lb_end *end = to_lb_end(link);
	struct kmcl_lb_conn *conn = end->conn;

	mutex_lock(&kmcl_lb_lock);
	conn->save = save;
	WRITE_ONCE(end->state, KMCL_LB_PARKED);
	if (conn->client.state == KMCL_LB_OPEN)
		list_add(&conn->parked, &kmcl_lb_parked);
	mutex_unlock(&kmcl_lb_lock);

	kmcl_lb_shut(end);
}

static void kmcl_lb_release(struct kmcl_link *link)
{
	struct kmcl_lb_end *end = to_lb_end(link);
	struct kmcl_lb_conn *conn = end->conn;
	bool free = false;
	guid_t type;

	mutex_lock(&kmcl_lb_lock);
	if (kmcl_lb_is_server(end)) {
		kmcl_lb_decide(conn, -ECONNREFUSED);
		if (end->state == KMCL_LB_NEW) {
			WRITE_ONCE(end->state, KMCL_LB_CLOSED);
			kmcl_lb_hang_up(end->peer);
		}
	}
	/* The offer is free once the server's end is released, or if it had none. */
	if (conn->offer && (kmcl_lb_is_server(end) || !conn->handed)) {
		free = !kmcl_lb_is_server(end);
		conn->offer->private = NULL;
		conn->offer = NULL;
	}
	guid_copy(&type, &link->type);
	kmcl_link_destroy(link);
	mutex_unlock(&kmcl_lb_lock);

	kref_put(&conn->ref, kmcl_lb_free);
	/* Another client may wait for it. A server makes its offer anew. */
	if (free)
		kmcl_lb_rescan(&type);
}

/* Packets */

/* A ring whose other end is closed takes nothing. */
static bool kmcl_lb_dead(const struct kmcl_lb_end *end)
{
	return READ_ONCE(end->peer->state) == KMCL_LB_CLOSED;
}

static int kmcl_lb_write(struct kmcl_link *link, struct kmcl_out *out, const void *data,
			 bool opens)
{
	struct kmcl_lb_end *end = to_lb_end(link);
	unsigned long flags;
	bool signal;
	int ret;

	if (kmcl_lb_dead(end))
		return -ENODEV;
	spin_lock_irqsave(&end->out->lock, flags);
	ret = kmcl_lb_ring_write(end->out, out, data, opens, &signal);
	spin_unlock_irqrestore(&end->out->lock, flags);
	if (!ret && signal)
		kmcl_lb_signal(end->peer);
	return ret;
}

static int kmcl_lb_send(struct kmcl_link *link, const void *data, u32 len, u64 id, u32 type)
{
	struct kmcl_out out = { .type = type, .len = len, .id = id };

	return kmcl_lb_write(link, &out, data, false);
}

static int kmcl_lb_send_request(struct kmcl_link *link, struct kmcl_out *out, const void *data)
{
	return kmcl_lb_write(link, out, data, true);
}

static void kmcl_lb_want_room(struct kmcl_link *link, u32 bytes)
{
	kmcl_lb_ring_want_room(to_lb_end(link)->out, bytes);
}

static void kmcl_lb_recv_begin(struct kmcl_link *link)
{
	kmcl_lb_ring_begin(to_lb_end(link)->in);
}

/*
 * What a closed end has left is still read, but for packets that describe its
 * memory. The caller has bottom halves off, which is as good as rcu_read_lock().
 */
static int kmcl_lb_recv(struct kmcl_lb_end *end, struct kmcl_wire *pkt, int ret)
{
	while (ret && ret != -EPROTO && pkt->head->type == KMCL_WIRE_DATA_GPA &&
	       kmcl_lb_dead(end))
		ret = kmcl_lb_ring_next(end->in, pkt);
	return ret;
}

static int kmcl_lb_recv_first(struct kmcl_link *link, struct kmcl_wire *pkt)
{
	struct kmcl_lb_end *end = to_lb_end(link);

	return kmcl_lb_recv(end, pkt, kmcl_lb_ring_first(end->in, pkt));
}

static int kmcl_lb_recv_next(struct kmcl_link *link, struct kmcl_wire *pkt)
{
	struct kmcl_lb_end *end = to_lb_end(link);

	return kmcl_lb_recv(end, pkt, kmcl_lb_ring_next(end->in, pkt));
}

static void kmcl_lb_recv_commit(struct kmcl_link *link)
{
	struct kmcl_lb_end *end = to_lb_end(link);

	if (kmcl_lb_ring_commit(end->in))
		kmcl_lb_signal(end->peer);
}

static bool kmcl_lb_recv_end(struct kmcl_link *link)
{
	return kmcl_lb_ring_end(to_lb_end(link)->in);
}

/* GPADLs */

static int kmcl_lb_gpadl_create(struct kmcl_link *link, struct kmcl_gpadl *gpadl)
{
	struct kmcl_lb_end *end = to_lb_end(link);
	struct kmcl_lb_gpadl *g;

	if (kmcl_lb_is_server(end)) {
		pr_warn_ratelimited("a server has no GPADLs: only a client can make one\n");
		return -EOPNOTSUPP;
	}
	g = kzalloc(sizeof(*g), GFP_KERNEL);
	if (!g)
		return -ENOMEM;

	g->gpadl = gpadl;
	gpadl->private = g;
	mutex_lock(&kmcl_lb_lock);
	gpadl->handle = ++end->conn->last_gpadl;
	list_add_tail(&g->node, &end->conn->gpadls);
	mutex_unlock(&kmcl_lb_lock);
	return 0;
}

/* A client that is closing may be waiting for what its server does when closed. */
static int kmcl_lb_gpadl_delete(struct kmcl_link *link, struct kmcl_gpadl *gpadl)
{
	struct kmcl_lb_end *end = to_lb_end(link);
	struct kmcl_lb_conn *conn = end->conn;
	struct kmcl_lb_gpadl *g = gpadl->private;

	mutex_lock(&kmcl_lb_lock);
	g->dying = true;
	conn->deletions++;
	if (g->mapped && end->closing)
		kmcl_lb_hang_up(end->peer);
	while (g->mapped) {
		mutex_unlock(&kmcl_lb_lock);
		wait_event_idle(conn->unmapped, !READ_ONCE(g->mapped));
		mutex_lock(&kmcl_lb_lock);
	}
	conn->deletions--;
	list_del(&g->node);
	mutex_unlock(&kmcl_lb_lock);
	kfree(g);
	return 0;
}

static void kmcl_lb_closing(struct kmcl_link *link)
{
	struct kmcl_lb_end *end = to_lb_end(link);

	mutex_lock(&kmcl_lb_lock);
	end->closing = true;
	if (end->conn->deletions)
		kmcl_lb_hang_up(end->peer);
	mutex_unlock(&kmcl_lb_lock);
}

static struct kmcl_lb_gpadl *kmcl_lb_find_gpadl(struct kmcl_lb_conn *conn,
						u32 handle)
{
	struct kmcl_lb_gpadl *g;

	list_for_each_entry(g, &conn->gpadls, node) {
		if (g->gpadl->handle == handle)
			return g;
	}
	return NULL;
}

static int kmcl_lb_gpadl_map(struct kmcl_link *link, u32 handle, bool write,
			     const struct kmcl_gpadl **gpadl)
{
	struct kmcl_lb_end *end = to_lb_end(link);
	struct kmcl_lb_gpadl *g;
	int ret = 0;

	mutex_lock(&kmcl_lb_lock);
	g = kmcl_lb_find_gpadl(end->conn, handle);
	if (kmcl_lb_dead(end))
		ret = -ENODEV;
	else if (!g || g->dying)
		ret = -ENOENT;
	else if (g->mapped)
		ret = -EBUSY;
	else if (write && g->gpadl->read_only)
		ret = -EACCES;
	if (!ret) {
		WRITE_ONCE(g->mapped, true);
		*gpadl = g->gpadl;
	}
	mutex_unlock(&kmcl_lb_lock);
	return ret;
}

/* The caller has mapped the GPADL, so it is in the list. */
static void kmcl_lb_gpadl_unmap(struct kmcl_link *link, u32 handle)
{
	struct kmcl_lb_conn *conn = to_lb_end(link)->conn;

	mutex_lock(&kmcl_lb_lock);
	WRITE_ONCE(kmcl_lb_find_gpadl(conn, handle)->mapped, false);
	wake_up_all(&conn->unmapped);
	mutex_unlock(&kmcl_lb_lock);
}

static const struct kmcl_transport kmcl_lb_transport = {
	.name = "loopback",
	.owner = THIS_MODULE,
	.same_memory = true,
	.watch = kmcl_lb_watch,
	.rescan = kmcl_lb_rescan,
	.unwatch = kmcl_lb_unwatch,
	.watch_devices = kmcl_lb_watch_devices,
	.unwatch_devices = kmcl_lb_unwatch,
	.open = kmcl_lb_open,
	.close = kmcl_lb_close,
	.release = kmcl_lb_release,
	.send = kmcl_lb_send,
	.send_request = kmcl_lb_send_request,
	.want_room = kmcl_lb_want_room,
	.recv_begin = kmcl_lb_recv_begin,
	.recv_first = kmcl_lb_recv_first,
	.recv_next = kmcl_lb_recv_next,
	.recv_commit = kmcl_lb_recv_commit,
	.recv_end = kmcl_lb_recv_end,
	.gpadl_create = kmcl_lb_gpadl_create,
	.gpadl_delete = kmcl_lb_gpadl_delete,
	.closing = kmcl_lb_closing,
	.offer = kmcl_lb_offer,
	.revoke = kmcl_lb_revoke,
	.opened = kmcl_lb_opened,
	.park = kmcl_lb_park,
	.gpadl_map = kmcl_lb_gpadl_map,
	.gpadl_unmap = kmcl_lb_gpadl_unmap,
};

int __init kmcl_lb_init(void)
{
	return kmcl_transport_register(&kmcl_lb_transport);
}

void kmcl_lb_exit(void)
{
	kmcl_transport_unregister(&kmcl_lb_transport);
}
