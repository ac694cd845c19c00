#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
#
# In the guest: a KMCL client gives 128 MiB to the host and gets them back.

memfree() {
	awk '/^MemFree/ { print int($2 / 1024) }' /proc/meminfo
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
for module in vmbkmcl vmbkmcl_hv vmbkmcl_dynmem; do
	echo "# insmod $module.ko"
	insmod $module.ko || exit 1
done

happened 'dynmem: capabilities accepted' 30 || exit 1
before=$(memfree)
echo "MemFree: $before MiB before"

happened 'dynmem: balloon up' 120 || exit 1
sleep 1
between=$(memfree)
echo "MemFree: $between MiB with the balloon"

happened 'dynmem: balloon down' 60 || exit 1
sleep 1
after=$(memfree)
echo "MemFree: $after MiB afterwards"

for module in vmbkmcl_dynmem vmbkmcl_hv vmbkmcl; do
	echo "# rmmod $module"
	rmmod $module || exit 1
done
if grep vmbkmcl /proc/modules; then
	echo "still loaded"
	exit 1
fi

# The balloon's pages were really gone, and really came back.
[ $((before - between)) -ge 120 ] || { echo "MemFree did not follow"; exit 1; }
[ $((before - after)) -le 16 ] || { echo "memory is missing"; exit 1; }
