# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2153
#
# The KUnit kernel for another architecture, with pages of 4 KiB or of 64 KiB: made by a
# cross compiler and run by an emulator, which lie beside the trees, in /opt.

ARM64_PROGRAMS=(gcc-aarch64-linux-gnu qemu-system-arm)
ARM64_MAKE=(ARCH=arm64 CROSS_COMPILE=/opt/usr/bin/aarch64-linux-gnu-
	LD_LIBRARY_PATH=/opt/usr/lib/x86_64-linux-gnu)

is_arm64() { [[ $1 =~ ^arm64-(4k|64k)$ ]]; }

need_arm64_kernel() {
	local pages=${1#arm64-} config=$WORK/$1.config
	need_check_tree
	need_programs "${ARM64_PROGRAMS[@]}"
	{
		overlaid "$SOURCE/kunit/kernel.config" "$LAB_D/arm64.config"
		echo "CONFIG_ARM64_${pages^^}_PAGES=y"
	} >"$config"
	# With pages of 4 KiB KASAN has looked at the same code on x86, and is half the work.
	[[ $pages == 64k ]] || sed -i /KASAN/d "$config"
	KERNEL=$CACHE/kernel-$1-$(recipe \
		<(kernel_key; echo "$CHECK" "$PROGRAMS" "${ARM64_MAKE[@]}"))
	[[ -d $KERNEL ]] || locked kernel make_arm64_kernel
	used "$KERNEL"
}

make_arm64_kernel() {
	[[ ! -d $KERNEL ]] || return 0
	say "building the KUnit kernel for arm64, pages of $pages (once, a few minutes)"
	local new=$WORK/kernel
	mkdir "$new"
	cp "$config" "$new/lab.config"
	quietly kernel in_tree ro "$CHECK" "$new:/kernel" "$LAB_D:/lab" "$PROGRAMS:/opt" -- \
		bash /lab/build-kernel "${ARM64_MAKE[@]}"
	mv "$new" "$KERNEL"
}

# The guest's file system, in place of that of need_images.
need_arm64_image() {
	need_tree
	IMAGES=$CACHE/images-arm64-$(recipe <(echo "$TREE") "$LAB_D"/{image-arm64,guest-init})
	[[ -d $IMAGES ]] || locked images make_arm64_image
	used "$IMAGES"
}

make_arm64_image() {
	[[ ! -d $IMAGES ]] || return 0
	local new=$WORK/images
	patiently images download_arm64_image "$new"
	mv "$new" "$IMAGES"
}

download_arm64_image() {
	rm -rf "$1" # what a try before this one left
	mkdir "$1"
	killable in_tree ro "$TREE" "$(readlink -f /etc/resolv.conf):/etc/resolv.conf" \
		"$LAB_D:/lab" "$1:/m" -- bash /lab/image-arm64 /m
}

# The processor is that of the machines that Azure has.
arm64_machine() {
	printf '%s\n' -accel tcg,thread=multi -machine virt,gic-version=3 -cpu neoverse-n1
}
