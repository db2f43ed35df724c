#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# files.sh [TREE]: every source, script and fragment is named by a makefile, or the tarball lacks it;
# and whatever a makefile names by its path is there.
lint=$(cd "$(dirname "$0")" && pwd) || exit 99
cd "${1-${abs_top_srcdir-$lint/../..}}" || exit 99

folders=
for folder in agent plugins objects etc packaging tests; do
	[ -d "$folder" ] && folders="$folders $folder"
done

wrong=0
names=$(find Makefile.am $folders -name '*.am' -exec cat {} + |
	sed 's/#.*//' | tr -s ' \t\\=:' '\n' | sed 's|^\$([a-z_]*srcdir)/||' | sort -u)

# A module may be agreed upon, with a header and an empty fragment, before it is built.
late=$(find $folders -name '*.am' | while read -r fragment; do
	grep -q '^[^#]' "$fragment" || dirname "$fragment"
done)
for folder in $late; do
	find "$folder" -name '*.[ch]' | grep -q . && echo "$folder: not built yet"
done

for file in $(find $folders \
	\( -name '*.[ch]' -o -name '*.am' -o -name '*.sh' -o -name '*.awk' -o -name '*.py' \) \
	-type f | sort); do
	printf '%s\n' "$names" | grep -qxF "$file" && continue
	printf '%s\n' "$late" | grep -qxF "$(dirname "$file")" && continue
	echo "$file: in no makefile"
	wrong=1
done

for file in $(printf '%s\n' "$names" | grep -E '^(agent|plugins|tests)/.*\.(c|h|am|sh|awk|py)$'); do
	[ -e "$file" ] || { echo "$file: named by a makefile, but missing"; wrong=1; }
done
exit "$wrong"
