// SPDX-License-Identifier: GPL-2.0
/*
 * Turns: where a device's synchronization scope is that of the device, the callbacks of
 * its timers, DPCs and work items that ask for it (AutomaticSerialization) run one at a
 * time, and not while a thread has the device's lock.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>

#include "framework.h"

void wdf_serial_init(struct wdf_serial *serial, bool passive)
{
	serial->is_mutex = passive;
	spin_lock_init(&serial->lock);
	mutex_init(&serial->mutex);
}

/* Nothing where @serial is NULL, as in wdf_serial_leave(). */
void wdf_serial_enter(struct wdf_serial *serial)
{
	if (!serial)
		return;
	if (serial->is_mutex) {
		mutex_lock(&serial->mutex);
		return;
	}
	spin_lock_bh(&serial->lock);
	/* For sparse: wdf_serial_leave() releases it. */
	__release(&serial->lock);
}

void wdf_serial_leave(struct wdf_serial *serial)
{
	if (!serial)
		return;
	if (serial->is_mutex) {
		mutex_unlock(&serial->mutex);
		return;
	}
	__acquire(&serial->lock);
	spin_unlock_bh(&serial->lock);
}

/* For an object whose callback is called at PASSIVE_LEVEL, or not; NULL: no turns. */
static NTSTATUS wdf_serial_find(void *body, BOOLEAN wanted, bool passive,
				struct wdf_serial **serial)
{
	struct wdf_device *device = wdf_object_of(body)->device;

	*serial = NULL;
	if (!device)
		return STATUS_INVALID_DEVICE_REQUEST;
	if (!wanted || !wdf_object_of(device)->scope_device)
		return STATUS_SUCCESS;
	if (device->serial.is_mutex != passive)
		return STATUS_WDF_INCOMPATIBLE_EXECUTION_LEVEL;
	*serial = &device->serial;
	return STATUS_SUCCESS;
}

/* As wdf_object_add(), for an object that may take turns; it is gone if it cannot. */
NTSTATUS wdf_serial_add(void *body, BOOLEAN wanted, bool passive, struct wdf_serial **serial)
{
	NTSTATUS status = wdf_serial_find(body, wanted, passive, serial);

	if (NT_SUCCESS(status))
		return wdf_object_add(body);
	wdf_object_discard(body);
	return status;
}

static struct wdf_serial *wdf_serial_of(WDFOBJECT handle, unsigned long caller)
{
	struct wdf_device *device = wdf_body_from_handle(handle, &wdf_device_kind, caller);

	return device ? &device->serial : NULL;
}

/**
 * WdfObjectAcquireLock() - keep the callbacks out that take turns
 * @Object: a device
 *
 * Context: PASSIVE_LEVEL for a device of that execution level, else up to
 * DISPATCH_LEVEL, which it raises to.
 */
VOID WdfObjectAcquireLock(WDFOBJECT Object)
{
	wdf_serial_enter(wdf_serial_of(Object, _RET_IP_));
}
EXPORT_SYMBOL_GPL(WdfObjectAcquireLock);

/**
 * WdfObjectReleaseLock() - the opposite
 * @Object: a device whose lock the caller has
 */
VOID WdfObjectReleaseLock(WDFOBJECT Object)
{
	wdf_serial_leave(wdf_serial_of(Object, _RET_IP_));
}
EXPORT_SYMBOL_GPL(WdfObjectReleaseLock);
