#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# check.sh FOLDER TEST...: runs them side by side in the build folder, logs in FOLDER, shows what fails
# and the lines that begin with "== ", and ends with N passed, N failed, N skipped.
logs=$1
shift
mkdir -p "$logs"
for test in "$@"; do
	name=$(basename "$test" .py)
	"$abs_top_srcdir/$test" </dev/null >"$logs/$name.log" 2>&1 &
	running="${running-} $name:$!"
done

passed=0 failed=0 skipped=0
for pair in $running; do
	name=${pair%:*}
	wait "${pair#*:}"
	case $? in
	0) passed=$((passed + 1)) result=PASS ;;
	77) skipped=$((skipped + 1)) result=SKIP ;;
	*) failed=$((failed + 1)) result=FAIL ;;
	esac
	echo "$result: $name"
	if [ "$result" = PASS ]; then
		sed -n 's/^== //p' "$logs/$name.log"
	else
		tail -n 150 "$logs/$name.log"
	fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
