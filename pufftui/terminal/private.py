"""Keeps the terminal for the dashboard alone: whatever else is printed goes to the run's log."""

from __future__ import annotations

import errno
import io
import os
import sys
import tempfile
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from pufftui.envs.errors import PuffError
from pufftui.terminal.guard import Guard, guarded
from pufftui.terminal.streams import masked, masking


class Lasting(io.FileIO):
    """A file that may go away: from then on what is written is lost without a word.

    So a terminal whose window was closed ends no drawing before training has been told.
    """

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data) or 0
        except OSError:
            return memoryview(data).nbytes


def _screen(descriptor: int) -> io.TextIOWrapper:
    binary = io.BufferedWriter(Lasting(descriptor, "w"))
    return io.TextIOWrapper(binary, encoding="utf-8", errors="replace")


@contextmanager
def _true_size() -> Iterator[None]:
    """Forgets a size that a shell has exported: Textual would believe it whatever the window is."""
    told = {name: os.environ.pop(name) for name in ("COLUMNS", "LINES") if name in os.environ}
    try:
        yield
    finally:
        os.environ |= told


@contextmanager
def _leading_to(log: Path) -> Iterator[TextIO]:
    """Descriptors 1 and 2 lead to `log` meanwhile, which is given."""
    with log.open("a", buffering=1, encoding="utf-8") as file:
        saved = [os.dup(1), os.dup(2)]
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            yield file
        finally:
            for stream in (sys.stdout, sys.stderr):
                with suppress(OSError):  # a full disk keeps nobody from the terminal
                    stream.flush()
            for descriptor, copy in zip((1, 2), saved, strict=True):
                os.dup2(copy, descriptor)
                os.close(copy)


@contextmanager
def private_terminal(log: Path, message: str) -> Iterator[Guard]:
    """Descriptors 1 and 2 lead to `log`, and Textual is given the terminal, until the end.

    Textual writes to `sys.__stderr__` and asks `sys.__stdout__` for the size. Native code writes to
    the descriptors, so both kinds of output are kept apart. `message` is what a fatal signal leaves
    on the terminal, after its name; the guard that is given changes it, and gives the terminal back
    after a crash of the screen. Raises `PuffError` without a terminal.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise PuffError(
            "The dashboard needs a terminal.", "To train without one, add --headless.", usage=True
        )
    sys.stdout.flush()
    sys.stderr.flush()
    streams = sys.__stdout__, sys.__stderr__
    with _true_size(), _screen(os.dup(1)) as screen, _leading_to(log) as file:
        sys.__stdout__ = sys.__stderr__ = screen  # type: ignore[misc]
        try:
            with guarded(screen.fileno(), file, message) as guard:
                yield guard
        finally:
            sys.__stdout__, sys.__stderr__ = streams  # type: ignore[misc]


@contextmanager
def private_output(
    log: Path, message: str, library: Path, name: str
) -> Iterator[tuple[TextIO, TextIO, Guard]]:
    """Streams to where descriptors 1 and 2 lead, which lead to `log` meanwhile, and a guard.

    So what native code prints cannot come between the lines of a report. The streams are masked as the standard
    ones are. If the code of `name`, which lies in `library`, ends the process, that is told. A fatal signal is
    told on the second stream, with `message`; the last line of the guard's reports goes to the first.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    mask = masking(sys.stderr)
    with (
        os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace") as output,
        os.fdopen(os.dup(2), "w", encoding="utf-8", errors="replace") as errors,
        _leading_to(log) as file,
        guarded(
            errors.fileno(), file, mask(message), is_screen=False, reports=output.fileno()
        ) as guard,
    ):
        guard.suspect(library, name)
        yield masked(output, masking(sys.stdout)), masked(errors, mask), guard


def places_cursor(name: str) -> bool:
    """Whether a terminal of that name can write anywhere on its screen, as far as is known."""
    if name in ("", "dumb", "unknown"):
        return False
    try:
        import curses

        curses.setupterm(name, 1)
        return curses.tigetstr("cup") is not None
    except Exception:  # noqa: BLE001 - no curses, or a terminal that is too new for its database
        return True


def hung_up() -> bool:
    """Whether the terminal has gone away: its window closed, its connection broke."""
    try:
        termios.tcgetattr(0)
    except termios.error as error:
        return bool(error.args[0] != errno.ENOTTY)
    return False


@contextmanager
def passing_log(prefix: str) -> Iterator[Path]:
    """A file for what is printed meanwhile, where there is no run to write to.

    It stays only if something was written.
    """
    with tempfile.NamedTemporaryFile(prefix=prefix, suffix=".txt", delete=False) as file:
        log = Path(file.name)
    try:
        yield log
    finally:
        with suppress(FileNotFoundError):  # who cleans up may have been here in the meantime
            if not log.stat().st_size:
                log.unlink()
