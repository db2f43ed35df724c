# SPDX-License-Identifier: Apache-2.0
# awk -f layering.awk LAYERS FILE...: prints each include and each link that
# the table does not allow.
# The files are paths from the top of the tree. POSIX awk.

function complain(text) {
	print text
	wrong = 1
}

# Rows of the table; whatever a row names must stand above it.
function read_row(line,    parts, words, n, i, name) {
	sub(/#.*/, "", line)
	if (line !~ /[^ \t]/)
		return
	name = line
	sub(/:.*/, "", name)
	if (line !~ /^[a-z0-9_]+:/ || (name in row)) {
		complain(FILENAME ":" FNR ": not a row, or a second one of its name")
		return
	}
	sub(/^[^:]*:/, "", line)
	split(line, parts, "|")
	n = split(parts[1], words, " ")
	for (i = 1; i <= n; i++) {
		if (words[i] == "*") {
			everything[name] = 1
		} else if (!(words[i] in row)) {
			complain(FILENAME ":" FNR ": " name " names " words[i] ", which is not above it")
		} else {
			may[name, words[i]] = 1
			reach(name, words[i])
		}
	}
	n = split(parts[2], words, " ")
	for (i = 1; i <= n; i++)
		library[name, words[i]] = 1
	row[name] = 1
}

# What a unit test of a module may use: all that lies below it.
function reach(from, to,    other) {
	below[from, to] = 1
	for (other in row)
		if ((to, other) in below)
			below[from, other] = 1
}

function library_of(header) {
	if (header ~ /^yaml\.h$/)
		return "libyaml"
	if (header ~ /^systemd\// && header != "systemd/sd-event.h")
		return "libsystemd"
	if (header ~ /^gnutls\//)
		return "gnutls"
	if (header ~ /^coap[23]?[\/.]/)
		return "libcoap"
	if (header ~ /^jansson/)
		return "jansson"
	if (header ~ /^curl\//)
		return "libcurl"
	if (header == "microhttpd.h")
		return "libmicrohttpd"
	if (header == "seccomp.h")
		return "libseccomp"
	if (header ~ /^modbus/)
		return "libmodbus"
	if (header ~ /^(expat\.h|libxml\/)/)
		return "expat"
	return ""
}

# Sets module, and unit (1 for a unit test); empty for files that no row binds.
function place(file,    parts, n) {
	n = split(file, parts, "/")
	unit = 0
	module = ""
	if (parts[1] == "agent")
		module = n == 2 ? "main" : parts[2]
	else if (parts[1] == "plugins" && n > 2)
		module = "plugins"
	else if (parts[1] == "tests" && parts[2] == "unit" && n > 3) {
		module = parts[3]
		unit = 1
	}
	if (module != "" && !(module in row)) {
		complain(file ": " module " has no row in the table")
		module = ""
	}
	plugin = parts[2]
}

function allowed(target) {
	if (everything[module] || target == module)
		return 1
	return unit ? ((module, target) in below) : ((module, target) in may)
}

function check_own(header,    parts, n, target) {
	if (header ~ /(^|\/)\.\.(\/|$)/) {
		complain(FILENAME ":" FNR ": includes " header " by a relative path")
		return
	}
	n = split(header, parts, "/")
	if (n == 1)
		return # beside the file that includes it
	target = parts[1]
	# plugins/lib is what all of them share.
	if (target == "plugins" && module == "plugins" && (parts[2] == plugin || parts[2] == "lib"))
		return
	if (unit && target == "tests")
		return
	if (!(target in row) || target == "plugins") {
		complain(FILENAME ":" FNR ": " module " includes " header ", which is in no module")
		return
	}
	if (!allowed(target))
		complain(FILENAME ":" FNR ": " module " includes " header ", but may not include " target)
}

function check_library(header,    name) {
	name = library_of(header)
	if (name == "" || unit || (module, "*") in library || (module, name) in library)
		return
	complain(FILENAME ":" FNR ": " module " includes <" header ">, but may not use " name)
}

FILENAME == ARGV[1] {
	read_row($0)
	next
}

FNR == 1 {
	place(FILENAME)
}

module != "" && /^[ \t]*#[ \t]*include[ \t]*"/ {
	header = $0
	sub(/^[^"]*"/, "", header)
	sub(/".*/, "", header)
	check_own(header)
}

module != "" && /^[ \t]*#[ \t]*include[ \t]*</ {
	header = $0
	sub(/^[^<]*</, "", header)
	sub(/>.*/, "", header)
	check_library(header)
}

# A library or test is linked with its own module and those below it only.
module != "" && FILENAME ~ /\.am$/ {
	rest = $0
	while (match(rest, /agent\/[a-z0-9_]+\/lib[a-z0-9_]+\.la/)) {
		split(substr(rest, RSTART, RLENGTH), parts, "/")
		target = parts[2]
		rest = substr(rest, RSTART + RLENGTH)
		if (!everything[module] && target != module && !((module, target) in below))
			complain(FILENAME ":" FNR ": " module " links " target ", which is not below it")
	}
}

END {
	exit wrong
}
