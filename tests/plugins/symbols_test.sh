#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each plugin exports its descriptor and nothing else.
set -u
found=0 wrong=0
for so in "${builddir:-.}"/plugins/*/.libs/*.so; do
	[ -e "$so" ] || continue
	found=$((found + 1))
	# AddressSanitizer marks each global with an __odr_asan symbol of its own.
	symbols=$(nm -D --defined-only "$so" | awk '$3 !~ /^(__odr_asan|_init$|_fini$)/ { print $3 }')
	if [ "$symbols" != fieldway_plugin ]; then
		echo "$so exports: $symbols"
		wrong=1
	fi
done
[ "$found" -gt 0 ] || { echo "no plugin found"; exit 1; }
exit "$wrong"
