#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
#
# In the guest, with the server loaded: what kmclstat says of both ends while the client
# keeps the server's question for half a second, by a copy of the files; what it says of
# the server alone; and whether the client comes and goes while all files are being read.

folder=/sys/kernel/debug/vmbkmcl
client=$folder/echo_client

says() {
	echo "# kmclstat $1"
	# shellcheck disable=SC2086 # several words
	sh kmclstat $1 >/tmp/said 2>&1
	cat /tmp/said
	[ "$(awk 'length($0) > 80' /tmp/said)" = '' ] || { echo 'wider than 80'; exit 1; }
	shift
	for words; do
		tr -s ' \n' ' ' </tmp/said | grep -qE -e "$words" ||
			{ echo "kmclstat did not say: $words"; exit 1; }
	done
}

# Is there a copy with the question at both ends?
copied() {
	rm -rf /tmp/copy
	cp -r $folder /tmp/copy 2>/dev/null
	grep -qs '"client_holds":1,' /tmp/copy/echo_client/json &&
		grep -qs '"open":1,' /tmp/copy/echo_server*/json
}

# In the background: the times are switched on before the thousand transactions are over.
insmod vmbkmcl_echo_client.ko &
loading=$!
until [ -e $client/latency ]; do :; done
echo on >$client/latency || exit 1
# The server moves meanwhile: a copy that is made just then has neither of its channels.
until copied; do
	kill -0 $loading 2>/dev/null || { echo 'the question was kept too shortly'; exit 1; }
done
wait
rmmod vmbkmcl_echo_client || exit 1
[ ! -e $client ] || { echo "$client is still there" && exit 1; }

export KMCLSTAT_DIR=/tmp/copy
says 'why echo_client' 'echo_client: active' 'The client holds 1 packet'
server=$(cd /tmp/copy && grep -l '"open":1,' echo_server*/json | head -n 1)
server=${server%/json}
says "why $server" '1 transaction is open, .* the other end \(echo_client\) has not completed it'
says echo_client 'transport loopback' 'transactions that took' 'active it has started'
says --once '^CHANNEL STATE' 'echo_client active'
unset KMCLSTAT_DIR

says --once 'echo_server(~2)? enabled' 'echo_pipe enabled'
says "why $server" 'It is offered, and no client has opened it'
says 'why echo_client' 'no such channel: echo_client'
sh kmclstat --json >/tmp/said
set -- $folder/*
[ "$(grep -c '^{"channel":"[^"]*",.*}$' /tmp/said)" = $# ] || exit 1
sh kmclstat latency on && [ "$(head -n 1 "$folder/$server/latency")" = on ] || exit 1
sh kmclstat latency off && [ "$(head -n 1 "$folder/$server/latency")" = off ] || exit 1
modes=$(cd "$folder/$server" && stat -c '%n %a %u' .. status json latency | tr '\n' ' ')
[ "$modes" = '.. 700 0 status 400 0 json 400 0 latency 600 0 ' ] || { echo "modes: $modes" && exit 1; }

touch /tmp/reading
while [ -e /tmp/reading ]; do
	cat $folder/*/* >/dev/null 2>&1
done &
for i in 1 2 3 4 5; do
	insmod vmbkmcl_echo_client.ko && rmmod vmbkmcl_echo_client || exit 1
done
rm /tmp/reading
wait
echo "the client came and went $i times while all files were read"
