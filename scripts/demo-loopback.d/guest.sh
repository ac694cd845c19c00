#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
#
# In the guest: the client runs while it is loaded, and fails to load if it fails.

step() {
	echo "# $*"
	"$@"
}

step insmod vmbkmcl.ko || exit 1
step insmod vmbkmcl_echo_server.ko || exit 1
step insmod vmbkmcl_echo_client.ko || exit 1
step rmmod vmbkmcl_echo_client || exit 1

step ls -l /dev/vmbkmcl || exit 1
step cat pipe.py
step python3 pipe.py >/tmp/said || exit 1
cat /tmp/said
[ "$(grep -c "wrote b'\(.*\)', read b'\1'" /tmp/said)" = 2 ] || exit 1

step rmmod vmbkmcl_echo_server || exit 1
[ ! -e /dev/vmbkmcl ] || exit 1
step rmmod vmbkmcl || exit 1

# What the server has to say of its own part.
dmesg | grep -q 'server: the client has inverted' || exit 1
dmesg | grep -q 'server: twice 21 is 42, .* before the channel was saved' || exit 1
