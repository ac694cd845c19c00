// SPDX-License-Identifier: GPL-2.0
/*
 * The tables of functions, how a driver gets them, and the module itself.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/module.h>

#include <initguid.h>
#include <wdf.h>

#include "core/debugfs.h"
#include "core/kmcl.h"
#include "core/sleep.h"
#include "nt/nt.h"
#include "pipe/pipe.h"
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

#define KMCL_INTERFACE							\
	.Interface = {							\
		.InterfaceReference = kmcl_interface_reference,		\
		.InterfaceDereference = kmcl_interface_dereference,	\
	},
#define KMCL_ENTRY(slot, name, type)	.name = name,

/* Each of a client's earlier tables is the beginning of this one. */
static const KMCL_CLIENT_INTERFACE_V5 kmcl_client_interface = {
	KMCL_INTERFACE
	KMCL_CLIENT_FUNCTIONS_V5(KMCL_ENTRY)
};

static const KMCL_SERVER_INTERFACE_V1 kmcl_server_interface_v1 = {
	KMCL_INTERFACE
	KMCL_CLIENT_FUNCTIONS_V1(KMCL_ENTRY)
	KMCL_SERVER_ONLY_FUNCTIONS(KMCL_ENTRY)
};

static const KMCL_SERVER_INTERFACE_V5 kmcl_server_interface_v5 = {
	KMCL_INTERFACE
	KMCL_CLIENT_FUNCTIONS_V5(KMCL_ENTRY)
	KMCL_SERVER_ONLY_FUNCTIONS_V5(KMCL_ENTRY)
};

struct kmcl_table {
	const INTERFACE *head;
	u16 version;
	u16 size;
};

#define KMCL_TABLE(table, v, s)	\
	{ .head = &(table).Interface, .version = (v), .size = (s) }

/* The newest first. */
static const struct kmcl_table kmcl_client_tables[] = {
	KMCL_TABLE(kmcl_client_interface, 5, sizeof(KMCL_CLIENT_INTERFACE_V5)),
	KMCL_TABLE(kmcl_client_interface, 4, sizeof(KMCL_CLIENT_INTERFACE_V4)),
	KMCL_TABLE(kmcl_client_interface, 3, sizeof(KMCL_CLIENT_INTERFACE_V3)),
	KMCL_TABLE(kmcl_client_interface, 2, sizeof(KMCL_CLIENT_INTERFACE_V2)),
	KMCL_TABLE(kmcl_client_interface, 1, sizeof(KMCL_CLIENT_INTERFACE_V1)),
	{}
};

/* There are no versions 2 to 4. What is a C++ client's lacks the last function. */
static const struct kmcl_table kmcl_server_tables[] = {
	KMCL_TABLE(kmcl_server_interface_v5, 5, sizeof(KMCL_SERVER_INTERFACE_V5)),
	KMCL_TABLE(kmcl_server_interface_v5, 5, sizeof(KMCL_SERVER_INTERFACE_V5) -
						sizeof(PVOID)),
	KMCL_TABLE(kmcl_server_interface_v1, 1, sizeof(KMCL_SERVER_INTERFACE_V1)),
	{}
};

/* The newest table up to a version that so many bytes hold, or NULL. */
static const struct kmcl_table *kmcl_table_find(const struct kmcl_table *tables,
						u16 size, u16 version)
{
	const struct kmcl_table *t;
	bool known = false;

	for (t = tables; t->head; t++) {
		known |= t->version == version;
		if (known && t->version <= version && t->size <= size)
			return t;
	}
	return NULL;
}

static NTSTATUS kmcl_query_interface(LPCGUID type, PINTERFACE result,
				     USHORT size, USHORT version)
{
	const struct kmcl_table *table;

	if (!type || !result)
		return STATUS_INVALID_PARAMETER;

	if (IsEqualGUID(type, &KMCL_CLIENT_INTERFACE_TYPE))
		table = kmcl_table_find(kmcl_client_tables, size, version);
	else if (IsEqualGUID(type, &KMCL_SERVER_INTERFACE_TYPE))
		table = kmcl_table_find(kmcl_server_tables, size, version);
	else
		return STATUS_NOT_SUPPORTED;
	if (!table)
		return STATUS_INVALID_PARAMETER;

	memcpy(result, table->head, table->size);
	result->Size = table->size;
	result->Version = table->version;
	result->InterfaceReference(result->Context);
	return STATUS_SUCCESS;
}

/**
 * WdfFdoQueryForInterface() - get a table of KMCL's functions
 * @Fdo: the caller's device; not looked at, for there is one VMBus
 * @InterfaceType: &KMCL_CLIENT_INTERFACE_TYPE or &KMCL_SERVER_INTERFACE_TYPE
 * @Interface: where the table goes; not touched on failure
 * @Size: bytes in @Interface
 * @Version: of the table: 1 to 5 for a client, 1 or 5 for a server
 * @InterfaceSpecificData: not looked at
 *
 * This project's decision: the table is the newest one up to @Version that @Size bytes
 * hold, and the Size and Version in it tell which that is; what follows it in @Interface
 * is not touched. A server's table of version 5 may be without its last function, as
 * C++ has it.
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
 *  - STATUS_INVALID_PARAMETER: no such version, a size that holds no table, or NULL
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
 * @Size: bytes in @Interface
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
	kmcl_turns_init();
	kmcl_debugfs_init();
	err = kmcl_workqueues_create();
	if (err)
		goto exit_debugfs;
	err = kmcl_sleep_init();
	if (err)
		goto destroy_workqueues;
	err = kmcl_pipe_init();
	if (err)
		goto exit_sleep;
	err = kmcl_lb_init();
	if (err)
		goto exit_pipe;
	return 0;

exit_pipe:
	kmcl_pipe_exit();
exit_sleep:
	kmcl_sleep_exit();
destroy_workqueues:
	kmcl_workqueues_destroy();
exit_debugfs:
	kmcl_debugfs_exit();
	nt_exit();
	return err;
}
module_init(kmcl_init);

static void __exit kmcl_exit(void)
{
	kmcl_lb_exit();
	kmcl_pipe_exit();
	kmcl_sleep_exit();
	kmcl_workqueues_destroy();
	kmcl_debugfs_exit();
	nt_exit();
}
module_exit(kmcl_exit);

MODULE_DESCRIPTION("Windows' VMBus Kernel Mode Client Library for Linux guests");
MODULE_LICENSE("GPL");
MODULE_VERSION(VMBKMCL_VERSION);
MODULE_SOFTDEP("post: vmbkmcl_hv");
