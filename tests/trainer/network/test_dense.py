"""The linear layer for a GPU, with its kernel in Triton's interpreter, is torch's."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from pufftui.trainer.network.dense import Dense


@pytest.mark.parametrize("rows", [(1,), (5, 7), (3, 100)])
@pytest.mark.parametrize(("width", "outputs"), [(4, 1), (118, 128), (16, 130)])
def test_results_and_gradients(rows, width, outputs, interpreter):
    chance = torch.Generator().manual_seed(width)
    found = []
    for fused in (True, False):
        chance.manual_seed(width)
        inputs = torch.randn(*rows, width, generator=chance).requires_grad_()
        weights = torch.randn(outputs, width, generator=chance).requires_grad_()
        biases = torch.randn(outputs, generator=chance).requires_grad_()
        if fused:
            results = Dense.apply(inputs, weights, biases, torch.float32)
        else:
            results = F.linear(inputs, weights, biases)
        (results * torch.randn(results.shape, generator=chance)).sum().backward()
        found.append((results.detach(), inputs.grad, weights.grad, biases.grad))
    for one, two in zip(*found, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-4)


def test_sums_of_bfloat16_are_not_rounded(interpreter):
    """More rows than bfloat16 can count: rounded, the sum would stop at 256."""
    inputs = torch.ones(1000, 1, dtype=torch.bfloat16)
    weights, biases = torch.zeros(2, 1).requires_grad_(), torch.zeros(2).requires_grad_()
    for dtype in (torch.bfloat16, torch.float32):
        results = Dense.apply(inputs, weights, biases, dtype)
        assert results.dtype == dtype
        weights.grad = biases.grad = None
        results.backward(torch.ones_like(results))
        assert (weights.grad == 1000).all()
        assert (biases.grad == 1000).all()
