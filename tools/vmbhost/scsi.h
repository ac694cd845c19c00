/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SCSI commands on disks.
 */
#ifndef VMBHOST_SCSI_H
#define VMBHOST_SCSI_H

#include "disk.h"
#include "ranges.h"

#define SCSI_CDB_BYTES		16
#define SCSI_SENSE_BYTES	18

enum scsi_status { SCSI_GOOD = 0, SCSI_CHECK_CONDITION = 2 };

/* Sense key, additional code and its qualifier. */
#define SCSI_SENSE(key, asc, ascq)	((key) << 16 | (asc) << 8 | (ascq))
#define SENSE_NONE			0
#define SENSE_READ_ERROR		SCSI_SENSE(0x3, 0x11, 0x00)
#define SENSE_WRITE_ERROR		SCSI_SENSE(0x3, 0x0c, 0x00)
#define SENSE_HARDWARE			SCSI_SENSE(0x4, 0x44, 0x00)
#define SENSE_NO_COMMAND		SCSI_SENSE(0x5, 0x20, 0x00)
#define SENSE_OUT_OF_RANGE		SCSI_SENSE(0x5, 0x21, 0x00)
#define SENSE_BAD_FIELD			SCSI_SENSE(0x5, 0x24, 0x00)
#define SENSE_NO_UNIT			SCSI_SENSE(0x5, 0x25, 0x00)
#define SENSE_BAD_PARAMETERS		SCSI_SENSE(0x5, 0x26, 0x00)

enum scsi_kind { SCSI_OTHER, SCSI_READ, SCSI_WRITE, SCSI_FLUSH, SCSI_UNMAP, SCSI_UNKNOWN };

struct scsi_command {
	/* What was asked; the units are @disks, of which @unit is meant. */
	struct disk *disks;
	u32 count;
	u32 unit;
	u8 cdb[SCSI_CDB_BYTES];
	const struct ranges *data;
	u32 room;		/* bytes of @data */
	bool in;		/* they are to be written to */

	/* What came of it. */
	enum scsi_kind kind;
	enum scsi_status status;
	u8 sense[SCSI_SENSE_BYTES];
	u32 moved;		/* bytes */
	bool no_memory;		/* @data is none of the guest's */
};

/* The one that is meant; NULL: there is no such unit. */
struct disk *scsi_disk(const struct scsi_command *cmd);
/* Does it ask for a page by which disks are told apart? */
bool scsi_asks_for_name(const struct scsi_command *cmd);
/* Which of them @cmd is, without doing it. */
enum scsi_kind scsi_kind(const struct scsi_command *cmd);
void scsi_execute(struct scsi_command *cmd);
void scsi_fail(struct scsi_command *cmd, u32 sense);

#endif /* VMBHOST_SCSI_H */
