#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# In the tree: each way to install the modules, from nothing to nothing, for two kernels.
# Leaves what a guest loads, of the Debian packages, in /m/modules.tar. With --share: the
# Debian packages alone, installed for the guest's kernel.

# shellcheck disable=SC2317,SC2154,SC2034 # functions are called by their names, variables are of lib.sh

# shellcheck source=/dev/null
. "$(dirname "$0")/deb.sh"

# The tree leaves such files of packages out; the example is one. In a tree DKMS takes
# the machine's kernel for the one that runs.
rm -f /etc/dpkg/dpkg.cfg.d/99mmdebstrap
echo 'autoinstall_all_kernels=yes' >/etc/dkms/framework.conf.d/all.conf

# dkms_for_all VERB VERSION
dkms_for_all() {
	local kernel
	for kernel in $kernels; do
		dkms "$1" "vmbkmcl/$2" -k "$kernel" || return
	done
}

dkms_add() {
	unpacked "$1" && dkms add "$work/vmbkmcl-$1" && dkms_for_all build "$1" &&
		dkms_for_all install "$1" && installed "$1"
}

dkms_remove() {
	dkms remove "vmbkmcl/$next" --all && dkms remove "vmbkmcl/$version" --all && gone &&
		rm -r /usr/src/vmbkmcl-* # which DKMS keeps
}

deb_install() {
	dpkg -i "$work/deb-$1"/*.deb && installed "$1" && tool &&
		[[ $(echo /usr/src/vmbkmcl-*) == "/usr/src/vmbkmcl-$1" ]]
}

deb_purge() {
	dpkg -P vmbkmcl-dev vmbkmcl-dkms && gone && [[ ! -e /usr/bin/kmclstat ]] && ! ls -d /usr/{include,share,src}/vmbkmcl*
}

# for_guest KERNEL: as modprobe loads them, but not compressed.
for_guest() {
	local dir=$work/modules/lib/modules/$1/updates
	mkdir -p "$dir" && client "$1" || return
	cp /lib/modules/"$1"/updates/dkms/vmbkmcl*.ko* "$work/hello/hello.ko" "$dir/" || return
	! ls "$dir"/*.xz >/dev/null 2>&1 || xz -d "$dir"/*.xz
	tar -C "$work/modules" -cf /m/modules.tar lib
}

# The client is not DKMS' own here: it is signed by hand, with the same key.
secure_boot() {
	local dir=$work/secure
	mkdir "$dir" && cp /lib/modules/"$1"/updates/dkms/vmbkmcl.ko* "$work/hello/hello.ko" "$dir/" &&
		cp "$dir/hello.ko" "$dir/unsigned.ko" || return
	! ls "$dir"/*.xz >/dev/null 2>&1 || xz -d "$dir"/*.xz
	"/lib/modules/$1/build/scripts/sign-file" sha256 /var/lib/dkms/mok.key \
		/var/lib/dkms/mok.pub "$dir/hello.ko" && bash /m/package.d/secure-boot.sh "$dir"
}

# What `make install` installs is the last kernel's only.
make_install() {
	local kernels=$1
	unpacked "$version"
	make -C "$work/vmbkmcl-$version" KDIR="/lib/modules/$1/build" install &&
		installed "$version" && client "$1" && tool
}

make_uninstall() {
	make -C "$work/vmbkmcl-$version" KDIR="/lib/modules/$1/build" uninstall && gone &&
		[[ ! -e /usr/bin/kmclstat ]] &&
		! find /usr/include /usr/share /usr/lib -name 'vmbkmcl*' | grep .
}

# staged KERNEL: into another tree, which is all that changes.
staged() {
	make -C "$work/vmbkmcl-$version" KDIR="/lib/modules/$1/build" DESTDIR="$work/stage" \
		PREFIX=/opt/kmcl install && gone || return
	(cd "$work/stage" && ls lib/modules/"$1"/updates/vmbkmcl/vmbkmcl_{hv,wdf}.ko* \
		opt/kmcl/{share/vmbkmcl/vmbkmcl.mk,include/vmbkmcl/nt/wdm.h,bin/kmclstat} \
		opt/kmcl/lib/vmbkmcl/"$1"/Module.symvers)
}

without_symbols() {
	! client "$1" || return
	grep -q 'vmbkmcl is not installed for the kernel' "$work/log"
}

rpm_built() {
	rpmbuild --nodeps --define "_topdir $work/rpm" -ta "$archive" &&
		rpm -qpl "$work"/rpm/RPMS/noarch/*.rpm | grep "^/usr/src/vmbkmcl-$version/dkms.conf"
}

stock=$(cd /lib/modules && echo *-cloud-amd64)
hello=/usr/share/doc/vmbkmcl-dev/examples/hello

if [[ ${1:-} == --share ]]; then
	kernels=$stock
	rm -r /lib/modules/*-rt-*
	check 'deb: installed' deb_install "$version"
	check 'deb: the example builds out of the tree, and a guest has its modules' for_guest "$stock"
	exit "$worst"
fi
check "DKMS: $version is added, built and installed for $(wc -w <<<"$kernels") kernels" dkms_add "$version"
check 'DKMS: a higher version takes its place' dkms_add "$next"
check 'DKMS: removed, and gone' dkms_remove
check 'deb: installed' deb_install "$version"
check 'deb: the example builds out of the tree, for each kernel' clients
check 'deb: a guest has its modules' for_guest "$stock"
check 'Secure Boot: what DKMS has signed is loaded, and nothing else' secure_boot "$stock"
check 'deb: the next version is made' deb "$next"
check 'deb: upgraded' deb_install "$next"
check 'deb: the example builds against that' client "$stock"
check 'deb: purged, and gone' deb_purge
unpacked "$version"
hello=$work/vmbkmcl-$version/examples/hello
mkdir -p /usr/share/vmbkmcl && cp "$work/vmbkmcl-$version/vmbkmcl.mk" /usr/share/vmbkmcl/
check 'a client is told where there are no modules' without_symbols "$stock"
rm -r /usr/share/vmbkmcl
check 'make install: modules, and the example builds' make_install "$stock"
check 'make uninstall: gone' make_uninstall "$stock"
check 'make install with DESTDIR and PREFIX changes nothing else' staged "$stock"
check 'RPM packages are made' rpm_built
exit "$worst"
