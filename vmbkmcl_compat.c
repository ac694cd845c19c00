// SPDX-License-Identifier: GPL-2.0
/*
 * The tables of functions, how a driver gets them, and the module itself.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/module.h>

#include <initguid.h>
#include <wdf.h>

#include "core/kmcl.h"
#include "nt/nt.h"
#include "transport/loopback.h"

static void kmcl_interface_reference(PVOID context)
{
	__module_get(THIS_MODULE);
}

/*
 * Not the last reference: whoever has a table has called one of the exported functions
 * below to get it, so its module depends on this one and holds it until it is unloaded.
 */
static void kmcl_interface_dereference(PVOID context)
{
	module_put(THIS_MODULE);
}

#define KMCL_INTERFACE(type, version)				\
	.Interface = {						\
		.Size = sizeof(type),				\
		.Version = version,				\
		.InterfaceReference = kmcl_interface_reference,	\
		.InterfaceDereference = kmcl_interface_dereference, \
	},
#define KMCL_ENTRY(slot, name, type)	.name = name,

static const KMCL_CLIENT_INTERFACE_V1 kmcl_client_interface = {
	KMCL_INTERFACE(KMCL_CLIENT_INTERFACE_V1, KMCL_CLIENT_INTERFACE_VERSION_V1)
	KMCL_CLIENT_FUNCTIONS_V1(KMCL_ENTRY)
};

static const KMCL_SERVER_INTERFACE_V1 kmcl_server_interface = {
	KMCL_INTERFACE(KMCL_SERVER_INTERFACE_V1, KMCL_SERVER_INTERFACE_VERSION_V1)
	KMCL_CLIENT_FUNCTIONS_V1(KMCL_ENTRY)
	KMCL_SERVER_ONLY_FUNCTIONS(KMCL_ENTRY)
};

static NTSTATUS kmcl_query_interface(LPCGUID type, PINTERFACE result,
				     USHORT size, USHORT version)
{
	const INTERFACE *table;

	if (!type || !result)
		return STATUS_INVALID_PARAMETER;

	if (IsEqualGUID(type, &KMCL_CLIENT_INTERFACE_TYPE))
		table = &kmcl_client_interface.Interface;
	else if (IsEqualGUID(type, &KMCL_SERVER_INTERFACE_TYPE))
		table = &kmcl_server_interface.Interface;
	else
		return STATUS_NOT_SUPPORTED;

	if (size != table->Size || version != table->Version)
		return STATUS_INVALID_PARAMETER;

	memcpy(result, table, size);
	result->InterfaceReference(result->Context);
	return STATUS_SUCCESS;
}

/**
 * WdfFdoQueryForInterface() - get a table of KMCL's functions
 * @Fdo: the caller's device; not looked at, for there is one VMBus
 * @InterfaceType: &KMCL_CLIENT_INTERFACE_TYPE or &KMCL_SERVER_INTERFACE_TYPE
 * @Interface: where the table goes; not touched on failure
 * @Size: of the table, as the caller knows it
 * @Version: of the table
 * @InterfaceSpecificData: not looked at
 *
 * On success the caller has a reference that keeps this module loaded, and gives
 * it back by the table's InterfaceDereference().
 *
 * Context: PASSIVE_LEVEL on Windows; here up to DISPATCH_LEVEL.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_NOT_SUPPORTED: another type
 *
 *  This project's decision:
 *
 *  - STATUS_INVALID_PARAMETER: another size or version, or NULL
 */
NTSTATUS WdfFdoQueryForInterface(WDFDEVICE Fdo, LPCGUID InterfaceType,
				 PINTERFACE Interface, USHORT Size,
				 USHORT Version, PVOID InterfaceSpecificData)
{
	return kmcl_query_interface(InterfaceType, Interface, Size, Version);
}
EXPORT_SYMBOL_GPL(WdfFdoQueryForInterface);

/**
 * WdfIoTargetQueryForInterface() - get a table of KMCL's functions
 * @IoTarget: not looked at, for there is one VMBus
 * @InterfaceType: see WdfFdoQueryForInterface(), also for what is not said here
 * @Interface: where the table goes
 * @Size: of the table
 * @Version: of the table
 * @InterfaceSpecificData: not looked at
 *
 * Return: as WdfFdoQueryForInterface().
 */
NTSTATUS WdfIoTargetQueryForInterface(WDFIOTARGET IoTarget,
				      LPCGUID InterfaceType,
				      PINTERFACE Interface, USHORT Size,
				      USHORT Version, PVOID InterfaceSpecificData)
{
	return kmcl_query_interface(InterfaceType, Interface, Size, Version);
}
EXPORT_SYMBOL_GPL(WdfIoTargetQueryForInterface);

static int __init kmcl_init(void)
{
	int err;

	err = nt_init();
	if (err)
		return err;
	err = kmcl_workqueues_create();
	if (err)
		goto exit_nt;
	err = kmcl_lb_init();
	if (err)
		goto destroy_workqueues;
	return 0;

destroy_workqueues:
	kmcl_workqueues_destroy();
exit_nt:
	nt_exit();
	return err;
}
module_init(kmcl_init);

static void __exit kmcl_exit(void)
{
	kmcl_lb_exit();
	kmcl_workqueues_destroy();
	nt_exit();
}
module_exit(kmcl_exit);

MODULE_DESCRIPTION("Windows' VMBus Kernel Mode Client Library for Linux guests");
MODULE_LICENSE("GPL");
MODULE_SOFTDEP("post: vmbkmcl_hv");
