# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=busybox disable=SC2034,SC2154 # shared with guest.sh
#
# What the guest does to its disks while they are busy. What their host does is in scenario.

# reset DISK: the host's own reset closes the channel.
reset() {
	sleep 1
	sg_reset --no-escalate --host "/dev/$1"
}

# vmbus_device INSTANCE: of the offer whose instance is that number.
vmbus_device() { echo "/sys/bus/vmbus/devices/$1-0000-0000-0000-000000000000"; }

# let_go INSTANCE: the device is taken from the library, whose channel closes, and given back.
let_go() {
	local device driver name tries=50
	device=$(vmbus_device "$1") name=${device##*/}
	driver=$(readlink -f "$device/driver")
	sleep 1
	echo nobody >"$device/driver_override"
	echo "$name" >"$driver/unbind" || return
	usleep 300000
	echo >"$device/driver_override"
	# It may have it by itself, and memory may be short.
	until [ -e "$device/driver" ] || echo "$name" >"$driver/bind"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return
		usleep 100000
	done 2>/dev/null
}

# unplug: processors go and come back, if hv_vmbus lets them: not where a channel's interrupts
# come to them, as a sub-channel's do to processor 1.
unplug() {
	local cpus=/sys/devices/system/cpu
	if echo 0 2>/dev/null >$cpus/cpu1/online; then
		touch /tmp/cpu1
		echo 1 >$cpus/cpu1/online || return
	fi
	echo 0 >$cpus/cpu2/online || return
	sleep 1
	echo 1 >$cpus/cpu2/online || return
	sleep 1
}

# without_a_processor DISK: none of the jobs is bound to one that goes.
without_a_processor() {
	local status
	rm -f /tmp/cpu1
	grep -qx 1 /sys/bus/vmbus/devices/*/channels/*/cpu || return
	second=0-2
	meanwhile "$1" "$ios" unplug
	status=$?
	second=1
	[ -e /tmp/cpu1 ] && echo 'guest: hv_vmbus lets a processor go that a channel has' ||
		echo 'guest: hv_vmbus keeps a processor that a channel has'
	return $status
}

# anew DISK INSTANCE: the channel is closed in both ways.
anew() { reset "$1" && let_go "$2"; }

# starving COMMAND...: meanwhile one in a hundred of the modules' allocations fails, be it that they
# may wait for it or not.
starving() {
	local patience=/sys/module/vmbkmcl_disk/parameters/reoffer_seconds
	local first last size status failed
	first=$(awk '/^vmbkmcl/ { print $6 }' /proc/modules | sort | head -n 1)
	last=$(awk '/^vmbkmcl/ { print $6, $2 }' /proc/modules | sort | tail -n 1)
	size=${last#* } last=${last% *}
	echo "$first" >"$failslab/require-start"
	printf '0x%x\n' $((last + size)) >"$failslab/require-end"
	# Not what hv_vmbus allocates where its messages interrupt the modules: 6.12 reads no more
	# of them once there was no memory for one.
	# shellcheck disable=SC2046 # two words
	set -- $(awk 'at { print $1; exit } $3 == "vmbus_on_msg_dpc" { print at = $1 }' \
		/proc/kallsyms) "$@"
	echo "0x$1" >"$failslab/reject-start"
	echo "0x$2" >"$failslab/reject-end"
	shift 2
	echo N >"$failslab/ignore-gfp-wait"
	echo 0 >"$failslab/verbose"
	echo 100000 >"$failslab/times"
	# A channel opens at its third try or so.
	echo 60 >$patience
	echo 1 >"$failslab/probability"
	"$@"
	status=$?
	echo 0 >"$failslab/probability"
	echo 5 >$patience
	failed=$((100000 - $(cat "$failslab/times")))
	echo "guest: $failed allocations have failed"
	[ $status = 0 ] && [ $failed -gt 10 ]
}
