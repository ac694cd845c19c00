# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2153
#
# The third tree: as the second, with the newest kernel's source that the release's
# backports have. For the variants of the KUnit kernel that are about what is new.

NEWEST_VARIANTS='rt'
NEWEST_PACKAGES=("linux-source/$RELEASE-backports")

# The second tree's place is taken: what is built and run there has no other.
need_newest_tree() {
	need_check_tree
	local base=$CHECK
	CHECK=$CACHE/newest-$(recipe <(echo "$base" "${NEWEST_PACKAGES[@]}"))
	[[ -d $CHECK ]] || locked newest-tree make_newest_tree "$base"
	used "$CHECK"
}

make_newest_tree() {
	[[ ! -d $CHECK ]] || return 0
	say "preparing a third tree with the newest kernel's source (once, about a minute)"
	local new=$WORK/newest
	patiently newest-tree download_onto "$new" "$1" "${NEWEST_PACKAGES[@]}"
	mv "$new" "$CHECK"
}
