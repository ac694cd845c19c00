/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VMBKMCL_KUNIT_NT_WORDS_H
#define VMBKMCL_KUNIT_NT_WORDS_H

#include <ntddk.h>

/* The line where something was not as on Windows, else 0. */
ULONG NtWords(VOID);

/* The same of the other files. */
ULONG NtWordsObjects(void);
ULONG NtWordsText(void);

/* The first such line of a file is its NtWordsLine. */
#define CHECK(condition)	\
	((void)((condition) || NtWordsLine || (NtWordsLine = __LINE__)))

#endif
