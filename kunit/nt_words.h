/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VMBKMCL_KUNIT_NT_WORDS_H
#define VMBKMCL_KUNIT_NT_WORDS_H

#include <ntddk.h>

/* The line where something was not as on Windows, else 0. */
ULONG NtWords(VOID);

/* On Linux: what words that mean something else there are for a driver's source. */
extern const CHAR *const NtWordsOther[];
extern const ULONG NtWordsOtherCount;

#endif
