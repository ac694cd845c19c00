// SPDX-License-Identifier: GPL-2.0
/*
 * A machine of nothing but memory.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "bus.h"
#include "machine.h"
#include "synic.h"

struct vm machine = { .cpus = 2, .ram_size = RAM_BYTES };

void die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	abort();
}

void *xalloc(size_t size)
{
	return calloc(1, size) ?: (die("no memory"), NULL);
}

u64 now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ull + t.tv_nsec / 1000;
}

int synic_ack_fd(unsigned int cpu)
{
	(void)cpu;
	return eventfd(0, EFD_NONBLOCK);
}

enum synic_result synic_set_flag(unsigned int cpu, u32 flag)
{
	(void)cpu;
	(void)flag;
	return SYNIC_SENT;
}

/* Instead of the real one, by the linker. */
int __wrap_ioctl(int fd, unsigned long request, void *arg);
int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	(void)fd;
	(void)request;
	(void)arg;
	return 0;
}

void machine_start(void)
{
	machine.ram_fd = memfd_create("guest", 0);
	if (ftruncate(machine.ram_fd, RAM_BYTES))
		die("no memory");
	machine.ram = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
			   machine.ram_fd, 0);
	if (machine.ram == MAP_FAILED)
		die("no memory");
	bus_start(&machine);
}
