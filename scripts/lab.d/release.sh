# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2153
#
# Other releases than the first tree's, and its backports: a tree for each, with its stock
# kernel, headers and compiler, and the source of its kernel.

RELEASES='bookworm|backports|forky'
RELEASE_KERNEL=(linux-image-cloud-amd64 linux-headers-cloud-amd64 linux-source)
RELEASE_PACKAGES=(
	gcc make perl python3 bc flex bison libelf-dev libc6-dev
	bzip2 xz-utils zstd lz4 pahole kmod
	base-files bash coreutils dash diffutils findutils grep gzip hostname libc-bin mawk sed tar
)
CLANG=21
CLANG_PACKAGES=("clang-$CLANG" "lld-$CLANG" "llvm-$CLANG")

# need_release bookworm|backports|forky|clang: the last is backports with that compiler. It
# takes the second tree's place: what is built and run there has no other.
need_release() {
	local suite=$1 hook=true packages=("${RELEASE_KERNEL[@]}" "${RELEASE_PACKAGES[@]}")
	if [[ $1 =~ ^(backports|clang)$ ]]; then
		suite=$RELEASE hook=$TREE_HOOK
		packages=("${RELEASE_KERNEL[@]/%//$RELEASE-backports}" "${RELEASE_PACKAGES[@]}")
	fi
	[[ $1 != clang ]] || packages+=("${CLANG_PACKAGES[@]}")
	CHECK=$CACHE/$1-$(recipe <(echo "$suite" "${packages[@]}"))
	[[ -d $CHECK ]] || locked "$1-tree" make_release "$1" "$suite" "$hook" "${packages[@]}"
	used "$CHECK"
}

make_release() {
	[[ ! -d $CHECK ]] || return 0
	need_program mmdebstrap
	say "preparing a tree for $1 (once, about a minute)"
	local new=$WORK/$1
	patiently "$1-tree" extract_tree "$new" "${@:2}"
	quietly "$1-tree" in_tree rw "$new" "$LAB_D:/lab" -- bash /lab/vmlinux
	mv "$new" "$CHECK"
}

# extract_tree NEW RELEASE HOOK PACKAGES...: unpacked and not installed, which is good enough
# to build in and takes a third of the time. A release in the making may be out of date
# where the mirror is.
extract_tree() {
	rm -rf "$1" # what a try before this one left
	killable unshare --mount --propagation private --pid --fork --kill-child \
		--mount-proc env TMPDIR="$WORK" \
		mmdebstrap --variant=extract --include="$(IFS=,; echo "${*:4}")" \
		--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr --setup-hook="$3" \
		--aptopt='Acquire::Check-Valid-Until "false"' "$2" "$1" || return
	ln -sf dash "$1/usr/bin/sh"
	ln -sf mawk "$1/usr/bin/awk"
	mkdir -p "$1"/{lab,m,src,kernel}
	touch "$1/etc/resolv.conf" # to be mounted over
	chmod 755 "$1"
}

# need_stock stock|stock-RELEASE: the tree that has it, its name there, and its file.
need_stock() {
	need_tree
	STOCK=$TREE
	[[ $1 == stock ]] || { need_release "${1#stock-}" && STOCK=$CHECK; }
	# Of others there are only headers.
	STOCK_KERNEL=$(find "$STOCK/usr/lib/modules" -maxdepth 2 -name kernel -printf '%P\n' |
		sort -V | tail -n 1)
	STOCK_KERNEL=${STOCK_KERNEL%/kernel}
	STOCK_IMAGE=$STOCK/boot/vmlinuz-$STOCK_KERNEL
	[[ -e $STOCK_IMAGE ]] || STOCK_IMAGE=$STOCK/usr/lib/modules/$STOCK_KERNEL/vmlinuz
}
