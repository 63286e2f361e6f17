"""A step in one kernel on the CPU: as torch takes it, the same bytes on any number of threads, and only where it fits."""

from __future__ import annotations

import copy
import itertools

import pytest
import torch
from torch import nn

from pufftui.trainer.kernels.threads import one_thread
from pufftui.trainer.ppo import cpu_step
from pufftui.trainer.ppo.optimizer import PolicyOptimizer
from pufftui.trainer.settings.fields import TrainConfig

STEPS = ((0.02, 3.0), (0.01, 0.1), (0.03, torch.nan), (0.03, 0.5), (0.01, torch.inf))
"""Learning rates and norms of gradients, of which one is clipped and two are no numbers."""

SIZES = ([4, 6, 3], [118, 128, 512, 1], [700, 700], [118, 128, 96, 256, 700])
"""Widths of networks: tall and wide matrices, ones that several threads share, and ones that go side by side."""


@pytest.fixture(autouse=True)
def float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """The products' format, on whatever processor."""
    monkeypatch.setattr("pufftui.trainer.ppo.optimizer.product_dtype", lambda *_: torch.float32)
    if not cpu_step.fits([torch.zeros(1)]):
        pytest.skip("torch takes the steps on this processor")


def network(sizes: list[int]) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(*(nn.Linear(*pair) for pair in itertools.pairwise(sizes)))


def take(model: nn.Module, optimizer: PolicyOptimizer) -> list[tuple[float, bool]]:
    """All steps, with gradients that depend on nothing; the norms and whether they were finite."""
    random, told = torch.Generator().manual_seed(1), []
    for rate, size in STEPS:
        for parameter in model.parameters():
            parameter.grad = size * torch.randn(parameter.shape, generator=random)
        norm, finite = optimizer.step(torch.tensor([rate, 1.0]))
        told.append((float(norm), bool(finite)))
    return told


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("kind", ["muon", "adam"])
def test_it_is_the_step_that_torch_takes(kind: str, sizes: list[int]) -> None:
    model = network(sizes)
    twin = copy.deepcopy(model)
    kernel, plain = (PolicyOptimizer(m, TrainConfig(optimizer=kind)) for m in (model, twin))
    assert kernel.in_kernels is not None
    plain.in_kernels = None
    for one, other in zip(take(model, kernel), take(twin, plain), strict=True):
        assert one == pytest.approx(other, rel=1e-5, nan_ok=True)
    for one, two in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-5)
    for name, value in plain.state().items():
        torch.testing.assert_close(kernel.state()[name], value, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("sizes", SIZES)
def test_threads_make_no_difference(sizes: list[int]) -> None:
    models = []
    with one_thread():
        for threads in (1, 3):
            torch.set_num_threads(threads)
            model = network(sizes)
            take(model, PolicyOptimizer(model, TrainConfig()))
            models.append(model)
    for one, two in zip(models[0].parameters(), models[1].parameters(), strict=True):
        assert torch.equal(one, two)


def test_threads_make_no_difference_to_short_products(monkeypatch: pytest.MonkeyPatch) -> None:
    """In bfloat16 more of the matrices are worked on side by side, each in its place."""
    monkeypatch.setattr("pufftui.trainer.ppo.optimizer.product_dtype", lambda *_: torch.bfloat16)
    models = []
    with one_thread():
        for threads in (1, 3):
            torch.set_num_threads(threads)
            model = network([118, 128, 384, 128, 5])
            optimizer = PolicyOptimizer(model, TrainConfig())
            assert optimizer.in_kernels is not None
            take(model, optimizer)
            models.append(model)
    twin = network([118, 128, 384, 128, 5])
    plain = PolicyOptimizer(twin, TrainConfig())
    plain.in_kernels = None
    take(twin, plain)
    for one, two, other in zip(*(model.parameters() for model in (*models, twin)), strict=True):
        assert torch.equal(one, two)
        assert (one - other).norm() <= 0.02 * other.norm()


def test_what_is_restored_goes_on_alike() -> None:
    model = network([5, 7])
    optimizer = PolicyOptimizer(model, TrainConfig())
    take(model, optimizer)
    other = copy.deepcopy(model)
    again = PolicyOptimizer(other, TrainConfig())
    again.restore({name: value.clone() for name, value in optimizer.state().items()})
    take(model, optimizer)
    take(other, again)
    for one, two in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two)


def test_torch_knows_that_parameters_have_changed() -> None:
    """What was made of them elsewhere is made anew."""
    model = network([5, 7])
    before = [parameter._version for parameter in model.parameters()]
    take(model, PolicyOptimizer(model, TrainConfig()))
    after = [parameter._version for parameter in model.parameters()]
    assert all(one < other for one, other in zip(before, after, strict=True))


def test_other_numbers_are_left_to_torch() -> None:
    assert not cpu_step.fits([torch.zeros(2, 2, dtype=torch.float64)])
    assert not cpu_step.fits([torch.zeros(2, 3).T])


def test_parameters_that_were_moved_are_not_stepped() -> None:
    model = network([5, 7])
    optimizer = PolicyOptimizer(model, TrainConfig())
    layer = model[0]
    assert isinstance(layer, nn.Linear)
    layer.weight.data = layer.weight.data.clone()
    with pytest.raises(AssertionError, match="moved"):
        take(model, optimizer)
