"""Compiles environments from folders anywhere on the disk, each version of their source once.

What was compiled is kept in a cache under a key of everything that it was made from. The
preprocessor gives that key: its output holds the source with all the headers it includes, and the
macros that tell the compiler's version and the processor's instructions. The file's name also has the
checksum of its bytes.
"""

from __future__ import annotations

import glob
import hashlib
import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from pufftui.envs.compiler import need_compiler
from pufftui.envs.errors import PuffError
from pufftui.envs.library import SUFFIX
from pufftui.envs.places import is_text, own_folder

HEADERS = Path(__file__).parent
LANGUAGE = (
    *("-std=gnu11", "-D_GNU_SOURCE", f"-I{HEADERS}"),
    # What a table leaves out at the end of an entry is zero, and means so: it may be newer than the table.
    *("-Wall", "-Wextra", "-Wno-missing-field-initializers"),
)
OPTIMISED = (
    *LANGUAGE,
    *(
        "-O3",
        "-g1",
        "-march=native",
        "-ffp-contract=off",
        "-fvisibility=hidden",
        "-shared",
        "-fPIC",
    ),
)
"""As CMakeLists.txt builds the bundled ones."""

LIBRARIES = ("-lpthread", "-lm")
LONGEST_MESSAGE = 40
"""Lines that are shown of a compiler's complaints; the first ones tell the most."""

KEY_DIGITS = 20
MONTH = 30 * 86400.0


class CompileError(PuffError):
    """A source that does not compile; `said` holds the compiler's own words."""

    def __init__(self, source: Path, said: str) -> None:
        lines = said.rstrip().splitlines()
        more = len(lines) - LONGEST_MESSAGE
        shown = [*lines[:LONGEST_MESSAGE], *([f"... and {more} more lines"] if more > 0 else [])]
        self.said = "\n".join(shown)
        super().__init__(f"{source.name} does not compile. The compiler says:\n{self.said}")


def compile_env(source: Path) -> Path:
    """The shared library of an environment's C file, from the cache if it is there.

    Raises `CompileError` with the compiler's words, or `PuffError` if there is no compiler or no
    place to write.
    """
    key = hashlib.sha256("\0".join(OPTIMISED).encode())
    key.update(compile_c(source, [*OPTIMISED, "-E", "-dD"]).stdout)
    cache = cache_folder()
    if not is_text(str(cache)):
        raise _no_place(source, cache, "its name is not UTF-8")
    name = f"{source.stem}-{key.hexdigest()[:KEY_DIGITS]}"
    try:
        library = _kept(cache, name)
        if library is not None:
            os.utime(library)  # so that it counts as used
            return library
        cache.mkdir(parents=True, exist_ok=True)
        # Built beside its place and renamed: nobody ever opens half of it.
        with tempfile.TemporaryDirectory(dir=cache, prefix=".new-") as folder:
            fresh = Path(folder) / f"{name}{SUFFIX}"
            compile_c(source, [*OPTIMISED, "-o", str(fresh)])
            with fresh.open("rb") as file:
                os.fsync(file.fileno())
            library = cache / f"{name}-{_checksum(fresh)}{SUFFIX}"
            fresh.replace(library)
        _forget_unused(cache)
    except OSError as error:
        raise _no_place(source, cache, error.strerror or str(error)) from None
    return library


def _no_place(source: Path, cache: Path, why: str) -> PuffError:
    return PuffError(
        f"{source.stem} cannot be compiled into {cache} ({why}).",
        "Choose another folder with the variable XDG_CACHE_HOME.",
    )


def compile_c(source: Path, flags: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    """Runs the compiler on one file; raises `CompileError` if it fails."""
    command = [*need_compiler(), *flags, str(source), *LIBRARIES]
    result = subprocess.run(command, capture_output=True, check=False)
    if result.returncode:
        raise CompileError(source, result.stderr.decode(errors="replace"))
    return result


def cache_folder() -> Path:
    """Where compiled environments are kept."""
    return own_folder("XDG_CACHE_HOME", ".cache")


def _kept(cache: Path, name: str) -> Path | None:
    """The library of that name that still has the bytes it was built with; others of the name go.

    A damaged one could end the process as soon as it is loaded.
    """
    for path in sorted(cache.glob(f"{glob.escape(name)}-*{SUFFIX}")):
        if path.stem == f"{name}-{_checksum(path)}":
            return path
        path.unlink(missing_ok=True)
    return None


def _checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:KEY_DIGITS]


def _forget_unused(cache: Path) -> None:
    for path in cache.glob(f"*-{'[0-9a-f]' * KEY_DIGITS}{SUFFIX}"):
        if time.time() - path.stat().st_mtime > MONTH:
            path.unlink(missing_ok=True)
