#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
#
# In the guest: the test client does what each offer's first byte says. It has
# no verdict of its own; verify compares its words with the host's.

modprobe hv_vmbus
insmod vmbhost_test.ko || exit 1

# Fourteen jobs come to an end by themselves.
tries=60
until [ "$(dmesg | grep -c 'vmbhost_test: .* result=')" -ge 14 ]; do
	tries=$((tries - 1))
	[ $tries -gt 0 ] || break
	sleep 0.5
done
sleep 1
rmmod vmbhost_test

# Hibernation without a swap disk: all devices are frozen, an image is made, all are
# thawed, and only then there is nowhere to write it to. A client without callbacks for
# that, as the test's, would refuse it; hv_utils has them.
modprobe hv_utils
echo disk >/sys/power/state
for device in /sys/bus/vmbus/devices/*; do
	echo "device ${device##*/} id=$(cat "$device/id") state=$(cat "$device/state")"
done
