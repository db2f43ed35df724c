# SPDX-License-Identifier: Apache-2.0
# Lengths of functions in kernel style: a body is from "{" to "}" in the first column.

FNR == 1 {
	if (name != "")
		file_length[++n_files] = length_so_far
	name = FILENAME
	body = 0
}

{
	length_so_far = FNR
}

/^[a-zA-Z_].*\(/ {
	heading = $0
	sub(/\(.*/, "", heading)
	sub(/.*[ \t*]/, "", heading)
}

/^\{/ {
	body = FNR
}

/^\}/ && body {
	n = FNR - body + 1
	function_length[++n_functions] = n
	if (n > 100)
		print FILENAME ":" body ": " heading "() has " n " lines"
	body = 0
}

function median(values, n,    i, k, value) {
	for (i = 2; i <= n; i++) {
		value = values[i]
		for (k = i - 1; k > 0 && values[k] > value; k--)
			values[k + 1] = values[k]
		values[k + 1] = value
	}
	return n > 0 ? values[int((n + 1) / 2)] : 0
}

END {
	if (name != "")
		file_length[++n_files] = length_so_far
	printf "%d files, median %d lines; %d functions, median %d lines\n", n_files, \
		median(file_length, n_files), n_functions, median(function_length, n_functions)
}
