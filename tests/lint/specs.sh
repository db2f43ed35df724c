#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# specs.sh [TREE]: every file and test case that the ledger names is there, every row has a state, and nothing
# counts as done without both.
lint=$(cd "$(dirname "$0")" && pwd) || exit 99
cd "${1-${abs_top_srcdir-$lint/../..}}" || exit 99
exec awk -f "$lint/specs.awk" tests/specs.md
