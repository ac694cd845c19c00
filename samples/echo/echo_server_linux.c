// SPDX-License-Identifier: GPL-2.0
/* What makes the server a Linux module. */
#define pr_fmt(fmt) "echo: " fmt

#include <linux/module.h>
#include <linux/workqueue.h>

#include "echo_server.h"

static void echo_move_work(struct work_struct *work)
{
	NTSTATUS status = EchoServerMove();

	if (!NT_SUCCESS(status))
		pr_err("the channel cannot be moved: status %#x\n", status);
}

static DECLARE_WORK(echo_move, echo_move_work);

VOID EchoServerMoveLater(VOID)
{
	schedule_work(&echo_move);
}

static int __init echo_server_init(void)
{
	return NT_SUCCESS(EchoServerStart()) ? 0 : -ENODEV;
}
module_init(echo_server_init);

static void __exit echo_server_exit(void)
{
	flush_work(&echo_move);
	EchoServerStop();
	/* The last packet may have asked for one more move. */
	flush_work(&echo_move);
}
module_exit(echo_server_exit);

MODULE_DESCRIPTION("VMBus Kernel Mode Client Library: echo server");
MODULE_LICENSE("GPL");
MODULE_SOFTDEP("pre: vmbkmcl");
