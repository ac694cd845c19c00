// SPDX-License-Identifier: GPL-2.0
/*
 * Units that the VMBus host takes away, or puts another disk in place of. A SCSI device stands
 * for one disk, with what is cached of it and mounted, and goes with it. The SCSI layer's scan
 * does not look at units that it knows.
 */
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <scsi/scsi.h>
#include <scsi/scsi_common.h>
#include <scsi/scsi_device.h>
#include <scsi/scsi_host.h>

#include "disk_linux.h"

#define DISK_PATIENCE_SECONDS	30
#define DISK_READY_TRIES	3

#define DISK_PAGE_HEAD		4

#define DISK_PAGE_SERIAL	0x80
#define DISK_PAGE_NAMES		0x83
#define DISK_NAME_HEAD		4
#define DISK_NAME_ASSOCIATION	0x30	/* 0: the name is the unit's own */

#define DISK_NO_SUCH_UNIT	0x25	/* additional sense code */

/* So much is asked for, if the page was no longer: old disks take it for one byte. */
#define DISK_PAGE_SHORT		255

/* So often a unit is asked that is busy, and so many openings it may leave without answer. */
#define DISK_BUSY_TRIES		3
#define DISK_SILENCES		3

enum disk_likeness { DISK_UNKNOWN, DISK_SAME, DISK_OTHER, DISK_GONE, DISK_BUSY };

/* Names of the way to the unit may change, and are left out. NULL: there is none. */
static const u8 *disk_next_name(const u8 *at, const u8 *end)
{
	while (end - at >= DISK_NAME_HEAD && end - at >= DISK_NAME_HEAD + at[3]) {
		if (!(at[1] & DISK_NAME_ASSOCIATION))
			return at;
		at += DISK_NAME_HEAD + at[3];
	}
	return NULL;
}

static enum disk_likeness disk_compare_names(const u8 *a, const u8 *a_end, const u8 *b,
					     const u8 *b_end)
{
	enum disk_likeness likeness = DISK_UNKNOWN;

	for (;;) {
		a = disk_next_name(a, a_end);
		b = disk_next_name(b, b_end);
		if (!a && !b)
			return likeness;
		if (!a || !b || a[3] != b[3] || memcmp(a, b, DISK_NAME_HEAD + a[3]))
			return DISK_OTHER;
		likeness = DISK_SAME;
		a += DISK_NAME_HEAD + a[3];
		b += DISK_NAME_HEAD + b[3];
	}
}

static enum disk_likeness disk_compare_serials(const u8 *a, const u8 *a_end, const u8 *b,
					       const u8 *b_end)
{
	return a_end - a == b_end - b && !memcmp(a, b, a_end - a) ? DISK_SAME : DISK_OTHER;
}

/*
 * A page as it was when the disk was found, and as the host has it now, which may still be
 * writing to that: what is looked at is a copy. Of the @asked bytes @bytes have come.
 */
static enum disk_likeness disk_compare_page(u8 code, struct scsi_vpd __rcu *const *found,
					    const u8 *page, u32 bytes, u32 asked)
{
	enum disk_likeness likeness = DISK_UNKNOWN;
	const struct scsi_vpd *then;
	u8 now[DISK_PAGE_BYTES];
	const u8 *a, *a_end, *b;
	u32 len;

	memcpy(now, page, sizeof(now));
	len = DISK_PAGE_HEAD + (now[2] << 8 | now[3]);
	if (bytes <= DISK_PAGE_HEAD || now[1] != code || len == DISK_PAGE_HEAD ||
	    (len > bytes && bytes < asked))
		return DISK_UNKNOWN;
	b = now + DISK_PAGE_HEAD;
	len = min(len, bytes);

	rcu_read_lock();
	then = rcu_dereference(*found);
	if (then && then->len >= DISK_PAGE_HEAD) {
		a = then->data + DISK_PAGE_HEAD;
		a_end = then->data + min(then->len, DISK_PAGE_BYTES);
		likeness = code == DISK_PAGE_NAMES ?
				disk_compare_names(a, a_end, b, now + len) :
				disk_compare_serials(a, a_end, b, now + len);
	}
	rcu_read_unlock();
	return likeness;
}

static void disk_unit_is_gone(struct scsi_device *sdev)
{
	if (disk_unit_end(sdev))
		sdev_printk(KERN_NOTICE, sdev, "the disk is gone\n");
}

static void disk_unit_is_another(struct scsi_device *sdev)
{
	if (disk_unit_end(sdev))
		sdev_printk(KERN_NOTICE, sdev, "another disk is in this one's place\n");
}

/*
 * Before requests start: those that wait are for the disks that were there when the controller
 * went.
 */

/* What the answer was is in host->ask, and the page, if it was one, in host->page. */
static NTSTATUS disk_ask_for_page(PDISK_HOST host, PDISK disk, struct scsi_device *sdev, u8 code,
				  u32 bytes)
{
	PDISK_REQUEST ask = &host->ask;
	PMDL mdl = &host->page_mdl.head;

	memset(host->page, 0, sizeof(host->page));
	MmInitializeMdl(mdl, host->page, bytes);
	MmBuildMdlForNonPagedPool(mdl);

	memset(ask, 0, sizeof(*ask));
	ask->Target = sdev->id;
	ask->Unit = sdev->lun;
	ask->Direction = DISK_DATA_IN;
	ask->Data = mdl;
	ask->DataLength = bytes;
	ask->CdbLength = COMMAND_SIZE(INQUIRY);
	ask->Cdb[0] = INQUIRY;
	ask->Cdb[1] = 1; /* of vital product data */
	ask->Cdb[2] = code;
	ask->Cdb[3] = bytes >> 8;
	ask->Cdb[4] = bytes & 0xff;
	return DiskRunRequest(disk, ask);
}

/* There is no page. The disk that was there had it. */
static enum disk_likeness disk_judge_failure(const DISK_REQUEST *ask)
{
	struct scsi_sense_hdr sense;

	switch (ask->SrbStatus) {
	case DISK_SRB_NO_DEVICE:
	case DISK_SRB_INVALID_UNIT:
		return DISK_GONE;
	case DISK_SRB_ABORTED:
	case DISK_SRB_BUS_RESET:
	case DISK_SRB_BUSY:
		return DISK_BUSY;
	}
	if (ask->ScsiStatus == SAM_STAT_BUSY || ask->ScsiStatus == SAM_STAT_TASK_SET_FULL)
		return DISK_BUSY;
	if (!scsi_normalize_sense(ask->Sense, ask->SenseLength, &sense))
		return DISK_UNKNOWN;
	if (sense.sense_key == UNIT_ATTENTION)
		return DISK_BUSY;
	if (sense.sense_key != ILLEGAL_REQUEST)
		return DISK_UNKNOWN;
	return sense.asc == DISK_NO_SUCH_UNIT ? DISK_GONE : DISK_OTHER;
}

static enum disk_likeness disk_judge(PDISK_HOST host, u8 code, struct scsi_vpd __rcu *const *found)
{
	const DISK_REQUEST *ask = &host->ask;

	if (ask->SrbStatus != DISK_SRB_SUCCESS && ask->SrbStatus != DISK_SRB_OVERRUN)
		return disk_judge_failure(ask);
	if (ask->ScsiStatus != SAM_STAT_GOOD)
		return disk_judge_failure(ask);
	return disk_compare_page(code, found, host->page, ask->Moved, ask->DataLength);
}

static NTSTATUS disk_ask_whether_same(PDISK_HOST host, PDISK disk, struct scsi_device *sdev,
				      u8 code, struct scsi_vpd __rcu *const *found,
				      enum disk_likeness *likeness)
{
	u32 bytes = DISK_PAGE_SHORT, tries;
	const struct scsi_vpd *then;
	NTSTATUS status;

	rcu_read_lock();
	then = rcu_dereference(*found);
	if (!then)
		bytes = 0;
	else if (then->len > DISK_PAGE_SHORT)
		bytes = DISK_PAGE_BYTES;
	rcu_read_unlock();
	if (!bytes)
		return STATUS_SUCCESS;

	for (tries = 0; tries < DISK_BUSY_TRIES; tries++) {
		status = disk_ask_for_page(host, disk, sdev, code, bytes);
		if (!NT_SUCCESS(status))
			return status;
		*likeness = disk_judge(host, code, found);
		if (*likeness != DISK_BUSY)
			return STATUS_SUCCESS;
	}
	return STATUS_DEVICE_NOT_READY;
}

/* One that leaves opening after opening without an answer is not to cost the others. */
static void disk_unit_is_silent(PDISK_HOST host, struct scsi_device *sdev)
{
	if (host->silent != sdev->lun)
		host->silences = 0;
	host->silent = sdev->lun;
	if (++host->silences == DISK_SILENCES && disk_unit_end(sdev))
		sdev_printk(KERN_ERR, sdev, "the disk does not answer\n");
}

static NTSTATUS disk_unit_check(PDISK_HOST host, PDISK disk, struct scsi_device *sdev)
{
	enum disk_likeness likeness = DISK_UNKNOWN;
	NTSTATUS status;

	status = disk_ask_whether_same(host, disk, sdev, DISK_PAGE_NAMES, &sdev->vpd_pg83,
				       &likeness);
	if (NT_SUCCESS(status) && likeness == DISK_UNKNOWN)
		status = disk_ask_whether_same(host, disk, sdev, DISK_PAGE_SERIAL,
					       &sdev->vpd_pg80, &likeness);
	if (status == STATUS_CANCELLED || status == STATUS_DEVICE_NOT_READY)
		disk_unit_is_silent(host, sdev);
	if (!NT_SUCCESS(status))
		return status;

	if (host->silent == sdev->lun)
		host->silences = 0;
	if (likeness == DISK_GONE)
		disk_unit_is_gone(sdev);
	else if (likeness == DISK_OTHER)
		disk_unit_is_another(sdev);
	return STATUS_SUCCESS;
}

/*
 * Nothing is sent any more to units that have gone, or are another disk by now; the scan that
 * follows removes their devices. Not by the SCSI layer's requests: those that wait may have taken
 * all that there are.
 */
NTSTATUS disk_units_check(PDISK_HOST host, PDISK disk)
{
	struct scsi_device *sdev;
	NTSTATUS status;

	shost_for_each_device(sdev, host->shost) {
		if (disk_unit_has_ended(sdev))
			continue;
		status = disk_unit_check(host, disk, sdev);
		if (!NT_SUCCESS(status)) {
			scsi_device_put(sdev);
			return status;
		}
	}
	return STATUS_SUCCESS;
}

/*
 * While the controller is there
 */

/* It also fails where there is no memory to ask. */
static enum disk_likeness disk_read_page(struct scsi_device *sdev, u8 code,
					 struct scsi_vpd __rcu *const *found, u8 *page)
{
	if (scsi_get_vpd_page(sdev, code, page, DISK_PAGE_BYTES))
		return DISK_UNKNOWN;
	return disk_compare_page(code, found, page, DISK_PAGE_BYTES, DISK_PAGE_BYTES);
}

/* So it is taken to be where it cannot be known. */
static bool disk_unit_is_same(struct scsi_device *sdev)
{
	u8 *page = kmalloc(DISK_PAGE_BYTES, GFP_KERNEL);
	enum disk_likeness likeness;

	if (!page)
		return true;
	likeness = disk_read_page(sdev, DISK_PAGE_NAMES, &sdev->vpd_pg83, page);
	if (likeness == DISK_UNKNOWN)
		likeness = disk_read_page(sdev, DISK_PAGE_SERIAL, &sdev->vpd_pg80, page);
	kfree(page);
	return likeness != DISK_OTHER;
}

/* Any answer but that there is none counts, and so does none, as for lack of memory. */
static bool disk_unit_is_there(struct scsi_device *sdev)
{
	struct scsi_sense_hdr sense = {};
	int result = scsi_test_unit_ready(sdev, DISK_PATIENCE_SECONDS * HZ, DISK_READY_TRIES,
					  &sense);

	if (result <= 0)
		return true;
	if (host_byte(result) == DID_NO_CONNECT)
		return false;
	return !scsi_sense_valid(&sense) || sense.sense_key != ILLEGAL_REQUEST ||
	       sense.asc != DISK_NO_SUCH_UNIT;
}

/*
 * Removes the devices of units that have gone, or are another disk by now. One that error
 * handling has taken offline cannot be asked, and goes, too. Called without the SCSI host's
 * scan_mutex, which scsi_remove_device() takes.
 */
void disk_units_look(struct Scsi_Host *shost)
{
	struct scsi_device *sdev;

	shost_for_each_device(sdev, shost) {
		if (!disk_unit_is_there(sdev))
			disk_unit_is_gone(sdev);
		else if (!disk_unit_is_same(sdev))
			disk_unit_is_another(sdev);
		if (disk_unit_has_ended(sdev))
			scsi_remove_device(sdev);
	}
}

bool disk_unit_end(struct scsi_device *sdev)
{
	return !xchg(&sdev->hostdata, sdev);
}

bool disk_unit_has_ended(struct scsi_device *sdev)
{
	return READ_ONCE(sdev->hostdata);
}
