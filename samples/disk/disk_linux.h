/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files share that make a SCSI host of the client.
 */
#ifndef DISK_LINUX_H
#define DISK_LINUX_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <scsi/scsi_device.h>
#include <scsi/scsi_host.h>

#include <ntddk.h>

#include "disk.h"

/* Of a page of vital product data no more is looked at. */
#define DISK_PAGE_BYTES		512

/*
 * A controller as the SCSI layer knows it, in the Scsi_Host's own memory. It holds on to it
 * while the list below, a device of the client's or a work item has it.
 */
struct _DISK_HOST {
	struct Scsi_Host *shost;
	struct list_head node;		/* in disk_hosts, until it is dying */
	GUID instance;
	DISK_LIMITS limits;
	bool added;			/* to the SCSI layer: the scan's own */
	bool dying;			/* written under disk_hosts_lock */
	struct _DISK __rcu *disk;	/* while it takes requests; their path reads it */
	struct mutex lock;		/* guards @device */
	PDISK device;			/* while there is one, for error handling */
	PDISK_HOST before;		/* the device's last one, which has died */
	wait_queue_head_t wait;		/* woken when @disk is set, or @dying */
	struct work_struct scan;
	struct delayed_work lost;	/* @disk was NULL for too long */

	/* To ask units who they are before requests start: DiskHostReady()'s own. */
	u64 silent;			/* the unit that left that without answer */
	u32 silences;			/* so many openings, one after the other */
	u8 page[DISK_PAGE_BYTES];
	struct {
		MDL head;
		PFN_NUMBER pfns[2];
	} page_mdl;
	DISK_REQUEST ask;
};

/* disk_host_linux.c */
extern unsigned int disk_reoffer_seconds;
int disk_hosts_init(void);

/* disk_scsi_linux.c */
extern unsigned int disk_queue_depth;
struct Scsi_Host *disk_scsi_alloc(PDISK disk, const DISK_LIMITS *limits);

/* disk_units_linux.c */
NTSTATUS disk_units_check(PDISK_HOST host, PDISK disk);
void disk_units_look(struct Scsi_Host *shost);
/*
 * From now on nothing is sent to the unit: it would be done to the disk that is there by
 * then. In any context. False: that was so before.
 */
bool disk_unit_end(struct scsi_device *sdev);
bool disk_unit_has_ended(struct scsi_device *sdev);

#endif /* DISK_LINUX_H */
