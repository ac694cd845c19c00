# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2153
#
# lab modules: builds the project's modules in a tree, with its compiler.

# need_build KERNEL: where its modules are built, and what make has to know.
need_build() {
	if is_stock "$1"; then
		need_stock "$1"
		tree=$STOCK kbuild=/lib/modules/$STOCK_KERNEL/build
	else
		need_kernel_named "$1"
		tree=$CHECK kbuild=/kernel
		flags=(VMBKMCL_KUNIT=1)
		! is_arm64 "$1" || flags+=("${ARM64_MAKE[@]}")
		! grep -q '^CONFIG_CC_IS_CLANG=y' "$KERNEL/.config" || flags+=("LLVM=-$CLANG")
	fi
}

# lab about: the version of a kernel and its compiler's, as in "6.1.192 gcc 12.2.0".
lab_about() {
	local kbuild tree flags
	known_kernel "${1:-}" || die "about: which kernel? (see scripts/lab help)"
	prepare
	need_build "$1"
	# shellcheck disable=SC2016 # for the shell in the tree
	killable in_tree ro "$tree" ${KERNEL:+"$KERNEL:/kernel"} -- sh -ec 'cd "$1"
		echo "$(make -s kernelversion)" "$(sed -nE \
			"s/^CONFIG_CC_VERSION_TEXT=.*(gcc|clang).* ([0-9]+[.0-9]+).*/\\1 \\2/p" \
			include/config/auto.conf)"' sh "$kbuild"
}

lab_modules() {
	local for=${1:-} kbuild tree flags=()
	shift || true
	known_kernel "$for" || die "modules: for which kernel? (see scripts/lab help)"
	prepare
	need_build "$for"
	set -- "${flags[@]}" "$@"
	# One folder for each work tree: several share this cache.
	local dir
	dir=$CACHE/build/$for-$(sha256sum <<<"$SOURCE" | cut -c1-8)
	mkdir -p "$dir"
	locked "build-${dir##*/}" build_modules "$@"
	echo "$dir"
}

build_modules() {
	local log=$WORK/modules.log status=0
	# What gave warnings is built anew: they would be gone the second time.
	[[ ! -e $dir/.lab-unclean ]] || { rm -rf "$dir" && mkdir "$dir"; }
	sync_sources "$dir"
	say "building the modules for the $for kernel"
	touch "$dir/.lab-unclean"
	# W=1 without kernel-doc, a program for each file: lint looks at those once.
	killable in_tree ro "$tree" "$dir:/m" ${KERNEL:+"$KERNEL:/kernel"} \
		${PROGRAMS:+"$PROGRAMS:/opt"} -- \
		make -C "$kbuild" -j"$(nproc)" M=/m W=1 cmd_checkdoc= VMBKMCL_SAMPLES=1 \
		"$@" modules >"$log" 2>&1 || status=$?
	# Names of files as they are in the project.
	sed -i 's|/m/||g' "$log"
	if grep -v -f "$LAB_D/harmless" "$log" | grep -qiE '\bwarning\b|\berror\b'; then
		status=1
	fi
	if [[ $status != 0 || ${V:-} == 1 ]]; then
		cat "$log" >&2
	fi
	[[ $status == 0 ]] || { echo "lab: building the modules failed" >&2; exit 1; }
	rm "$dir/.lab-unclean"
}

# Copies what differs, removes what is gone, and leaves the rest alone, so that
# make builds only what it must. Contents decide, not times: those jump
# backwards when another commit is checked out.
sync_sources() {
	local file old=$1/.lab-sources new=$WORK/sources
	if git -C "$SOURCE" rev-parse --is-inside-work-tree >/dev/null 2>&1; then
		git -C "$SOURCE" ls-files -co --exclude-standard
	else
		(cd "$SOURCE" && find . -type f -printf '%P\n')
	fi | LC_ALL=C sort >"$new"
	while IFS= read -r file; do
		[[ -f $SOURCE/$file ]] || continue
		cmp -s "$SOURCE/$file" "$1/$file" && continue
		mkdir -p "$1/$(dirname "$file")"
		cp "$SOURCE/$file" "$1/$file"
	done <"$new"
	if [[ -e $old ]]; then
		while IFS= read -r file; do
			[[ -f $SOURCE/$file ]] || rm -f "${1:?}/$file"
		done <"$old"
	fi
	cp "$new" "$old"
}
