# SPDX-License-Identifier: Apache-2.0
"""The Debian packages of each release that they are for: those of this machine's own come from packaging/quickstart,
those of another one are built of the same source in a root of it, once for a state of the source."""
import glob
import hashlib
import os
import re
import shutil
import tarfile

from root import Root, build_path, built, fetched, own_release, tarball
from fieldway_test.programs import source_path  # noqa: E402

RELEASES = ("bookworm", "trixie")
BUILD_S = 900
# lintian is asked about what is built there.
TOOLS = "build-essential,fakeroot,lintian"


def others():
    return [release for release in RELEASES if release != own_release()]


def build_dependencies():
    with open(source_path("packaging", "debian", "control"), encoding="ascii") as f:
        return " ".join(re.search(r"^Build-Depends:\n((?: .*\n)*)", f.read(), re.M).group(1).split()).rstrip(",")


def state():
    """Of what is in the source package; when its tarballs were made, and in which order, does not matter."""
    lines = []
    for path in built("*.tar.xz"):
        # As a stream: who jumps to and fro in it unpacks it each time.
        with tarfile.open(path, "r|xz") as archive:
            for member in archive:
                data = archive.extractfile(member).read() if member.isfile() else b""
                lines.append(f"{member.name} {member.mode:o} {member.linkname} {hashlib.sha256(data).hexdigest()}")
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def root_of(release):
    return Root(tarball(TOOLS, release, build_dependencies()))


def build(release, folder):
    root = root_of(release)
    try:
        os.mkdir(root.path("/packages"))
        for path in built("fieldway_*.dsc") + built("*.tar.xz"):
            shutil.copy(path, root.path("/packages"))
        options = f"nocheck parallel={os.cpu_count()}"
        root.run("sh", "-c", "cd /packages && dpkg-source -x *.dsc source && cd source && dpkg-buildpackage -us -uc -b",
                 timeout=BUILD_S, DEB_BUILD_OPTIONS=options)
        for path in glob.glob(root.path("/packages/*.deb")):
            shutil.copy(path, folder)
    finally:
        root.close()


def packages_of(release):
    """The folder of its packages; raises fetched.Unavailable."""
    if release == own_release():
        return os.path.dirname(built("fieldway_*.deb")[0])
    with fetched.place(build_path("packages", "of")) as place:
        folder = os.path.join(place, release)

        def make():
            print(f"building the packages of {release}", flush=True)
            try:
                build(release, folder)
            except AssertionError as e:
                raise fetched.Unavailable(f"the packages of {release} cannot be built: {str(e)[-3000:]}") from e

        fetched.made(folder, state(), make)
    return folder


def lintian(release, folder):
    """What it says, in that release's own words."""
    root = root_of(release)
    try:
        for path in [*glob.glob(os.path.join(folder, "*.deb")), *built("fieldway_*.dsc"), *built("*.tar.xz"),
                     source_path("packaging", "debian", "lintian-tags")]:
            shutil.copy(path, root.path("/tmp"))
        # A tag that this lintian has not, or no more, is an error to it.
        return root.run("sh", "-c", "cd /tmp && lintian-explain-tags --list-tags | grep -Fxf lintian-tags >tags; "
                        "lintian --pedantic -I -E --no-override --allow-root --suppress-tags-from-file tags *.dsc *.deb "
                        "2>err || { code=$?; cat err; exit $code; }", check=False, timeout=BUILD_S)
    finally:
        root.close()
