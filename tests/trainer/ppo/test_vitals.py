"""Signs of health of rewards, gradient and network against plain numpy, and on what breaks easily."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from pufftui.envs.catalogue import load_env
from pufftui.trainer.ppo.vitals import GradientNoise, reward_figures, unit_figures
from pufftui.trainer.settings.fields import Config, PolicyConfig, RunConfig, TrainConfig, VecConfig
from pufftui.trainer.training.epoch import run_epoch
from pufftui.trainer.training.session import TrainingSession

CONFIG = Config(
    "squared",
    {},
    TrainConfig(horizon=16, minibatch_size=512, replay_ratio=1.0, precision="fp32"),
    PolicyConfig(memory="mingru", hidden=16),
    VecConfig(agents=128, threads=1),
    RunConfig(device="cpu"),
)


@pytest.fixture
def session():
    made = TrainingSession(CONFIG, load_env("squared"))
    yield made
    made.close()


def never():
    return False


def test_reward_figures_are_those_of_a_loop() -> None:
    rewards = np.random.default_rng(1).normal(size=(7, 5)).astype(np.float32)
    rewards[rewards < 0.3] = 0
    unclipped = torch.from_numpy(rewards)
    rollout = SimpleNamespace(unclipped=unclipped, rewards=unclipped.clamp(-1, 1))
    figures = reward_figures(rollout)
    given = [abs(float(r)) for r in rewards.flat if r]
    assert figures["reward_size"].item() == pytest.approx(sum(given) / len(given))
    assert figures["reward_nonzero"].item() == pytest.approx(len(given) / rewards.size)
    clipped = sum(r > 1 for r in given) / rewards.size
    assert figures["clamped_rewards"].item() == pytest.approx(clipped)


def test_without_rewards_everything_is_zero() -> None:
    nothing = torch.zeros(3, 4)
    figures = reward_figures(SimpleNamespace(unclipped=nothing, rewards=nothing))
    assert [figure.item() for figure in figures.values()] == [0, 0, 0]


@pytest.mark.parametrize("first", [32, 20])
def test_the_noise_of_the_gradient_is_unbiased(first: int) -> None:
    """Samples of a known mean and covariance, in batches of 64, many times; halves may be unequal."""
    random = np.random.default_rng(2)
    mean, deviation, batch = np.array([0.3, -0.1, 0.2]), np.array([1.0, 2.0, 0.5]), 64
    weights = torch.nn.Parameter(torch.zeros(3))
    noise = GradientNoise(SimpleNamespace(parameters=lambda: [weights]))
    found = []
    for _ in range(4000):
        samples = mean + deviation * random.normal(size=(batch, 3))
        weights.grad = torch.from_numpy(samples[:first].sum(0) / batch).float()
        noise.half(torch.tensor(first / batch))
        weights.grad += torch.from_numpy(samples[first:].sum(0) / batch).float()
        figures = noise.whole(batch, ranks=1)
        found.append((figures["gradient_signal"].item(), figures["gradient_noise"].item()))
    signal, scatter = np.mean(found, axis=0)
    assert signal == pytest.approx((mean**2).sum(), rel=0.1)
    assert scatter == pytest.approx((deviation**2).sum(), rel=0.05)


def test_measuring_the_noise_changes_nothing(session) -> None:
    other = TrainingSession(CONFIG, load_env("squared"))
    other.epoch = session.epoch + 1  # not an epoch of which the noise is measured
    first, second = run_epoch(session, never).figures, run_epoch(other, never).figures
    assert "gradient_noise" in first
    assert "gradient_noise" not in second
    for name in ("policy_loss", "value_loss", "grad_norm"):
        assert first[name] == pytest.approx(second[name], rel=1e-3)
    other.close()


def test_every_so_many_epochs_the_units_are_looked_at(session) -> None:
    looks = ["dead_units" in run_epoch(session, never).figures for _ in range(3)]
    assert looks == [True, False, False]
    every = session.units_every
    assert every % 16 == 0
    assert every * 128 * 16 >= 1_500_000


def figures_of(session) -> dict[str, float]:
    rollout = session.collector.collect(1.0, never)
    found = unit_figures(session.policy, rollout)
    return {name: figure.item() for name, figure in found.items()}


def test_units_of_a_fresh_network_are_alive(session) -> None:
    figures = figures_of(session)
    assert figures["dead_units"] < 0.3
    assert 0.1 < figures["feature_rank"] <= 1
    assert figures["observation_change"] > 0
    assert 0 < figures["actions_used"] <= 1


def test_a_network_that_is_switched_off_is_dead(session) -> None:
    with torch.no_grad():
        for parameter in session.policy.parameters():
            parameter.zero_()
    figures = figures_of(session)
    assert figures["dead_units"] >= 0.5, (
        "all of the encoder; a memory without input is still a clock"
    )
    assert figures["feature_rank"] <= 1 / 16


@pytest.mark.parametrize("broken", [math.nan, math.inf, 1e38])
def test_broken_numbers_end_no_run(session, broken) -> None:
    rollout = session.collector.collect(1.0, never)
    with torch.no_grad():
        session.policy.encoder.weight.fill_(broken)
    figures = unit_figures(session.policy, rollout)
    assert 0 <= figures["feature_rank"].item() <= 1


def test_observations_that_stand_still_are_seen(session) -> None:
    rollout = session.collector.collect(1.0, never)
    still = replace(rollout, observations=torch.zeros_like(rollout.observations))
    assert unit_figures(session.policy, still)["observation_change"].item() == 0
