# SPDX-License-Identifier: GPL-2.0
#
# How often guest and host have signalled each other for a request, with either driver, by
# vmbhost's logs, each behind a line "first ROUND". A controller's first opening is before all
# rounds, and its primary channel is the last of an opening that closes. In odd rounds hv_storvsc
# has the first one.

function number(key) {
	return match($0, "\"" key "\":[0-9]+") ? substr($0, RSTART + length(key) + 3) + 0 : 0
}

/^first / {
	split("", primaries)
	first = $2
}

/"event":"account"/ {
	offer = /"offer":"one"/ ? 1 : 2
	opening = primaries[offer] + 0
	primaries[offer] += !/"sub":/
	if (!opening)
		next
	round = first + opening - 1
	driver = (offer + round) % 2 ? "b" : "a"
	packets[driver] += number("received")
	to_host[driver] += number("signals_in")
	to_guest[driver] += number("signals_out")
}

END {
	if (packets["a"] && packets["b"])
		printf "signals a request: to the host %.2f and %.2f, to the guest %.2f and %.2f\n",
			to_host["a"] / packets["a"], to_host["b"] / packets["b"],
			to_guest["a"] / packets["a"], to_guest["b"] / packets["b"]
}
