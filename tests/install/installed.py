# SPDX-License-Identifier: Apache-2.0
"""What is common to scenarios on a booted machine that has Fieldway's packages: the server and the
simulated devices are those of the other scenarios, the daemon is systemd's."""
import glob
import json
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Scenario, Timeout, build_path  # noqa: E402

UNIT, SOCKET, HOSTS = "fieldway.service", "fieldway-host.socket", "fieldway-host@*.service"
ETC, STATE = "/etc/fieldway", "/var/lib/fieldway"
NOT_CONFIGURED = "Not configured: run fieldwayctl setup"
PACKAGES = ("fieldway", "fieldway-plugin-modbus", "fieldway-plugin-serial", "fieldway-plugin-ble", "fieldway-profiles")
NAME, VOLTS = "gw-m1", "/3316/0/5700"


def run(*arguments, check=True, **options):
    """What it printed. A failure shows that, too."""
    done = subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False, **options)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(arguments)}: exit status {done.returncode}\n{done.stdout}")
    return done.stdout


def status(*arguments):
    return subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          check=False).returncode


def show(unit, name):
    return run("systemctl", "show", "--property", name, "--value", unit).strip()


def deb(package):
    # A machine is given those that were built for it.
    found = glob.glob(os.path.join(os.environ.get("FIELDWAY_PACKAGES") or build_path("packages"), f"{package}_*.deb"))
    if len(found) != 1:
        raise AssertionError(f"packages of {package}: {found}")
    return found[0]


def dpkg(*arguments, **options):
    return run("dpkg", *arguments, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, **options)


def is_installed(package):
    return run("dpkg-query", "-W", "-f", "${db:Status-Status}", package, check=False).strip() == "installed"


def install(*packages):
    missing = [p for p in packages or PACKAGES if not is_installed(p)]
    if missing:
        dpkg("--install", *map(deb, missing))


def drop_in(unit, text):
    """For the time of one test."""
    folder = f"/run/systemd/system/{unit}.d"
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "test.conf"), "w", encoding="utf-8") as f:
        f.write(text)
    run("systemctl", "daemon-reload")


def empty(folder):
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if os.path.isdir(path):
            empty(path)
        else:
            os.unlink(path)


class Installed(Scenario):
    """fieldway.service stands still at the start of a test, without configuration and state."""

    cursor = ""

    def setUp(self):
        super().setUp()
        self.cursor = run("journalctl", "--boot", "--lines=0", "--show-cursor").partition("cursor: ")[2].strip()
        install()
        self.stop()
        for folder in glob.glob("/run/systemd/system/*.d"):
            shutil.rmtree(folder)
        run("systemctl", "daemon-reload")
        run("systemctl", "reset-failed")
        empty(ETC)
        shutil.rmtree(STATE, ignore_errors=True)
        os.symlink(ETC, self.rig.path("etc"))
        self.cursor = run("journalctl", "--boot", "--lines=0", "--show-cursor").partition("cursor: ")[2].strip()
        self.addCleanup(self.stop)

    def run(self, result=None):
        known = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > known:
            print(f"{self.id()}:", run("journalctl", "--boot", "--no-pager", "--output=short-monotonic",
                                       "--after-cursor", self.cursor)[-6000:], file=sys.stderr)

    # systemd

    def start(self):
        run("systemctl", "start", UNIT)

    def stop(self):
        # Its socket goes on listening: one that is stopped and started at once may find its control group being removed.
        run("systemctl", "stop", UNIT, check=False)

    def is_active(self):
        return show(UNIT, "ActiveState") == "active"

    def status_text(self):
        return show(UNIT, "StatusText")

    def pid(self):
        return int(show(UNIT, "MainPID"))

    def hosts(self):
        """{unit: pid} of those that run."""
        units = run("systemctl", "list-units", "--plain", "--no-legend", "--state=active", HOSTS).split("\n")
        return {u.split()[0]: int(show(u.split()[0], "MainPID")) for u in units if u.strip()}

    def host_of(self, bus):
        """The unit and pid of the only host of a bus."""
        found = []

        def look():
            found[:] = [(u, p) for u, p in self.hosts().items() if show(u, "StatusText").startswith(f"Bus {bus}:")]
            return len(found) == 1

        self.rig.until(look, 20, f"a host of bus {bus}")
        return found[0]

    # The journal

    def journal(self, **fields):
        """Entries of this test that have these fields."""
        # Not by journalctl's own matches: that of Debian 12 loses the first one behind a cursor.
        lines = run("journalctl", "--boot", "--no-pager", "--output=json", "--after-cursor", self.cursor)
        entries = [json.loads(line) for line in lines.splitlines() if line.startswith("{")]
        return [e for e in entries if all(e.get(name) == value for name, value in fields.items())]

    def complaints(self):
        """Texts of all warnings and errors."""
        return [str(e.get("MESSAGE")) for e in self.journal() if int(e.get("PRIORITY", 6)) <= 4]

    def entry(self, text, timeout=20, **fields):
        """The first that has the text in its message."""
        found = []

        def look():
            found[:] = [e for e in self.journal(**fields) if text in str(e.get("MESSAGE"))]
            return found

        self.rig.until(look, timeout, f"{text!r} in the journal")
        return found[0]

    # The plant

    def write_keys(self, names, name="etc/keys/plant.psk", mode=0o640):
        """The group comes from the folder."""
        return super().write_keys(names, name, mode)

    def start_plant(self, secure=False, **options):
        """A meter and its server; the daemon runs, and the endpoint has a value."""
        self.start_server(secure=secure, names=("gw", NAME))
        self.configure(**options)
        self.start_meters()
        self.start()
        self.registered(NAME)
        self.good()

    def good(self, timeout=30):
        self.until_code(NAME, VOLTS, "2.05", timeout=timeout)


def user(name, groups=()):
    """A user of the machine, who is there from now on."""
    if status("id", name):
        run("useradd", "--no-create-home", *(["--groups", ",".join(groups)] if groups else []), name)
    return name


def as_user(name, *arguments):
    """What it says, and its exit status."""
    done = subprocess.run(["setpriv", f"--reuid={name}", f"--regid={name}", "--init-groups", *arguments],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    return done.stdout, done.returncode


def wait(condition, timeout, what):
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise Timeout(f"waited in vain for {what}")
        time.sleep(0.1)
