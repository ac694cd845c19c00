#!/bin/busybox sh
# shellcheck shell=dash disable=SC1091,SC2034,SC2086,SC2154
# SPDX-License-Identifier: GPL-2.0
#
# In the guest: two drivers, each with one of two controllers, which they exchange behind
# each round. In a round fio does all rows, each with both drivers, one at once behind the
# other. Says "sample|ROUND|ROW|DRIVER|I/OS|MS|MS OF PROCESSOR TIME", and behind a round's
# "round|ROUND".

. ./settings # other, first, rounds, ms, sizes, kinds, depths, jobs
one=00000000-0000-0000-0000-000000000001
two=00000000-0000-0000-0000-000000000002
bus=/sys/bus/vmbus

fail() {
	echo "failed: $*"
	exit 1
}

# disk_of CONTROLLER: its disk's name, when it is there. The file for how it is scheduled
# is the last that comes.
disk_of() {
	megabytes=64 tries=0
	[ "$1" = $one ] || megabytes=65
	while [ $tries -lt 100 ]; do
		for size in /sys/block/sd*/size; do
			disk=${size%/size}
			[ "$(cat "$size" 2>/dev/null)" != $((megabytes * 2048)) ] ||
				! echo none 2>/dev/null >"$disk/queue/scheduler" || {
				echo "${disk##*/}"
				return
			}
		done
		usleep 100000
		tries=$((tries + 1))
	done
	return 1
}

# give CONTROLLER DRIVER
give() {
	echo "$2" >"$bus/devices/$1/driver_override"
	[ "$2" != hv_storvsc ] || echo "$1" >$bus/drivers/hv_storvsc/bind
}

# exchange ROUND: sets disk_a and disk_b, hv_storvsc's and the other driver's.
exchange() {
	a=$one b=$two
	[ $(($1 % 2)) = 1 ] || { a=$two && b=$one; }
	tries=0
	# A look at its disks holds on to the module for a moment.
	until ! grep -q '^vmbkmcl_disk ' /proc/modules || rmmod vmbkmcl_disk; do
		[ $((tries += 1)) -lt 100 ] || fail rmmod
		usleep 100000
	done
	for device in $one $two; do
		[ ! -e "$bus/devices/$device/driver" ] ||
			echo $device >"$bus/devices/$device/driver/unbind"
	done
	give $a hv_storvsc
	if [ "$other" = hv_storvsc ]; then
		give $b hv_storvsc
	else
		give $b vmbkmcl-ba6163d9-04a1-4d29-b605-72e2ffb1dc7f
		insmod vmbkmcl_disk.ko || fail insmod
	fi
	disk_a=$(disk_of $a) || fail "hv_storvsc has no disk"
	disk_b=$(disk_of $b) || fail "$other has no disk"
}

# job NAME DISK KIND BYTES DEPTH JOBS: for fio. Of two the second begins in the middle.
# shellcheck disable=SC2016 # for the shell that fio starts
job() {
	printf '[%s]\nstonewall\nfilename=/dev/%s\nrw=%s\nbs=%s\niodepth=%s\ncpus_allowed=0\n' \
		"$1" "$2" "$3" "$4" "$5"
	for when in pre post; do
		printf 'exec_%srun=read l </proc/stat && echo $l\n' $when
	done
	[ "$6" = 1 ] || printf '[%s.second]\nfilename=/dev/%s\nrw=%s\nbs=%s\niodepth=%s\ncpus_allowed=1\noffset=32m\n' \
		"$1" "$2" "$3" "$4" "$5"
}

# list ROUND: the job file. Which driver is first changes with rows and rounds.
list() {
	printf '[global]\nioengine=libaio\ndirect=1\nthread=1\ngroup_reporting=1\ntime_based=1\nruntime=%sms\nsize=32m\nnorandommap=1\n' "$ms"
	turn=$1
	for n in $jobs; do
		for size in $sizes; do
			for kind in $kinds; do
				for depth in $depths; do
					turn=$((turn + 1))
					order='a b'
					[ $((turn % 2)) = 0 ] || order='b a'
					for driver in $order; do
						eval "disk=\$disk_$driver"
						job "$size,$kind,$depth,$n,$driver" "$disk" \
							$kind $size $depth $n
					done
				done
			done
		done
	done
}

# samples ROUND: of what fio has said. Fields of its terse form: 3 the job, 6 and 47 KiB
# read and written, 9 and 50 in so many ms. What processors have done, but for waiting,
# is in 10 ms.
samples() {
	awk -F';' -v round="$1" '
	function busy(file, line, field) {
		if ((getline line <file) <= 0)
			return -1
		close(file)
		split(line, field, " ")
		return field[2] + field[3] + field[4] + field[7] + field[8] + field[9]
	}
	$1 == 3 {
		split($3, row, ",")
		driver = row[5]
		sub(/,[ab]$/, "", $3)
		ms = $9 > $50 ? $9 : $50
		file = "/tmp/" $3 "," driver
		printf "sample|%d|%s|%s|%d|%d|%d\n", round, $3, driver, ($6 + $47) / row[1],
			ms, 10 * (busy(file ".postrun.txt") - busy(file ".prerun.txt"))
	}' /tmp/said
}

modprobe hv_storvsc
modprobe sd_mod
disk_of $one >/dev/null || fail "no first disk"
disk_of $two >/dev/null || fail "no second disk"
if [ "$other" != hv_storvsc ]; then
	for module in vmbkmcl vmbkmcl_hv vmbkmcl_wdf; do
		insmod $module.ko || fail "insmod $module.ko"
	done
fi
round=$first
while [ $round -le "$rounds" ]; do
	exchange $round
	list $round >/tmp/list
	(cd /tmp && fio --output-format=terse --terse-version=3 --output=said list) ||
		fail "fio: $(head -n 20 /tmp/said)"
	samples $round
	echo "round|$round"
	round=$((round + 1))
done
echo "measured on $(uname -r)"
