# SPDX-License-Identifier: Apache-2.0
# Makes a manual page of its source, PAGE.in, which is mdoc and has comments that are replaced:
#   .\" keys TITLE      the keys that stand below TITLE in the file `keys`
#   .\" commands        what the file `commands` has: fieldwayctl COMMAND --help of each
#   .\" file FILE       what follows, up to .\" end, is shown as it is; tests have it as FILE of a
#                       configuration
#   .\" text            the same without a test
#   .\" source FILE     this file of the source tree
#   .\" catalog FILE    the messages of this journal catalog of the source tree
# and @sysconfdir@ and the like.

function fail(text) {
	print FILENAME ":" FNR ": " text >"/dev/stderr"
	failed = 1
	exit 1
}

# Text that is shown as it stands.
function literal(text) {
	gsub(/\\/, "\\e", text)
	gsub(/-/, "\\-", text)
	gsub(/'/, "\\(aq", text)
	gsub(/`/, "\\(ga", text)
	gsub(/~/, "\\(ti", text)
	gsub(/\^/, "\\(ha", text)
	return text ~ /^\./ ? "\\&" text : text
}

# An argument of a macro: one word for it, and none of its own.
function word(text) {
	text = literal(text)
	gsub(/"/, "\\(dq", text)
	return "\"\\&" text "\""
}

# Hyphens stay, options have dashes.
function running(text) {
	gsub(/\\/, "\\e", text)
	text = gensub_options(text)
	gsub(/'/, "\\(aq", text)
	gsub(/~/, "\\(ti", text)
	gsub(/\^/, "\\(ha", text)
	while (match(text, /`[^`]*`/))
		text = substr(text, 1, RSTART - 1) "\\(oq" substr(text, RSTART + 1, RLENGTH - 2) "\\(cq" \
			substr(text, RSTART + RLENGTH)
	return text
}

function gensub_options(text,   before) {
	while (match(text, /(^|[ ('"])--?[a-z0-9"]/)) {
		before = before substr(text, 1, RSTART - 1)
		token = substr(text, RSTART, RLENGTH)
		gsub(/-/, "\\-", token)
		before = before token
		text = substr(text, RSTART + RLENGTH)
	}
	return before text
}

# A paragraph, a sentence a line, none longer than 78.
function prose(text,   n, i, words, line, item) {
	n = split(text, words, / +/)
	line = ""
	for (i = 1; i <= n; i++) {
		item = running(words[i])
		if (words[i] == "")
			continue
		if (line != "" && length(line) + 1 + length(item) > 78)
			line = flush(line)
		line = line (line == "" ? "" : " ") item
		if (words[i] ~ /[.?!][)'"]?$/ && words[i + 1] ~ /^[("'A-Z\/-]/)
			line = flush(line)
	}
	flush(line)
}

function flush(line) {
	if (line ~ /^[.']/)
		line = "\\&" line
	if (line != "")
		print line
	return ""
}

# ---- keys ----

function read_keys(   line, title, plugin, name) {
	while ((getline line <keys) > 0) {
		if (line ~ /^plugin /)
			plugin = line " "
		else if (line ~ /^[^ ].*:$/) {
			title = plugin substr(line, 1, length(line) - 1)
			count[title] = 0
		} else if (line ~ /^  [^ ]/) {
			match(line, / \(/)
			name = substr(line, 3, RSTART - 3)
			order[title, ++count[title]] = name
			facts[title, name] = substr(line, RSTART + 2, length(line) - RSTART - 2)
		} else if (line ~ /^      /)
			help[title, name] = substr(line, 7)
	}
	close(keys)
}

# Takes what matches off the end of `rest`, and returns it.
function take(pattern,   taken) {
	if (!match(rest, pattern))
		return ""
	taken = substr(rest, RSTART)
	rest = substr(rest, 1, RSTART - 1)
	return taken
}

function kind_text(kind) {
	if (kind ~ /^(uint|int)/)
		sub(/^u?int/, "integer", kind)
	else if (kind ~ /^(float|number)/)
		sub(/^(float|number)/, "number", kind)
	else if (kind ~ /^bool/)
		kind = "true or false"
	else if (kind ~ /^key /)
		kind = "key"
	return kind
}

function piece(text, more) {
	return text == "" ? more : more == "" ? text : text ", " more
}

function print_key(title, name,   kind, choices, list, required, initial, text) {
	rest = facts[title, name]
	required = take(", required$")
	list = take(", or a list$")
	initial = take(", default .*$")
	choices = ""
	if (rest !~ /^key / && (choices = take(": .*$")) != "")
		choices = substr(choices, 3)
	kind = rest
	if (kind == "only")
		text = choices " in this version"
	else if (choices == "")
		text = kind_text(kind)
	else if (length(choices) <= 40)
		text = choices
	text = piece(text, substr(initial, 3))
	text = piece(text, list == "" ? "" : "may be a list")
	text = piece(text, substr(required, 3))
	print ".It Cm " word(name) (text == "" ? "" : " Pq " word(text))
	prose(help[title, name])
	if (length(choices) > 40) {
		gsub(/ \| /, ", ", choices)
		print ".br"
		prose("One of " choices ".")
	}
}

# The name without what lies between its first and second star.
function shorter(name,   at, more) {
	at = index(name, "*.")
	more = at ? index(substr(name, at + 2), "*.") : 0
	return more ? substr(name, 1, at + 1) substr(name, at + more + 3) : ""
}

function is_same(title, name, other) {
	return other != "" && (title, other) in facts && facts[title, name] == facts[title, other] && \
		help[title, name] == help[title, other]
}

# Where a group of keys may stand in several places it is told once. True: this one was told.
function print_as_other(title, name,   other, at, place) {
	other = shorter(name)
	if (is_same(title, name, other)) {
		at = index(name, "*.") + 2
		place = substr(name, 1, at - 1 + index(substr(name, at), "*."))
		other = substr(name, 1, at - 2)
	} else {
		at = index(name, "*.")
		other = at ? substr(name, at + 2) : ""
		if (!is_same(title, name, other))
			return 0
		sub(/\..*/, "", other)
		place = substr(name, 1, at + 1) other
	}
	if (!((title, place) in told)) {
		told[title, place] = 1
		print ".It Cm " word(place)
		print "The same as below"
		print ".Cm " word(other) " ."
	}
	return 1
}

function print_keys(title,   i, name, later, n) {
	if (!(title in count))
		fail("no keys of " title)
	for (i = 1; i <= count[title]; i++) {
		name = order[title, i]
		if (facts[title, name] == "later") {
			later = later (later == "" ? "" : " , ") word(name)
			continue
		}
		if (n++ == 0)
			print ".Bl -tag -width Ds -compact"
		if (!print_as_other(title, name))
			print_key(title, name)
	}
	if (n)
		print ".El"
	if (later == "")
		return
	if (n)
		print ".Pp"
	print "Not in this version:"
	print ".Cm " later " ."
}

# ---- commands ----

function end_paragraph() {
	if (paragraph != "")
		prose(paragraph)
	paragraph = ""
}

function end_options() {
	end_paragraph()
	if (options)
		print ".El"
	options = 0
}

function print_option(line,   name, value) {
	if (!options)
		print ".Bl -tag -width Ds -compact"
	options = 1
	sub(/^ +/, "", line)
	match(line, /   */)
	paragraph = substr(line, RSTART + RLENGTH)
	line = substr(line, 1, RSTART - 1)
	match(line, /[ =]/)
	name = RSTART ? substr(line, 1, RSTART - 1) : line
	value = RSTART ? substr(line, RSTART + 1) : ""
	print ".It Fl " literal(substr(name, 2)) (value == "" ? "" : " Ar " word(value))
}

function print_usage(line,   command, at) {
	sub(/^Usage: fieldwayctl /, "", line)
	sub(/ \[--json\]( \[--bus=BUS\])?$/, "", line)
	command = line
	sub(/ .*/, "", command)
	line = substr(line, length(command) + 2)
	print ".It Ic " command (line == "" ? "" : " No " word(line))
}

# What is the same of each stands elsewhere.
function is_common(line) {
	return line ~ /^  --bus=BUS  / || line ~ /^  --json  / || line ~ /^  --help  / || line ~ /^Exit status: /
}

function print_command_line(line) {
	if (is_common(line)) {
		end_options()
		common = 1
	} else if (line ~ /^Usage: /) {
		end_options()
		common = gap = 0
		print_usage(line)
	} else if (line == "") {
		end_options()
		gap = 1
	} else if (!(common && line ~ /^   /)) {
		common = 0
		if (gap)
			print ".Pp"
		gap = 0
		if (line ~ /^ +--?[a-zA-Z]/) {
			end_paragraph()
			print_option(line)
		} else if (line ~ /^  / && !options) {
			end_paragraph()
			print ".Dl " literal(substr(line, 3))
		} else {
			sub(/^ +/, "", line)
			paragraph = paragraph (paragraph == "" ? "" : " ") line
		}
	}
}

function print_commands(   line) {
	print ".Bl -tag -width Ds"
	while ((getline line <commands) > 0)
		print_command_line(line)
	close(commands)
	end_options()
	print ".El"
}

# ---- pages ----

function print_source(name,   line, n, part, tab) {
	print ".Bd -literal"
	while ((getline line <(srcdir "/" name)) > 0) {
		if (n++ == 0 && line ~ /SPDX/)
			continue
		for (part = ""; (tab = index(line, "\t")) > 0; line = substr(line, tab + 1))
			part = part substr(line, 1, tab - 1) substr("        ", 1, 8 - (tab - 1 + length(part)) % 8)
		print literal(part line)
	}
	if (n == 0)
		fail("no file " name)
	close(srcdir "/" name)
	print ".Ed"
}

# The ids of a journal catalog and what they are.
function print_catalog(name,   line, id, n) {
	while ((getline line <(srcdir "/" name)) > 0) {
		if (line ~ /^-- [0-9a-f]+$/)
			id = substr(line, 4)
		else if (line ~ /^Subject: / && ++n)
			print ".It Li " id "\n" running(substr(line, 10))
	}
	if (n == 0)
		fail("no messages in " name)
	close(srcdir "/" name)
}

function replace_places(line,   name) {
	while (match(line, /@[a-z_]+@/)) {
		name = substr(line, RSTART + 1, RLENGTH - 2)
		if (!(name in places))
			fail("no place " name)
		line = substr(line, 1, RSTART - 1) places[name] substr(line, RSTART + RLENGTH)
	}
	return line
}

BEGIN {
	n = split(paths, list, " ")
	for (i = 1; i <= n; i++) {
		at = index(list[i], "=")
		places[substr(list[i], 1, at - 1)] = substr(list[i], at + 1)
	}
	read_keys()
}

/^\.\\" (file|text)/ {
	print ".Bd -literal -offset indent"
	shown = 1
	next
}

/^\.\\" end$/ {
	print ".Ed"
	shown = 0
	next
}

shown {
	print literal(replace_places($0))
	next
}

/^\.\\" keys / {
	print_keys(substr($0, 10))
	next
}

/^\.\\" source / {
	print_source(substr($0, 12))
	next
}

/^\.\\" catalog / {
	print_catalog(substr($0, 13))
	next
}

/^\.\\" commands$/ {
	print_commands()
	next
}

{
	print replace_places($0)
}

END {
	if (!failed && shown)
		fail("an example does not end")
}
