/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Safe strings: the target ends in a zero whatever happens, and the status tells of what
 * was cut off. The functions behind those here are in nt/strsafe.c.
 *
 * Each exists for bytes (A) and UTF-16 (W), with the target's room in characters (Cch) and in
 * bytes (Cb). Their statuses:
 *
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER: no room at all, or for more than NTSTRSAFE_MAX_CCH characters
 *  - STATUS_BUFFER_OVERFLOW: what there was no room for has been cut off
 *
 * Of the flags of the Ex functions there are STRSAFE_IGNORE_NULLS, STRSAFE_NULL_ON_FAILURE
 * and STRSAFE_NO_TRUNCATION; others are STATUS_INVALID_PARAMETER.
 */
#ifndef _NT_NTSTRSAFE_H
#define _NT_NTSTRSAFE_H

#include <wdm.h>

#define STRSAFE_MAX_CCH		2147483647
#define NTSTRSAFE_MAX_CCH	2147483647
#define NTSTRSAFE_UNICODE_STRING_MAX_CCH	(0xffff / sizeof(WCHAR))

#define STRSAFE_IGNORE_NULLS		0x00000100
#define STRSAFE_FILL_BEHIND_NULL	0x00000200
#define STRSAFE_FILL_ON_FAILURE		0x00000400
#define STRSAFE_NULL_ON_FAILURE		0x00000800
#define STRSAFE_NO_TRUNCATION		0x00001000

typedef char *NTSTRSAFE_PSTR;
typedef const char *NTSTRSAFE_PCSTR;
typedef WCHAR *NTSTRSAFE_PWSTR;
typedef const WCHAR *NTSTRSAFE_PCWSTR;

/* What an Ex function tells: where the text ends, and the room from there on. */
struct nt_strsafe {
	ULONG flags;
	PVOID end;		/* NULL where nothing is told, as for a wrong parameter */
	size_t remaining;
};

NTSTATUS nt_strsafe_copy(void *target, size_t room, const void *source, size_t most, bool wide,
			 bool behind, struct nt_strsafe *ex);
NTSTATUS nt_strsafe_length(const void *string, size_t most, bool wide, size_t *length);
NTSTATUS nt_strsafe_printA(char *target, size_t room, const char *format, va_list args,
			   struct nt_strsafe *ex);
NTSTATUS nt_strsafe_printW(WCHAR *target, size_t room, const WCHAR *format, va_list args,
			   struct nt_strsafe *ex);

#define __NT_STRSAFE_TELL(ex, where, left, size)	\
	do {						\
		if ((where) && (ex).end)		\
			*(where) = (ex).end;		\
		if ((left) && (ex).end)			\
			*(left) = (ex).remaining * (size);	\
	} while (0)

#define __NT_STRSAFE(kind, type_t, unit, size)							\
static inline NTSTATUS RtlString##unit##CopyN##kind(type_t *target, size_t room,		\
						    const type_t *source, size_t most)		\
{												\
	return nt_strsafe_copy(target, room / (size), source, most / (size), sizeof(type_t) > 1,\
			       false, NULL);							\
}												\
static inline NTSTATUS RtlString##unit##Copy##kind(type_t *target, size_t room,			\
						   const type_t *source)			\
{												\
	return RtlString##unit##CopyN##kind(target, room, source, SIZE_MAX);			\
}												\
static inline NTSTATUS RtlString##unit##CatN##kind(type_t *target, size_t room,			\
						   const type_t *source, size_t most)		\
{												\
	return nt_strsafe_copy(target, room / (size), source, most / (size), sizeof(type_t) > 1,\
			       true, NULL);							\
}												\
static inline NTSTATUS RtlString##unit##Cat##kind(type_t *target, size_t room,			\
						  const type_t *source)				\
{												\
	return RtlString##unit##CatN##kind(target, room, source, SIZE_MAX);			\
}												\
static inline NTSTATUS RtlString##unit##CopyEx##kind(type_t *target, size_t room,		\
						     const type_t *source, type_t **end,	\
						     size_t *remaining, ULONG flags)		\
{												\
	struct nt_strsafe ex = { .flags = flags };						\
	NTSTATUS status = nt_strsafe_copy(target, room / (size), source, SIZE_MAX,		\
					  sizeof(type_t) > 1, false, &ex);			\
												\
	__NT_STRSAFE_TELL(ex, end, remaining, size);						\
	return status;										\
}												\
static inline NTSTATUS RtlString##unit##CatEx##kind(type_t *target, size_t room,		\
						    const type_t *source, type_t **end,		\
						    size_t *remaining, ULONG flags)		\
{												\
	struct nt_strsafe ex = { .flags = flags };						\
	NTSTATUS status = nt_strsafe_copy(target, room / (size), source, SIZE_MAX,		\
					  sizeof(type_t) > 1, true, &ex);			\
												\
	__NT_STRSAFE_TELL(ex, end, remaining, size);						\
	return status;										\
}												\
static inline NTSTATUS RtlString##unit##Length##kind(const type_t *string, size_t most,		\
						     size_t *length)				\
{												\
	NTSTATUS status = nt_strsafe_length(string, most / (size), sizeof(type_t) > 1, length);	\
												\
	if (length)										\
		*length *= (size);								\
	return status;										\
}												\
static inline NTSTATUS RtlString##unit##VPrintf##kind(type_t *target, size_t room,		\
						      const type_t *format, va_list args)	\
{												\
	return nt_strsafe_print##kind(target, room / (size), format, args, NULL);		\
}												\
static inline NTSTATUS RtlString##unit##Printf##kind(type_t *target, size_t room,		\
						     const type_t *format, ...)			\
{												\
	NTSTATUS status;									\
	va_list args;										\
												\
	va_start(args, format);									\
	status = nt_strsafe_print##kind(target, room / (size), format, args, NULL);		\
	va_end(args);										\
	return status;										\
}												\
static inline NTSTATUS RtlString##unit##VPrintfEx##kind(type_t *target, size_t room,		\
							type_t **end, size_t *remaining,	\
							ULONG flags, const type_t *format,	\
							va_list args)				\
{												\
	struct nt_strsafe ex = { .flags = flags };						\
	NTSTATUS status = nt_strsafe_print##kind(target, room / (size), format, args, &ex);	\
												\
	__NT_STRSAFE_TELL(ex, end, remaining, size);						\
	return status;										\
}												\
static inline NTSTATUS RtlString##unit##PrintfEx##kind(type_t *target, size_t room,		\
						       type_t **end, size_t *remaining,		\
						       ULONG flags, const type_t *format, ...)	\
{												\
	NTSTATUS status;									\
	va_list args;										\
												\
	va_start(args, format);									\
	status = RtlString##unit##VPrintfEx##kind(target, room, end, remaining, flags, format,	\
						  args);					\
	va_end(args);										\
	return status;										\
}

__NT_STRSAFE(A, char, Cch, 1)
__NT_STRSAFE(A, char, Cb, 1)
__NT_STRSAFE(W, WCHAR, Cch, 1)
__NT_STRSAFE(W, WCHAR, Cb, sizeof(WCHAR))

/*
 * The same of counted strings, which need no zero at the end. There is one where there is
 * room for it.
 */
NTSTATUS RtlUnicodeStringValidate(PCUNICODE_STRING SourceString);
NTSTATUS RtlUnicodeStringInit(PUNICODE_STRING DestinationString, NTSTRSAFE_PCWSTR pszSrc);
NTSTATUS RtlUnicodeStringCopy(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString);
NTSTATUS RtlUnicodeStringCopyString(PUNICODE_STRING DestinationString, NTSTRSAFE_PCWSTR pszSrc);
NTSTATUS RtlUnicodeStringCat(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString);
NTSTATUS RtlUnicodeStringCatString(PUNICODE_STRING DestinationString, NTSTRSAFE_PCWSTR pszSrc);
NTSTATUS RtlUnicodeStringVPrintf(PUNICODE_STRING DestinationString, NTSTRSAFE_PCWSTR pszFormat,
				 va_list argList);
NTSTATUS RtlUnicodeStringPrintf(PUNICODE_STRING DestinationString, NTSTRSAFE_PCWSTR pszFormat,
				...);

#endif /* _NT_NTSTRSAFE_H */
