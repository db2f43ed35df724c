# SPDX-License-Identifier: Apache-2.0
"""Peers that come from the network: made ready in the build folder, once for a state of the sources."""
import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys

FETCH_S = 480


class Unavailable(Exception):
    """Why a peer cannot be had here."""


def digest(paths):
    found = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as f:
            found.update(f.read())
    return found.hexdigest()


def need(program, package):
    if not shutil.which(program):
        raise Unavailable(f"there is no {program} here (Debian: {package})")


def run(arguments, timeout=FETCH_S, **options):
    """Why it failed, or None."""
    try:
        done = subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=timeout, check=False, **options)
    except subprocess.TimeoutExpired:
        return f"{arguments[0]} took more than {timeout} s"
    if done.returncode:
        return f"{arguments[0]} ended with status {done.returncode}:\n{done.stdout[-2000:]}"
    return None


@contextlib.contextmanager
def place(folder):
    """The folder, there, and nobody else's meanwhile: tests run side by side."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def made(folder, state, make):
    """Calls make() unless the folder is complete for this digest."""
    stamp = os.path.join(folder, "complete")
    try:
        with open(stamp, encoding="ascii") as f:
            if f.read() == state:
                return
    except FileNotFoundError:
        pass
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    make()
    with open(stamp, "w", encoding="ascii") as f:
        f.write(state)


def prepare_or_exit(name, prepare):
    """Says why it cannot be had: skipped, or failed where CI=true."""
    try:
        prepare()
    except Unavailable as e:
        print(f"{name} cannot be had: {e}", file=sys.stderr)
        sys.exit(1 if os.environ.get("CI") == "true" else 77)
