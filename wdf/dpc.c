// SPDX-License-Identifier: GPL-2.0
/* Deferred procedure calls, by tasklets. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/interrupt.h>

#include "framework.h"

struct wdf_dpc {
	PFN_WDF_DPC func;
	struct wdf_serial *serial;
	atomic_t queued;
	struct tasklet_struct tasklet;
};

static void wdf_dpc_tasklet(struct tasklet_struct *tasklet)
{
	struct wdf_dpc *dpc = container_of(tasklet, struct wdf_dpc, tasklet);

	/* It may have been cancelled. */
	if (!atomic_xchg(&dpc->queued, 0))
		return;
	wdf_serial_enter(dpc->serial);
	dpc->func((WDFDPC)dpc);
	wdf_serial_leave(dpc->serial);
}

static void wdf_dpc_stop(void *body)
{
	struct wdf_dpc *dpc = body;

	tasklet_kill(&dpc->tasklet);
}

static const struct wdf_kind wdf_dpc_kind = {
	.name = "DPC",
	.size = sizeof(struct wdf_dpc),
	.stop = wdf_dpc_stop,
};

/**
 * WdfDpcCreate() - make a DPC
 * @Config: its function, and whether it takes turns with others of the device
 * @Attributes: with a parent, which is a device or below one
 * @Dpc: the DPC
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: as WdfTimerCreate().
 */
NTSTATUS WdfDpcCreate(PWDF_DPC_CONFIG Config, PWDF_OBJECT_ATTRIBUTES Attributes, WDFDPC *Dpc)
{
	struct wdf_dpc *dpc;
	NTSTATUS status;
	void *body;

	if (Config->Size != sizeof(*Config))
		return STATUS_INFO_LENGTH_MISMATCH;
	if (!Config->EvtDpcFunc)
		return STATUS_INVALID_PARAMETER;
	status = wdf_object_make(&wdf_dpc_kind, NULL, Attributes, &body);
	if (!NT_SUCCESS(status))
		return status;

	dpc = body;
	dpc->func = Config->EvtDpcFunc;
	tasklet_setup(&dpc->tasklet, wdf_dpc_tasklet);
	status = wdf_serial_add(dpc, Config->AutomaticSerialization, false, &dpc->serial);
	if (NT_SUCCESS(status))
		*Dpc = body;
	return status;
}
EXPORT_SYMBOL_GPL(WdfDpcCreate);

/**
 * WdfDpcEnqueue() - have a DPC's function called at DISPATCH_LEVEL
 * @Dpc: the DPC. One that is being deleted is left alone.
 *
 * Context: any.
 *
 * Return: TRUE: it is queued, and was not.
 */
BOOLEAN WdfDpcEnqueue(WDFDPC Dpc)
{
	struct wdf_dpc *dpc = wdf_get(Dpc, &wdf_dpc_kind);

	if (!dpc || wdf_object_is_deleted(dpc) || atomic_xchg(&dpc->queued, 1))
		return FALSE;
	tasklet_schedule(&dpc->tasklet);
	return TRUE;
}
EXPORT_SYMBOL_GPL(WdfDpcEnqueue);

/**
 * WdfDpcCancel() - the opposite
 * @Dpc: the DPC
 * @Wait: return when its function does not run any more either
 *
 * Context: PASSIVE_LEVEL with @Wait, else any.
 *
 * Return: TRUE: it was queued, and is not called.
 */
BOOLEAN WdfDpcCancel(WDFDPC Dpc, BOOLEAN Wait)
{
	struct wdf_dpc *dpc = wdf_get(Dpc, &wdf_dpc_kind);
	bool was;

	if (!dpc)
		return FALSE;
	was = atomic_xchg(&dpc->queued, 0);
	if (!Wait)
		return was;
	if (KeGetCurrentIrql() >= DISPATCH_LEVEL)
		pr_err_ratelimited("%pS waits for a DPC where that cannot be\n",
				   (void *)_RET_IP_);
	else
		tasklet_kill(&dpc->tasklet);
	return was;
}
EXPORT_SYMBOL_GPL(WdfDpcCancel);

/**
 * WdfDpcGetParentObject() - the parent of a DPC
 * @Dpc: the DPC
 *
 * Return: the parent.
 */
WDFOBJECT WdfDpcGetParentObject(WDFDPC Dpc)
{
	struct wdf_dpc *dpc = wdf_get(Dpc, &wdf_dpc_kind);

	return dpc ? wdf_object_parent(dpc) : NULL;
}
EXPORT_SYMBOL_GPL(WdfDpcGetParentObject);
