#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
#
# In the guest: the test client does what each offer's first byte says. It has
# no verdict of its own; verify compares its words with the host's.

modprobe hv_vmbus
insmod vmbhost_test.ko || exit 1

# Eight jobs come to an end by themselves.
tries=60
until [ "$(dmesg | grep -c 'vmbhost_test: .* result=')" -ge 8 ]; do
	tries=$((tries - 1))
	[ $tries -gt 0 ] || break
	sleep 0.5
done
sleep 1
rmmod vmbhost_test
