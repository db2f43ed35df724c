# SPDX-License-Identifier: Apache-2.0
"""On what it was measured."""
import os
import platform
import re
import shlex
import subprocess

from fieldway_test import build_path

LIBRARIES = ("gnutls", "libsystemd", "libmodbus", "jansson", "libcoap-3-gnutls", "libcoap-3", "yaml-0.1")


def _output(*words):
    try:
        return subprocess.run(words, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""


def _processor():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        fields = dict(re.findall(r"^([\w ]+?)\s*: (.*)$", f.read(), re.M))
    return fields.get("model name") or fields.get("Processor") or platform.machine()


def _compiler():
    """And the flags that the build folder was configured with."""
    with open(build_path("Makefile"), encoding="utf-8") as f:
        names = dict(re.findall(r"^(CC|CFLAGS) = (.*)$", f.read(), re.M))
    version = _output(*shlex.split(names["CC"]), "--version").partition("\n")[0]
    return f"{version}, {names['CFLAGS']}"


def lines():
    versions = [(name, _output("pkg-config", "--modversion", name).strip()) for name in LIBRARIES]
    libc = " ".join(platform.libc_ver())
    return [
        f"- {_processor()}, {os.cpu_count()} cores, Linux {platform.release()}",
        f"- {_compiler()}",
        "- " + ", ".join([libc] + [f"{name} {version}" for name, version in versions if version]),
        f"- load average at the start {os.getloadavg()[0]:.2f}",
    ]
