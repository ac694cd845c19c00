# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=busybox disable=SC2154 # shared with guest.sh
#
# What has the disks busy, and looks whether it is all right.

# on_disk DISK OPTIONS...: fio, past the page cache.
on_disk() {
	local disk=$1
	shift
	fio --minimal --output=/tmp/fio.out --filename="/dev/$disk" --direct=1 --ioengine=libaio \
		--verify_fatal=1 "$@" >/tmp/fio.log 2>&1 && return
	cat /tmp/fio.log
	grep -v '^3;' /tmp/fio.out
	return 1
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
	on_disk "$1" --rw=randrw --rwmixread=30 --bsrange=4k-160k --blockalign=512 \
		--iodepth="${3:-64}" --iodepth_batch_complete_min=1 --iodepth_batch_complete_max=16 \
		--number_ios=$(($2 / 2)) --io_size=64g --loops=1 --size=50% \
		--serialize_overlap=1 --verify=crc32c --verify_backlog=512 \
		--do_verify=1 --randrepeat=0 \
		--name=first --offset=0 --cpus_allowed=0 \
		--name=second --offset=50% --cpus_allowed="$second" && write_model "$1"
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
