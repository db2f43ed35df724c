#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Object 9 of the host: softwares that are pushed or pulled, installed, activated and removed by their handlers, and
what survives."""
import json
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import firmware_test  # noqa: E402
import firmware_pull_test  # noqa: E402
from fieldway_test import Bus, build_path, main  # noqa: E402
from fieldway_test.scenario import OPAQUE, TLV  # noqa: E402
from fieldway_test import encode  # noqa: E402

MIB = 1 << 20
INITIAL, STARTED, DOWNLOADED, DELIVERED, INSTALLED = range(5)
NOTHING, DOWNLOADING, DONE, VERIFIED = range(4)
NO_STORAGE, NO_MEMORY, LOST, NOT_INTACT, TYPE, URI, DEVICE, FAILED, NOT_REMOVED = 50, 51, 52, 53, 54, 56, 57, 58, 59
PKG, URI_RESOURCE, INSTALL, UNINSTALL, ACTIVATE, DEACTIVATE = 2, 3, 4, 6, 10, 11
ROWS = "[{name: app, handler: image%s}, {name: other, instance: 5, handler: image}]"
HANDLER = """#!/bin/sh
F={folder}
[ -n "$FIELDWAY_SOFTWARE" ] || exit 88
echo $1 >>$F/$FIELDWAY_SOFTWARE.log
case $1 in
check) echo name=roof; echo version=7 ;;
install) cat "$2" >$F/$FIELDWAY_SOFTWARE ;;
esac
{more}
exit 0
"""


class SoftwareScenario(firmware_test.FirmwareScenario):
    def begin(self, more="", options=""):
        self.start_installer()
        self.software_handler(more)
        self.start_server()
        self.configure_software(ROWS % options)
        self.run_daemon()

    def configure_software(self, rows):
        self.configure(more=f"software: {rows}")

    def software_handler(self, more=""):
        self.rig.write("handlers/image", HANDLER.format(folder=self.rig.folder, more=more), 0o755)

    def of(self, instance=0):
        values = self.read("gw", f"/9/{instance}")
        return values[f"/9/{instance}/7"], values[f"/9/{instance}/9"]

    def active(self, instance=0):
        return self.read("gw", f"/9/{instance}")[f"/9/{instance}/12"]

    def reaches(self, state, result, instance=0):
        self.rig.until(lambda: self.of(instance) == (state, result), 20, f"state {state}, result {result}")

    def deliver(self, package=b"image", code="2.04", instance=0, **options):
        self.put_package(f"/9/{instance}/2", package, code, **options)

    def execute(self, resource, argument="", code="2.04", instance=0):
        self.expect(self.post("gw", f"/9/{instance}/{resource}", argument or None), code)

    def install(self, package=b"image", instance=0):
        self.deliver(package, instance=instance)
        self.assertEqual(self.of(instance), (DELIVERED, VERIFIED))
        self.execute(INSTALL, instance=instance)
        self.reaches(INSTALLED, DONE, instance)

    def pull(self, size=3 * MIB):
        self.files = firmware_pull_test.Files(os.urandom(size))
        self.addCleanup(self.files.end)


class SoftwareTest(SoftwareScenario):
    def test_what_there_is(self):
        self.begin()
        event = self.registered("gw")
        self.assertIn("</9/0>,</9/5>", event.fields["links"])
        for instance in (0, 5):
            values = self.read("gw", f"/9/{instance}")
            self.assertEqual({p.rpartition("/")[2]: v for p, v in values.items()},
                             {"0": "", "1": "", "7": INITIAL, "9": NOTHING, "12": False})
            for resource in (INSTALL, UNINSTALL, ACTIVATE, DEACTIVATE):
                self.execute(resource, code="4.05", instance=instance)
        for path in ("/9/0/2", "/9/0/3"):
            self.assertEqual(self.server.request("gw", "GET", path).fields["code"], "4.05")

    def test_life(self):
        """Pushed in blocks, observed on its way, installed, switched on and off, removed."""
        self.begin()
        seen = self.now()
        token = self.server.observe("gw", "/9/0/7").fields["token"]
        package = os.urandom(MIB) * 3
        self.deliver(package)
        values = self.read("gw", "/9/0")
        self.assertEqual((values["/9/0/0"], values["/9/0/1"], values["/9/0/7"], values["/9/0/9"]),
                         ("roof", "7", DELIVERED, VERIFIED))
        self.deliver(code="4.05")
        self.execute(ACTIVATE, code="4.05")
        self.execute(INSTALL)
        self.reaches(INSTALLED, DONE)
        self.assertEqual(self.content("app"), package)
        self.deliver(code="4.05")
        self.execute(INSTALL, code="4.05")
        self.assertFalse(self.active())
        self.execute(ACTIVATE)
        self.assertTrue(self.active())
        self.execute(DEACTIVATE)
        self.assertFalse(self.active())
        self.execute(UNINSTALL, "2", code="4.00")
        self.execute(UNINSTALL, "0")
        self.reaches(INITIAL, NOTHING)
        self.assertEqual(self.read("gw", "/9/0")["/9/0/0"], "")
        self.assertEqual(self.content("app.log").split(),
                         [b"check", b"check", b"install", b"activate", b"deactivate", b"uninstall"])
        self.assertEqual(self.of(5), (INITIAL, NOTHING))
        states = [self.server.values(e, "/9/0/7")["/9/0/7"] for e in self.server.events[seen:]
                  if e.word == "notify" and e.arguments[1] == token]
        self.assertLessEqual({DELIVERED, INSTALLED}, set(states))

    def test_two(self):
        """One handler, each its own package, state and records."""
        self.begin()
        self.install(b"first")
        self.deliver(encode.tlv({2: b"second"}), instance=5, content_format=TLV)
        self.execute(INSTALL, instance=5)
        self.reaches(INSTALLED, DONE, 5)
        self.execute(UNINSTALL)
        self.reaches(INITIAL, NOTHING)
        self.assertEqual(self.of(5), (INSTALLED, DONE))
        self.assertEqual((self.content("app"), self.content("other")), (b"first", b"second"))

    def test_update(self):
        self.begin()
        self.install(b"first")
        self.execute(ACTIVATE)
        self.execute(UNINSTALL, "1")
        self.assertEqual(self.of(), (INITIAL, NOTHING))
        self.assertFalse(self.active())
        self.assertEqual(self.read("gw", "/9/0")["/9/0/1"], "7")
        self.install(b"second")
        self.assertTrue(self.active())
        self.assertEqual(self.content("app"), b"second")
        self.assertNotIn(b"uninstall", self.content("app.log"))

    def test_given_back(self):
        self.begin()
        self.deliver()
        self.execute(UNINSTALL)
        self.assertEqual(self.of(), (INITIAL, NOTHING))
        self.rig.until(lambda: not os.listdir(self.rig.path("state/packages")), 10, "the end of the file")

    def test_wrong_packages(self):
        self.begin("[ $1 = check ] && exit 85", options=", max_size: 1MiB")
        self.deliver(bytes(MIB + 1), "4.13")
        self.assertEqual(self.of(), (INITIAL, NO_STORAGE))
        for code, result in ((85, NOT_INTACT), (86, TYPE), (82, NO_STORAGE), (83, NO_MEMORY), (1, NOT_INTACT)):
            self.software_handler(f"[ $1 = check ] && exit {code}")
            self.deliver()
            self.assertEqual(self.of(), (INITIAL, result))
        self.installer.close()
        self.deliver()
        self.assertEqual(self.of(), (INITIAL, DEVICE))
        self.installer.listen()

    def test_wrong_uris(self):
        self.begin()
        for uri in ("http:nothing", "gopher://127.0.0.1/image", ""):
            self.expect(self.put("gw", "/9/0/3", uri), "2.04")
            self.assertEqual(self.of(), (INITIAL, URI))

    def test_handler_fails(self):
        self.begin("[ $1 = check ] || exit 1")
        self.deliver()
        self.execute(INSTALL)
        self.reaches(DELIVERED, FAILED)
        self.software_handler("[ $1 = check -o $1 = install ] || exit 1")
        self.execute(INSTALL)
        self.reaches(INSTALLED, DONE)
        answer = self.post("gw", "/9/0/10")
        self.expect(answer, "5.00")
        self.assertFalse(self.active())
        self.execute(UNINSTALL)
        self.reaches(INSTALLED, NOT_REMOVED)

    def test_slow_handler(self):
        """Answered after a while; nothing else begins meanwhile."""
        self.begin("[ $1 = activate ] && read line <$F/go")
        self.make_go()
        self.install()
        self.execute(ACTIVATE)
        self.assertFalse(self.active())
        self.execute(DEACTIVATE, code="5.03")
        self.go()
        self.rig.until(self.active, 10, "its end")

    # Pull

    def test_pull(self):
        self.begin()
        self.pull()
        self.expect(self.put("gw", "/9/0/3", self.files.uri), "2.04")
        self.reaches(DELIVERED, VERIFIED)
        self.execute(INSTALL)
        self.reaches(INSTALLED, DONE)
        self.assertTrue(self.content("app") == self.files.image)

    def test_pull_not_there_and_too_large(self):
        self.begin(options=", max_size: 1MiB")
        self.pull()
        self.expect(self.put("gw", "/9/0/3", self.files.uri + "s"), "2.04")
        self.reaches(INITIAL, URI)
        self.expect(self.put("gw", "/9/0/3", self.files.uri), "2.04")
        self.reaches(INITIAL, NO_STORAGE)

    def test_two_pulls_at_once(self):
        self.begin()
        self.pull()
        self.files.stop_at = MIB
        self.expect(self.put("gw", "/9/0/3", self.files.uri), "2.04")
        self.half_way()
        self.assertEqual(self.of(), (STARTED, DOWNLOADING))
        self.files.stop_at = None
        self.expect(self.put("gw", "/9/5/3", self.files.uri), "2.04")
        self.reaches(DELIVERED, VERIFIED, 5)
        self.files.go.set()
        self.reaches(DELIVERED, VERIFIED)

    # What survives: the daemon is killed in each state

    def restart(self):
        self.kill_daemon()
        self.run_daemon()

    def test_killed_while_it_is_pulled(self):
        self.begin()
        self.pull()
        self.files.stop_at = 2 * MIB
        self.expect(self.put("gw", "/9/0/3", self.files.uri), "2.04")
        self.killed_half_way("software-app.package.part")
        self.reaches(DELIVERED, VERIFIED)
        self.assertEqual(self.files.asked[1:], [("/image", f"bytes={2 * MIB}-")])
        self.execute(INSTALL)
        self.reaches(INSTALLED, DONE)
        self.assertTrue(self.content("app") == self.files.image)

    def test_killed_while_it_is_checked(self):
        self.begin("[ $1 = check ] && read line <$F/go")
        self.make_go()
        self.deliver()
        self.assertEqual(self.of(), (DOWNLOADED, DOWNLOADING))
        self.kill_daemon()
        self.software_handler()
        self.run_daemon()
        self.reaches(DELIVERED, VERIFIED)
        self.go()

    def test_killed_when_it_is_delivered(self):
        self.begin()
        self.deliver()
        self.restart()
        self.reaches(DELIVERED, VERIFIED)
        self.assertEqual(self.read("gw", "/9/0")["/9/0/0"], "roof")
        self.execute(INSTALL)
        self.reaches(INSTALLED, DONE)

    def test_killed_while_its_handler_works(self):
        self.begin()
        self.make_go()
        self.deliver()
        for resource, action, state, result, active in ((INSTALL, "install", INSTALLED, DONE, False),
                                                        (ACTIVATE, "activate", INSTALLED, DONE, True),
                                                        (DEACTIVATE, "deactivate", INSTALLED, DONE, False),
                                                        (UNINSTALL, "uninstall", INITIAL, NOTHING, False)):
            with self.subTest(action=action):
                self.software_handler(f"[ $1 = {action} ] && touch $F/at-{action} && read line <$F/go")
                self.execute(resource)
                self.rig.until(lambda: os.path.exists(self.rig.path(f"at-{action}")), 10, "the handler")
                self.restart()
                self.execute(ACTIVATE, code="5.03")
                self.go()
                self.rig.until(lambda: self.of() == (state, result) and self.active() == active, 20, "its end")

    def test_installed_and_active_survives(self):
        self.begin()
        self.install()
        self.execute(ACTIVATE)
        self.rig.until(lambda: b"active=1" in self.content("state/records/app.software"), 10, "the record on the disk")
        self.restart()
        self.assertEqual(self.of(), (INSTALLED, DONE))
        self.assertTrue(self.active())
        self.assertEqual(self.read("gw", "/9/0")["/9/0/1"], "7")

    def test_reboot(self):
        self.begin("[ $1 = install ] && exit 100")
        self.deliver()
        self.execute(INSTALL)
        self.reboot_machine()
        self.run_daemon()
        self.reaches(INSTALLED, DONE)
        self.assertTrue(self.content("app.log").endswith(b"confirm\n"))

    # Another configuration

    def reload(self):
        self.daemon.process.send_signal(signal.SIGHUP)

    def test_reload(self):
        """One goes and comes back, the other gets another number; what they are stays."""
        self.begin()
        self.install()
        self.install(b"second", instance=5)
        self.configure_software("[{name: other, handler: image}]")
        self.reload()
        self.until_code("gw", "/9/5", "4.04")
        self.assertEqual(self.of(), (INSTALLED, DONE))
        self.execute(ACTIVATE)
        self.assertTrue(self.content("other.log").endswith(b"activate\n"))
        self.configure()
        self.reload()
        self.until_code("gw", "/9", "4.04")
        self.configure_software(ROWS % "")
        self.reload()
        self.until_code("gw", "/9/5", "2.05")
        self.assertEqual((self.of(), self.of(5)), ((INSTALLED, DONE), (INSTALLED, DONE)))
        self.assertEqual((self.active(), self.active(5)), (False, True))


class StatusTest(SoftwareScenario):
    """What the operator of the machine sees of it."""
    bus = None

    def run_daemon(self):
        self.bus = self.bus or Bus(self.rig, False)
        start = self.now()
        self.start_daemon(arguments=["--bus=system", "--install-socket", self.installer.path],
                          environment=self.bus.environment())
        self.bus.wait_name()
        return self.registered("gw", start=start)

    def status(self):
        done = subprocess.run([build_path("fieldwayctl"), "status", "--json"], stdout=subprocess.PIPE, check=True, timeout=30,
                              env={**os.environ, **self.bus.environment()})
        return json.loads(done.stdout)["packages"]

    def is_at(self, state, received, expected=0, note=""):
        row = {"kind": "software", "name": "app", "state": state, "note": note, "received": received, "expected": expected}
        self.rig.until(lambda: self.status()[0] == row, 20, row)

    def test_packages(self):
        self.begin("[ $1 = install ] && exit 1")
        self.pull()
        self.files.stop_at = MIB
        self.is_at("initial", 0)
        self.expect(self.put("gw", "/9/0/3", self.files.uri), "2.04")
        self.is_at("downloading", MIB, 3 * MIB)
        self.files.go.set()
        self.is_at("delivered", 3 * MIB, 3 * MIB)
        self.execute(INSTALL)
        self.is_at("delivered", 3 * MIB, 3 * MIB, 
                   "the installation failed: the handler ended with exit status 1, see journalctl -t fieldway-install")
        self.assertEqual([row["name"] for row in self.status()], ["app", "other"])

    def test_trouble(self):
        """While it is tried on, too, and to servers that ask for what is not possible meanwhile."""
        self.begin()
        self.expect(self.put("gw", "/9/0/3", "http://127.0.0.1:1/image"), "2.04")
        self.rig.until(lambda: "127.0.0.1 port 1 " in self.status()[0]["note"], 20, "why nothing comes")
        answer = self.expect(self.put("gw", "/9/0/3", "http://127.0.0.1:2/image"), "4.05")
        self.assertEqual(answer.payload, b"not in state 1, downloading")

    def test_firmware(self):
        self.begin()
        self.configure(more="firmware: {handler: image}")
        self.daemon.process.send_signal(signal.SIGHUP)
        self.until_code("gw", "/5/0", "2.05")
        self.expect(self.put("gw", "/5/0/1", "gopher://host/image"), "2.04")
        self.assertEqual(self.status(), [{"kind": "firmware", "name": "", "state": "idle", "received": 0, "expected": 0,
                                          "note": "the URI's protocol is not known here"}])


if __name__ == "__main__":
    main()
