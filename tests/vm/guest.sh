# SPDX-License-Identifier: Apache-2.0
# What the virtual machine does: each of the tests named in the share's file, as root, one after the other.
set -u
for tag in source build; do
	mkdir -p "/mnt/$tag"
	mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,ro "$tag" "/mnt/$tag" || exit 1
done
export abs_top_srcdir=/mnt/source abs_top_builddir=/mnt/build PYTHONDONTWRITEBYTECODE=1 LANG=C.UTF-8
while read -r test; do
	timeout 240 python3 "/mnt/source/tests/vm/$test.py" </dev/null >"/mnt/share/$test.log" 2>&1
	case $? in
	0) result=PASS ;;
	77) result=SKIP ;;
	*) result=FAIL ;;
	esac
	echo "$test $result" >>/mnt/share/results
done </mnt/share/tests
