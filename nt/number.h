/* SPDX-License-Identifier: GPL-2.0 */
/* A number that a text begins with. */
#ifndef VMBKMCL_NT_NUMBER_H
#define VMBKMCL_NT_NUMBER_H

#include <ntddk.h>

struct nt_number {
	u64 value;	/* without the sign */
	bool negative;
	bool too_large;	/* for 64 bits */
	size_t end;	/* how many characters it has; 0: there is no number */
};

struct nt_number nt_number(const void *string, bool wide, size_t length, unsigned int base);

#endif
