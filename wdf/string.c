// SPDX-License-Identifier: GPL-2.0
/* String objects: a copy of a counted string. */
#include <linux/export.h>
#include <linux/string.h>

#include "framework.h"

struct wdf_string {
	UNICODE_STRING text;	/* a zero follows it */
};

static void wdf_string_free(void *body)
{
	struct wdf_string *s = body;

	if (s->text.Buffer)
		ExFreePool(s->text.Buffer);
}

static const struct wdf_kind wdf_string_kind = {
	.name = "string",
	.size = sizeof(struct wdf_string),
	.free = wdf_string_free,
};

/* What WdfStringCreate() calls. NULL is an empty string. */
NTSTATUS linux_wdf_string_create(struct linux_kmdf_driver *driver, PCUNICODE_STRING text,
				 PWDF_OBJECT_ATTRIBUTES attributes, WDFSTRING *string)
{
	USHORT length = text ? text->Length : 0;
	struct wdf_string *s;
	NTSTATUS status;
	void *body;

	/* With its zero it is still a counted string. */
	if (length > U16_MAX - sizeof(WCHAR))
		return STATUS_INVALID_PARAMETER;
	status = wdf_object_make(&wdf_string_kind, driver, attributes, &body);
	if (!NT_SUCCESS(status))
		return status;
	s = body;
	s->text.Buffer = ExAllocatePool2(POOL_FLAG_NON_PAGED, length + sizeof(WCHAR),
					 WDF_POOL_TAG);
	if (!s->text.Buffer) {
		wdf_object_discard(body);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	if (length)
		memcpy(s->text.Buffer, text->Buffer, length);
	s->text.Length = length;
	s->text.MaximumLength = length + sizeof(WCHAR);
	status = wdf_object_add(body);
	if (NT_SUCCESS(status))
		*string = body;
	return status;
}
EXPORT_SYMBOL_GPL(linux_wdf_string_create);

/**
 * WdfStringGetUnicodeString() - the text of a string
 * @String: the string
 * @UnicodeString: its text, which stays the string's
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID WdfStringGetUnicodeString(WDFSTRING String, PUNICODE_STRING UnicodeString)
{
	struct wdf_string *s = wdf_get(String, &wdf_string_kind);

	if (s)
		*UnicodeString = s->text;
	else
		RtlZeroMemory(UnicodeString, sizeof(*UnicodeString));
}
EXPORT_SYMBOL_GPL(WdfStringGetUnicodeString);
