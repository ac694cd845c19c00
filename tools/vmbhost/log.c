// SPDX-License-Identifier: GPL-2.0
/*
 * Writes the log.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

static FILE *log_file;
/* Held from begin to end: lines of two threads do not mix. */
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static u64 log_start;

void log_open(const char *file)
{
	log_start = now_us();
	if (!file)
		return;
	log_file = fopen(file, "we");
	if (!log_file)
		die("%s: %s", file, strerror(errno));
	setvbuf(log_file, NULL, _IOLBF, 0);
}

static void log_quoted(const char *text)
{
	putc('"', log_file);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', log_file);
		if ((u8)*text >= ' ')
			putc(*text, log_file);
		else
			fprintf(log_file, "\\u%04x", (u8)*text);
	}
	putc('"', log_file);
}

void log_begin(const char *event)
{
	u64 t = now_us() - log_start;

	pthread_mutex_lock(&log_lock);
	if (!log_file)
		return;
	fprintf(log_file, "{\"ms\":%llu.%03llu,\"event\":", (unsigned long long)t / 1000,
		(unsigned long long)t % 1000);
	log_quoted(event);
}

void log_u64(const char *key, u64 value)
{
	if (log_file)
		fprintf(log_file, ",\"%s\":%llu", key, (unsigned long long)value);
}

void log_hex(const char *key, u64 value)
{
	if (log_file)
		fprintf(log_file, ",\"%s\":\"0x%llx\"", key, (unsigned long long)value);
}

void log_str(const char *key, const char *value)
{
	if (!log_file)
		return;
	fprintf(log_file, ",\"%s\":", key);
	log_quoted(value);
}

void log_end(void)
{
	if (log_file)
		fputs("}\n", log_file);
	pthread_mutex_unlock(&log_lock);
}
