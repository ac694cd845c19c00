// SPDX-License-Identifier: GPL-2.0
/*
 * GPADLs of stress: the client makes and deletes them, the server finds in them
 * what the client has written.
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "stress.h"

/* Each begins with the number from which its contents follow. */
static void stress_gpadl_fill(struct stress_lane *lane, void *memory, u32 bytes)
{
	u32 name = ++lane->last_gpadl;

	stress_fill(memory, bytes, name);
}

static u32 stress_gpadl_bytes(u64 draw)
{
	return (draw >> 8) % 4 * 4096 + 4096;
}

void stress_gpadl_create(struct stress_thread *thread, struct stress_lane *lane, u64 draw)
{
	struct stress_gpadl *gpadl = &lane->gpadls[draw % STRESS_GPADLS];
	u32 bytes = stress_gpadl_bytes(draw);
	bool refused;
	NTSTATUS status;
	void *memory;

	mutex_lock(&lane->gpadls_lock);
	memory = gpadl->memory ? NULL : kmalloc(bytes, GFP_KERNEL);
	if (!memory)
		goto unlock;

	stress_gpadl_fill(lane, memory, bytes);
	gpadl->read_only = draw >> 16 & 1;
	stress_fail_begin(thread);
	status = VmbChannelCreateGpadlFromBuffer(lane->client.channel,
						 gpadl->read_only ?
						 VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY : 0,
						 memory, bytes, &gpadl->handle);
	refused = stress_fail_end(thread, status);
	if (status == STATUS_SUCCESS) {
		gpadl->memory = memory;
		gpadl->bytes = bytes;
		atomic64_inc(&lane->run->count.gpadls);
		goto unlock;
	}
	kfree(memory);
	if (refused)
		atomic64_inc(&lane->run->count.refusals);
	else if (lane->calm || (status != (NTSTATUS)STATUS_INVALID_DEVICE_STATE &&
				status != (NTSTATUS)STATUS_DEVICE_REMOVED))
		stress_fault(&lane->client, "creating a GPADL: status %#x", (u32)status);
unlock:
	mutex_unlock(&lane->gpadls_lock);
}

static void stress_gpadl_take_back(struct stress_lane *lane, struct stress_gpadl *gpadl)
{
	if (!gpadl->memory)
		return;
	VmbChannelDeleteGpadl(lane->client.channel, gpadl->handle);
	/* A server that still looks at it is to notice. */
	memset(gpadl->memory, 0xdd, gpadl->bytes);
	kfree(gpadl->memory);
	gpadl->memory = NULL;
}

/* May have to wait until the server has unmapped it. */
void stress_gpadl_delete(struct stress_lane *lane, u64 draw)
{
	mutex_lock(&lane->gpadls_lock);
	stress_gpadl_take_back(lane, &lane->gpadls[draw % STRESS_GPADLS]);
	mutex_unlock(&lane->gpadls_lock);
}

void stress_gpadls_delete_all(struct stress_lane *lane)
{
	u32 i;

	mutex_lock(&lane->gpadls_lock);
	for (i = 0; i < STRESS_GPADLS; i++)
		stress_gpadl_take_back(lane, &lane->gpadls[i]);
	mutex_unlock(&lane->gpadls_lock);
}

/* The server looks at what is mapped, and once more after some time. */
static void stress_gpadl_look(struct stress_lane *lane, PMDL mdl, u64 draw)
{
	const u32 *words = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
	u32 bytes = MmGetMdlByteCount(mdl), name;

	if (!words)
		return;
	name = words[0];
	if (!stress_filled(words, bytes, name))
		stress_fault(&lane->server, "a GPADL is not what the client wrote");
	if (draw >> 18 & 1)
		usleep_range(50, 50 + (draw >> 24) % 1000);
	if (!stress_filled(words, bytes, name))
		stress_fault(&lane->server, "a GPADL has changed while it was mapped");
}

void stress_gpadl_map(struct stress_thread *thread, struct stress_lane *lane, u64 draw)
{
	struct stress_gpadl *gpadl = &lane->gpadls[draw % STRESS_GPADLS];
	bool write = draw >> 17 & 1, there, read_only;
	VMBCHANNEL server = lane->server.channel;
	NTSTATUS status;
	UINT32 handle;
	PMDL mdl;

	/* What the client would tell the server in a packet. */
	mutex_lock(&lane->gpadls_lock);
	there = gpadl->memory;
	handle = gpadl->handle;
	read_only = gpadl->read_only;
	mutex_unlock(&lane->gpadls_lock);
	if (!there)
		return;

	/* The client may delete it before, while, or after it is mapped. */
	mutex_lock(&lane->map_lock);
	stress_fail_begin(thread);
	status = VmbChannelMapGpadl(server, write ? 0 : VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY,
				    handle, &mdl);
	if (stress_fail_end(thread, status)) {
		atomic64_inc(&lane->run->count.refusals);
		goto unlock;
	}
	switch ((u32)status) {
	case STATUS_SUCCESS:
		atomic64_inc(&lane->run->count.maps);
		stress_gpadl_look(lane, mdl, draw);
		VmbChannelUnmapGpadl(server, handle);
		break;
	case (u32)STATUS_ACCESS_DENIED:
		/* In a wild lane the handle may be another's by now. */
		if (lane->calm && !(write && read_only))
			stress_fault(&lane->server, "a GPADL that may be written cannot be mapped");
		break;
	case (u32)STATUS_INVALID_PARAMETER_3:
		break;
	case (u32)STATUS_INVALID_DEVICE_STATE:
	case (u32)STATUS_DEVICE_REMOVED:
		if (!lane->calm)
			break;
		fallthrough;
	default:
		stress_fault(&lane->server, "mapping a GPADL: status %#x", (u32)status);
	}
unlock:
	mutex_unlock(&lane->map_lock);
}
