# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=busybox disable=SC2154 # shared with guest.sh
#
# What has the disks busy, and looks whether it is all right.

# run_fio OPTIONS...: what it has to say only if it fails.
run_fio() {
	fio --minimal --output=/tmp/fio.out --verify_fatal=1 "$@" >/tmp/fio.log 2>&1 && return
	cat /tmp/fio.log
	grep -v '^3;' /tmp/fio.out
	return 1
}

# on_disk DISK OPTIONS...: past the page cache.
on_disk() {
	local disk=$1
	shift
	run_fio --filename="/dev/$disk" --direct=1 --ioengine=libaio "$@"
}

# write_model DISK: each 32 KiB of it, in any order, full of their offset, for the host's file
# to be compared with. What was written before, and comes late, spoils it.
write_model() {
	on_disk "$1" --name=model --rw=randwrite --bs=32k --iodepth=32 --verify=pattern \
		--verify_pattern=%o --do_verify=0 || return
	echo "guest: a model of $(($(cat "/sys/block/$1/size") / 2048)) MB"
}

# write_and_read DISK N [DEPTH]: each half of the disk by a job of its own, on a processor of
# its own; what was written is read back after some, and at the end.
write_and_read() {
	on_disk "$1" --rw=randrw --rwmixread=30 --bsrange="$sizes" --blockalign=512 \
		--iodepth="${3:-64}" --iodepth_batch_complete_min=1 --iodepth_batch_complete_max=16 \
		--number_ios=$(($2 / 2)) --io_size=64g --loops=1 --size=50% \
		--serialize_overlap=1 --verify=crc32c --verify_backlog=512 \
		--do_verify=1 --randrepeat=0 ${align:+--iomem_align="$align"} \
		--name=first --offset=0 --cpus_allowed=0 \
		--name=second --offset=50% --cpus_allowed="$second" && write_model "$1"
}

# writes_on DISK: until that fails, or for 40 s, past the page cache and through it.
writes_on() {
	fio --filename="/dev/$1" --rw=randwrite --bs=4k --rate_iops=200 --size=50% --time_based \
		--runtime=40 --output=/dev/null \
		--name=direct --direct=1 --ioengine=libaio --iodepth=8 \
		--name=cached --offset=50% --fsync=16 >/dev/null 2>&1
	true
}

# writes_late: to the disk that descriptor 3 was opened for, wherever that is by now.
writes_late() {
	head -c 4194304 /dev/urandom 2>/dev/null >&3
	sync
}

# is_zero DISK: nothing was written to it.
is_zero() { [ "$(dd if="/dev/$1" bs=64k iflag=direct 2>/dev/null | tr -d '\000' | wc -c)" = 0 ]; }

# overcommit MB [SECONDS]: so much memory, of files that are nowhere else, is written and read
# back, for so long at most.
overcommit() {
	run_fio --directory=/files --ioengine=mmap --name=memory --numjobs=4 \
		--size="$(($1 / 4))m" --rw=randwrite --bsrange=4k-64k --verify=crc32c \
		${2:+--runtime="$2"}
}

# meanwhile DISK N TROUBLE...: write_and_read, while the command is done again and again, until
# both have ended. Its failures are those of the case.
meanwhile() {
	local disk=$1 n=$2 status
	shift 2
	rm -f /tmp/done /tmp/failed
	while [ ! -e /tmp/done ]; do
		"$@" || { echo "guest: failed: $*"; touch /tmp/failed; break; }
	done &
	write_and_read "$disk" "$n"
	status=$?
	touch /tmp/done
	wait
	[ $status = 0 ] && [ ! -e /tmp/failed ]
}

# swapped out|in: MB.
swapped() { awk -v way="pswp$1" '$1 == way { print int($2 / 256) }' /proc/vmstat; }

available() { awk '$1 == "MemAvailable:" { print int($2 / 1024) }' /proc/meminfo; }

# overcommit_twice SECONDS: what is available twice, as far as the disk of 512 MB has room for it.
overcommit_twice() {
	local mb
	rm -f /files/*
	mb=$(available)
	overcommit $((mb < 384 ? 2 * mb : mb + 384)) "$1"
}

# swap DISK: twice as much memory is used as there is, while the channel is closed again and
# again, for swap_seconds, and until as much was swapped out as the guest has left while the host
# has the rest, which samples/dynmem gives it in one go: all that is available but 32 MB and an
# eighth. The first pass is for that, and ends when it has read back all; others go by the clock.
swap() {
	local end=$(($(seconds) + swap_seconds)) passes=1 status rest left usual
	local hung=/proc/sys/kernel/hung_task_timeout_secs
	rest=$(awk '$1 == "MemTotal:" { print int(32 + $2 / 8192) }' /proc/meminfo)
	mkdir -p /files
	mkswap "/dev/$1" >/dev/null && swapon "/dev/$1" && mount -t tmpfs -o size=2g tmpfs /files ||
		return
	# A guest in which all wait for the disk gives no sign of life either; the lab must not take it
	# for one that was lost.
	usual=$(cat $hung)
	echo 20 >$hung
	rm -f /tmp/done
	{
		sleep 3
		insmod vmbkmcl_dynmem.ko
		while [ ! -e /tmp/done ]; do reset "$1"; done
	} &
	overcommit $((2 * rest))
	status=$?
	while left=$((end - $(seconds))) && [ $status = 0 ] &&
		{ [ $left -gt 0 ] || [ "$(swapped out)" -le "$rest" ]; }; do
		overcommit_twice $((left < 30 ? 30 : left))
		status=$?
		passes=$((passes + 1))
	done
	touch /tmp/done
	wait
	echo "$usual" >$hung
	umount /files && swapoff "/dev/$1" && rmmod vmbkmcl_dynmem || return
	echo "guest: $passes passes, $(swapped out) MB were swapped out, $(swapped in) MB in"
	return $status
}
