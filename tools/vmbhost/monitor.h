/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Monitored notification: guests set a bit in a page instead of signalling, and
 * the host looks at it now and then.
 */
#ifndef VMBHOST_MONITOR_H
#define VMBHOST_MONITOR_H

#include "vmbhost.h"

/* Looks at the page as long as a channel with a monitor is open. */
void monitor_start(void);

#endif /* VMBHOST_MONITOR_H */
