#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# layering.sh [TREE]: every include and link is one that the table in `layers` allows.
lint=$(cd "$(dirname "$0")" && pwd) || exit 99
cd "${1-${abs_top_srcdir-$lint/../..}}" || exit 99
find agent plugins tests/unit \( -name '*.[ch]' -o -name '*.am' \) 2>/dev/null | sort |
	xargs awk -f "$lint/layering.awk" "${LAYERS-$lint/layers}"
