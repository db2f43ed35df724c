#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The table of the enabler test specification in tests/specs.md, as the last run makes it.

table.py [--write]: prints it, or puts it into tests/specs.md of the source tree."""
import ast
import glob
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import build_path, source_path  # noqa: E402

from cases import CASES, HOST, LESHAN, VIRTUAL  # noqa: E402

LEDGER = source_path("tests", "specs.md")
PEER = "lwm2m_server"
HEAD = ["| id | title | peer | registered as | host | virtual endpoint | result | deviation |",
        "|---|---|---|---|---|---|---|---|"]


class Incomplete(Exception):
    """The run and the list of cases do not go together."""


def programs():
    """Program, class, and {case: name of its test} of all that have cases."""
    found = []
    for path in sorted(glob.glob(os.path.join(os.path.dirname(os.path.abspath(__file__)), "*_test.py"))):
        with open(path, encoding="utf-8") as f:
            tree = ast.parse(f.read())
        for c in (node for node in tree.body if isinstance(node, ast.ClassDef)):
            cases = {d.args[0].value: node.name for node in c.body if isinstance(node, ast.FunctionDef)
                     for d in node.decorator_list if isinstance(d, ast.Call) and getattr(d.func, "id", "") == "case"}
            if cases:
                found.append((os.path.basename(path).removesuffix(".py"), c.name, cases))
    return found


def read_results():
    """{(case, version, end): result} of all test programs. What others have left, which are gone, does not count."""
    results = {}
    for program, name, _ in programs():
        path = build_path("tests", "conformance", "results", f"{program}-{name}.json")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as f:
                for r in map(json.loads, f):
                    results[r["case"], r["version"], r["endpoint"]] = r["result"]
    return results


def cell(number, end, results):
    """What a case came to there: every version passed, or why it is open, or why there is none."""
    c = CASES[number]
    if end in c.without:
        return "-"
    if c.open[end]:
        return "open"
    found = {version: results.get((number, version, end), "not run") for version in c.versions}
    wrong = [f"{version} {result}" for version, result in found.items() if result != "passed"]
    return "passed" if not wrong else ", ".join(wrong)


def result(case, cells):
    if all(c in ("passed", "-") for c in cells.values()):
        return "deviation" if case.deviation else "passed"
    reasons = list(dict.fromkeys(case.open[end] for end in cells if cells[end] == "open"))
    word = "open" if "passed" not in cells.values() else "partly"
    return f"{word}: {'; '.join(reasons)}" if reasons else "failed"


def peers(number, cells):
    """Leshan is another run's, `make check-leshan`."""
    if all(c in ("open", "-") for c in cells.values()):
        return "-"
    return f"{PEER}, Leshan" if number in LESHAN else PEER


def remark(case):
    parts = [case.deviation, *(f"No {'host' if end == HOST else 'virtual endpoint'}: {why}"
                               for end, why in case.without.items())]
    return ". ".join(p for p in parts if p)


def rows(results):
    unknown = [k for k in results if k[0] not in CASES or k[1:] not in CASES[k[0]].closed()]
    if unknown:
        raise Incomplete(f"run, but not in cases.py, or open there: {unknown}")
    lines = []
    for number, case in sorted(CASES.items()):
        cells = {end: cell(number, end, results) for end in (HOST, VIRTUAL)}
        lines.append("| " + " | ".join([
            str(number), case.title, peers(number, cells),
            ", ".join(case.versions), cells[HOST], cells[VIRTUAL], result(case, cells), remark(case) or "-"]) + " |")
    return lines


def split_ledger(text):
    """Lines before the table, its rows, lines behind it."""
    lines = text.split("\n")
    start = lines.index(HEAD[0])
    end = start + 2
    while end < len(lines) and lines[end].startswith("|"):
        end += 1
    return lines[:start], lines[start + 2:end], lines[end:]


def main():
    made = rows(read_results())
    if sys.argv[1:] != ["--write"]:
        print("\n".join([*HEAD, *made]))
        return
    with open(LEDGER, encoding="utf-8") as f:
        before, _, behind = split_ledger(f.read())
    with open(LEDGER, "w", encoding="utf-8") as f:
        f.write("\n".join([*before, *HEAD, *made, *behind]))


if __name__ == "__main__":
    main()
