"""Every screen of pufftui with something to show, for the storm: real runs on disk, real games."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from fakes import Clock, FakeReader, FakeRunner, StillGpu, StillHost
from runs_on_disk import make_run
from textual.app import App

from pufftui import log
from pufftui.appearance.theme import load_themes
from pufftui.apps.compare import CompareApp
from pufftui.apps.home import HomeApp
from pufftui.apps.options import Wishes
from pufftui.apps.training import PuffApp
from pufftui.apps.watch import attach_session, watch_session
from pufftui.control.server import ControlServer
from pufftui.envs.catalogue import env_names, load_env
from pufftui.runs.comparison import Comparison
from pufftui.screens.home import Choice
from pufftui.state.opponent import choose_opponent
from pufftui.state.session import GameSession, PlaySession, Session, WatchSession
from pufftui.trainer.arena.arena import Arena
from pufftui.trainer.messages.snapshot import Phase
from pufftui.trainer.run.folder import RunFolder, run_names
from pufftui.trainer.settings.fields import Config
from pufftui.trainer.settings.sources import load_config
from pufftui.trainer.store import AlertRow

ROWS = 400


@dataclass(slots=True)
class Scene:
    """An application, the clock that its screens look at, and what may happen beside it."""

    app: App[Any]
    clock: Clock
    happen: Callable[[random.Random], None] = lambda _: None


def make_runs() -> None:
    """Runs of every state, in the folder that PUFFTUI_RUNS names."""
    rise = [0.002 * row for row in range(ROWS)]
    odd = [float("nan") if row % 7 == 0 else 10.0 ** (row % 30) for row in range(ROWS)]
    for seed in (1, 2, 3):
        metrics = {"entropy": rise[::-1], "an/odd one": odd, "sps": [1e6] * ROWS}
        make_run(f"seed-{seed}", seed=seed, scores=rise, metrics=metrics)
    make_run("pong-young", env="pong", seed=4, scores=(0.5,), events=("start",), note="a note")
    make_run("empty", scores=(), events=("start",))
    make_run("broken").database.write_bytes(b"no database")
    with log.start("logged", {"rate": 0.1}) as run:
        for row in range(50):
            run.log(row, {"loss": 1 / (row + 1), **{f"metric {n}": row * n for n in range(40)}})


def alert(number: int, level: str) -> AlertRow:
    """An alert that says much."""
    return AlertRow(
        number,
        step=4_100_000,
        seconds=41.0,
        level=level,
        rule=f"rule-{number % 5}",
        title=f"Something is wrong for the {number}th time",
        text="A long sentence that says what was found, how far it is off, and since when. " * 2,
        evidence={"since_step": 1000, "rule": "more than it should be", "source": "a book"},
        advice="Look at it.",
        acknowledged_at=None,
        over_step=None,
    )


def _happenings(runner: FakeRunner) -> Callable[[random.Random], None]:
    """What a trainer may do at any time: alerts, other figures, a stop, an end."""

    def happen(chance: random.Random) -> None:
        match chance.randrange(12):
            case 0 | 1:
                level = chance.choice(["info", "warning", "critical"])
                runner.alerts.append(alert(len(runner.alerts) + 1, level))
            case 2:
                runner.alerts = [replace(row, over_step=5_000_000) for row in runner.alerts]
            case 3 | 4:
                runner.changes["score"] = chance.choice([None, float("nan"), -1e30, 3.0, 1e30])
            case 5:
                runner.phase = Phase.FAILED
                runner.changes |= {"failure": "Training stopped: it broke.", "failure_hint": "Oh."}
            case _:
                runner.phase = chance.choice([Phase.RUNNING, Phase.RUNNING, Phase.PAUSED])

    return happen


@contextmanager
def _live(chance: random.Random, wishes: Wishes, folder: RunFolder) -> Iterator[Scene]:
    env = chance.choice(env_names())
    library, clock = load_env(env), Clock()
    runner = FakeRunner(
        clock, high=library.descriptor.score_high, head_start=chance.choice([0, 9, 200])
    )
    runner.changes["settings"] = {"train.learning_rate": 0.015, "train.clip": 0.2}
    session = Session(
        runner=runner,
        arena=Arena(library, library.descriptor.parameter_values({}), lambda: None),
        folder=folder,
        config=Config(env, {}),
        descriptor=library.descriptor,
        open_store=lambda: FakeReader(runner),  # type: ignore[arg-type, return-value]
        clock=clock,
    )
    with _game(session, wishes, clock, chance.randrange(5)) as scene:
        yield replace(scene, happen=_happenings(runner))


@contextmanager
def _game(session: GameSession, wishes: Wishes, clock: Clock, gpus: int = 0) -> Iterator[Scene]:
    app = PuffApp(session, wishes, StillHost(), StillGpu(gpus))
    try:
        yield Scene(app, clock)
    finally:
        session.arena.stop()
        if app.hand_over is not None:
            app.hand_over.cancel()


@contextmanager
def _watched(session: WatchSession, wishes: Wishes) -> Iterator[Scene]:
    clock = Clock()
    session = replace(session, clock=clock)
    try:
        with _game(session, wishes, clock) as scene:
            yield scene
    finally:
        session.runner.stop()


@contextmanager
def _attached(wishes: Wishes, folder: RunFolder) -> Iterator[Scene]:
    runner = FakeRunner(Clock(), head_start=200)
    runner.changes["settings"] = {"train.learning_rate": 0.015, "train.clip": 0.2}
    runner.folder = folder  # type: ignore[attr-defined]
    server = ControlServer(runner)  # type: ignore[arg-type]
    server.start()
    try:
        session = attach_session(folder)
        with _watched(session, wishes) as scene:
            yield replace(scene, happen=_happenings(runner))
        session.control.stop()
    finally:
        server.stop()


@contextmanager
def _play(chance: random.Random, wishes: Wishes) -> Iterator[Scene]:
    env, clock = chance.choice(env_names()), Clock()
    config = load_config(env, device="cpu", files=[], flags={})
    library, opponent = load_env(env), choose_opponent(config, chance.choice(["random", "none"]))
    arena = Arena(library, opponent.parameters, lambda: opponent.weights, 1)
    session = PlaySession(
        arena=arena, descriptor=library.descriptor, opponent=opponent, clock=clock
    )
    with _game(session, wishes, clock) as scene:
        yield scene


def _home(wishes: Wishes) -> Scene:
    return Scene(HomeApp(Choice(env_names()), wishes), Clock())


def _compare(chance: random.Random, wishes: Wishes) -> Scene:
    names = chance.sample([name for name in run_names() if name != "broken"], chance.randint(1, 4))
    folders = [RunFolder.open(name) for name in names]
    comparison = Comparison.read(folders)
    return Scene(CompareApp(comparison, folders, comparison.first_grouping(), wishes), Clock())


KINDS = ("live", "live", "watch", "attach", "logged", "play", "home", "compare")


class Screens:
    """Makes one after the other; what they need on disk is made once."""

    def __init__(self) -> None:
        make_runs()
        self._own = ExitStack()
        self._trained = make_run("trained", scores=[0.1, 0.2, 0.4], events=("start",), locked=True)
        self._own.callback(self._trained.release)

    def close(self) -> None:
        """Lets go of the runs."""
        self._own.close()

    @contextmanager
    def open(self, kind: str, chance: random.Random) -> Iterator[Scene]:
        """A screen of that kind, in any theme, with any letters."""
        wishes = Wishes(
            theme=chance.choice(list(load_themes())),
            ascii_only=chance.choice([None, None, True, False]),
            stream=kind in {"live", "watch", "attach"} and chance.random() < 0.2,
            privacy=chance.random() < 0.2,
        )
        with ExitStack() as stack:
            match kind:
                case "live":
                    yield stack.enter_context(_live(chance, wishes, self._trained))
                case "watch":
                    name = chance.choice(["seed-1", "pong-young", "empty", "trained"])
                    session = watch_session(RunFolder.open(name))
                    yield stack.enter_context(_watched(session, wishes))
                case "logged":
                    session = watch_session(RunFolder.open("logged"))
                    yield stack.enter_context(_watched(session, wishes))
                case "attach":
                    yield stack.enter_context(_attached(wishes, self._trained))
                case "play":
                    yield stack.enter_context(_play(chance, wishes))
                case "home":
                    yield _home(wishes)
                case _:
                    yield _compare(chance, wishes)
