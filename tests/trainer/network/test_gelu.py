"""The fused GELU against torch's."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from pufftui.trainer.network.gelu import gelu


@pytest.mark.parametrize("shape", [(1,), (3, 5), (7, 1024), (2, 3, 4096 + 17)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_values_and_gradients(shape, dtype):
    torch.manual_seed(0)
    inputs = (4 * torch.randn(shape)).to(dtype).requires_grad_()
    same = inputs.detach().clone().requires_grad_()
    weights = torch.randn(shape).to(dtype)
    (gelu(inputs) * weights).sum().backward()
    (F.gelu(same, approximate="tanh") * weights).sum().backward()
    close = {"rtol": 1e-5, "atol": 1e-5} if dtype == torch.float32 else {"rtol": 2e-2, "atol": 1e-2}
    torch.testing.assert_close(gelu(inputs), F.gelu(same, approximate="tanh"), **close)
    torch.testing.assert_close(inputs.grad, same.grad, **close)


def test_far_numbers_stay_finite():
    inputs = torch.tensor([-1e4, -50.0, 0.0, 50.0, 1e4], requires_grad=True)
    outputs = gelu(inputs)
    outputs.sum().backward()
    torch.testing.assert_close(outputs.detach(), torch.tensor([0.0, 0.0, 0.0, 50.0, 1e4]))
    torch.testing.assert_close(inputs.grad, torch.tensor([0.0, 0.0, 0.5, 1.0, 1.0]))
