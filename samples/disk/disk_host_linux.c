// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a SCSI host. It begins with the first device of a controller's, and outlives
 * it: where the VMBus host takes the controller away the disks stay, their requests wait,
 * and the next device of the same instance serves them. So a file system goes on after
 * a rescind and a new offer, as after a cable that was out for a moment. If none comes in
 * time the disks are removed, and what waits ends with an error; if one comes later it has a new
 * SCSI host.
 */
#define pr_fmt(fmt) "disk: " fmt

#include <linux/blkdev.h>
#include <linux/jiffies.h>
#include <scsi/scsi.h>
#include <scsi/scsi_device.h>
#include <scsi/scsi_host.h>

#include "disk_linux.h"

unsigned int disk_reoffer_seconds = 60;

/* Guards the list, and who has which host. */
static DEFINE_MUTEX(disk_hosts_lock);
static LIST_HEAD(disk_hosts);

/*
 * For scans: what ends requests waits for one, so this has a rescuer as well. The machine does
 * not sleep before they have ended: a processor goes offline only without requests.
 */
static struct workqueue_struct *disk_wq;

/*
 * For what ends requests where no controller comes: reclaim may wait for those, and so may a
 * scan for memory.
 */
static struct workqueue_struct *disk_lost_wq;

static void disk_host_get(PDISK_HOST host)
{
	get_device(&host->shost->shost_gendev);
}

static void disk_host_put(PDISK_HOST host)
{
	scsi_host_put(host->shost);
}

/* A work item holds on to its host. */
static void disk_host_queue_scan(PDISK_HOST host)
{
	disk_host_get(host);
	if (!queue_work(disk_wq, &host->scan))
		disk_host_put(host);
}

/* Lets go of units that are no more, and finds those that are new: there is one target. */
static void disk_host_scan(struct work_struct *work)
{
	PDISK_HOST host = container_of(work, struct _DISK_HOST, scan);
	struct Scsi_Host *shost = host->shost;
	int err = 0;

	if (READ_ONCE(host->dying))
		goto out;
	/*
	 * Not a child of the VMBus device, which goes with each rescind, while the disks
	 * are to stay.
	 */
	if (!host->added)
		err = scsi_add_host(shost, NULL);
	if (err) {
		pr_err("no SCSI host: error %d\n", err);
		goto out;
	}
	host->added = true;
	disk_units_look(shost);
	scsi_scan_target(&shost->shost_gendev, 0, 0, SCAN_WILD_CARD, SCSI_SCAN_RESCAN);
out:
	disk_host_put(host);
}

/* Takes it out of the list. False: that was done before. */
static bool disk_host_condemn(PDISK_HOST host)
{
	lockdep_assert_held(&disk_hosts_lock);
	if (host->dying)
		return false;
	WRITE_ONCE(host->dying, true);
	list_del_init(&host->node);
	return true;
}

/* One that was condemned, with the list's hold on it. */
static void disk_host_remove(PDISK_HOST host)
{
	/* Pairs with DiskHostGone(), which blocks requests first: then this lets them go. */
	smp_mb();
	scsi_unblock_requests(host->shost);
	wake_up_all(&host->wait);
	if (cancel_work_sync(&host->scan))
		disk_host_put(host);
	if (cancel_delayed_work(&host->lost))
		disk_host_put(host);
	if (host->added)
		scsi_remove_host(host->shost);
	disk_host_put(host);
}

/* No new offer has come in time. */
static void disk_host_lost(struct work_struct *work)
{
	PDISK_HOST host = container_of(to_delayed_work(work), struct _DISK_HOST, lost);
	bool lost;

	mutex_lock(&disk_hosts_lock);
	lost = !rcu_access_pointer(host->disk) && disk_host_condemn(host);
	mutex_unlock(&disk_hosts_lock);
	if (lost) {
		pr_err("host%u: the controller has not come back within %u s: its disks are removed\n",
		       host->shost->host_no, disk_reoffer_seconds);
		disk_host_remove(host);
	}
	disk_host_put(host);
}

/* Without the lock: it waits for a thread to be made. */
static PDISK_HOST disk_host_create(PDISK disk, const GUID *instance, const DISK_LIMITS *limits)
{
	struct Scsi_Host *shost = disk_scsi_alloc(disk, limits);
	PDISK_HOST host;

	if (!shost)
		return NULL;
	host = shost_priv(shost);
	host->shost = shost;
	host->instance = *instance;
	host->limits = *limits;
	mutex_init(&host->lock);
	init_waitqueue_head(&host->wait);
	INIT_WORK(&host->scan, disk_host_scan);
	INIT_DELAYED_WORK(&host->lost, disk_host_lost);
	return host;
}

/* One that waits for a device of that instance. */
static PDISK_HOST disk_host_find(const GUID *instance)
{
	PDISK_HOST host;

	lockdep_assert_held(&disk_hosts_lock);
	list_for_each_entry(host, &disk_hosts, node)
		if (!host->device && !memcmp(&host->instance, instance, sizeof(*instance)))
			return host;
	return NULL;
}

/* Has the device, whose host is @host, to have one made? */
static bool disk_host_is_needed(PDISK_HOST host, const GUID *instance)
{
	bool needed;

	mutex_lock(&disk_hosts_lock);
	needed = (!host || host->dying) && !disk_host_find(instance);
	mutex_unlock(&disk_hosts_lock);
	return needed;
}

/* The device has its host from now on: the one just made, or one that waits for it. */
static PDISK_HOST disk_host_attach(PDISK disk, const GUID *instance, PDISK_HOST fresh)
{
	PDISK_HOST host = fresh ?: disk_host_find(instance);

	lockdep_assert_held(&disk_hosts_lock);
	if (!host)
		return NULL;
	if (fresh)
		list_add_tail(&fresh->node, &disk_hosts);
	disk_host_get(host);
	mutex_lock(&host->lock);
	host->device = disk;
	mutex_unlock(&host->lock);
	return host;
}

/* May requests start, within those limits? */
static NTSTATUS disk_host_check(PDISK_HOST host, const DISK_LIMITS *limits)
{
	lockdep_assert_held(&disk_hosts_lock);
	/* Requests as large as before may be waiting, until the host is lost. */
	if (host->limits.MaximumBytes > limits->MaximumBytes) {
		pr_err("host%u: the controller has come back with lower limits\n",
		       host->shost->host_no);
		return STATUS_NOT_SUPPORTED;
	}
	return STATUS_SUCCESS;
}

/* Requests may start, unless it has died while its units were asked. */
static NTSTATUS disk_host_start(PDISK_HOST host, PDISK disk)
{
	bool dying;

	mutex_lock(&disk_hosts_lock);
	dying = host->dying;
	if (!dying)
		rcu_assign_pointer(host->disk, disk);
	mutex_unlock(&disk_hosts_lock);
	return dying ? STATUS_DEVICE_NOT_READY : STATUS_SUCCESS;
}

/*
 * A device whose host has died, as nothing answered in time, gets a new one. It keeps the dead
 * one until it goes: error handling of that one may be waiting for the very callback that this
 * is called in, which so cannot wait for error handling to let go of the device.
 */
NTSTATUS DiskHostReady(PDISK Disk, PDISK_HOST *Host, LPCGUID Instance, PDISK_LIMITS Limits)
{
	NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
	PDISK_HOST host = *Host, fresh = NULL;

	if (disk_host_is_needed(host, Instance)) {
		fresh = disk_host_create(Disk, Instance, Limits);
		if (!fresh)
			return status;
	}

	mutex_lock(&disk_hosts_lock);
	/* If it has died just now there is no new one yet: at the next try there is. */
	if (!host || host->dying) {
		host = disk_host_attach(Disk, Instance, fresh);
		if (host) {
			host->before = *Host;
			/* Pairs with DiskEvtProcessPacket(), which may have it scanned. */
			smp_store_release(Host, host);
		}
	}
	if (host)
		status = disk_host_check(host, Limits);
	mutex_unlock(&disk_hosts_lock);
	if (NT_SUCCESS(status))
		status = disk_units_check(host, Disk);
	if (NT_SUCCESS(status))
		status = disk_host_start(host, Disk);
	if (!NT_SUCCESS(status))
		return status;

	if (cancel_delayed_work(&host->lost))
		disk_host_put(host);
	scsi_unblock_requests(host->shost);
	wake_up_all(&host->wait);
	disk_host_queue_scan(host);
	return STATUS_SUCCESS;
}

/* Those that call DiskStartRequest() are readers of RCU. */
VOID DiskHostWait(PDISK_HOST Host)
{
	synchronize_rcu();
}

/* From now on it may take too long. Not after disk_host_remove() has looked for the work. */
static void disk_host_expect(PDISK_HOST host)
{
	mutex_lock(&disk_hosts_lock);
	if (!host->dying) {
		disk_host_get(host);
		if (!queue_delayed_work(disk_lost_wq, &host->lost, disk_reoffer_seconds * HZ))
			disk_host_put(host);
	}
	mutex_unlock(&disk_hosts_lock);
}

VOID DiskHostGone(PDISK_HOST Host, BOOLEAN Sleeps)
{
	scsi_block_requests(Host->shost);
	RCU_INIT_POINTER(Host->disk, NULL);
	/* Pairs with disk_host_remove(): that, or this, lets them go. */
	smp_mb();
	if (READ_ONCE(Host->dying))
		scsi_unblock_requests(Host->shost);
	else if (!Sleeps)
		disk_host_expect(Host);
	synchronize_rcu();
}

/* The opening may fail, and what waits is not to wait for ever. */
VOID DiskHostAwake(PDISK_HOST Host)
{
	disk_host_expect(Host);
}

VOID DiskHostDetach(PDISK_HOST Host)
{
	PDISK_HOST before;

	for (; Host; Host = before) {
		before = Host->before;
		Host->before = NULL;
		/*
		 * It may have gone while the guest slept. Before another device may serve the
		 * host.
		 */
		disk_host_expect(Host);
		mutex_lock(&Host->lock);
		Host->device = NULL;
		mutex_unlock(&Host->lock);
		disk_host_put(Host);
	}
}

VOID DiskHostDelete(PDISK_HOST Host)
{
	bool first;

	mutex_lock(&disk_hosts_lock);
	first = disk_host_condemn(Host);
	mutex_unlock(&disk_hosts_lock);
	if (first)
		disk_host_remove(Host);
}

VOID DiskHostRescan(PDISK_HOST Host)
{
	disk_host_queue_scan(Host);
}

int disk_hosts_init(void)
{
	disk_wq = alloc_workqueue("vmbkmcl_disk", WQ_UNBOUND | WQ_MEM_RECLAIM | WQ_FREEZABLE, 0);
	if (!disk_wq)
		return -ENOMEM;
	disk_lost_wq = alloc_workqueue("vmbkmcl_disk_lost", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!disk_lost_wq) {
		destroy_workqueue(disk_wq);
		return -ENOMEM;
	}
	return 0;
}

/* All devices have gone by now. */
VOID DiskHostDeleteAll(void)
{
	PDISK_HOST host;

	mutex_lock(&disk_hosts_lock);
	while ((host = list_first_entry_or_null(&disk_hosts, struct _DISK_HOST, node))) {
		disk_host_condemn(host);
		mutex_unlock(&disk_hosts_lock);
		disk_host_remove(host);
		mutex_lock(&disk_hosts_lock);
	}
	mutex_unlock(&disk_hosts_lock);
	/* Those that were lost may just be being removed. */
	destroy_workqueue(disk_lost_wq);
	destroy_workqueue(disk_wq);
}
