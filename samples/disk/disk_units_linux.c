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

enum disk_likeness { DISK_UNKNOWN, DISK_SAME, DISK_OTHER };

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
 * writing to that: what is looked at is a copy.
 */
static enum disk_likeness disk_compare_page(u8 code, struct scsi_vpd __rcu *const *found,
					    const u8 *page)
{
	enum disk_likeness likeness = DISK_UNKNOWN;
	const u8 *a, *a_end, *b, *b_end;
	const struct scsi_vpd *then;
	u8 now[DISK_PAGE_BYTES];

	memcpy(now, page, sizeof(now));
	b = now + DISK_PAGE_HEAD;
	b_end = now + min(DISK_PAGE_HEAD + (now[2] << 8 | now[3]), DISK_PAGE_BYTES);

	rcu_read_lock();
	then = rcu_dereference(*found);
	if (then && then->len >= DISK_PAGE_HEAD) {
		a = then->data + DISK_PAGE_HEAD;
		a_end = then->data + min(then->len, DISK_PAGE_BYTES);
		likeness = code == DISK_PAGE_NAMES ? disk_compare_names(a, a_end, b, b_end) :
						     disk_compare_serials(a, a_end, b, b_end);
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
static NTSTATUS disk_ask_for_page(PDISK_HOST host, PDISK disk, struct scsi_device *sdev, u8 code)
{
	PDISK_REQUEST ask = &host->ask;
	PMDL mdl = &host->page_mdl.head;

	memset(host->page, 0, sizeof(host->page));
	MmInitializeMdl(mdl, host->page, sizeof(host->page));
	MmBuildMdlForNonPagedPool(mdl);

	memset(ask, 0, sizeof(*ask));
	ask->Target = sdev->id;
	ask->Unit = sdev->lun;
	ask->Direction = DISK_DATA_IN;
	ask->Data = mdl;
	ask->DataLength = sizeof(host->page);
	ask->CdbLength = COMMAND_SIZE(INQUIRY);
	ask->Cdb[0] = INQUIRY;
	ask->Cdb[1] = 1; /* of vital product data */
	ask->Cdb[2] = code;
	ask->Cdb[3] = sizeof(host->page) >> 8;
	ask->Cdb[4] = sizeof(host->page) & 0xff;
	return DiskRunRequest(disk, ask);
}

static NTSTATUS disk_unit_check(PDISK_HOST host, PDISK disk, struct scsi_device *sdev)
{
	static const u8 codes[] = { DISK_PAGE_NAMES, DISK_PAGE_SERIAL };
	struct scsi_vpd __rcu *const *found[] = { &sdev->vpd_pg83, &sdev->vpd_pg80 };
	enum disk_likeness likeness = DISK_UNKNOWN;
	NTSTATUS status;
	int i;

	for (i = 0; i < ARRAY_SIZE(codes) && likeness == DISK_UNKNOWN; i++) {
		if (!rcu_access_pointer(*found[i]))
			continue;
		status = disk_ask_for_page(host, disk, sdev, codes[i]);
		if (!NT_SUCCESS(status))
			return status;
		switch (host->ask.SrbStatus) {
		case DISK_SRB_SUCCESS:
		case DISK_SRB_OVERRUN:
			likeness = disk_compare_page(codes[i], found[i], host->page);
			break;
		case DISK_SRB_NO_DEVICE:
		case DISK_SRB_INVALID_UNIT:
			disk_unit_is_gone(sdev);
			return STATUS_SUCCESS;
		}
	}
	if (likeness == DISK_OTHER)
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
	return disk_compare_page(code, found, page);
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
