"""Loss, priorities, schedule and optimizer against plain numpy and hand-made cases."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pufftui.trainer.ppo.chance import priority_beta
from pufftui.trainer.ppo.loss import (
    advantage_moments,
    coefficients,
    explained_variance,
    normalise,
    ppo_loss,
)
from pufftui.trainer.ppo.minibatch import minibatch_plan
from pufftui.trainer.ppo.optimizer import scheduled_learning_rate
from pufftui.trainer.ppo.priority import (
    draw_segments,
    importance_weights,
    segment_probabilities,
    systematic_sample,
)
from pufftui.trainer.settings.fields import TrainConfig


def loss_inputs(seed, shape=(6, 5)):
    random = np.random.default_rng(seed)
    names = [
        "log_probabilities", "old_log_probabilities", "entropies", "values", "old_values",
        "targets", "advantages",
    ]  # fmt: skip
    inputs = {name: random.normal(size=shape) for name in names}
    inputs["alive"] = (random.random(shape) < 0.7).astype(float)
    return inputs


def naive_loss(inputs, config):
    policy, value, entropy, count = 0.0, 0.0, 0.0, 0
    for index in np.ndindex(inputs["alive"].shape):
        if not inputs["alive"][index]:
            continue
        one = {name: array[index] for name, array in inputs.items()}
        ratio = math.exp(one["log_probabilities"] - one["old_log_probabilities"])
        clipped = min(max(ratio, 1 - config.clip), 1 + config.clip)
        policy += max(-one["advantages"] * ratio, -one["advantages"] * clipped)
        moved = one["values"] - one["old_values"]
        moved = min(max(moved, -config.value_clip), config.value_clip)
        value += 0.5 * max(
            (one["values"] - one["targets"]) ** 2,
            (one["old_values"] + moved - one["targets"]) ** 2,
        )
        entropy += one["entropies"]
        count += 1
    return (
        policy + config.value_coefficient * value - config.entropy_coefficient * entropy
    ) / count


def plain_loss(inputs, config):
    tensors = {name: torch.from_numpy(array) for name, array in inputs.items()}
    numbers = torch.tensor(coefficients(config), dtype=torch.float64)
    return ppo_loss(**tensors, count=tensors["alive"].sum(), coefficients=numbers)


@pytest.mark.parametrize("seed", range(5))
def test_loss_equals_the_naive_sum(seed):
    inputs = loss_inputs(seed)
    config = TrainConfig(entropy_coefficient=0.3)
    result = plain_loss(inputs, config)
    assert result.total.item() == pytest.approx(naive_loss(inputs, config), rel=1e-9)


def test_dead_agents_change_nothing():
    inputs = loss_inputs(1)
    changed = {
        name: array if name == "alive" else np.where(inputs["alive"] > 0, array, 7.0)
        for name, array in inputs.items()
    }
    results = [plain_loss(case, TrainConfig()) for case in (inputs, changed)]
    assert results[0].total.item() == pytest.approx(results[1].total.item())
    torch.testing.assert_close(results[0].figures, results[1].figures)


def test_explained_variance():
    targets, alive = torch.tensor([1.0, 2.0, 3.0, 99.0]), torch.tensor([1.0, 1.0, 1.0, 0.0])
    assert explained_variance(targets, targets, alive) == 1
    assert explained_variance(torch.full((4,), 2.0), targets, alive) == pytest.approx(0)
    assert explained_variance(-targets, targets, alive) == pytest.approx(-3)
    assert torch.isnan(explained_variance(targets, torch.ones(4), alive))


def test_normalise_uses_only_the_living():
    numbers, alive = torch.tensor([1.0, 3.0, 1000.0]), torch.tensor([1.0, 1.0, 0.0])
    moments = advantage_moments(numbers, alive)
    torch.testing.assert_close(normalise(numbers, moments)[:2], torch.tensor([-1.0, 1.0]))


def test_priorities_follow_the_formula():
    magnitudes = torch.tensor([2.0, 4.0, 0.0])
    weights = magnitudes.numpy() ** 0.8
    expected = 0.9 * weights / weights.sum() + 0.1 / 3
    np.testing.assert_allclose(segment_probabilities(magnitudes, 0.8), expected, rtol=1e-6)
    torch.testing.assert_close(segment_probabilities(torch.zeros(4), 0.8), torch.full((4,), 0.25))


def test_weights_stay_small_where_half_the_segments_have_nothing_to_learn():
    magnitudes = torch.rand(2048) * (torch.arange(2048) < 1024)
    probabilities = segment_probabilities(magnitudes, 0.8)
    assert importance_weights(probabilities, torch.arange(2048), 1.0).max() < 10.001


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000), rows=st.integers(1, 300), count=st.integers(1, 300))
def test_systematic_sampling_takes_each_row_as_often_as_it_should(seed, rows, count):
    generator = torch.Generator().manual_seed(seed)
    probabilities = torch.rand(rows, generator=generator) ** 3 + 1e-6
    probabilities = probabilities / probabilities.sum()
    drawn = systematic_sample(probabilities, count, torch.rand((), generator=generator))
    assert drawn.shape == (count,)
    taken = np.bincount(drawn.numpy(), minlength=rows)
    wanted = count * probabilities.numpy()
    assert (taken >= np.floor(wanted - 1e-3)).all()
    assert (taken <= np.ceil(wanted + 1e-3)).all()


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000), agents=st.integers(1, 300), count=st.integers(1, 300))
def test_what_is_drawn_in_numpy_is_what_torch_draws(seed, agents, count):
    generator = torch.Generator().manual_seed(seed)
    magnitudes = torch.rand(agents, generator=generator) ** 3 * (seed % 7 > 0)
    start, beta = torch.rand((), generator=generator), torch.tensor([0.7])
    rows, weights = draw_segments(magnitudes, 0.8, beta, start, count)
    probabilities = segment_probabilities(magnitudes, 0.8)
    wanted = systematic_sample(probabilities, count, start)
    assert rows.dtype == torch.int64
    assert weights.dtype == torch.float32
    # A rounding moves the border between two neighbours, and what lies on it.
    assert (rows != wanted).sum() <= 2
    assert ((rows - wanted).abs() <= 1).all()
    torch.testing.assert_close(weights, importance_weights(probabilities, rows, beta))


def test_minibatches_are_whole_segments():
    config = TrainConfig(horizon=64, minibatch_size=16384, replay_ratio=1.5)
    assert minibatch_plan(config, 2048) == (256, 12)
    assert minibatch_plan(config, 100) == (100, 2)


def test_schedules():
    config = TrainConfig(
        total_steps=100, learning_rate=2.0, final_learning_rate=0.1, priority_beta=0.2
    )
    assert scheduled_learning_rate(config, 0) == 2.0
    assert scheduled_learning_rate(config, 50) == pytest.approx(1.1)
    assert scheduled_learning_rate(config, 500) == pytest.approx(0.2)
    assert priority_beta(config, 0) == 0.2
    assert priority_beta(config, 100) == 1.0


@pytest.mark.parametrize("alpha", [0.8, 10.0])
@pytest.mark.parametrize(
    "magnitudes", [[0.0] * 6, [1e-38] * 6, [1e-7, 0, 0, 1e-7, 0, 0], [3e38] * 6], ids=str
)
def test_segments_are_drawn_whatever_size_advantages_have(magnitudes, alpha):
    size = torch.tensor(magnitudes)
    rows, weights = draw_segments(size, alpha, torch.tensor([0.4]), torch.tensor(0.5), 3)
    assert len(set(rows.tolist())) == 3
    assert torch.isfinite(weights).all()
    assert (weights > 0).all()


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_segments_are_drawn_from_advantages_that_are_not_finite(wrong):
    """That they are not is found out by the gradient; nothing outside of them may be read before."""
    size = torch.tensor([1.0, wrong, 2.0, 3.0])
    rows, _ = draw_segments(size, 0.8, torch.tensor([0.4]), torch.tensor(0.5), 4)
    assert set(rows.tolist()) <= {0, 1, 2, 3}
