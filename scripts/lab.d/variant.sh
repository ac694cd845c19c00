# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2153
#
# Kernels beside the KUnit kernel: kunit/NAME.config, laid over kernel.config.

# Is NAME a kernel that modules can be built for?
known_kernel() {
	[[ $1 =~ ^(stock|kunit)$ ]] || is_arm64 "$1" || [[ $1 =~ ^[a-z]+$ && $1 != kernel &&
		-f $SOURCE/kunit/$1.config ]]
}

# need_kernel_named kunit|arm64-4k|arm64-64k|VARIANT
need_kernel_named() {
	[[ $1 != kunit ]] || { need_kernel && return; }
	! is_arm64 "$1" || { need_arm64_kernel "$1" && return; }
	case " $NEWEST_VARIANTS " in
	*" $1 "*) need_newest_tree ;;
	*) need_check_tree ;;
	esac
	local config=$WORK/$1.config
	overlaid "$SOURCE/kunit/kernel.config" "$SOURCE/kunit/$1.config" >"$config"
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
	if [[ $1 == stock ]] || ! known_kernel "$1"; then
		die "no such kernel to build: $1"
	fi
	prepare
	need_kernel_named "$1"
	echo "$KERNEL"
}
