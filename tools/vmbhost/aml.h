/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Just enough AML to describe the machine.
 */
#ifndef VMBHOST_AML_H
#define VMBHOST_AML_H

#include "vmbhost.h"

struct aml {
	u8 *at;
	u8 *end;
};

void aml_bytes(struct aml *aml, const void *bytes, size_t len);

/* A block with a length: begin returns what end wants back. */
u8 *aml_begin_scope(struct aml *aml, const char *path);
u8 *aml_begin_device(struct aml *aml, const char *name);
void aml_end(struct aml *aml, u8 *block);

void aml_name_string(struct aml *aml, const char *name, const char *value);
void aml_name_byte(struct aml *aml, const char *name, u8 value);
void aml_name_buffer(struct aml *aml, const char *name, const void *bytes, u8 len);
void aml_name_package(struct aml *aml, const char *name, const u8 *values, u8 count);

#endif /* VMBHOST_AML_H */
