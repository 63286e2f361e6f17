"""Whether it matters how large rewards are: the steps to a score, with rewards scaled and offset.

Everything else is what a person gets who sets nothing. Episodes must all be of one length, or an offset would change
what is worth doing. Prints one JSON line for each way of paying, and one with the largest ratio of their steps.

    python benchmarks/reward_sizes.py benchmarks/worlds/swing --seeds 3 --steps 1M
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
from collections.abc import Callable
from dataclasses import replace
from typing import Any

WAYS = {"as it is": (1.0, 0.0), "x 0.001": (0.001, 0.0), "x 1000": (1000.0, 0.0), "+ 5": (1.0, 5.0)}
"""Factor and offset of every reward."""

SHARE = 0.9
"""Of the way from the first score to the best one of the rewards as they are."""


def curve(env: str, flags: dict[str, str], factor: float, offset: float) -> list[tuple[int, float]]:
    """Steps and scores of a training whose environments pay so."""
    from pufftui.envs.catalogue import find_env, load_env
    from pufftui.trainer.settings.choice import choose
    from pufftui.trainer.settings.sources import load_config
    from pufftui.trainer.settings.tryout import try_out
    from pufftui.trainer.training.epoch import run_epoch
    from pufftui.trainer.training.session import TrainingSession

    library = load_env(env, named_here=True)
    config = load_config(find_env(env).id, device="cpu", files=[], flags=flags)
    tryout = try_out(library, config.parameters)
    paid = replace(tryout, rewards=tryout.rewards * factor + offset)
    session = TrainingSession(choose(config, "cpu", paid), library)
    memory: Any = session.collector.memory
    receive: Callable[[], None] = memory.receive_rewards

    def pay() -> None:
        memory.raw_rewards.mul_(factor).add_(offset)
        receive()

    session.collector._finish = pay  # noqa: SLF001
    points = []
    while session.step < config.train.total_steps:
        run_epoch(session, lambda: False)
        means = session.statistics.means()
        if means is not None:
            points.append((session.step, means["score"]))
    session.close()
    return points


def steps_to(points: list[tuple[int, float]], score: float) -> float:
    """When a training first reached a score; infinite if it did not."""
    return next((float(step) for step, found in points if found >= score), math.inf)


def main() -> None:
    """Measures all ways of paying."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("env")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", default="1M")
    options = parser.parse_args()
    medians = {}
    goals: dict[int, float] = {}
    for way, (factor, offset) in WAYS.items():
        found = []
        for seed in range(1, options.seeds + 1):
            flags = {"run.seed": str(seed), "train.total_steps": options.steps}
            points = curve(options.env, flags, factor, offset)
            if seed not in goals:
                first, best = points[0][1], max(score for _, score in points)
                goals[seed] = first + SHARE * (best - first)
            found.append(steps_to(points, goals[seed]))
        medians[way] = statistics.median(found)
        print(json.dumps({"env": options.env, "rewards": way, "steps": found}), flush=True)
    ratio = max(medians.values()) / min(medians.values())
    print(json.dumps({"env": options.env, "largest_ratio": ratio}))


if __name__ == "__main__":
    main()
