# SPDX-License-Identifier: GPL-2.0
#
# Prints what in a console log is a kernel's complaint, with the lines after
# it. -v allow=REGEXP: complaints whose first line matches are expected. A WARN
# on purpose is one block up to its end trace, its stack no second complaint.
#
# A test that provokes a warning announces it: "complaint due: TEXT". The next
# warning with that text is not printed; that none came is.

function complaint(line) {
	if (line ~ /WARNING: .*(Unprivileged eBPF|compiled without)/)
		return 0
	return line ~ /BUG: |WARNING: |KASAN: |UBSAN: |Oops|general protection|kernel BUG at|Kernel panic|possible (circular|recursive) locking|INFO: .*(detected|blocked for more)|kmemleak: [1-9]|refcount_t: |unreferenced object|list_(add|del) corruption|Call Trace:|ODEBUG: /
}

function missed() {
	if (due != "")
		print "the warning did not come: " due
	due = ""
}

/---\[ end trace/ { if (skip) { skip = 0; next } }
/\[ cut here \]/ { cut = 1; skip = 0; announced = 0; next }
skip { next }
# A console that another processor takes over in the middle of a line has it once more.
/complaint due: / {
	text = $0
	sub(/.*complaint due: /, "", text)
	if (text == due || index(text, due) != 1)
		missed()
	due = text
	next
}
cut && due != "" && index($0, due) { announced = 1; due = "" }
complaint($0) && cut && announced { skip = 1; cut = 0; next }
complaint($0) {
	if (allow != "" && $0 ~ allow) {
		skip = cut
		cut = 0
		next
	}
	cut = 0
	more = 40
}
more > 0 { print; more-- }
END { missed() }
