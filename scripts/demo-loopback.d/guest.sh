#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
#
# In the guest: the client runs while it is loaded, and fails to load if it fails.

step() {
	echo "# $*"
	"$@"
}

step insmod vmbkmcl.ko || exit 1
# What docs/tracing.md shows.
trace=/sys/kernel/tracing
mount -t tracefs tracefs $trace || exit 1
echo 1 >$trace/events/vmbkmcl/enable || exit 1
step insmod vmbkmcl_echo_server.ko || exit 1
step insmod vmbkmcl_echo_client.ko || exit 1
step rmmod vmbkmcl_echo_client || exit 1

sh stat.sh || exit 1

step ls -l /dev/vmbkmcl || exit 1
step cat pipe.py
step python3 pipe.py >/tmp/said || exit 1
cat /tmp/said
[ "$(grep -c "wrote b'\(.*\)', read b'\1'" /tmp/said)" = 2 ] || exit 1

step rmmod vmbkmcl_echo_server || exit 1
echo 0 >$trace/events/vmbkmcl/enable || exit 1
cp $trace/trace /tmp/trace
for event in packet_sent packet_fetched packet_completed fetch_finished state_changed; do
	step grep -m 2 " kmcl_$event: instance=.* channel=0 " /tmp/trace || exit 1
done
grep -q " kmcl_packet_completed: .* status=0x0 open_ns=[1-9]" /tmp/trace || exit 1
# A kernel address has 16 digits, of which the first four are these.
! grep -iE 'ffff[0-9a-f]{12}' /tmp/trace || exit 1

[ ! -e /dev/vmbkmcl ] || exit 1
step sh kmclstat --once 2>&1 | grep 'no channel has been enabled' || exit 1
step rmmod vmbkmcl || exit 1
step sh kmclstat --once 2>&1 | grep 'vmbkmcl is not loaded' || exit 1

# What the server has to say of its own part.
dmesg | grep -q 'server: the client has inverted' || exit 1
dmesg | grep -q 'server: twice 21 is 42, .* before the channel was saved' || exit 1
