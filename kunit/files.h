/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files as the program sees them that loads the module. Since 7.0 the threads that run the
 * cases have a root of their own, with no files in it.
 */
#ifndef VMBKMCL_KUNIT_FILES_H
#define VMBKMCL_KUNIT_FILES_H

struct file *file_of_loader(const char *path, int flags);

#endif
