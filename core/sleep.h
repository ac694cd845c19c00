/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hibernation: for driver frameworks and transports, which are told of it.
 */
#ifndef VMBKMCL_SLEEP_H
#define VMBKMCL_SLEEP_H

#include <linux/notifier.h>

/**
 * enum kmcl_sleep_event - what a guest does
 * @KMCL_SLEEP: it hibernates, and all its files are written; may fail, by
 *	notifier_from_errno(), and then it does not
 * @KMCL_WAKE: it goes on. May be without having slept, where another has failed
 */
enum kmcl_sleep_event {
	KMCL_SLEEP,
	KMCL_WAKE,
};

int kmcl_sleep_init(void);
void kmcl_sleep_exit(void);
int kmcl_sleep_register(struct notifier_block *sleeper);
void kmcl_sleep_unregister(struct notifier_block *sleeper);
#ifdef VMBKMCL_KUNIT
int kmcl_sleep_test_call(enum kmcl_sleep_event event);
#endif

#endif
