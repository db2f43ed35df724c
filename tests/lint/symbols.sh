#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each plugin exports its descriptor and nothing else: two plugins in one host must not meet.
command -v "${NM-nm}" >/dev/null || { echo "no nm"; exit 77; }
found=0 wrong=0
for plugin in "${abs_top_builddir-.}"/plugins/*/.libs/*.so; do
	[ -e "$plugin" ] || continue
	found=$((found + 1))
	# AddressSanitizer marks each global with an __odr_asan symbol of its own.
	symbols=$("${NM-nm}" -D --defined-only "$plugin" |
		awk '$3 !~ /^(__odr_asan.*|_init|_fini)$/ { print $3 }')
	[ "$symbols" = fieldway_plugin ] && continue
	echo "$plugin exports:" $symbols
	wrong=1
done
[ "$found" -gt 0 ] || { echo "no plugin was built"; exit 77; }
exit "$wrong"
