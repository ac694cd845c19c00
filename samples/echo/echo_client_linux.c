// SPDX-License-Identifier: GPL-2.0
/* What makes the client a Linux module: it runs once, while it is loaded. */
#define pr_fmt(fmt) "echo: " fmt

#include <linux/module.h>

#include "echo_client.h"

static int __init echo_client_init(void)
{
	ULONG failures = EchoClientRun();

	return failures ? -EIO : 0;
}
module_init(echo_client_init);

static void __exit echo_client_exit(void)
{
}
module_exit(echo_client_exit);

MODULE_DESCRIPTION("VMBus Kernel Mode Client Library: echo client");
MODULE_LICENSE("GPL");
MODULE_SOFTDEP("pre: vmbkmcl");
