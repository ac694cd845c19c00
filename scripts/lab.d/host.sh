#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0
#
# Runs the program that runs the guest, QEMU or vmbhost, and the script beside
# it. The same file does so in L1 and, where no L1 is needed, directly on the
# machine.
#
# In: /lab/{settings,host.args,kernel,initrd,beside.sh,vmbhost,scenario}; of L1 KVM_ON,
# which has a program run where KVM may. Out: /lab/out.
# Standard output is the transcript; lines that begin with @ are for scripts/lab.

# shellcheck source=/dev/null
. /lab/settings # HOST, QEMU, BOOT_LIMIT, TIME_LIMIT, STILL_LIMIT, QUIET, PMEM
export OUT=/lab/out RUN=/run/lab
mkdir -p "$OUT" "$RUN"
mkfifo "$RUN/qmp.in" "$RUN/qmp.out" "$RUN/lines" "$RUN/never"
: >"$RUN/console"
echo 0 >"$RUN/qmp.count"
: >"$OUT/guest.log"
: >"$OUT/qmp.log"

now() {
	local uptime
	read -r uptime _ </proc/uptime
	echo "${uptime%%.*}"
}

# Sleeps without starting a process, for the same reason as below.
nap() {
	# shellcheck disable=SC3045 # busybox has it
	read -r -t 0.3 _ <&5
}

# Written to the console when the program has ended: nothing comes behind it. What
# is before it in its line is a last line that was broken off.
END='lab: end of the console'

# The guest's console: lab> lines are words of its script, lab! ones of its init.
console() {
	awk -v out="$OUT" -v run="$RUN" -v shown="$((!QUIET))" -v end="$END" '
	{ gsub(/\r/, "") }
	(at = index($0, end)) {
		if (at == 1) exit
		$0 = substr($0, 1, at - 1)
	}
	match($0, /^\[ *[0-9.]+\](\[ *[CT][0-9]+\])? lab[>!]/) {
		mark = substr($0, RLENGTH, 1)
		$0 = substr($0, RLENGTH + 2)
		if (mark == "!" && $1 == "up") {
			print "" >(run "/up"); close(run "/up")
			shown = 1
			print "@guest"
		}
		if (mark == "!" && $1 == "alive") {
			print NR >(run "/alive"); close(run "/alive")
		}
		if (mark == "!" && $1 == "exit") {
			print $2 >(out "/guest.status"); close(out "/guest.status")
		}
		if (mark == "!") { fflush(); if (at) exit; next }
	}
	{ print >(out "/guest.log") }
	shown { print "guest | " $0 }
	{ fflush(out "/guest.log"); fflush() }
	at { exit }' <"$RUN/lines"
	: >"$RUN/told"
}

beside() (
	exec >"$OUT/beside.log" 2>&1
	sh -c '. /lab/beside-lib.sh; . /lab/beside.sh'
	echo $? >"$OUT/beside.status"
)

exec 3<>"$RUN/qmp.in" 4>&1 5<>"$RUN/never"
console &
console=$!
# QEMU writes a character at a time, to a file that is looked at now and then: a
# pipe would wake its reader for every one of them, which L1 feels in seconds.
tail -n +1 -s 1 -f "$RUN/console" >"$RUN/lines" &
tail=$!
set --
while IFS= read -r arg; do
	set -- "$@" "$arg"
done </lab/host.args
case $HOST in
vmbhost) set -- /lab/vmbhost "$@" ;;
*) set -- "$QEMU" "$@" ;;
esac
[ "$PMEM" = 0 ] || truncate -s "${PMEM}M" "$RUN/pmem"

# goes_on: the guest has powered off in the middle of its script, as it does to
# hibernate. Not for ever: one that cannot resume does it again.
goes_on() {
	[ "$status" = 0 ] && [ "$PMEM" != 0 ] && [ ! -e "$OUT/vmbhost-1.log" ] &&
		! grep -q 'lab! exit' "$RUN/console"
}

{
	while :; do
		# shellcheck disable=SC2086 # words
		${KVM_ON:-} "$@" </dev/null >>"$OUT/qemu.log" 2>&1 &
		echo $! >"$RUN/qemu.pid"
		wait $!
		status=$?
		goes_on || break
		mv "$OUT/vmbhost.log" "$OUT/vmbhost-1.log"
	done
	echo "$END" >>"$RUN/console"
	echo "$status" >"$RUN/qemu.status"
} &
cat "$RUN/qmp.out" >>"$OUT/qmp.log" &
echo '{"execute":"qmp_capabilities","id":"lab"}' >&3

beside=
[ ! -e /lab/beside.sh ] || { beside & beside=$!; }

outcome=ended
started=
alive=
told=0
limit=$(($(now) + BOOT_LIMIT))
while [ ! -e "$RUN/qemu.status" ]; do
	if [ "$(now)" -ge "$told" ]; then
		told=$(($(now) + 5))
		echo '@alive'
	fi
	if [ -z "$started" ] && [ -e "$RUN/up" ]; then
		started=yes
		limit=$(($(now) + TIME_LIMIT))
	fi
	if [ -e "$RUN/alive" ] && read -r sign <"$RUN/alive" && [ "$sign" != "$alive" ]; then
		alive=$sign
		still=$(($(now) + STILL_LIMIT))
	fi
	# Both have said all: the guest need not linger.
	if [ -e "$OUT/guest.status" ] && [ -e "$OUT/beside.status" ]; then
		case $HOST in
		vmbhost) kill "$(cat "$RUN/qemu.pid")" ;;
		*) echo '{"execute":"quit"}' >&3 ;;
		esac
		nap
	fi
	if [ -n "$alive" ] && [ "$(now)" -ge "$still" ]; then
		outcome=still
		kill -9 "$(cat "$RUN/qemu.pid")"
		break
	fi
	if [ "$(now)" -ge "$limit" ]; then
		outcome=timeout
		kill -9 "$(cat "$RUN/qemu.pid")"
		break
	fi
	nap
done
# All lines are to be told, however slow the machine is; but it may have no end.
tries=100
while [ ! -e "$RUN/told" ] && [ "$tries" -gt 0 ]; do
	sleep 0.2
	tries=$((tries - 1))
done
kill "$tail" 2>/dev/null
wait "$console"
[ -e "$RUN/up" ] || outcome=down

# The beside script may have a last word; without its guest not a long one.
tries=50
while [ -n "$beside" ] && [ ! -e "$OUT/beside.status" ] && [ "$tries" -gt 0 ]; do
	sleep 0.2
	tries=$((tries - 1))
done
if [ -n "$beside" ] && [ ! -e "$OUT/beside.status" ]; then
	echo "lab: still running 10 s after the guest ended: given up" >>"$OUT/beside.log"
	echo timeout >"$OUT/beside.status"
fi
echo "$outcome" >"$OUT/outcome"
echo '@end'
