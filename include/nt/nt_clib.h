/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What of C's library Windows' kernel has and Linux' has not, or under another name. Part
 * of <wdm.h>; the functions are in nt/clib.c.
 *
 * Cases are ASCII's only, also of the wide characters.
 */
#ifndef _NT_CLIB_H
#define _NT_CLIB_H

#include <linux/bsearch.h>
#include <linux/ctype.h>
#include <linux/sort.h>
#include <linux/stdarg.h>
#include <linux/string.h>

#include <ntdef.h>

typedef int errno_t;

#define _countof(array)		RTL_NUMBER_OF(array)

size_t wcslen(const wchar_t *string);
size_t wcsnlen(const wchar_t *string, size_t count);
wchar_t *wcscpy(wchar_t *target, const wchar_t *source);
wchar_t *wcsncpy(wchar_t *target, const wchar_t *source, size_t count);
wchar_t *wcscat(wchar_t *target, const wchar_t *source);
wchar_t *wcsncat(wchar_t *target, const wchar_t *source, size_t count);
int wcscmp(const wchar_t *a, const wchar_t *b);
int wcsncmp(const wchar_t *a, const wchar_t *b, size_t count);
int _wcsicmp(const wchar_t *a, const wchar_t *b);
int _wcsnicmp(const wchar_t *a, const wchar_t *b, size_t count);
wchar_t *wcschr(const wchar_t *string, wchar_t character);
wchar_t *wcsrchr(const wchar_t *string, wchar_t character);
wchar_t *wcsstr(const wchar_t *string, const wchar_t *what);

#define _stricmp(a, b)		strcasecmp(a, b)
#define _strnicmp(a, b, count)	strncasecmp(a, b, count)

static inline unsigned int towlower(unsigned int character)
{
	return character >= 'A' && character <= 'Z' ? character - 'A' + 'a' : character;
}

static inline unsigned int towupper(unsigned int character)
{
	return character >= 'a' && character <= 'z' ? character - 'a' + 'A' : character;
}

#define iswdigit(character)	((character) < 0x80 && isdigit(character))
#define iswxdigit(character)	((character) < 0x80 && isxdigit(character))
#define iswalpha(character)	((character) < 0x80 && isalpha(character))
#define iswalnum(character)	((character) < 0x80 && isalnum(character))
#define iswspace(character)	((character) < 0x80 && isspace(character))

#define qsort(base, count, size, compare)	sort(base, count, size, compare, NULL)

/* Numbers: a long has 32 bits. What is too large is the largest there is. */
LONG nt_parse_long(const void *string, void *end, int base, BOOLEAN wide);
ULONG nt_parse_ulong(const void *string, void *end, int base, BOOLEAN wide);
LONG64 nt_parse_int64(const void *string, void *end, int base, BOOLEAN wide);
ULONG64 nt_parse_uint64(const void *string, void *end, int base, BOOLEAN wide);

static inline LONG strtol(const char *string, char **end, int base)
{
	return nt_parse_long(string, end, base, FALSE);
}

/* strtoul() in a driver's source: ACPI has a macro of that name. */
static inline ULONG nt_strtoul(const char *string, char **end, int base)
{
	return nt_parse_ulong(string, end, base, FALSE);
}

static inline LONG64 _strtoi64(const char *string, char **end, int base)
{
	return nt_parse_int64(string, end, base, FALSE);
}

static inline ULONG64 _strtoui64(const char *string, char **end, int base)
{
	return nt_parse_uint64(string, end, base, FALSE);
}

static inline LONG wcstol(const wchar_t *string, wchar_t **end, int base)
{
	return nt_parse_long(string, end, base, TRUE);
}

static inline ULONG wcstoul(const wchar_t *string, wchar_t **end, int base)
{
	return nt_parse_ulong(string, end, base, TRUE);
}

#define atoi(string)		((int)nt_parse_long(string, NULL, 10, FALSE))
#define atol(string)		nt_parse_long(string, NULL, 10, FALSE)
#define _atoi64(string)		nt_parse_int64(string, NULL, 10, FALSE)
#define _wtoi(string)		((int)nt_parse_long(string, NULL, 10, TRUE))
#define _wtol(string)		nt_parse_long(string, NULL, 10, TRUE)

/* By Windows' formats. Without room for the zero at the end there is none, and -1 is told. */
int _snprintf(char *target, size_t room, const char *format, ...);
int _vsnprintf(char *target, size_t room, const char *format, va_list args);
int _snwprintf(wchar_t *target, size_t room, const wchar_t *format, ...);
int _vsnwprintf(wchar_t *target, size_t room, const wchar_t *format, va_list args);

/* 0, EINVAL or ERANGE; the target is an empty text then. */
errno_t strcpy_s(char *target, size_t room, const char *source);
errno_t strcat_s(char *target, size_t room, const char *source);
errno_t wcscpy_s(wchar_t *target, size_t room, const wchar_t *source);
errno_t wcscat_s(wchar_t *target, size_t room, const wchar_t *source);
errno_t memcpy_s(void *target, size_t room, const void *source, size_t count);
#define memmove_s(target, room, source, count)	memcpy_s(target, room, source, count)

#endif /* _NT_CLIB_H */
