// SPDX-License-Identifier: GPL-2.0
/*
 * I/O ports: power management, reset, the clock; the rest is not there.
 */
#include <time.h>

#include "ports.h"
#include "vm.h"

#define SERIAL_PORT		0x3f8
#define RTC_INDEX_PORT		0x70
#define RTC_DATA_PORT		0x71
#define KEYBOARD_STATUS_PORT	0x64
#define KEYBOARD_RESET		0xfe

#define PM_TIMER_HZ		3579545ull
#define PM_SCI_ENABLED		1u
#define PM_SLEEP		BIT(13)

static struct {
	u16 pm_enable;
	u16 pm_control;
	u8 rtc_index;
} ports;

static u8 rtc_bcd(unsigned int value)
{
	return value / 10 % 10 << 4 | value % 10;
}

static u8 rtc_read(u8 reg)
{
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	switch (reg) {
	case 0x00: return rtc_bcd(tm.tm_sec);
	case 0x02: return rtc_bcd(tm.tm_min);
	case 0x04: return rtc_bcd(tm.tm_hour);
	case 0x06: return rtc_bcd(tm.tm_wday + 1);
	case 0x07: return rtc_bcd(tm.tm_mday);
	case 0x08: return rtc_bcd(tm.tm_mon + 1);
	case 0x09: return rtc_bcd(tm.tm_year);
	case 0x0a: return 0x26;
	case 0x0b: return 0x02; /* 24 hours */
	case 0x0d: return 0x80; /* the battery is good */
	case 0x32: return rtc_bcd(19 + tm.tm_year / 100);
	}
	return 0;
}

static u32 pm_in(u16 port)
{
	switch (port) {
	case PM_EVENT_PORT + 2: return ports.pm_enable;
	case PM_CONTROL_PORT: return ports.pm_control | PM_SCI_ENABLED;
	case PM_TIMER_PORT: return now_us() * PM_TIMER_HZ / 1000000;
	}
	return 0;
}

static void pm_out(u16 port, u32 value)
{
	if (port == PM_EVENT_PORT + 2)
		ports.pm_enable = value;
	if (port != PM_CONTROL_PORT)
		return;
	ports.pm_control = value & ~PM_SLEEP;
	if (value & PM_SLEEP && (value >> 10 & 7) == PM_SLEEP_TYPE_OFF)
		vm_end(STATUS_POWERED_OFF, "powered off");
}

u32 ports_in(struct vm *vm, u16 port, unsigned int size)
{
	if (port >= SERIAL_PORT && port < SERIAL_PORT + 8)
		return serial_in(vm, port - SERIAL_PORT);
	if (port >= PM_EVENT_PORT && port < PM_TIMER_PORT + 4)
		return pm_in(port);
	if (port == RTC_DATA_PORT)
		return rtc_read(ports.rtc_index);
	if (port == KEYBOARD_STATUS_PORT)
		return 0;
	return size == 4 ? 0xffffffff : (1u << 8 * size) - 1;
}

void ports_out(struct vm *vm, u16 port, unsigned int size, u32 value)
{
	if (port >= SERIAL_PORT && port < SERIAL_PORT + 8)
		serial_out(vm, port - SERIAL_PORT, value);
	else if (port >= PM_EVENT_PORT && port < PM_TIMER_PORT + 4)
		pm_out(port, value);
	else if (port == RTC_INDEX_PORT)
		ports.rtc_index = value & 0x7f;
	else if ((port == RESET_PORT && size == 1 && value & 4) ||
		 (port == KEYBOARD_STATUS_PORT && value == KEYBOARD_RESET))
		vm_end(STATUS_RESET, "reset");
}
