#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
#
# In the guest: nothing is loaded by name. A device comes, the kernel tells user space
# its modalias, and busybox' mdev does with that what udev does. By kmod's programs: this
# shell would take those of busybox, which know no softdeps.

# shellcheck disable=SC2317 # functions are called by their names

modprobe=/usr/sbin/modprobe
worst=0
check() {
	name=$1
	shift
	if "$@"; then
		echo "guest: ok - $name"
	else
		echo "guest: not ok - $name"
		worst=1
	fi
}

# soon COMMAND...: within 20 s.
soon() {
	tries=100
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		usleep 200000
	done
}

loaded() {
	lsmod | grep -q "^$1 "
}

# answered N: so many times by now.
answered() {
	[ "$(dmesg | grep -c 'hello: the host has answered: status 00000000')" = "$1" ]
}

gone() {
	[ -z "$(ls /sys/bus/vmbus/devices)" ]
}

$modprobe hv_vmbus || exit 1
tar -C / -xf modules.tar
: >"/lib/modules/$(uname -r)/modules.order" # which depmod asks for
/usr/sbin/depmod
echo "guest: vmbkmcl $(/usr/sbin/modinfo -F version vmbkmcl), $(/usr/sbin/modinfo -n vmbkmcl)"
echo "\$MODALIAS=.* 0:0 660 @$modprobe \"\$MODALIAS\"" >/etc/mdev.conf
mdev -d
check 'nothing is loaded before there is a device' eval '! loaded hello && ! loaded vmbkmcl'
echo 'guest: the device may come'
check 'the device brings its driver' soon loaded hello
check 'and that the library and its transport' soon loaded vmbkmcl_hv
check 'the host answers' soon answered 1
rmmod hello vmbkmcl_hv vmbkmcl
check 'all are unloaded' eval '! lsmod | grep -E "hello|vmbkmcl"'
for device in /sys/bus/vmbus/devices/*; do
	$modprobe "$(cat "$device/modalias")"
done
check 'modprobe takes the modalias of the device' loaded hello
soon answered 2
rmmod hello vmbkmcl_hv vmbkmcl

# Nothing can be loaded any more once the kernel is locked down, as no key of the guest's
# kernel has signed it: so before.
echo 'guest: the device may go'
check 'the host withdraws the device' soon gone
$modprobe hello
mount -t securityfs security /sys/kernel/security
echo confidentiality >/sys/kernel/security/lockdown
check 'the kernel is locked down' grep -F '[confidentiality]' /sys/kernel/security/lockdown
echo 'guest: the device may come back'
check 'the host answers all the same' soon answered 3
exit "$worst"
