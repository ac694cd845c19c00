// SPDX-License-Identifier: GPL-2.0
/* The module: runs the jobs that it was told to, one after the other. */
#include <linux/module.h>
#include <linux/string.h>

#include <initguid.h>
#include <wdf.h>

#include "guest.h"

static bool good = true;
module_param(good, bool, 0);
MODULE_PARM_DESC(good, "run the jobs against a host that behaves");

static char *only;
module_param(only, charp, 0);
MODULE_PARM_DESC(only, "run the jobs of this name, and no others");

static uint tricks;
module_param(tricks, uint, 0);
MODULE_PARM_DESC(tricks, "number of offers of a host that does not behave");

static uint seconds = 2;
module_param(seconds, uint, 0);
MODULE_PARM_DESC(seconds, "how long each of these is used");

KMCL_CLIENT_INTERFACE_V5 kmcl;

static atomic_t checks_failed;

int guest_checks_failed(void)
{
	return atomic_read(&checks_failed);
}

void guest_check(bool ok, const char *job, const char *what)
{
	if (!ok)
		atomic_inc(&checks_failed);
	pr_info("guest: %s - %s: %s\n", ok ? "ok" : "not ok", job, what);
}

/* For what is left in the module's code when a check has failed. */
void guest_stay_loaded(void)
{
	__module_get(THIS_MODULE);
}

bool guest_eventually(bool (*met)(void *arg), void *arg)
{
	unsigned long end = jiffies + PATIENCE;

	while (!met(arg)) {
		if (time_after(jiffies, end))
			return false;
		usleep_range(1000, 2000);
	}
	return true;
}

/* The one of zip, bit by bit: slow, and no library's. */
u32 guest_crc32(u32 crc, const u8 *bytes, u32 len)
{
	u32 i, bit;

	crc = ~crc;
	for (i = 0; i < len; i++) {
		crc ^= bytes[i];
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

void guest_fill(u8 *bytes, u32 len, u32 seed)
{
	u32 i;

	for (i = 0; i < len; i++)
		bytes[i] = VMBHOST_PATTERN(seed, i);
}

bool guest_is_filled(const u8 *bytes, u32 len, u32 seed)
{
	u32 i;

	for (i = 0; i < len; i++)
		if (bytes[i] != VMBHOST_PATTERN(seed, i))
			return false;
	return true;
}

static const struct {
	const char *name;
	void (*run)(void);
	bool asked_for;		/* only if @only names it */
} jobs[] = {
	/* The host is mute on some channels while the others' jobs run. */
	{ "mute", job_mute_begin },
	{ "echo", job_echo },
	{ "pipe", job_pipe },
	{ "external", job_external },
	{ "gpadl", job_gpadl },
	{ "mmio", job_mmio },
	{ "requests", job_requests },
	{ "source", job_source },
	{ "transfer", job_transfer },
	{ "share", job_share },
	{ "slow", job_slow },
	{ "rescinded", job_rescinded },
	{ "refused", job_refused },
	{ "late", job_late },
	{ "slow-clients", job_slow_clients },
	{ "unbind", job_unbind },
	{ "subs", job_subs },
	{ "flood", job_flood },
	{ "mute", job_mute_end },
	/* These leave one that is busy for the module's exit. */
	{ "endless", job_endless_begin },
	{ "pool", job_pool, true },
	{ "bounce", job_bounce, true },
	{ "hibernate", job_hibernate_begin, true },
};

static void run_jobs(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(jobs); i++) {
		if (only ? !strcmp(only, jobs[i].name) : !jobs[i].asked_for)
			jobs[i].run();
	}
}

static int __init guest_init(void)
{
	NTSTATUS status;

	status = WdfFdoQueryForInterface(NULL, &KMCL_CLIENT_INTERFACE_TYPE,
					 (PINTERFACE)&kmcl, sizeof(kmcl),
					 KMCL_CLIENT_INTERFACE_VERSION_V5, NULL);
	if (!NT_SUCCESS(status))
		return -ENODEV;

	if (good)
		run_jobs();
	if (tricks)
		job_tricks(tricks, seconds);
	pr_info("guest: done, %d failed\n", guest_checks_failed());
	return 0;
}
module_init(guest_init);

static void __exit guest_exit(void)
{
	if (good) {
		job_endless_end();
		job_hibernate_end();
		pr_info("guest: unloaded, %d failed\n", guest_checks_failed());
	}
	kmcl.InterfaceDereference(kmcl.Context);
}
module_exit(guest_exit);

MODULE_DESCRIPTION("VMBus Kernel Mode Client Library: a client for vmbhost");
MODULE_LICENSE("GPL");
MODULE_SOFTDEP("pre: vmbkmcl");
