// SPDX-License-Identifier: GPL-2.0
/*
 * What makes the client a Linux module, and what Linux does when the host asks.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/reboot.h>
#include <linux/timekeeping.h>
#include <asm/mshyperv.h>

#include "ic.h"
#include "ic_system.h"

/* From 1601 to 1970, in 100 ns. */
#define IC_UNIX_EPOCH	116444736000000000ULL

static bool set_clock;
module_param(set_clock, bool, 0644);
MODULE_PARM_DESC(set_clock, "Set the clock to the host's time when it is off (no)");

static uint clock_slack = 5;
module_param(clock_slack, uint, 0644);
MODULE_PARM_DESC(clock_slack, "Seconds that the clock may be off before it is set (5)");

UINT64 IcSystemReferenceTime(VOID)
{
	return hv_read_reference_counter();
}

BOOLEAN IcSystemHostTime(UINT64 HostTime, BOOLEAN Sync)
{
	u64 since_1970 = HostTime - IC_UNIX_EPOCH;
	struct timespec64 ts;
	s64 ahead_ms;
	bool off;

	if (HostTime < IC_UNIX_EPOCH || since_1970 > KTIME_MAX / 100)
		return FALSE;
	ts = ns_to_timespec64(since_1970 * 100);
	if (!timespec64_valid_settod(&ts))
		return FALSE;

	ahead_ms = div_s64((s64)since_1970 * 100 - ktime_get_real_ns(), NSEC_PER_MSEC);
	off = abs(ahead_ms) > (u64)clock_slack * MSEC_PER_SEC;
	if (off && set_clock) {
		do_settimeofday64(&ts);
		pr_info_ratelimited("the clock was set, the host's was %lld ms ahead\n", ahead_ms);
	} else if (Sync) {
		pr_info("the host's clock is %lld ms ahead%s\n", ahead_ms,
			off ? ", set_clock=1 would have ours set" : "");
	}
	return TRUE;
}

VOID IcSystemShutDown(BOOLEAN Restart)
{
	if (Restart)
		orderly_reboot();
	else
		orderly_poweroff(true);
}

static int __init ic_init(void)
{
	NTSTATUS status = IcStart(linux_device_to_wdfdevice(NULL));

	if (!NT_SUCCESS(status)) {
		pr_err("not started: status %08x\n", status);
		return -EIO;
	}
	return 0;
}
module_init(ic_init);

static void __exit ic_exit(void)
{
	IcStop();
}
module_exit(ic_exit);

MODULE_DESCRIPTION("Hyper-V's heartbeat, shutdown and time synchronization on the VMBus Kernel Mode Client Library");
MODULE_LICENSE("GPL");
MODULE_SOFTDEP("pre: vmbkmcl");
