// SPDX-License-Identifier: GPL-2.0
/*
 * Saving a server channel, for a successor to go on from where it was.
 *
 * Windows' documents tell how the functions are called and that a server's packets
 * are part of a save. What a save can mean where both ends are in one kernel is this
 * project's decision: the server pauses its channel, saves it, and disables it. The
 * client is not told of that, as a virtual machine that is saved is not, but left
 * waiting. A new server channel for the same offer that was restored takes the
 * connection over; any other server, or the client itself, ends the connection.
 *
 * From the beginning of a save to its end nothing is written to the ring, so that
 * what is saved as unsent has not been sent. If all was saved, nothing is written
 * until the channel is started again, which makes the save worthless, or disabled.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "control.h"
#include "save_format.h"

/* A record on its way to the caller's buffers. */
struct kmcl_saved {
	struct list_head node;
	u32 len;	/* with the head, a multiple of 8 */
	struct kmcl_save_record head __aligned(8);
	u64 body[];
};

static_assert(offsetof(struct kmcl_saved, body) ==
	      offsetofend(struct kmcl_saved, head));

/* From VmbChannelSaveBegin() to VmbChannelSaveEnd(). */
struct kmcl_save {
	struct list_head records;	/* of kmcl_saved, not yet handed out */
	u64 id;
	u32 index;
	bool stale;		/* the channel went on meanwhile */
};

/* Adds a record to the end of the save, with a body of @len zero bytes. */
static void *kmcl_save_add(struct kmcl_save *save, u32 type, u32 len)
{
	struct kmcl_saved *rec;
	u32 room = ALIGN(len, 8);

	rec = kvzalloc(struct_size(rec, body, room / 8), GFP_KERNEL);
	if (!rec)
		return NULL;

	rec->len = sizeof(rec->head) + room;
	rec->head.type = type;
	rec->head.len = len;
	list_add_tail(&rec->node, &save->records);
	return rec->body;
}

static void kmcl_save_free(struct kmcl_save *save)
{
	struct kmcl_saved *rec, *next;

	if (!save)
		return;
	list_for_each_entry_safe(rec, next, &save->records, node)
		kvfree(rec);
	kfree(save);
}

static NTSTATUS kmcl_save_channel(struct kmcl_channel *chan,
				  struct kmcl_save *save)
{
	struct kmcl_save_channel *c;
	unsigned long flags;

	c = kmcl_save_add(save, KMCL_SAVE_CHANNEL, sizeof(*c));
	if (!c)
		return STATUS_INSUFFICIENT_RESOURCES;

	spin_lock_irqsave(&chan->ctl.lock, flags);
	c->resume = chan->ctl.state == KMCL_OPENED ? save->id : 0;
	spin_unlock_irqrestore(&chan->ctl.lock, flags);
	chan->server.saved_open = c->resume;
	c->last_id = chan->trans.last_id;
	c->type = chan->set.type;
	c->instance = chan->set.instance;
	c->pipe = kmcl_settings_is_pipe(&chan->set);
	return STATUS_SUCCESS;
}

/* Asks the server how much it has to say of a packet, or with a buffer to say it. */
static NTSTATUS kmcl_save_ask_server(struct kmcl_channel *chan,
				     struct kmcl_packet *pkt, void *buffer,
				     u32 *size)
{
	const struct kmcl_settings *set = &chan->set;
	NTSTATUS status;
	UINT32 need = 0;

	if (set->save_packet)
		status = set->save_packet(kmcl_channel_handle(chan), (VMBPACKET)pkt,
					  buffer, *size, &need);
	else if (set->save_packet_ex)
		status = set->save_packet_ex(kmcl_channel_handle(chan), set->save_context,
					     (VMBPACKET)pkt, buffer, *size, &need);
	else
		return STATUS_SUCCESS;

	if (!*size && !NT_SUCCESS(status) && need) {
		*size = need;
		return STATUS_SUCCESS;
	}
	/* A server that needs no room has said all with the first call. */
	return status;
}

static NTSTATUS kmcl_save_packet(struct kmcl_channel *chan,
				 struct kmcl_save *save, struct kmcl_packet *pkt)
{
	u32 payload = pkt->tx.queued ? pkt->tx.out.len : 0;
	u32 lib_len = ALIGN(sizeof(struct kmcl_save_lib) + payload, 8);
	struct kmcl_save_packet *p;
	struct kmcl_save_lib *lib;
	u32 server_len = 0;
	NTSTATUS status;

	status = kmcl_save_ask_server(chan, pkt, NULL, &server_len);
	if (!NT_SUCCESS(status))
		return status;
	if (server_len > INT_MAX / 2)
		return STATUS_INSUFFICIENT_RESOURCES;

	p = kmcl_save_add(save, KMCL_SAVE_PACKET, sizeof(*p) + lib_len + server_len);
	if (!p)
		return STATUS_INSUFFICIENT_RESOURCES;

	p->lib_len = lib_len;
	p->server_len = server_len;
	lib = (void *)(p + 1);
	lib->magic = KMCL_SAVE_LIB_MAGIC;
	lib->version = KMCL_SAVE_VERSION;
	lib->flags = pkt->tx.out.flags;
	lib->id = pkt->tx.out.id;
	lib->len = pkt->tx.out.len;
	lib->queued = pkt->tx.queued;
	memcpy(lib + 1, pkt->tx.room, payload);
	lib->crc = kmcl_save_crc(lib, lib_len, &lib->crc);
	if (!server_len)
		return STATUS_SUCCESS;
	return kmcl_save_ask_server(chan, pkt, (void *)lib + lib_len, &server_len);
}

static NTSTATUS kmcl_save_completion(struct kmcl_save *save,
				     const struct kmcl_tx *tx)
{
	struct kmcl_save_completion *c;

	c = kmcl_save_add(save, KMCL_SAVE_COMPLETION, sizeof(*c) + tx->out.len);
	if (!c)
		return STATUS_INSUFFICIENT_RESOURCES;

	c->id = tx->out.id;
	c->len = tx->out.len;
	memcpy(c + 1, tx->room, tx->out.len);
	return STATUS_SUCCESS;
}

static NTSTATUS kmcl_save_incoming(struct kmcl_save *save,
				   const struct kmcl_incoming *inc)
{
	u32 gpa_len = inc->external ? inc->pkt.head_len : 0;
	struct kmcl_save_incoming *i;

	i = kmcl_save_add(save, KMCL_SAVE_INCOMING,
			  sizeof(*i) + gpa_len + inc->pkt.len);
	if (!i)
		return STATUS_INSUFFICIENT_RESOURCES;

	i->id = inc->pkt.head->id;
	i->type = gpa_len ? KMCL_WIRE_DATA_GPA : KMCL_WIRE_DATA;
	i->flags = inc->pkt.head->flags & KMCL_WIRE_WANT_COMPLETION;
	i->gpa_len = gpa_len;
	i->len = inc->pkt.len;
	memcpy(i + 1, inc->pkt.head, gpa_len);
	memcpy((void *)(i + 1) + gpa_len, inc->pkt.payload, inc->pkt.len);
	return STATUS_SUCCESS;
}

/* Not what describes memory. A server's requests are over when they return. */
static bool kmcl_save_may_hold(const struct kmcl_tx *tx)
{
	return !tx->out.gpa;
}

/*
 * Lists the packets under way, those in the queue last and in order. They stay while
 * the channel is frozen and @save_lock held: all that could complete them takes that
 * lock first. -EBUSY: a packet under way cannot be saved.
 */
static int kmcl_save_collect(struct kmcl_channel *chan, struct kmcl_tx ***list)
{
	/* And for some more, which the server may send while it saves. */
	u32 room = kmcl_send_count(chan) + 16;
	struct kmcl_tx **all;
	int n;

	all = kvcalloc(room, sizeof(*all), GFP_KERNEL);
	if (!all)
		return -ENOMEM;

	n = kmcl_send_list(chan, all, room, kmcl_save_may_hold);
	if (n < 0) {
		kvfree(all);
		return n;
	}
	*list = all;
	return n;
}

static NTSTATUS kmcl_save_outgoing(struct kmcl_channel *chan,
				   struct kmcl_save *save)
{
	NTSTATUS status = STATUS_SUCCESS;
	struct kmcl_tx **all, *tx;
	int i, n;

	n = kmcl_save_collect(chan, &all);
	if (n == -EBUSY) {
		kmcl_warn(chan, "a packet with external data is under way and cannot be saved\n");
		return STATUS_DEVICE_BUSY;
	}
	if (n < 0)
		return STATUS_INSUFFICIENT_RESOURCES;

	for (i = 0; i < n && NT_SUCCESS(status); i++) {
		tx = all[i];
		if (tx->out.type == KMCL_WIRE_COMPLETION)
			status = kmcl_save_completion(save, tx);
		else
			status = kmcl_save_packet(chan, save,
						  container_of(tx, struct kmcl_packet, tx));
	}
	kvfree(all);
	return status;
}

static NTSTATUS kmcl_save_undelivered(struct kmcl_channel *chan,
				      struct kmcl_save *save)
{
	struct kmcl_incoming *inc;
	NTSTATUS status;

	/* The channel is paused: neither its reader nor its work item uses the list. */
	list_for_each_entry(inc, &chan->recv.passive, node) {
		status = kmcl_save_incoming(save, inc);
		if (!NT_SUCCESS(status))
			return status;
	}
	return STATUS_SUCCESS;
}

/* Is the channel paused, with nothing that the worker has yet to do? */
static bool kmcl_save_may_begin(struct kmcl_channel *chan)
{
	struct kmcl_control *ctl = &chan->ctl;
	unsigned long flags;
	bool may;

	spin_lock_irqsave(&ctl->lock, flags);
	may = ctl->want_paused && ctl->state != KMCL_ACTIVE &&
	      ctl->asked == READ_ONCE(ctl->done);
	spin_unlock_irqrestore(&ctl->lock, flags);
	return may;
}

/* The save, what is left of it, is not to be gone on with. */
static void kmcl_save_spoil(struct kmcl_server *server)
{
	if (server->save)
		server->save->stale = true;
}

/* Nothing is saved any more. @open: the ring is, so what waits for it may go out. */
static void kmcl_save_stop(struct kmcl_channel *chan, bool open)
{
	bool frozen = chan->server.phase != KMCL_SAVE_NONE;

	chan->server.phase = KMCL_SAVE_NONE;
	if (frozen && open)
		kmcl_send_open(chan);
}

static bool kmcl_save_is_open(const struct kmcl_channel *chan)
{
	return READ_ONCE(chan->ctl.state) == KMCL_OPENED;
}

/*
 * The channel opens. If all of it was saved before, it writes nothing to the ring, for
 * what waits in its queue is its successor's to send; if not all was, the save does not
 * get on. True: the ring may be written to. Called by the worker.
 */
bool kmcl_save_opens(struct kmcl_channel *chan)
{
	struct kmcl_server *server = &chan->server;
	bool frozen;

	if (!chan->is_server)
		return true;

	mutex_lock(&server->save_lock);
	frozen = server->phase == KMCL_SAVE_DONE;
	if (!frozen) {
		kmcl_save_spoil(server);
		kmcl_save_stop(chan, false);
	}
	mutex_unlock(&server->save_lock);
	return !frozen;
}

/* The channel goes on, which makes what was saved worthless. Called by the worker. */
void kmcl_save_over(struct kmcl_channel *chan)
{
	struct kmcl_server *server = &chan->server;

	if (!chan->is_server)
		return;

	mutex_lock(&server->save_lock);
	kmcl_save_spoil(server);
	kmcl_save_stop(chan, kmcl_save_is_open(chan));
	mutex_unlock(&server->save_lock);
}

/*
 * The number of the save by which a successor may go on, now that the channel
 * closes, or 0. Called by the worker.
 */
u64 kmcl_save_parks(struct kmcl_channel *chan)
{
	struct kmcl_server *server = &chan->server;
	u64 save = 0;

	if (!chan->is_server)
		return 0;

	mutex_lock(&server->save_lock);
	if (server->phase == KMCL_SAVE_DONE && server->saved_open &&
	    !READ_ONCE(chan->ctl.link_gone))
		save = server->save_id;
	kmcl_save_spoil(server);
	/* A client that is not part of the save changes nothing about it. */
	if (server->phase == KMCL_SAVE_TAKING || server->saved_open ||
	    !READ_ONCE(chan->ctl.want_enabled))
		kmcl_save_stop(chan, false);
	mutex_unlock(&server->save_lock);
	return save;
}

static NTSTATUS kmcl_save_begin(struct kmcl_channel *chan)
{
	struct kmcl_save *save;
	NTSTATUS status;

	if (chan->server.save || chan->server.restore || !kmcl_save_may_begin(chan))
		return STATUS_INVALID_DEVICE_STATE;

	save = kzalloc(sizeof(*save), GFP_KERNEL);
	if (!save)
		return STATUS_INSUFFICIENT_RESOURCES;
	INIT_LIST_HEAD(&save->records);
	save->id = get_random_u64() | 1; /* 0 is none */

	chan->server.save_id = save->id;
	chan->server.phase = KMCL_SAVE_TAKING;
	kmcl_send_close(chan);
	status = kmcl_save_channel(chan, save);
	if (NT_SUCCESS(status))
		status = kmcl_save_outgoing(chan, save);
	if (NT_SUCCESS(status))
		status = kmcl_save_undelivered(chan, save);
	if (!NT_SUCCESS(status)) {
		kmcl_save_stop(chan, kmcl_save_is_open(chan));
		kmcl_save_free(save);
		return status;
	}
	chan->server.save = save;
	return STATUS_SUCCESS;
}

/**
 * VmbChannelSaveBegin() - begin to save a server channel
 * @Channel: a server channel that is paused, open or not
 *
 * Notes what is to be saved: which connection the channel has; the server's packets
 * that are not complete, each with what EvtChannelSavePacket adds; the completions
 * that wait for room; the packets that were taken from the ring but not delivered.
 * The server itself holds no packets: it has completed them for the pause.
 *
 * Until VmbChannelSaveEnd() packets that the server sends wait in the queue. They
 * are not part of the save.
 *
 * Context: PASSIVE_LEVEL.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - what EvtChannelSavePacket failed with
 *
 *  This project's decisions:
 *
 *  - STATUS_INVALID_PARAMETER_1: a handle that is bad or a client's
 *  - STATUS_INVALID_DEVICE_STATE: the channel is not paused, about to change its state,
 *    being saved, or restored and not yet connected
 *  - STATUS_DEVICE_BUSY: a packet with external data is under way, whose memory may be
 *    gone when it is restored. The log says so.
 *  - STATUS_NOT_SUPPORTED: a sub-channel (this project's decision)
 *  - STATUS_INSUFFICIENT_RESOURCES
 */
NTSTATUS VmbChannelSaveBegin(VMBCHANNEL Channel)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);
	NTSTATUS status;

	might_sleep();
	if (!chan || !chan->is_server)
		return STATUS_INVALID_PARAMETER_1;
	if (READ_ONCE(chan->sub.is_one))
		return STATUS_NOT_SUPPORTED;

	mutex_lock(&chan->server.save_lock);
	status = kmcl_save_begin(chan);
	mutex_unlock(&chan->server.save_lock);
	return status;
}
EXPORT_SYMBOL_GPL(VmbChannelSaveBegin);

/* Bytes that the next chunk has at least; 0 when all is saved. */
static u32 kmcl_save_needed(struct kmcl_save *save)
{
	const struct kmcl_saved *rec;

	rec = list_first_entry_or_null(&save->records, struct kmcl_saved, node);
	return rec ? sizeof(struct kmcl_save_chunk) + rec->len : 0;
}

/* Writes a chunk to @buffer, which has room for at least a record; returns its size. */
static u32 kmcl_save_chunk(struct kmcl_save *save, void *buffer, u32 size)
{
	struct kmcl_save_chunk *chunk = buffer;
	struct kmcl_saved *rec, *next;
	u32 len = sizeof(*chunk);

	list_for_each_entry_safe(rec, next, &save->records, node) {
		if (rec->len > size - len)
			break;
		memcpy(buffer + len, &rec->head, rec->len);
		len += rec->len;
		list_del(&rec->node);
		kvfree(rec);
	}

	*chunk = (struct kmcl_save_chunk) {
		.magic = KMCL_SAVE_MAGIC,
		.version = KMCL_SAVE_VERSION,
		.flags = list_empty(&save->records) ? KMCL_SAVE_LAST : 0,
		.len = len,
		.index = save->index++,
		.save = save->id,
	};
	chunk->crc = kmcl_save_crc(chunk, len, &chunk->crc);
	return len;
}

/**
 * VmbChannelSaveContinue() - save the next chunk of a server channel
 * @Channel: the channel, after VmbChannelSaveBegin()
 * @SaveBuffer: where the chunk goes; aligned to 8 bytes. May be NULL where
 *	@SaveBufferSize is 0.
 * @SaveBufferSize: bytes in @SaveBuffer, any number
 * @BytesFilled: bytes written, all of which make the chunk
 * @BytesRequired: how large the next buffer has to be for the save to get on; 0 when
 *	all is saved. May be NULL (this project's decision).
 *
 * Context: PASSIVE_LEVEL.
 *
 * Return:
 *  - STATUS_SUCCESS: all is saved
 *  - STATUS_BUFFER_OVERFLOW: a chunk was written, and there is more
 *  - STATUS_BUFFER_TOO_SMALL: nothing was written
 *
 *  This project's decisions:
 *
 *  - STATUS_INVALID_PARAMETER_1: a handle that is bad or a client's
 *  - STATUS_INVALID_PARAMETER_2: a missing or unaligned buffer
 *  - STATUS_INVALID_PARAMETER_4: a missing @BytesFilled
 *  - STATUS_INVALID_DEVICE_STATE: no save has begun, or the channel has been started,
 *    opened or closed since
 */
NTSTATUS VmbChannelSaveContinue(VMBCHANNEL Channel, PVOID SaveBuffer,
				ULONG SaveBufferSize, PULONG BytesFilled,
				PULONG BytesRequired)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);
	NTSTATUS status = STATUS_SUCCESS;
	struct kmcl_save *save;
	ULONG needed;

	might_sleep();
	if (!chan || !chan->is_server)
		return STATUS_INVALID_PARAMETER_1;
	if ((SaveBufferSize && !SaveBuffer) ||
	    !IS_ALIGNED((unsigned long)SaveBuffer, 8))
		return STATUS_INVALID_PARAMETER_2;
	if (!BytesFilled)
		return STATUS_INVALID_PARAMETER_4;

	*BytesFilled = 0;
	mutex_lock(&chan->server.save_lock);
	save = chan->server.save;
	if (!save || save->stale) {
		mutex_unlock(&chan->server.save_lock);
		return STATUS_INVALID_DEVICE_STATE;
	}

	needed = kmcl_save_needed(save);
	if (needed > SaveBufferSize) {
		status = STATUS_BUFFER_TOO_SMALL;
	} else if (needed) {
		*BytesFilled = kmcl_save_chunk(save, SaveBuffer, SaveBufferSize);
		needed = kmcl_save_needed(save);
		if (needed)
			status = STATUS_BUFFER_OVERFLOW;
	}
	if (!needed)
		chan->server.phase = KMCL_SAVE_DONE;
	if (BytesRequired)
		*BytesRequired = needed;
	mutex_unlock(&chan->server.save_lock);
	return status;
}
EXPORT_SYMBOL_GPL(VmbChannelSaveContinue);

void kmcl_save_end(struct kmcl_channel *chan)
{
	struct kmcl_server *server = &chan->server;

	mutex_lock(&server->save_lock);
	kmcl_save_free(server->save);
	server->save = NULL;
	if (server->phase != KMCL_SAVE_DONE)
		kmcl_save_stop(chan, kmcl_save_is_open(chan));
	mutex_unlock(&server->save_lock);
}

/**
 * VmbChannelSaveEnd() - be done with saving a server channel
 * @Channel: the channel, after VmbChannelSaveBegin()
 *
 * If all was saved the channel is to be disabled next: then its client is left to a
 * successor that VmbChannelRestoreFromBuffer() makes. The server's own packets
 * complete with STATUS_DEVICE_REMOVED as always; what becomes of their transactions
 * the successor's packets tell. If the channel is started instead, or not all was
 * saved, the channel goes on as if there had been no save. Harmless where no save has
 * begun.
 *
 * Context: PASSIVE_LEVEL.
 */
VOID VmbChannelSaveEnd(VMBCHANNEL Channel)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);

	might_sleep();
	if (chan && chan->is_server)
		kmcl_save_end(chan);
}
EXPORT_SYMBOL_GPL(VmbChannelSaveEnd);
