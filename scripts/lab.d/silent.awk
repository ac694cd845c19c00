# SPDX-License-Identifier: GPL-2.0
#
# Of a console log: exits 0 if a processor that was asked last where it is, by an NMI, has not
# answered.

match($0, /Sending NMI from CPU [0-9]+ to CPUs [0-9,-]+/) {
	split("", asked)
	list = substr($0, RSTART, RLENGTH)
	sub(/.* /, "", list)
	count = split(list, ranges, ",")
	for (i = 1; i <= count; i++) {
		ends = split(ranges[i], range, "-")
		for (cpu = range[1]; cpu <= range[ends]; cpu++)
			asked[cpu + 0] = 1
	}
}
match($0, /NMI backtrace for cpu [0-9]+/) {
	cpu = substr($0, RSTART, RLENGTH)
	sub(/.* /, "", cpu)
	delete asked[cpu + 0]
}
END {
	for (cpu in asked)
		exit 0
	exit 1
}
