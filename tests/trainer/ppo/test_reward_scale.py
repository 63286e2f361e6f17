"""The reward scale that follows the returns: it changes what is learned from, and never what the values mean."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pufftui.envs.catalogue import load_env
from pufftui.trainer.collecting.rollout import Rollout
from pufftui.trainer.ppo.reward_scale import FIGURES, RewardScale, return_figures
from pufftui.trainer.settings.choice import MOST_REWARD
from pufftui.trainer.settings.fields import (
    REWARD_SCALE,
    Config,
    PolicyConfig,
    TrainConfig,
    VecConfig,
    with_live_change,
)
from pufftui.trainer.training.epoch import run_epoch
from pufftui.trainer.training.session import TrainingSession

GAMMA = 0.9
CONFIG = Config(
    "squared",
    load_env("squared").descriptor.parameter_values({}),
    TrainConfig(horizon=16, minibatch_size=512, precision="fp32"),
    PolicyConfig(memory="mingru", hidden=16),
    VecConfig(agents=128, threads=1),
    chosen=frozenset({REWARD_SCALE}),
)


def figures(**known: float) -> dict[str, float]:
    usual = {"target_variance": 1.0, "largest_reward": 1.0, "value_error": 0.0}
    return usual | {"value_uncertainty": 1.0, "going_on": 1.0} | known


def rollout(seed: int = 0, *, alive: float = 0.8) -> Rollout:
    random, shape = np.random.default_rng(seed), (12, 40)

    def numbers(*sizes: int) -> torch.Tensor:
        return torch.from_numpy(random.normal(size=sizes).astype(np.float32))

    def flags(share: float) -> torch.Tensor:
        return torch.from_numpy((random.random(shape) < share).astype(np.uint8))

    rewards, nothing = numbers(*shape), torch.empty(0)
    return Rollout(
        observations=nothing,
        actions=nothing,
        log_probabilities=nothing,
        values=numbers(shape[0] + 1, shape[1]),
        final_values=numbers(*shape),
        rewards=rewards.clamp(-1, 1),
        unclipped=rewards,
        terminals=flags(0.1),
        truncations=flags(0.1),
        alive=flags(alive),
        resets=flags(0.1),
        state=nothing,
    )


def errors_of(played: Rollout, shift: float) -> float:
    """The mean one-step error of those alive, with a constant added to every value, by a loop."""
    total, count = 0.0, 0
    for step, agent in np.argwhere(played.alive.numpy()):
        after = played.values[step + 1, agent] + shift
        if played.truncations[step, agent]:
            after = played.final_values[step, agent] + shift
        if played.terminals[step, agent]:
            after = 0.0
        value = played.values[step, agent] + shift
        total += float(played.rewards[step, agent] + GAMMA * after - value)
        count += 1
    return total / count


def test_the_shift_makes_the_mean_error_vanish() -> None:
    played = rollout()
    found = {n: v.item() for n, v in return_figures(played, torch.zeros(12, 40), GAMMA).items()}
    assert found["value_error"] == pytest.approx(errors_of(played, 0.0), abs=1e-6)
    shift = found["value_error"] / (1 - GAMMA * found["going_on"])
    assert errors_of(played, shift) == pytest.approx(0.0, abs=1e-6)


def test_figures_are_those_of_the_living() -> None:
    played, advantages = rollout(), torch.randn(12, 40, generator=torch.Generator().manual_seed(3))
    found = return_figures(played, advantages, GAMMA)
    alive = played.alive.bool()
    targets = (advantages + played.values[:-1])[alive]
    assert found["target_variance"].item() == pytest.approx(targets.var(correction=0).item())
    assert found["largest_reward"].item() == played.unclipped[alive].abs().max().item()
    assert found["going_on"].item() == pytest.approx(
        1 - played.terminals[alive].float().mean().item()
    )
    nobody = return_figures(rollout(alive=0.0), advantages, GAMMA)
    assert all(torch.isfinite(figure) for figure in nobody.values())


def test_returns_come_to_size_one() -> None:
    scale = RewardScale(1.0)
    for _ in range(200):
        scale.follow(
            figures(target_variance=400.0 * scale.scale**2, largest_reward=2 * scale.scale), GAMMA
        )
    assert scale.scale == pytest.approx(1 / 20, rel=1e-3)


def test_a_rare_reward_is_not_blown_up() -> None:
    scale = RewardScale(1.0)
    for _ in range(200):
        scale.follow(
            figures(target_variance=1e-6 * scale.scale**2, largest_reward=3 * scale.scale), GAMMA
        )
    assert scale.scale * 3 == pytest.approx(MOST_REWARD)


def test_without_rewards_or_with_broken_figures_nothing_moves() -> None:
    scale = RewardScale(0.25)
    assert scale.follow(figures(largest_reward=0.0, value_error=5.0), GAMMA) == (1.0, 0.0)
    for name in FIGURES:
        assert scale.follow(figures(**{name: np.nan}), GAMMA) == (1.0, 0.0)
        assert scale.follow(figures(**{name: np.inf}), GAMMA) == (1.0, 0.0)
    assert scale.scale == 0.25


def test_an_error_that_may_be_chance_shifts_nothing() -> None:
    assert RewardScale(1.0).follow(figures(value_error=3.9), GAMMA)[1] == 0.0
    assert RewardScale(1.0).follow(figures(value_error=4.1), GAMMA)[1] == pytest.approx(20.5)


def session_with(scale: float, factor: float) -> TrainingSession:
    """A session that begins with a scale, and whose environments pay so many times as much."""
    session = TrainingSession(
        replace(CONFIG, train=replace(CONFIG.train, reward_scale=scale)), load_env("squared")
    )
    memory = session.collector.memory
    finish = memory.receive_rewards

    def paid() -> None:
        memory.raw_rewards.mul_(factor)
        finish()

    session.collector._finish = paid
    return session


def test_what_the_rewards_are_counted_in_changes_nothing() -> None:
    """Powers of two are exact: the same policy to the last bit."""
    sessions = [session_with(1.0, 1.0), session_with(2.0**-10, 2.0**10)]
    for _ in range(6):
        for session in sessions:
            run_epoch(session, lambda: False)
    one, other = sessions
    assert one.reward_scale == other.reward_scale * 2**10 != 1.0
    for name, array in one.policy.state_dict().items():
        assert torch.equal(array, other.policy.state_dict()[name]), name
    for session in sessions:
        session.close()


def test_values_keep_their_meaning_when_the_scale_changes() -> None:
    session = TrainingSession(CONFIG, load_env("squared"))
    seen = session.collector.memory.observations[:1]
    state = session.policy.initial_state(128)
    known = figures(target_variance=25.0, largest_reward=0.5)
    with torch.no_grad():
        before = session.policy.sequence(seen, state, None)[0][..., -1] / session.reward_scale
        session.follow_returns(known)
        after = session.policy.sequence(seen, state, None)[0][..., -1] / session.reward_scale
    assert session.reward_scale != 1.0
    torch.testing.assert_close(after, before)
    session.close()


def test_a_published_policy_values_rewards_as_they_are_paid() -> None:
    session = TrainingSession(CONFIG, load_env("squared"))
    for _ in range(3):
        run_epoch(session, lambda: False)
    own, published = session.policy.heads, session.weights().arrays
    for name, array in (("weight", own.weight), ("bias", own.bias)):
        expected = array.detach().numpy().copy()
        expected[-1] /= session.reward_scale
        assert published[f"heads.{name}"] == pytest.approx(expected)
    session.close()


def test_the_scale_goes_on_from_a_checkpoint() -> None:
    session, other = (TrainingSession(CONFIG, load_env("squared")) for _ in range(2))
    for _ in range(3):
        run_epoch(session, lambda: False)
    kept = session.state()
    other.restore(kept)
    assert other.reward_scale == session.reward_scale != 1.0
    assert run_epoch(other, lambda: False).figures == run_epoch(session, lambda: False).figures
    other.restore({name: array for name, array in kept.items() if name != "reward_scale"})
    session.close()
    other.close()


def test_rewards_are_clipped_as_the_setting_says_also_after_a_change() -> None:
    """A run that goes on from here must not meet other rewards than this one."""
    session = session_with(1.0, 100.0)
    run_epoch(session, lambda: False)
    assert session.collector.memory.rewards.abs().max() == MOST_REWARD
    session.config, _ = with_live_change(session.config, REWARD_SCALE, 1.0)
    run_epoch(session, lambda: False)
    assert session.collector.memory.rewards.abs().max() == 1.0
    session.close()


def test_a_number_that_somebody_gives_holds() -> None:
    session = TrainingSession(CONFIG, load_env("squared"))
    fixed = replace(session.config.train, reward_scale=0.125)
    session.config = replace(session.config, train=fixed, chosen=frozenset())
    assert run_epoch(session, lambda: False).figures["reward_scale"] == 0.125
    assert session.reward_scale == 0.125
    session.close()
