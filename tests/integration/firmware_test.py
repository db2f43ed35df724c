#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Object 5 of the host: a package that is pushed, its handler, and what survives. fieldway-install is the
shipped program, started for each connection as fieldway-install.socket does."""
import os
import signal
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Scenario, build_path, encode, main  # noqa: E402
from fieldway_test.scenario import OPAQUE, TEXT, TLV  # noqa: E402
from stopped_test import is_sanitized  # noqa: E402

IDLE, DOWNLOADING, DOWNLOADED, UPDATING = range(4)
INITIAL, UPDATED, NO_STORAGE, NO_MEMORY, LOST, NOT_INTACT, TYPE, URI, FAILED, PROTOCOL, CANCELLED, DEFERRED = range(12)
LINE = 60000     # what fits a command of the server
PROTOCOLS = [0, 1, 2, 3]
STATE, RESULT = "/5/0/3", "/5/0/5"
HANDLER = """#!/bin/sh
F={folder}
case $1 in
check) echo name=roof; echo version=7; {check} ;;
install) cat "$2" >$F/installed; {install} ;;
confirm) touch $F/confirmed; {confirm} ;;
esac
exit 0
"""


class Installer:
    """What fieldway-install.socket does."""

    def __init__(self, rig, boot="first"):
        self.rig = rig
        self.boot = boot
        self.path = rig.path("install.socket")
        self.children = []
        self.listen()

    def listen(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.bind(self.path)
        self.socket.listen(16)
        threading.Thread(target=self.accept, args=(self.socket,), daemon=True).start()

    def accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                self.children.append(subprocess.Popen(
                    [build_path("fieldway-install"), "--fd", str(connection.fileno()), "--handlers", self.rig.path("handlers"),
                     "--state", self.rig.path("results"), "--reboot", self.rig.path("reboot"), "--boot-id", self.boot],
                    pass_fds=[connection.fileno()], stdin=subprocess.DEVNULL, start_new_session=True))

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        os.unlink(self.path)

    def end(self):
        self.close()
        for child in self.children:
            child.kill()
            child.wait()


class FirmwareScenario(Scenario):
    files = None    # a server of the package that is pulled

    def begin(self, check="", install="", confirm="", more="", secure=False):
        self.start_installer()
        self.handler(check, install, confirm)
        self.start_server(secure)
        self.configure(more="firmware: {handler: image" + more + "}")
        self.run_daemon()

    def start_installer(self):
        os.mkdir(self.rig.path("handlers"), 0o755)
        self.rig.write("reboot", f"#!/bin/sh\ntouch {self.rig.folder}/rebooted\n", 0o755)
        self.installer = Installer(self.rig)
        self.addCleanup(self.installer.end)

    def reboot_machine(self):
        """Once it has been asked for; a daemon has to be started."""
        self.rig.until(lambda: os.path.exists(self.rig.path("rebooted")), 10, "the reboot")
        self.kill_daemon()
        self.installer.close()
        self.installer.boot = "second"
        self.installer.listen()

    def run_daemon(self):
        start = self.now()
        self.start_daemon(arguments=["--install-socket", self.installer.path])
        return self.registered("gw", start=start)

    def handler(self, check="", install="", confirm=""):
        self.rig.write("handlers/image", HANDLER.format(folder=self.rig.folder, check=check or ":", install=install or ":",
                                                        confirm=confirm or ":"), 0o755)

    def status(self):
        values = self.read("gw", "/5/0")
        return values[STATE], values[RESULT]

    def becomes(self, state, result):
        self.rig.until(lambda: self.status() == (state, result), 20, f"state {state}, result {result}")

    def put_package(self, path, package, code="2.04", content_format=OPAQUE):
        if len(package) <= LINE:
            answer = self.put("gw", path, package, content_format)
        else:
            with open(self.rig.path("package"), "wb") as f:
                f.write(package)
            answer = self.server.request(
                "gw", "PUT", path, f"format={content_format} payload-file={self.rig.path('package')} timeout=60", 60)
        self.expect(answer, code)

    def push(self, package=b"image", code="2.04", **options):
        self.put_package("/5/0/0", package, code, **options)

    def update(self, code="2.04"):
        self.expect(self.post("gw", "/5/0/2"), code)

    def installs(self):
        """The package that is pulled."""
        self.becomes(DOWNLOADED, INITIAL)
        self.update()
        self.becomes(IDLE, UPDATED)
        self.assertTrue(self.content("installed") == self.files.image)

    def half_way(self):
        """The files stand still where they were told to."""
        self.rig.until(self.files.stood.is_set, 20, "the file half way")

    def killed_half_way(self, part):
        """The daemon, when the part is on the disk; and it is started again, with nothing in its way."""
        path = self.rig.path("state/packages", part)
        self.half_way()
        self.rig.until(lambda: os.path.getsize(path) == self.files.stop_at, 20, "the part on the disk")
        self.kill_daemon()
        self.files.stop_at = None
        self.run_daemon()

    def make_go(self):
        """Handlers with `read line <$F/go` in them stand there until go()."""
        os.mkfifo(self.rig.path("go"))

    def go(self):
        with open(self.rig.path("go"), "w", encoding="ascii") as f:
            f.write("\n")

    def content(self, name):
        with open(self.rig.path(name), "rb") as f:
            return f.read()


class FirmwareTest(FirmwareScenario):
    # ETS 751 to 760

    def test_what_there_is(self):
        event = None
        self.begin()
        event = self.registered("gw")
        self.assertIn("</5>;ver=1.2,</5/0>", event.fields["links"])
        values = self.read("gw", "/5/0")
        self.assertEqual((values[STATE], values[RESULT], values["/5/0/9"], values["/5/0/1"]), (IDLE, INITIAL, 2, ""))
        self.assertEqual([v for p, v in values.items() if p.startswith("/5/0/8/")], PROTOCOLS)
        self.assertEqual((values["/5/0/11"], values["/5/0/13"], values["/5/0/14"]), (1, 0, False))
        self.assertNotIn("/5/0/0", values)
        # It can be asked for nothing yet.
        self.update("4.05")
        self.expect(self.post("gw", "/5/0/10"), "4.05")

    def test_absent(self):
        self.start_server()
        self.configure()
        self.start_daemon()
        self.assertNotIn("/5", self.registered("gw").fields["links"])
        self.assertEqual(self.server.request("gw", "GET", "/5/0").fields["code"], "4.04")

    def test_reset(self):
        self.begin()
        self.push()
        self.assertEqual(self.status(), (DOWNLOADED, INITIAL))
        self.push(b"\0")
        self.assertEqual(self.status(), (IDLE, INITIAL))
        self.push()
        self.expect(self.put("gw", "/5/0/1", ""), "2.04")
        self.assertEqual(self.status(), (IDLE, INITIAL))
        self.push()
        self.expect(self.post("gw", "/5/0/10"), "2.04")
        self.assertEqual(self.status(), (IDLE, CANCELLED))
        self.rig.until(lambda: not os.listdir(self.rig.path("state/packages")), 10, "the end of the file")

    # ETS 770 to 779

    def test_push(self):
        """Larger than what is held for any other resource, and observed on its way."""
        self.begin()
        seen = self.now()
        token = self.server.observe("gw", STATE).fields["token"]
        package = os.urandom(1 << 20) * 9
        before = self.daemon.memory()
        self.push(package)
        if not is_sanitized(self.daemon.process.pid):
            self.assertLess(self.daemon.memory() - before, 4 << 20)
        values = self.read("gw", "/5/0")
        self.assertEqual((values[STATE], values["/5/0/6"], values["/5/0/7"]), (DOWNLOADED, "roof", "7"))
        self.update()
        self.becomes(IDLE, UPDATED)
        self.assertEqual(self.content("installed"), package)
        states = [self.server.values(e, STATE)[STATE] for e in self.server.events[seen:]
                  if e.word == "notify" and e.arguments[1] == token]
        self.assertEqual(states[-1], IDLE)
        self.assertEqual(sorted(set(states), key=states.index), states)
        self.assertLessEqual(set(states), {DOWNLOADING, DOWNLOADED, UPDATING, IDLE})
        self.assertIn(DOWNLOADED, states)

    def test_small_formats(self):
        """As TLV and text it is what it is, too."""
        self.begin()
        for body, content_format in ((encode.tlv({0: b"image"}), TLV), (b"aW1hZ2U=", TEXT)):
            self.push(body, content_format=content_format)
            self.update()
            self.becomes(IDLE, UPDATED)
            self.assertEqual(self.content("installed"), b"image")

    def test_no_room(self):
        self.begin(more=", max_size: 1MiB")
        self.push(bytes((1 << 20) + 1), "4.13")
        self.assertEqual(self.status(), (IDLE, NO_STORAGE))
        self.push(bytes(1 << 20))
        self.assertEqual(self.status(), (DOWNLOADED, INITIAL))

    def test_checks(self):
        self.begin(check="exit 85")
        self.push()
        self.assertEqual(self.status(), (IDLE, NOT_INTACT))
        self.handler(check="exit 86")
        self.push()
        self.assertEqual(self.status(), (IDLE, TYPE))

    def test_wrong_uris(self):
        self.begin()
        for uri, result in (("http:nothing", URI), ("gopher://127.0.0.1/image", PROTOCOL)):
            self.expect(self.put("gw", "/5/0/1", uri), "2.04")
            self.assertEqual(self.status(), (IDLE, result))

    def test_install_fails(self):
        self.begin(install="exit 1")
        self.push()
        self.update()
        self.becomes(DOWNLOADED, FAILED)
        # Nothing else may begin, and it can be tried again.
        self.push(code="4.05")
        self.handler()
        self.update()
        self.becomes(IDLE, UPDATED)

    def test_automatic(self):
        self.begin()
        self.expect(self.put("gw", "/5/0/14", "1"), "2.04")
        self.push()
        self.becomes(IDLE, UPDATED)

    # What survives

    def test_daemon_dies(self):
        """Killed while the handler works: that goes on, and its result is known at the start."""
        self.begin(install="read line <$F/go")
        self.make_go()
        self.push()
        self.update()
        self.becomes(UPDATING, INITIAL)
        self.rig.until(lambda: os.path.exists(self.rig.path("installed")), 10, "the handler")
        self.kill_daemon()
        self.go()
        self.run_daemon()
        self.becomes(IDLE, UPDATED)

    def test_daemon_comes_before_the_end(self):
        self.begin(install="read line <$F/go")
        self.make_go()
        self.push()
        self.update()
        self.rig.until(lambda: os.path.exists(self.rig.path("installed")), 10, "the handler")
        self.kill_daemon()
        self.run_daemon()
        self.assertEqual(self.status(), (UPDATING, INITIAL))
        self.expect(self.put("gw", "/5/0/1", ""), "4.05")
        self.go()
        self.becomes(IDLE, UPDATED)

    def test_downloaded_survives(self):
        self.begin()
        self.push()
        # At once: what it has not written down by then it finds out anew.
        self.kill_daemon()
        self.run_daemon()
        self.becomes(DOWNLOADED, INITIAL)
        self.update()
        self.becomes(IDLE, UPDATED)

    def test_reboot(self):
        self.begin(install="exit 100")
        self.push()
        self.update()
        self.reboot_machine()
        self.run_daemon()
        self.becomes(IDLE, UPDATED)
        self.assertTrue(os.path.exists(self.rig.path("confirmed")))

    def test_reload(self):
        self.begin()
        self.push()
        self.configure()
        self.daemon.process.send_signal(signal.SIGHUP)
        self.rig.until(lambda: self.server.request("gw", "GET", "/5/0").fields["code"] == "4.04", 15, "its end")
        self.configure(more="firmware: {handler: image}")
        self.daemon.process.send_signal(signal.SIGHUP)
        self.until_code("gw", "/5/0", "2.05")
        self.becomes(DOWNLOADED, INITIAL)


if __name__ == "__main__":
    main()
