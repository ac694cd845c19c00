#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
#
# In the guest: hibernates at its first start. At the second one it resumes, which ends
# this script where it is, and the one of the first start goes on.

disk=/dev/pmem0

modprobe hv_vmbus
modprobe hv_utils
for module in libnvdimm nd_btt nd_pmem nfit; do
	insmod $module.ko || exit 1
done
tries=50
until [ -b $disk ]; do
	tries=$((tries - 1))
	[ $tries -gt 0 ] || exit 1
	sleep 0.1
done
# The hidden offer comes.
sleep 2

# The last ten bytes of the first page say what there is.
if [ "$(dd if=$disk bs=1 skip=4086 count=9 2>/dev/null)" = S1SUSPEND ]; then
	cat /sys/class/block/${disk##*/}/dev >/sys/power/resume
	echo 'not resumed'
	exit 1
fi
mkswap $disk && swapon $disk || exit 1
touch /tmp/before
echo shutdown >/sys/power/disk
echo disk >/sys/power/state || exit 1
[ -e /tmp/before ] && echo resumed
for device in /sys/bus/vmbus/devices/*; do
	echo "device ${device##*/} id=$(cat "$device/id")"
done
