"""Short real trainings, healthy ones and ones with a known trouble, for benchmarks/health.py.

Each runs in a process of its own and leaves an ordinary run folder.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

STEPS = {
    "squared": 10_000_000,
    "cartpole": 10_000_000,
    "pong": 14_000_000,
    "breakout": 20_000_000,
    "snake": 12_000_000,
    "shared_pool": 10_000_000,
    "school": 12_000_000,
    "enduro": 14_000_000,
}
"""Enough to learn most of what the defaults do, in less than a minute on one core."""

VARIANTS: tuple[dict[str, str], ...] = (
    {},
    {"policy.hidden": "64"},
    {"policy.hidden": "192", "train.minibatch_size": "8192"},
    {"policy.memory": "mingru", "policy.hidden": "64"},
    {"vec.agents": "1024", "train.horizon": "32"},
)
"""Sizes in which the healthy runs differ."""

QUICK = ("squared", "pong", "breakout", "cartpole", "snake")
"""Where a trouble shows soon."""


@dataclass(frozen=True)
class Case:
    """One training. `at` is the share of the run after which the trouble begins."""

    kind: str
    env: str
    seed: int
    settings: dict[str, str] = field(default_factory=dict)
    at: float = 0.0
    steps: int = 0

    @property
    def name(self) -> str:
        """Name of the run."""
        return f"{self.kind}-{self.env}-{self.seed}"


def healthy(seeds: range) -> list[Case]:
    """Every environment with every size."""
    return [
        Case("healthy", env, seed, VARIANTS[index % len(VARIANTS)])
        for env in STEPS
        for index, seed in enumerate(seeds)
    ]


LEAK_STEPS = {
    "squared": 50_000_000,
    "pong": 70_000_000,
    "breakout": 45_000_000,
    "snake": 35_000_000,
}
"""A leak is looked for over minutes."""


def troubled(seeds: range) -> list[Case]:
    """Every kind of trouble, each with several environments and seeds."""
    cases = []
    for kind, trouble in TROUBLES.items():
        for index, seed in enumerate(seeds):
            env = trouble.envs[index % len(trouble.envs)]
            steps = LEAK_STEPS[env] if kind == "memory leak" else STEPS[env]
            cases.append(Case(kind, env, seed, dict(trouble.settings), trouble.at, steps))
    return cases


@dataclass(frozen=True)
class Trouble:
    """A kind of trouble: settings that bring it about, or something that meddles with each step.

    `scales` multiply the environment's own defaults. `outcome` says that it counts only where the
    score ends below half of what healthy runs reach.
    """

    settings: dict[str, str] = field(default_factory=dict)
    scales: dict[str, float] = field(default_factory=dict)
    at: float = 0.0
    outcome: bool = True
    envs: tuple[str, ...] = QUICK


TROUBLES = {
    "learning rate x100": Trouble(scales={"train.learning_rate": 100}),
    "learning rate x100, late": Trouble(at=0.5),
    "entropy coefficient 10": Trouble({"train.entropy_coefficient": "10"}),
    "value coefficient 1000": Trouble({"train.value_coefficient": "1000"}),
    "no clip, replay ratio 8": Trouble(
        {"train.clip": "10", "train.value_clip": "1000", "train.replay_ratio": "8"},
        scales={"train.learning_rate": 10},
    ),
    "rewards x1e-4": Trouble(scales={"train.reward_scale": 1e-4}, outcome=False),
    "rewards x1000": Trouble(
        scales={"train.reward_scale": 1e3},
        outcome=False,
        envs=("cartpole", "pong", "snake", "school", "squared"),
    ),
    "no rewards": Trouble(outcome=False),
    "frozen observations": Trouble(outcome=False),
    "frozen observations, late": Trouble(at=0.5, outcome=False),
    "swapped observations": Trouble(),
    "ignored actions": Trouble(),
    "flipped rewards, late": Trouble(at=0.5),
    "reward not a number": Trouble(at=0.4, outcome=False),
    "memory leak": Trouble(outcome=False, at=0.1, envs=("squared", "pong", "breakout", "snake")),
    "slow environment, late": Trouble(at=0.5, outcome=False),
}


class Meddler:
    """Goes between trainer and environments and does what the kind of trouble says."""

    def __init__(self, case: Case, total_steps: int) -> None:
        self._case, self._total = case, total_steps
        self._random = np.random.default_rng(case.seed)
        self._steps = 0
        self._began = time.monotonic()
        self.calls = 0
        self._usual = 0.0

    def install(self) -> None:
        """From now on every step of this process's environments goes through here."""
        from pufftui.envs.vector import StepBuffers, VectorEnv

        own = VectorEnv.step
        meddler = self

        def step(vector: VectorEnv, group: int, buffers: StepBuffers) -> int:
            late = meddler._steps >= meddler._case.at * meddler._total
            chosen = buffers.actions.copy()
            if late:
                meddler._before(buffers)
            truncated = own(vector, group, buffers)
            buffers.actions[:] = chosen  # What is learned from, which may lie in the same place.
            meddler._steps += len(buffers.rewards)
            meddler.calls += 1
            if late:
                meddler._after(buffers)
            else:
                meddler._usual = (time.monotonic() - meddler._began) / meddler.calls
            return truncated

        VectorEnv.step = step
        # A rollout that is one call into C would not come by here.
        VectorEnv.block_functions = lambda _: None

    def _before(self, buffers: Any) -> None:
        if self._case.kind == "ignored actions":
            buffers.actions[:] = self._random.permutation(buffers.actions)

    def _after(self, buffers: Any) -> None:
        match self._case.kind:
            case "no rewards":
                buffers.rewards[:] = 0
            case "frozen observations" | "frozen observations, late":
                buffers.observations[:] = 0
            case "swapped observations":
                buffers.observations[:] = np.roll(buffers.observations, 1, axis=0)
            case "flipped rewards, late":
                buffers.rewards *= -1
            case "reward not a number":
                buffers.rewards[3] = np.nan
            case "slow environment, late":
                time.sleep(1.5 * self._usual)


def leak(seconds: float) -> Callable[[], None]:
    """Takes 6 MB more every second, as a forgotten list does."""
    kept = []

    def work() -> None:
        time.sleep(seconds)
        while True:
            kept.append(np.ones(6 << 17))
            time.sleep(1.0)

    return work


def train(case: Case, folder: Path) -> None:
    """Trains one case in this process, with one thread; a run that fails is a result, too."""
    os.environ["PUFFTUI_RUNS"] = str(folder)
    from pufftui.envs.catalogue import load_env
    from pufftui.trainer.messages.command import SetField
    from pufftui.trainer.run.folder import RunFolder
    from pufftui.trainer.runner import Runner
    from pufftui.trainer.settings.sources import config_to_toml, load_config

    steps = case.steps or STEPS[case.env]
    flags = {
        "train.total_steps": str(steps),
        "vec.threads": "1",
        "run.seed": str(case.seed),
        **case.settings,
    }
    config = load_config(case.env, device="cpu", files=[], flags=flags)
    trouble = TROUBLES.get(case.kind)
    for path, factor in (trouble.scales if trouble else {}).items():
        name = path.partition(".")[2]
        train = replace(config.train, **{name: min(getattr(config.train, name) * factor, 1e6)})
        config = replace(config, train=train)
    run = RunFolder.create(case.name.replace(" ", "_").replace(",", ""), case.env)
    run.config_file.write_text(config_to_toml(config), encoding="utf-8")
    meddler = Meddler(case, steps)
    if case.kind != "healthy":
        meddler.install()
    if case.kind == "memory leak":
        threading.Thread(target=leak(5.0), daemon=True).start()
    runner = Runner(config, run, load_env(case.env))
    runner.start()
    changed = False
    while not runner.join(0.2):
        if (
            case.kind == "learning rate x100, late"
            and not changed
            and runner.latest.step >= case.at * steps
        ):
            changed = True
            runner.send(SetField("train.learning_rate", 100 * config.train.learning_rate))
    run.release()
    if case.kind != "healthy" and not meddler.calls:
        sys.exit(f"{case.name} was never meddled with.")


if __name__ == "__main__":
    wanted, place = sys.argv[1], Path(sys.argv[2])
    every = {c.name: c for seeds in (range(1, 7), range(11, 17)) for c in troubled(seeds)}
    every |= {c.name: c for seeds in (range(1, 6), range(11, 16)) for c in healthy(seeds)}
    train(every[wanted], place)
