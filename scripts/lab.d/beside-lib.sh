# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# What a script beside the guest can call. RUN and OUT are set by host.sh;
# descriptor 3 is QEMU's QMP input, 4 the live transcript.

# say TEXT: a line of the transcript, in the host's name.
say() {
	echo "host  | $*" >&4
	echo "$*"
}

# guest_said PATTERN [SECONDS]: wait until the guest's console has a line that
# matches PATTERN (extended regexp). Fails when time is up or the guest gone. The time
# that the guest takes to come up, for which the lab has a limit, does not count.
guest_said() {
	local tries=$((${2:-60} * 2))
	until [ -e "$RUN/up" ] || [ -e "$RUN/told" ]; do sleep 0.5; done
	while ! grep -qE -e "$1" "$OUT/guest.log"; do
		# Only when its last lines are there as well.
		if [ -e "$RUN/told" ]; then
			grep -qE -e "$1" "$OUT/guest.log" && return 0
			echo "guest_said '$1': the guest ended without it" >&2
			return 1
		fi
		if [ "$tries" -le 0 ]; then
			echo "guest_said '$1': not within ${2:-60} s" >&2
			return 1
		fi
		tries=$((tries - 1))
		sleep 0.5
	done
}

# qmp COMMAND [JSON-ARGUMENTS]: one QMP command; prints the value returned, or
# the error object, with status 1.
qmp() {
	local id answer tries=300
	until mkdir "$RUN/qmp.lock" 2>/dev/null; do usleep 20000; done
	read -r id <"$RUN/qmp.count"
	id=$((id + 1))
	echo "$id" >"$RUN/qmp.count"
	rmdir "$RUN/qmp.lock"

	printf '{"execute":"%s"%s,"id":"q%s"}\n' "$1" "${2:+,\"arguments\":$2}" "$id" |
		tee -a "$OUT/qmp.log" >&3
	# What was sent has no blank after "id": only the answer is found.
	until answer=$(grep -e "\"id\": \"q$id\"" "$OUT/qmp.log"); do
		if [ "$tries" -le 0 ] || [ -e "$RUN/qemu.status" ]; then
			echo "qmp $1: no answer" >&2
			return 1
		fi
		tries=$((tries - 1))
		usleep 100000
	done
	case $answer in
	*'"return": '*)
		answer=${answer#*\"return\": }
		echo "${answer%, \"id\": \"q"$id"\"\}*}"
		;;
	*)
		answer=${answer#*\"error\": }
		echo "${answer%\}*}"
		return 1
		;;
	esac
}

# vmbhost COMMAND...: "rescind NAME" or "offer NAME"; what came of it is in
# $OUT/vmbhost.log.
vmbhost() {
	echo "$*" >"$RUN/control"
}
