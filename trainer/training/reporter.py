"""Turns epochs into what people see: snapshots, rows of the store, and the log of events."""

from __future__ import annotations

import math
import time
import tomllib
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import psutil
import torch

from pufftui.trainer.health import Level, Moment
from pufftui.trainer.messages.channel import Channel
from pufftui.trainer.messages.command import Command
from pufftui.trainer.messages.snapshot import LOSSES, Phase
from pufftui.trainer.monitor.disk import DiskWatch, Room
from pufftui.trainer.monitor.monitor import Monitor
from pufftui.trainer.ppo.device import processor
from pufftui.trainer.ppo.optimizer import scheduled_learning_rate
from pufftui.trainer.run.outlook import Outlook
from pufftui.trainer.settings.fields import live_settings
from pufftui.trainer.store import StoreWriter
from pufftui.trainer.training.epoch import EpochReport
from pufftui.trainer.training.session import TrainingSession

SPEED_WINDOW = 3.0
"""Seconds over which the speed is averaged."""

FIRST_MINUTE = 60.0
ROW_SECONDS_AT_FIRST = 0.25
ROW_SECONDS = 1.0
ROW_SECONDS_TIGHT = 16.0
ROWS_AT_LEAST = 64
"""A run has about so many rows, however fast it is, or one an epoch: curves and checks need them."""

WEIGHTS_SECONDS = 1.0

BEST_SHARE = 0.02
BEST_SECONDS = 10.0
"""A new best is announced if it is better by this share of the score's range, and not sooner."""


GIVEN = ("score", "episode_return", "episode_length", "reward_size")
"""Figures that come from the environment alone."""


class Reporter:
    """Owns the current snapshot; `began` is when the process started (time.monotonic)."""

    def __init__(
        self,
        session: TrainingSession,
        channel: Channel,
        store: StoreWriter,
        disk: DiskWatch,
        monitor: Monitor,
        began: float,
    ) -> None:
        self._session = session
        self._channel = channel
        self._store = store
        self._disk = disk
        self._monitor = monitor
        self._room = Room.PLENTY
        self._began = began
        self._recent: deque[tuple[float, int]] = deque()
        self._outlook = Outlook()
        self._row_due = 0.0
        self._row: dict[str, list[float]] = {}
        self._seen_broken = False
        self._row_step = 0
        self._weights_due = 0.0
        self._announced: float | None = None
        self._announced_at = 0.0
        self.best_score: float | None = None

    def seconds(self) -> float:
        """Time of the run, pauses and earlier processes included."""
        return time.monotonic() - self._began

    @property
    def healthy(self) -> bool:
        """Whether the health checks have found nothing that somebody should look at."""
        return all(finding.level < Level.WARNING for finding in self._channel.findings)

    def show(self, **changes: Any) -> None:
        """Publishes the last snapshot with some fields changed."""
        changes = {"seconds": self.seconds(), "warning": self._warning(), **changes}
        self._channel.latest = replace(self._channel.latest, **changes)

    def ready(self) -> None:
        """Publishes the first snapshot and weights of a session that is about to train."""
        session = self._session
        facts: dict[str, Any] = {
            "total_steps": session.config.train.total_steps,
            "device": str(session.device),
            "parameters": session.parameters,
        }
        if session.config.policy.start_from:
            facts["start_from"] = session.config.policy.start_from
        self._store.fact("processes", session.ranks.size)
        # For those who look on from another process.
        for name, value in {**facts, "cores": psutil.cpu_count() or 1}.items():
            self._store.fact(name, value)
        self.show(
            phase=Phase.RUNNING,
            activity="",
            step=session.step,
            epoch=session.epoch,
            settings=live_settings(session.config),
            **facts,
        )
        self._channel.weights = session.weights()
        self._row_step = session.step
        self.restart_speed()

    def resume(self, description: Mapping[str, Any], *, games_go_on: bool) -> None:
        """Goes on from a checkpoint: earlier processes' time counts, what differs is told."""
        self._began -= float(description["seconds"])
        self.best_score = description.get("best_score")
        self._announced = self.best_score
        self.event("start", f"resumed from step {self._session.step:,}")
        self._tell_of_more_steps(str(description["config"]))
        here = {
            "torch": torch.__version__,
            "device": str(self._session.device),
            "threads": self._session.threads,
            "processor": processor(),
        }
        changes = [
            f"{name} {description[name]} -> {now}"
            for name, now in here.items()
            if name in description and description[name] != now
        ]
        if not games_go_on:
            kept = description.get("games", True)
            why = (
                "the environment has been rebuilt since" if kept else "the checkpoint has no games"
            )
            self.event("note", f"{why}: its games begin again")
        if changes:
            text = "not bit-equal to a run that never stopped: "
            self.event("note", text + ", ".join(changes))

    def _tell_of_more_steps(self, settings: str) -> None:
        """Where the schedule is another one, the learning rate jumps."""
        session, train = self._session, self._session.config.train
        before = replace(train, total_steps=int(tomllib.loads(settings)["train"]["total_steps"]))
        if before.total_steps == train.total_steps:
            return
        rates = [scheduled_learning_rate(plan, session.step) for plan in (before, train)]
        text = f"{before.total_steps:,} -> {train.total_steps:,} steps"
        if rates[0] != rates[1]:
            text += (
                f": the learning rate jumps from {rates[0]:.3g} to {rates[1]:.3g} and falls anew"
            )
        self.event("change", text)

    def roll_back(self, description: Mapping[str, Any]) -> None:
        """The session has gone back to a checkpoint: what follows begins another lineage."""
        self._row, self._row_step = {}, self._session.step
        self.best_score = self._announced = description.get("best_score")
        step, settings = self._session.step, live_settings(self._session.config)
        self._store.roll_back(step)
        self._monitor.begin_at(step)
        self.show(step=step, epoch=self._session.epoch, settings=settings, score=None)
        self._channel.weights = self._session.weights()
        self.restart_speed()

    def restart_speed(self) -> None:
        """Forgets the speed of before a pause."""
        self._outlook.rest()
        self._recent.clear()
        self._recent.append((time.monotonic(), self._session.step))
        self._session.clock.lap()

    def epoch(self, report: EpochReport) -> None:
        """Takes in one epoch and publishes what has changed."""
        session, now = self._session, time.monotonic()
        _, shares = session.clock.lap()
        speed = self._speed(now)
        means = session.statistics.means() or {}
        interval = session.statistics.score_interval()
        score, longest = means.get("score"), session.statistics.typical_longest()
        perf = None if score is None else session.vector.descriptor.perf(score)
        if score is not None and (self.best_score is None or score > self.best_score):
            self.best_score = score
        left = session.config.train.total_steps - session.step
        self._outlook.see(now, session.step)
        seconds_left = self._outlook.seconds(left)
        if seconds_left is None and speed:
            seconds_left = max(left, 0) / speed
        losses = {name: report.figures[name] for name in LOSSES}
        self._channel.latest = replace(
            self._channel.latest,
            phase=Phase.RUNNING,
            activity="",
            step=session.step,
            epoch=session.epoch,
            seconds=self.seconds(),
            steps_per_second=speed,
            seconds_left=seconds_left,
            score=score,
            score_interval=interval,
            best_score=self.best_score,
            perf=perf,
            episode_return=means.get("episode_return"),
            episode_length=means.get("episode_length"),
            episodes=session.statistics.count,
            provisional_steps=round((longest or 0.0) * session.vector.agents * session.ranks.size),
            statistics={name: means[name] for name in session.vector.descriptor.statistics}
            if means
            else {},
            learning_rate=report.learning_rate,
            clamped_rewards=report.figures["clamped_rewards"],
            losses=losses,
            time_shares=shares,
            warning=self._warning(),
        )
        self._collect_row(now, report, shares)
        if self._disk.room < Room.TIGHT:
            self._store.episodes(session.step, report.episodes.episodes)
        self._announce(score)
        if now >= self._weights_due:
            self._channel.weights = session.weights()
            self._weights_due = now + WEIGHTS_SECONDS

    def flush_row(self) -> None:
        """Writes what has been collected for the next row of the store."""
        snapshot = self._channel.latest
        if not self._row:
            return
        values = {name: sum(seen) / len(seen) for name, seen in self._row.items()}
        extremes = {
            name: (min(seen), max(seen))
            for name, seen in self._row.items()
            if min(seen) < max(seen)
        }
        self._store.metrics(snapshot.step, snapshot.seconds, snapshot.epoch, values, extremes)
        self._monitor.row(Moment(snapshot.step, snapshot.seconds, values))
        self._row, self._row_step = {}, snapshot.step

    def event(self, kind: str, text: str) -> None:
        """A line in the run's log."""
        self._store.event(self._session.step, self.seconds(), kind, text)

    def command(self, command: Command) -> None:
        """Remembers what a person asked."""
        name, detail = type(command).__name__, asdict(command)
        self._store.command(self._session.step, self.seconds(), name, detail)

    def _warning(self) -> str:
        """What should be known; a change of the disk's room is an event too."""
        room = self._disk.room
        if room is not self._room:
            eased = f"The disk has {self._disk.free >> 20:,} MB again."
            self._room, text = room, self._disk.warning or eased
            self.event("warning" if room else "note", text)
        said = (self._channel.notice, self._disk.warning, self._store.problem)
        return " ".join(filter(None, said))

    def _speed(self, now: float) -> float | None:
        self._recent.append((now, self._session.step))
        while len(self._recent) > 2 and now - self._recent[1][0] >= SPEED_WINDOW:
            self._recent.popleft()
        (then, step_then), (_, step) = self._recent[0], self._recent[-1]
        return (step - step_then) / (now - then) if now > then else None

    def _collect_row(self, now: float, report: EpochReport, shares: dict[str, float]) -> None:
        snapshot = self._channel.latest
        low, high = snapshot.score_interval or (None, None)
        values = {
            "score": snapshot.score,
            "score_low": low,
            "score_high": high,
            "best_score": snapshot.best_score,
            "perf": snapshot.perf,
            "episodes": snapshot.episodes,
            "provisional_steps": snapshot.provisional_steps,
            "episode_return": snapshot.episode_return,
            "episode_length": snapshot.episode_length,
            "sps": snapshot.steps_per_second,
            "learning_rate": report.learning_rate,
            **report.figures,
            **{f"time_{name}": share for name, share in shares.items()},
            **{f"statistic_{name}": value for name, value in snapshot.statistics.items()},
        }
        broken = any(
            value is not None and not math.isfinite(value)
            for name, value in values.items()
            if name in GIVEN or name.startswith("statistic_")
        )
        self._seen_broken = self._seen_broken or broken
        if self._seen_broken:
            values["broken_figures"] = float(broken)
        for name, value in values.items():
            if value is not None and math.isfinite(value):
                self._row.setdefault(name, []).append(value)
        tight = self._room >= Room.TIGHT
        share = (snapshot.step - self._row_step) * ROWS_AT_LEAST / snapshot.total_steps
        if now >= self._row_due or (share >= 1 and not tight):
            self.flush_row()
            early = snapshot.seconds < FIRST_MINUTE
            period = ROW_SECONDS_AT_FIRST if early else ROW_SECONDS
            self._row_due = now + (ROW_SECONDS_TIGHT if tight else period)

    def _announce(self, score: float | None) -> None:
        if score is None or score != self.best_score:
            return
        descriptor, now = self._session.vector.descriptor, time.monotonic()
        if self._announced is None:
            self._announced, self._announced_at = score, now
            return
        step = BEST_SHARE * (descriptor.score_high - descriptor.score_low)
        if score >= self._announced + step and now >= self._announced_at + BEST_SECONDS:
            # Three digits, as everywhere on the screen, and no power of ten for 1,230.
            self.event("best", f"new best {float(f'{score:.3g}'):,.10g}")
            self._announced, self._announced_at = score, now
