# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
#
# What all verbs of scripts/lab share: the cache, messages, and a way to run
# things in a tree so that they are gone, with their mounts, whatever happens.

CACHE=${VMBKMCL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vmbkmcl}
SOURCE=${VMBKMCL_SRC:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
LAB_D=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

SAY=2 # where progress goes; "run" makes it part of its transcript
say() { echo "lab   | $*" >&"$SAY"; }
die() {
	echo "lab: $*" >&2
	exit 2
}

WORK= # this process' own folder in the cache, removed when it ends
CHILD=

prepare() {
	[[ $(id -u) == 0 ]] || die "needs root, for chroot and mounts: run it with sudo, or as root in a virtual machine"
	unshare --mount --pid --fork true 2>/dev/null ||
		die "this root may not mount: run it outside this container, or in one with that right (docker run --privileged)"
	mkdir -p "$CACHE/tmp" "$CACHE/lock"
	sweep
	WORK=$(mktemp -d "$CACHE/tmp/XXXXXXXX")
	# Held as long as this process lives; see sweep.
	exec {work_lock}>"$WORK.lock"
	flock "$work_lock"
	trap finish EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	trap 'exit 129' HUP
}

# What a run that was killed outright (kill -9, power) could not remove.
sweep() {
	local dir
	for dir in "$CACHE"/tmp/*.lock; do
		[[ -e $dir ]] || continue
		flock --nonblock "$dir" rm -rf "${dir%.lock}" "$dir" || true
	done
}

finish() {
	trap '' INT TERM HUP
	stop_child
	rm -rf "$WORK" "$WORK.lock"
}

# Ends the process namespace that in_tree made. Its first process is killed,
# not unshare: then unshare returns only when all in it are gone.
stop_child() {
	[[ -n $CHILD ]] || return 0
	local init=
	read -r init _ 2>/dev/null <"/proc/$CHILD/task/$CHILD/children" || true
	kill -KILL "${init:-$CHILD}" 2>/dev/null || true
	wait "$CHILD" 2>/dev/null || true
	CHILD=
}

# A shell that waits for a child in the foreground is deaf to signals until it
# ends; in the background it is not.
killable() {
	local status=0
	"$@" <&0 & # else it would be /dev/null
	CHILD=$!
	wait "$CHILD" || status=$?
	CHILD=
	return "$status"
}

# in_tree ro|rw|scratch TREE [SRC:DST]... -- COMMAND...
in_tree() {
	exec setpriv --pdeathsig KILL unshare --mount --propagation private \
		--pid --fork --kill-child "$LAB_D/enter" "$@"
}

# locked NAME COMMAND...: one process at a time, machine-wide.
locked() {
	local fd status=0
	exec {fd}>"$CACHE/lock/$1"
	if ! flock --nonblock "$fd"; then
		say "waiting for another run that prepares the $1"
		killable flock "$fd"
	fi
	"${@:2}" || status=$?
	exec {fd}>&-
	return "$status"
}

# cannot_prepare NAME: the end of its log, and of the lab.
cannot_prepare() {
	tail -n 40 "$WORK/$1.log" >&2
	die "cannot prepare the $1: $(last_error "$WORK/$1.log")"
}

# Tries of what needs the network, and seconds from one to the next: mirrors have bad
# minutes.
DOWNLOADS=3
DOWNLOAD_PAUSE=${VMBKMCL_DOWNLOAD_PAUSE:-20}

# patiently NAME COMMAND...: as quietly, for what needs the network. COMMAND begins anew
# each time.
patiently() {
	local try log=$WORK/$1.log
	for ((try = 1; try <= DOWNLOADS; try++)); do
		"${@:2}" >"$log" 2>&1 && return
		say "preparing the $1: try $try of $DOWNLOADS failed: $(last_error "$log")"
		((try < DOWNLOADS)) || break
		say "trying again in $DOWNLOAD_PAUSE s"
		killable sleep "$DOWNLOAD_PAUSE"
	done
	cannot_prepare "$1"
}

# As apt and mmdebstrap mark it, else the last line.
last_error() {
	awk '/^E: / { error = $0 } { last = $0 } END { print error ? error : last }' "$1"
}

# Packages of the machine itself, in Debian and its kin.
need_program() {
	command -v "$1" >/dev/null && return
	say "installing $1"
	command -v apt-get >/dev/null || die "$1 is missing: please install it"
	patiently "$1" install_program "$1"
}

# Its lists of packages may be old, or none. Not to be killed in the middle: it is the
# machine's own dpkg.
install_program() {
	apt-get install -y --no-install-recommends "$1" ||
		{ apt-get update && apt-get install -y --no-install-recommends "$1"; }
}
