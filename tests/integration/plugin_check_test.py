#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fieldway-plugin-check takes the plugins that are shipped, and says of wrong ones what is wrong."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import build_path, source_path  # noqa: E402

# Settings of a device.
SHIPPED = {
    "example": ("address.ticks=10",),
    "modbus": ("bus.tcp.port=502", "address.host=127.0.0.1", "address.unit=1", "point.area=input", "point.address=3", "point.type=float32"),
    "serial": ("bus.serial.device=/dev/ttyS9", "device.mode=request", "device.frame.end=\\n", "device.messages.m.match=^(?<v>.*)$",
               "device.requests.r.send=?\\n", "device.requests.r.expect=m", "point.from=m.v"),
    "modbus ": ("bus.tcp.port=502", "address.host=127.0.0.1", "address.unit=1", "point.address=3", "--write"),
    "ble": ("address.mac=A4:C1:38:00:11:01", "point.characteristic=2a19"),
}
# What the plugin `wrong` does, and what is said of it.
WRONG = {
    "silent": "driver_new refuses and does not say why",
    "foreign key": "driver_new refuses the key baud, which is not in the table",
    "touch": "driver_new fails, and has changed *ret",
    "leak": "bytes of each driver and plan are not given back",
    "open": "descriptors stay open",
    "long name": "ended the program",
    "no plan": "a wanted point is in 0 requests",
    "no text": "request 0 says nothing of itself",
    "wrong error": "decode returns -5",
    "overread": "ended the program",
    "overwrite": "ended the program",
    "foreign point": "decode has a sample of point 7",
    "elsewhere": "a text that is not in the room for texts",
}
# Behind the operations of the example.
BAD_END = """
#include <signal.h>
FIELDWAY_EXPORT int another_symbol(void) { signal(1, SIG_IGN); abort(); }
static const struct fieldway_key bad_keys[] = {
    { .name = "a", .scope = FIELDWAY_SCOPE_BUS, .type = FIELDWAY_UINT, .minimum = 5, .maximum = 1, .help = "x" },
    { .name = "b", .scope = FIELDWAY_SCOPE_BUS, .type = FIELDWAY_UINT, .initial = "many", .help = "two\\nlines" },
    { .name = "a", .scope = FIELDWAY_SCOPE_BUS, .type = FIELDWAY_BOOL, .help = "x" },
};
FIELDWAY_EXPORT const struct fieldway_plugin fieldway_plugin = {
    .struct_size = sizeof(fieldway_plugin), .abi = FIELDWAY_ABI, .capabilities = FIELDWAY_CAN_POLL,
    .name = "bad", .version = "1", .keys = bad_keys, .n_keys = 3,
    .bus_check = bus_check, .driver_new = driver_new, .driver_free = driver_free, .line_name = line_name,
    .plan_new = plan_new, .plan_free = plan_free, .decode = decode, .line_open = line_open,
    .line_close = line_close, .read = line_read,
};
"""


# What a sanitizer would handle itself is to end the program, as it does elsewhere.
os.environ["ASAN_OPTIONS"] = ":".join([os.environ.get("ASAN_OPTIONS", ""), "handle_segv=0", "handle_sigbus=0",
                                       "handle_sigfpe=0", "abort_on_error=1", "detect_leaks=0"]).strip(":")


def is_sanitized():
    """Then malloc() is not glibc's, and tells nothing of what is not given back."""
    with open(build_path("fieldway-plugin-check"), "rb") as f:
        return b"__asan_init" in f.read()


def check(*arguments):
    done = subprocess.run([build_path("fieldway-plugin-check"), *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, timeout=120)
    return done.returncode, done.stdout


class PluginCheckTest(unittest.TestCase):
    def test_shipped(self):
        for name, settings in SHIPPED.items():
            with self.subTest(name):
                name = name.strip()
                status, said = check(build_path("plugins", name, ".libs", name + ".so"), *settings)
                self.assertEqual("write_check" in said, "--write" in settings)
                self.assertEqual((status, said.splitlines()[-1]), (0, "All of it holds."), said)

    def test_wrong(self):
        plugin = build_path("tests/unit/host/.libs/wrong.so")
        self.assertEqual(check(plugin)[0], 0)
        for mode, complaint in WRONG.items():
            if mode == "leak" and is_sanitized():
                continue
            with self.subTest(mode):
                status, said = check(plugin, "bus.mode=" + mode)
                self.assertIn(complaint, said)
                self.assertIn("WRONG: ", said)
                self.assertEqual(status, 1)

    def test_settings(self):
        plugin = build_path("plugins/example/.libs/example.so")
        for arguments, complaint in (((), "ticks: is missing"), (("address.ticks=many",), "ticks: takes"),
                                     (("address.ticks=1", "bus.what=1"), "what"), (("ticks=1",), "expected bus.")):
            status, said = check(plugin, *arguments)
            self.assertEqual(status, 2, said)
            self.assertIn(complaint, said)
        status, said = check(build_path("tests/unit/host/.libs/wrong.so"), "bus.mode=refusal")
        self.assertEqual(status, 2, said)
        self.assertIn("settings: not like this", said)

    def test_files(self):
        self.assertEqual(check()[0], 2)
        self.assertEqual(check("/nowhere/x.so")[0], 1)
        self.assertEqual(check("/etc/passwd")[0], 2)

    def test_symbols_and_keys(self):
        compiler = os.environ.get("CC", "cc").split()
        if not shutil.which(compiler[0]):
            self.skipTest("there is no compiler here")
        with tempfile.TemporaryDirectory() as folder:
            source, plugin = os.path.join(folder, "bad.c"), os.path.join(folder, "bad.so")
            with open(source_path("plugins", "example", "example.c"), encoding="ascii") as f:
                operations = f.read().partition("FIELDWAY_EXPORT")[0]
            with open(source, "w", encoding="ascii") as f:
                f.write(operations + BAD_END)
            subprocess.run([*compiler, "-std=gnu11", "-shared", "-fPIC", "-I", source_path("agent"), "-o", plugin, source],
                           check=True)
            status, said = check(plugin)
        for complaint in ("it exports another_symbol", "it calls signal()", "it calls abort()",
                          "key a: its minimum is above its maximum", "key b: its default 'many' is no value of it",
                          "key b: its help is not one line", "key a: it is in the table twice"):
            self.assertIn(complaint, said)
        self.assertEqual(status, 1)

    def test_template(self):
        """What is installed to start from is compiled as users do it, warnings and all, and holds."""
        compiler = os.environ.get("CC", "cc").split()
        if not shutil.which(compiler[0]) or not shutil.which("make"):
            self.skipTest("there is no compiler, or no make, here")
        with tempfile.TemporaryDirectory() as folder:
            for name in (("plugins", "example", "example.c"), ("plugins", "template", "Makefile")):
                shutil.copy(source_path(*name), folder)
            os.mkdir(os.path.join(folder, "bin"))
            tool = os.path.join(folder, "bin", "pkg-config")
            with open(tool, "w", encoding="ascii") as f:
                f.write(f'#!/bin/sh\ncase $1 in\n--cflags) echo -I{os.path.realpath(source_path("agent"))} ;;\n*) echo /p ;;\nesac\n')
            os.chmod(tool, 0o755)
            os.symlink(os.path.realpath(build_path("fieldway-plugin-check")), os.path.join(folder, "bin", "fieldway-plugin-check"))
            environment = {**os.environ, "PATH": os.path.join(folder, "bin") + ":" + os.environ["PATH"]}
            done = subprocess.run(["make", "-C", folder, "check", "install", f"DESTDIR={folder}/to", "CC=" + " ".join(compiler),
                                   "CFLAGS=-Werror"], env=environment, text=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, check=False, timeout=120)
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertIn("All of it holds.", done.stdout)
            self.assertTrue(os.path.exists(os.path.join(folder, "to", "p", "example.so")))


if __name__ == "__main__":
    unittest.main()
