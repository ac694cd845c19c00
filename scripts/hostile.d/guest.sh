#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
#
# In the guest: the client uses one bad offer after the other; then all is
# unloaded, and kmemleak asked what is left.

kmemleak=/sys/kernel/debug/kmemleak

# It may switch itself off, and then finds nothing.
scan() {
	echo scan >$kmemleak && return
	echo 'kmemleak is off'
	exit 1
}

scan
echo clear >$kmemleak

insmod vmbkmcl.ko && insmod vmbkmcl_hv.ko || exit 1
# shellcheck disable=SC2046 # several words
insmod vmbkmcl_guest.ko good=0 $(cat parameters) || exit 1
rmmod vmbkmcl_guest || exit 1
rmmod vmbkmcl_hv vmbkmcl || exit 1

# kmemleak reports no object younger than 5 s, and none at its first sight.
sleep 5
scan
scan
head -n 100 $kmemleak
! dmesg | grep -q 'guest: not ok'
