"""One iteration of training, in the order of the algorithm; docs/algorithm.md has its formulas.

    collect -> for each minibatch: advantages, minibatch, gradient, step -> report -> normaliser

What `learn` does is recorded on a GPU, once, as a CUDA graph: it asks the device for no number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pufftui.envs.vector import EpisodeReport
from pufftui.trainer.collecting.rollout import Rollout
from pufftui.trainer.ppo.advantage import newest_advantages
from pufftui.trainer.ppo.chance import priority_beta
from pufftui.trainer.ppo.draw import Minibatches
from pufftui.trainer.ppo.loss import FIGURES
from pufftui.trainer.ppo.minibatch import Newest
from pufftui.trainer.ppo.optimizer import scheduled_learning_rate
from pufftui.trainer.ppo.reward_scale import return_figures
from pufftui.trainer.ppo.update import Learner, UpdateReport
from pufftui.trainer.ppo.vitals import NOISE_EVERY, unit_figures, update_figures
from pufftui.trainer.settings.fields import TrainConfig
from pufftui.trainer.training.session import TrainingSession


@dataclass(frozen=True, slots=True, eq=False)
class EpochReport:
    """What one epoch did; plain numbers by name.

    `figures` are those of `learn`, and now and then signs of health that cost more (vitals.py).
    """

    steps: int
    learning_rate: float
    figures: dict[str, float]
    episodes: EpisodeReport


def run_epoch(session: TrainingSession, interrupted: Callable[[], bool]) -> EpochReport | None:
    """Collects a rollout and learns from it; None, half done, if `interrupted` said so.

    With `train.overlap` it learns from one that was collected before, while it collects the next.
    """
    config, clock = session.config.train, session.clock
    learning_rate = scheduled_learning_rate(config, session.step)
    if config.overlap == "on":
        done = _side_by_side(session, learning_rate, interrupted)
    else:
        done = _in_turn(session, learning_rate, interrupted)
    if done is None:
        return None
    rollout, update, following = done
    episodes = session.vector.drain()  # While a GPU is still learning.
    session.statistics.add(episodes)
    with clock.part("learn"):
        figures = report(session, rollout, update)
        if session.observed is not None:
            session.observed.learn(rollout.observations[:-1], rollout.alive)
    if following is not None and figures["finite"] == 1:  # Else what it was shows why.
        session.ahead.keep(following)
    session.collector.advance()
    if session.learner.scaling:
        figures = session.follow_returns(figures)
    steps = round(figures.pop("steps") * session.ranks.size)
    session.step += steps
    session.epoch += 1
    return EpochReport(steps, learning_rate, figures, episodes)


Done = tuple[Rollout, UpdateReport, Rollout | None]
"""What was learned from, what came of it, and what was collected ahead."""


def _in_turn(
    session: TrainingSession, learning_rate: float, interrupted: Callable[[], bool]
) -> Done | None:
    rollout = _collect(session, interrupted)
    if rollout is None:
        return None
    update = _update(session, rollout, learning_rate, interrupted)
    return None if update is None else (rollout, update, None)


def _side_by_side(
    session: TrainingSession, learning_rate: float, interrupted: Callable[[], bool]
) -> Done | None:
    """Learns from the rollout ahead; collects the next with the policy of before, beside that if the device can."""
    collector, ahead = session.collector, session.ahead
    if ahead.rollout is None:
        first = _collect(session, interrupted)
        if first is None:
            return None
        ahead.keep(first)
        collector.advance()
    rollout = ahead.rollout
    assert rollout is not None
    if ahead.at_once:
        collector.begin(session.reward_scale, session.reward_limit)
        with ahead.beside():
            update = _update(session, rollout, learning_rate, interrupted)
        following = collector.play(interrupted)
        ahead.join()
    else:
        following = _collect(session, interrupted)
        if following is None:
            return None
        update = _update(session, rollout, learning_rate, interrupted)
    return None if update is None or following is None else (rollout, update, following)


def _collect(session: TrainingSession, interrupted: Callable[[], bool]) -> Rollout | None:
    return session.collector.collect(
        session.reward_scale, interrupted, reward_limit=session.reward_limit
    )


def _update(
    session: TrainingSession,
    rollout: Rollout,
    learning_rate: float,
    interrupted: Callable[[], bool],
) -> UpdateReport | None:
    config, step = session.config.train, session.step
    beta, probe = priority_beta(config, step), session.epoch % NOISE_EVERY == 0
    with session.clock.part("learn"):
        return session.learner.update(
            learn, rollout, config, learning_rate, beta, interrupted, probe=probe
        )


def learn(
    learner: Learner,
    rollout: Rollout,
    config: TrainConfig,
    interrupted: Callable[[], bool],
    *,
    probe: bool,
    recording: bool = False,
) -> dict[str, Tensor] | None:
    """All gradient steps on one rollout, as `Learn` says.

    The figures are means over the minibatches. `finite` is the share of minibatches whose gradient was
    finite, `untrained` the share of segments that no minibatch took.
    """
    newest = Newest.of(rollout)
    minibatches = Minibatches(rollout, newest, config, learner.chance)
    figures: list[Tensor] = []
    noise: dict[str, Tensor] = {}
    returns: dict[str, Tensor] = {}
    for number in range(minibatches.count):
        if interrupted():
            return None
        advantages, magnitudes = newest_advantages(rollout, newest, config)
        if learner.scaling and number == 0:
            returns = return_figures(rollout, advantages, config.gamma)
        batch = minibatches.draw(number, advantages, magnitudes)
        learned = learner.gradient.add(
            *(batch, config, learner.chance.coefficients),
            probe=probe and number == 0,
            recording=recording,
        )
        norm, finite = learner.optimizer.step(learner.chance.step, recording=recording)
        learned.put_back(newest)
        figures.append(torch.cat((learned.figures(), norm.view(1), finite.view(1))))
        noise |= learned.noise
    means = torch.stack(figures).mean(dim=0).unbind()
    named = dict(zip((*FIGURES, "grad_norm", "finite"), means, strict=True))
    named["untrained"] = 1 - newest.trained.float().mean()
    return named | noise | returns | update_figures(learner.policy, rollout)


def report(session: TrainingSession, rollout: Rollout, update: UpdateReport) -> dict[str, float]:
    """An update's figures, means over the ranks, as plain numbers: the one transfer from the device.

    Those that cost more come with them now and then.
    """
    names, values = update.names, update.values
    if session.epoch % session.units_every == 0:
        units = unit_figures(session.policy, rollout)
        names += tuple(units)
        values = torch.cat((values, torch.stack([unit.double() for unit in units.values()])))
    summed = session.ranks.add_up(values)
    return dict(zip(names, (summed / session.ranks.size).tolist(), strict=True))
