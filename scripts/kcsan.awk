# SPDX-License-Identifier: GPL-2.0
#
# Sorts KCSAN's reports in a console log by whose code the two accesses are in:
# the modules', else the suites', else the kernel's. Prints the first kind, a
# line for each of the others, and the counts. All go to out/, a file for each.
#
# A task writes its own flags in memalloc_noio_save(), which is inline, and the scheduler looks
# at them: the kernel's, with whatever function of ours around it.

function finish(	whose) {
	if (report == "")
		return
	if (title ~ /kthread_(data|is_per_cpu)/)
		modules = suites = 0
	whose = modules ? "modules" : suites ? "suites" : "kernel"
	print report >(out "/races-" whose)
	if (++seen[title] == 1) {
		if (whose == "modules")
			print report
		list[whose] = list[whose] "  " title "\n"
		pairs[whose]++
	}
	count[whose]++
	report = ""
}

{ sub(/^\[ *[0-9.]+\](\[ *[CT][0-9]+\])? /, "") }
/^=+$/ { finish(); next }
/^BUG: KCSAN: / {
	finish()
	title = substr($0, 13)
	modules = title ~ /\[vmbkmcl(_hv)?\]/
	suites = title ~ /_kunit\]/
	top = 0
}
/^BUG: KCSAN: / || report != "" {
	report = report $0 "\n"
	# The line after "... to 0x... by task": what is inlined is not in the title
	if (top && /\[vmbkmcl(_hv)?\]/)
		modules = 1
	top = / of [0-9]+ bytes by /
}
/setup_watchpoints: / { watched += $NF }
END {
	finish()
	if (!watched) {
		print "KCSAN was not on"
		exit 1
	}
	printf "%d accesses watched\n", watched
	printf "%d data races (%d reports) in the modules\n", pairs["modules"], count["modules"]
	printf "%d (%d) in the suites\n%s", pairs["suites"], count["suites"], list["suites"]
	printf "%d (%d) in the kernel\n%s", pairs["kernel"], count["kernel"], list["kernel"]
	exit count["modules"] > 0
}
