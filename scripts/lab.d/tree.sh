# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The trees: Debian releases in a folder, with the kernel, compiler and QEMU
# that everything else uses, so that the machine's own versions do not matter.

RELEASE=trixie

TREE_PACKAGES=(
	linux-image-cloud-amd64 linux-headers-cloud-amd64 gcc make
	perl # for the kernel-doc that W=1 runs
	qemu-system-x86 seabios busybox-static kmod xz-utils
)
# QEMU as of its backports: up to 10.1 its emulator changes a processor's pending
# interrupts without a lock where a nested guest is entered or left, and loses some.
# shellcheck disable=SC2016 # $1 is the tree, for the shell that runs it
TREE_HOOK='sed -n "s/ '$RELEASE' main.*/ '$RELEASE'-backports main/p" "$1/etc/apt/sources.list" \
	>"$1/etc/apt/sources.list.d/backports.list"
printf "Package: qemu-* seabios\nPin: release n='$RELEASE'-backports\nPin-Priority: 600\n" \
	>"$1/etc/apt/preferences.d/qemu"'
CHECK_PACKAGES=(
	linux-source-6.12 bc flex bison libelf-dev libc6-dev python3 bzip2
	sparse shellcheck codespell gcc-mingw-w64-x86-64-win32 g++-mingw-w64-x86-64-win32
	"linux-headers-rt-amd64/$RELEASE-backports" # the newest there is, with PREEMPT_RT
)

# What is prepared has its recipe in its name: a changed recipe makes a new one.
recipe() { cat "$@" | sha256sum | cut -c1-12; }

# used DIR: for other commits of the project an older one may be the right one,
# so they go only when nobody wanted them for two weeks.
used() {
	touch "$1"
	find "$CACHE" -maxdepth 1 -name '*-????????????' -mtime +14 -exec rm -rf {} +
}

tree_kernel() { basename "$1"/usr/lib/modules/*; }

# quietly NAME COMMAND...: output only if it fails.
quietly() {
	local log=$WORK/$1.log
	killable "${@:2}" >"$log" 2>&1 || cannot_prepare "$1"
}

need_tree() {
	TREE=$CACHE/tree-$(recipe <(echo "$RELEASE" "${TREE_PACKAGES[@]}" "$TREE_HOOK"))
	[[ -d $TREE ]] || locked tree make_tree
	used "$TREE"
}

make_tree() {
	[[ ! -d $TREE ]] || return 0
	need_program mmdebstrap
	say "preparing a $RELEASE tree with kernel, compiler and QEMU (once, about a minute)"
	local new=$WORK/tree
	patiently tree download_tree "$new"
	mkdir -p "$new"/{lab,m,src,kernel,images}
	chmod 755 "$new"
	mv "$new" "$TREE"
}

download_tree() {
	local new=$1 include
	include=$(IFS=,; echo "${TREE_PACKAGES[*]}")
	rm -rf "$new" # what a try before this one left
	# The tree boots with images of its own: no initrd (INITRD=No).
	killable unshare --mount --propagation private --pid --fork --kill-child \
		--mount-proc env INITRD=No TMPDIR="$WORK" \
		mmdebstrap --variant=minbase --include="$include" \
		--setup-hook="$TREE_HOOK" \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		"$RELEASE" "$new"
}

# For a guest with the kernel that need_stock has named.
need_images() {
	IMAGES=$CACHE/images-$(recipe <(echo "$TREE" "$STOCK") "$LAB_D"/{images,l1-init,guest-init})
	[[ -d $IMAGES ]] || locked images make_images
	used "$IMAGES"
}

make_images() {
	[[ ! -d $IMAGES ]] || return 0
	local new=$WORK/images
	mkdir "$new"
	quietly images in_tree ro "$TREE" "$new:/m" "$LAB_D:/lab" "$STOCK:/opt" -- \
		bash /lab/images "$(tree_kernel "$TREE")" /opt "$STOCK_KERNEL" /m
	mv "$new" "$IMAGES"
}

need_python() {
	need_tree
	PYTHON=$CACHE/python-$(recipe <(echo "$TREE") "$LAB_D/python")
	[[ -d $PYTHON ]] || locked python make_python
	used "$PYTHON"
}

make_python() {
	[[ ! -d $PYTHON ]] || return 0
	say "preparing Python for guests (once, some seconds)"
	local new=$WORK/python
	patiently python download_python "$new"
	mv "$new" "$PYTHON"
}

download_python() {
	rm -rf "$1" # what a try before this one left
	mkdir "$1"
	killable in_tree ro "$TREE" "$(readlink -f /etc/resolv.conf):/etc/resolv.conf" \
		"$LAB_D:/lab" "$1:/m" -- bash /lab/python /m
}

# need_programs PACKAGES...
need_programs() {
	need_tree
	PROGRAMS=$CACHE/programs-$(recipe <(echo "$TREE" "$@") "$LAB_D/programs")
	[[ -d $PROGRAMS ]] || locked programs make_programs "$@"
	used "$PROGRAMS"
}

make_programs() {
	[[ ! -d $PROGRAMS ]] || return 0
	say "preparing $* (once, some seconds)"
	local new=$WORK/programs
	patiently programs download_programs "$new" "$@"
	mv "$new" "$PROGRAMS"
}

download_programs() {
	rm -rf "$1" # what a try before this one left
	mkdir "$1"
	killable in_tree ro "$TREE" "$(readlink -f /etc/resolv.conf):/etc/resolv.conf" \
		"$LAB_D:/lab" "$1:/m" -- bash /lab/programs /m "${@:2}"
}

# For a guest.
pack_programs() {
	mkdir "$WORK/programs"
	quietly programs in_tree ro "$TREE" "$LAB_D:/lab" "$PROGRAMS:/opt" "$WORK/programs:/m" -- \
		bash /lab/guest-programs /opt /m
}

need_check_tree() {
	need_tree
	CHECK=$CACHE/check-$(recipe <(echo "$TREE" "${CHECK_PACKAGES[@]}"))
	[[ -d $CHECK ]] || locked check-tree make_check_tree
	used "$CHECK"
}

make_check_tree() {
	[[ ! -d $CHECK ]] || return 0
	say "preparing a second tree with the kernel's source and checkers (once, about a minute)"
	local new=$WORK/check
	patiently check-tree download_onto "$new" "$TREE" "${CHECK_PACKAGES[@]}"
	mv "$new" "$CHECK"
}

# lab with: a command in the first tree that has programs of other packages.
lab_with() {
	local packages
	read -r -a packages <<<"${1:?}"
	shift
	prepare
	need_programs "${packages[@]}"
	# shellcheck disable=SC2016 # for the shell in the tree
	killable in_tree ro "$TREE" "$SOURCE:/src" "$PROGRAMS:/m" "$CACHE/build:/lab" -- sh -c \
		'export PATH="/m/usr/bin:$PATH" LD_LIBRARY_PATH="$(echo /m/usr/lib/*-linux-gnu)" &&
		exec "$@"' sh "$@"
}

# download_onto NEW TREE PACKAGES...: NEW is TREE with more packages.
download_onto() {
	rm -rf "$1" # what a try before this one left
	killable cp -a --reflink=auto "$2" "$1" || return
	killable in_tree rw "$1" -- sh -ec \
		'apt-get update
		apt-get install -y --no-install-recommends "$@"' sh "${@:3}"
}
