#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
#
# In the guest: a disk over KMCL, with a file system on it.

# run COMMAND...: shown, and no further if it fails.
run() {
	echo "# $*"
	"$@" || { echo "failed: $*" && exit 1; }
}

# wait_for SECONDS COMMAND...
wait_for() {
	left=$(($1 * 10))
	shift
	until "$@" >/dev/null 2>&1; do
		left=$((left - 1))
		[ $left -gt 0 ] || { echo "did not come about: $*" && exit 1; }
		usleep 100000
	done
}

# Each file of /usr is in the folder, and the same.
same() {
	(cd /usr && find . -type f | while read -r file; do
		cmp "$file" "$1/$file" || echo "differs: $file"
	done) >/tmp/differs 2>&1
	[ ! -s /tmp/differs ] || { cat /tmp/differs && return 1; }
	echo "$(find "$1" -type f | wc -l) files are the same"
}

reads_and_writes() {
	awk '{ print $1 + $5 }' /sys/block/sda/stat
}

echo "Linux $(uname -r), $(dmesg | grep -o 'Hypervisor detected: .*')"
mkdir -p /mnt
modprobe sd_mod
run modprobe hv_storvsc
wait_for 20 test -b /dev/sda
driver=$(basename "$(readlink /sys/bus/vmbus/devices/*/driver)")
echo "the controller is $driver's"
for device in /sys/bus/vmbus/drivers/hv_storvsc/*-*; do
	echo "# echo ${device##*/} >/sys/bus/vmbus/drivers/hv_storvsc/unbind"
	echo "${device##*/}" >/sys/bus/vmbus/drivers/hv_storvsc/unbind
done
# A new offer would be that driver's again.
run rmmod hv_storvsc
for module in vmbkmcl vmbkmcl_hv vmbkmcl_wdf vmbkmcl_disk; do
	run insmod $module.ko
done
wait_for 20 test -b /dev/sda
wait_for 20 test -b /dev/sdb
echo "the controller is $(cat /sys/class/scsi_host/host*/proc_name)'s"
for disk in sda sdb; do
	set -- /sys/block/$disk/mq/*
	echo "$disk: $(($(cat /sys/block/$disk/size) / 2048)) MB, $# queues"
done

run mkfs.ext4 -q -F /dev/sda
run mount -t ext4 /dev/sda /mnt
run cp -r /usr /mnt/one
run umount /mnt
run e2fsck -f -n /dev/sda
echo 3 >/proc/sys/vm/drop_caches
run mount -t ext4 /dev/sda /mnt
same /mnt/one || exit 1

# Files with what was written, one after the other, each flushed to the disk.
(
	i=0
	while [ ! -e /tmp/enough ]; do
		i=$((i + 1))
		mkdir "/mnt/load$i" || exit 1
		cp -r /usr/bin /usr/sbin "/mnt/load$i/" || exit 1
		sync -f "/mnt/load$i" || exit 1
		echo $i >/tmp/rounds
		[ $i -lt 3 ] || rm -r "/mnt/load$((i - 2))" || exit 1
	done
) &
load=$!
wait_for 30 test -s /tmp/rounds
echo "writing, with the controller there"
wait_for 30 sh -c '! ls /sys/bus/vmbus/devices/*/channels'
sleep 1
before=$(reads_and_writes)
sleep 1
[ "$before" = "$(reads_and_writes)" ] || { echo 'something was written nevertheless' && exit 1; }
kill -0 $load || { echo 'the file system gave up' && exit 1; }
echo "still writing, without it: what it writes waits"
before=$(cat /tmp/rounds)
wait_for 30 sh -c "[ \$(cat /tmp/rounds) -ge $((before + 2)) ]"
touch /tmp/enough
wait $load || { echo 'the file system failed' && exit 1; }
echo "went on when it was back: $before rounds before, $(cat /tmp/rounds) now"
dmesg | grep -E 'I/O error|EXT4-fs (error|warning)' && exit 1

run umount /mnt
run e2fsck -f -n /dev/sda
echo 3 >/proc/sys/vm/drop_caches
run mount -t ext4 -o ro /dev/sda /mnt
same /mnt/one || exit 1
run umount /mnt

for module in vmbkmcl_disk vmbkmcl_wdf vmbkmcl_hv vmbkmcl; do
	run rmmod $module
done
if grep vmbkmcl /proc/modules; then
	echo "still loaded"
	exit 1
fi
