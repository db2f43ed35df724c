# SPDX-License-Identifier: Apache-2.0
# The rows of tests/specs.md: | requirement | section | state | where | shown by |

function wrong(text) {
	print FILENAME ":" FNR ": " text
	failed = 1
}

function exists(path,    line) {
	if (!(path in known)) {
		known[path] = (getline line < path) >= 0
		close(path)
	}
	return known[path]
}

# The words of a file, once.
function read_words(path,    line, words, n, i) {
	if (path in read)
		return
	read[path] = 1
	while ((getline line < path) > 0) {
		n = split(line, words, /[^A-Za-z0-9_]+/)
		for (i = 1; i <= n; i++)
			has[path, words[i]] = 1
	}
	close(path)
}

function program_of(name,    i) {
	for (i = 1; i <= n_places; i++)
		if (exists("tests/" heads[i] name tails[i]))
			return "tests/" heads[i] name tails[i]
	return ""
}

function check_where(cell,    words, n, i) {
	n = split(cell, words, " ")
	for (i = 1; i <= n; i++)
		if (!exists("agent/" words[i]) && !exists(words[i]))
			wrong(words[i] " is not there")
}

function check_shown(cell,    parts, n, words, m, i, k, path) {
	n = split(cell, parts, ";")
	for (i = 1; i <= n; i++) {
		m = split(parts[i], words, " ")
		path = program_of(words[1])
		if (path == "") {
			wrong("no test " words[1])
			continue
		}
		read_words(path)
		for (k = 2; k <= m; k++)
			if (!((path, words[k]) in has))
				wrong(path " has no " words[k])
	}
}

# A case of the enabler test specification, whose row is made: one that passed anywhere has its test.
function check_case(    cells, n) {
	n = split($0, cells, / *\| */)
	if (n != 10) {
		wrong("not a row of eight cells")
		return
	}
	if (cells[8] !~ /^(passed|deviation|partly: .+|open: .+)$/)
		wrong("no result: " cells[8])
	if (cells[8] !~ /^open/ && !(cells[2] in cases))
		wrong("no test of case " cells[2])
}

function read_cases(    command, line) {
	command = "cat tests/conformance/*_test.py 2>/dev/null"
	while ((command | getline line) > 0)
		if (match(line, /def test_[0-9]+_/))
			cases[substr(line, RSTART + 9, RLENGTH - 10)] = 1
	close(command)
}

BEGIN {
	n_places = split("unit/ | | | ", heads, "|")
	split(".c|.c|.py|.sh", tails, "|")
	for (i = 1; i <= n_places; i++)
		sub(/ /, "", heads[i])
	failed = 0
}

!/^\|/ {
	made = 0
	next
}
/^\| id \| title \| peer \|/ {
	made = 1
	read_cases()
	next
}
/^\|-/ || / \| state \| / { next }

made {
	rows++
	check_case()
	next
}

{
	rows++
	if (split($0, cells, / *\| */) != 7) {
		wrong("not a row of five cells")
		next
	}
	state = cells[4]
	sub(/:.*/, "", state)
	if (state == "later" && cells[5] == "-" && cells[6] == "-")
		next
	if (state != "done" && state != "partly" && state != "deviation" && state != "later")
		wrong("no state: " cells[4])
	if (cells[5] == "-" || cells[6] == "-")
		wrong(state ", but without a file or a test")
	if (cells[5] != "-")
		check_where(cells[5])
	if (cells[6] != "-")
		check_shown(cells[6])
}

END {
	if (rows == 0) {
		print "no rows"
		failed = 1
	}
	exit failed
}
