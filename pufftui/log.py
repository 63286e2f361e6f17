"""Logs any training script into a run that `pufftui watch` and `pufftui runs` show.

    from pufftui import log

    with log.start("my-run", config={"learning_rate": 3e-4}) as run:
        for step in range(1000):
            run.log(step, {"loss": 0.1})

Nothing here raises into the script: what goes wrong is said once on stderr, and the script goes on.
"""

from __future__ import annotations

import atexit
import functools
import os
import re
import shutil
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, ParamSpec, Self

from pufftui.envs.errors import PuffError
from pufftui.log_config import log_config
from pufftui.trainer.run.folder import LATEST, LONGEST_NAME, RunFolder, runs_root
from pufftui.trainer.store import StoreWriter, refuse_unfit, said, storable

ROW_SECONDS = 1.0
"""A row of the store covers at most so much time: its means, and the extremes beside them."""

LOOK_SECONDS = 0.25
LARGEST = 3.4e38
"""Of a float32, which is what the store keeps."""

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
        self._row: dict[str, list[float]] = {}  # name: sum, count, lowest, highest
        self._row_began = 0.0
        self._ended = threading.Event()

    @_never_raises
    def log(self, step: int, values: Mapping[str, Any]) -> None:
        """Numbers at a step. Costs microseconds; what is logged within a second becomes one row.

        Numbers of numpy and torch are fine. What is no number, or not finite, is left out. Steps
        never go back: an earlier one counts as the latest.
        """
        at = int(step)
        known: list[tuple[str, float]] = []
        for key, value in values.items():
            name = self._name(key)
            number = None if name is None else self._number(name, value, at)
            if name is not None and number is not None:
                known.append((name, number))
        if not 0 <= at < 2**63:
            raise ValueError(f"a step cannot be {at}")
        with self._lock:
            if not self._writes():
                return
            if at < self._step:
                self._tell("back", f"step {at} came after {self._step} and is kept as {self._step}")
            self._calls += 1
            now = time.monotonic()
            if self._row and now - self._row_began >= ROW_SECONDS:
                self._flush()
            self._step = max(at, self._step)
            if not self._row:
                self._row_began = now
            for name, number in known:
                row = self._row.get(name)
                if row is None:
                    self._row[name] = [number, 1, number, number]
                else:
                    row[0] += number
                    row[1] += 1
                    row[2] = min(row[2], number)
                    row[3] = max(row[3], number)

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
        self._writer.event(0, 0.0, "start", "started")
        _runs.add(self)
        threading.Thread(target=self._look_after, name="log", daemon=True).start()

    def _end(self, kind: str, text: str) -> None:
        with self._lock:
            writer, folder = self._writer, self._folder
            if writer is None or folder is None:
                return
            self._flush()
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

    def _name(self, name: Any) -> str | None:
        """The name of a metric as the store can hold it, or None after having said why not."""
        try:
            text = str(name)
            kept = storable(text)
        except Exception as error:  # noqa: BLE001 - a stranger's object may raise anything
            kind = type(name).__name__
            self._tell_of_metric(
                "name", kind, f"a {kind} is not a name for a metric ({said(error)})"
            )
            return None
        if kept != text:
            self._tell_of_metric("name", kept, f"a name is no valid text and is kept as {kept}")
        return kept

    def _number(self, name: str, value: Any, step: int) -> float | None:
        """The value as a finite float32, or None after having said what is wrong with it."""
        if type(value) is not float:
            try:
                # A tensor that wants gradients warns if it is taken as a float.
                plain = value.item() if hasattr(value, "item") else value
                value = float("text" if isinstance(plain, (str, bytes)) else plain)
            except Exception:  # noqa: BLE001 - a stranger's object may raise anything
                kind = type(value).__name__
                text = f"{name} is left out: a {kind} is not a number"
                self._tell_of_metric("kind", name, text)
                return None
        if not -LARGEST <= value <= LARGEST:
            text = f"{name} is {value} at step {step} and left out"
            self._tell_of_metric("finite", name, text)
            return None
        return float(value)

    def _flush(self) -> None:
        """Gives the row to the writer; the lock is held."""
        row, self._row = self._row, {}
        if not row or self._writer is None:
            return
        means = {name: total / count for name, (total, count, _, _) in row.items()}
        extremes = {name: (low, high) for name, (_, _, low, high) in row.items() if low < high}
        self._writer.metrics(self._step, self._seconds(), self._calls, means, extremes)

    def _look_after(self) -> None:
        """Runs in a thread of its own, so that a row is written even if the script falls silent."""
        while not self._ended.wait(LOOK_SECONDS):
            self._look()

    @_never_raises
    def _look(self) -> None:
        """Writes a row that has waited long enough, and tells of a store that is in trouble."""
        with self._lock:
            writer = self._writer
            if self._row and time.monotonic() - self._row_began >= ROW_SECONDS:
                self._flush()
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
    wanted = re.sub(r"[^A-Za-z0-9._-]+", "-", name).lstrip("._-")[: LONGEST_NAME - 5]
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
    for run in list(_runs):
        # The interpreter leaves here what ended the script.
        run._end_with(getattr(sys, "last_type", None), getattr(sys, "last_value", None))  # noqa: SLF001


def _after_fork() -> None:
    # Closing the parent's database in the child could take its locks away, so it stays open.
    _kept_in_child.extend(run._writer for run in _runs)  # noqa: SLF001
    for run in _runs:
        run._forget()  # noqa: SLF001
    _runs.clear()


_kept_in_child: list[StoreWriter | None] = []
atexit.register(_finish_at_exit)
os.register_at_fork(after_in_child=_after_fork)
