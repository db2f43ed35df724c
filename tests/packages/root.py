# SPDX-License-Identifier: Apache-2.0
"""A Debian in a folder, to install packages in: made once from the network, unpacked for each test."""
import fnmatch
import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "interop"), os.path.join(HERE, "..", "lib")]

import fetched  # noqa: E402
from fieldway_test import build_path  # noqa: E402

COMMAND_S = 240
PACKAGES = ("fieldway", "fieldway-plugin-modbus", "fieldway-plugin-serial", "fieldway-plugin-ble", "fieldway-profiles",
            "fieldway-dev", "cockpit-fieldway")
# What services are asked for is written down instead.
RECORDER = '#!/bin/sh\necho "${0##*/} $*" >>/actions\n'


def skip(reason):
    print(f"not run: {reason}", file=sys.stderr)
    sys.exit(1 if os.environ.get("CI") == "true" else 77)


def built(pattern):
    """The packages of packaging/quickstart package."""
    found = sorted(glob.glob(build_path("packages", pattern)))
    if not found:
        skip(f"there are no packages: packaging/quickstart package {pattern.rsplit('.', 1)[-1]}")
    return found


def deb(name):
    return built(f"{name}_*.deb")[0]


def output(*arguments, **options):
    return subprocess.run(arguments, check=True, stdout=subprocess.PIPE, text=True, timeout=COMMAND_S, **options).stdout


def patterns(lib):
    """{package: its patterns} of the file `contents`."""
    found = {}
    with open(os.path.join(HERE, "contents"), encoding="ascii") as f:
        for line in f.read().splitlines():
            if line.startswith("["):
                current = found.setdefault(line.strip("[]"), [])
            elif not line.startswith("#"):
                current.append(line.replace("LIB", lib, 1) if line.startswith("LIB") else line)
    return found


def misfits(files, wanted):
    """Files that no pattern allows, and patterns that no file fits."""
    return ([f for f in files if not any(fnmatch.fnmatch(f, p) for p in wanted)],
            [p for p in wanted if not any(fnmatch.fnmatch(f, p) for f in files)])


def deb_misfits(name, file):
    """The same of a Debian package."""
    lib = "/usr/lib/" + output("dpkg-architecture", "-qDEB_HOST_MULTIARCH").strip()
    with tempfile.TemporaryDirectory() as folder:
        output("dpkg-deb", "-x", file, folder)
        files = [os.path.join(at, f)[len(folder):] for at, _, names in os.walk(folder) for f in names]
    common = [f"/usr/share/doc/{name}/changelog.Debian.gz", f"/usr/share/doc/{name}/copyright"]
    return misfits(files, patterns(lib)[name] + common)


def dependencies():
    """Names of what our packages depend on, the first of alternatives."""
    names = set()
    for name in PACKAGES:
        for part in output("dpkg-deb", "-f", deb(name), "Depends").split(","):
            names.add(re.split(r"[ (|:]", part.strip())[0])
    return sorted(n for n in names if n and not n.startswith("fieldway"))


def own_release():
    with open("/etc/os-release", encoding="utf-8") as f:
        return re.search(r"^VERSION_CODENAME=(\w+)", f.read(), re.M).group(1)


def make_tarball(release, include, satisfy, path):
    """satisfy: dependencies in the words of a control file, which apt chooses among."""
    hooks = [f"--customize-hook=chroot \"$1\" apt-get -q -y --no-install-recommends satisfy '{satisfy}'"] if satisfy else []
    problem = fetched.run(["mmdebstrap", "--quiet", "--variant=minbase", f"--include={include}", *hooks, release, path])
    if problem:
        raise fetched.Unavailable(problem)


def tarball(include, release, satisfy=""):
    """A root with these packages as a tar file."""
    for program, package in (("mmdebstrap", "mmdebstrap"), ("dpkg-deb", "dpkg"), ("unshare", "util-linux"),
                             ("ip", "iproute2")):
        fetched.need(program, package)
    if os.geteuid() != 0:
        raise fetched.Unavailable("a root is made by root")
    state = f"{release} {include} {satisfy}"
    name = f"{release}-{hashlib.sha256(state.encode()).hexdigest()[:8]}"
    folder = build_path("packages", "roots", name)
    path = os.path.join(folder, "root.tar")
    with fetched.place(os.path.dirname(folder)):
        fetched.made(folder, state, lambda: make_tarball(release, include, satisfy, path))
    return path


def installed_tarball(extra=()):
    """One with all that our packages depend on, and what else is wanted."""
    try:
        return tarball(",".join([*dependencies(), *extra]), own_release())
    except fetched.Unavailable as e:
        return skip(f"there is no root to install in: {e}")


class Root:
    def __init__(self, archive):
        self.folder = tempfile.mkdtemp(prefix="fieldway-root-")
        output("tar", "-xf", archive, "-C", self.folder)

    def close(self):
        shutil.rmtree(self.folder)

    def path(self, name):
        return os.path.join(self.folder, name.lstrip("/"))

    def run(self, *arguments, check=True, timeout=COMMAND_S, **environment):
        """Status and all output of a command in it, with a network of its own that ends at itself."""
        script = 'ip link set lo up; mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'
        done = subprocess.run(["unshare", "-m", "-p", "-f", "--kill-child", "-n", "sh", "-c", script, self.folder, *arguments],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=timeout, check=False,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root",
                                   "DEBIAN_FRONTEND": "noninteractive", **environment})
        if check and done.returncode:
            raise AssertionError(f"{arguments} ended with {done.returncode}:\n{done.stdout}")
        return done.returncode, done.stdout

    def dpkg(self, action, *packages, check=True):
        """packages: names, or files of the host."""
        names = []
        for package in packages:
            if os.path.exists(package):
                shutil.copy(package, self.path("/"))
                package = "/" + os.path.basename(package)
            names.append(package)
        result = self.run("dpkg", "--force-confdef", "--force-confold", action, *names, check=check)
        for name in names:
            if name.endswith(".deb"):
                os.unlink(self.path(name))
        return result

    def write(self, name, text, mode=0o644):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(self.path(name), mode)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as f:
            return f.read()

    def files(self):
        """All names below it but those that come with any use of a system."""
        found = set()
        for folder, folders, files in os.walk(self.folder):
            name = folder[len(self.folder):]
            folders[:] = [f for f in folders if f"{name}/{f}" not in ("/proc", "/sys", "/dev", "/run", "/tmp")]
            found.update(f"{name}/{f}" for f in folders + files)
        return found

    def pretend_systemd(self):
        """As if it were booted: what is asked of services stands in actions() afterwards."""
        os.makedirs(self.path("/run/systemd/system"), exist_ok=True)
        for program in ("/usr/bin/deb-systemd-invoke", "/usr/bin/systemctl"):
            if os.path.lexists(self.path(program)):
                os.unlink(self.path(program))
            self.write(program, RECORDER, 0o755)

    def actions(self):
        """What services were asked for since the last call."""
        found = []
        if os.path.exists(self.path("/actions")):
            found = [line for line in self.read("/actions").splitlines() if "fieldway" in line]
            os.unlink(self.path("/actions"))
        return found
