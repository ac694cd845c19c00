// SPDX-License-Identifier: GPL-2.0
/*
 * A behaviour that is a SCSI controller: the disks of the offer, over its channel and as
 * many sub-channels as the guest asks for.
 */
#include <stdlib.h>
#include <string.h>

#include "behaviour.h"
#include "log.h"
#include "scsi.h"
#include "storage.h"

#define STORAGE_MOST_BYTES	(512u << 10)
#define NEVER			UINT64_MAX

/* The unit that is taken away. */
#define STORAGE_DETACHED	1

/* One of so many questions a busy unit answers. */
#define STORAGE_BUSY_TRIES	3

/* Done, but the guest is not told yet. */
struct storage_io {
	struct storage_io *next;
	u64 due;
	struct packet pkt;	/* its flags and id only */
	struct storage_packet answer;
};

/* How far the guest is with its initialization. */
enum storage_stage { STAGE_NONE, STAGE_BEGUN, STAGE_VERSION, STAGE_READY };

/* What an open channel knows; the stage is that of the primary one. */
struct storage {
	enum storage_stage stage;
	struct storage_io *held;	/* by when they are due */
	u64 moving;			/* reads and writes: faults go by their number */
	u32 holding;
	struct {
		u64 reads, read_bytes, writes, write_bytes, flushes, unmaps, other, unknown;
		u64 failed, cut, lost, aborted, most_held;
	} count;
};

static void storage_complete(struct channel *chan, const struct packet *pkt,
			     const struct storage_packet *answer)
{
	channel_complete(chan, pkt, answer, sizeof(*answer));
}

static void storage_tick(void *arg)
{
	struct channel *chan = arg;
	struct storage *storage = chan->priv;
	struct storage_io *io;
	u64 now = now_us();

	while ((io = storage->held) && io->due <= now) {
		storage->held = io->next;
		storage->holding--;
		storage_complete(chan, &io->pkt, &io->answer);
		free(io);
	}
	if (io && io->due != NEVER)
		timer_set(&chan->pace, io->due - now);
}

static void storage_hold(struct channel *chan, const struct packet *pkt,
			 const struct storage_packet *answer, u64 due)
{
	struct storage *storage = chan->priv;
	struct storage_io *io = xalloc(sizeof(*io)), **at = &storage->held;

	io->due = due;
	io->pkt.flags = pkt->flags;
	io->pkt.id = pkt->id;
	io->answer = *answer;
	while (*at && (*at)->due <= due)
		at = &(*at)->next;
	io->next = *at;
	*at = io;
	if (++storage->holding > storage->count.most_held)
		storage->count.most_held = storage->holding;
	storage_tick(chan);
}

static void storage_drop(struct storage *storage)
{
	struct storage_io *io;

	while ((io = storage->held)) {
		storage->held = io->next;
		free(io);
	}
}

/* All that was held, also what was to be held for ever. */
static void storage_abort(struct channel *chan)
{
	struct storage *storage = chan ? chan->priv : NULL;
	struct storage_io *io;

	for (io = storage ? storage->held : NULL; io; io = io->next) {
		io->due = 0;
		io->answer.srb.srb_status = SRB_ABORTED;
		io->answer.srb.data_length = 0;
		storage->count.aborted++;
	}
	if (storage)
		storage_tick(chan);
}

static void storage_abort_all(struct offer *offer)
{
	u32 i;

	storage_abort(offer->primary);
	for (i = 0; i < offer->subs; i++)
		storage_abort(offer->sub[i]);
}

static bool storage_nth(u64 every, u64 number)
{
	return every && !(number % every);
}

/* From now on no channel of the offer is read for a while. */
static void storage_stall(struct offer *offer)
{
	offer->stalled_until = now_us() + offer->set.io_stall * 1000;
	log_begin("stall");
	log_str("offer", offer->name);
	log_u64("for", offer->set.io_stall);
	log_end();
}

static bool storage_may_read(struct channel *chan)
{
	u64 now = now_us();

	if (now >= chan->offer->stalled_until)
		return true;
	timer_set(&chan->poll, chan->offer->stalled_until - now);
	return false;
}

/* Reads and writes that go wrong, as the scenario says. Is the guest told at all? */
static bool storage_fault(struct channel *chan, struct scsi_command *cmd, u64 number)
{
	struct storage *storage = chan->priv;
	const struct offer *offer = chan->offer;

	if (storage_nth(offer->set.io_lose, number)) {
		storage->count.lost++;
		return false;
	}
	if (cmd->status == SCSI_GOOD && storage_nth(offer->set.io_short, number) &&
	    cmd->moved > PAGE_SIZE) {
		/*
		 * What a disk has done beyond what it says it has is its own affair. Whole
		 * pages: where hv_storvsc's next request would begin in the middle of one,
		 * Linux (6.12) ends in a BUG() of scsi_alloc_sgtables().
		 */
		cmd->moved = cmd->moved / 2 / PAGE_SIZE * PAGE_SIZE;
		storage->count.cut++;
	}
	return true;
}

static void storage_count(struct storage *storage, const struct scsi_command *cmd)
{
	switch (cmd->kind) {
	case SCSI_READ:
		storage->count.reads++;
		storage->count.read_bytes += cmd->moved;
		break;
	case SCSI_WRITE:
		storage->count.writes++;
		storage->count.write_bytes += cmd->moved;
		break;
	case SCSI_FLUSH:
		storage->count.flushes++;
		break;
	case SCSI_UNMAP:
		storage->count.unmaps++;
		break;
	case SCSI_UNKNOWN:
		storage->count.unknown++;
		break;
	default:
		storage->count.other++;
		break;
	}
	storage->count.failed += cmd->status != SCSI_GOOD;
}

static void storage_answer(struct storage_srb *srb, const struct scsi_command *cmd)
{
	srb->scsi_status = cmd->status;
	srb->data_length = cmd->moved;
	srb->sense_length = 0;
	if (!scsi_disk(cmd) && cmd->status != SCSI_GOOD) {
		srb->srb_status = SRB_INVALID_UNIT;
	} else if (cmd->status == SCSI_GOOD) {
		srb->srb_status = SRB_SUCCESS;
	} else {
		srb->srb_status = SRB_ERROR | SRB_SENSE_VALID;
		srb->sense_length = sizeof(cmd->sense);
		memset(srb->bytes, 0, sizeof(srb->bytes));
		memcpy(srb->bytes, cmd->sense, sizeof(cmd->sense));
	}
}

static bool storage_is_ready(const struct channel *chan)
{
	const struct channel *primary = chan->offer->primary;
	const struct storage *storage = primary ? primary->priv : NULL;

	return storage && storage->stage == STAGE_READY;
}

static void storage_log_unit(const struct offer *offer, const char *event, u32 unit)
{
	log_begin(event);
	log_str("offer", offer->name);
	log_u64("unit", unit);
	log_end();
}

/* A guest that is not there yet finds it as it is. */
static void storage_tell(struct offer *offer, const char *event, u32 operation)
{
	struct storage_packet pkt = { .operation = operation };

	storage_log_unit(offer, event, STORAGE_DETACHED);
	if (offer->primary && storage_is_ready(offer->primary))
		channel_send(offer->primary, 0, 0, &pkt, sizeof(pkt));
}

static void storage_attach(void *arg)
{
	struct offer *offer = arg;

	offer->disks[STORAGE_DETACHED] = offer->attach;
	storage_tell(offer, "attach", STORAGE_ENUMERATE);
}

static void storage_detach(struct offer *offer)
{
	offer->disks[STORAGE_DETACHED].away = true;
	storage_tell(offer, "detach", STORAGE_REMOVE);
	if (!offer->attach.bytes)
		return;
	offer->attaching.fire = storage_attach;
	offer->attaching.arg = offer;
	timer_set(&offer->attaching, offer->set.attach_ms * 1000);
}

/* NAMES_TOLD: the command is done. */
static enum offer_names storage_names(struct offer *offer, const struct scsi_command *cmd)
{
	if (!offer->reoffered || cmd->unit || !scsi_asks_for_name(cmd))
		return NAMES_TOLD;
	if (offer->names == NAMES_BUSY && ++offer->names_asked % STORAGE_BUSY_TRIES == 0)
		return NAMES_TOLD;
	return offer->names;
}

/* False: the guest waits for ever. */
static bool storage_execute(struct channel *chan, const struct packet *pkt,
			    struct storage_srb *srb)
{
	struct storage *storage = chan->priv;
	struct offer *offer = chan->offer;
	struct scsi_command cmd = {
		.disks = offer->disks, .data = &pkt->ranges, .in = srb->in == 1,
		.room = srb->data_length, .unit = srb->unit,
		/* There is one target. */
		.count = srb->path || srb->target ? 0 : offer->disk_count,
	};
	enum offer_names names;
	bool moves, told = true;

	if (cmd.room > pkt->ranges.length) {
		bus_violation(chan, "a request for more bytes than the packet describes");
		cmd.room = pkt->ranges.length;
	}
	memcpy(cmd.cdb, srb->bytes, sizeof(cmd.cdb));
	cmd.kind = scsi_kind(&cmd);
	moves = cmd.kind == SCSI_READ || cmd.kind == SCSI_WRITE;
	names = storage_names(offer, &cmd);
	if (names == NAMES_NONE) {
		scsi_fail(&cmd, SENSE_BAD_FIELD);
	} else if (names != NAMES_TOLD) {
		told = names != NAMES_SILENT;
	} else if (moves && storage_nth(offer->set.io_fail, ++storage->moving)) {
		scsi_fail(&cmd, cmd.kind == SCSI_READ ? SENSE_READ_ERROR : SENSE_WRITE_ERROR);
	} else {
		scsi_execute(&cmd);
		if (cmd.no_memory)
			bus_violation(chan, "external data that is no memory");
		if (moves)
			told = storage_fault(chan, &cmd, storage->moving);
	}
	if (offer->set.io_stall && !offer->stalled_until &&
	    storage->moving >= offer->set.io_stall_after)
		storage_stall(offer);
	storage_count(storage, &cmd);
	storage_answer(srb, &cmd);
	if (names == NAMES_BUSY)
		srb->srb_status = SRB_BUSY;
	if (moves && cmd.unit == STORAGE_DETACHED && ++offer->unit_moved == offer->set.detach)
		storage_detach(offer);
	return told;
}

static void storage_request(struct channel *chan, const struct packet *pkt,
			    struct storage_packet *answer)
{
	const struct offer *offer = chan->offer;
	u64 late = offer->set.io_delay;
	struct storage *storage = chan->priv;

	if (!storage_execute(chan, pkt, &answer->srb)) {
		storage_hold(chan, pkt, answer, NEVER);
		return;
	}
	if (offer->set.io_reorder)
		late += mix64(offer->set.seed + pkt->id + storage->moving) %
			offer->set.io_reorder;
	if (late)
		storage_hold(chan, pkt, answer, now_us() + late);
	else
		storage_complete(chan, pkt, answer);
}

static u32 storage_version(struct storage *storage, const struct offer *offer, u16 version)
{
	static const u16 known[] = {
		STORAGE_VERSION(6, 2), STORAGE_VERSION(6, 0), STORAGE_VERSION(5, 1),
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(known); i++) {
		if (known[i] == version && version <= offer->set.io_version) {
			storage->stage = STAGE_VERSION;
			return NT_SUCCESS;
		}
	}
	return NT_REVISION_MISMATCH;
}

static u32 storage_create_subs(struct offer *offer, u16 count)
{
	if (count > offer->subs)
		return NT_INVALID_PARAMETER;
	offer->sub_count = count;
	offer_subs(offer);
	return NT_SUCCESS;
}

/* All but requests; what the guest asks for too early it does not get. */
static u32 storage_control(struct channel *chan, struct storage_packet *answer, u32 operation)
{
	struct storage *storage = chan->priv;
	struct offer *offer = chan->offer;

	if (chan->sub)
		return NT_INVALID_DEVICE_REQUEST;
	switch (operation) {
	case STORAGE_BEGIN:
		storage->stage = STAGE_BEGUN;
		return NT_SUCCESS;
	case STORAGE_QUERY_VERSION:
		if (storage->stage == STAGE_NONE)
			return NT_INVALID_DEVICE_REQUEST;
		return storage_version(storage, offer, answer->version);
	case STORAGE_QUERY_PROPERTIES:
		if (storage->stage < STAGE_VERSION)
			return NT_INVALID_DEVICE_REQUEST;
		answer->properties = (struct storage_properties) {
			.most_subs = offer->subs, .most_bytes = STORAGE_MOST_BYTES,
			.flags = offer->subs ? STORAGE_MULTI_CHANNEL : 0,
		};
		return NT_SUCCESS;
	case STORAGE_END:
		if (storage->stage < STAGE_VERSION)
			return NT_INVALID_DEVICE_REQUEST;
		storage->stage = STAGE_READY;
		return NT_SUCCESS;
	case STORAGE_CREATE_SUBS:
		if (storage->stage < STAGE_VERSION)
			return NT_INVALID_DEVICE_REQUEST;
		return storage_create_subs(offer, answer->subs);
	case STORAGE_RESET_UNIT:
	case STORAGE_RESET_ADAPTER:
	case STORAGE_RESET_BUS:
		storage_abort_all(offer);
		return NT_SUCCESS;
	}
	return NT_INVALID_DEVICE_REQUEST;
}

static void storage_packet(struct channel *chan, struct packet *pkt)
{
	struct storage_packet answer;
	u32 operation;

	if (pkt->len < sizeof(answer)) {
		bus_violation(chan, "a packet that is too short for the storage protocol");
		return;
	}
	memcpy(&answer, pkt->payload, sizeof(answer));
	operation = answer.operation;
	answer.operation = STORAGE_COMPLETE;
	answer.status = NT_SUCCESS;
	if (operation == STORAGE_EXECUTE && storage_is_ready(chan)) {
		storage_request(chan, pkt, &answer);
		return;
	}
	answer.status = storage_control(chan, &answer, operation);
	if (answer.status == NT_INVALID_DEVICE_REQUEST)
		bus_violation(chan, "an operation that is out of place in the storage protocol");
	storage_complete(chan, pkt, &answer);
}

/* The offer is back: was the disk exchanged meanwhile? The guest is not told. */
static void storage_exchange(struct offer *offer)
{
	if (!offer->exchange.bytes || !offer->reoffered)
		return;
	offer->disks[0] = offer->exchange;
	offer->exchange.bytes = 0;
	storage_log_unit(offer, "attach", 0);
}

static void storage_opened(struct channel *chan)
{
	storage_exchange(chan->offer);
	chan->priv = xalloc(sizeof(struct storage));
	chan->pace.fire = storage_tick;
}

static void storage_closed(struct channel *chan)
{
	struct storage *storage = chan->priv;

	if (!storage)
		return;
	log_begin("storage");
	log_str("offer", chan->offer->name);
	log_u64("relid", chan->relid);
	log_u64("sub", chan->sub);
	log_u64("reads", storage->count.reads);
	log_u64("read_bytes", storage->count.read_bytes);
	log_u64("writes", storage->count.writes);
	log_u64("write_bytes", storage->count.write_bytes);
	log_u64("flushes", storage->count.flushes);
	log_u64("unmaps", storage->count.unmaps);
	log_u64("other", storage->count.other);
	log_u64("unknown", storage->count.unknown);
	log_u64("failed", storage->count.failed);
	log_u64("short", storage->count.cut);
	log_u64("lost", storage->count.lost);
	log_u64("aborted", storage->count.aborted);
	log_u64("most_held", storage->count.most_held);
	log_u64("left", storage->holding);
	log_end();
	storage_drop(storage);
}

const struct behaviour behaviour_storage = {
	.name = "storage",
	.help = "a SCSI controller with the offer's disks",
	.subs_when_asked = true,
	.opened = storage_opened,
	.may_read = storage_may_read,
	.packet = storage_packet,
	.closed = storage_closed,
};
