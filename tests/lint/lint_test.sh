#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The lints notice what they are for: each case is a small tree with one mistake.
lint=$(cd "$(dirname "$0")" && pwd) || exit 99
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
failed=0

# put FILE TEXT: a file in a tree that is otherwise empty.
put() {
	mkdir -p "$work/tree/$(dirname "$1")" && printf '%b' "$2" >"$work/tree/$1"
}

# expect STATUS PATTERN COMMAND...: how it ends, and what it says.
expect() {
	status=$1 pattern=$2
	shift 2
	"$@" >"$work/output" 2>&1
	result=$?
	if [ "$result" -ne "$status" ] ||
		{ [ -n "$pattern" ] && ! grep -qE -- "$pattern" "$work/output"; }; then
		echo "FAIL: $* in a tree with:"
		(cd "$work/tree" && grep -r . .)
		echo "ended with $result, not $status, or without /$pattern/:"
		cat "$work/output"
		failed=1
	fi
	rm -rf "$work/tree" "$work/layers"
}

layering() {
	expect "$1" "$2" "$lint/layering.sh" "$work/tree"
}

put agent/model/a.c '#include "base/buf.h"\n#include "model/path.h"\n#include "own.h"\n'
put agent/main.c '#include "gateway/wire.h"\n#include "lwm2m/client.h"\n'
put agent/fieldbus/a.c '#include <systemd/sd-bus.h>\n'
put agent/model/b.c '#include <systemd/sd-event.h>\n'
put plugins/x/a.c '#include "api/plugin.h"\n#include "b.h"\n#include "plugins/x/b.h"\n#include "plugins/lib/b.h"\n#include <modbus.h>\n'
put tests/unit/mapping/a_test.c '#include "link/host1.h"\n#include "tests/unit/mapping/rig.h"\n'
layering 0 ''

put agent/base/a.c '\n#include "model/path.h"\n'
layering 123 'agent/base/a.c:2: base includes model/path.h, but may not include model'
put agent/codec/a.h '  #  include   "store/store.h" /* why not */\n'
layering 123 'agent/codec/a.h:1: codec includes store/store.h'
put plugins/x/a.c '#include "base/buf.h"\n'
layering 123 'plugins/x/a.c:1: plugins includes base/buf.h, but may not include base'
put plugins/x/a.c '#include "plugins/y/b.h"\n'
layering 123 'plugins/x/a.c:1: plugins includes plugins/y/b.h, which is in no module'
put agent/host/a.c '#include "../base/buf.h"\n'
layering 123 'agent/host/a.c:1: includes ../base/buf.h by a relative path'
put agent/host/a.c '#include "plugins/x/b.h"\n'
layering 123 'host includes plugins/x/b.h, which is in no module'
put agent/helpers/a.c 'int a;\n'
layering 123 'agent/helpers/a.c: helpers has no row in the table'
put agent/model/a.c '#include <jansson.h>\n'
layering 123 'model includes <jansson.h>, but may not use jansson'
put agent/mapping/a.c '#include <coap3/coap.h>\n'
layering 123 'mapping includes <coap3/coap.h>, but may not use libcoap'
put tests/unit/base/a_test.c '#include "model/path.h"\n'
layering 123 'tests/unit/base/a_test.c:1: base includes model/path.h'

put tests/unit/model/model.am 'LDADD = agent/model/libmodel.la agent/base/libbase.la agent/state/libstate.la\n'
layering 123 'tests/unit/model/model.am:1: model links state, which is not below it'
put tests/unit/mapping/mapping.am 'LDADD = agent/mapping/libmapping.la agent/link/liblink.la\n'
layering 0 ''

# The table itself: a back edge, a row twice, something that is no row.
back_edge() {
	put agent/base/a.c 'int a;\n'
	printf '%b' "$1" >"$work/layers"
	LAYERS=$work/layers
	export LAYERS
	layering 123 "$2"
	unset LAYERS
}
back_edge 'base: model\nmodel: base\n' 'layers:1: base names model, which is not above it'
back_edge 'base:\nmodel: base model\n' 'layers:2: model names model, which is not above it'
back_edge 'base:\nbase:\n' 'layers:2: not a row'
back_edge 'base:\nmodel base\n' 'layers:2: not a row'

doors() {
	expect "$1" "$2" "$lint/doors.sh" "$work/tree"
}
put agent/base/clock.c '\tclock_gettime(id, &ts);\n'
put agent/base/timer.c '\tr = sd_event_add_time(event);\n'
put agent/base/a.c '/* not sd_event_now() */\n/*\n * nor sleep(1)\n */\n\tlog("time()");\n\tstate_time(x);\n'
doors 0 ''
put agent/lwm2m/a.c 'int a;\n\tnow = time(NULL);\n'
doors 123 'agent/lwm2m/a.c:2:'
put agent/link/a.c '\tsd_event_add_time_relative(event);\n'
doors 123 'agent/link/a.c:1:'
put agent/config/a.c '#include <yaml.h>\n'
doors 123 'agent/config/a.c:1:'
put agent/store/a.c '\tabort();\n'
doors 123 'agent/store/a.c:1:'

files() {
	expect "$1" "$2" "$lint/files.sh" "$work/tree"
}
tree() {
	put Makefile.am 'include $(srcdir)/agent/agent.am\n'
	put agent/agent.am "lib_SOURCES = \\\\\\n\\tagent/a.c $1\\n"
	put agent/a.c 'int a;\n'
}
tree ''
files 0 ''
tree ''
put agent/b.h 'extern int a;\n'
files 1 'agent/b.h: in no makefile'
tree 'agent/b.c'
files 1 'agent/b.c: named by a makefile, but missing'
tree ''
put agent/late/late.am '# agent/late\n'
put agent/late/late.h 'int a;\n'
put Makefile.am 'include $(srcdir)/agent/agent.am\ninclude $(srcdir)/agent/late/late.am\n'
files 0 'agent/late: not built yet'
tree ''
put tests/tests.am 'X = y\n'
files 1 'tests/tests.am: in no makefile'

specs() {
	expect "$1" "$2" "$lint/specs.sh" "$work/tree"
}
# ledger ROW: a ledger of this row over one file and one test.
ledger() {
	put agent/lwm2m/a.c 'int a;\n'
	put tests/unit/lwm2m/a_test.c 'START_TEST(test_it)\nSTART_TEST(test_a)\n'
	put tests/integration/b_test.py '    def test_b(self):\n'
	put tests/specs.md "| requirement | section | state | where | shown by |\\n|---|---|---|---|---|\\n$1\\n"
}
ledger '| x | C 1 | done | lwm2m/a.c | lwm2m/a_test test_it test_a; integration/b_test test_b |'
specs 0 ''
ledger '| x | C 1 | partly: half | tests/unit/lwm2m/a_test.c | lwm2m/a_test |\n| y | C 2 | later | - | - |'
specs 0 ''
ledger '| x | C 1 | done | lwm2m/b.c | lwm2m/a_test test_it |'
specs 1 'tests/specs.md:3: lwm2m/b.c is not there'
ledger '| x | C 1 | done | lwm2m/a.c | lwm2m/b_test test_it |'
specs 1 'tests/specs.md:3: no test lwm2m/b_test'
ledger '| x | C 1 | done | lwm2m/a.c | lwm2m/a_test test_i |'
specs 1 'a_test.c has no test_i'
ledger '| x | C 1 | done | lwm2m/a.c | - |'
specs 1 'done, but without a file or a test'
ledger '| x | C 1 | deviation | - | lwm2m/a_test test_it |'
specs 1 'deviation, but without'
ledger '| x | C 1 | finished | lwm2m/a.c | lwm2m/a_test test_it |'
specs 1 'no state: finished'
ledger '| x | C 1 | done | lwm2m/a.c |'
specs 1 'not a row of five cells'
ledger ''
specs 1 'no rows'
# case ROW: one of the enabler test specification.
case_row() {
	put tests/conformance/c_test.py '    @case(7)\n    def test_7_fallback(self):\n'
	put tests/specs.md "| id | title | peer | registered as | host | virtual endpoint | result | deviation |\\n|---|\\n$1\\n"
}
case_row '| 7 | x | s | 1.1 | passed | passed | passed | - |\n| 8 | x | - | 1.1 | open | open | open: no y | - |'
specs 0 ''
case_row '| 8 | x | s | 1.1 | passed | open | partly: no y | - |'
specs 1 'tests/specs.md:3: no test of case 8'
case_row '| 7 | x | s | 1.1 | passed | passed | done | - |'
specs 1 'no result: done'
case_row '| 7 | x | s | 1.1 | passed | passed | passed |'
specs 1 'not a row of eight cells'

# releases CONFIGURE CHANGELOG DEPENDENCY: versions of one and the other, and what both packages are built with.
releases() {
	put configure.ac "AC_INIT([fieldway], [$1])\\nFIELDWAY_REQUIRE([X], [x >= 1], [libx-dev], [x-devel])\\n"
	put packaging/debian/changelog "fieldway ($2-1) unstable; urgency=medium\\n"
	put packaging/debian/control "Build-Depends:\\n lib$3-dev,\\n"
	put packaging/rpm/fieldway.spec "Version: $1\\nBuildRequires:  $3-devel\\n%%changelog\\n- $1-1\\n"
}
releases 1.2.0 1.2.0 x
expect 0 '' "$lint/packages.sh" "$work/tree"
releases 1.2.0 1.1.0 x
expect 1 'version 1.1.0, configure.ac has 1.2.0' "$lint/packages.sh" "$work/tree"
releases 1.2.0 1.2.0 y
expect 1 'control: no libx-dev' "$lint/packages.sh" "$work/tree"

if command -v "${CC-cc}" >/dev/null; then
	: >"$work/config.h"
	headers() {
		expect "$1" "$2" env CC="${CC-cc}" abs_top_builddir="$work" "$lint/headers.sh" "$work/tree"
	}
	put agent/base/a.h '#pragma once\n#include <stdint.h>\nuint8_t a(void);\n'
	headers 0 ''
	put agent/base/a.h 'uint8_t a(void);\n'
	headers 1 'uint8_t'
fi

# Its report must count a function, and name one that is too long.
put agent/a.c "int a(void)\\n{\\n$(printf '\\tx;\\n%.0s' $(seq 120))}\\n"
expect 0 'a\(\) has 122 lines' "$lint/size.sh" "$work/tree"
exit "$failed"
