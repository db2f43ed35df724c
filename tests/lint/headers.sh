#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# headers.sh [TREE]: every header compiles alone.
lint=$(cd "$(dirname "$0")" && pwd) || exit 99
build=${abs_top_builddir-$(pwd)}
cd "${1-${abs_top_srcdir-$lint/../..}}" || exit 99
compiler=${CC-cc}
command -v "${compiler%% *}" >/dev/null || { echo "no compiler"; exit 77; }
[ -e "$build/config.h" ] || { echo "not configured"; exit 77; }

wrong=0
for header in $(find agent plugins tests -name '*.h' 2>/dev/null | sort); do
	# Included rather than compiled itself: "#pragma once" means nothing in a main file. What the
	# set-up of tests offers need not be used here.
	printf '#include "%s"\n' "$(pwd)/$header" |
		$compiler -fsyntax-only -x c -include "$build/config.h" -Wall -Werror -Wno-unused-function \
			-I"$build" -Iagent -I. $LINT_CFLAGS - || wrong=1
done
exit "$wrong"
