"""The `pufftui` command: runs it and turns whatever goes wrong into one sentence and a status."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import NoReturn

from pufftui.cli import run
from pufftui.envs.errors import PuffError

INTERRUPTED = 130
UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What is wrong with a stream that cannot be written, where no file is named."""

PRIVATE = {"--privacy", "--stream"}
"""Flags with which nothing that is private is printed, before and after the screen either."""


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    # A spinning OpenMP worker takes the core that the environments need. Read when torch loads.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    # The arena multiplies small matrices with numpy: threads for them only get in the way.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    end_by_interrupt(signal.SIGTERM)
    end_by_interrupt(signal.SIGHUP)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(
            errors="replace"
        )  # names and paths hold more than a terminal's letters
    arguments = sys.argv[1:] if arguments is None else arguments
    with _harmless():
        return _run(arguments)


def _run(arguments: list[str]) -> int:
    if PRIVATE & set(arguments):
        _hide(arguments)
    try:
        status = run(arguments)
        sys.stdout.flush()
    except PuffError as error:
        say(error.message, error.hint)
        return error.exit_status
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        from pufftui.terminal.streams import silence

        silence(sys.stdout)  # whoever read the output has seen enough
        return 0
    except Exception as error:  # noqa: BLE001 - the last resort, so that no one meets a traceback
        return _failed(error)
    return status


@contextmanager
def _harmless() -> Iterator[None]:
    """Nothing that is printed meanwhile does anything to a terminal, wherever it was read."""
    from pufftui.appearance.harmless import harmless, harmless_output
    from pufftui.terminal.streams import masked

    before = sys.stdout, sys.stderr
    for name, stream in zip(("stdout", "stderr"), before, strict=True):
        if stream is not None:
            coloured = stream.isatty()
            door = harmless_output if coloured else partial(harmless, lines=True)
            setattr(sys, name, masked(stream, door))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def _failed(error: Exception) -> int:
    """Says what went wrong, without a traceback; the exit status."""
    if isinstance(error, OSError) and error.errno in UNWRITABLE and error.filename is None:
        from pufftui.terminal.streams import silence

        silence(sys.stdout)
        say(
            f"The output cannot be written: {error.strerror}.", "Free space, or write it elsewhere."
        )
    else:
        say(f"Something broke inside pufftui: {error!r}.", f"The details are in {_keep(error)}.")
    return 1


def _hide(arguments: list[str]) -> None:
    """Masks what is printed from here on; runs are named by arguments, and by hints what to do."""
    from pufftui.appearance.privacy import mask, own_secrets
    from pufftui.terminal.streams import masked
    from pufftui.trainer.run.folder import runs_root

    root = runs_root()
    runs = [file.name for file in root.iterdir()] if root.is_dir() else []
    secrets = own_secrets([*arguments, *runs], [root])
    sys.stdout = masked(sys.stdout, lambda text: mask(text, secrets))
    sys.stderr = masked(sys.stderr, lambda text: mask(text, secrets))


def end_by_interrupt(number: int) -> None:
    """Lets a signal end the program as ctrl+c does, unless it is ignored (nohup)."""

    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    if signal.getsignal(number) is not signal.SIG_IGN:
        signal.signal(number, interrupt)


def say(message: str, hint: str) -> None:
    """Writes one error to stderr, in red where that is a terminal."""
    from pufftui.appearance.harmless import harmless

    colours = os.environ.get("TERM") not in (None, "dumb") and "NO_COLOR" not in os.environ
    name = "\x1b[31mpufftui:\x1b[0m" if colours and sys.stderr.isatty() else "pufftui:"
    print(name, harmless(f"{message} {hint}".strip(), lines=True), file=sys.stderr)


def _keep(error: Exception) -> str:
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile(
        "w", prefix="pufftui-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        traceback.print_exception(error, file=file)
    return file.name


if __name__ == "__main__":
    sys.exit(main())
