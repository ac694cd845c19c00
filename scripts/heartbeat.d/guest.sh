#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
#
# In the guest: which driver answers the host's integration services, and what comes of it.

# shellcheck source=/dev/null
. ./parameters
: "${job:?}"
vmbus=/sys/bus/vmbus

# An open channel's state is 3.
open_now() { cat $vmbus/devices/*/state 2>/dev/null | grep -c '^3$'; }
is_past() { [ "$(date +%Y)" = 2001 ] && echo yes || echo no; }
said() { dmesg | grep -c "$1"; }
told() { [ -e "/run/$1" ] && echo yes || echo no; }

# The host's number of the heartbeat's channel.
number() { cat "$(grep -l 57164f39 $vmbus/devices/*/class_id | sed 's/class_id/id/')"; }
again() { [ "$(number 2>/dev/null)" = "$before" ] || echo "another, $(open_now)"; }

# check TEXT EXPECTED COMMAND...: waits until the command says that.
check() {
	local left=150 text=$1 expected=$2
	shift 2
	until [ "$("$@")" = "$expected" ]; do
		left=$((left - 1))
		[ $left -gt 0 ] ||
			{ echo "guest: not ok - $text ($*: $("$@"), not $expected)" && exit 1; }
		sleep 0.1
	done
	echo "guest: ok - $text"
}

load() {
	for module in vmbkmcl vmbkmcl_hv vmbkmcl_heartbeat; do
		insmod $module.ko || exit 1
	done
}

unload() {
	for module; do
		rmmod "$module" || exit 1
	done
	echo 'guest: ok - the driver is unloaded'
}

hv_utils_has_it() {
	date -s '2001-01-01 00:00:00' >/dev/null
	modprobe hv_utils
	check 'hv_utils has the services' 3 open_now
	check 'and sets the clock' no is_past
}

take_over() {
	date -s '2001-01-01 00:00:00' >/dev/null
	load
	check 'the log says how to take each device from hv_utils' 3 said 'hv_utils.*unbind'
	for class in 57164f39 0e0b6031 9527e630; do
		device=$(grep -l "$class" $vmbus/devices/*/class_id | cut -d/ -f6)
		echo "$device" >$vmbus/drivers/hv_utils/unbind
	done
	check 'the client has them instead' 3 open_now
	# What is offered again goes to the driver that was there first.
	rmmod hv_utils || exit 1
	check 'versions are agreed upon' 3 said 'version [34]\.[02], of the framework 3\.0'
	check 'the time is reported' 1 said "the host's clock is .* ahead, set_clock=1"
	check 'and not taken over' yes is_past
	echo 1 >/sys/module/vmbkmcl_heartbeat/parameters/set_clock
	check 'until that is allowed' no is_past
	check 'once' 1 said 'the clock was set'
	echo 'guest: there is no hibernation'
	check 'hibernation is refused' 1 said 'neither shutdown nor restart'
	echo 'guest: it may be restarted'
	check 'the guest is restarted in order' yes told reboot
}

rescind_and_shut_down() {
	echo "guest: time $(date +%s)"
	sleep 1
	before=$(number)
	echo 'guest: the heartbeat may go'
	check 'an offer goes and comes back' 'another, 3' again
	sleep 1
	[ "$(told poweroff)" = no ] || exit 1
	echo 'guest: it may be shut down'
	check 'the guest is shut down in order' yes told poweroff
}

# What Linux runs to shut down in order. That the guest is then over is the lab's work.
for program in poweroff reboot; do
	rm -f /usr/sbin/$program
	printf '#!/bin/busybox sh\ntouch /run/%s\n' $program >/usr/sbin/$program
	chmod 755 /usr/sbin/$program
done

modprobe hv_vmbus
case $job in
stock)
	hv_utils_has_it
	rescind_and_shut_down
	unload hv_utils
	;;
ours)
	hv_utils_has_it
	take_over
	rescind_and_shut_down
	check 'versions are agreed upon again' 2 said 'heartbeat: version 3.0'
	unload vmbkmcl_heartbeat vmbkmcl_hv vmbkmcl
	;;
lies)
	load
	check 'the services open' 3 open_now
	sleep 5
	check 'the log is not filled' 2 said 'no more of this will be logged'
	rescind_and_shut_down
	unload vmbkmcl_heartbeat vmbkmcl_hv vmbkmcl
	;;
esac
