# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2153
#
# The tree's compiler builds vmbhost, statically: L1 has no libraries for it.

need_vmbhost() {
	need_check_tree
	# One folder for each work tree: several share this cache.
	local dir
	dir=$CACHE/build/vmbhost-$(sha256sum <<<"$SOURCE" | cut -c1-8)
	mkdir -p "$dir"
	locked "build-${dir##*/}" quietly vmbhost in_tree ro "$CHECK" \
		"$SOURCE:/src" "$dir:/m" -- make -C /src/tools/vmbhost O=/m
	VMBHOST=$dir/vmbhost
}
