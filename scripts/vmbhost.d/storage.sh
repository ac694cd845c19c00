#!/bin/busybox sh
# shellcheck shell=dash disable=SC2016,SC2086,SC2154,SC2317
# SPDX-License-Identifier: GPL-2.0
#
# In the guest: Linux' own driver, hv_storvsc, on vmbhost's disks. They are told apart by
# their size.

dmesg -n 3
failed=0

check() {
	if eval "$2"; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		failed=1
	fi
}

# disk MB: its name, when it is there.
disk() {
	tries=0
	while [ $tries -lt 100 ]; do
		for size in /sys/block/sd*/size; do
			[ "$(cat "$size" 2>/dev/null)" != $(($1 * 2048)) ] || {
				basename "${size%/size}"
				return
			}
		done
		usleep 100000
		tries=$((tries + 1))
	done
	return 1
}

# gone DISK
gone() {
	tries=0
	while [ -e "/sys/block/$1" ] && [ $tries -lt 100 ]; do
		usleep 100000
		tries=$((tries + 1))
	done
	[ $tries -lt 100 ]
}

# What is copied, in /usr.
tree='sbin lib/modules'

# same DIR: each file of it is there, and the same.
same() {
	! (cd /usr && find $tree -type f | while read -r file; do
		cmp "$file" "$1/$file" || echo "$file differs"
	done) | grep .
}

# copied: to /mnt a tree, twice, and one of them removed.
copied() {
	tar -C /usr -cf /tmp/tree $tree && mkdir /mnt/one /mnt/two &&
		tar -C /mnt/one -xf /tmp/tree && tar -C /mnt/two -xf /tmp/tree && rm -r /mnt/one
}

# files DISK: a file system, with a tree copied to it, is what it should be.
files() {
	mkfs.ext4 -q -F "/dev/$1" && mount -t ext4 -o discard "/dev/$1" /mnt || return
	copied
	status=$?
	umount /mnt && [ $status = 0 ] && e2fsck -f -n "/dev/$1" >/tmp/fsck 2>&1 &&
		echo 3 >/proc/sys/vm/drop_caches && mount -t ext4 -o ro "/dev/$1" /mnt || return
	same /mnt/two
	status=$?
	umount /mnt && return $status
}

# verify OPTIONS...: fio writes, reads and compares, past the page cache.
verify() {
	fio --direct=1 --ioengine=libaio --group_reporting --verify_fatal=1 --output=/tmp/fio "$@" &&
		return
	tail -n 30 /tmp/fio
	return 1
}

# Sizes and places by chance, at several depths; a disk whose each 4 KiB say where they are.
random() {
	set -- --rw=randwrite --bsrange=512-128k --verify=crc32c
	verify --name=shallow --filename="/dev/$disk_64" --size=8m "$@" --iodepth=1 \
		--name=deep --filename="/dev/$disk_64" --offset=8m --size=24m "$@" --iodepth=32 \
		--name=late --filename="/dev/$disk_48" --size=24m "$@" --iodepth=8 \
		--name=file --filename="/dev/$disk_16" --rw=randwrite --bs=4k --iodepth=16 \
		--verify=pattern --verify_pattern=%o
}

# blocks DISK COUNT: blocks of 4 KiB, each with its own number.
write_blocks() {
	awk -v blocks="$2" 'BEGIN { for (i = 0; i < blocks; i++) printf "%4095d\n", i }' >/tmp/blocks
	dd if=/tmp/blocks of="/dev/$1" bs=4096 oflag=direct 2>/dev/null
}

# same_blocks DISK: they are there.
same_blocks() {
	dd if="/dev/$1" bs=4096 count="$(($(wc -c </tmp/blocks) / 4096))" iflag=direct 2>/dev/null |
		cmp - /tmp/blocks
}

unmapped() {
	blkdiscard -o 8M "/dev/$disk_16" &&
		! dd if="/dev/$disk_16" bs=64k skip=128 iflag=direct 2>/dev/null | tr -d '\000' | grep -q .
}

# A read that fails does so at once, a write is done again. What can be read is right.
failing() {
	write_blocks "$disk_32" 1024 && ! same_blocks "$disk_32" 2>/dev/null &&
		verify --name=failing --filename="/dev/$disk_32" --size=8m --rw=randwrite \
			--bsrange=4k-64k --iodepth=8 --verify=crc32c --error_dump=0 \
			--ignore_error=61,61,61
}

# ended DISK: how many reads and writes.
ended() {
	awk '{ print $1 + $5 }' "/sys/block/$1/stat"
}

# hv_storvsc waits for ever for the answer to a request, unless the bus is reset: then
# those that had none are sent again. Linux waits 10 s behind each reset.
losing() {
	{ write_blocks "$disk_8" 1024 && same_blocks "$disk_8"; } &
	writer=$!
	resets=0
	while kill -0 $writer 2>/dev/null && [ $resets -lt 6 ]; do
		before=$(ended "$disk_8")
		sleep 3
		[ "$(ended "$disk_8")" = "$before" ] || continue
		sg_reset --no-esc --host "/dev/$disk_8" >/dev/null
		resets=$((resets + 1))
	done
	[ $resets -gt 0 ] && [ $resets -lt 6 ] && wait $writer
}

# Told to be none, the cache is not flushed; see below.
idle_rescind() {
	write_blocks "$disk_24" 1024 &&
		echo 'temporary write through' >"$(echo /sys/block/"$disk_24"/device/scsi_disk/*/cache_type)" &&
		echo 'withdraw it' && gone "$disk_24" && disk_24=$(disk 24) && same_blocks "$disk_24"
}

# hv_storvsc never ends what the host has been sent and did not answer before it withdrew
# the disk, nor what is sent afterwards, be it to flush the disk's cache as it goes. That is
# said; it is no fault of the host's. The reader takes longer than that.
busy_rescind() {
	dd if="/dev/$disk_24" of=/dev/null bs=512 iflag=direct 2>/dev/null &
	reader=$!
	echo 'withdraw it under load'
	gone "$disk_24"
	sleep 2
	if kill -0 $reader 2>/dev/null; then
		echo "# $(uname -r): a read that was under way as its disk was withdrawn never ends"
	else
		echo "# $(uname -r): a read that was under way as its disk was withdrawn ends"
	fi
}

mkdir -p /mnt
modprobe hv_storvsc
modprobe sd_mod
for size in 64 16 48 32 8 24; do
	name=$(disk $size) || name=
	check "a disk of $size MB is there" '[ -n "$name" ]'
	eval "disk_$size=$name"
done
check 'two disks are one controller' \
	'[ "$(readlink "/sys/block/$disk_64/device" | sed "s/[0-9]*$//")" = \
	   "$(readlink "/sys/block/$disk_16/device" | sed "s/[0-9]*$//")" ]'
check 'a file system keeps what was copied to it' 'files "$disk_64"'
check 'so it does where answers are late, swapped, and short' 'files "$disk_48"'
check 'what is written at random, in all sizes, at once and deep, is read' random
check 'unmapped blocks are zero' unmapped
check 'a read that fails is told, a write that does is done again' failing
check 'what has no answer waits until the bus is reset, and is done then' losing
check 'a disk that is withdrawn comes back as it was' idle_rescind
busy_rescind
exit $failed
