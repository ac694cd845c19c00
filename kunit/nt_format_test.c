// SPDX-License-Identifier: GPL-2.0
/*
 * Windows' formats: what they print, and that none, however wrong, reads or writes where
 * it must not, or has the kernel warn.
 */
#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/slab.h>

#include <ntddk.h>
#include <nt_trace.h>

#include "kunit_compat.h"
#include "log.h"

/* Arguments are passed as 64 bits each, which is how these processors pass all of them. */
struct format_case {
	const char *format;
	const char *expected;
	u64 args[3];
};

static const UNICODE_STRING wide_string = {
	.Length = 6, .MaximumLength = 6, .Buffer = (PWCH)L"abcdef",
};

static const ANSI_STRING narrow_string = {
	.Length = 2, .MaximumLength = 2, .Buffer = (PCHAR)"abcdef",
};

#define P(pointer)	((u64)(unsigned long)(pointer))

static const struct format_case format_cases[] = {
	{ "", "" },
	{ "plain %%", "plain %" },
	/* A long has 32 bits: the upper ones are not looked at. */
	{ "%ld %lu %lx", "-1 4294967295 ffffffff", { -1ULL, -1ULL, -1ULL } },
	{ "%d %i %u", "-2 3 4", { 0xfffffffeULL, 3, 4 } },
	{ "%I32d %I32u", "-1 4294967295", { 0x1ffffffffULL, 0x1ffffffffULL } },
	{ "%I64d %I64x %I64u", "-1 1ffffffff 8589934591",
	  { -1ULL, 0x1ffffffffULL, 0x1ffffffffULL } },
	{ "%lld %llX %Iu", "-1 1FFFFFFFF 8589934591", { -1ULL, 0x1ffffffffULL, 0x1ffffffffULL } },
	{ "%zu %Ix", "8589934591 1ffffffff", { 0x1ffffffffULL, 0x1ffffffffULL } },
	{ "%hd %hu %hhx", "-1 65535 ff", { 0x1ffff, 0x1ffff, 0x1ff } },
	{ "%08x|%8x|%-8x|", "0000beef|    beef|beef    |", { 0xbeef, 0xbeef, 0xbeef } },
	{ "%#x %#X %#o", "0xbeef 0XBEEF 010", { 0xbeef, 0xbeef, 8 } },
	{ "%+d % d %05d", "+1  1 -0001", { 1, 1, -1ULL } },
	{ "%.3d|%6.3d|%-6.3d|", "007|   007|007   |", { 7, 7, 7 } },
	{ "%.0d|%*d|", "|    7|", { 0, 5, 7 } },
	{ "%*d|", "7    |", { -5ULL, 7 } },
	{ "%.*d", "9", { -1ULL, 9 } },
	{ "%#010x %lu", "0x0000beef 0", { 0xbeef, 0 } },
	{ "%I64d", "-9223372036854775808", { 1ULL << 63 } },
	{ "%s %S %ws", "ab cd ef", { P("ab"), P(L"cd"), P(L"ef") } },
	{ "%hs %ls %hS", "ab cd ef", { P("ab"), P(L"cd"), P("ef") } },
	{ "%4s|%-4s|%.1s|", "  ab|ab  |a|", { P("ab"), P("ab"), P("ab") } },
	{ "%s %ws", "(null) (efault)", { 0, 16 } },
	{ "%wZ %Z %lZ", "abc ab abc", { P(&wide_string), P(&narrow_string), P(&wide_string) } },
	{ "%5wZ|%-5Z|%wZ", "  abc|ab   |(null)", { P(&wide_string), P(&narrow_string), 0 } },
	{ "%c%C%wc", "abc", { 'a', 'b', 'c' } },
	{ "%3c|%-3c|%hc", "  a|b  |c", { 'a', 'b', 'c' } },
	/* Nothing is written by %n. */
	{ "a%nb%d", "ab5", { 0, 5 } },
	{ "%!STATUS! %!HRESULT!", "0xc000009a 0x80070057", { 0xc000009a, 0x80070057 } },
	{ "%!bool! %!BOOLEAN! %!WINERROR!", "TRUE FALSE 5", { 1, 0, 5 } },
	{ "[%!FUNC!%!LEVEL!%!FLAGS!]", "[]" },
	{ "%!GUID!", "00000000-0000-0000-0000-000000000000", { P(&(const GUID) {}) } },
	/* From a conversion that is no good on it is the format. */
	{ "%d %y %d", "1 %y %d", { 1, 2, 3 } },
	{ "%d %f %s", "1 %f %s", { 1 } },
	{ "%", "%" },
	{ "%d %-08.3ll", "1 %-08.3ll", { 1 } },
	{ "%!NONE! %d", "%!NONE! %d", { 1 } },
	{ "%!", "%!" },
	{ "%I3d", "7", { 7 } },
};

static void format_case_desc(const struct format_case *t, char *desc)
{
	strscpy(desc, *t->format ? t->format : "nothing", KUNIT_PARAM_DESC_SIZE);
	/* What begins a remark in the report. */
	strreplace(desc, '#', '_');
}

KUNIT_ARRAY_PARAM(format, format_cases, format_case_desc);

static void a_format_prints_as_on_windows(struct kunit *test)
{
	const struct format_case *t = test->param_value;
	WCHAR wide[128];
	char text[128];
	int i, length;

	length = _snprintf(text, sizeof(text), t->format, t->args[0], t->args[1], t->args[2]);
	KUNIT_EXPECT_STREQ(test, text, t->expected);
	KUNIT_EXPECT_EQ(test, length, (int)strlen(t->expected));

	/* The same of UTF-16, whose %s is of UTF-16, too. */
	if (strpbrk(t->format, "sScC"))
		return;
	for (i = 0; i <= strlen(t->format); i++)
		wide[i] = t->format[i];
	length = _snwprintf(wide + 64, 64, wide, t->args[0], t->args[1], t->args[2]);
	KUNIT_EXPECT_EQ(test, length, (int)strlen(t->expected));
	for (i = 0; i <= strlen(t->expected); i++)
		KUNIT_EXPECT_EQ(test, wide[64 + i], t->expected[i]);
}

static void a_wide_format_takes_wide_texts(struct kunit *test)
{
	WCHAR wide[64];

	KUNIT_EXPECT_EQ(test, _snwprintf(wide, 64, L"%s %S %hs %ws %c%C", L"ab", "cd", "ef", L"gh",
					 'i', 'j'), 14);
	KUNIT_EXPECT_EQ(test, wcscmp(wide, L"ab cd ef gh ij"), 0);
}

static void a_pointer_is_hashed(struct kunit *test)
{
	char text[32], linux_text[32];

	_snprintf(text, sizeof(text), "%p", test);
	snprintf(linux_text, sizeof(linux_text), "%p", test);
	KUNIT_EXPECT_STREQ(test, text, linux_text);
}

static void a_text_is_cut_off_where_its_room_ends(struct kunit *test)
{
	char text[4] = { 1, 2, 3, 4 };

	KUNIT_EXPECT_EQ(test, _snprintf(text, 3, "%d", 1234), -1);
	KUNIT_EXPECT_EQ(test, memcmp(text, "123\4", 4), 0);
	KUNIT_EXPECT_EQ(test, _snprintf(text, 3, "%d", 567), 3);
	KUNIT_EXPECT_EQ(test, memcmp(text, "567\4", 4), 0);
	KUNIT_EXPECT_EQ(test, _snprintf(text, 3, "%d", 89), 2);
	KUNIT_EXPECT_STREQ(test, text, "89");
	KUNIT_EXPECT_EQ(test, _snprintf(NULL, 0, "%d", 1), -1);
}

/* As drivers have them; with nothing behind the format, too. */
#define LOG(format, ...)	DbgPrint(format, __VA_ARGS__)
#define LOG_EX(format, ...)	\
	DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_ERROR_LEVEL, format, __VA_ARGS__)

static void debug_output_is_in_the_log(struct kunit *test)
{
	static const WCHAR text[] = { 0xe9, 0x20ac, 0xd83d, 0xde00, 0 };
	struct kmsg_dump_iter mark = log_mark();
	const LONG number = -5;

	LOG_EX("format: nothing more\n");
	LOG("format: nothing more\n");
	KUNIT_EXPECT_EQ(test, log_lines(&mark, "format: nothing more"), 2);
	DbgPrint("format: %wZ and %ld\n", &wide_string, number);
	KUNIT_EXPECT_EQ(test, log_lines(&mark, "format: abc and -5"), 1);

	/* In UTF-8, pairs as well. What Linux has no room for is no bug of the kernel's. */
	DbgPrint("format: %ws %y %d\n", text);
	KUNIT_EXPECT_EQ(test, log_lines(&mark, "format: \xc3\xa9\xe2\x82\xac"
					       "\xf0\x9f\x98\x80 %y %d"), 1);
	mark = log_mark();
	DbgPrint("format: %wZ %y\n", &wide_string);
	KUNIT_EXPECT_EQ(test, log_lines(&mark, "WARNING"), 0);
}

static void tracing_is_in_the_log(struct kunit *test)
{
	struct kmsg_dump_iter mark = log_mark();
	char text[64];

	snprintf(text, sizeof(text), "%s: 0xc0000225", __func__);
	TraceEvents(TRACE_LEVEL_ERROR, 0, "%!FUNC!: %!STATUS!", STATUS_NOT_FOUND);
	KUNIT_EXPECT_EQ(test, log_lines(&mark, text), 1);
	TraceEvents(TRACE_LEVEL_VERBOSE, 0, "format: nothing more");
	KUNIT_EXPECT_EQ(test, log_lines(&mark, "format: nothing more"), 1);
}

/*
 * Any text is a format. Each argument is memory of its own that KASAN guards, and good for
 * all that a conversion may take it for: a counted string, a text of either kind, a
 * GUID, a number.
 */
#define FUZZ_ARGS	24
#define FUZZ_CONVERSIONS	8	/* of which each takes three at most */
#define FUZZ_ROUNDS	20000

struct fuzz {
	char format[65];
	WCHAR wide_format[65];
	size_t room;
	char *narrow;
	WCHAR *wide;
	bool logs;
	int length, wide_length;
};

static noinline void fuzz_print(struct fuzz *fuzz, ...)
{
	va_list args;

	va_start(args, fuzz);
	fuzz->length = _vsnprintf(fuzz->narrow, fuzz->room, fuzz->format, args);
	va_end(args);
	va_start(args, fuzz);
	fuzz->wide_length = _vsnwprintf(fuzz->wide, fuzz->room, fuzz->wide_format, args);
	va_end(args);
	if (!fuzz->logs)
		return;
	va_start(args, fuzz);
	vDbgPrintEx(DPFLTR_DEFAULT_ID, DPFLTR_TRACE_LEVEL, fuzz->format, args);
	va_end(args);
}

static void fuzz_format(struct rnd_state *random, struct fuzz *fuzz)
{
	static const char letters[] = "%%%%%dixXuocCsSpnZwlhIjzt!.*-+ #0123456789STAUFNCGID\xe9";
	int i, length = prandom_u32_state(random) % 64, conversions = 0;

	for (i = 0; i < length; i++) {
		fuzz->format[i] = letters[prandom_u32_state(random) % (sizeof(letters) - 1)];
		if (fuzz->format[i] == '%' && conversions++ >= FUZZ_CONVERSIONS)
			fuzz->format[i] = '_';
		fuzz->wide_format[i] = (UCHAR)fuzz->format[i];
	}
	fuzz->format[length] = 0;
	fuzz->wide_format[length] = 0;
}

static void no_format_reads_or_writes_where_it_must_not(struct kunit *test)
{
	struct kmsg_dump_iter mark = log_mark();
	struct rnd_state random;
	u64 a[FUZZ_ARGS];
	struct fuzz fuzz;
	int i;

	prandom_seed_state(&random, 1);
	for (i = 0; i < FUZZ_ARGS; i++) {
		UNICODE_STRING *string = kunit_kzalloc(test, sizeof(*string), GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, string);
		string->Buffer = kunit_kzalloc(test, 8, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, string->Buffer);
		memset(string->Buffer, 'x', 8);
		string->Length = i % 9;
		string->MaximumLength = 8;
		a[i] = P(string);
	}
	for (i = 0; i < FUZZ_ROUNDS; i++) {
		fuzz_format(&random, &fuzz);
		fuzz.room = prandom_u32_state(&random) % 40;
		fuzz.narrow = kmalloc(fuzz.room, GFP_KERNEL);
		fuzz.wide = kmalloc_array(fuzz.room, sizeof(WCHAR), GFP_KERNEL);
		fuzz.logs = i % 1000 == 0;
		KUNIT_EXPECT_TRUE(test, fuzz.narrow && fuzz.wide);
		if (fuzz.narrow && fuzz.wide)
			fuzz_print(&fuzz, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8],
				   a[9], a[10], a[11], a[12], a[13], a[14], a[15], a[16], a[17],
				   a[18], a[19], a[20], a[21], a[22], a[23]);
		kfree(fuzz.narrow);
		kfree(fuzz.wide);
		KUNIT_EXPECT_GE(test, fuzz.length, -1);
		KUNIT_EXPECT_LE(test, fuzz.length, (int)fuzz.room);
		KUNIT_EXPECT_GE(test, fuzz.wide_length, -1);
		KUNIT_EXPECT_LE(test, fuzz.wide_length, (int)fuzz.room);
		cond_resched();
	}
	KUNIT_EXPECT_EQ(test, log_lines(&mark, "WARNING"), 0);
}

static struct kunit_case nt_format_cases[] = {
	KUNIT_CASE_PARAM(a_format_prints_as_on_windows, format_gen_params),
	KUNIT_CASE(a_wide_format_takes_wide_texts),
	KUNIT_CASE(a_pointer_is_hashed),
	KUNIT_CASE(a_text_is_cut_off_where_its_room_ends),
	KUNIT_CASE(debug_output_is_in_the_log),
	KUNIT_CASE(tracing_is_in_the_log),
	KUNIT_CASE(no_format_reads_or_writes_where_it_must_not),
	{}
};

static struct kunit_suite nt_format_suite = {
	.name = "kmcl_nt_format",
	.test_cases = nt_format_cases,
};

kunit_test_suite(nt_format_suite);
