"""Writes the store from one thread of its own, so that training never waits for a disk."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pufftui.trainer.store.ledger import Ledger
from pufftui.trainer.store.texts import said

COMMIT_SECONDS = 0.25
RETRY_SECONDS = 1.0
CLOSE_SECONDS = 8.0
"""So long the end of a run waits for a store that cannot be written."""

MOST_WAITING = 10_000
CROWDED = 8_000
MOST_EPISODES = 64
EPISODES_PER_SECOND = 0.5

Insert = Callable[[Ledger], None]


class StoreWriter:
    """The one writer of a store. Calls cost microseconds, never block and never raise.

    What is given is committed at most half a second later. While writing fails, `problem` says
    why; up to 10,000 calls wait and are written as soon as it works again, and an event tells of
    the gap. `shortfall` says what never arrived.
    """

    def __init__(
        self,
        database: Path,
        *,
        from_step: int = 0,
        locate: Callable[[], tuple[Path, str]] | None = None,
    ) -> None:
        """Opens the file, or makes it, in the writer's thread; `from_step` is where a run goes on.

        The rows of this writer form a new lineage. `locate` is asked in that thread, before it
        writes, where the file belongs now, and what has happened to it, which becomes an event.
        """
        self._locate = locate or (lambda: (database, ""))
        self.problem = ""
        self._ledger = Ledger(database, from_step)
        self._condition = threading.Condition()
        self._waiting: deque[Insert] = deque()
        self._writing = 0
        self._lost = 0
        self._lost_before = 0
        self._last_problem = ""
        self._failing_since: float | None = None
        self._flushes_wanted = 0
        self._flushes_done = 0
        self._closing = False
        self._episodes_allowed = float(MOST_EPISODES)
        self._episodes_time = time.monotonic()
        self._thread = threading.Thread(target=self._work, name="store", daemon=True)
        self._thread.start()

    def metrics(
        self,
        step: int,
        seconds: float,
        epoch: int,
        values: Mapping[str, float],
        extremes: Mapping[str, tuple[float, float]] | None = None,
    ) -> None:
        """One row of means; the names may differ from row to row.

        `extremes` are the lowest and highest value of a name, where the mean does not say it all.
        A step below that of the row before is a roll-back: it begins a lineage.
        """
        row, means, both = (step, seconds, epoch), dict(values), dict(extremes or {})
        self._give(lambda ledger: ledger.metrics(*row, means, both))

    def episodes(self, step: int, episodes: NDArray[np.void]) -> None:
        """Finished episodes (dtype `EPISODE`), of which an even sample is kept.

        The sample is at most 64, and one every two seconds in the long run, so that the file stays small.
        """
        now = time.monotonic()
        allowed = self._episodes_allowed + (now - self._episodes_time) * EPISODES_PER_SECOND
        allowed = min(allowed, MOST_EPISODES)
        count = min(len(episodes), int(allowed))
        self._episodes_allowed, self._episodes_time = allowed - count, now
        if count:
            chosen = episodes[(np.arange(count) * 2 + 1) * len(episodes) // (2 * count)]
            self._give(lambda ledger: ledger.episodes(step, chosen))

    def event(self, step: int, seconds: float, kind: str, text: str) -> None:
        """Something that happened: checkpoint, best, pause, resume, stop, start, error, ..."""
        self._give(lambda ledger: ledger.event(step, seconds, kind, text))

    def checkpoint(
        self, step: int, seconds: float, file: str, score: float | None, reason: str = ""
    ) -> None:
        """A checkpoint that is safely on disk under this file name."""
        self._give(lambda ledger: ledger.checkpoint(step, seconds, file, score, reason))

    def alert(
        self,
        step: int,
        seconds: float,
        *,
        level: str,
        rule: str,
        title: str,
        text: str,
        evidence: Mapping[str, Any] | None = None,
        advice: str = "",
    ) -> None:
        """Something that looks wrong; `evidence` is what JSON can hold."""
        words = (level, rule, title, text, dict(evidence or {}), advice)
        self._give(lambda ledger: ledger.alert(step, seconds, *words))

    def alerts_over(self, step: int, seconds: float, rule: str | None = None) -> None:
        """The alerts of a rule, or all, tell of something that is no longer so."""
        self._give(lambda ledger: ledger.alerts_over(step, seconds, rule))

    def roll_back(self, step: int) -> None:
        """The run has gone back to a step: what follows is a lineage of its own."""
        self._give(lambda ledger: ledger.roll_back(step))

    def command(
        self, step: int, seconds: float, name: str, detail: Mapping[str, Any] | None = None
    ) -> None:
        """What a person asked just now; `detail` is what JSON can hold."""
        at, asked = time.time(), dict(detail or {})
        self._give(lambda ledger: ledger.command(step, seconds, at, name, asked))

    def system(
        self,
        step: int,
        seconds: float,
        reading: Mapping[str, float],
        gpus: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """What the machine is doing: the figures of a `SystemRow` by name."""
        figures, each = dict(reading), list(gpus)
        self._give(lambda ledger: ledger.system(step, seconds, figures, each))

    def fact(self, name: str, value: object) -> None:
        """Something about the whole run, such as what wrote it; `value` is what JSON can hold."""
        self._give(lambda ledger: ledger.fact(name, value))

    @property
    def refusal(self) -> str:
        """Why something that was given could not be stored, the first time; else empty."""
        return self._ledger.refusal

    @property
    def crowded(self) -> bool:
        """Whether so much waits that whoever can should give less."""
        return len(self._waiting) + self._writing > CROWDED

    @property
    def lost(self) -> int:
        """Calls whose rows are not in the file and, once it is closed, never will be."""
        with self._condition:
            left = len(self._waiting) + self._writing if self._closing else 0
            return self._lost_before + self._lost + left + self._ledger.refused

    @property
    def shortfall(self) -> str:
        """How many rows were lost and why, in a sentence or two; empty if none was."""
        lost = self.lost
        if not lost:
            return ""
        rows = "1 row of the store was" if lost == 1 else f"{lost:,} rows of the store were"
        return f"{rows} lost. {self.problem or self._last_problem or self.refusal}"

    def flush(self) -> None:
        """Blocks until everything given so far is committed, or `problem` says why it is not."""
        with self._condition:
            if self._closing:
                return
            self._flushes_wanted += 1
            wanted = self._flushes_wanted
            self._condition.notify_all()
            self._condition.wait_for(lambda: self._flushes_done >= wanted)

    def close(self) -> None:
        """Commits what is left and ends the thread; safe to call twice.

        One that hangs in the file system is left behind after a few seconds, which is a `problem`.
        """
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        self._thread.join(CLOSE_SECONDS)
        if self._thread.is_alive() and not self.problem:
            self.problem = f"The store could not be written within {CLOSE_SECONDS:.0f} s."

    def _give(self, insert: Insert) -> None:
        with self._condition:
            if not self._closing:
                self._waiting.append(insert)
                self._forget_oldest()

    def _forget_oldest(self) -> None:
        while len(self._waiting) > MOST_WAITING:
            self._waiting.popleft()
            self._lost += 1

    def _work(self) -> None:
        closing = False
        while not closing:
            with self._condition:
                closing, flushes = self._closing, self._flushes_wanted
                batch, self._waiting = self._waiting, deque()
                self._writing = len(batch)
            written = self._write(batch)
            with self._condition:
                self._writing = 0
                if not written:
                    self._waiting.extendleft(reversed(batch))
                    self._forget_oldest()
                self._flushes_done = flushes
                self._condition.notify_all()
                if not closing:
                    self._condition.wait_for(self._hurry, self._pause())
        self._ledger.close()

    def _hurry(self) -> bool:
        return self._closing or self._flushes_wanted > self._flushes_done

    def _pause(self) -> float:
        return RETRY_SECONDS if self.problem else COMMIT_SECONDS

    def _write(self, batch: Collection[Insert]) -> bool:
        """Whether the batch is in the file."""
        if not self._in_place():
            return False
        try:
            if batch or self._failing_since is not None or not self._ledger.is_open:
                self._ledger.write([*batch, *self._gap()])
        except Exception as error:  # noqa: BLE001 - whatever it is, training goes on
            self._ledger.close()
            self._fail(error)
            return False
        with self._condition:
            self._lost_before += self._lost
            self._failing_since, self._lost, self.problem = None, 0, ""
        return True

    def _in_place(self) -> bool:
        """Sees to it that what is written next is found where it belongs."""
        try:
            database, news = self._locate()
            if news:
                self._give(lambda ledger: ledger.notice("warning", news))
            self._ledger.go_on_at(database)
        except Exception as error:  # noqa: BLE001 - as above, and the open file may still be saved
            self._fail(error)
            return False
        return True

    def _fail(self, error: Exception) -> None:
        if self._failing_since is None:
            self._failing_since = time.monotonic()
            self.problem = self._last_problem = f"The store cannot be written: {said(error)}."

    def _gap(self) -> list[Insert]:
        """The event that tells of a failure which is over once it is written."""
        if self._failing_since is None:
            return []
        text = f"{self.problem} It took {time.monotonic() - self._failing_since:.0f} s to recover"
        text += f", and {self._lost} rows were lost." if self._lost else "; nothing was lost."
        return [lambda ledger: ledger.notice("error", text)]
