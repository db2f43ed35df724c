# SPDX-License-Identifier: Apache-2.0
# What the machine does: each of the tests named in the share's file, as root, one after the other.
set -u
export abs_top_srcdir=/source abs_top_builddir=/build FIELDWAY_PACKAGES=/packages PYTHONDONTWRITEBYTECODE=1 LANG=C.UTF-8
# Its own network has only a loopback, which is up.
while read -r test; do
	timeout 500 python3 "/source/tests/install/$test.py" </dev/null >"/share/$test.log" 2>&1
	case $? in
	0) result=PASS ;;
	77) result=SKIP ;;
	*) result=FAIL ;;
	esac
	echo "$test $result" >>/share/results
done </share/tests
