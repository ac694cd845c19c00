/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ports that ACPI tables name.
 */
#ifndef VMBHOST_PORTS_H
#define VMBHOST_PORTS_H

#define PM_EVENT_PORT		0x600
#define PM_CONTROL_PORT		0x604
#define PM_TIMER_PORT		0x608
#define PM_SLEEP_TYPE_OFF	5

#define RESET_PORT		0xcf9
#define RESET_VALUE		6

#endif /* VMBHOST_PORTS_H */
