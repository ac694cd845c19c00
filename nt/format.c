// SPDX-License-Identifier: GPL-2.0
/*
 * Texts by Windows' formats. Linux' differ: a long has 32 bits on Windows, %S and %ws are
 * texts of UTF-16, %Z and %wZ counted strings, %I64 is %ll, and to Linux an unknown letter is
 * a bug of the kernel's, which it warns of with a stack. Here a format that is no good is
 * printed as it stands from there on, as what it would have read is not known.
 *
 * Of Microsoft's tracing there is %!STATUS! and its like. A pointer is hashed, as all that
 * Linux prints. There are no floating point numbers in a kernel.
 */
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include <ntddk.h>

#include "format.h"

/* A width or a precision that a mistake made does not keep the processor for long. */
#define NT_WIDTH_MAX	0xffff

/* How wide an argument is; of texts and characters, of what. */
enum nt_size {
	NT_PLAIN,
	NT_CHAR,	/* hh */
	NT_SHORT,	/* h: narrow */
	NT_LONG,	/* l, w: wide */
	NT_INT64,	/* ll, I64, j, I, z, t */
};

struct nt_conversion {
	bool left, plus, blank, alternative, zero;
	int width;
	int precision;	/* -1: none */
	enum nt_size size;
};

struct nt_format {
	struct nt_text *text;
	const char *function;	/* for %!FUNC! */
	const void *format;
	bool is_wide;		/* of the format */
	size_t at;		/* the next character of it */
	va_list args;
};

static void nt_put(struct nt_text *text, WCHAR character)
{
	if (text->length < text->room) {
		if (text->is_wide)
			text->wide[text->length] = character;
		else
			text->narrow[text->length] = character;
	}
	text->length++;
}

static void nt_fill(struct nt_text *text, char character, int times)
{
	while (times-- > 0)
		nt_put(text, character);
}

static WCHAR nt_unit(const void *string, bool is_wide, size_t at)
{
	return is_wide ? ((const WCHAR *)string)[at] : ((const unsigned char *)string)[at];
}

/* The next character of the format, without taking it. */
static WCHAR nt_peek(const struct nt_format *format)
{
	return nt_unit(format->format, format->is_wide, format->at);
}

static bool nt_take(struct nt_format *format, char character)
{
	if (nt_peek(format) != (unsigned char)character)
		return false;
	format->at++;
	return true;
}

/* What is not ASCII, of UTF-16; the second half of a pair is for @next. True if taken. */
static bool nt_put_wide(struct nt_text *text, WCHAR character, WCHAR next)
{
	u32 code = character;

	if (text->is_wide || character < 0x80) {
		nt_put(text, character);
		return false;
	}
	if (!text->is_utf8) {
		nt_put(text, character < 0x100 ? character : '?');
		return false;
	}
	if ((character & 0xfc00) == 0xd800 && (next & 0xfc00) == 0xdc00)
		code = 0x10000 + ((character & 0x3ff) << 10) + (next & 0x3ff);
	else if ((character & 0xf800) == 0xd800)
		code = 0xfffd;
	if (code < 0x800) {
		nt_put(text, 0xc0 | code >> 6);
	} else {
		if (code < 0x10000) {
			nt_put(text, 0xe0 | code >> 12);
		} else {
			nt_put(text, 0xf0 | code >> 18);
			nt_put(text, 0x80 | (code >> 12 & 0x3f));
		}
		nt_put(text, 0x80 | (code >> 6 & 0x3f));
	}
	nt_put(text, 0x80 | (code & 0x3f));
	return code >= 0x10000;
}

/* A text, of so many characters at most; @counted: of just so many. */
static void nt_put_string(struct nt_format *format, const struct nt_conversion *how,
			  const void *string, bool is_wide, size_t most, bool counted)
{
	size_t i, length = 0;

	if (!string || (unsigned long)string < PAGE_SIZE || IS_ERR(string)) {
		string = string ? "(efault)" : "(null)";
		is_wide = false;
		counted = false;
		most = SIZE_MAX;
	}
	if (counted)
		length = most;
	else
		while (length < most && nt_unit(string, is_wide, length))
			length++;

	if (!how->left)
		nt_fill(format->text, how->zero ? '0' : ' ',
			how->width - (int)min_t(size_t, length, NT_WIDTH_MAX));
	for (i = 0; i < length; i++) {
		WCHAR unit = nt_unit(string, is_wide, i);

		if (!is_wide)
			nt_put(format->text, unit);
		else if (nt_put_wide(format->text, unit,
				     i + 1 < length ? nt_unit(string, true, i + 1) : 0))
			i++;
	}
	if (how->left)
		nt_fill(format->text, ' ', how->width - (int)min_t(size_t, length, NT_WIDTH_MAX));
}

static void nt_put_plain(struct nt_format *format, const struct nt_conversion *how,
			 const char *string)
{
	nt_put_string(format, how, string, false, SIZE_MAX, false);
}

/* ANSI_STRING and UNICODE_STRING have the same layout. */
static void nt_put_counted(struct nt_format *format, const struct nt_conversion *how,
			   const UNICODE_STRING *string, bool is_wide)
{
	if (!string || (unsigned long)string < PAGE_SIZE || IS_ERR(string))
		nt_put_string(format, how, string, is_wide, 0, true);
	else
		nt_put_string(format, how, string->Buffer, is_wide,
			      is_wide ? string->Length / sizeof(WCHAR) : string->Length, true);
}

static void nt_put_number(struct nt_format *format, const struct nt_conversion *how,
			  u64 value, const char *sign, unsigned int base, bool capitals)
{
	const char *digits = capitals ? "0123456789ABCDEF" : "0123456789abcdef";
	char number[24]; /* 64 bits are 22 octal digits */
	int length = 0, zeroes, blanks;

	while (value) {
		number[length++] = digits[value % base];
		value /= base;
	}
	zeroes = (how->precision < 0 ? 1 : how->precision) - length;
	zeroes = max(zeroes, 0);
	blanks = how->width - (int)strlen(sign) - zeroes - length;
	if (how->zero && !how->left && how->precision < 0 && blanks > 0) {
		zeroes += blanks;
		blanks = 0;
	}

	if (!how->left)
		nt_fill(format->text, ' ', blanks);
	while (*sign)
		nt_put(format->text, *sign++);
	nt_fill(format->text, '0', zeroes);
	while (length)
		nt_put(format->text, number[--length]);
	if (how->left)
		nt_fill(format->text, ' ', blanks);
}

static void nt_signed(struct nt_format *format, const struct nt_conversion *how)
{
	const char *sign = how->plus ? "+" : how->blank ? " " : "";
	s64 value;

	if (how->size == NT_INT64)
		value = va_arg(format->args, s64);
	else
		value = va_arg(format->args, int);
	if (how->size == NT_SHORT)
		value = (short)value;
	else if (how->size == NT_CHAR)
		value = (signed char)value;
	nt_put_number(format, how, value < 0 ? -(u64)value : value, value < 0 ? "-" : sign, 10,
		      false);
}

static void nt_unsigned(struct nt_format *format, const struct nt_conversion *how,
			unsigned int base, bool capitals)
{
	const char *prefix = "";
	u64 value;

	if (how->size == NT_INT64)
		value = va_arg(format->args, u64);
	else
		value = va_arg(format->args, unsigned int);
	if (how->size == NT_SHORT)
		value = (unsigned short)value;
	else if (how->size == NT_CHAR)
		value = (unsigned char)value;
	if (how->alternative && value && base != 10)
		prefix = base == 8 ? "0" : capitals ? "0X" : "0x";
	nt_put_number(format, how, value, prefix, base, capitals);
}

/* By Linux' own words for a pointer. */
static void nt_pointer(struct nt_format *format, const struct nt_conversion *how,
		       const char *linux_format)
{
	char printed[40];

	snprintf(printed, sizeof(printed), linux_format, va_arg(format->args, void *));
	nt_put_plain(format, how, printed);
}

static void nt_character(struct nt_format *format, const struct nt_conversion *how, bool is_wide)
{
	int value = va_arg(format->args, int);
	const WCHAR wide = value;
	const char narrow = value;

	nt_put_string(format, how, is_wide ? (const void *)&wide : &narrow, is_wide, 1, true);
}

static void nt_string(struct nt_format *format, const struct nt_conversion *how, bool is_wide)
{
	nt_put_string(format, how, va_arg(format->args, void *), is_wide,
		      how->precision < 0 ? SIZE_MAX : how->precision, false);
}

/* What stands between the exclamation marks of %!NAME!. False: not known. */
static bool nt_named(struct nt_format *format, const struct nt_conversion *how)
{
	struct nt_conversion hex = { .precision = 8, .size = NT_LONG, .alternative = true };
	char name[12];
	size_t length = 0;

	while (length < sizeof(name) - 1 && isalnum(nt_peek(format) & 0x7f))
		name[length++] = nt_unit(format->format, format->is_wide, format->at++);
	name[length] = 0;
	if (!nt_take(format, '!'))
		return false;

	if (!strcasecmp(name, "func"))
		nt_put_plain(format, how, format->function ?: "");
	else if (!strcasecmp(name, "status") || !strcasecmp(name, "hresult"))
		nt_unsigned(format, &hex, 16, false);
	else if (!strcasecmp(name, "winerror"))
		nt_unsigned(format, how, 10, false);
	else if (!strcasecmp(name, "bool") || !strcasecmp(name, "boolean"))
		nt_put_plain(format, how, va_arg(format->args, int) ? "TRUE" : "FALSE");
	else if (!strcasecmp(name, "guid") || !strcasecmp(name, "clsid") ||
		 !strcasecmp(name, "iid"))
		nt_pointer(format, how, "%pUl");
	else
		return strcasecmp(name, "level") == 0 || strcasecmp(name, "flags") == 0;
	return true;
}

static int nt_number_of(struct nt_format *format)
{
	int value = 0;

	if (nt_take(format, '*'))
		return clamp(va_arg(format->args, int), -NT_WIDTH_MAX, NT_WIDTH_MAX);
	while (nt_peek(format) >= '0' && nt_peek(format) <= '9') {
		value = min(value * 10 + (nt_peek(format) - '0'), NT_WIDTH_MAX);
		format->at++;
	}
	return value;
}

static enum nt_size nt_size_of(struct nt_format *format)
{
	if (nt_take(format, 'h'))
		return nt_take(format, 'h') ? NT_CHAR : NT_SHORT;
	if (nt_take(format, 'l'))
		return nt_take(format, 'l') ? NT_INT64 : NT_LONG;
	if (nt_take(format, 'w'))
		return NT_LONG;
	if (nt_take(format, 'j') || nt_take(format, 'z') || nt_take(format, 't'))
		return NT_INT64;
	if (nt_take(format, 'I')) {
		if (nt_take(format, '3'))
			return nt_take(format, '2') ? NT_LONG : NT_INT64;
		if (nt_take(format, '6'))
			nt_take(format, '4');
		return NT_INT64;
	}
	return NT_PLAIN;
}

static void nt_how(struct nt_format *format, struct nt_conversion *how)
{
	for (;;) {
		if (nt_take(format, '-'))
			how->left = true;
		else if (nt_take(format, '+'))
			how->plus = true;
		else if (nt_take(format, ' '))
			how->blank = true;
		else if (nt_take(format, '#'))
			how->alternative = true;
		else if (nt_take(format, '0'))
			how->zero = true;
		else
			break;
	}
	how->width = nt_number_of(format);
	if (how->width < 0) {
		how->left = true;
		how->width = -how->width;
	}
	/* A negative precision is none. */
	how->precision = nt_take(format, '.') ? max(nt_number_of(format), -1) : -1;
	how->size = nt_size_of(format);
}

/* One conversion, behind its percent sign. False: it is no good. */
static bool nt_convert(struct nt_format *format)
{
	struct nt_conversion how = {};
	bool is_wide;
	WCHAR letter;

	nt_how(format, &how);
	letter = nt_peek(format);
	if (!letter)
		return false;
	format->at++;

	/* A small letter is of the format's own kind, a capital one of the other. */
	is_wide = how.size == NT_LONG || (how.size != NT_SHORT &&
		  format->is_wide != (letter == 'S' || letter == 'C'));
	switch (letter) {
	case '%':
		nt_put(format->text, '%');
		return true;
	case 'd':
	case 'i':
		nt_signed(format, &how);
		return true;
	case 'u':
		nt_unsigned(format, &how, 10, false);
		return true;
	case 'x':
	case 'X':
		nt_unsigned(format, &how, 16, letter == 'X');
		return true;
	case 'o':
		nt_unsigned(format, &how, 8, false);
		return true;
	case 'p':
		nt_pointer(format, &how, "%p");
		return true;
	case 'c':
	case 'C':
		nt_character(format, &how, is_wide);
		return true;
	case 's':
	case 'S':
		nt_string(format, &how, is_wide);
		return true;
	case 'Z':
		nt_put_counted(format, &how, va_arg(format->args, void *), how.size == NT_LONG);
		return true;
	case 'n': /* is not written to */
		va_arg(format->args, void *);
		return true;
	case '!':
		return nt_named(format, &how);
	}
	return false;
}

static void nt_format_all(struct nt_format *format)
{
	size_t begin;
	WCHAR unit;

	while ((unit = nt_peek(format))) {
		begin = format->at++;
		if (unit != '%') {
			nt_put(format->text, unit);
		} else if (!nt_convert(format)) {
			/* From the percent sign on, as it stands. */
			format->at = begin;
			while ((unit = nt_peek(format))) {
				nt_put(format->text, unit);
				format->at++;
			}
		}
	}
}

/*
 * nt_format() - put a text together
 * @function: for %!FUNC!; may be NULL
 * @format: Windows' format
 *
 * Context: any.
 */
void nt_format(struct nt_text *text, const char *function, const char *format, va_list args)
{
	struct nt_format all = { .text = text, .function = function, .format = format };

	va_copy(all.args, args);
	nt_format_all(&all);
	va_end(all.args);
}

/* The same by a format of UTF-16, whose %s is so, too. */
void nt_format_wide(struct nt_text *text, const WCHAR *format, va_list args)
{
	struct nt_format all = { .text = text, .format = format, .is_wide = true };

	va_copy(all.args, args);
	nt_format_all(&all);
	va_end(all.args);
}
