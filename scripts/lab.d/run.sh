# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2153,SC2016
#
# lab run: boots one guest and tells how it went.

# Seconds for each layer to come up, generous for a loaded machine.
L1_LIMIT=90
L1_STILL=120 # seconds without a sign of life
BOOT_LIMIT=150
# A nested guest that is lost without a word is tried again.
TRIES=3

lab_run() {
	local kernel=stock host=vmbus cpus=2 mem=1024 guest='' beside='' out=''
	local timeout=300 still=60 append='' pmem=0 python=0 with='' quiet=0 count=0 allow=''
	local scenario='' files=() tries=''
	while (($#)); do
		case $1 in
		--kernel) kernel=${2:?} && shift 2 ;;
		--host) host=${2:?} && shift 2 ;;
		--cpus) cpus=${2:?} && shift 2 ;;
		--mem) mem=${2:?} && shift 2 ;;
		--guest) guest=${2:?} && shift 2 ;;
		--file) files+=("${2:?}") && shift 2 ;;
		--beside) beside=${2:?} && shift 2 ;;
		--scenario) scenario=${2:?} && shift 2 ;;
		--out) out=${2:?} && shift 2 ;;
		--timeout) timeout=${2:?} && shift 2 ;;
		--still) still=${2:?} && shift 2 ;;
		--pmem) pmem=${2:?} && shift 2 ;;
		--append) append=${2?} && shift 2 ;;
		--allow) allow=${2?} && shift 2 ;;
		--python) python=1 && shift ;;
		--with) with=${2:?} && shift 2 ;;
		--quiet) quiet=1 && shift ;;
		--count) count=1 cpus=1 && shift ;;
		--tries) tries=${2:?} && shift 2 ;;
		*) die "run: unknown argument: $1 (see scripts/lab help)" ;;
		esac
	done
	known_kernel "$kernel" || die "run: no such kernel: $kernel"
	[[ $host =~ ^(vmbus|vmbhost|none)$ ]] || die "run: no such host: $host"
	[[ -f $guest ]] || die "run: no guest script: ${guest:-(--guest is missing)}"
	[[ -z $beside || -f $beside ]] || die "run: no such script: $beside"
	[[ $pmem == 0 || $host == vmbhost ]] || die "run: --pmem is for --host vmbhost"
	[[ -z $scenario || -f $scenario ]] || die "run: no such scenario: $scenario"
	[[ $count == 0 || $host == none ]] || die "run: --count is for --host none"
	! is_arm64 "$kernel" || [[ $host == none && $count == 0 ]] ||
		die "run: $kernel is for --host none, without --count"

	SAY=1
	prepare
	need_stock "$(is_stock "$kernel" && echo "$kernel" || echo stock)"
	if is_arm64 "$kernel"; then need_arm64_image; else need_images; fi
	((python == 0)) || need_python
	# shellcheck disable=SC2086 # packages
	[[ -z $with ]] || { need_programs $with && pack_programs; }
	is_stock "$kernel" || need_kernel_named "$kernel"
	[[ $host != vmbhost ]] || need_vmbhost

	local lab=$WORK/lab way=direct why
	mkdir "$lab"
	gather
	[[ $host == none ]] || has_synic || way=nested

	local try
	: "${tries:=$([[ $host == none ]] && echo 2 || echo $TRIES)}"
	for ((try = 1; try <= tries; try++)); do
		why=''
		if ! attempt; then
			why="did not come up (layer $LAYER)"
		elif gone_without_a_word; then
			why="was lost without a word"
		fi
		[[ $why ]] || break
		((try < tries)) || break
		say "the guest $why; trying again"
		mv "$lab/out" "$WORK/try-$try"
		# The machine's own KVM may promise more than it keeps.
		[[ $host == none ]] || way=nested
	done
	((try == 1)) || mv "$WORK"/try-* "$lab/out/"
	[[ -z $out ]] || { mkdir -p "$out" && cp -r "$lab/out/." "$out/"; }
	verdict
}

# Everything that the guest and its QEMU need, in $lab, /lab in the tree.
gather() {
	local file name overlay=$WORK/overlay qemu=qemu-system-x86_64
	if is_stock "$kernel"; then
		cp "$STOCK_IMAGE" "$lab/kernel"
	elif is_arm64 "$kernel"; then
		cp "$KERNEL/arch/arm64/boot/Image" "$lab/kernel"
		qemu=/opt/usr/bin/qemu-system-aarch64
	else
		cp "$KERNEL/arch/x86/boot/bzImage" "$lab/kernel"
	fi
	mkdir -p "$overlay/lab"
	cp "$guest" "$overlay/lab/guest.sh"
	for file in "${files[@]}"; do
		name=${file##*/}
		[[ -f $file ]] || { name=${file##*:} file=${file%:*}; }
		[[ -f $file ]] || die "run: no such file: $file"
		cp "$file" "$overlay/lab/$name"
	done
	[[ $pmem == 0 || $kernel != stock ]] || pmem_modules "$overlay/lab"
	(cd "$overlay" && find lab | "$TREE/usr/bin/busybox" cpio -o -H newc 2>/dev/null) |
		cat "$IMAGES/guest.cpio" ${PYTHON:+"$PYTHON/python.cpio"} \
			${with:+"$WORK/programs/programs.cpio"} - >"$lab/initrd"
	cp "$LAB_D"/{host.sh,beside-lib.sh} "$lab/"
	[[ -z $beside ]] || cp "$beside" "$lab/beside.sh"
	if [[ $host == vmbhost ]]; then
		cp "$VMBHOST" "$lab/vmbhost"
		cp "${scenario:-/dev/null}" "$lab/scenario"
	fi
	printf '%s\n' "HOST=$host" "QEMU=$qemu" "BOOT_LIMIT=$BOOT_LIMIT" "TIME_LIMIT=$timeout" \
		"STILL_LIMIT=$still" "QUIET=$quiet" "PMEM=$pmem" \
		>"$lab/settings"
}

# pmem_modules DIR: what the stock kernel needs to see that disk, in loading order
# libnvdimm, nd_btt, nd_pmem, nfit.
pmem_modules() {
	local name modules
	modules=/lib/modules/$(tree_kernel "$TREE")/kernel/drivers
	for name in nvdimm/{libnvdimm,nd_btt,nd_pmem} acpi/nfit/nfit; do
		killable in_tree ro "$TREE" -- xz -dc "$modules/$name.ko.xz" >"$1/${name##*/}.ko"
	done
}

# SynIC in its second form is what QEMU's VMBus needs: KVM_CHECK_EXTENSION of
# KVM_CAP_HYPERV_SYNIC2. Perl, because every Debian tree has it.
has_synic() {
	[[ -e /dev/kvm && ${VMBKMCL_NESTED:-} != 1 ]] || return 1
	killable in_tree ro "$TREE" -- perl -e \
		'open(KVM, "+<", "/dev/kvm") && ioctl(KVM, 0xae03, 148) > 0 or exit 1'
}

# Arguments of the program that runs the guest, one a line.
guest_args() {
	local console=ttyS0
	! is_arm64 "$kernel" || console=ttyAMA0
	local words="console=$console panic=-1 printk.devkmsg=on mitigations=off"
	# A processor that waits for another has that one tell where it is.
	((count)) && words+=' tsc=reliable norandmaps' ||
		words+=' sysctl.kernel.softlockup_all_cpu_backtrace=1'
	words+=${beside:+ lab.linger=20}
	if [[ $host == vmbhost ]]; then
		printf '%s\n' --mem "$mem" --cpus "$cpus" --kernel /lab/kernel \
			--initrd /lab/initrd --append "$words $append" \
			--serial /run/lab/console --control /run/lab/control \
			--log /lab/out/vmbhost.log --scenario /lab/scenario
		[[ $pmem == 0 ]] || printf '%s\n' --pmem /run/lab/pmem
		return
	fi
	printf '%s\n' -nodefaults -display none -no-reboot -m "$mem" -smp "$cpus" \
		-kernel /lab/kernel -initrd /lab/initrd -append "$words $append" \
		-serial file:/run/lab/console -serial file:/lab/out/files.tgz \
		-chardev pipe,id=qmp,path=/run/lab/qmp -mon chardev=qmp,mode=control \
		-trace 'vmbus_*' -trace 'hv_balloon_*' -D /lab/out/trace.log
	case $host in
	# Without kvm=off Linux sees KVM first, and hv_vmbus refuses to load.
	vmbus) printf '%s\n' -accel kvm -machine q35,kernel-irqchip=on \
		-cpu qemu64,kvm=off,hv-relaxed,hv-vapic,hv-time,hv-vpindex,hv-synic,hv-stimer,hv-runtime \
		-device vmbus-bridge -device hv-balloon,id=hb,status-report=on ;;
	none)
		if is_arm64 "$kernel"; then
			arm64_machine
		elif ((count)); then
			# Nothing of the machine's own time, or chance, comes in.
			printf '%s\n' -accel tcg -icount shift=0,sleep=off -machine q35 \
				-rtc base=2020-01-01T00:00:00,clock=vm \
				-cpu EPYC,-avx,-avx2,-xsave,-rdrand,-rdseed
		else
			emulated
		fi
		;;
	esac
}

# Not "-cpu max": guests were seen to crash with it.
emulated() {
	printf '%s\n' -accel tcg,thread=multi -machine q35 -cpu EPYC,-avx,-avx2,-xsave
}

start_direct() {
	in_tree ro "$TREE" "$lab:/lab" ${PROGRAMS:+"$PROGRAMS:/opt"} -- busybox sh /lab/host.sh
}

# The outer of two QEMUs. Its disk is a tar archive of $lab, its two serial ports are the
# transcript and a tar archive of the results. KVM runs nothing on the first of three processors
# (l1-init tells why), and on two what is nested really runs at once. One is for the next try.
start_nested() {
	local args processors=$((try == 1 ? 3 : 1))
	tar -C "$lab" -cf "$WORK/in.tar" --exclude=./out .
	mv "$WORK/in.tar" "$lab/in.tar"
	mapfile -t args < <(emulated)
	in_tree ro "$TREE" "$lab:/lab" "$IMAGES:/images" -- qemu-system-x86_64 "${args[@]}" \
		-m $((mem + pmem + 2048)) -smp "$processors" -nodefaults -display none -no-reboot \
		-kernel "/boot/vmlinuz-$(tree_kernel "$TREE")" \
		-initrd /images/l1.cpio \
		-append 'console=ttyS0 mitigations=off panic=-1 nokaslr' \
		-serial file:/lab/out/l1.log \
		-drive if=virtio,format=raw,readonly=on,file=/lab/in.tar \
		-device virtio-serial \
		-chardev file,id=words,path=/proc/self/fd/1 -device virtserialport,chardev=words,nr=1 \
		-chardev file,id=results,path=/lab/out.tar -device virtserialport,chardev=results,nr=2
}

# One boot of the guest; its transcript. Fails if the guest did not come up,
# with LAYER naming where it stuck.
attempt() {
	local line part='' deadline heard=$SECONDS stream status
	rm -rf "$WORK/stream"
	mkdir "$lab/out"
	guest_args >"$lab/host.args"
	mkfifo "$WORK/stream"
	if [[ $way == nested ]]; then
		LAYER=L1 deadline=$((SECONDS + L1_LIMIT))
		say "starting L1, in which KVM can run the guest"
	else
		LAYER=guest deadline=$((SECONDS + BOOT_LIMIT + 15))
		say "starting the guest"
	fi
	"start_$way" >"$WORK/stream" 2>"$WORK/qemu.err" &
	CHILD=$!
	exec {stream}<"$WORK/stream"

	while ((SECONDS < deadline)); do
		if ((SECONDS >= heard + L1_STILL)); then
			say "no sign of life any more"
			break
		fi
		# A second at a time, for the shell hears no signal while it reads.
		read -r -t 1 -u "$stream" line || {
			status=$?
			((status > 128)) || break
			part+=$line
			continue
		}
		line=$part$line part='' heard=$SECONDS
		case $line in
		@alive) ;;
		@l1)
			LAYER=guest deadline=$((SECONDS + BOOT_LIMIT + 15))
			say "starting the guest in L1"
			;;
		@guest)
			LAYER=script deadline=$((SECONDS + timeout + 30))
			say "the guest is up ($kernel kernel, host $host)"
			;;
		@end) deadline=$((SECONDS + 30)) ;; # the results are on their way
		*) printf '%s\n' "$line" ;;
		esac
	done
	exec {stream}<&-
	stop_child
	if [[ $way == nested ]]; then
		tar -C "$lab/out" -xf "$lab/out.tar" 2>/dev/null || true
		rm -f "$lab/out.tar" "$lab/in.tar"
	fi
	grep -v "TCG doesn.t support" "$WORK/qemu.err" >>"$lab/out/qemu.log" || true
	[[ $LAYER == script ]]
}

complaints() {
	[[ -e $lab/out/guest.log ]] || return 0 # lost with the machine around it
	awk -v allow="$allow" -f "$LAB_D/splats.awk" "$lab/out/guest.log"
}

# Nested guests are known to end in the middle of a line, or to stand still: the
# emulated processor's fault. A kernel that dies of something else says so first, and
# one in which something hangs goes on to give signs of life.
gone_without_a_word() {
	[[ $way == nested && ! -e $lab/out/guest.status ]] || return 1
	! grep -qs 'reboot: ' "$lab/out/guest.log" || return 1
	if lost_a_processor; then
		# The one that is left complains of the other, and may give signs of life.
		local allow="${allow:+$allow|}INFO: .*detected .*stalls|soft lockup|Call Trace:"
	else
		[[ $(cat "$lab/out/outcome" 2>/dev/null || echo lost) =~ ^(ended|lost|still)$ ]] ||
			return 1
	fi
	[[ -z $(complaints) ]]
}

# Where the emulator loses a processor, the others ask it in vain. One that is merely locked up
# answers with a backtrace.
lost_a_processor() {
	[[ -e $lab/out/guest.log ]] || return 1
	awk -f "$LAB_D/silent.awk" "$lab/out/guest.log"
}

# The last lines, and the exit status.
verdict() {
	local outcome status reasons=() splats
	if [[ $LAYER != script ]]; then
		tail -n 15 "$lab"/out/{l1,guest,qemu}.log 2>/dev/null | grep -v "TCG doesn.t support" || true
		echo "lab: the guest did not come up (layer $LAYER)"
		exit 3
	fi
	outcome=$(cat "$lab/out/outcome" 2>/dev/null || echo lost)
	status=$(cat "$lab/out/guest.status" 2>/dev/null || echo none)
	case $outcome/$status in
	ended/0) ;;
	ended/none) reasons+=("the guest stopped before its script ended") ;;
	ended/*) reasons+=("guest script: exit status $status") ;;
	still/*) reasons+=("the guest stood still for $still s") ;;
	timeout/*) reasons+=("guest script: not done within $timeout s") ;;
	*) reasons+=("the lab was lost while the guest script ran") ;;
	esac
	[[ -z $why ]] || reasons+=("it $why")
	if [[ -n $beside ]]; then
		status=$(cat "$lab/out/beside.status" 2>/dev/null || echo none)
		if [[ $status != 0 ]]; then
			reasons+=("script beside the guest: exit status $status")
			sed 's/^/beside| /' "$lab/out/beside.log" 2>/dev/null || true
		fi
	fi
	splats=$(complaints)
	if [[ -n $splats ]]; then
		reasons+=("the kernel complained")
		printf 'kernel| %s\n' "${splats//$'\n'/$'\n'kernel| }"
	fi
	if ((${#reasons[@]} == 0)); then
		echo "lab: passed"
		exit 0
	fi
	printf -v reasons '%s; ' "${reasons[@]}"
	echo "lab: test failed (${reasons%; })"
	exit 1
}
