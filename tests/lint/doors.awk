# SPDX-License-Identifier: Apache-2.0
# awk -f doors.awk DOORS FILE...: prints each line of agent/ that does what another file does alone.

FILENAME == ARGV[1] {
	if ($0 ~ /^#/ || $0 !~ /[^ \t]/)
		next
	expression = $0
	sub(/[ \t]*\t.*/, "", expression)
	files = $0
	sub(/^[^\t]*\t[ \t]*/, "", files)
	n_doors++
	door[n_doors] = expression
	keeper[n_doors] = " " files " "
	next
}

FNR == 1 {
	file = FILENAME
	sub(/^agent\//, "", file)
	comment = 0
}

{
	line = $0
	gsub(/\/\*.*\*\//, "", line)
	gsub(/"[^"]*"/, "\"\"", line)
	if (comment && line ~ /\*\//) {
		comment = 0
		sub(/.*\*\//, "", line)
	}
	if (comment)
		next
	if (line ~ /\/\*/) {
		comment = 1
		sub(/\/\*.*/, "", line)
	}
	for (i = 1; i <= n_doors; i++) {
		if (line ~ door[i] && index(keeper[i], " " file " ") == 0) {
			print FILENAME ":" FNR ": " $0
			wrong = 1
		}
	}
}

END {
	exit wrong
}
