"""The fused loss against the plain one: figures, ratios, values and gradients."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pufftui.envs.descriptor import Action, ActionKind, Choice
from pufftui.trainer.collecting.rollout import Rollout
from pufftui.trainer.kernels.sums import figures, places
from pufftui.trainer.messages.snapshot import LOSSES
from pufftui.trainer.network.actions import ActionDistribution
from pufftui.trainer.ppo.fused_loss import _joined, fused_moments, fused_ppo_loss, picked_ppo_loss
from pufftui.trainer.ppo.gathered import GatheredGradient
from pufftui.trainer.ppo.gradient import Learned
from pufftui.trainer.ppo.loss import FIGURES, MinibatchLoss, advantage_moments, coefficients
from pufftui.trainer.ppo.minibatch import Minibatch
from pufftui.trainer.settings.fields import TrainConfig

STEPS, AGENTS = 12, 9


class About:
    """As much of a descriptor as distributions need."""

    def __init__(self, *sizes):
        self.action_kind = ActionKind.MULTI_DISCRETE
        self.actions = [Action("", 0, (Choice("", ()),) * size) for size in sizes]


class NoPolicy:
    """As much of a policy as the loss needs."""

    log_std = None
    heads = torch.nn.Linear(1, 1)

    @staticmethod
    def parameters():
        return ()


def problem(seed, sizes, dead):
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(shape, generator=generator)

    distribution = ActionDistribution(About(*sizes))
    old = normal(STEPS * AGENTS, sum(sizes))
    noise = distribution.noise(1, len(old), generator)[0]
    actions, log_probabilities = distribution.sample(old, None, noise)
    alive = torch.rand((STEPS, AGENTS), generator=generator) >= dead
    zeros = torch.zeros(STEPS, AGENTS)
    rollout = Rollout(
        observations=zeros,
        actions=actions.view(STEPS, AGENTS, len(sizes)),
        log_probabilities=log_probabilities.view(STEPS, AGENTS),
        values=zeros,
        final_values=zeros,
        rewards=zeros,
        unclipped=zeros,
        terminals=zeros,
        truncations=zeros,
        alive=alive.to(torch.uint8),
        resets=zeros,
        state=torch.zeros(0, 1, AGENTS, 1),
    )
    rows = torch.tensor([3, 3, 0, 8, 5])
    old = old.view(STEPS, AGENTS, -1)[:, rows]
    logits = old + 0.3 * normal(*old.shape)
    values = normal(STEPS + 1, AGENTS)
    new_values = values[:-1, rows] + 0.3 * normal(STEPS, len(rows))
    heads = torch.cat((logits, new_values.unsqueeze(-1)), dim=-1)
    weights = torch.rand(len(rows), generator=generator) + 0.5
    return heads, Minibatch(rollout, rows, weights, 2 * normal(STEPS, AGENTS), values)


def fused_loss(*sizes):
    table = ActionDistribution(About(*sizes)).size_tensor

    def loss(heads, batch, moments, config):
        return fused_ppo_loss(heads, table, batch, moments, config)

    return loss


def picked_loss(*sizes):
    table = ActionDistribution(About(*sizes)).size_tensor

    def loss(heads, batch, moments, config):
        numbers = torch.tensor(coefficients(config), dtype=torch.float64)
        picked = batch.picked()
        loss, gradients = picked_ppo_loss(heads, table, max(sizes), picked, moments, numbers)
        return replace(loss, total=_joined(loss.total, heads, gradients))

    return loss


@pytest.fixture(params=["C", "Triton"])
def kernel(request):
    if request.param == "Triton":
        request.getfixturevalue("interpreter")
        return picked_loss
    return fused_loss


def plain_loss(*sizes):
    gradient = GatheredGradient(NoPolicy(), ActionDistribution(About(*sizes)))

    def loss(heads, batch, moments, config):
        numbers = torch.tensor(coefficients(config), dtype=torch.float64)
        return gradient.loss(heads, batch.picked(), moments, numbers)

    return loss


def plain_moments(batch):
    alive = batch.rollout.alive[:, batch.rows].float()
    return advantage_moments(batch.advantages[:, batch.rows], alive)


@pytest.mark.parametrize("fused", [True, False])
def test_the_parts_of_a_minibatch_add_up(fused, kernel):
    heads, batch = problem(7, (3, 2), 0.3)
    loss_of = (kernel if fused else plain_loss)(3, 2)
    moments, config = plain_moments(batch), TrainConfig(horizon=STEPS, max_forward_size=2 * STEPS)
    whole = heads.clone().requires_grad_()
    loss_of(whole, batch, moments, config).total.backward()
    cut = heads.clone().requires_grad_()
    parts = batch.parts(config)
    assert [len(part.rows) for part in parts] == [2, 2, 1]
    for index, part in enumerate(parts):
        own = cut[:, 2 * index : 2 * index + len(part.rows)]
        loss_of(own, part, moments, config).total.backward()
    torch.testing.assert_close(cut.grad, whole.grad, rtol=1e-4, atol=1e-6)


@given(st.integers(1, 40), st.integers(1, 12), st.integers(1, 600), st.booleans())
def test_a_minibatch_is_cut_into_parts_that_are_as_asked(segments, horizon, most, even):
    rows = torch.arange(segments)
    batch = Minibatch(None, rows, torch.ones(segments), None, None)
    parts = batch.parts(TrainConfig(horizon=horizon, max_forward_size=most), even=even)
    sizes = [len(part.rows) for part in parts]
    assert torch.cat([part.rows for part in parts]).tolist() == rows.tolist()
    assert max(sizes) - min(sizes) <= 1
    if not even or segments % 2 == 0:
        assert max(sizes) <= max(1, most // horizon)
    if even:
        assert len(parts) % 2 == 0 or segments == 1


def test_figures_of_parts_count_by_who_is_alive():
    alive = torch.ones(4, 3, dtype=torch.uint8)
    alive[:, 2] = 0
    rollout = SimpleNamespace(alive=alive)
    parts = []
    for chosen, figure in (([0, 2], 1.0), ([1, 2, 0], 4.0)):
        rows = torch.tensor(chosen)
        part = Minibatch(rollout, rows, torch.ones(len(rows)), None, None)
        parts.append((part, MinibatchLoss(None, None, None, torch.tensor([figure]))))
    assert Learned(parts, {}).figures().tolist() == pytest.approx([3.0])


@pytest.mark.parametrize("sizes", [(3,), (5, 2, 4), (1,)])
@pytest.mark.parametrize("dead", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_plain_loss(seed, sizes, dead, kernel):
    heads, batch = problem(seed, sizes, dead)
    config = TrainConfig(entropy_coefficient=0.05)
    fused_heads, plain_heads = heads.clone().requires_grad_(), heads.clone().requires_grad_()
    moments = fused_moments(batch.rollout, batch.rows, batch.advantages)
    torch.testing.assert_close(moments, plain_moments(batch))
    fused = kernel(*sizes)(fused_heads, batch, moments, config)
    plain = plain_loss(*sizes)(plain_heads, batch, moments, config)
    torch.testing.assert_close(fused.total, plain.total, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(fused.ratios, plain.ratios, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(fused.values, plain.values)
    torch.testing.assert_close(fused.figures, plain.figures, rtol=1e-3, atol=1e-4, equal_nan=True)
    (2 * fused.total).backward()
    (2 * plain.total).backward()
    torch.testing.assert_close(fused_heads.grad, plain_heads.grad, rtol=1e-3, atol=1e-5)


def test_what_is_not_finite_shows(kernel):
    heads, batch = problem(0, (3,), 0.0)
    heads[2, 1, 3] = torch.nan
    heads.requires_grad_()
    loss = kernel(3)(heads, batch, plain_moments(batch), TrainConfig())
    loss.total.backward()
    assert not torch.isfinite(loss.total)
    assert not torch.isfinite(heads.grad).all()


def test_the_number_of_threads_changes_nothing():
    threads, results = torch.get_num_threads(), []
    try:
        for count in (1, 2, 5):
            torch.set_num_threads(count)
            heads, batch = problem(4, (3, 2), 0.1)
            heads.requires_grad_()
            moments = fused_moments(batch.rollout, batch.rows, batch.advantages)
            loss = fused_loss(3, 2)(heads, batch, moments, TrainConfig())
            loss.total.backward()
            results.append((loss.total.item(), heads.grad))
    finally:
        torch.set_num_threads(threads)
    for total, gradient in results[1:]:
        assert total == results[0][0]
        assert torch.equal(gradient, results[0][1])


def test_the_figures_of_kernels_are_those_of_the_plain_loss():
    assert figures() == FIGURES
    assert set(FIGURES) < set(LOSSES)
    assert len(places()) == len(set(places().values())) == max(places().values()) + 1
