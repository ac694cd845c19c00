#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
#
# In the guest: the client runs its jobs while it is loaded, and is unloaded in
# the midst of the last one. Then the library goes, which nothing must hold.

modprobe hv_vmbus
# It holds a device that a channel waits for.
modprobe hv_utils
insmod vmbkmcl.ko && insmod vmbkmcl_hv.ko || exit 1
# What has been built with BTF is loaded with it.
for module in vmbkmcl vmbkmcl_hv; do
	grep -q '\.BTF' $module.ko || continue
	ok='ok'
	[ -s /sys/kernel/btf/$module ] || ok='not ok'
	echo "guest: $ok - the kernel has the BTF of $module.ko"
done

# What kmclstat says of four channels whose host does not answer, while other jobs run.
mute() {
	tries=60
	until grep -qs '"step":"close"' /sys/kernel/debug/vmbkmcl/mute_to_close/json; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return
		sleep 1
	done
	sh kmclstat --once
	for channel in open GPADL teardown close; do
		sh kmclstat why "mute_to_$channel" | tr '\n' ' '
		echo
	done
}
mute 2>&1 | sed 's/^/kmclstat: /' &
# shellcheck disable=SC2046 # none, or several words
insmod vmbkmcl_guest.ko $(cat parameters 2>/dev/null) || exit 1
rmmod vmbkmcl_guest || exit 1
rmmod vmbkmcl_hv vmbkmcl || exit 1
rmmod hv_utils || exit 1
! dmesg | grep -q 'guest: not ok'
