#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The manual pages as built: nothing of the programs is missing there, and nothing stands there that is not so."""
import glob
import hashlib
import hmac
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import build_path, main, source_path  # noqa: E402
from fieldway_test.bus import NAME  # noqa: E402
from fieldway_test.programs import plugin_folder  # noqa: E402
from dbus_test import BUS, DEVICE, PATH, VFD, DbusScenario  # noqa: E402

FOLDER = "packaging/man"
COMMON_OPTIONS = {"--json", "--bus", "--help"}
CONFIGURATION = ("fieldway.yaml.5", "fieldway-profile.5")
# Programs of others.
FOREIGN = {("busctl", "1"), ("epoll", "7"), ("polkit", "8"), ("sd_bus_path_encode", "3"), ("systemd", "1")}


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def output(*command):
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=True,
                          encoding="utf-8").stdout


def plain(text):
    """What roff shows of it."""
    for name, meaning in (("-", "-"), ("&", ""), ("(->", "->"), ("(aq", "'"), ("(dq", '"'), ("(ga", "`"), ("(ti", "~"),
                          ("(ha", "^"), ("(oq", "`"), ("(cq", "`"), ("e", "\\")):
        text = text.replace("\\" + name, meaning)
    return text


def section(page, title, macro="Ss"):
    """From this heading to the next one."""
    return re.search(rf'(?ms)^\.{macro} {re.escape(title)}\n(.*?)(?=^\.S[sh] |\Z)', page).group(1)


def items(text, macro):
    """The names behind .It MACRO, which may be several."""
    return [plain(name).removeprefix(macro + " ").strip('"') for line in re.findall(rf"(?m)^\.It {macro} (.*)$", text)
            for name in re.split(r" Pq | Ar | , ", line)[:line.count(" , ") + 1]]


def directives(source, word):
    return re.findall(rf'(?m)^\.\\" {word} (.*)$', source)


def examples(source):
    """(file or None, text) of what is shown as it is."""
    return [(name or None, text) for name, text in
            re.findall(r'(?ms)^\.\\" (?:file (\S+)|text)\n(.*?)^\.\\" end$', source)]


def options(text):
    """Those of a --help: they begin a line."""
    return set(re.findall(r"(?m)^  +(--?[a-z][a-z-]*)", text))


class ManualTest(DbusScenario):
    def setUp(self):
        super().setUp()
        self.names = sorted(os.path.basename(path)[:-3] for path in glob.glob(source_path(FOLDER, "*.in")))
        self.sources = {name: read(source_path(FOLDER, name + ".in")) for name in self.names}
        if not os.path.exists(build_path(FOLDER, self.names[0])):
            self.skipTest("the manual is not built here")
        self.pages = {name: read(build_path(FOLDER, name)) for name in self.names}

    def commands(self):
        """{command: its options}"""
        program = build_path("fieldwayctl")
        names = re.findall(r"(?m)^  ([a-z][a-z-]*)", output(program, "--help"))
        return {name: options(output(program, name, "--help")) - COMMON_OPTIONS for name in names}

    # ---- fieldwayctl(1), fieldwayd(8) ----

    def test_commands(self):
        commands, page = self.commands(), section(self.pages["fieldwayctl.1"], "COMMANDS", "Sh")
        self.assertIn("status", commands)
        self.assertIn("--within", commands["scan"])
        described = {}
        for entry in re.split(r"(?m)^\.It Ic ", page)[1:]:
            name = re.match(r"\S+", entry).group()
            described[name] = {"-" + option for option in items(entry, "Fl")}
        self.assertEqual(described, commands)
        self.assertEqual(set(items(section(self.pages["fieldwayctl.1"], "OPTIONS", "Sh"), "Fl")),
                         {"-bus", "-help", "-json", "h", "-version"})

    def test_daemon_options(self):
        known = options(output(build_path("fieldwayd"), "--help"))
        self.assertIn("--check", known)
        described = re.findall(r"(?m)^\.It Fl (\\-[a-z\\-]*)", section(self.pages["fieldwayd.8"], "Options"))
        self.assertEqual({"-" + plain(name) for name in described}, known)

    def test_command_lines(self):
        """What examples call is there."""
        commands, known = self.commands(), options(output(build_path("fieldwayd"), "--help"))
        texts = [text for source in self.sources.values() for name, text in examples(source) if not name]
        seen = 0
        for program, line in re.findall(r"(?m)^(?:\$ )?(fieldwayctl|fieldwayd) (.*)$", "".join(texts)):
            used = set(re.findall(r"(?<!\S)(--?[a-z][a-z-]*)", line))
            if program == "fieldwayctl":
                command = line.split()[0]
                self.assertIn(command, commands)
                used -= COMMON_OPTIONS | {"--unit", "--host", "--mac"}
            self.assertEqual(used - (commands[command] if program == "fieldwayctl" else known), set(), line)
            seen += 1
        self.assertGreater(seen, 15)

    # ---- fieldway.yaml(5), fieldway-profile(5) ----

    def key_tables(self):
        """{title: {key: facts and help}} of the programs, as they say now."""
        text = output(build_path("agent/config/list_keys"))
        fragments = "".join(map(read, glob.glob(source_path("plugins", "*", "*.am"))))
        for plugin in re.findall(r"(?m)^plugin_LTLIBRARIES \+= plugins/\w+/(\w+)\.la$", fragments):
            text += f"\nplugin {plugin}\n" + output(build_path("fieldway-plugin-host"), "--describe", plugin,
                                                    "--plugins", plugin_folder(self.rig))
        tables, prefix = {}, ""
        for line in text.splitlines():
            if line.startswith("plugin "):
                prefix = line + " "
            elif re.match(r"\S.*:$", line):
                table = tables.setdefault(prefix + line[:-1], {})
            elif line.startswith("      "):
                table[name] += line
            elif line.startswith("  "):
                name, _, facts = line.strip().partition(" (")
                table[name] = facts
        return tables

    def test_keys(self):
        tables = self.key_tables()
        self.assertIn("short_id", tables["servers[]"])
        self.assertIn("rtu.baud", tables["plugin modbus Bus"])
        self.assertIn("characteristic", tables["plugin ble Point, or in defaults for all"])
        wanted = {title for page in CONFIGURATION for title in directives(self.sources[page], "keys")}
        self.assertEqual(wanted - set(tables), set())
        for title in set(tables) - wanted:
            # None of its own.
            self.assertTrue(any(tables[title].items() <= tables[other].items() for other in wanted), title)
        for page in CONFIGURATION:
            for heading, title in self.places(page):
                text = section(self.pages[page], *heading)
                described = set(items(text, "Cm"))
                later = "".join(re.findall(r"(?m)^Not in this version:\n\.Cm (.*)", text))
                for key, facts in tables[title].items():
                    if facts.startswith("later)"):
                        self.assertIn(f'"\\&{key}"', later)
                        continue
                    parts = key.split(".")
                    self.assertTrue(any(".".join(parts[:i + 1]) in described for i in range(len(parts))), (title, key))

    def places(self, page):
        """((heading, macro), title) of each list of keys."""
        heading = None
        for macro, text, title in re.findall(r'(?m)^\.(?:(S[sh]) (.*)|\\" keys (.*))$', self.sources[page]):
            heading = (text, macro) if macro else heading
            if title:
                yield heading, title

    def test_prose_of_keys(self):
        """Defaults, ranges and help come along; what may stand in several places is described once."""
        page = section(self.pages["fieldway.yaml.5"], "servers")
        self.assertIn('.It Cm "\\&liveness" Pq "\\&duration 10s..1d, default 5m"', page)
        page = section(self.pages["fieldway-profile.5"], "A profile of plugin serial")
        self.assertIn('.It Cm "\\&messages.*.checksum"\nThe same as below\n.Cm "\\&checksum" .', page)
        self.assertIn('.It Cm "\\&requests.*.steps.*"\nThe same as below\n.Cm "\\&requests.*" .', page)
        self.assertNotIn("requests.*.steps.*.send", page)

    def test_key_of_an_identity(self):
        """The vector of derive:, by another implementation."""
        text = re.search(r"of\n\.Ql (\S+)\nis ([0-9a-f]{32})\.", self.pages["fieldway.yaml.5"])
        secret = hmac.new(b"fieldway-psk-1", bytes(range(32)), hashlib.sha256).digest()
        key = hmac.new(secret, plain(text.group(1)).encode() + b"\1", hashlib.sha256).digest()[:16]
        self.assertEqual(key.hex(), text.group(2))

    def test_configurations(self):
        """Each page's files are a configuration without errors and warnings."""
        with_files = [page for page in self.names if any(name for name, _ in examples(self.sources[page]))]
        self.assertEqual(with_files, ["fieldway-object.5", "fieldway-profile.5", "fieldway.yaml.5"])
        for page in with_files:
            folder = self.rig.path(page)
            for name, text in examples(self.sources[page]):
                if name:
                    self.rig.write(f"{page}/{name}", text, 0o600)
                for master in re.findall(r'"derive:(\S+)"', text):
                    self.rig.write(f"{page}/{master}", "x" * 32, 0o600)
            if not os.path.exists(os.path.join(folder, "fieldway.yaml")):
                self.rig.write(f"{page}/fieldway.yaml", "schema: 1\ngateway: {name: gw}\n")
            done = subprocess.run(
                [build_path("fieldwayd"), "--check", folder, "--shared", source_path("etc"),
                 "--objects", source_path("objects"), "--plugins", plugin_folder(self.rig),
                 "--host-program", build_path("fieldway-plugin-host")],
                stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False, encoding="utf-8")
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""), page)

    # ---- org.fieldway.Agent1(5) ----

    def introspect(self, path):
        """{interface: {member: signature}} of ours."""
        status, lines = self.bus.run(["busctl", f"--address={self.bus.address}", "introspect", "--xml-interface",
                                      NAME, path])
        self.assertEqual(status, 0)
        found = {}
        for interface in ET.fromstring("\n".join(lines)).findall("interface"):
            if not interface.get("name").startswith(NAME):
                continue
            members = found[interface.get("name")] = {}
            for method in interface.findall("method"):
                put = {way: [f"{a.get('type')} {a.get('name')}" for a in method.findall("arg")
                             if a.get("direction") == way] for way in ("in", "out")}
                members[method.get("name")] = (f"({', '.join(put['in'])})" + " -> " * bool(put["out"])
                                               + ", ".join(put["out"]))
            for signal in interface.findall("signal"):
                arguments = ", ".join(f"{a.get('type')} {a.get('name')}" for a in signal.findall("arg"))
                members[signal.get("name")] = f"signal ({arguments})"
            for value in interface.findall("property"):
                members[value.get("name")] = value.get("type")
        return found

    def test_interface(self):
        self.start()
        found = {}
        for path, shown in self.bus.objects().items():
            for interface, members in self.introspect(path).items():
                self.assertEqual(found.setdefault(interface, members), members)
                self.assertIn(interface, shown)
        found.update(self.introspect("/org/fieldway/Agent1"))
        self.assertEqual(sorted(found), [f"{NAME}.{name}" for name in ("Bus", "Device", "Endpoint", "Manager")])
        page = self.pages[NAME + ".5"]
        for interface, members in found.items():
            described = {name: plain(text).strip('" *') for name, text in
                         re.findall(r"(?m)^\.It Ic (\w+) No (.*)$", section(page, interface))}
            self.assertEqual(described, members)

    def test_rights(self):
        """Marked are methods that need rights; the policy lets everybody call all, so that polkit has a say."""
        page, header = self.pages[NAME + ".5"], read(source_path("agent/dbus/agent1.h"))
        policy = read(source_path("packaging/dbus/org.fieldway.Agent1.conf")).split("<policy group")[0]
        allowed = set(re.findall(r'send_interface="(\S+)"\s+send_member="(\w+)"', policy))
        asked = re.search(r"(?s)is asked about AGENT1_NAME and\n(.*?)and lets a caller", header).group(1)
        actions = dict(re.findall(r"\.(\w+) +([^.]*)", re.sub(r"\s*\n \*\s*", " ", asked)))
        self.assertEqual({f"{NAME}.{action}" for action in actions},
                         set(re.findall(r'<action id="(.*)"', read(source_path(f"packaging/polkit/{NAME}.policy")))))
        needing = {(f"{NAME}.{group.split(':')[0].strip()}", name) for text in actions.values()
                   for group in text.split(";") for name in re.findall(r"\w+", group.split(":")[1])}
        methods = {(interface, name): mark for interface in re.findall(rf"(?m)^\.Ss ({re.escape(NAME)}\S+)$", page)
                   for name, mark in re.findall(r'(?m)^\.It Ic (\w+) No "\(.*"( \*)?$', section(page, interface))}
        self.assertEqual({method for method, mark in methods.items() if mark}, needing)
        self.assertEqual({method for method in allowed if method[0].startswith(NAME)}, set(methods))

    def test_header(self):
        """agent1.h describes what introspection shows, each with its types."""
        self.start()
        header = read(source_path("agent/dbus/agent1.h"))
        for path in (VFD, DEVICE, BUS, PATH):
            for interface, members in self.introspect(path).items():
                text = re.search(rf"(?ms)^ \*   {re.escape(interface)}$(.*?)^ \*$", header).group(1)
                text = re.sub(r"\s*\n \*\s*", " ", text)
                for name, types in members.items():
                    own = types.removeprefix("signal ").split(" -> ")[0]
                    self.assertRegex(text, r"\b" + re.escape(name + ("" if own[0] == "(" else " ") + own) + r"(?=\s|$)")

    def test_errors(self):
        names = set(re.findall(r'NAME\s+"\.Error\.(\w+)"', read(source_path("agent/dbus/agent1.h"))))
        self.assertIn("Stale", names)
        self.assertEqual(set(items(section(self.pages[NAME + ".5"], "Errors"), "Er")), names)

    # ---- fieldway-plugin(3) ----

    def test_plugin_contract(self):
        page = self.pages["fieldway-plugin.3"]
        code = "".join(re.sub(r"(?s)/\*.*?\*/", "", read(source_path("agent/api", name)))
                       for name in ("value.h", "plugin.h"))
        enums = {name: re.findall(r"(?m)^\t(FIELDWAY_\w+)", body)
                 for name, body in re.findall(r"(?s)enum (\w+) \{(.*?)\n\};", code)}
        self.assertIn("FIELDWAY_UNKNOWN", enums["fieldway_outcome"])
        structs = dict(re.findall(r"(?s)\bstruct (\w+) \{(.*?)\n\};", code))
        self.assertIn("fieldway_plugin", structs)
        headings = set(re.findall(r"(?m)^\.Ss ((?:struct|enum) \w+)$", page))
        self.assertEqual(headings, {f"enum {name}" for name in enums} | {f"struct {name}" for name in structs})
        for name, constants in enums.items():
            self.assertEqual(items(section(page, f"enum {name}"), "Dv"), constants)
        for name, body in structs.items():
            self.compare_struct(name, body, section(page, f"struct {name}"))
        for name in set(re.findall(r"FIELDWAY_\w+", page)):
            self.assertRegex(code, rf"\b{name}\b")
        for name in re.findall(r"(?m)^#define (\w+)|^struct (\w+);|^typedef .*\(\*(\w+)\)", code):
            self.assertRegex(page, rf"\b{''.join(name)}\b")

    def compare_struct(self, name, body, text):
        body = re.sub(r"\s+", " ", re.sub(r"(union|struct) \{|\};?", ";", body))
        functions, fields = {}, []
        for member in body.split(";"):
            function = re.match(r".*?\(\*(\w+)\)\((.*)\)", member)
            if function:
                functions[function.group(1)] = re.findall(r"(\w+)(?:\[\])?(?:,|$)", function.group(2))
            elif member.strip():
                fields += [re.search(r"(\w+)(?:\[\w+\])?$", part.strip()).group(1) for part in member.split(",")]
        described = {line.split()[0]: line.split()[1:] for line in re.findall(r"(?m)^\.It Fn (.*)$", text)}
        self.assertEqual(described, functions, name)
        self.assertEqual(items(text, "Fa"), fields, name)

    # ---- all of them ----

    def test_messages(self):
        """Each id of the code is in the catalog, which journalctl can read, and in fieldwayd(8)."""
        ids = re.findall(r'#define (MESSAGE_\w+) "([0-9a-f]{32})"', read(source_path("agent/base/message_id.h")))
        self.assertEqual(len(ids), len({i for _, i in ids}))
        catalog = read(source_path("packaging/catalog/fieldway.catalog"))
        entries = re.findall(r"(?m)^-- ([0-9a-f]{32})\nSubject: (.+)\n(?:[A-Z][\w-]+: .+\n)+\n(?:\S.*\n)+", catalog)
        self.assertEqual(sorted(i for i, _ in entries), sorted(i for _, i in ids))
        page = section(read(build_path(FOLDER, "fieldwayd.8")), "MESSAGES", "Sh")
        self.assertEqual([(i, plain(s)) for i, s in re.findall(r"(?m)^\.It Li (\S+)\n(.*)$", page)], entries)
        sources = "".join(read(p) for p in glob.glob(source_path("agent/*/**/*.c"), recursive=True))
        for name, _ in ids:
            self.assertIn(name, sources)
        for field in set(re.findall(r"@(\w+)@", catalog)):
            self.assertIn(f'{{ "{field}", about->', sources)

    def test_lint(self):
        if not shutil.which("mandoc"):
            self.skipTest("no mandoc")
        own = {tuple(name.rsplit(".", 1)) for name in self.names}
        for name in self.names:
            done = subprocess.run(["mandoc", "-Tlint", "-Wstyle", build_path(FOLDER, name)], capture_output=True,
                                  check=False, encoding="utf-8", timeout=60)
            # Where it looks for other pages ours are not installed.
            self.assertEqual([line for line in done.stdout.splitlines() if "referenced manual not found" not in line], [])
            for other in re.findall(r"(?m)^\.Xr (\S+) (\d)", self.pages[name]):
                self.assertIn(other, own | FOREIGN)

    def test_groff(self):
        if not shutil.which("groff"):
            self.skipTest("no groff")
        for name in self.names:
            # All warnings but those of paths that are longer than a line, which is for the prefix to say.
            done = subprocess.run(["groff", "-ww", "-Wbreak", "-mdoc", "-Tutf8", build_path(FOLDER, name)],
                                  capture_output=True, check=False, timeout=60)
            self.assertEqual((done.returncode, done.stderr), (0, b""), name)
            self.assertGreater(len(done.stdout), 1000)

    def test_pages(self):
        """They are those that are installed, and their own names and sections stand in them."""
        fragment = read(source_path(FOLDER, "man.am"))
        for name in self.names:
            title, number = name.rsplit(".", 1)
            self.assertIn(f"{FOLDER}/{name} ", fragment.replace("\n", " "))
            self.assertIn(f"\n.Dt {title.upper()} {number}\n", self.pages[name])
            self.assertIn(f"\n.Nm {title}\n.Nd ", self.pages[name])
            self.assertNotRegex(self.pages[name], r"@[a-z_]+@")


if __name__ == "__main__":
    main()
