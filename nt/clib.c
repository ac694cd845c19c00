// SPDX-License-Identifier: GPL-2.0
/*
 * What of C's library Windows' kernel has. The numbers' long has 32 bits.
 */
#include <linux/ctype.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/overflow.h>

#include <ntddk.h>

#include "format.h"
#include "number.h"

size_t wcslen(const wchar_t *string)
{
	return wcsnlen(string, SIZE_MAX);
}
EXPORT_SYMBOL_GPL(wcslen);

size_t wcsnlen(const wchar_t *string, size_t count)
{
	size_t length = 0;

	while (length < count && string[length])
		length++;
	return length;
}
EXPORT_SYMBOL_GPL(wcsnlen);

wchar_t *wcscpy(wchar_t *target, const wchar_t *source)
{
	memmove(target, source, (wcslen(source) + 1) * sizeof(wchar_t));
	return target;
}
EXPORT_SYMBOL_GPL(wcscpy);

wchar_t *wcsncpy(wchar_t *target, const wchar_t *source, size_t count)
{
	size_t length = wcsnlen(source, count);

	memmove(target, source, length * sizeof(wchar_t));
	memset(target + length, 0, (count - length) * sizeof(wchar_t));
	return target;
}
EXPORT_SYMBOL_GPL(wcsncpy);

wchar_t *wcscat(wchar_t *target, const wchar_t *source)
{
	wcscpy(target + wcslen(target), source);
	return target;
}
EXPORT_SYMBOL_GPL(wcscat);

wchar_t *wcsncat(wchar_t *target, const wchar_t *source, size_t count)
{
	size_t length = wcsnlen(source, count);
	wchar_t *end = target + wcslen(target);

	memmove(end, source, length * sizeof(wchar_t));
	end[length] = 0;
	return target;
}
EXPORT_SYMBOL_GPL(wcsncat);

static int nt_compare(const wchar_t *a, const wchar_t *b, size_t count, bool same_case)
{
	size_t i;

	for (i = 0; i < count; i++) {
		wchar_t x = same_case ? a[i] : towlower(a[i]);
		wchar_t y = same_case ? b[i] : towlower(b[i]);

		if (x != y)
			return x < y ? -1 : 1;
		if (!x)
			break;
	}
	return 0;
}

int wcscmp(const wchar_t *a, const wchar_t *b)
{
	return nt_compare(a, b, SIZE_MAX, true);
}
EXPORT_SYMBOL_GPL(wcscmp);

int wcsncmp(const wchar_t *a, const wchar_t *b, size_t count)
{
	return nt_compare(a, b, count, true);
}
EXPORT_SYMBOL_GPL(wcsncmp);

int _wcsicmp(const wchar_t *a, const wchar_t *b)
{
	return nt_compare(a, b, SIZE_MAX, false);
}
EXPORT_SYMBOL_GPL(_wcsicmp);

int _wcsnicmp(const wchar_t *a, const wchar_t *b, size_t count)
{
	return nt_compare(a, b, count, false);
}
EXPORT_SYMBOL_GPL(_wcsnicmp);

wchar_t *wcschr(const wchar_t *string, wchar_t character)
{
	for (; *string != character; string++)
		if (!*string)
			return NULL;
	return (wchar_t *)string;
}
EXPORT_SYMBOL_GPL(wcschr);

wchar_t *wcsrchr(const wchar_t *string, wchar_t character)
{
	size_t at = wcslen(string) + 1;

	while (at--)
		if (string[at] == character)
			return (wchar_t *)string + at;
	return NULL;
}
EXPORT_SYMBOL_GPL(wcsrchr);

wchar_t *wcsstr(const wchar_t *string, const wchar_t *what)
{
	size_t length = wcslen(what);

	for (; wcsncmp(string, what, length); string++)
		if (!*string)
			return NULL;
	return (wchar_t *)string;
}
EXPORT_SYMBOL_GPL(wcsstr);

static wchar_t nt_character(const void *string, bool wide, size_t length, size_t at)
{
	if (at >= length)
		return 0;
	return wide ? ((const wchar_t *)string)[at] : ((const unsigned char *)string)[at];
}

/* More than any base where it is no digit. */
static unsigned int nt_digit(wchar_t character)
{
	if (character >= 0x80 || !isalnum(character))
		return 99;
	return isdigit(character) ? character - '0' : toupper(character) - 'A' + 10;
}

/*
 * nt_number() - read a number as C does: blanks, a sign, 0x, digits
 * @length: how many characters the text has at most; it may end before, by a zero
 * @base: 2 to 36; 0: by a 0 or 0x that the number begins with
 */
struct nt_number nt_number(const void *string, bool wide, size_t length, unsigned int base)
{
	struct nt_number number = {};
	size_t at = 0;
	wchar_t next;

	while ((next = nt_character(string, wide, length, at)) && next < 0x80 && isspace(next))
		at++;
	if (next == '-' || next == '+') {
		number.negative = next == '-';
		at++;
	}
	if ((!base || base == 16) && nt_character(string, wide, length, at) == '0' &&
	    (nt_character(string, wide, length, at + 1) | 0x20) == 'x' &&
	    nt_digit(nt_character(string, wide, length, at + 2)) < 16) {
		base = 16;
		at += 2;
	}
	if (!base)
		base = nt_character(string, wide, length, at) == '0' ? 8 : 10;

	for (;; at++) {
		unsigned int digit = nt_digit(nt_character(string, wide, length, at));

		if (digit >= base)
			break;
		if (check_mul_overflow(number.value, (u64)base, &number.value) ||
		    check_add_overflow(number.value, (u64)digit, &number.value))
			number.too_large = true;
		number.end = at + 1;
	}
	return number;
}

static u64 nt_parse(const void *string, void *end, int base, bool wide, u64 most, u64 least)
{
	struct nt_number number = nt_number(string, wide, SIZE_MAX, base);

	if (end)
		*(const void **)end = string + number.end * (wide ? sizeof(wchar_t) : 1);
	if (number.too_large || number.value > (number.negative ? least : most))
		return number.negative && least > most ? -least : most;
	return number.negative ? -number.value : number.value;
}

LONG nt_parse_long(const void *string, void *end, int base, BOOLEAN wide)
{
	return nt_parse(string, end, base, wide, S32_MAX, (u64)S32_MAX + 1);
}
EXPORT_SYMBOL_GPL(nt_parse_long);

ULONG nt_parse_ulong(const void *string, void *end, int base, BOOLEAN wide)
{
	return nt_parse(string, end, base, wide, U32_MAX, U32_MAX);
}
EXPORT_SYMBOL_GPL(nt_parse_ulong);

LONG64 nt_parse_int64(const void *string, void *end, int base, BOOLEAN wide)
{
	return nt_parse(string, end, base, wide, S64_MAX, (u64)S64_MAX + 1);
}
EXPORT_SYMBOL_GPL(nt_parse_int64);

ULONG64 nt_parse_uint64(const void *string, void *end, int base, BOOLEAN wide)
{
	return nt_parse(string, end, base, wide, U64_MAX, U64_MAX);
}
EXPORT_SYMBOL_GPL(nt_parse_uint64);

int _vsnprintf(char *target, size_t room, const char *format, va_list args)
{
	struct nt_text text = { .narrow = target, .room = room };

	nt_format(&text, NULL, format, args);
	if (text.length < room)
		target[text.length] = 0;
	return text.length > room ? -1 : (int)text.length;
}
EXPORT_SYMBOL_GPL(_vsnprintf);

int _snprintf(char *target, size_t room, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = _vsnprintf(target, room, format, args);
	va_end(args);
	return length;
}
EXPORT_SYMBOL_GPL(_snprintf);

int _vsnwprintf(wchar_t *target, size_t room, const wchar_t *format, va_list args)
{
	struct nt_text text = { .wide = target, .room = room, .is_wide = true };

	nt_format_wide(&text, format, args);
	if (text.length < room)
		target[text.length] = 0;
	return text.length > room ? -1 : (int)text.length;
}
EXPORT_SYMBOL_GPL(_vsnwprintf);

int _snwprintf(wchar_t *target, size_t room, const wchar_t *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = _vsnwprintf(target, room, format, args);
	va_end(args);
	return length;
}
EXPORT_SYMBOL_GPL(_snwprintf);

/* Puts a text into a room, behind what is there or instead of it. */
static errno_t nt_put_text(void *target, size_t room, const void *source, bool wide, bool behind)
{
	const size_t size = wide ? sizeof(wchar_t) : 1;
	errno_t error = EINVAL;
	size_t used = 0, length;

	if (!target || !source)
		return error;
	if (behind)
		used = wide ? wcsnlen(target, room) : strnlen(target, room);
	length = wide ? wcslen(source) : strlen(source);
	if (used < room && length < room - used) {
		memmove(target + used * size, source, length * size);
		memset(target + (used + length) * size, 0, size);
		return 0;
	}
	if (room)
		memset(target, 0, size);
	error = ERANGE;
	return error;
}

errno_t strcpy_s(char *target, size_t room, const char *source)
{
	return nt_put_text(target, room, source, false, false);
}
EXPORT_SYMBOL_GPL(strcpy_s);

errno_t strcat_s(char *target, size_t room, const char *source)
{
	return nt_put_text(target, room, source, false, true);
}
EXPORT_SYMBOL_GPL(strcat_s);

errno_t wcscpy_s(wchar_t *target, size_t room, const wchar_t *source)
{
	return nt_put_text(target, room, source, true, false);
}
EXPORT_SYMBOL_GPL(wcscpy_s);

errno_t wcscat_s(wchar_t *target, size_t room, const wchar_t *source)
{
	return nt_put_text(target, room, source, true, true);
}
EXPORT_SYMBOL_GPL(wcscat_s);

errno_t memcpy_s(void *target, size_t room, const void *source, size_t count)
{
	errno_t error = EINVAL;

	if (!count)
		return 0;
	if (!target)
		return error;
	if (source && count <= room) {
		memmove(target, source, count);
		return 0;
	}
	memset(target, 0, room);
	if (source)
		error = ERANGE;
	return error;
}
EXPORT_SYMBOL_GPL(memcpy_s);
