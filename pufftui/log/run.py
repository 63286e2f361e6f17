"""A run that a script writes: names, values, threads, forks and ends; nothing raises into the script."""

from __future__ import annotations

import atexit
import functools
import os
import re
import shutil
import sys
import threading
import time
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, ParamSpec, Self

from pufftui.envs.errors import PuffError
from pufftui.log.checks import Checks
from pufftui.log.config import log_config
from pufftui.log.rows import Rows
from pufftui.log.values import number_of, values_of
from pufftui.trainer.run.folder import LATEST, LONGEST_NAME, MOST_BYTES, RunFolder, runs_root
from pufftui.trainer.store import StoreWriter, refuse_unfit, said

LOOK_SECONDS = 0.25

MOST_TOLD = 100
"""Metrics of which is told what is wrong with them: a script may invent names without end."""

P = ParamSpec("P")

_runs: set[Run] = set()
"""Those that are not finished."""


def start(name: str = "", config: object = None) -> Run:
    """Begins a run in the folder of runs (`PUFFTUI_RUNS`, else `runs` under the current folder).

    A name that is taken gets a number: each start is a run of its own. Without a name one is
    invented; `run.name` tells. `config` is a mapping, or what argparse returns.
    """
    try:
        run = Run(str(name))
    except Exception as error:  # noqa: BLE001 - a stranger's object may raise anything
        run = Run("")
        run._tell("name", f"its name cannot be read ({said(error)})")  # noqa: SLF001
    run._open({} if config is None else config)  # noqa: SLF001
    return run


def _never_raises(method: Callable[P, None]) -> Callable[P, None]:
    """A method of `Run` whose exceptions are told on stderr, once a kind."""

    @functools.wraps(method)
    def safe(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            method(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - whatever it is, the script goes on
            run: Any = args[0]
            run._tell(type(error).__name__, f"{type(error).__name__}: {said(error)}")  # noqa: SLF001

    return safe


class Run:
    """A run that a script writes; made by `start`. Safe to use from several threads.

    In a forked process, and after pickling, it does nothing: only the process that started it
    writes.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._began = time.monotonic()
        self._lock = threading.RLock()
        self._told: set[str] = set()
        self._metrics_told = 0
        self._folder: RunFolder | None = None
        self._writer: StoreWriter | None = None
        self._settings = ""
        self._why_not = "another process writes this run"
        self._step = 0
        self._calls = 0
        self._checks: Checks | None = None
        self._rows = Rows(self._put, self._is_crowded)
        self._ended = threading.Event()

    @_never_raises
    def log(self, step: int, values: Mapping[str, Any]) -> None:
        """Numbers at a step. Costs microseconds; calls at the same step are one row.

        Numbers of numpy and torch are fine; what is in a dictionary inside `values` gets its name
        before a `/`. What is no number is left out, what is not finite is shown as such. Steps never
        go back: an earlier one counts as the latest.
        """
        at = int(step)
        known: list[tuple[str, float, bool]] = []
        for name, value in values_of(values, self._tell_of_metric):
            number = number_of(name, value, at, self._tell_of_metric)
            if number is not None:
                known.append((name, *number))
        if not 0 <= at < 2**63:
            raise ValueError(f"a step cannot be {at}")
        with self._lock:
            if not self._writes():
                return
            if at < self._step:
                self._tell("back", f"step {at} came after {self._step} and is kept as {self._step}")
            self._calls += 1
            self._step = max(at, self._step)
            self._rows.add(self._step, known, self._seconds(), self._calls)

    @_never_raises
    def event(self, text: str, kind: str = "note") -> None:
        """A line in the log of the run, at the last step."""
        with self._lock:
            if self._writes() and self._writer:
                self._writer.event(self._step, self._seconds(), str(kind), str(text))

    @_never_raises
    def finish(self, error: str = "") -> None:
        """Writes what is left and ends the run, as failed if an error is named; again is fine."""
        self._end("failed" if error else "stop", said(error) if error else "finished")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end_with(kind, error)

    def __reduce__(self) -> tuple[type[Run], tuple[str]]:
        return Run, (self.name,)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    @_never_raises
    def _end_with(self, kind: type[BaseException] | None, error: BaseException | None) -> None:
        """Ends the run as a script ended: well, interrupted or with an error."""
        if kind is None or (issubclass(kind, SystemExit) and not getattr(error, "code", None)):
            self._end("stop", "finished")
        elif issubclass(kind, KeyboardInterrupt):
            self._end("stop", "interrupted")
        else:
            self._end("failed", f"{kind.__name__}: {said(error)}")

    @_never_raises
    def _open(self, config: object) -> None:
        try:
            text = log_config(sys.argv[0] if sys.argv else "", config, self._without)
        except Exception as error:  # noqa: BLE001 - a stranger's config can be anything
            self._tell("config", f"the config is left out ({said(error)})")
            text = log_config("", {}, self._without)
        try:
            folder = _create(self.name)
        except PuffError as error:
            self._why_not = str(error)
            self._writes()
            return
        try:
            refuse_unfit(folder.path)
        except PuffError as error:
            shutil.rmtree(folder.path, ignore_errors=True)
            folder.release()
            self._why_not = str(error)
            self._writes()
            return
        self._folder, self.name = folder, folder.id
        try:
            folder.config_file.write_text(text, encoding="utf-8")
        except OSError as error:
            self._tell("config", f"the config could not be written ({error.strerror})")
        self._settings = text
        self._writer = StoreWriter(folder.database, locate=lambda: self._locate(folder))
        self._checks = Checks(self._writer)
        self._writer.event(0, 0.0, "start", "started")
        _runs.add(self)
        threading.Thread(target=self._look_after, name="log", daemon=True).start()

    def _end(self, kind: str, text: str) -> None:
        with self._lock:
            writer, folder = self._writer, self._folder
            if writer is None or folder is None:
                return
            self._rows.flush()
            if self._checks is not None:
                self._checks.look(self._checks.take())
            writer.event(self._step, self._seconds(), kind, text)
            self._writer, self._why_not = None, "it is finished"
            self._ended.set()
        _runs.discard(self)
        writer.close()
        self._tell_of_store(writer)
        if writer.shortfall:
            self._tell("lost", writer.shortfall)
        folder.release()

    def _writes(self) -> bool:
        """Whether anything is still written; else says once why not."""
        if self._writer is None:
            self._tell("over", f"nothing is logged: {self._why_not}")
        return self._writer is not None

    def _without(self, setting: str, error: Exception) -> None:
        self._tell_of_metric(
            "config", setting, f"the config is kept without {setting} ({said(error)})"
        )

    def _put(
        self,
        step: int,
        seconds: float,
        calls: int,
        means: Mapping[str, float],
        extremes: Mapping[str, tuple[float, float]],
    ) -> None:
        """Gives a row to the writer; the lock is held."""
        if self._writer is not None:
            self._writer.metrics(step, seconds, calls, means, extremes)
        if self._checks is not None:
            self._checks.row(step, seconds, means)

    def _is_crowded(self) -> bool:
        return self._writer is not None and self._writer.crowded

    def _look_after(self) -> None:
        """Runs in a thread of its own, so that a row is written even if the script falls silent."""
        while not self._ended.wait(LOOK_SECONDS):
            self._look()

    @_never_raises
    def _look(self) -> None:
        """Writes a row that has waited long enough, and tells of a store that is in trouble."""
        with self._lock:
            writer, checks = self._writer, self._checks
            moment = checks.take() if checks is not None else None
            if self._rows.is_due(self._seconds()):
                self._rows.flush()
        if checks is not None:
            checks.look(moment)
        if writer:
            self._tell_of_store(writer)

    def _locate(self, folder: RunFolder) -> tuple[Path, str]:
        """Where the store belongs, and what has happened to the folder; in the writer's thread."""
        news = folder.stay_at_home(lambda: self._settings)
        if news:
            self.name = folder.id
            self._tell(news, news)
        return folder.database, news

    def _seconds(self) -> float:
        return time.monotonic() - self._began

    def _tell_of_store(self, writer: StoreWriter) -> None:
        if writer.problem:
            self._tell("store", writer.problem)
        if writer.refusal:
            self._tell("refusal", writer.refusal)

    def _tell_of_metric(self, kind: str, name: str, text: str) -> None:
        """Tells of one metric, if it is not the one too many."""
        key = f"{kind} {name}"
        if key in self._told or self._metrics_told > MOST_TOLD:
            return
        self._metrics_told += 1
        over = self._metrics_told > MOST_TOLD
        self._tell(key, "what is wrong with more metrics is not told" if over else text)

    def _tell(self, kind: str, text: str) -> None:
        if kind in self._told:
            return
        self._told.add(kind)
        try:
            sys.stderr.write(f"pufftui.log: {self.name}: {text}\n")
        except Exception:  # noqa: BLE001 - a script may have closed it
            return

    def _forget(self) -> None:
        """Lets go of everything in a forked child: nothing of the parent's run may be touched."""
        self._lock = threading.RLock()
        self._writer, self._why_not = None, "this process was forked from the one that logs"
        if self._folder is not None:
            self._folder.release()  # the parent's handle still holds the lock


def _create(name: str) -> RunFolder:
    """A new folder, under the name or one made from it; `PuffError` if there can be none."""
    plain = unicodedata.normalize("NFC", name)
    wanted = re.sub(r"[^\w.-]+", "-", plain).lstrip("._-")[: LONGEST_NAME - 5]
    while len(wanted.encode()) > MOST_BYTES - 5:
        wanted = wanted[:-1]
    if wanted == LATEST:
        wanted = f"{LATEST}-run"
    if not wanted:
        return RunFolder.create("", "run")
    number = 1
    while True:
        candidate = wanted if number == 1 else f"{wanted}-{number}"
        try:
            return RunFolder.create(candidate, "run")
        except PuffError:
            if not os.path.lexists(runs_root() / candidate) or number > 9999:
                raise
            number += 1


def _finish_at_exit() -> None:
    # The interpreter leaves here what ended a script. At a prompt, and in a notebook, it is the last
    # mistake that somebody made there, perhaps hours ago, and ended nothing.
    prompt = hasattr(sys, "ps1") or sys.flags.interactive
    kind, error = (getattr(sys, name, None) for name in ("last_type", "last_value"))
    for run in list(_runs):
        run._end_with(None if prompt else kind, None if prompt else error)  # noqa: SLF001


def _after_fork() -> None:
    # Closing the parent's database in the child could take its locks away, so it stays open.
    _kept_in_child.extend(run._writer for run in _runs)  # noqa: SLF001
    for run in _runs:
        run._forget()  # noqa: SLF001
    _runs.clear()


_kept_in_child: list[StoreWriter | None] = []
atexit.register(_finish_at_exit)
os.register_at_fork(after_in_child=_after_fork)
