# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
#
# What the scripts of this folder share. They run in a tree that is theirs alone, with the
# archive in /m and two kernels in /lib/modules.

set -uo pipefail

work=/tmp/work
mkdir -p "$work"
worst=0

# check NAME COMMAND...: output only if it fails.
check() {
	if "${@:2}" >"$work/log" 2>&1; then
		echo "ok - $1"
	else
		echo "not ok - $1: $(tail -n 1 "$work/log")"
		sed 's/^/  /' "$work/log"
		worst=1
	fi
}

archive=$(echo /m/vmbkmcl-*.tar.gz)
version=${archive#/m/vmbkmcl-}
version=${version%.tar.gz}
next=$version.1
kernels=$(cd /lib/modules && echo */build | sed "s,/build,,g")

# unpacked VERSION: the archive, or as it will be in the next release.
unpacked() {
	[[ -d $work/vmbkmcl-$1 ]] && return
	mkdir "$work/vmbkmcl-$1"
	tar -C "$work/vmbkmcl-$1" --strip-components=1 -xf "$archive"
	[[ $1 == "$version" ]] || sed -i "s/$version/$1/" \
		"$work/vmbkmcl-$1"/{dkms.conf,debian/changelog,packaging/vmbkmcl.spec}
}

# installed VERSION: each kernel has both modules once, of that version.
installed() {
	local kernel module file
	for kernel in $kernels; do
		for module in vmbkmcl vmbkmcl_hv vmbkmcl_wdf; do
			file=$(find "/lib/modules/$kernel/" -name "$module.ko*")
			[[ $(modinfo -F version "$file") == "$1" ]] ||
				{ echo "$module for $kernel: ${file:-none}, not of $1" && return 1; }
		done
	done
}

# kmclstat is there, and says why there is nothing to see.
tool() {
	[[ $(kmclstat --once 2>&1) == 'kmclstat: vmbkmcl is not loaded (modprobe vmbkmcl)' ]]
}

gone() {
	! find /lib/modules /var/lib/dkms -name 'vmbkmcl*' | grep . &&
		! grep vmbkmcl /lib/modules/*/modules.{dep,alias,softdep}
}

# client KERNEL: the example, out of the tree, against what is installed.
client() {
	rm -rf "$work/hello" && cp -r "$hello" "$work/hello" || return
	make -C "$work/hello" KDIR="/lib/modules/$1/build" || return
	modinfo -F alias "$work/hello/hello.ko" | grep -x 'vmbus:6c6c6568006f4d4b434c000000000001' &&
		modinfo -F import_ns "$work/hello/hello.ko" | grep -x VMBKMCL &&
		! grep -iE '\bwarning\b' "$work/log"
}

clients() {
	local kernel
	for kernel in $kernels; do
		client "$kernel" || return
	done
}
