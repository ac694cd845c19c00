# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2153
#
# The tree in which packages are made and tried: the first one with what makes them, and
# with the headers of a second kernel. A run may change it as it likes: what it writes
# lies in a folder of the run's own.

PACKAGE_PACKAGES=(
	build-essential debhelper dh-dkms dkms lintian rpm
	ovmf shim-signed grub-efi-amd64-signed python3-virt-firmware mtools dosfstools openssl
	"linux-headers-rt-amd64/$RELEASE-backports"
)

need_package_tree() {
	need_tree
	PACKAGE=$CACHE/package-$(recipe <(echo "$TREE" "${PACKAGE_PACKAGES[@]}"))
	[[ -d $PACKAGE ]] || locked package-tree make_package_tree
	used "$PACKAGE"
}

make_package_tree() {
	[[ ! -d $PACKAGE ]] || return 0
	say "preparing a tree that makes packages (once, about a minute)"
	local new=$WORK/package
	patiently package-tree download_onto "$new" "$TREE" "${PACKAGE_PACKAGES[@]}"
	mv "$new" "$PACKAGE"
}

# lab scratch DIR COMMAND...
lab_scratch() {
	local dir=${1:-}
	[[ -d $dir ]] || die "scratch: no such folder: ${dir:-(none is named)}"
	shift
	prepare
	need_package_tree
	mkdir "$WORK/scratch"
	SCRATCH=$WORK/scratch killable in_tree scratch "$PACKAGE" "$(realpath "$dir"):/m" -- "$@"
}
