"""A run that only pretends to learn: deterministic, driven by a clock that the test turns."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from textual.pilot import Pilot

from pufftui.apps.options import Wishes
from pufftui.apps.training import PuffApp
from pufftui.envs.catalogue import load_env
from pufftui.envs.library import EnvLibrary
from pufftui.envs.vector import StepBuffers, VectorEnv
from pufftui.state.session import Session
from pufftui.trainer.health import Finding
from pufftui.trainer.messages.command import (
    ArenaCommand,
    Command,
    FollowAgent,
    HandBack,
    Pause,
    PauseGame,
    PressKey,
    Record,
    Resume,
    Rewind,
    SetFrameRate,
    SetPictureSize,
    SetRival,
    SetSpeed,
    StepGame,
    Stop,
    StopRecording,
    TakeOver,
    Watch,
)
from pufftui.trainer.messages.frame import ArenaFrame, RivalFrame
from pufftui.trainer.messages.kept import Kept
from pufftui.trainer.messages.snapshot import Phase, Snapshot
from pufftui.trainer.monitor.system import (
    NO_GPU,
    GpuReading,
    GpuReadings,
    GpuSampler,
    HostReading,
    HostSampler,
)
from pufftui.trainer.settings.fields import Config
from pufftui.trainer.store import AlertRow, Event, MetricBlocks, MetricRows, NotFinite
from pufftui.trainer.store.columns import Columns

SPEED = 330_000
ROWS_PER_SECOND = 2
LOSSES = {
    "policy_loss": -0.012,
    "value_loss": 0.031,
    "entropy": 0.41,
    "old_approx_kl": 0.004,
    "approx_kl": 0.012,
    "clipfrac": 0.08,
    "importance": 1.0,
    "explained_variance": 0.93,
    "grad_norm": 0.6,
}


class Clock:
    """A clock that stands still until it is turned."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def wobble(row: int, seed: int) -> float:
    """Noise in [-1, 1] that is the same every time."""
    return math.sin(row * 12.9898 + seed * 78.233) * math.cos(row * 4.1 + seed)


def score_at(row: int, high: float) -> float:
    """A learning curve: slow, then fast, then slow, with noise."""
    rise = 1 / (1 + math.exp(-(row - 220) / 60))
    return high * (0.02 + 0.93 * rise + 0.02 * wobble(row, 1))


SETTINGS = {"train.learning_rate": 0.015, "train.gamma": 0.995, "train.clip": 0.2}
"""Live settings, for the tests that need some."""


@dataclass
class FakeFolder:
    path: Path
    database: Path = Path("nowhere")

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def log(self) -> Path:
        return self.path / "log.txt"

    @property
    def config_file(self) -> Path:
        return self.path / "config.toml"

    @property
    def demonstrations(self) -> Path:
        return self.path / "demonstrations"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"


@dataclass
class FakeRunner:
    """Learns by the clock, from `head_start` seconds on; obeys and remembers commands."""

    clock: Callable[[], float]
    high: float = 1.0
    total_steps: int = 1_000_000_000
    head_start: float = 0.0
    sent: list[Command] = field(default_factory=list)
    phase: Phase = Phase.RUNNING
    changes: dict[str, object] = field(default_factory=dict)
    stubborn: bool = False
    findings: tuple[Finding, ...] = ()
    folder: FakeFolder | None = None
    config: Config | None = None
    alerts: list[AlertRow] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._began = self.clock() - self.head_start
        self._seen: tuple[object, ...] = ()
        self._snapshot = Snapshot(Phase.STARTING, activity="importing torch")
        self.started = False

    def start(self) -> None:
        self.started = True

    def send(self, command: Command) -> None:
        self.sent.append(command)
        phases = {Pause: Phase.PAUSED, Resume: Phase.RUNNING, Stop: Phase.INTERRUPTED}
        if type(command) in phases and not self.stubborn:
            self.phase = phases[type(command)]

    def join(self, timeout: float | None = None) -> bool:
        if timeout and not self.phase.ended:
            time.sleep(min(timeout, 0.05))
        return self.phase.ended

    @property
    def seconds(self) -> float:
        return self.clock() - self._began

    @property
    def rows(self) -> int:
        return int(self.seconds * ROWS_PER_SECOND)

    @property
    def latest(self) -> Snapshot:
        row = self.rows
        seen = (row, self.phase, tuple(self.changes.items()))
        if seen != self._seen:
            self._seen = seen
            self._snapshot = replace(self._at(row), **self.changes)
        return self._snapshot

    def _at(self, row: int) -> Snapshot:
        step = int(self.seconds * SPEED)
        score = score_at(row, self.high) if row > 2 else None
        spread = 0.04 * self.high
        return Snapshot(
            phase=self.phase,
            step=step,
            total_steps=self.total_steps,
            epoch=step // 131072,
            seconds=self.seconds,
            steps_per_second=SPEED * (1 + 0.05 * wobble(row, 2)),
            seconds_left=(self.total_steps - step) / SPEED,
            score=score,
            score_interval=None if score is None else (score - spread, score + spread),
            best_score=score,
            perf=None if score is None else score / self.high,
            episodes=step // 2000,
            learning_rate=0.015,
            losses={name: value * (1 + 0.1 * wobble(row, 3)) for name, value in LOSSES.items()},
            time_shares={"env": 0.18, "forward": 0.29, "copy": 0.07, "learn": 0.44, "other": 0.02},
            device="cpu",
            parameters=99_588,
        )


class FakeReader:
    """The rows that a store would hold by now."""

    def __init__(self, runner: FakeRunner) -> None:
        self._runner = runner
        self.closed = False

    def evaluations(self) -> list:
        return []

    def metrics_after(self, row: int) -> MetricRows:
        rows = np.arange(row + 1, max(row, self._runner.rows) + 1)
        high = self._runner.high
        score = np.array([score_at(r, high) if r > 2 else np.nan for r in rows], np.float32)
        spread = np.array([high * (0.02 + 0.03 * abs(wobble(r, 4))) for r in rows], np.float32)
        values = {
            "score": score,
            "score_low": score - spread,
            "score_high": score + spread,
            "sps": np.array([SPEED * (1 + 0.1 * wobble(r, 2)) for r in rows], np.float32),
            "learning_rate": np.full(len(rows), 0.015, np.float32),
        }
        for seed, (name, value) in enumerate(LOSSES.items()):
            trend = [value * (1 + math.exp(-r / 100)) * (1 + 0.2 * wobble(r, seed)) for r in rows]
            values[name] = np.array(trend, np.float32)
        seconds = rows / ROWS_PER_SECOND
        steps = (seconds * SPEED).astype(np.int64)
        last = int(rows[-1]) if len(rows) else row
        lineages = np.ones(len(rows), np.int64)
        columns = Columns.of(values)
        return MetricRows(last, steps, seconds, steps // 131072, lineages, columns)

    def metrics_between(self, points: int) -> MetricBlocks:
        rows = self.metrics_after(0)
        counts = {
            name: (~np.isnan(column)).astype(np.int64) for name, column in rows.values.items()
        }
        times = (rows.steps, rows.steps, rows.seconds, rows.epochs, rows.lineages)
        known = Columns.of(counts)
        return MetricBlocks(rows.last, *times, rows.values, rows.values, rows.values, known)

    def newest_values(self) -> dict[str, float]:
        rows = self.metrics_after(max(0, self._runner.rows - 1))
        newest = {n: float(column[-1]) for n, column in rows.values.items() if len(column)}
        return {name: value for name, value in newest.items() if not math.isnan(value)}

    def not_finite(self) -> dict[str, NotFinite]:
        return {}

    def abandoned(self, most: int) -> list[MetricBlocks]:
        return []

    def events_after(self, row: int) -> list[Event]:
        texts = [
            ("start", "training on cpu, 2048 agents"),
            ("checkpoint", "checkpoint at step 0"),
            ("best", "new best 12.4"),
            ("best", "new best 211"),
            ("checkpoint", "checkpoint at 41.2M"),
            ("best", "new best 640"),
        ]
        due = min(len(texts), 1 + self._runner.rows // 60)
        return [
            Event(i + 1, i * 10_000_000, i * 30.0, kind, text)
            for i, (kind, text) in enumerate(texts[:due])
            if i + 1 > row
        ]

    def alerts_after(self, row: int) -> list[AlertRow]:
        return [alert for alert in self._runner.alerts if alert.id > row]

    def muted(self) -> set[str]:
        return set()

    def close(self) -> None:
        self.closed = True


class FakeArena:
    """Steps and draws the real environment with random actions, on demand or on a thread."""

    def __init__(self, library: EnvLibrary, *, threaded: bool = False) -> None:
        self.library = library
        self.latest: ArenaFrame | None = None
        self.spent = 0.0
        self.sent: list[ArenaCommand] = []
        self.rates: list[float] = []
        self._frame = ArenaFrame(
            number=0,
            pixels=np.zeros((2, 2, 3), np.uint8),
            agent=0,
            agents=3,
            human=False,
            paused=False,
            speed=1.0,
            waiting_for_key=False,
            policy_step=411_000_000,
            probabilities=(),
            action=(0,),
            value=0.84,
            episode_return=12.0,
            episode_length=418,
            last_score=0.9 * library.descriptor.score_high,
            last_score_human=False,
            best_human_score=None,
        )
        self.kept = Kept(Path("demo.npz"), 40, 30)
        self._size = (0, 0)
        self._random = np.random.default_rng(1)
        parameters = library.descriptor.parameter_values({})
        self._env = VectorEnv(library, parameters, environments=1)
        agents = self._env.agents
        flags = {name: np.zeros(agents, np.uint8) for name in ("terminals", "truncations", "alive")}
        shape = (agents, library.descriptor.observation_bytes)
        self._buffers = StepBuffers.over(
            actions=np.zeros((agents, len(library.descriptor.actions)), self._env.action_dtype),
            observations=np.zeros(shape, np.uint8),
            rewards=np.zeros(agents, np.float32),
            finals=np.zeros(shape, np.uint8),
            **flags,
        )
        self._env.reset(0, self._buffers)
        self._threaded = threaded
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._ticks = 0

    def start(self) -> None:
        self.step()
        if self._threaded:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            self.step()
            time.sleep(1 / 30)

    def send(self, command: ArenaCommand) -> None:
        if isinstance(command, SetFrameRate):
            # It comes whenever the machine that runs the tests is slow.
            self.rates.append(command.frames_per_second)
            return
        self.sent.append(command)
        if isinstance(command, SetPictureSize):
            self._size = (command.width, command.height)
        self._frame = self._later(self._other(self._frame, command), command)

    def _other(self, frame: ArenaFrame, command: ArenaCommand) -> ArenaFrame:
        """The frame after a command about who is watched and plays."""
        match command:
            case Watch(agent):
                return replace(frame, agent=agent, human=False)
            case TakeOver():
                return replace(frame, human=True)
            case HandBack():
                return replace(frame, human=False)
            case FollowAgent(follow):
                return replace(frame, follow=follow)
            case _:
                return self._recorded(frame, command)

    def _recorded(self, frame: ArenaFrame, command: ArenaCommand) -> ArenaFrame:
        match command:
            case Record():
                return replace(frame, recording=40)
            case StopRecording():
                return replace(frame, recording=None, kept=self.kept)
            case SetRival(rival):
                return replace(frame, rival=rival and self._rival(rival.step))
        return frame

    def _later(self, frame: ArenaFrame, command: ArenaCommand) -> ArenaFrame:
        """The frame after a command about time."""
        match command:
            case PauseGame(paused):
                return replace(frame, paused=paused, behind=frame.behind if paused else 0.0)
            case Rewind(seconds):
                behind = min(frame.behind + seconds, 30.0)
                return replace(frame, paused=True, behind=behind, reach=30.0 - behind)
            case StepGame():
                return replace(frame, paused=True)
            case SetSpeed(factor):
                return replace(frame, speed=factor)
        return frame

    def _rival(self, step: int) -> RivalFrame:
        return RivalFrame(np.zeros((0, 0, 3), np.uint8), step, 3.0, 5.0, 7.0, 12)

    def keys(self) -> list[str]:
        """The keys that were pressed so far."""
        return [command.key for command in self.sent if isinstance(command, PressKey)]

    def step(self) -> None:
        """One more frame."""
        descriptor = self.library.descriptor
        every = max(1, round(30 / descriptor.steps_per_second))
        if not self._frame.paused:
            if self._ticks % every == 0:
                counts = [len(action.choices) for action in descriptor.actions]
                self._buffers.actions[:] = self._random.integers(
                    0, counts, (self._env.agents, len(counts))
                )
                self._env.step(0, self._buffers)
            self._ticks += 1
        width, height = self._size
        pixels = np.zeros((height, width, 3), np.uint8)
        if width:
            self._env.draw(0, 0, (self._ticks % every) / every, pixels)
        weights = self._random.dirichlet(np.ones(len(descriptor.actions[0].choices))).astype(
            np.float32
        )
        if self._ticks % every and self._frame.probabilities:
            weights = self._frame.probabilities[0]
        action = tuple(float(value) for value in self._buffers.actions[0])
        rival = self._frame.rival
        self._frame = replace(
            self._frame,
            number=self._frame.number + 1,
            pixels=pixels,
            rival=rival and replace(rival, pixels=255 - pixels),
            probabilities=(weights,) * len(descriptor.actions),
            action=action,
        )
        self.latest = self._frame


def fake_session(
    folder: Path,
    *,
    env: str = "squared",
    clock: Callable[[], float] | None = None,
    threaded: bool = False,
    head_start: float = 200.0,
) -> Session:
    """A session of pretenders; its runner has already been learning for `head_start` seconds."""
    library = load_env(env)
    clock = clock or Clock()
    runner = FakeRunner(clock, high=library.descriptor.score_high, head_start=head_start)
    runner.folder, runner.config = FakeFolder(folder), Config(env, {})
    return Session(
        runner=runner,
        arena=FakeArena(library, threaded=threaded),
        folder=runner.folder,
        config=runner.config,
        descriptor=library.descriptor,
        open_store=lambda: FakeReader(runner),
        clock=clock,
    )


class StillHost(HostSampler):
    """A machine on which nothing changes."""

    def sample(self) -> None:
        past = tuple(
            (0.5 + 0.4 * math.sin(at / 7), 0.5 + 0.4 * math.cos(at / 5)) for at in range(90)
        )
        self.latest = HostReading(
            *(2, 0.64, (0.2, 0.5, 0.64), 4 << 30, 16 << 30, 1 << 30, 0.9),
            each=past[-1],
            past=past,
            occupied=tuple((800 + 2 * at) << 20 for at in range(90)),
            traffic=tuple((0.0, 3e6 * (at % 20 == 0)) for at in range(1, 91)),
        )


class StillGpu(GpuSampler):
    """So many GPUs, or none."""

    def __init__(self, count: int = 0) -> None:
        super().__init__()
        gpu = GpuReading(0, "H200", 0.87, 48 << 30, 141 << 30, 61.0, 412.0)
        gpus = tuple(replace(gpu, index=index) for index in range(count))
        self._still = GpuReadings(gpus, "" if count else NO_GPU)

    def sample(self) -> None:
        self.latest = self._still


def fake_app(session: Session, theme: str | None = None, gpus: int = 0, **wishes: bool) -> PuffApp:
    """The real application over a session of pretenders and a machine that stands still."""
    return PuffApp(session, Wishes(theme, **wishes), StillHost(), StillGpu(gpus))


def screen_text(app: PuffApp) -> str:
    """What is on the screen, line by line."""
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text for strip in strips)


async def choose_command(pilot: Pilot[None], words: str) -> None:
    """Finds a command in the palette and runs it."""
    await pilot.press("ctrl+p")
    await pilot.pause()
    await pilot.press(*words)
    await pilot.pause(0.3)
    await pilot.press("down", "enter")
    await pilot.pause(0.3)


async def settle(app: PuffApp, pilot: Pilot[None], seconds: float = 1.0) -> None:
    """Turns the clock on, draws a frame of the game and lets the screen follow."""
    session = app.session
    session.clock.now += seconds
    session.arena.step()
    await pilot.pause()
    app.tick()
    await pilot.pause()
