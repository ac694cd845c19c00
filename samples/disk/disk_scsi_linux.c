// SPDX-License-Identifier: GPL-2.0
/*
 * Commands of the SCSI layer as requests of the client: each has its own request, packet
 * object and MDL in the memory that the layer sets apart for a command (cmd_size), made
 * once, so that nothing is allocated on the way to the host or back.
 */
#include <linux/blk-mq.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <scsi/scsi.h>
#include <scsi/scsi_cmnd.h>
#include <scsi/scsi_dbg.h>
#include <scsi/scsi_device.h>
#include <scsi/scsi_devinfo.h>
#include <scsi/scsi_eh.h>
#include <scsi/scsi_host.h>

#include "disk_linux.h"

/* A request may begin in the middle of a page, and end there. */
#define DISK_PFNS	(DISK_BYTES_MAXIMUM / DISK_PAGE_SIZE + 1)

/* Units of a target, as many as the protocol has numbers for. */
#define DISK_UNITS	256

/* How long commands may take to end after the reset of their unit, */
#define DISK_RESET_MS	5000
/* and how long a channel to open again. */
#define DISK_OPEN_SECONDS	20

unsigned int disk_queue_depth = 256;

struct disk_command {
	/*
	 * The VMBus host may have it, and write to its memory. While that is so the SCSI
	 * layer must not get the command back, however long ago it has given up waiting.
	 */
	bool busy;
	struct {
		MDL head;
		PFN_NUMBER pfns[DISK_PFNS];
	} mdl;
	DISK_REQUEST request;	/* with the packet object behind it */
};

static struct scsi_cmnd *disk_command_scmd(struct disk_command *cmd)
{
	return (struct scsi_cmnd *)cmd - 1;
}

/*
 * The way back
 */

/*
 * Of a read or write that has done a part the SCSI layer sends the rest again, which has to
 * begin with a page of memory, and with a block of the disk. Returns how much of it counts as
 * done: where the memory is not aligned to blocks there may be no such place.
 */
static u32 disk_whole_pages(const struct disk_command *cmd, u32 moved, u32 block)
{
	u32 offset = MmGetMdlByteOffset(&cmd->mdl.head);
	u32 end = round_down(offset + moved, DISK_PAGE_SIZE);

	while (end > offset && !IS_ALIGNED(end - offset, block))
		end -= DISK_PAGE_SIZE;
	return end > offset ? end - offset : 0;
}

static int disk_good_result(struct disk_command *cmd, struct scsi_cmnd *scmd)
{
	u32 moved = cmd->request.Moved;

	if (moved < scsi_bufflen(scmd) && !blk_rq_is_passthrough(scsi_cmd_to_rq(scmd))) {
		moved = disk_whole_pages(cmd, moved, scmd->device->sector_size);
		if (!moved)
			return DID_ERROR << 16;
	}
	scsi_set_resid(scmd, scsi_bufflen(scmd) - moved);
	return SAM_STAT_GOOD;
}

/*
 * Is the length that came with an error to be believed? Where a command was not done the host
 * leaves it as it was sent. But to say that nothing was moved by a command that was done with
 * some effort would have the SCSI layer send it again for ever. A part of a read or write does
 * not count: see disk_whole_pages().
 */
static bool disk_has_moved(const DISK_REQUEST *request, struct scsi_cmnd *scmd)
{
	struct scsi_sense_hdr sense;

	if (request->Moved < scsi_bufflen(scmd) &&
	    !blk_rq_is_passthrough(scsi_cmd_to_rq(scmd)))
		return false;
	if (request->SrbStatus == DISK_SRB_SUCCESS || request->SrbStatus == DISK_SRB_OVERRUN)
		return true;
	return scsi_command_normalize_sense(scmd, &sense) &&
	       sense.sense_key == RECOVERED_ERROR;
}

static int disk_error_result(struct disk_command *cmd, struct scsi_cmnd *scmd)
{
	const DISK_REQUEST *request = &cmd->request;

	if (request->ScsiStatus == SAM_STAT_CHECK_CONDITION && request->SenseLength)
		memcpy(scmd->sense_buffer, request->Sense, request->SenseLength);
	else if (request->ScsiStatus == SAM_STAT_GOOD ||
		 request->ScsiStatus == SAM_STAT_CHECK_CONDITION)
		return DID_ERROR << 16;
	if (disk_has_moved(request, scmd))
		scsi_set_resid(scmd, scsi_bufflen(scmd) - request->Moved);
	return request->ScsiStatus;
}

/*
 * The channel was closed before the answer. Whether it was done or not, a read or write of the
 * block layer's can be done again: it waits for the controller to come back. Whether another
 * command can, only its sender knows, and whether the SCSI layer is to try again.
 */
static int disk_closed_result(struct scsi_cmnd *scmd)
{
	if (blk_rq_is_passthrough(scsi_cmd_to_rq(scmd)))
		return DID_TRANSPORT_DISRUPTED << 16;
	return DID_REQUEUE << 16;
}

/* The scan that follows removes it. One asks also for units that never were: not for those. */
static void disk_unit_lost(struct scsi_device *sdev)
{
	if (sdev->sdev_state != SDEV_CREATED && disk_unit_end(sdev))
		DiskHostRescan(shost_priv(sdev->host));
}

/* What the SCSI layer is told. */
static int disk_result(struct disk_command *cmd, struct scsi_cmnd *scmd)
{
	const DISK_REQUEST *request = &cmd->request;

	/* Nothing was moved, until it turns out that it was. */
	scsi_set_resid(scmd, scsi_bufflen(scmd));
	if (request->Status == STATUS_DEVICE_REMOVED)
		return disk_closed_result(scmd);
	if (request->Status != STATUS_SUCCESS)
		return DID_ERROR << 16;

	switch (request->SrbStatus) {
	case DISK_SRB_SUCCESS:
	case DISK_SRB_OVERRUN:
		return request->ScsiStatus == SAM_STAT_GOOD ? disk_good_result(cmd, scmd) :
							      disk_error_result(cmd, scmd);
	case DISK_SRB_ABORTED:
	case DISK_SRB_BUS_RESET:
		return DID_RESET << 16;
	case DISK_SRB_BUSY:
		return DID_BUS_BUSY << 16;
	case DISK_SRB_NO_DEVICE:
	case DISK_SRB_INVALID_UNIT:
		disk_unit_lost(scmd->device);
		return DID_NO_CONNECT << 16;
	case DISK_SRB_INVALID_PATH:
	case DISK_SRB_SELECTION_TIMEOUT:
	case DISK_SRB_INVALID_TARGET:
		return DID_NO_CONNECT << 16;
	default:
		return disk_error_result(cmd, scmd);
	}
}

static VOID disk_command_done(PDISK_REQUEST request)
{
	struct disk_command *cmd = container_of(request, struct disk_command, request);
	struct scsi_cmnd *scmd = disk_command_scmd(cmd);

	scmd->result = disk_result(cmd, scmd);
	/*
	 * The SCSI layer may use the memory from here on, for another command, so this comes
	 * first. To one that has timed out scsi_done() does nothing, unless error handling
	 * had sent it again meanwhile: see disk_command_settle().
	 */
	rcu_read_lock();
	smp_store_release(&cmd->busy, false); /* pairs with disk_command_is_busy() */
	scsi_done(scmd);
	rcu_read_unlock();
}

/*
 * The way out
 */

/* The list has no gaps between pages (virt_boundary_mask), so one MDL does. */
static bool disk_command_map(struct disk_command *cmd, struct scsi_cmnd *scmd)
{
	PMDL mdl = &cmd->mdl.head;
	struct scatterlist *sg;
	u32 count = 0;
	int i;

	cmd->request.DataLength = scsi_bufflen(scmd);
	cmd->request.Data = NULL;
	if (!scsi_bufflen(scmd))
		return true;

	MmInitializeMdl(mdl, (PVOID)(sg_phys(scsi_sglist(scmd)) % NT_PAGE_SIZE),
			scsi_bufflen(scmd));
	mdl->MdlFlags |= MDL_PAGES_LOCKED;
	scsi_for_each_sg(scmd, sg, scsi_sg_count(scmd), i) {
		phys_addr_t end = sg_phys(sg) + sg->length;
		phys_addr_t at = round_down(sg_phys(sg), NT_PAGE_SIZE);

		for (; at < end; at += NT_PAGE_SIZE) {
			if (WARN_ON_ONCE(count == DISK_PFNS))
				return false;
			cmd->mdl.pfns[count++] = at >> NT_PAGE_SHIFT;
		}
	}
	cmd->request.Data = mdl;
	return true;
}

static bool disk_command_fill(struct disk_command *cmd, struct scsi_cmnd *scmd)
{
	PDISK_REQUEST request = &cmd->request;

	request->Target = scmd->device->id;
	request->Unit = scmd->device->lun;
	request->CdbLength = scmd->cmd_len;
	memcpy(request->Cdb, scmd->cmnd, sizeof(request->Cdb));
	switch (scmd->sc_data_direction) {
	case DMA_TO_DEVICE:
		request->Direction = DISK_DATA_OUT;
		break;
	case DMA_FROM_DEVICE:
		request->Direction = DISK_DATA_IN;
		break;
	default:
		request->Direction = DISK_DATA_NONE;
		break;
	}
	return disk_command_map(cmd, scmd);
}

static NTSTATUS disk_command_start(PDISK_HOST host, struct disk_command *cmd, u32 queue)
{
	NTSTATUS status = STATUS_DEVICE_NOT_READY;
	PDISK disk;

	/* Pairs with the grace periods of DiskHostWait() and DiskHostGone(). */
	rcu_read_lock();
	disk = rcu_dereference(host->disk);
	if (disk)
		status = DiskStartRequest(disk, queue, &cmd->request);
	rcu_read_unlock();
	return status;
}

#if DISK_QC_STATUS
static enum scsi_qc_status
#else
static int
#endif
disk_queuecommand(struct Scsi_Host *shost, struct scsi_cmnd *scmd)
{
	u32 tag = blk_mq_unique_tag(scsi_cmd_to_rq(scmd));
	struct disk_command *cmd = scsi_cmd_priv(scmd);
	NTSTATUS status = STATUS_INVALID_PARAMETER;
	PDISK_HOST host = shost_priv(shost);

	if (disk_unit_has_ended(scmd->device)) {
		scmd->result = DID_NO_CONNECT << 16;
		scsi_done(scmd);
		return 0;
	}
	if (disk_command_fill(cmd, scmd)) {
		WRITE_ONCE(cmd->busy, true);
		status = disk_command_start(host, cmd, blk_mq_unique_tag_to_hwq(tag));
		if (NT_SUCCESS(status))
			return 0;
		WRITE_ONCE(cmd->busy, false);
	}

	if (status == STATUS_DEVICE_NOT_READY && !READ_ONCE(host->dying))
		return SCSI_MLQUEUE_HOST_BUSY;
	scmd->result = (status == STATUS_DEVICE_NOT_READY ? DID_NO_CONNECT : DID_ERROR) << 16;
	scsi_done(scmd);
	return 0;
}

static int disk_init_command(struct Scsi_Host *shost, struct scsi_cmnd *scmd)
{
	struct disk_command *cmd = scsi_cmd_priv(scmd);

	cmd->busy = false;
	DiskInitializeRequest(&cmd->request, disk_command_done);
	return 0;
}

/*
 * Error handling
 *
 * A command that has timed out may still be with the VMBus host, which may write to its
 * memory at any time. So no handler says SUCCESS before the command is over, and the last
 * one closes the channel, which ends them all: a host has no access to the memory of
 * requests on a channel that is closed.
 */

static bool disk_command_is_busy(struct scsi_cmnd *scmd)
{
	struct disk_command *cmd = scsi_cmd_priv(scmd);

	/* Pairs with the release in disk_command_done(). */
	return smp_load_acquire(&cmd->busy);
}

/* Commands that are busy no more have ended, their calls of scsi_done() as well. */
static void disk_command_settle(void)
{
	/* Pairs with the reader in disk_command_done(). */
	synchronize_rcu();
}

/* The protocol cannot abort a single command: it may have ended by itself meanwhile. */
static int disk_abort(struct scsi_cmnd *scmd)
{
	if (disk_command_is_busy(scmd))
		return FAILED;
	disk_command_settle();
	return SUCCESS;
}

struct disk_search {
	struct scsi_device *sdev;
	bool busy;
};

static bool disk_unit_look_at(struct scsi_cmnd *scmd, void *data)
{
	struct disk_search *search = data;

	search->busy |= scmd->device == search->sdev && disk_command_is_busy(scmd);
	return !search->busy;
}

static bool disk_unit_is_busy(struct scsi_device *sdev)
{
	struct disk_search search = { .sdev = sdev };

	scsi_host_busy_iter(sdev->host, disk_unit_look_at, &search);
	return search.busy;
}

static int disk_reset_unit(struct scsi_cmnd *scmd)
{
	unsigned long end = jiffies + msecs_to_jiffies(DISK_RESET_MS);
	struct scsi_device *sdev = scmd->device;
	PDISK_HOST host = shost_priv(sdev->host);
	NTSTATUS status = STATUS_DEVICE_NOT_READY;

	mutex_lock(&host->lock);
	if (host->device)
		status = DiskResetUnit(host->device, sdev->id, sdev->lun);
	mutex_unlock(&host->lock);
	if (!NT_SUCCESS(status))
		return FAILED;

	while (disk_unit_is_busy(sdev)) {
		if (time_after(jiffies, end))
			return FAILED;
		msleep(20);
	}
	disk_command_settle();
	return SUCCESS;
}

/*
 * Where there is no device, or its channel is about to close for good, all commands are over
 * likewise. The layer would take the disks offline if there were no controller to try them
 * with: it may be coming back.
 */
static int disk_reset_host(struct scsi_cmnd *scmd)
{
	PDISK_HOST host = shost_priv(scmd->device->host);

	mutex_lock(&host->lock);
	if (host->device)
		DiskRestart(host->device);
	mutex_unlock(&host->lock);

	if (WARN_ON_ONCE(disk_command_is_busy(scmd)))
		return FAILED;
	disk_command_settle();
	wait_event_timeout(host->wait,
			   rcu_access_pointer(host->disk) || READ_ONCE(host->dying),
			   (disk_reoffer_seconds + DISK_OPEN_SECONDS) * HZ);
	return rcu_access_pointer(host->disk) ? SUCCESS : FAILED;
}

/*
 * The host
 */

static int disk_unit_init(struct scsi_device *sdev)
{
	/* A host may tell of more than the protocol has numbers for. */
	if (sdev->lun >= DISK_UNITS)
		return -ENXIO;
	/* Hyper-V's disks say less of themselves than they know, and fail this command. */
	sdev->sdev_bflags = BLIST_REPORTLUN2 | BLIST_TRY_VPD_PAGES;
	sdev->no_report_opcodes = 1;
	return 0;
}

static struct scsi_host_template disk_template = {
	.module = THIS_MODULE,
	.name = "VMBus storage over KMCL",
	.proc_name = KBUILD_MODNAME,
	.queuecommand = disk_queuecommand,
	.init_cmd_priv = disk_init_command,
	.eh_abort_handler = disk_abort,
	.eh_device_reset_handler = disk_reset_unit,
	.eh_host_reset_handler = disk_reset_host,
	.skip_settle_delay = 1,		/* there is no bus */
#if DISK_SDEV_INIT
	.sdev_init = disk_unit_init,
#else
	.slave_alloc = disk_unit_init,
#endif
	.change_queue_depth = scsi_change_queue_depth,
	.track_queue_depth = 1,
	.this_id = -1,
	.virt_boundary_mask = NT_PAGE_SIZE - 1,
	.no_write_same = 1,
};

/* Of several controllers at a time, too: all have commands of the same size. */
struct Scsi_Host *disk_scsi_alloc(PDISK disk, const DISK_LIMITS *limits)
{
	struct Scsi_Host *shost;

	WRITE_ONCE(disk_template.cmd_size,
		   offsetof(struct disk_command, request) + DiskSizeofRequest(disk));
	shost = scsi_host_alloc(&disk_template, sizeof(struct _DISK_HOST));
	if (!shost)
		return NULL;

	shost->can_queue = disk_queue_depth;
	shost->cmd_per_lun = disk_queue_depth;
	shost->nr_hw_queues = limits->Queues;
	shost->max_sectors = limits->MaximumBytes >> SECTOR_SHIFT;
	shost->sg_tablesize = limits->MaximumBytes / DISK_PAGE_SIZE + 1;
	shost->max_cmd_len = DISK_CDB_MAXIMUM;
	shost->max_channel = 0;
	shost->max_id = 1;
	shost->max_lun = DISK_UNITS;
	return shost;
}
