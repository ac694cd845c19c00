# SPDX-License-Identifier: GPL-2.0
#
# What scripts/bench-disk prints, of its guest's lines
# "sample|ROUND|SIZE,KIND,DEPTH,PROCESSORS|DRIVER|I/OS|MS|MS OF PROCESSOR TIME".
# -v other=NAME: what driver b is called.

BEGIN { FS = "|" }

{
	if (!($3 in seen)) {
		seen[$3]
		order[++rows] = $3
	}
	rounds = $2 > rounds ? $2 : rounds
	rate[$3, $2, $4] = $5 * 1000 / $6
	cost[$3, $2, $4] = $5 ? $7 * 1000 / $5 : 0
}

# quantile VALUES N PART: sorts them.
function quantile(values, n, part, i, j, swap, at) {
	for (i = 1; i <= n; i++) {
		for (j = i; j > 1 && values[j] < values[j - 1]; j--) {
			swap = values[j]
			values[j] = values[j - 1]
			values[j - 1] = swap
		}
	}
	at = 1 + (n - 1) * part
	i = int(at)
	return i == at ? values[i] : values[i] + (at - i) * (values[i + 1] - values[i])
}

# collect TABLE ROW WHAT PART: of all rounds in which both drivers have done something.
function collect(table, row, what, part, values, i, n, a, b) {
	for (i = 1; i <= rounds; i++) {
		a = table[row, i, "a"]
		b = table[row, i, "b"]
		if (a > 0 && b > 0)
			values[++n] = what == "ratio" ? b / a : what == "a" ? a : b
	}
	return n ? quantile(values, n, part) : 0
}

END {
	printf "%-19s %21s %13s %21s\n", "", "I/Os a second", "", "us of CPU an I/O"
	printf "%-19s %10s %6s %17s %10s %6s %6s\n", "size, kind, depth, CPUs", "hv_storvsc", other,
		"ratio, quartiles", "hv_storvsc", other, "ratio"
	for (i = 1; i <= rows; i++) {
		row = order[i]
		split(row, word, ",")
		faster = collect(rate, row, "ratio", 0.5)
		cheaper = collect(cost, row, "ratio", 0.5)
		printf "%-4s %-6s %5d %5d %12.0f %6.0f %6.2f %5.2f-%-5.2f %9.0f %6.0f %6.2f\n", word[1],
			word[2], word[3], word[4], collect(rate, row, "a", 0.5),
			collect(rate, row, "b", 0.5), faster, collect(rate, row, "ratio", 0.25),
			collect(rate, row, "ratio", 0.75), collect(cost, row, "a", 0.5),
			collect(cost, row, "b", 0.5), cheaper
		enough += faster >= 0.97
		above += faster > 1
		low += cheaper <= 1
		product += log(faster > 0 ? faster : 0.01)
		costs += log(cheaper > 0 ? cheaper : 0.01)
	}
	printf "\n%d rows: %d of at least 0.97 in I/Os a second, %d above 1; %d with no more processor time\n",
		rows, enough, above, low
	printf "geometric mean of the ratios: %.3f in I/Os a second, %.3f in processor time\n",
		exp(product / rows), exp(costs / rows)
}
