# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2153
#
# Kernels of another architecture, with pages of 4 KiB and of 64 KiB: configured and no
# more, as they are there to build modules for. A cross compiler lies beside the second
# tree, in its /opt.

ARM64_MAKE=(ARCH=arm64 CROSS_COMPILE=/opt/usr/bin/aarch64-linux-gnu-
	LD_LIBRARY_PATH=/opt/usr/lib/x86_64-linux-gnu)

is_arm64() { [[ $1 =~ ^arm64-(4k|64k)$ ]]; }

need_arm64_kernels() {
	local config=$LAB_D/arm64.config
	need_check_tree
	need_programs gcc-aarch64-linux-gnu
	KERNEL=$CACHE/kernel-arm64-$(recipe <(kernel_key; echo "$PROGRAMS" "${ARM64_MAKE[@]}") \
		"$LAB_D/prepare-arm64")
	[[ -d $KERNEL ]] || locked arm64-kernels make_arm64_kernels
	used "$KERNEL"
}

make_arm64_kernels() {
	[[ ! -d $KERNEL ]] || return 0
	say "preparing kernels of arm64 to build modules for (once, about a minute)"
	local new=$WORK/kernel
	mkdir "$new"
	quietly kernel in_tree ro "$CHECK" "$new:/kernel" "$LAB_D:/lab" "$PROGRAMS:/opt" -- \
		bash /lab/prepare-arm64 "${ARM64_MAKE[@]}"
	mv "$new" "$KERNEL"
}
