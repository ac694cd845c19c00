// SPDX-License-Identifier: GPL-2.0
/* Windows' driver framework, as a module of its own: docs/kmdf.md. */
#include <linux/module.h>

#include "framework.h"

static int __init wdf_init(void)
{
	int err;

	err = wdf_objects_init();
	if (err)
		return err;
	err = wdf_pnp_init();
	if (err)
		wdf_objects_exit();
	return err;
}
module_init(wdf_init);

static void __exit wdf_exit(void)
{
	wdf_pnp_exit();
	wdf_objects_exit();
}
module_exit(wdf_exit);

MODULE_DESCRIPTION("VMBus Kernel Mode Client Library: Windows' driver framework (KMDF) for clients");
MODULE_LICENSE("GPL");
MODULE_VERSION(VMBKMCL_VERSION);
