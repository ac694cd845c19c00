/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Imports the namespace of KMCL's functions into a module: vmbkmcl.mk has the compiler
 * include this before one of its files. It is what MODULE_IMPORT_NS() makes, but neither
 * depends on how that is spelt (a word up to Linux 6.12, a string since) nor includes
 * Linux' headers, which a driver's own source does not have.
 */
#ifndef _VMBKMCL_IMPORT_H
#define _VMBKMCL_IMPORT_H

static const char vmbkmcl_import_ns[] __used __section(".modinfo") __aligned(1) =
	"import_ns=VMBKMCL";

#endif
