# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2153
#
# Kernels beside the KUnit kernel: kunit/NAME.config, laid over kernel.config.

is_stock() { [[ $1 =~ ^stock(-($RELEASES))?$ ]]; }

# Is NAME a kernel that modules can be built for?
known_kernel() {
	is_stock "$1" || [[ $1 == kunit ]] || is_arm64 "$1" || [[ $1 =~ ^[a-z]+$ && $1 != kernel &&
		-f $SOURCE/kunit/$1.config ]]
}

# need_kernel_named kunit|arm64-4k|arm64-64k|VARIANT
need_kernel_named() {
	[[ $1 != kunit ]] || { need_kernel && return; }
	! is_arm64 "$1" || { need_arm64_kernel "$1" && return; }
	local config=$SOURCE/kunit/kernel.config over=$1
	case $1 in
	bookworm | backports) need_release "$1" ;;
	rt) need_release backports && over="backports $1" ;;
	cfi) need_release clang && over="backports $1" ;;
	*) need_check_tree ;;
	esac
	for over in $over; do
		overlaid "$config" "$SOURCE/kunit/$over.config" >"$WORK/$over.config"
		config=$WORK/$over.config
	done
	KERNEL=$CACHE/kernel-$1-$(recipe <(kernel_key; echo "$CHECK"))
	[[ -d $KERNEL ]] || locked kernel make_kernel
	used "$KERNEL"
}

# An option that both name is as the second says.
overlaid() {
	awk -F '[ =]' '
	function option() { return $1 == "#" ? $2 : $1 }
	!/CONFIG_/ { next }
	FILENAME == ARGV[1] { over[option()]; print; next }
	!(option() in over)' "$2" "$1"
}

lab_kernel() {
	if is_stock "$1" || ! known_kernel "$1"; then
		die "no such kernel to build: $1"
	fi
	prepare
	need_kernel_named "$1"
	echo "$KERNEL"
}
