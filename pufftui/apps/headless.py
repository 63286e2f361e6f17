"""Training without a screen: JSON or one sentence on stdout, progress on stderr."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any, TextIO

from pufftui.appearance.format import duration, figure, progress, steps
from pufftui.apps.ending import INTERRUPTED, last_words
from pufftui.control.report import json_line, report
from pufftui.envs.errors import PuffError
from pufftui.envs.library import EnvLibrary
from pufftui.runs.evaluated import last_episodes
from pufftui.terminal.guard import Guard
from pufftui.terminal.private import private_output
from pufftui.terminal.replaced import ReplacedLine
from pufftui.terminal.signals import handling
from pufftui.terminal.streams import Output, are_standard
from pufftui.trainer.health import Finding, Level
from pufftui.trainer.messages.command import Stop
from pufftui.trainer.messages.snapshot import Phase, Snapshot

if TYPE_CHECKING:
    from pufftui.state.session import Trainer

REPORT_SECONDS = 1.0
PROGRESS_SECONDS = 10.0
"""Time between two lines of progress where they cannot replace each other."""

WITHOUT_DIGITS = str.maketrans("", "", "0123456789,")

ROWS_LOST = 3
"""Exit status of a run that has finished, and whose store lacks rows."""

ENDINGS = {Phase.FINISHED: (0, "finished"), Phase.FAILED: (1, "failed")}
"""Exit status and reason; whatever is neither was interrupted."""


STOPPING = (
    "Stopping: the run ends with a checkpoint once its epoch is through. Ctrl+C, or another SIGTERM, "
    "leaves at once without one."
)


class Impatience(Exception):  # noqa: N818 - a wish, not an error
    """A second signal: leave at once, without the checkpoint."""


def run_headless(
    runner: Trainer,
    *,
    json: bool,
    note: str = "",
    started: bool = False,
    library: EnvLibrary | None = None,
) -> int:
    """Trains to the end or to a signal; returns the exit status.

    A run that was `started` before just goes on. SIGINT, SIGTERM and SIGHUP end training with a
    checkpoint, SIGHUP only if `run.on_hangup` does not let it go on; a second SIGINT or SIGTERM ends it at once.
    With `json` every report is a line on stdout, else there is one sentence at the end; `note` is
    said on stderr before. What the environment's `library` prints goes to the run's log, and if it ends
    the process, that is told like any other end. Raises `PuffError` if training failed.
    """
    if library is None or not are_standard(sys.stdout, sys.stderr):
        status = _train(runner, sys.stdout, sys.stderr, None, json=json, note=note, started=started)
    else:
        log, name = runner.folder.log, runner.config.env
        with private_output(log, last_words(runner.folder), library.path, name) as apart:
            out, errors, guard = apart
            status = _train(runner, out, errors, guard, json=json, note=note, started=started)
    last = runner.latest
    if last.phase is Phase.FAILED:
        raise PuffError(last.failure, last.failure_hint)
    return status or (ROWS_LOST if last.lost_rows else 0)


def _train(
    runner: Trainer,
    out: TextIO,
    errors: TextIO,
    guard: Guard | None,
    *,
    json: bool,
    note: str,
    started: bool,
) -> int:
    output, progress = Output(out), Progress(errors)
    try:
        with _stop_on_signals(runner) as asked:
            if not started:
                progress.say(f"run {runner.folder.id} in {runner.folder.path}")
            if note:
                progress.say(note)
            if not started:
                runner.start()
            ended = listens = False
            while not ended:
                ended = runner.join(REPORT_SECONDS)
                if asked and not ended:
                    progress.say_once(STOPPING)
                if guard is not None:
                    listens = listens or _listen(runner, guard)
                    guard.report(json_line(_ending(runner, "crashed")) if json else "")
                if json and runner.latest.phase is not Phase.STARTING:
                    progress.clear()
                    output.write(json_line(report(runner.latest, runner.findings)))
                progress.warn(runner.latest.warning)
                progress.alert(runner.findings)
                progress.show(runner.latest)
    except Impatience:
        # The trainer may be deep inside a library; there is no gentle way out.
        progress.clear()
        _conclude(runner, "interrupted", output, json=json)
        os._exit(INTERRUPTED)
    progress.clear()
    progress.remark(runner.findings)
    last = runner.latest
    status, reason = ENDINGS.get(last.phase, (INTERRUPTED, "interrupted"))
    _conclude(runner, reason, output, json=json)
    return status


class Progress(ReplacedLine):
    """One line on stderr: it replaces itself on a terminal, else a new one comes now and then."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._next = 0.0
        self._phase: Phase | None = None
        self._warning = ""
        self._alerted: frozenset[str] = frozenset()
        self._said: set[str] = set()

    def show(self, snapshot: Snapshot) -> None:
        """Shows where training is."""
        if self.is_replaced:
            self.draw(progress_line(snapshot))
        elif time.monotonic() >= self._next or snapshot.phase is not self._phase:
            self._next = time.monotonic() + PROGRESS_SECONDS
            self._phase = snapshot.phase
            self.say(progress_line(snapshot))

    def warn(self, text: str) -> None:
        """Writes a warning that stays, once for as long as it says the same."""
        words = text.translate(WITHOUT_DIGITS)
        if words and words != self._warning:
            self.say(f"Warning: {text}")
        self._warning = words

    def alert(self, findings: Collection[Finding]) -> None:
        """Writes a line that stays for each finding that is new."""
        for finding in findings:
            if finding.rule.id not in self._alerted and finding.level >= Level.WARNING:
                self.say(f"{finding.level.word.capitalize()}: {finding.rule.title}. {finding.text}")
        self._alerted = frozenset(finding.rule.id for finding in findings)

    def remark(self, findings: Collection[Finding]) -> None:
        """Writes what is worth knowing at the end, with advice: it calls nobody while a run lasts."""
        for finding in findings:
            if finding.level is Level.INFO:
                words = f"{finding.rule.title}. {finding.text} {finding.rule.advice}"
                self.say(f"Info: {words.strip()}")

    def say_once(self, text: str) -> None:
        """Writes a line that stays, the first time."""
        if text not in self._said:
            self._said.add(text)
            self.say(text)


@contextmanager
def _stop_on_signals(runner: Trainer) -> Iterator[list[int]]:
    """Gives the signals that have asked for an end so far."""
    asked: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        if asked and number != signal.SIGHUP:
            raise Impatience
        if not asked:
            runner.send(Stop())
        asked.append(number)

    handlers: dict[int, Any] = dict.fromkeys((signal.SIGINT, signal.SIGTERM), stop)
    # nohup has the hang-up ignored, and that is a wish too.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        goes_on = runner.config.run.on_hangup == "detach"
        handlers[signal.SIGHUP] = signal.SIG_IGN if goes_on else stop
    with handling(handlers):
        yield asked


def _conclude(runner: Trainer, reason: str, output: Output, *, json: bool) -> None:
    run, last = runner.folder.id, runner.latest
    if json:
        output.write(json_line(_ending(runner, reason)))
        return
    score = ""
    if last.score is not None:
        score = f", score {figure(last.score)} over {last_episodes(last.episodes)}"
    kept = f", checkpoint {last.checkpoint_path}" if last.checkpoint_path else ""
    took = f"{steps(last.step)} steps in {duration(last.seconds)}"
    lost = f". {last.warning}" if last.lost_rows else ""
    output.write(f"{run} {reason}: {took}{score}{kept}{lost}\n")
    if last.better_checkpoint:
        output.write(f"{last.better_checkpoint}\n")


def _listen(runner: Trainer, guard: Guard) -> bool:
    """Whether training runs, so that all libraries are loaded; then the guard listens."""
    if runner.latest.phase is not Phase.RUNNING:
        return False
    guard.listen()
    return True


def _ending(runner: Trainer, reason: str) -> dict[str, Any]:
    """The last line of `--json`."""
    last = runner.latest
    return {
        "done": reason == "finished",
        "reason": reason,
        "run": runner.folder.id,
        "step": last.step,
        "checkpoint": last.checkpoint_path,
        "lost_rows": last.lost_rows,
    }


def progress_line(snapshot: Snapshot) -> str:
    """`12.3M of 100M steps   12 %   1.24M steps/s   score 418   3m 20s left`."""
    if snapshot.phase is Phase.STARTING:
        return snapshot.activity or "starting"
    parts = [
        f"{steps(snapshot.step)} of {steps(snapshot.total_steps)} steps",
        progress(snapshot.step, snapshot.total_steps),
        f"{figure(snapshot.steps_per_second)} steps/s",
        f"score {figure(snapshot.score)}",
        f"{duration(snapshot.seconds_left)} left",
    ]
    if snapshot.phase is not Phase.RUNNING:
        parts.append(snapshot.activity or snapshot.phase.value)
    return "   ".join(parts)
