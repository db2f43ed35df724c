#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vm.py TEST...: runs tests of this folder in a virtual machine of its own, with kernel modules and
services that a test may not touch elsewhere, and ends with N passed, N failed, N skipped. The sources
and the build are mounted there, read-only. See README.md."""
import glob
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "interop"), os.path.join(HERE, "..", "lib")]

import fetched  # noqa: E402
from fieldway_test import build_path, source_path  # noqa: E402

RUN_S = 540         # software emulation on a loaded machine
IMAGE_S = 900
NEEDED = (("mmdebstrap", "mmdebstrap"), ("qemu-system-x86_64", "qemu-system-x86"), ("mke2fs", "e2fsprogs"))


def image():
    """The folder of a machine, made unless it is there for this state of its recipe."""
    recipe = os.path.join(HERE, "image.sh")
    with fetched.place(build_path("tests/vm/machine")) as place:
        folder = os.path.join(place, "image")

        def make():
            problem = fetched.run(["sh", recipe, folder], timeout=IMAGE_S)
            if problem:
                raise fetched.Unavailable(problem)

        if not os.path.exists(os.path.join(folder, "complete")):
            for program, package in NEEDED:
                fetched.need(program, package)
            if os.geteuid() != 0:
                raise fetched.Unavailable("its image is made by root")
        fetched.made(folder, fetched.digest([recipe, "/etc/os-release"]), make)
    return folder


def share(tests):
    folder = build_path("tests/vm/share")
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


def boot(machine, shared):
    mounts = {"share": shared, "source": os.path.realpath(source_path()), "build": os.path.realpath(build_path())}
    arguments = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-m", "1024", "-smp", "1",
                 "-nographic", "-no-reboot", "-nic", "none", "-kernel", os.path.join(machine, "vmlinuz"),
                 "-initrd", os.path.join(machine, "initrd.img"),
                 "-append", "root=/dev/vda rw console=ttyS0 quiet panic=-1 mitigations=off",
                 "-drive", f"file={machine}/disk.img,if=virtio,format=raw,cache=unsafe", "-snapshot"]
    for tag, path in mounts.items():
        only = "" if tag == "share" else ",readonly=on"
        arguments += ["-virtfs", f"local,path={path},mount_tag={tag},security_model=none{only}"]
    with open(os.path.join(shared, "console"), "wb") as console:
        subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=console, stderr=console, timeout=RUN_S, check=True)


def read(folder, name):
    try:
        with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as f:
            return f.read()
    except FileNotFoundError:
        return ""


def main(tests):
    try:
        machine = image()
    except fetched.Unavailable as e:
        # Not everybody may make one: it is said, and counted.
        print(f"There is no virtual machine here: {e}\n0 passed, 0 failed, {len(tests)} skipped")
        return 0
    shared, begin = share(tests), time.monotonic()
    try:
        boot(machine, shared)
    except (subprocess.SubprocessError, OSError) as e:
        print(f"The virtual machine did not end well: {e}\n{read(shared, 'console')[-3000:]}")
    results = dict(line.split() for line in read(shared, "results").splitlines())
    for test in tests:
        print(f"{results.get(test, 'FAIL')}: {test}")
        log = read(shared, f"{test}.log")
        if results.get(test) == "PASS":
            print("".join(line[3:] + "\n" for line in log.splitlines() if line.startswith("== ")), end="")
        else:
            print(log[-12000:] or read(shared, "output")[-6000:])
    counts = [sum(results.get(test, "FAIL") == word for test in tests) for word in ("PASS", "FAIL", "SKIP")]
    print(f"The virtual machine took {time.monotonic() - begin:.0f} s")
    print("{} passed, {} failed, {} skipped".format(*counts))
    return 1 if counts[1] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
