/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every file of vmbhost uses.
 */
#ifndef VMBHOST_H
#define VMBHOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define BIT(n)			(1u << (n))
#define ALIGN_UP(x, a)		(((x) + (a) - 1) / (a) * (a))

#define PAGE_SIZE		4096u
#define PAGE_SHIFT		12

/* How the program ends. */
enum vmbhost_status {
	STATUS_POWERED_OFF = 0,
	STATUS_CANNOT_START = 2,
	STATUS_RESET = 3,
	STATUS_TRIPLE_FAULT = 4,
	STATUS_LOST = 5,
};

/* Says why on standard error and ends the program. */
void die(const char *fmt, ...) __noreturn __printf(1, 2);
void *xalloc(size_t size);
u64 now_us(void);

/* Rings and pages are the guest's too: every read of them is one load. */
#define READ_ONCE(p)		__atomic_load_n(p, __ATOMIC_RELAXED)
#define WRITE_ONCE(p, v)	__atomic_store_n(p, v, __ATOMIC_RELAXED)

/* Numbers that are alike become ones that are not: the end of splitmix64. */
static inline u64 mix64(u64 x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

#endif /* VMBHOST_H */
