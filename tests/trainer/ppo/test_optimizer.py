"""The optimizer: against torch's own, clipped, recorded, restored, and with gradients that are no numbers."""

import pytest
import torch
from torch import nn

from pufftui.trainer.ppo.optimizer import ADAM_SHARE, PolicyOptimizer
from pufftui.trainer.settings.fields import TrainConfig

RATES = (0.02, 0.01, 0.005, 0.03)


def made(kind="muon"):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.Linear(6, 3))
    return model, PolicyOptimizer(model, TrainConfig(optimizer=kind))


INPUTS = torch.randn(16, 4, generator=torch.Generator().manual_seed(4))


def take_gradient(model):
    (model(INPUTS) - 5 * INPUTS[:, :3]).square().sum().backward()


def step(model, optimizer, rate=0.02):
    take_gradient(model)
    return optimizer.step(torch.tensor([rate, 1.0]))


def assert_same(model, other):
    for one, two in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["muon", "adam"])
def test_it_moves_as_the_optimizers_of_torch_do(kind):
    (model, optimizer), (other, _) = made(kind), made(kind)
    momentum = TrainConfig().momentum
    if kind == "muon":
        matrices = [p for p in other.parameters() if p.ndim == 2]
        biases = [p for p in other.parameters() if p.ndim == 1]
        plain = [
            (torch.optim.Muon(matrices, momentum=momentum, weight_decay=0.0), 1.0),
            (torch.optim.Adam(biases), ADAM_SHARE),
        ]
    else:
        plain = [(torch.optim.Adam(other.parameters(), betas=(momentum, 0.999)), 1.0)]
    for rate in RATES:
        step(model, optimizer, rate)
        take_gradient(other)
        nn.utils.clip_grad_norm_(other.parameters(), 1.0)
        for inner, share in plain:
            inner.param_groups[0]["lr"] = rate * share
            inner.step()
            inner.zero_grad()
    for one, two in zip(model.parameters(), other.parameters(), strict=True):
        # torch's Muon rounds to bfloat16 everywhere.
        close = {"rtol": 0.05, "atol": 3e-3} if kind == "muon" else {"rtol": 1e-5, "atol": 1e-6}
        torch.testing.assert_close(one, two, **close)


@pytest.mark.parametrize("kind", ["muon", "adam"])
def test_it_clips_and_comes_back_from_its_state(kind):
    model, optimizer = made(kind)
    norm, finite = step(model, optimizer)
    assert norm > 1
    assert finite
    saved = {name: value.clone() for name, value in optimizer.state().items()}
    assert saved
    other, fresh = made(kind)
    other.load_state_dict(model.state_dict())
    fresh.restore(saved)
    for _ in range(3):
        step(model, optimizer)
        step(other, fresh)
    for one, two in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two)
    fresh.restore({})
    assert not any(value.any() for value in fresh.state().values())


@pytest.mark.parametrize("kind", ["muon", "adam"])
def test_recording_changes_nothing_and_later_rates_count(kind, graphs):
    (model, optimizer), (other, plain) = made(kind), made(kind)
    step(model, optimizer)
    step(other, plain)
    numbers, gradients = torch.ones(2), [torch.ones_like(p) for p in model.parameters()]
    optimizer._work = optimizer._recorded((numbers, *gradients))
    assert not optimizer.unrecorded
    assert_same(model, other)
    for rate in RATES:
        step(model, optimizer, rate)
        step(other, plain, rate)
    assert_same(model, other)


@pytest.mark.parametrize("kind", ["muon", "adam"])
def test_a_gradient_that_is_not_finite_moves_nothing(kind):
    model, optimizer = made(kind)
    before = [parameter.clone() for parameter in model.parameters()]
    (model(torch.ones(2, 4)) * torch.nan).sum().backward()
    _, finite = optimizer.step(torch.tensor([0.02, 1.0]))
    assert not finite
    for old, new in zip(before, model.parameters(), strict=True):
        assert torch.equal(old, new)
