#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
#
# In the guest: what becomes of a KMDF driver's two devices.

# An open channel's state is 3.
open_now() { cat /sys/bus/vmbus/devices/*/state 2>/dev/null | grep -c '^3$'; }
stopped() { dmesg | grep -c 'dynmem: stopped'; }

# check TEXT COMMAND EXPECTED: waits until the command says that.
check() {
	local left=100
	until [ "$($2)" = "$3" ]; do
		left=$((left - 1))
		[ $left -gt 0 ] || { echo "guest: not ok - $1 ($2: $($2), not $3)" && exit 1; }
		sleep 0.1
	done
	echo "guest: ok - $1"
}

modprobe hv_vmbus
for module in vmbkmcl vmbkmcl_hv vmbkmcl_wdf vmbkmcl_dynmem; do
	insmod $module.ko || exit 1
done
check 'two devices of a class start, each with its own channel' open_now 2
check 'one is rescinded, and leaves D0' stopped 1
check 'it is offered again, and starts as another' open_now 2

echo shutdown >/sys/power/disk
if echo disk >/sys/power/state; then
	echo 'guest: not ok - hibernated without a disk'
	exit 1
fi
dmesg | grep -q 'Cannot find swap device' || { echo 'guest: not ok - not frozen' && exit 1; }
check 'both leave D0 before the guest hibernates' stopped 3
check 'and enter it again when it does not' open_now 2

rmmod vmbkmcl_dynmem || exit 1
check 'both leave D0 when the driver is unloaded' stopped 5
check 'and have no channel any more' open_now 0
rmmod vmbkmcl_wdf vmbkmcl_hv vmbkmcl || exit 1
