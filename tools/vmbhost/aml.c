// SPDX-License-Identifier: GPL-2.0
/*
 * Writes AML, the byte code of ACPI tables.
 */
#include <string.h>

#include "aml.h"

void aml_bytes(struct aml *aml, const void *bytes, size_t len)
{
	if ((size_t)(aml->end - aml->at) < len)
		die("no room for ACPI tables");
	memcpy(aml->at, bytes, len);
	aml->at += len;
}

static void aml_byte(struct aml *aml, u8 byte)
{
	aml_bytes(aml, &byte, 1);
}

/* Lengths are always written in two bytes: up to 4095, themselves included. */
static u8 *aml_begin(struct aml *aml)
{
	u8 *block = aml->at;

	aml_bytes(aml, "\0", 2);
	return block;
}

void aml_end(struct aml *aml, u8 *block)
{
	size_t len = aml->at - block;

	if (len > 0xfff)
		die("an ACPI block is too long");
	block[0] = 0x40 | (len & 0xf);
	block[1] = len >> 4;
}

u8 *aml_begin_scope(struct aml *aml, const char *path)
{
	u8 *block;

	aml_byte(aml, 0x10);
	block = aml_begin(aml);
	aml_bytes(aml, path, strlen(path));
	return block;
}

u8 *aml_begin_device(struct aml *aml, const char *name)
{
	u8 *block;

	aml_bytes(aml, "\x5b\x82", 2);
	block = aml_begin(aml);
	aml_bytes(aml, name, strlen(name));
	return block;
}

static void aml_name(struct aml *aml, const char *name)
{
	aml_byte(aml, 0x08);
	aml_bytes(aml, name, strlen(name));
}

void aml_name_string(struct aml *aml, const char *name, const char *value)
{
	aml_name(aml, name);
	aml_byte(aml, 0x0d);
	aml_bytes(aml, value, strlen(value) + 1);
}

static void aml_number(struct aml *aml, u8 value)
{
	aml_byte(aml, 0x0a);
	aml_byte(aml, value);
}

void aml_name_byte(struct aml *aml, const char *name, u8 value)
{
	aml_name(aml, name);
	aml_number(aml, value);
}

void aml_name_buffer(struct aml *aml, const char *name, const void *bytes, u8 len)
{
	u8 *block;

	aml_name(aml, name);
	aml_byte(aml, 0x11);
	block = aml_begin(aml);
	aml_number(aml, len);
	aml_bytes(aml, bytes, len);
	aml_end(aml, block);
}

void aml_name_package(struct aml *aml, const char *name, const u8 *values, u8 count)
{
	u8 *block, i;

	aml_name(aml, name);
	aml_byte(aml, 0x12);
	block = aml_begin(aml);
	aml_byte(aml, count);
	for (i = 0; i < count; i++)
		aml_number(aml, values[i]);
	aml_end(aml, block);
}
