#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
#
# In the guest: first there is no room for the image, so that the guest goes on at once;
# then it hibernates. At its second start it resumes, which ends this script where it is,
# and the one of the first start goes on.

disk=/dev/pmem0

# traffic N: the client's channel is open for the Nth time, and used.
traffic() {
	tries=100
	until dmesg | grep -q "guest: traffic after opening $1\$"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || { echo "no traffic after opening $1" && exit 1; }
		sleep 0.2
	done
}

modprobe hv_vmbus
for module in libnvdimm nd_btt nd_pmem nfit; do
	insmod $module.ko || exit 1
done
tries=50
until [ -b $disk ]; do
	tries=$((tries - 1))
	[ $tries -gt 0 ] || exit 1
	sleep 0.1
done

# The last ten bytes of the first page say what there is.
if [ "$(dd if=$disk bs=1 skip=4086 count=9 2>/dev/null)" = S1SUSPEND ]; then
	cat /sys/class/block/${disk##*/}/dev >/sys/power/resume
	echo 'not resumed'
	exit 1
fi

insmod vmbkmcl.ko && insmod vmbkmcl_hv.ko && insmod vmbkmcl_echo_server.ko &&
	insmod vmbkmcl_guest.ko only=hibernate || exit 1
traffic 1
echo shutdown >/sys/power/disk
if echo disk >/sys/power/state; then
	echo 'hibernated without a disk'
	exit 1
fi
dmesg | grep -q 'Cannot find swap device' || { echo 'not frozen' && exit 1; }
traffic 2
mkswap $disk && swapon $disk || exit 1
echo disk >/sys/power/state || exit 1
echo resumed
traffic 3
swapoff $disk
insmod vmbkmcl_echo_client.ko && echo 'the server has answered'
rmmod vmbkmcl_echo_client vmbkmcl_echo_server || exit 1
rmmod vmbkmcl_guest || exit 1
rmmod vmbkmcl_hv vmbkmcl || exit 1
! dmesg | grep -q 'guest: not ok'
