// SPDX-License-Identifier: GPL-2.0
/*
 * The commands of a simple disk: SPC-4 and SBC-3 as far as operating systems ask for it.
 * Numbers in them are big endian.
 */
#include <string.h>

#include "bus.h"
#include "scsi.h"

enum {
	TEST_UNIT_READY = 0x00, REQUEST_SENSE = 0x03, READ_6 = 0x08, WRITE_6 = 0x0a,
	INQUIRY = 0x12, MODE_SENSE_6 = 0x1a, START_STOP = 0x1b, ALLOW_REMOVAL = 0x1e,
	READ_CAPACITY_10 = 0x25, READ_10 = 0x28, WRITE_10 = 0x2a, SYNCHRONIZE_10 = 0x35,
	UNMAP = 0x42, MODE_SENSE_10 = 0x5a, READ_16 = 0x88, WRITE_16 = 0x8a,
	SYNCHRONIZE_16 = 0x91, SERVICE_IN_16 = 0x9e, REPORT_LUNS = 0xa0, READ_12 = 0xa8,
	WRITE_12 = 0xaa,
};

#define SERVICE_READ_CAPACITY	0x10
#define INQUIRY_NO_UNIT		0x7f
#define UNMAP_RANGES		256u

static u64 get_be(const u8 *p, u32 bytes)
{
	u64 value = 0;

	while (bytes--)
		value = value << 8 | *p++;
	return value;
}

static void put_be(u8 *p, u32 bytes, u64 value)
{
	while (bytes--) {
		p[bytes] = value;
		value >>= 8;
	}
}

static u32 min_u32(u32 a, u32 b)
{
	return a < b ? a : b;
}

void scsi_fail(struct scsi_command *cmd, u32 sense)
{
	cmd->status = SCSI_CHECK_CONDITION;
	cmd->moved = 0;
	memset(cmd->sense, 0, sizeof(cmd->sense));
	cmd->sense[0] = 0x70;
	cmd->sense[2] = sense >> 16;
	cmd->sense[7] = sizeof(cmd->sense) - 8;
	cmd->sense[12] = sense >> 8;
	cmd->sense[13] = sense;
}

struct disk *scsi_disk(const struct scsi_command *cmd)
{
	struct disk *disk = cmd->unit < cmd->count ? &cmd->disks[cmd->unit] : NULL;

	return disk && !disk->away ? disk : NULL;
}

/* As much of @bytes as was asked for, and there is room for. */
static void scsi_answer(struct scsi_command *cmd, const u8 *bytes, u32 len, u32 asked)
{
	len = min_u32(min_u32(len, asked), cmd->room);
	if (!cmd->in && len) {
		scsi_fail(cmd, SENSE_BAD_FIELD);
		return;
	}
	cmd->no_memory = !ranges_write(bus.vm, cmd->data, 0, bytes, len);
	cmd->moved = len;
}

enum scsi_kind scsi_kind(const struct scsi_command *cmd)
{
	switch (cmd->cdb[0]) {
	case READ_6: case READ_10: case READ_12: case READ_16:
		return SCSI_READ;
	case WRITE_6: case WRITE_10: case WRITE_12: case WRITE_16:
		return SCSI_WRITE;
	case SYNCHRONIZE_10: case SYNCHRONIZE_16:
		return SCSI_FLUSH;
	case UNMAP:
		return SCSI_UNMAP;
	case TEST_UNIT_READY: case REQUEST_SENSE: case INQUIRY: case MODE_SENSE_6:
	case MODE_SENSE_10: case START_STOP: case ALLOW_REMOVAL: case READ_CAPACITY_10:
	case SERVICE_IN_16: case REPORT_LUNS:
		return SCSI_OTHER;
	}
	return SCSI_UNKNOWN;
}

/* Which blocks a command to read, write or flush names. */
static void scsi_blocks(const u8 *cdb, u64 *first, u64 *count)
{
	switch (cdb[0]) {
	case READ_6: case WRITE_6:
		*first = get_be(cdb + 1, 3) & 0x1fffff;
		*count = cdb[4] ? cdb[4] : 256;
		break;
	case READ_10: case WRITE_10: case SYNCHRONIZE_10:
		*first = get_be(cdb + 2, 4);
		*count = get_be(cdb + 7, 2);
		break;
	case READ_12: case WRITE_12:
		*first = get_be(cdb + 2, 4);
		*count = get_be(cdb + 6, 4);
		break;
	default:
		*first = get_be(cdb + 2, 8);
		*count = get_be(cdb + 10, 4);
		break;
	}
}

static void scsi_move(struct scsi_command *cmd, struct disk *disk)
{
	bool read = cmd->kind == SCSI_READ;
	u64 first, count;
	u8 *bytes;

	scsi_blocks(cmd->cdb, &first, &count);
	if (!disk_has(disk, first, count)) {
		scsi_fail(cmd, SENSE_OUT_OF_RANGE);
		return;
	}
	if (count && (cmd->in != read || cmd->room / DISK_BLOCK < count)) {
		scsi_fail(cmd, SENSE_BAD_FIELD);
		return;
	}
	bytes = disk->bytes + first * DISK_BLOCK;
	cmd->moved = count * DISK_BLOCK;
	if (read)
		cmd->no_memory = !ranges_write(bus.vm, cmd->data, 0, bytes, cmd->moved);
	else
		cmd->no_memory = !ranges_read(bus.vm, cmd->data, 0, bytes, cmd->moved);
}

static void scsi_flush(struct scsi_command *cmd, struct disk *disk)
{
	u64 first, count;

	scsi_blocks(cmd->cdb, &first, &count);
	if (!disk_has(disk, first, count))
		scsi_fail(cmd, SENSE_OUT_OF_RANGE);
	else if (!disk_flush(disk))
		scsi_fail(cmd, SENSE_WRITE_ERROR);
}

/* The list is taken over first: the guest may change it. All of it, or nothing. */
static void scsi_unmap(struct scsi_command *cmd, struct disk *disk)
{
	u32 len = get_be(cmd->cdb + 7, 2), i;
	u8 list[8 + UNMAP_RANGES * 16];

	if (cmd->in || len > sizeof(list) || len > cmd->room || (len && len < 8)) {
		scsi_fail(cmd, SENSE_BAD_FIELD);
		return;
	}
	if (!len)
		return;
	if (!ranges_read(bus.vm, cmd->data, 0, list, len)) {
		cmd->no_memory = true;
		return;
	}
	cmd->moved = len;
	len = min_u32(get_be(list + 2, 2), len - 8) / 16;
	for (i = 0; i < len; i++) {
		const u8 *range = list + 8 + i * 16;

		if (!disk_has(disk, get_be(range, 8), get_be(range + 8, 4))) {
			scsi_fail(cmd, SENSE_OUT_OF_RANGE);
			return;
		}
	}
	for (i = 0; i < len; i++) {
		const u8 *range = list + 8 + i * 16;

		memset(disk->bytes + get_be(range, 8) * DISK_BLOCK, 0,
		       get_be(range + 8, 4) * DISK_BLOCK);
	}
}

/* A page of vital product data; 0: there is no such. */
static u32 scsi_vital(const struct scsi_command *cmd, u8 *page)
{
	static const u8 pages[] = { 0x00, 0x80, 0x83, 0xb0, 0xb1, 0xb2 };
	char serial = scsi_disk(cmd)->serial;
	u32 len;

	page[1] = cmd->cdb[2];
	switch (cmd->cdb[2]) {
	case 0x00:
		len = sizeof(pages);
		memcpy(page + 4, pages, len);
		break;
	case 0x80: /* serial number */
		len = 8;
		memcpy(page + 4, "vmbhost", 7);
		page[11] = serial;
		break;
	case 0x83: /* who made it, and that number, in ASCII */
		len = 4 + 16;
		page[4] = 2;
		page[5] = 1;
		page[7] = 16;
		memcpy(page + 8, "vmbhost disk   ", 15);
		page[23] = serial;
		break;
	case 0xb0: /* limits: how much may be unmapped, in how many ranges */
		len = 0x3c;
		put_be(page + 20, 4, 0xffffffff);
		put_be(page + 24, 4, UNMAP_RANGES);
		put_be(page + 28, 4, 1);
		break;
	case 0xb1: /* nothing turns */
		len = 0x3c;
		put_be(page + 4, 2, 1);
		break;
	case 0xb2: /* what is unmapped reads as zeroes */
		len = 4;
		page[5] = 0x84;
		break;
	default:
		return 0;
	}
	put_be(page + 2, 2, len);
	return 4 + len;
}

bool scsi_asks_for_name(const struct scsi_command *cmd)
{
	return cmd->cdb[0] == INQUIRY && cmd->cdb[1] & 1 &&
	       (cmd->cdb[2] == 0x80 || cmd->cdb[2] == 0x83);
}

/* Also of units that there are not. */
static void scsi_inquiry(struct scsi_command *cmd)
{
	u8 page[64] = { 0 };
	u32 len = 36;

	if (cmd->cdb[1] & 1) {
		len = scsi_disk(cmd) ? scsi_vital(cmd, page) : 0;
		if (!len) {
			scsi_fail(cmd, SENSE_BAD_FIELD);
			return;
		}
	} else {
		page[0] = scsi_disk(cmd) ? 0 : INQUIRY_NO_UNIT;
		page[2] = 6;	/* SPC-4 */
		page[3] = 2;
		page[4] = len - 5;
		page[7] = 2;	/* commands may be queued */
		memcpy(page + 8, "vmbhost disk            1.0 ", 28);
	}
	scsi_answer(cmd, page, len, get_be(cmd->cdb + 3, 2));
}

static void scsi_report_luns(struct scsi_command *cmd)
{
	u8 list[8 + 8 * 256] = { 0 };
	u32 len = 8, i;

	for (i = 0; i < cmd->count; i++) {
		if (cmd->disks[i].away)
			continue;
		list[len + 1] = i;
		len += 8;
	}
	put_be(list, 4, len - 8);
	scsi_answer(cmd, list, len, get_be(cmd->cdb + 6, 4));
}

static void scsi_capacity_10(struct scsi_command *cmd, const struct disk *disk)
{
	u8 answer[8];

	put_be(answer, 4, disk->blocks - 1 > 0xffffffff ? 0xffffffff : disk->blocks - 1);
	put_be(answer + 4, 4, DISK_BLOCK);
	scsi_answer(cmd, answer, sizeof(answer), sizeof(answer));
}

static void scsi_capacity_16(struct scsi_command *cmd, const struct disk *disk)
{
	u8 answer[32] = { 0 };

	if ((cmd->cdb[1] & 0x1f) != SERVICE_READ_CAPACITY) {
		scsi_fail(cmd, SENSE_BAD_FIELD);
		return;
	}
	put_be(answer, 8, disk->blocks - 1);
	put_be(answer + 8, 4, DISK_BLOCK);
	answer[14] = 0xc0; /* blocks can be unmapped, and are zero then */
	scsi_answer(cmd, answer, sizeof(answer), get_be(cmd->cdb + 10, 4));
}

/* The one page with something to say: there is a cache, which has to be flushed. */
static void scsi_mode_sense(struct scsi_command *cmd, bool six)
{
	u32 head = six ? 4 : 8, page = cmd->cdb[2] & 0x3f, len = head;
	u8 answer[8 + 20] = { 0 };

	if (page == 0x08 || page == 0x3f) {
		answer[head] = 0x08;
		answer[head + 1] = 18;
		answer[head + 2] = 0x04;
		len += 20;
	} else {
		scsi_fail(cmd, SENSE_BAD_FIELD);
		return;
	}
	if (six)
		answer[0] = len - 1;
	else
		put_be(answer, 2, len - 2);
	scsi_answer(cmd, answer, len, six ? cmd->cdb[4] : get_be(cmd->cdb + 7, 2));
}

static void scsi_request_sense(struct scsi_command *cmd)
{
	u8 sense[SCSI_SENSE_BYTES] = { 0x70, [7] = SCSI_SENSE_BYTES - 8 };

	if (!scsi_disk(cmd)) {
		sense[2] = (u8)(SENSE_NO_UNIT >> 16);
		sense[12] = (u8)(SENSE_NO_UNIT >> 8);
	}
	scsi_answer(cmd, sense, sizeof(sense), cmd->cdb[4]);
}

static void scsi_on_disk(struct scsi_command *cmd, struct disk *disk)
{
	switch (cmd->cdb[0]) {
	case MODE_SENSE_6:
		scsi_mode_sense(cmd, true);
		break;
	case MODE_SENSE_10:
		scsi_mode_sense(cmd, false);
		break;
	case READ_CAPACITY_10:
		scsi_capacity_10(cmd, disk);
		break;
	case SERVICE_IN_16:
		scsi_capacity_16(cmd, disk);
		break;
	case UNMAP:
		scsi_unmap(cmd, disk);
		break;
	default:
		if (cmd->kind == SCSI_READ || cmd->kind == SCSI_WRITE)
			scsi_move(cmd, disk);
		else if (cmd->kind == SCSI_FLUSH)
			scsi_flush(cmd, disk);
		else if (cmd->kind == SCSI_UNKNOWN)
			scsi_fail(cmd, SENSE_NO_COMMAND);
		break;
	}
}

void scsi_execute(struct scsi_command *cmd)
{
	struct disk *disk = scsi_disk(cmd);

	cmd->kind = scsi_kind(cmd);
	switch (cmd->cdb[0]) {
	case INQUIRY:
		scsi_inquiry(cmd);
		break;
	case REPORT_LUNS:
		scsi_report_luns(cmd);
		break;
	case REQUEST_SENSE:
		scsi_request_sense(cmd);
		break;
	default:
		if (disk)
			scsi_on_disk(cmd, disk);
		else
			scsi_fail(cmd, SENSE_NO_UNIT);
		break;
	}
	if (cmd->no_memory)
		scsi_fail(cmd, SENSE_HARDWARE);
}
