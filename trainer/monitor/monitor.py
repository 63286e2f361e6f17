"""Runs the health checks beside training, on a thread of its own, and acts on what they find."""

from __future__ import annotations

import threading
import time
from collections import deque

from pufftui.envs.errors import PuffError
from pufftui.trainer.health import (
    FACTS,
    Change,
    Facts,
    HealthSuite,
    Level,
    Moment,
    Reading,
    Remedy,
    Stall,
    moments,
    write_changes,
)
from pufftui.trainer.messages.channel import Channel
from pufftui.trainer.messages.command import Checkpoint, Pause, RollBack
from pufftui.trainer.messages.snapshot import Phase
from pufftui.trainer.monitor.webhook import Webhook
from pufftui.trainer.store import StoreReader, StoreWriter

LOOK_SECONDS = 0.5
"""Time between two looks at what has come."""

CLOSE_SECONDS = 5.0
"""So long the end of a run waits for the checks to read the store."""

YOUNG = 60.0
"""An alert asks for no checkpoint if there is one that is not older, in seconds."""

REMEMBERED_ROWS = 4000
"""Rows or blocks of rows of the past that the checks of a resumed run are told of."""


class Monitor:
    """Takes rows and readings from any thread; never blocks whoever gives them, never raises.

    What it finds becomes alerts in the store and `findings` of the channel. A warning asks for a
    checkpoint. What comes of a critical finding is the config's choice, `on_critical`.
    """

    def __init__(
        self,
        facts: Facts,
        store: StoreWriter,
        channel: Channel,
        reader: StoreReader,
        *,
        on_critical: str = "ask",
        webhook: Webhook | None = None,
    ) -> None:
        self._facts, self._store, self._channel, self._reader = facts, store, channel, reader
        self._on_critical, self._webhook = on_critical, webhook
        self._suite = HealthSuite(facts)
        self._stall = Stall()
        self._last: Moment | None = None
        self._heard = time.monotonic()
        self._waiting: deque[Moment | Reading | int] = deque()
        self._complained = False
        self._ended = False
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="health", daemon=True)

    def start(self, step: int) -> None:
        """Starts the thread; `step` is where training goes on."""
        self._store.fact(FACTS, self._facts.as_dict())
        if step:
            self._waiting.append(step)
        self._thread.start()

    def row(self, moment: Moment) -> None:
        """A row of metrics was written."""
        self._waiting.append(moment)

    def reading(self, reading: Reading) -> None:
        """The machine was looked at."""
        self._waiting.append(reading)

    def begin_at(self, step: int) -> None:
        """Training has gone back to a step: what came after it is forgotten."""
        self._waiting.append(step)

    def close(self, *, ended: bool = False) -> None:
        """Takes in what is left and ends the thread, unless that waits for the store for long.

        With `ended` the run is over, finished or stopped, and is judged as a whole.
        """
        self._ended = ended
        self._closing.set()
        self._thread.join(CLOSE_SECONDS)
        if self._webhook is not None:
            self._webhook.close()

    def _run(self) -> None:
        try:
            while not self._closing.wait(LOOK_SECONDS):
                self._look()
            self._look()
            if self._ended:
                self._act(self._suite.end())
        except Exception as error:  # noqa: BLE001 - the checks must never end a run
            latest = self._channel.latest
            text = f"The health checks have ended: {type(error).__name__}: {error}."
            self._store.event(latest.step, latest.seconds, "error", text)
        finally:
            self._reader.close()

    def _look(self) -> None:
        while self._waiting:
            at = self._waiting.popleft()
            if isinstance(at, int):
                self._remember(at)
            elif isinstance(at, Moment):
                self._heard, self._last = time.monotonic(), at
                self._stall.see(at)
                self._act(self._suite.see(at))
                self._act(self._suite.judge(Stall.rule, None, at))
            else:
                self._act(self._suite.see_machine(at))
        self._listen()

    def _remember(self, step: int) -> None:
        """Begins anew with the past of the run as it is now; what is still wrong is told again."""
        self._suite, self._last = HealthSuite(self._facts), None
        self._stall.forget()
        latest = self._channel.latest
        self._store.alerts_over(step, latest.seconds)
        try:
            for moment in moments(self._reader, REMEMBERED_ROWS):
                if moment.step <= step:
                    self._suite.see(moment)
        except PuffError as error:
            self._complain(error)
        self._suite.forget_findings()
        self._channel.findings = ()

    def _listen(self) -> None:
        """Whether rows keep coming."""
        latest = self._channel.latest
        if latest.phase is not Phase.RUNNING:
            self._heard = time.monotonic()
            self._stall.forget()
            return
        silent = time.monotonic() - self._heard
        at = self._last or Moment(latest.step, latest.seconds, {})
        found = self._stall.silent(silent) if self._last else self._stall.never(silent, at)
        if found is not None:
            self._act(self._suite.judge(Stall.rule, found, at))

    def _act(self, changes: list[Change]) -> None:
        write_changes(self._store, changes)
        self._channel.findings = self._suite.findings
        for change in changes:
            if not change.over:
                self._answer(change)

    def _answer(self, change: Change) -> None:
        """What is done about a finding beside telling it."""
        finding = change.finding
        if finding.level < Level.WARNING or finding.rule.id in self._muted():
            return
        title = finding.rule.title
        self._channel.send(Checkpoint(f"alert: {title}", spare=YOUNG))
        if self._webhook is not None:
            self._webhook.send(change)
        if finding.level is not Level.CRITICAL or self._on_critical == "ask":
            return
        if self._on_critical == "rollback" and finding.remedy is Remedy.ROLL_BACK:
            self._channel.send(RollBack(finding.since_step, reason=title))
        else:
            self._channel.send(Pause())

    def _muted(self) -> set[str]:
        try:
            return self._reader.muted()
        except PuffError as error:
            self._complain(error)
            return set()

    def _complain(self, error: PuffError) -> None:
        """Tells, the first time, that the past of the run cannot be looked at."""
        if not self._complained:
            self._complained = True
            latest = self._channel.latest
            text = f"The health checks know less about this run: {error.message}"
            self._store.event(latest.step, latest.seconds, "error", text)
