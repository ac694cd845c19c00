#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
#
# In the guest: one case after the other, each on a disk of the scenario.
# shellcheck disable=SC2034,SC2154 # settings, and what the other files share

# shellcheck disable=SC1091
. ./settings
# shellcheck disable=SC1091
. ./load.sh
# shellcheck disable=SC1091
. ./trouble.sh
modules='vmbkmcl vmbkmcl_hv vmbkmcl_wdf'
second=1 # processors of the second job
kmemleak=/sys/kernel/debug/kmemleak failslab=/sys/kernel/debug/failslab

# result NAME STATUS
result() {
	[ "$2" = 0 ] && echo "guest: ok - $1" && return
	echo "guest: not ok - $1"
	exit 1
}

# disk MB: its name, when it is there.
disk() {
	local tries=200 size
	while [ $tries -gt 0 ]; do
		for size in /sys/block/sd*/size; do
			[ "$(cat "$size" 2>/dev/null)" != $(($1 * 2048)) ] ||
				{ basename "${size%/size}" && return; }
		done
		usleep 100000
		tries=$((tries - 1))
	done
	return 1
}

# wanted CASE
wanted() { [ -z "$only" ] || echo " $only " | grep -q " $1 "; }

load() {
	local module
	for module in $modules; do insmod "$module.ko" || exit 1; done
	insmod vmbkmcl_disk.ko "$@" || exit 1
}

unload() {
	local module tries=100
	# The look at its disks, as after a reset, holds on to the module for a moment.
	until rmmod vmbkmcl_disk; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || exit 1
		usleep 100000
	done
	for module in vmbkmcl_wdf vmbkmcl_hv vmbkmcl; do
		rmmod "$module" || exit 1
	done
}

# seconds: since the guest came up.
seconds() { cut -d . -f 1 /proc/uptime; }

# try NAME COMMAND...
try() {
	local name=$1 status began
	shift
	began=$(seconds)
	"$@"
	status=$?
	echo "guest: $name took $(($(seconds) - began)) s"
	result "$name" $status
}

# kmemleak may switch itself off, and then finds nothing.
scan() { echo scan >$kmemleak || result 'kmemleak is on' 1; }

# leaks: what is lost, for scripts/lab to see: nothing is reported that is younger than 5 s, nor
# at its first sight.
leaks() {
	sleep 5
	scan
	scan
	head -n 100 $kmemleak
}

# short_of_time DISK: little time for what never comes.
short_of_time() {
	echo 3 >"/sys/block/$1/device/timeout" && write_and_read "$1" 2000
}

# unaligned DISK: pages of memory end in the middle of blocks.
unaligned() {
	local align=4
	write_and_read "$1" "$ios" && ! dmesg | grep -q 'Unaligned partial completion'
}

# patiently COMMAND...: a host may take its time.
patiently() {
	local patience=/sys/module/vmbkmcl_disk/parameters/reoffer_seconds status
	echo 60 >$patience
	"$@"
	status=$?
	echo 5 >$patience
	return $status
}

# vanishes DISK: within 20 s.
vanishes() {
	local tries=200
	while [ -e "/sys/block/$1" ] && [ $tries -gt 0 ]; do
		usleep 100000
		tries=$((tries - 1))
	done
	[ $tries -gt 0 ]
}

# beside DISK OTHER: it is busy while the controller goes and comes back, and OTHER goes, whose
# name no new one has meanwhile.
beside() {
	local status
	exec 3<"/dev/$2"
	write_and_read "$1" "$ios" && vanishes "$2"
	status=$?
	exec 3<&-
	return $status
}

# another MB: the disk of that size goes, as its host is silent for too long, and comes back as
# another one.
another() {
	local old
	old=$(disk "$1") && echo 3 >"/sys/block/$old/device/timeout" && lost "$old" &&
		write_and_read "$(disk "$1")" "$ios"
}

# sent_once DISK: a command that is not the block layer's fails where its channel is closed
# before its answer.
sent_once() {
	local tries=50 status=0
	rm -f /tmp/done
	while [ ! -e /tmp/done ]; do reset "$1"; done &
	while [ $status = 0 ] && [ $tries -gt 0 ]; do
		sg_raw -r 512 "/dev/$1" 28 0 0 0 0 0 0 0 1 0 >/tmp/raw 2>&1
		status=$?
		tries=$((tries - 1))
	done
	touch /tmp/done
	wait
	grep -i transport /tmp/raw
}

# lost DISK: what is asked of it fails, and it goes.
lost() {
	while dd if=/dev/zero of="/dev/$1" bs=64k count=600 oflag=direct 2>/dev/null; do :; done
	vanishes "$1"
}

# exchanged DISK OTHER MB: the host takes OTHER away, and a disk of MB has its place, which comes
# as a new one. A reader of OTHER is told; what is still written to it does not come to the
# new one. DISK is as busy meanwhile.
exchanged() {
	local new busy writer reader status
	exec 3<>"/dev/$2"
	writes_on "$2" &
	writer=$!
	while dd if="/dev/$2" of=/dev/null bs=64k iflag=direct 2>/dev/null; do :; done &
	reader=$!
	write_and_read "$1" "$ios" &
	busy=$!
	new=$(disk "$3") && wait $reader && writes_late && is_zero "$new" && write_model "$new"
	status=$?
	[ ! -e "/sys/block/$2" ] || status=1
	wait $busy || status=1
	wait $writer
	exec 3>&-
	return $status
}

# returned DISK MB: its controller goes while it is written to, and comes back with a disk of MB
# in its place, to which nothing is written that was for the first one.
returned() {
	local new writer status
	exec 3<>"/dev/$1"
	writes_on "$1" &
	writer=$!
	new=$(disk "$2") && wait $writer && writes_late && is_zero "$new" && write_model "$new"
	status=$?
	[ ! -e "/sys/block/$1" ] || status=1
	exec 3>&-
	return $status
}

# sleep_under_load DISK: there is no room for an image, so the guest goes on at once.
sleep_under_load() {
	local status
	echo shutdown >/sys/power/disk || return
	{ sleep 2 && echo disk >/sys/power/state; } 2>/dev/null &
	write_and_read "$1" "$ios"
	status=$?
	wait
	[ $status = 0 ] && dmesg | grep -q 'Cannot find swap device'
}

# sleep_refused DISK: a scan has asked a unit that does not answer. The machine stays awake, says
# why, and DISK goes on.
sleep_refused() {
	echo shutdown >/sys/power/disk || return
	dmesg -c >/dev/null
	! echo disk 2>/dev/null >/sys/power/state || return
	dmesg | grep -i 'freezing .* failed' && write_and_read "$1" "$ios"
}

# Where they are modules.
[ -e /sys/bus/vmbus ] || { modprobe sd_mod && modprobe hv_vmbus; }
# What the kernel itself lost while it booted is not ours.
[ ! -e $kmemleak ] || { scan && echo clear >$kmemleak; }

if wanted full; then
	load ring_pages=2
	try 'a ring with room for a request or two' write_and_read "$(disk 32)" "$ios" 128
	unload
fi
if wanted depth; then
	load queue_depth=1
	try 'each channel has one request at a time' write_and_read "$(disk 32)" "$ios"
	unload
fi

load reoffer_seconds=5
! wanted plain || try 'nothing in the way' write_and_read "$(disk 32)" "$ios"
! wanted late || try 'answers are late, and swapped' write_and_read "$(disk 33)" "$ios"
! wanted short || try 'less was done than was asked for' write_and_read "$(disk 34)" "$ios"
! wanted unaligned || try 'less was done, of memory that is not aligned' unaligned "$(disk 34)"
! wanted away || try 'the device is taken away, and given back' \
	meanwhile "$(disk 37)" "$ios" let_go 00000006
! wanted unplug || try 'a processor goes and comes back' without_a_processor "$(disk 32)"
! wanted coming || try 'the controller goes and comes back' write_and_read "$(disk 36)" "$ios"
! wanted reset || try 'the channel is closed under load' \
	meanwhile "$(disk 37)" "$ios" reset "$(disk 37)"
! wanted once || try 'a command of its own fails where the channel closes' \
	sent_once "$(disk 37)"
[ ! -e $failslab/require-start ] || ! wanted starving ||
	try 'what the modules allocate is not to be had' \
		starving meanwhile "$(disk 37)" $((ios / 10)) anew "$(disk 37)" 00000006
! wanted lossy || try 'answers never come, until the unit is reset' short_of_time "$(disk 35)"
! wanted broken || try 'a ring that cannot be read any more is made anew' short_of_time "$(disk 39)"
! wanted stalled || try 'the host does nothing for half a minute' \
	patiently short_of_time "$(disk 40)"
! wanted another || try 'a host that was silent for too long has another disk' another 41
! wanted exchanged || try 'another disk takes the place of one' \
	exchanged "$(disk 43)" "$(disk 44)" 45
! wanted returned || try 'a controller comes back with another disk' returned "$(disk 46)" 47
! wanted nameless || try 'a disk that is back does not say which it is' \
	write_and_read "$(disk 48)" "$ios"
! wanted busy || try 'a disk that is back is busy' write_and_read "$(disk 49)" "$ios"
! wanted refused || try 'a disk that is back has no name any more' beside "$(disk 51)" "$(disk 50)"
! wanted gone || try 'a controller that does not come back loses its disk' lost "$(disk 38)"
[ ! -e /sys/power/disk ] || ! wanted sleep ||
	try 'the guest hibernates, and goes on' sleep_under_load "$(disk 33)"
! wanted swap || try 'memory is swapped to the disk and back' swap "$(disk 512)"
# Last: the scan waits for the answer, which is no hang, but keeps the machine from sleeping.
if wanted quiet; then
	try 'a disk that is back does not answer' patiently beside "$(disk 53)" "$(disk 52)"
	[ ! -e /sys/power/disk ] ||
		try 'the guest stays awake while a disk does not answer' sleep_refused "$(disk 53)"
fi
unload
result 'all is unloaded' "$(grep -c vmbkmcl /proc/modules)"
[ ! -e $kmemleak ] || leaks
