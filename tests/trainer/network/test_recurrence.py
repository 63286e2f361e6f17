"""The recurrence by doubling against the same step by step."""

from collections import Counter

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from pufftui.trainer.network.recurrence import recur


def step_by_step(decay, added):
    state, states = torch.zeros_like(added[0]), []
    for step in range(len(decay)):
        state = decay[step] * state + added[step]
        states.append(state)
    return torch.stack(states)


def numbers(steps, *shape):
    generator = torch.Generator().manual_seed(steps)
    decay = torch.rand(steps, *shape, generator=generator, dtype=torch.float64)
    # Some forget everything, as at the beginning of an episode.
    decay = decay * (torch.rand(steps, *shape, generator=generator) > 0.2)
    added = torch.randn(steps, *shape, generator=generator, dtype=torch.float64)
    return decay.requires_grad_(), added.requires_grad_()


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 8, 9, 64, 100])
def test_values_and_gradients(steps):
    decay, added = numbers(steps, 3, 2)
    weights = torch.linspace(-1, 1, added.numel(), dtype=torch.float64).view_as(added)
    one, two = recur(decay, added), step_by_step(decay, added)
    torch.testing.assert_close(one, two, rtol=1e-12, atol=1e-12)
    given = torch.autograd.grad((one * weights).sum(), (decay, added))
    wanted = torch.autograd.grad((two * weights).sum(), (decay, added))
    torch.testing.assert_close(given, wanted, rtol=1e-10, atol=1e-10)


def test_gradients_against_differences():
    assert torch.autograd.gradcheck(recur, numbers(6, 2))


class Counted(TorchDispatchMode):
    """Counts the operations that a device would be asked for."""

    def __init__(self):
        super().__init__()
        self.names = Counter()

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        self.names[operation.overloadpacket.__name__] += 1
        return operation(*args, **(kwargs or {}))


def test_a_thousand_steps_take_ten_passes():
    with Counted() as counted, torch.no_grad():
        recur(*numbers(1000, 4))
    assert counted.names["addcmul"] == 10
    assert counted.names["mul"] <= 11
    assert counted.names["cat"] == 20
