/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The account of what the host saw: a JSON object a line.
 */
#ifndef VMBHOST_LOG_H
#define VMBHOST_LOG_H

#include "vmbhost.h"

void log_open(const char *file);

/* From any thread. What is between begin and end is one line. */
void log_begin(const char *event);
void log_u64(const char *key, u64 value);
void log_hex(const char *key, u64 value);
void log_str(const char *key, const char *value);
void log_end(void);

#endif /* VMBHOST_LOG_H */
