# SPDX-License-Identifier: GPL-2.0
#
# Makes docs/api.md of a list of functions (see scripts/docs.d/functions) and what
# kernel-doc -rst says of the sources.

function escaped(text) {
	gsub(/:c:[a-z]+:/, "", text)
	gsub(/\*/, "\\*", text)
	return text
}

# Markdown of a line of reStructuredText: names in bold are parameters.
function markdown(text,	done) {
	while (match(text, /\*\*\*?[A-Za-z_]+\*\*/)) {
		done = done escaped(substr(text, 1, RSTART - 1)) \
			"`" substr(text, RSTART + 2, RLENGTH - 4) "`"
		text = substr(text, RSTART + RLENGTH)
	}
	return done escaped(text)
}

# A prototype, a parameter in each line if it is long.
function prototype(text) {
	sub(/^\.\. c:function:: /, "", text)
	sub(/ \(/, "(", text)
	gsub(/ \* /, " *", text)
	if (length(text) > 84) {
		sub(/\(/, "(\n            ", text)
		gsub(/, /, ",\n            ", text)
	}
	return "    " text
}

function add(text) {
	page[name] = page[name] text "\n"
}

FILENAME == ARGV[1] { lines[++n] = $0; next }

/^\.\. c:function:: / {
	name = $0
	sub(/ \(.*/, "", name)
	sub(/.*[ *]/, "", name)
	proto[name] = prototype($0)
	part = "Purpose"
	next
}
/^\.\. / || !name { next }
/^  \*\*[A-Z][a-z]+\*\*$/ {
	part = $0
	gsub(/[ *]/, "", part)
	if (part == "Context" || part == "Return")
		head = part == "Return" ? "Returns: " : "Context: "
	next
}
part == "Purpose" && NF {
	sub(/^ +/, "")
	purpose[name] = $0
	next
}
# A parameter is its name in a line, and what it is in those that follow.
part == "Parameters" && /^  ``/ {
	sub(/^ +``/, "")
	sub(/``$/, "")
	sub(/.*[ *]/, "")
	head = "- `" $0 "`: "
	next
}
part == "Parameters" && /^ +no arguments$/ { head = ""; next }
part == "Parameters" && NF {
	sub(/^ +/, "")
	add((head ? head : "  ") markdown($0))
	head = ""
	next
}
part == "Parameters" { next }
# The rest are paragraphs and lists, empty lines between them.
!NF { gap = 1; next }
{
	sub(/^  /, "")
	sub(/^ /, "", $0)
	if (head && /^- /)
		sub(/ $/, "\n", head)
	if (gap && !/^- / || head)
		add("")
	else if (gap && /^- / && last !~ /^(- |  )/)
		add("")
	add(head ~ /\n$/ ? head "\n" markdown($0) : head markdown($0))
	head = ""
	gap = 0
	last = $0
}

END {
	print "<!-- SPDX-License-Identifier: GPL-2.0 -->"
	print "<!-- Made by scripts/docs of the comments in the sources: change those, then make docs. -->"
	print "# The functions"
	print ""
	print "What each does, in which context it may be called, and its statuses. What works and what"
	print "does not, and which tests there are, is in [api-status.md](api-status.md)."
	for (i = 1; i <= n; i++) {
		if (lines[i] ~ /^# /) {
			print "\n#" lines[i]
			continue
		}
		split(lines[i], word, " ")
		if (!(word[1] in proto)) {
			print "error: kernel-doc says nothing of " word[1] >"/dev/stderr"
			exit 1
		}
		printf "\n### %s\n\n%s%s ([%s](../%s)).\n\n%s\n\n", word[1],
			toupper(substr(purpose[word[1]], 1, 1)), substr(purpose[word[1]], 2),
			word[2], word[2], proto[word[1]]
		sub(/^\n/, "", page[word[1]])
		printf "%s", page[word[1]]
	}
}
