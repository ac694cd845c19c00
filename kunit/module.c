// SPDX-License-Identifier: GPL-2.0
/* What makes a module of the suites that are linked with this. */
#include <linux/module.h>

MODULE_DESCRIPTION("VMBus Kernel Mode Client Library: tests");
MODULE_LICENSE("GPL");
