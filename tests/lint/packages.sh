#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# packages.sh [TREE]: the packages have the version of configure.ac, and are built with the libraries that it asks for.
lint=$(cd "$(dirname "$0")" && pwd) || exit 99
cd "${1-${abs_top_srcdir-$lint/../..}}" || exit 99
control=packaging/debian/control spec=packaging/rpm/fieldway.spec changelog=packaging/debian/changelog
wrong=0

complain() {
	echo "$*"
	wrong=1
}

version=$(sed -n 's/^AC_INIT(\[fieldway\], \[\(.*\)\])$/\1/p' configure.ac)
[ -n "$version" ] || complain "configure.ac: no version"
found=$(sed -n '1s/^fieldway (\(.*\)-[^-]*) .*/\1/p' $changelog)
[ "$found" = "$version" ] || complain "$changelog: version $found, configure.ac has $version"
found=$(sed -n 's/^Version: *//p' $spec)
[ "$found" = "$version" ] || complain "$spec: version $found, configure.ac has $version"
grep -qF -- "- $version-" $spec || complain "$spec: %changelog does not have $version"

# FIELDWAY_REQUIRE([X], [module], [debian], [fedora])
sed -n 's/^FIELDWAY_REQUIRE(.*, \[\(.*\)\], \[\(.*\)\])$/\1 \2/p' configure.ac | {
	while read -r debian fedora; do
		grep -qx " $debian," $control || complain "$control: no $debian in Build-Depends"
		grep -qx "BuildRequires: *$fedora" $spec || complain "$spec: no BuildRequires: $fedora"
	done
	exit "$wrong"
} || wrong=1
exit "$wrong"
