# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The KUnit kernel: Debian's source, kunit/kernel.config, the tree's compiler.

need_kernel() {
	need_check_tree
	local config=$SOURCE/kunit/kernel.config
	[[ -f $config ]] || config=$LAB_D/../../kunit/kernel.config
	KERNEL=$CACHE/kernel-$(kernel_key)
	[[ -d $KERNEL ]] || locked kernel make_kernel
	used "$KERNEL"
}

# What the kernel is made of: configuration, source, compiler.
kernel_key() {
	{
		cat "$config" "$LAB_D"/{kernel.sh,build-kernel}
		grep -A8 -E '^Package: (linux-source-6.12|gcc-14)$' "$CHECK/var/lib/dpkg/status" |
			grep '^Version:'
	} | sha256sum | cut -c1-12
}

make_kernel() {
	[[ ! -d $KERNEL ]] || return 0
	say "building the KUnit kernel (once, a few minutes)"
	local new=$WORK/kernel
	mkdir "$new"
	cp "$config" "$new/lab.config"
	quietly kernel in_tree ro "$CHECK" "$new:/kernel" "$LAB_D:/lab" -- \
		bash /lab/build-kernel
	mv "$new" "$KERNEL"
}

# lab in: a command in a tree, for checkers and the like.
lab_in() {
	local which=${1:-}
	shift || true
	prepare
	case $which in
	tree) need_tree && CHECK=$TREE ;;
	tree-check) need_check_tree ;;
	kunit) need_kernel ;;
	*) die "in: which tree?" ;;
	esac
	killable in_tree ro "$CHECK" "$SOURCE:/src" ${KERNEL:+"$KERNEL:/kernel"} -- "$@"
}
