# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=busybox
#
# Beside QEMU: asks its Dynamic Memory device for 128 MiB of the guest and gives
# them back. What is said here is QEMU's word, not the guest's.

set -e

MIB=$((1024 * 1024))

# actual: MiB that the guest has, by QEMU's account.
actual() {
	local answer
	answer=$(qmp query-balloon)
	answer=${answer#*\"actual\": }
	echo $((${answer%%[^0-9]*} / MIB))
}

# meanwhile PATTERN SECONDS: waits as guest_said, with a sign of life every 10 s.
meanwhile() {
	local left=$2
	until guest_said "$1" 10 2>/dev/null; do
		left=$((left - 10))
		if [ $left -le 0 ]; then
			echo "the guest did not say '$1' within $2 s"
			return 1
		fi
		say "query-hv-balloon-status-report: $(qmp query-hv-balloon-status-report)"
	done
}

# becomes MIB SECONDS: waits until the guest has that much memory.
becomes() {
	local left=$2
	while [ "$(actual)" != "$1" ]; do
		left=$((left - 1))
		if [ $left -le 0 ]; then
			echo "query-balloon says $(actual) MiB, not $1, after $2 s"
			return 1
		fi
		sleep 1
	done
}

guest_said 'dynmem: capabilities accepted' 60
size=$(actual)
say "query-balloon: the guest has $size MiB"

left=20
until report=$(qmp query-hv-balloon-status-report); do
	left=$((left - 1))
	if [ $left -le 0 ]; then
		echo "no status report: $report"
		exit 1
	fi
	sleep 1
done
say "query-hv-balloon-status-report: $report"

say "balloon: $((size - 128)) MiB, please (the device itself waits 50 s before it asks)"
qmp balloon "{\"value\": $(((size - 128) * MIB))}"
meanwhile 'free: .* with the balloon' 120
becomes $((size - 128)) 20
say "query-balloon: the guest has $(actual) MiB"
say "query-hv-balloon-status-report: $(qmp query-hv-balloon-status-report)"

say "balloon: $size MiB again"
qmp balloon "{\"value\": $((size * MIB))}"
guest_said 'free: .* afterwards' 60
becomes "$size" 20
say "query-balloon: the guest has $(actual) MiB"
