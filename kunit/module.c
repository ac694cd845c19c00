// SPDX-License-Identifier: GPL-2.0
/* What makes a module of the suites that are linked with this; see files.h, too. */
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/module.h>
#include <linux/path.h>

#include "files.h"

static struct path loaders_root;

struct file *file_of_loader(const char *path, int flags)
{
	/* Before 6.8 cases run ahead of that initialization, and their threads see files. */
	if (!loaders_root.mnt)
		return filp_open(path, flags, 0);
	return file_open_root(&loaders_root, path, flags, 0);
}

/* Since 6.8 the suites run behind it. */
static int __init kunit_files_init(void)
{
	get_fs_root(current->fs, &loaders_root);
	return 0;
}
module_init(kunit_files_init);

static void __exit kunit_files_exit(void)
{
	path_put(&loaders_root);
}
module_exit(kunit_files_exit);

MODULE_DESCRIPTION("VMBus Kernel Mode Client Library: tests");
MODULE_LICENSE("GPL");
