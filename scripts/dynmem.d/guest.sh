#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
#
# In the guest: a KMCL client gives 128 MiB to the host and gets them back.

# MiB that are free. MemFree leaves out the lists of each processor, which hold some
# 10 MiB of them now and then.
free_now() {
	awk '$1 == "nr_free_pages" || $1 == "count:" { n += $2 }
	     END { print int(n / 256) }' /proc/zoneinfo
}

# The same when it has come to rest: at boot memory is given back for a while.
free_settled() {
	local before after tries=10
	after=$(free_now)
	until [ "$after" = "$before" ] || [ $tries = 0 ]; do
		before=$after
		sleep 2
		after=$(free_now)
		tries=$((tries - 1))
	done
	echo "$after"
}

# happened TEXT SECONDS: waits for a line of the kernel's log.
happened() {
	local left=$2
	until dmesg | grep -q "$1"; do
		left=$((left - 1))
		if [ $left -le 0 ]; then
			echo "not within $2 s: $1"
			return 1
		fi
		sleep 1
	done
}

echo "Linux $(uname -r), $(dmesg | grep -o 'Hypervisor detected: .*')"
modprobe hv_vmbus
for module in vmbkmcl vmbkmcl_hv vmbkmcl_wdf vmbkmcl_dynmem; do
	echo "# insmod $module.ko"
	insmod $module.ko || exit 1
done

happened 'dynmem: capabilities accepted' 30 || exit 1
before=$(free_settled)
echo "free: $before MiB before"

happened 'dynmem: balloon up' 120 || exit 1
between=$(free_settled)
echo "free: $between MiB with the balloon"

happened 'dynmem: balloon down' 60 || exit 1
after=$(free_settled)
echo "free: $after MiB afterwards"

for module in vmbkmcl_dynmem vmbkmcl_wdf vmbkmcl_hv vmbkmcl; do
	echo "# rmmod $module"
	rmmod $module || exit 1
done
if grep vmbkmcl /proc/modules; then
	echo "still loaded"
	exit 1
fi

# The balloon's pages were really gone, and really came back.
[ $((before - between)) -ge 120 ] || { echo "the pages were not taken"; exit 1; }
[ $((before - after)) -le 16 ] || { echo "memory is missing"; exit 1; }
