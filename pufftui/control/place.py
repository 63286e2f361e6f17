"""Where the control socket of a run lies, and who may connect to it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import stat
import struct
import sys
import tempfile
from pathlib import Path

SOCKET = "control.sock"

LONGEST = 100
"""Bytes that the path of a socket may have everywhere."""

PRIVATE = 0o600


def listen(folder: Path) -> tuple[socket.socket, list[Path]]:
    """A listening socket for the run in `folder`, and the files that stand for it.

    It lies in the folder or, where a socket cannot, in a private folder that a link leads to. What
    a dead trainer has left there is replaced. Raises `OSError` if there is no place at all.
    """
    place = folder / SOCKET
    try:
        return _listen_at(place), [place]
    except OSError:
        name = hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:16]
        elsewhere = _private_folder() / f"{name}.sock"
        listener = _listen_at(elsewhere)
        try:
            link = _temporary(place)
            link.unlink(missing_ok=True)
            link.symlink_to(elsewhere)
            link.replace(place)
        except BaseException:
            listener.close()
            elsewhere.unlink(missing_ok=True)
            raise
        return listener, [place, elsewhere]


def connect(folder: Path, timeout: float) -> socket.socket:
    """A connection to who trains the run in `folder`; raises `OSError` if nobody listens."""
    place = folder / SOCKET
    with contextlib.suppress(OSError):
        place = place.readlink()
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout)
        connection.connect(_checked(place))
        _expect_own(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _expect_own(connection: socket.socket) -> None:
    if not is_own(connection):
        raise PermissionError("The socket belongs to somebody else.")


def is_own(connection: socket.socket) -> bool:
    """Whether the process at the other end is this user's."""
    if sys.platform == "linux":
        size = struct.calcsize("3i")
        _, user, _ = struct.unpack(
            "3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
        )
    elif sys.platform == "darwin":
        local, peer_credentials = 0, 1
        _, user = struct.unpack_from("2I", connection.getsockopt(local, peer_credentials, 256))
    else:
        return True  # the file's permissions have to do
    return int(user) == os.geteuid()


def _listen_at(place: Path) -> socket.socket:
    """The socket appears under its name when nobody else can open it and it listens."""
    unfinished = _temporary(place)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        unfinished.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            os.fchmod(listener.fileno(), PRIVATE)  # Linux gives the file this mode at once
        listener.bind(_checked(unfinished))
        unfinished.chmod(PRIVATE)
        listener.listen()
        listener.setblocking(False)
        unfinished.replace(place)
    except BaseException:
        listener.close()
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise
    return listener


def _checked(place: Path) -> str:
    if len(os.fsencode(place)) > LONGEST:
        raise OSError(f"The path {place} is too long for a socket.")
    return str(place)


def _temporary(place: Path) -> Path:
    return place.with_name(f".{place.name}.{os.getpid()}")


def _private_folder() -> Path:
    """A folder that only this user can look into; raises `OSError` if it is not to be had."""
    # Not the session's runtime folder: that goes with the last login, and runs stay.
    folder = Path(tempfile.gettempdir()) / f"pufftui-{os.getuid()}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(f"{folder} is not private.")
    return folder
