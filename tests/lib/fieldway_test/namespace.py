# SPDX-License-Identifier: Apache-2.0
"""A network namespace of our own, where the system allows one."""
import contextlib
import ctypes
import fcntl
import os
import socket
import struct

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
CLONE_NEWNS = 0x00020000
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
SIOCGIFFLAGS = 0x8913
SIOCSIFFLAGS = 0x8914
IFF_UP = 1
INTERFACE = struct.Struct("16sh14x")

LIBC = ctypes.CDLL(None, use_errno=True)


def _unshare(flags):
    if LIBC.unshare(flags) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _write(path, text):
    with open(path, "w", encoding="ascii") as f:
        f.write(text)


def _unshare_as_user():
    uid, gid = os.geteuid(), os.getegid()
    _unshare(CLONE_NEWUSER | CLONE_NEWNET)
    # user_namespaces(7): without this a gid_map needs privileges.
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"0 {uid} 1")
    _write("/proc/self/gid_map", f"0 {gid} 1")


def _loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        answer = fcntl.ioctl(s, SIOCGIFFLAGS, INTERFACE.pack(b"lo", 0))
        name, flags = INTERFACE.unpack(answer)
        fcntl.ioctl(s, SIOCSIFFLAGS, INTERFACE.pack(name, flags | IFF_UP))


def _try(unshare):
    """Tried in a child first: half a namespace could not be left again."""
    child = os.fork()
    if child == 0:
        try:
            unshare()
            _loopback_up()
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def replace_files(files):
    """Shows other contents at these paths to this process and those that it
    starts from now on. False where that is not possible."""
    if LIBC.unshare(CLONE_NEWNS) != 0 or LIBC.mount(b"none", b"/", None, MS_PRIVATE | MS_REC, None) != 0:
        return False
    return all(LIBC.mount(source.encode(), path.encode(), None, MS_BIND, None) == 0
               for path, source in files.items())


def enter_namespace():
    """Moves this process (of one thread) into a network namespace with nothing
    but a loopback interface. False where that is not possible: then ports
    must be free ones."""
    for unshare in (lambda: _unshare(CLONE_NEWNET), _unshare_as_user):
        if _try(unshare):
            unshare()
            _loopback_up()
            return True
    return False


@contextlib.contextmanager
def _away(go):
    """What is started meanwhile stays there."""
    with open("/proc/self/ns/net", "rb") as home:
        go()
        try:
            yield
        finally:
            _enter(home)


def _enter(network):
    if LIBC.setns(network.fileno(), CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def other_network():
    """With this, in a new network with nothing but a loopback interface, after enter_namespace()."""
    def go():
        _unshare(CLONE_NEWNET)
        _loopback_up()

    return _away(go)


def network_of(pid):
    """With this, in the network of another process."""
    def go():
        with open(f"/proc/{pid}/ns/net", "rb") as network:
            _enter(network)

    return _away(go)
