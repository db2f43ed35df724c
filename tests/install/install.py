#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""install.py TEST...: boots each Debian release by systemd-nspawn, with the packages that were built there,
runs tests of this folder in it, and ends with N passed, N failed, N skipped. See README.md."""
import glob
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", folder) for folder in ("interop", "lib", "packages")]

import fetched  # noqa: E402
from fieldway_test import build_path, source_path  # noqa: E402
from release import RELEASES, packages_of  # noqa: E402

RUN_S = 900         # both on a loaded machine
ROOT_S = 600
NEEDED = (("mmdebstrap", "mmdebstrap"), ("systemd-nspawn", "systemd-container"))
# The machine sees its own control groups, not those that the host has mounted.
BOOT = ("umount -R /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup; "
        'exec timeout -k 5 "$RUN_S" systemd-nspawn "$@"')

# Hosts limit themselves with these; nspawn's own list, older than they are, has them not.
LANDLOCK = "landlock_create_ruleset landlock_add_rule landlock_restrict_self"


def root(suite):
    """A folder that stays as it is: machines write beside it."""
    recipe = os.path.join(HERE, "root.sh")
    with fetched.place(build_path("tests/install/roots")) as place:
        folder = os.path.join(place, suite)

        def make():
            problem = fetched.run(["sh", recipe, suite, os.path.join(folder, "root")], timeout=ROOT_S)
            if problem:
                raise fetched.Unavailable(problem)

        fetched.made(folder, fetched.digest([recipe]), make)
    return os.path.join(folder, "root")


def share(suite, tests):
    folder = build_path("tests/install/share", suite)
    os.makedirs(folder, exist_ok=True)
    for old in glob.glob(os.path.join(folder, "*")):
        os.unlink(old)
    with open(os.path.join(HERE, "guest.sh"), encoding="utf-8") as f:
        script = f.read()
    with open(os.path.join(folder, "guest.sh"), "w", encoding="utf-8") as f:
        f.write(script)
    with open(os.path.join(folder, "tests"), "w", encoding="utf-8") as f:
        f.writelines(test + "\n" for test in tests)
    return folder


def boot(suite, machine, shared, packages):
    arguments = ["--quiet", "--register=no", "--keep-unit", "--volatile=overlay", f"--directory={machine}",
                 f"--machine=fieldway-{suite}", "--private-network", "--system-call-filter=" + LANDLOCK,
                 f"--bind-ro={os.path.realpath(source_path())}:/source",
                 f"--bind-ro={os.path.realpath(build_path())}:/build", f"--bind={shared}:/share",
                 f"--bind-ro={os.path.realpath(packages)}:/packages", "--boot"]
    with open(os.path.join(shared, "console"), "wb") as console:
        return subprocess.Popen(["unshare", "--mount", "--propagation", "private", "sh", "-c", BOOT, "boot", *arguments],
                                stdin=subprocess.DEVNULL, stdout=console, stderr=console,
                                env={**os.environ, "RUN_S": str(RUN_S)})


def read(folder, name):
    try:
        with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as f:
            return f.read()
    except FileNotFoundError:
        return ""


def report(suite, tests, shared, seconds):
    """Counts of passed, failed, skipped."""
    results = dict(line.split() for line in read(shared, "results").splitlines())
    for test in tests:
        print(f"{results.get(test, 'FAIL')}: {suite} {test}")
        log = read(shared, f"{test}.log")
        if results.get(test) == "PASS":
            print("".join(line[3:] + "\n" for line in log.splitlines() if line.startswith("== ")), end="")
        else:
            print(log[-30000:] or read(shared, "output")[-6000:] or read(shared, "console")[-3000:])
    print(f"{suite} took {seconds:.0f} s")
    return [sum(results.get(test, "FAIL") == word for test in tests) for word in ("PASS", "FAIL", "SKIP")]


def machines():
    """{release: its root, the folder of its packages}."""
    for program, package in NEEDED:
        fetched.need(program, package)
    if os.geteuid() != 0:
        raise fetched.Unavailable("roots are made and booted by root")
    if not glob.glob(build_path("packages", "fieldway_*.deb")):
        raise fetched.Unavailable("there are no packages (packaging/quickstart package)")
    return {suite: (root(suite), packages_of(suite)) for suite in RELEASES}


def main(tests):
    counts = [0, 0, 0]
    try:
        found = machines()
    except fetched.Unavailable as e:
        # Not everybody may make one: it is said, and counted.
        print(f"There is no machine here: {e}\n0 passed, 0 failed, {len(RELEASES) * len(tests)} skipped")
        return 1 if os.environ.get("CI") == "true" else 0
    begin = time.monotonic()
    shares = {suite: share(suite, tests) for suite in found}
    running = {suite: boot(suite, folder, shares[suite], packages) for suite, (folder, packages) in found.items()}
    for suite, machine in running.items():
        machine.wait()
        results = report(suite, tests, shares[suite], time.monotonic() - begin)
        counts = [a + b for a, b in zip(counts, results)]
    print("{} passed, {} failed, {} skipped".format(*counts))
    return 1 if counts[1] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
