# SPDX-License-Identifier: GPL-2.0
#
# Reads the list of the project's sources, then gcov's text of any number of
# runs. Prints a table; writes out/uncovered and a copy of each source with its
# counts to out/. -v goal=PERCENT: of the lines of core/, pipe/ and the
# loopback.
#
# A header's lines come once for each file that includes it, and a function once
# for each time it was compiled: counts are added.

function percent(part, all) {
	return all ? 100 * part / all : 100
}

function row(name, lines, ran, branches, taken) {
	printf "%-28s %5d of %5d lines %6.1f %%   %5d of %5d branches %6.1f %%\n", \
		name, ran, lines, percent(ran, lines), \
		taken, branches, percent(taken, branches)
}

# The copy of one source, and its part of what did not run.
function report(file,	copy, i, at, j, n, not_taken, count, head) {
	copy = file
	gsub("/", "-", copy)
	copy = out "/" copy
	lines = ran = branches = taken = 0
	for (i = 1; i <= last[file]; i++) {
		at = file SUBSEP i
		not_taken = n = 0
		while ((at, n) in branch) {
			branches++
			if (branch[at, n])
				taken++
			else
				not_taken++
			n++
		}
		count = ""
		if (at in line) {
			lines++
			if (line[at])
				ran++
			count = line[at] ? line[at] : "#####"
		}
		printf "%9s %7s %4d: %s\n", count, \
			not_taken ? not_taken "/" n : "", i, text[at] >copy
		if (at in line && !line[at]) {
			if (!head)
				print (uncovered++ ? "\n" : "") file >(out "/uncovered")
			head = 1
			printf "%5d: %s\n", i, text[at] >(out "/uncovered")
		}
	}
	close(copy)
	row(file, lines, ran, branches, taken)
}

FILENAME == ARGV[1] { known[$0] = ++order; name[order] = $0; next }

/^ *-: *0:Source:/ { sub(/^[^S]*Source:/, ""); file = $0 in known ? $0 : ""; next }
file == "" { next }
/^ *[-0-9#=*]+: *[0-9]+:/ {
	split($0, field, ":")
	number = field[2] + 0
	edge = 0
	if (!number)
		next
	at = file SUBSEP number
	if (number > last[file])
		last[file] = number
	if (!(at in text)) {
		text[at] = $0
		sub(/^[^:]*:[^:]*:/, "", text[at])
	}
	if (field[1] !~ /-/)
		line[at] += field[1] + 0
	next
}
/^branch / { branch[at, edge++] += $3 == "taken" ? $4 : 0 }

END {
	for (i = 1; i <= order; i++) {
		if (!(name[i] in last))
			continue
		report(name[i])
		if (name[i] ~ /^(core|pipe)\/|^transport\/loopback/) {
			goal_lines += lines
			goal_ran += ran
			goal_branches += branches
			goal_taken += taken
		}
		all_lines += lines
		all_ran += ran
		all_branches += branches
		all_taken += taken
	}
	row("all", all_lines, all_ran, all_branches, all_taken)
	row("core/, pipe/ and the loopback", goal_lines, goal_ran, goal_branches, goal_taken)
	exit percent(goal_ran, goal_lines) < goal
}
