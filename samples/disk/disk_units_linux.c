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

/* Of a page of vital product data no more is looked at. */
#define DISK_PAGE_BYTES		512
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

/* A page as it was when the disk was found, and as the host has it now. */
static enum disk_likeness disk_compare_page(struct scsi_device *sdev, u8 code,
					    struct scsi_vpd __rcu *const *found, u8 *now)
{
	enum disk_likeness likeness = DISK_UNKNOWN;
	const u8 *a, *a_end, *b, *b_end;
	const struct scsi_vpd *page;

	/* It also fails where there is no memory to ask. */
	if (scsi_get_vpd_page(sdev, code, now, DISK_PAGE_BYTES))
		return DISK_UNKNOWN;
	b = now + DISK_PAGE_HEAD;
	b_end = now + min(DISK_PAGE_HEAD + (now[2] << 8 | now[3]), DISK_PAGE_BYTES);

	rcu_read_lock();
	page = rcu_dereference(*found);
	if (page && page->len >= DISK_PAGE_HEAD) {
		a = page->data + DISK_PAGE_HEAD;
		a_end = page->data + min(page->len, DISK_PAGE_BYTES);
		likeness = code == DISK_PAGE_NAMES ? disk_compare_names(a, a_end, b, b_end) :
						     disk_compare_serials(a, a_end, b, b_end);
	}
	rcu_read_unlock();
	return likeness;
}

/* So it is taken to be where it cannot be known. */
static bool disk_unit_is_same(struct scsi_device *sdev)
{
	u8 *now = kmalloc(DISK_PAGE_BYTES, GFP_KERNEL);
	enum disk_likeness likeness;

	if (!now)
		return true;
	likeness = disk_compare_page(sdev, DISK_PAGE_NAMES, &sdev->vpd_pg83, now);
	if (likeness == DISK_UNKNOWN)
		likeness = disk_compare_page(sdev, DISK_PAGE_SERIAL, &sdev->vpd_pg80, now);
	kfree(now);
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
			sdev_printk(KERN_NOTICE, sdev, "the disk is gone\n");
		else if (!disk_unit_is_same(sdev))
			sdev_printk(KERN_NOTICE, sdev, "another disk is in this one's place\n");
		else
			continue;
		disk_unit_end(sdev);
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
