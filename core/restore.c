// SPDX-License-Identifier: GPL-2.0
/*
 * Restoring a server channel from what save.c wrote.
 *
 * Chunks are checked as they come and kept. Only when the last one is there are
 * they looked into, all records checked, and then the packets made anew: so there
 * is no half of a restore. Incoming packets are made when the client's end has been
 * taken over, for only then is it sure that their memory is still the client's.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "control.h"
#include "save_format.h"

/*
 * Head and records are one array, for they are copied at once, which a field for
 * the head has no room for.
 */
struct kmcl_restored_chunk {
	struct list_head node;
	u64 data[];		/* a kmcl_save_chunk, then records */
};

/* From the first chunk until the client's end has been taken over. */
struct kmcl_restore {
	struct list_head chunks;	/* of kmcl_restored_chunk */
	u64 save;
	u32 next;		/* index of the chunk to come */
	bool complete;
	u64 resume;
	struct task_struct *task;	/* in EvtChannelRestorePacket, or NULL */
	const struct kmcl_save_lib *lib;	/* what that was called with */
	u32 lib_len;
	bool taken;		/* VmbPacketRestore() has made a packet of @lib */
};

static void kmcl_restore_free(struct kmcl_restore *restore)
{
	struct kmcl_restored_chunk *chunk, *next;

	if (!restore)
		return;
	list_for_each_entry_safe(chunk, next, &restore->chunks, node)
		kvfree(chunk);
	kfree(restore);
}

/* What was restored is not needed (any more). The packets made of it stay. */
void kmcl_restore_drop(struct kmcl_channel *chan)
{
	struct kmcl_server *server = &chan->server;

	mutex_lock(&server->save_lock);
	kmcl_restore_free(server->restore);
	server->restore = NULL;
	mutex_unlock(&server->save_lock);
}

/* The client to go on with has left, or was refused. */
void kmcl_restore_abandon(struct kmcl_channel *chan)
{
	if (!chan->is_server || !chan->server.offer.resume)
		return;

	chan->server.offer.resume = 0;
	kmcl_restore_drop(chan);
	kmcl_send_flush(chan);
}

/* Number of the save to go on from, or 0. A restore that lacks chunks is dropped. */
u64 kmcl_restore_id(struct kmcl_channel *chan)
{
	struct kmcl_server *server = &chan->server;
	u64 id = 0;

	mutex_lock(&server->save_lock);
	if (server->restore && !server->restore->complete) {
		kmcl_restore_free(server->restore);
		server->restore = NULL;
	}
	if (server->restore)
		id = server->restore->resume;
	mutex_unlock(&server->save_lock);
	return id;
}

/* Calls @fn for one record after the other until a call fails. */
static NTSTATUS kmcl_restore_each(struct kmcl_channel *chan,
				  struct kmcl_restore *restore,
				  NTSTATUS (*fn)(struct kmcl_channel *chan,
						 struct kmcl_restore *restore,
						 const struct kmcl_save_record *rec))
{
	const struct kmcl_save_chunk *head;
	struct kmcl_restored_chunk *chunk;
	NTSTATUS status;
	u32 at;

	list_for_each_entry(chunk, &restore->chunks, node) {
		head = (void *)chunk->data;
		for (at = sizeof(*head); at < head->len;) {
			const struct kmcl_save_record *rec =
				(void *)chunk->data + at;

			if (head->len - at < sizeof(*rec) ||
			    rec->len > head->len - at - sizeof(*rec))
				return STATUS_INVALID_PARAMETER_2;
			status = fn(chan, restore, rec);
			if (!NT_SUCCESS(status))
				return status;
			at += sizeof(*rec) + ALIGN(rec->len, 8);
		}
	}
	return STATUS_SUCCESS;
}

static bool kmcl_restore_channel_fits(struct kmcl_channel *chan,
				      const struct kmcl_save_record *rec)
{
	const struct kmcl_save_channel *c = (void *)(rec + 1);

	return rec->len == sizeof(*c) && guid_equal(&c->type, &chan->set.type) &&
	       guid_equal(&c->instance, &chan->set.instance) &&
	       c->pipe == kmcl_settings_is_pipe(&chan->set);
}

static bool kmcl_save_lib_valid(const struct kmcl_save_lib *lib, u32 len)
{
	return len >= sizeof(*lib) && lib->magic == KMCL_SAVE_LIB_MAGIC &&
	       lib->version == KMCL_SAVE_VERSION &&
	       (!lib->queued || lib->len <= len - sizeof(*lib)) &&
	       lib->crc == kmcl_save_crc(lib, len, &lib->crc);
}

/* Is @rec a whole record of its type, and one that this channel can have? */
static bool kmcl_restore_record_valid(struct kmcl_channel *chan,
				      const struct kmcl_save_record *rec)
{
	const struct kmcl_save_completion *c = (void *)(rec + 1);
	const struct kmcl_save_incoming *i = (void *)(rec + 1);
	const struct kmcl_save_packet *p = (void *)(rec + 1);
	u32 max = ALIGN(chan->set.max_packet, 8);

	switch (rec->type) {
	case KMCL_SAVE_PACKET:
		return rec->len >= sizeof(*p) &&
		       (u64)p->lib_len + p->server_len == rec->len - sizeof(*p) &&
		       IS_ALIGNED(p->lib_len, 8) &&
		       kmcl_save_lib_valid((void *)(p + 1), p->lib_len);
	case KMCL_SAVE_COMPLETION:
		return rec->len >= sizeof(*c) && c->len == rec->len - sizeof(*c) &&
		       c->len <= max;
	case KMCL_SAVE_INCOMING:
		return rec->len >= sizeof(*i) &&
		       (u64)i->gpa_len + i->len == rec->len - sizeof(*i) &&
		       i->len <= max;
	default:
		return false;
	}
}

static NTSTATUS kmcl_restore_check(struct kmcl_channel *chan,
				   struct kmcl_restore *restore,
				   const struct kmcl_save_record *rec)
{
	const struct kmcl_save_chunk *head = (void *)
		list_first_entry(&restore->chunks, struct kmcl_restored_chunk,
				 node)->data;
	bool first = rec == (void *)(head + 1);

	/* The channel's record comes first, and is valid nowhere else. */
	if (first)
		return rec->type == KMCL_SAVE_CHANNEL &&
		       kmcl_restore_channel_fits(chan, rec) ?
		       STATUS_SUCCESS : STATUS_INVALID_PARAMETER_2;
	if (!kmcl_restore_record_valid(chan, rec))
		return STATUS_INVALID_PARAMETER_2;
	/* The packets are made by the server's callback. */
	return rec->type != KMCL_SAVE_PACKET || chan->set.restore_packet ||
	       chan->set.restore_packet_ex ?
	       STATUS_SUCCESS : STATUS_INVALID_DEVICE_STATE;
}

static NTSTATUS kmcl_restore_channel(struct kmcl_channel *chan,
				     struct kmcl_restore *restore,
				     const struct kmcl_save_channel *c)
{
	restore->resume = c->resume;
	kmcl_transactions_skip_ids(chan, c->last_id);
	return STATUS_SUCCESS;
}

static NTSTATUS kmcl_restore_packet(struct kmcl_channel *chan,
				    struct kmcl_restore *restore,
				    const struct kmcl_save_packet *p)
{
	const struct kmcl_settings *set = &chan->set;
	void *lib = (void *)(p + 1);
	NTSTATUS status;

	restore->lib = lib;
	restore->lib_len = p->lib_len;
	restore->taken = false;
	WRITE_ONCE(restore->task, current);
	if (set->restore_packet)
		status = set->restore_packet(kmcl_channel_handle(chan), lib, p->lib_len,
					     lib + p->lib_len, p->server_len);
	else
		status = set->restore_packet_ex(kmcl_channel_handle(chan),
						set->save_context, lib, p->lib_len,
						lib + p->lib_len, p->server_len);
	WRITE_ONCE(restore->task, NULL);

	/* The server dropped the packet: the client's completion is late, not stray. */
	if (NT_SUCCESS(status) && !restore->taken && !restore->lib->queued)
		kmcl_transactions_expect_late(chan);
	return status;
}

static NTSTATUS kmcl_restore_completion(struct kmcl_channel *chan,
					const struct kmcl_save_completion *c)
{
	struct kmcl_incoming *inc;

	inc = kmcl_incoming_alloc_completion(chan, c->id, c + 1, c->len);
	if (!inc)
		return STATUS_INSUFFICIENT_RESOURCES;

	kmcl_send_restore(chan, &inc->tx, true);
	return STATUS_SUCCESS;
}

static NTSTATUS kmcl_restore_apply(struct kmcl_channel *chan,
				   struct kmcl_restore *restore,
				   const struct kmcl_save_record *rec)
{
	const void *body = rec + 1;

	switch (rec->type) {
	case KMCL_SAVE_CHANNEL:
		return kmcl_restore_channel(chan, restore, body);
	case KMCL_SAVE_PACKET:
		return kmcl_restore_packet(chan, restore, body);
	case KMCL_SAVE_COMPLETION:
		return kmcl_restore_completion(chan, body);
	default:
		/* Incoming packets have to wait for their link. */
		return STATUS_SUCCESS;
	}
}

/* All chunks are there: checks what is in them, and makes it anew. */
static NTSTATUS kmcl_restore_finish(struct kmcl_channel *chan,
				    struct kmcl_restore *restore)
{
	NTSTATUS status;

	status = kmcl_restore_each(chan, restore, kmcl_restore_check);
	if (!NT_SUCCESS(status))
		return status;
	if (kmcl_send_prepare(chan))
		return STATUS_INSUFFICIENT_RESOURCES;

	status = kmcl_restore_each(chan, restore, kmcl_restore_apply);
	if (NT_SUCCESS(status)) {
		restore->complete = true;
		return STATUS_SUCCESS;
	}

	kmcl_send_flush(chan);
	return status;
}

/* Keeps a copy of the chunk at the beginning of @buffer; @len is its size. */
static NTSTATUS kmcl_restore_chunk(struct kmcl_restore *restore,
				   const void *buffer, u32 size, u32 *len)
{
	struct kmcl_restored_chunk *chunk;
	struct kmcl_save_chunk head, *copy;

	if (size < sizeof(head))
		return STATUS_INVALID_PARAMETER_2;
	memcpy(&head, buffer, sizeof(head));
	if (head.magic != KMCL_SAVE_MAGIC)
		return STATUS_INVALID_PARAMETER_2;
	if (head.version != KMCL_SAVE_VERSION)
		return STATUS_REVISION_MISMATCH;
	if (head.len <= sizeof(head) || head.len > size ||
	    !IS_ALIGNED(head.len, 8) || head.index != restore->next ||
	    (restore->next && head.save != restore->save))
		return STATUS_INVALID_PARAMETER_2;

	chunk = kvmalloc(struct_size(chunk, data, head.len / 8), GFP_KERNEL);
	if (!chunk)
		return STATUS_INSUFFICIENT_RESOURCES;
	memcpy(chunk->data, buffer, head.len);
	list_add_tail(&chunk->node, &restore->chunks);
	copy = (void *)chunk->data;
	if (copy->len != head.len ||
	    copy->crc != kmcl_save_crc(copy, head.len, &copy->crc))
		return STATUS_INVALID_PARAMETER_2;

	restore->save = head.save;
	restore->next++;
	restore->complete = head.flags & KMCL_SAVE_LAST;
	*len = head.len;
	return STATUS_SUCCESS;
}

/* Takes a buffer of whole chunks. */
static NTSTATUS kmcl_restore_chunks(struct kmcl_channel *chan,
				    struct kmcl_restore *restore,
				    const void *buffer, u32 size)
{
	NTSTATUS status;
	u32 len;

	do {
		status = kmcl_restore_chunk(restore, buffer, size, &len);
		if (!NT_SUCCESS(status))
			return status;
		buffer += len;
		size -= len;
	} while (size && !restore->complete);

	if (size)
		return STATUS_INVALID_PARAMETER_3;
	if (!restore->complete)
		return STATUS_MORE_PROCESSING_REQUIRED;
	return kmcl_restore_finish(chan, restore);
}

static struct kmcl_restore *kmcl_restore_get(struct kmcl_channel *chan)
{
	struct kmcl_restore *restore = chan->server.restore;

	if (restore)
		return restore;

	restore = kzalloc(sizeof(*restore), GFP_KERNEL);
	if (restore)
		INIT_LIST_HEAD(&restore->chunks);
	chan->server.restore = restore;
	return restore;
}

/**
 * VmbChannelRestoreFromBuffer() - restore a server channel from what was saved
 * @Channel: a disabled server channel, with the settings of the saved one
 * @Buffer: one or more whole chunks, in the order in which
 *	VmbChannelSaveContinue() wrote them; aligned to 8 bytes
 * @BufferSize: bytes in @Buffer
 *
 * With the last chunk EvtChannelRestorePacket is called for each packet that was
 * saved. When the channel is enabled then, it goes on with the client of the saved
 * one: that client's completions find their packets, and it gets what was waiting to
 * be sent. If it has left meanwhile, the packets complete with
 * STATUS_DEVICE_REMOVED and the offer is for any client. So it is with
 * VMBUS_SERVER_CHANNEL_INIT_FLAG_FORCE_NEW_CHANNEL, set on this channel (this project's
 * decision): the client of the saved one then sees its channel close.
 *
 * On failure nothing is restored: packets made so far, and others that the channel
 * has been given to send, complete with STATUS_DEVICE_REMOVED, and the next call
 * begins anew with a first chunk. A save serves once.
 *
 * A save names the client's memory by its frame numbers. It is checked, but not
 * signed: what can write to the save must be trusted with that memory.
 *
 * Context: PASSIVE_LEVEL.
 *
 * Return:
 *  - STATUS_SUCCESS: all is restored
 *  - STATUS_MORE_PROCESSING_REQUIRED: more chunks were saved
 *  - what EvtChannelRestorePacket failed with
 *
 *  This project's decisions:
 *
 *  - STATUS_INVALID_PARAMETER_1: a handle that is bad or a client's, or a channel that
 *    is not disabled
 *  - STATUS_INVALID_PARAMETER_2: a missing or unaligned buffer, or data that is
 *    truncated, corrupt, out of order, or from another offer
 *  - STATUS_INVALID_PARAMETER_3: bytes behind the last chunk
 *  - STATUS_REVISION_MISMATCH: another version
 *  - STATUS_INVALID_DEVICE_STATE: the channel is restored already, or there are packets
 *    but no EvtChannelRestorePacket
 *  - STATUS_INSUFFICIENT_RESOURCES
 */
NTSTATUS VmbChannelRestoreFromBuffer(VMBCHANNEL Channel, PVOID Buffer,
				     ULONG BufferSize)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);
	struct kmcl_restore *restore;
	NTSTATUS status;
	bool may;

	might_sleep();
	if (!chan || !chan->is_server)
		return STATUS_INVALID_PARAMETER_1;
	if (!Buffer || !IS_ALIGNED((unsigned long)Buffer, 8))
		return STATUS_INVALID_PARAMETER_2;
	if (READ_ONCE(chan->sub.is_one))
		return STATUS_NOT_SUPPORTED;

	mutex_lock(&chan->server.save_lock);
	/* Once enabled, the channel's worker takes this lock before it looks. */
	may = kmcl_control_is_disabled(chan);
	restore = may ? kmcl_restore_get(chan) : NULL;
	if (!may) {
		status = STATUS_INVALID_PARAMETER_1;
	} else if (!restore) {
		status = STATUS_INSUFFICIENT_RESOURCES;
	} else if (restore->complete) {
		status = STATUS_INVALID_DEVICE_STATE;
	} else {
		status = kmcl_restore_chunks(chan, restore, Buffer, BufferSize);
		if (!NT_SUCCESS(status) &&
		    status != STATUS_MORE_PROCESSING_REQUIRED) {
			chan->server.restore = NULL;
			kmcl_restore_free(restore);
		}
	}
	mutex_unlock(&chan->server.save_lock);
	return status;
}
EXPORT_SYMBOL_GPL(VmbChannelRestoreFromBuffer);

/* Makes @pkt, which was taken, the packet that @lib tells of. */
static void kmcl_restore_into(struct kmcl_packet *pkt,
			      const struct kmcl_save_lib *lib)
{
	pkt->tx.out.flags = lib->flags;
	pkt->tx.out.id = lib->id;
	pkt->tx.out.len = lib->len;
	if (lib->queued)
		memcpy(pkt->tx.room, lib + 1, lib->len);

	/* The ids of packets that are not answered are no transactions'. */
	if (lib->flags & KMCL_WIRE_WANT_COMPLETION)
		kmcl_transactions_skip_ids(pkt->chan, lib->id);
	kmcl_send_restore(pkt->chan, &pkt->tx, lib->queued);
}

/**
 * VmbPacketRestore() - make a packet what one was when it was saved
 * @PacketObject: a packet of the channel that is being restored, with a completion
 *	routine and no transaction under way
 * @Buffer: as passed to EvtChannelRestorePacket
 * @BufferSize: likewise
 *
 * From here on the packet is under way: its completion routine runs when the client
 * completes the transaction.
 *
 * Context: PASSIVE_LEVEL, in EvtChannelRestorePacket, once for each call of it.
 *
 * Return:
 *  - STATUS_SUCCESS
 *
 *  This project's decisions:
 *
 *  - STATUS_INVALID_PARAMETER_1: a bad handle
 *  - STATUS_INVALID_PARAMETER_2: @Buffer or @BufferSize is not what the callback got,
 *    was changed, or is above what the packet has room for
 *  - STATUS_INVALID_DEVICE_STATE: not in EvtChannelRestorePacket, or a second time in
 *    it; or the packet is under way, has no completion routine, or was made before
 *    pipe mode was set or unset
 */
NTSTATUS VmbPacketRestore(VMBPACKET PacketObject, PVOID Buffer,
			  ULONG BufferSize)
{
	struct kmcl_packet *pkt = kmcl_packet_from_handle(PacketObject);
	struct kmcl_restore *restore;
	NTSTATUS status;

	if (!pkt)
		return STATUS_INVALID_PARAMETER_1;

	/* In the callback this very thread holds @save_lock. */
	restore = READ_ONCE(pkt->chan->server.restore);
	if (!restore || READ_ONCE(restore->task) != current || restore->taken)
		return STATUS_INVALID_DEVICE_STATE;
	if (Buffer != restore->lib || BufferSize != restore->lib_len ||
	    !kmcl_save_lib_valid(Buffer, BufferSize) ||
	    restore->lib->len > pkt->shape.pipe + pkt->shape.payload)
		return STATUS_INVALID_PARAMETER_2;

	status = kmcl_packet_take(pkt);
	if (!NT_SUCCESS(status))
		return status;
	kmcl_restore_into(pkt, restore->lib);
	restore->taken = true;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbPacketRestore);

static NTSTATUS kmcl_restore_incoming(struct kmcl_channel *chan,
				      struct kmcl_restore *restore,
				      const struct kmcl_save_record *rec)
{
	const struct kmcl_save_incoming *i = (void *)(rec + 1);
	struct kmcl_wire_desc desc;
	struct kmcl_incoming *inc;
	struct kmcl_wire wire;

	if (rec->type != KMCL_SAVE_INCOMING)
		return STATUS_SUCCESS;

	desc = (struct kmcl_wire_desc) {
		.type = i->type,
		.flags = i->flags,
		.id = i->id,
	};
	wire = (struct kmcl_wire) {
		.head = (void *)(i + 1),
		.head_len = i->gpa_len,
		.payload = (void *)(i + 1) + i->gpa_len,
		.len = i->len,
	};
	/* The settings may have changed since the records were checked. */
	if (wire.len > ALIGN(chan->set.max_packet, 8) ||
	    (desc.type == KMCL_WIRE_DATA_GPA &&
	     !kmcl_external_in_valid(chan, &wire)))
		return STATUS_INVALID_PARAMETER_2;
	if (kmcl_incoming_add_spare(chan))
		return STATUS_INSUFFICIENT_RESOURCES;

	local_bh_disable();
	inc = kmcl_incoming_get(chan, &desc, &wire);
	kmcl_incoming_begin(inc);
	kmcl_deliver_put_aside(chan, inc);
	local_bh_enable();
	return STATUS_SUCCESS;
}

/* The link is open: the packets taken from the ring before the save come first. */
int kmcl_restore_open(struct kmcl_channel *chan)
{
	struct kmcl_restore *restore = chan->server.restore;
	NTSTATUS status;

	/* No restore begins while the channel is enabled. */
	if (!restore || !restore->complete)
		return 0;

	status = kmcl_restore_each(chan, restore, kmcl_restore_incoming);
	kmcl_restore_drop(chan);
	return NT_SUCCESS(status) ? 0 : -ENOMEM;
}
