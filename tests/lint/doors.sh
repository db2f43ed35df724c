#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# doors.sh [TREE]: clocks, timers, YAML and the like go through their one file.
lint=$(cd "$(dirname "$0")" && pwd) || exit 99
cd "${1-${abs_top_srcdir-$lint/../..}}" || exit 99
find agent -name '*.[ch]' | sort | xargs awk -f "$lint/doors.awk" "$lint/doors"
