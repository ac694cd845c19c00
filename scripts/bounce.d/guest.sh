#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
#
# In the guest: the client runs its job, and then as much of the pool is in use as before.

mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
tlb=/sys/kernel/debug/swiotlb
modprobe hv_vmbus
insmod vmbkmcl.ko && insmod vmbkmcl_hv.ko || exit 1
used=$(cat $tlb/io_tlb_used)
insmod vmbkmcl_guest.ko only=pool && rmmod vmbkmcl_guest || exit 1
pool=$(dmesg | sed -n 's/.*guest: pool //p')
# The most that was in use, from here on.
echo 0 >$tlb/io_tlb_used_hiwater || exit 1
# shellcheck disable=SC2046 # two words
insmod vmbkmcl_guest.ko only=bounce $(echo "bounce_$pool" | sed 's/ / bounce_/') || exit 1
rmmod vmbkmcl_guest || exit 1
rmmod vmbkmcl_hv vmbkmcl || exit 1
echo "pool: slots $(cat $tlb/io_tlb_nslabs), most in use $(cat $tlb/io_tlb_used_hiwater), before $used, after $(cat $tlb/io_tlb_used)"
! dmesg | grep -q 'guest: not ok'
