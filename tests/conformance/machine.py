# SPDX-License-Identifier: Apache-2.0
"""The machine that the host endpoint finds: what its kernel would say of maker, serial number and batteries."""
import atexit
import os
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import enter_namespace, replace_files  # noqa: E402

CLASSES = "/sys/class"
MAKER = {"sys_vendor": "Fieldway", "product_name": "Probe", "product_serial": "S-1", "product_version": "V1"}
POWER, RELEASE = "power_supply", "os-release"
_folder = None


def _write(path, text):
    path = os.path.join(_folder, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as f:
        f.write(text + "\n")


def enter():
    """Shows it to all that this process starts, where the system lets us."""
    global _folder
    enter_namespace()
    folder = tempfile.mkdtemp(prefix="fieldway-machine-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    # Interfaces stay as they are.
    os.symlink("../devices/virtual/net", os.path.join(folder, "net"))
    release = os.path.join(folder, RELEASE)
    with open(release, "w", encoding="ascii"):
        pass
    if replace_files({CLASSES: folder, "/etc/os-release": release}):
        _folder = folder


def release():
    """The file that says which system this is, its firmware."""
    return os.path.join(_folder, RELEASE)


def set_release(name):
    _write(RELEASE, f'PRETTY_NAME="{name}"')


def prepare(battery):
    if not _folder:
        raise unittest.SkipTest(f"no mount namespace for a {CLASSES} of the test's own")
    set_release("Probe 1.0")
    for name, text in MAKER.items():
        _write(f"dmi/id/{name}", text)
    shutil.rmtree(os.path.join(_folder, POWER), ignore_errors=True)
    if battery:
        # Types 1 and 2 of /3/0/6: an internal and an external battery.
        for name, kind in ("BAT0", "Battery"), ("UPS0", "UPS"):
            _write(f"{POWER}/{name}/type", kind)
            _write(f"{POWER}/{name}/capacity", "100")
            _write(f"{POWER}/{name}/status", "Full")
        set_batteries((0, 0), (0, 0))


def set_batteries(*values):
    """Millivolts and milliamperes of each."""
    for name, (volts, amperes) in zip(("BAT0", "UPS0"), values):
        _write(f"{POWER}/{name}/voltage_now", str(volts * 1000))
        _write(f"{POWER}/{name}/current_now", str(amperes * 1000))
