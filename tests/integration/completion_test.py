#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Completion of fieldwayctl: what it says, and what bash and zsh make of it."""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import build_path, main, source_path  # noqa: E402
from ctl_test import CtlScenario  # noqa: E402

BASH = r"""
source "$1"
compopt() { echo "compopt $*"; }
COMP_LINE=$2
COMP_POINT=${#2}
# As readline breaks a line: at blanks, and '=' and ':' are words of their own.
mapfile -t COMP_WORDS < <(sed 's/[=:]/\n&\n/g; s/ /\n/g' <<<"$2")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_fieldwayctl
printf '%s\n' "${COMPREPLY[@]}"
"""
# What adds matches exists in a line editor only: here they are told.
ZSH = r"""
compadd() { [[ $1 == -S ]] && shift 2; shift; print -l -- ${(P)1}; }
_files() { print -- FILES; }
words=("${(@s: :)2}")
CURRENT=${#words}
source "$1"
"""


class CompletionScenario(CtlScenario):
    def complete(self, *words):
        done = self.run_ctl("complete", *words, environment=None if getattr(self, "bus", None) else {})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.split("\n")[:-1]

    def shell(self, *command):
        path = {"PATH": os.path.dirname(build_path("fieldwayctl")) + ":" + os.environ["PATH"]}
        environment = {**os.environ, **(self.bus.environment() if getattr(self, "bus", None) else {}), **path}
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False,
                              encoding="utf-8", env=environment)
        self.assertEqual((done.returncode, done.stderr), (0, ""), command)
        return [line for line in done.stdout.split("\n") if line]

    def bash(self, line):
        return self.shell("bash", "-c", BASH, "bash", source_path("packaging/completions/fieldwayctl.bash"), line)

    def zsh(self, line):
        return self.shell("zsh", "-f", "-c", ZSH, "zsh", source_path("packaging/completions/_fieldwayctl"), line)


class WordsTest(CompletionScenario):
    """Without a daemon, and never a word too much."""

    def test_commands(self):
        text = self.run_ctl("--help", environment={}).stdout
        commands = set(re.findall(r"(?m)^  ([a-z][a-z-]*)", text))
        self.assertEqual(set(self.complete("")), commands | {"help", "--help", "--version"})
        self.assertEqual(self.complete("sta"), ["status"])
        self.assertEqual(self.complete("help", "cred"), ["credentials"])
        self.assertNotIn("complete", commands)

    def test_options(self):
        self.assertEqual(self.complete("status", "-"), ["--bus", "--help", "--json"])
        self.assertEqual(self.complete("scan", "lan", "--un"), ["--units"])
        self.assertEqual(self.complete("status", "--bus", "s"), ["session", "system"])
        self.assertEqual(self.complete("check", "--shared", ""), [":file"])
        self.assertEqual(self.complete("credentials", "export", "--template", "l"), ["leshan"])
        for words in (("nonesuch", ""), ("raw", "lan", "--unit", ""), ("status", ""), ("read", "")):
            self.assertEqual(self.complete(*words), [], words)

    def test_words(self):
        self.assertEqual(self.complete("list", "b"), ["buses"])
        self.assertEqual(self.complete("credentials", ""), ["create", "export", "rotate", "status"])
        self.assertEqual(self.complete("profile", "show", "--shared=" + source_path("etc"), "eastron-sdm63"),
                         ["eastron-sdm630"])
        self.assertEqual(self.complete("import-object", "a.xml", ""), [":file"])

    def test_every_command(self):
        """What stands there as a kind is known: whatever is not is a mistake of a table."""
        for command in self.complete(""):
            if not command.startswith("-"):
                self.complete(command, "", "")


class DaemonTest(CompletionScenario):
    def test_names(self):
        self.start()
        self.assertEqual(self.complete("read", ""), ["host", "vfd"])
        self.assertEqual(self.complete("read", "v"), ["vfd"])
        self.assertEqual(self.complete("explain", ""), ["vfd"])
        self.assertEqual(self.complete("raw", "--unit", "1", ""), ["lan"])
        self.assertEqual(self.complete("read", "vfd", "/33"), ["/3306/", "/3308/"])
        self.assertEqual(self.complete("read", "--json", "vfd", "/3308/0/59"), ["/3308/0/5900"])
        self.assertEqual(self.complete("poll", "vfd", "speed", "ru"), ["run", "running"])
        self.assertEqual(self.complete("credentials", "create", ""), ["plant"])
        self.assertEqual(self.complete("read", "--bus=" + self.bus.address, "v"), ["vfd"])
        self.assertEqual(self.complete("read", "--bus", "unix:path=/nonexistent", "v"), [])


class ShellTest(CompletionScenario):
    def test_bash(self):
        self.start()
        self.assertEqual(self.bash("fieldwayctl sta"), ["status"])
        self.assertEqual(self.bash("fieldwayctl read "), ["host", "vfd"])
        self.assertEqual(self.bash("fieldwayctl read vfd /330"), ["/3306/", "/3308/"])
        self.assertEqual(self.bash("fieldwayctl read vfd /3308/1/"), self.complete("read", "vfd", "/3308/1/"))
        self.assertEqual(self.bash("fieldwayctl read vfd /3306"), ["compopt -o nospace", "/3306/"])
        self.assertEqual(self.bash(f"fieldwayctl read --bus={self.bus.address} v"), ["vfd"])
        folder = source_path("packaging/completions")
        self.assertEqual(sorted(self.bash(f"fieldwayctl check {folder}/_f")),
                         [f"{folder}/_fieldwayctl", "compopt -o default"])

    def test_zsh(self):
        if not shutil.which("zsh"):
            self.skipTest("there is no zsh")
        self.start()
        self.assertEqual(self.zsh("fieldwayctl sta"), ["status"])
        self.assertEqual(self.zsh("fieldwayctl read "), ["host", "vfd"])
        self.assertEqual(self.zsh("fieldwayctl read vfd /330"), ["/3306/", "/3308/"])
        self.assertEqual(self.zsh("fieldwayctl check "), ["FILES"])


if __name__ == "__main__":
    main()
