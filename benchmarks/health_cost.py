"""What watching a run's health costs training: the share of the time that goes to its figures.

Trains in this process. The signs of `vitals.py` are timed where they are made; the estimate of the
gradient's noise, made in one epoch of sixteen, as what those epochs take longer than the others.

    python benchmarks/health_cost.py --env breakout --epochs 400
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from unittest import mock

from torch import Tensor

from pufftui.envs.catalogue import load_env
from pufftui.trainer.collecting.rollout import Rollout
from pufftui.trainer.network.policy import Policy
from pufftui.trainer.ppo import cpu_update
from pufftui.trainer.ppo.update import UpdateReport
from pufftui.trainer.ppo.vitals import NOISE_EVERY
from pufftui.trainer.settings.sources import load_config
from pufftui.trainer.training import epoch
from pufftui.trainer.training.session import TrainingSession

WARM_UP = 24


def measure(env: str, epochs: int) -> dict[str, float | str]:
    """Shares of the time of an epoch."""
    config = load_config(env, device="cpu", files=[], flags={})
    session = TrainingSession(config, load_env(env))
    make, fetch, every = epoch.update_figures, epoch.report, session.units_every
    signs: dict[bool, list[float]] = {True: [], False: []}

    def timed(policy: Policy, rollout: Rollout) -> dict[str, Tensor]:
        began = time.perf_counter()
        figures = make(policy, rollout)
        signs[session.epoch % every == 0].append(time.perf_counter() - began)
        return figures

    def fetched(
        session: TrainingSession, rollout: Rollout, update: UpdateReport
    ) -> dict[str, float]:
        began = time.perf_counter()
        figures = fetch(session, rollout, update)
        signs[session.epoch % every == 0][-1] += time.perf_counter() - began
        return figures

    probed: list[float] = []
    plain: list[float] = []
    both_ways = mock.patch.object(cpu_update, "update_figures", timed)
    with both_ways, mock.patch.multiple(epoch, update_figures=timed, report=fetched):
        for _ in range(epochs):
            (probed if session.epoch % NOISE_EVERY == 0 else plain).append(_epoch(session))
    session.close()
    usual = statistics.median(plain[WARM_UP:])
    noise = (statistics.median(probed[WARM_UP // NOISE_EVERY :]) - usual) / NOISE_EVERY
    with_units, without = (statistics.median(signs[units][1:]) for units in (True, False))
    return {
        "env": env,
        "epoch_ms": round(1000 * usual, 2),
        "signs_share": round((with_units / every + without * (1 - 1 / every)) / usual, 5),
        "noise_share": round(noise / usual, 5),
    }


def _epoch(session: TrainingSession) -> float:
    began = time.perf_counter()
    epoch.run_epoch(session, lambda: False)
    return time.perf_counter() - began


def main() -> None:
    """Prints one JSON line for each environment."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--env", nargs="+", default=["breakout", "pong", "snake"])
    parser.add_argument("--epochs", type=int, default=400)
    options = parser.parse_args()
    for env in options.env:
        print(json.dumps(measure(env, options.epochs)))


if __name__ == "__main__":
    main()
