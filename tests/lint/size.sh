#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Reports the size of files and functions; a report, not a gate.
lint=$(cd "$(dirname "$0")" && pwd) || exit 99
cd "${1-${abs_top_srcdir-$lint/../..}}" || exit 99
find agent plugins -name '*.c' | sort | xargs wc -l | awk '$2 != "total" && $1 > 600 { print $2 ": " $1 " lines" }'
find agent plugins -name '*.c' | sort | xargs awk -f "$lint/size.awk"
exit 0
