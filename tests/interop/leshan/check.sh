#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# check.sh TEST...: runs them side by side in the build folder, shows what fails, and ends with
# N passed, N failed, N skipped. For `make check-leshan`.
logs=tests/interop/leshan
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
		grep '^Leshan' "$logs/$name.log"
	else
		tail -n 150 "$logs/$name.log"
	fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
