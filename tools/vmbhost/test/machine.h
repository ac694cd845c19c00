/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the server needs of a machine, without one: for programs that play the
 * guest themselves. They bring synic_send(), which is where messages to it end.
 */
#ifndef VMBHOST_TEST_MACHINE_H
#define VMBHOST_TEST_MACHINE_H

#include "vm.h"

#define RAM_BYTES		(16u << 20)

extern struct vm machine;

/* Memory, and the server. */
void machine_start(void);

#endif /* VMBHOST_TEST_MACHINE_H */
