"""What an environment in C is made of, as digests that tell whether it is still the same.

Of the folder every C file counts, at any depth: a header that is added can come before one of ours.
From elsewhere only what is included counts. The system's headers and ours belong to the machine.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pufftui.envs.compile import HEADERS, OPTIMISED, compile_c

ENDINGS = frozenset(
    ".c .h .cc .cpp .cxx .hh .hpp .hxx .inc .inl .ipp .def .tbl .i .ii .s .asm .m .mm".split()
)
"""Of files that a compiler reads, in small letters."""


@dataclass(frozen=True, slots=True)
class Sources:
    """A digest of the folder's `own` files, and one of each included file of `others`, by path."""

    own: str
    others: Mapping[str, str] = field(default_factory=dict)


def read_sources(source: Path) -> Sources:
    """What the environment of a C file is made of now.

    Raises `PuffError` if the compiler cannot read it, `OSError` if this program cannot.
    """
    digests = _own_files(source.parent)
    others = {path: _digest(path) for path in _others(source, digests)}
    return Sources(_together(source.parent, digests), others)


def are_same(source: Path, noted: Sources) -> bool:
    """Whether an environment is still made of the same.

    The compiler sees it only when all files are the same that it has seen before. Raises as
    `read_sources`.
    """
    digests = _own_files(source.parent)
    if _together(source.parent, digests) != noted.own:
        return False
    if any(
        not Path(path).exists() or _digest(path) != known for path, known in noted.others.items()
    ):
        return False
    return set(_others(source, digests)) == set(noted.others)


def _own_files(folder: Path) -> dict[str, str]:
    """Digests of the folder's C files by their full paths."""
    return {
        str(path): _digest(path)
        for place, _, names in os.walk(folder)
        for path in (Path(place, name) for name in names)
        # An editor's lock is a link to nothing, under the name of the file that is being edited.
        if path.suffix.lower() in ENDINGS and path.exists()
    }


def _others(source: Path, own: Mapping[str, str]) -> list[str]:
    """Real paths of the files that are included from elsewhere, or under names that are not C's."""
    rule = compile_c(source, [*OPTIMISED, "-MM", "-MT", "it"]).stdout
    # A rule of make: target: source header header; a backslash keeps a space, and ends lines.
    words = re.findall(rb"(?:\\\n|\\[ #\\]|\$\$|[^\s])+", rule.partition(b":")[2])
    names = [os.fsdecode(re.sub(rb"\\([ #])", rb"\1", word.replace(b"$$", b"$"))) for word in words]
    paths = {os.path.realpath(name) for name in names if name.strip("\\\n")}
    paths -= {os.path.realpath(path) for path in own}
    return sorted(path for path in paths if HEADERS.resolve() not in Path(path).parents)


def _together(folder: Path, digests: Mapping[str, str]) -> str:
    """One digest of all the folder's files and their names in it."""
    start = len(str(folder))
    lines = sorted(f"{path[start:]!r} {digest}" for path, digest in digests.items())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _digest(path: str | Path) -> str:
    """Of a regular file's content; empty for what is none."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return ""
        return hashlib.file_digest(file, "sha256").hexdigest()
