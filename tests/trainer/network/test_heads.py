"""The fused last layer against torch's."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from pufftui.trainer.network.heads import MOST_HEADS, last_layer


@pytest.mark.parametrize(
    ("shape", "outputs"),
    [((1, 1), 1), ((5, 128), 4), ((3, 70, 64), 6), ((77, 130), 27), ((9, 16), MOST_HEADS)],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_results_and_gradients(shape, outputs, dtype):
    torch.manual_seed(0)
    tensors = [
        torch.randn(shape).to(dtype).requires_grad_(),
        torch.randn(outputs, shape[-1]).requires_grad_(),
        torch.randn(outputs).requires_grad_(),
    ]
    plain = [tensor.detach().double().requires_grad_() for tensor in tensors]
    results, same = last_layer(*tensors), F.linear(*plain)
    weights = torch.randn(same.shape)
    (results * weights).sum().backward()
    (same * weights).sum().backward()
    assert results.dtype == torch.float32
    torch.testing.assert_close(results, same.float(), rtol=1e-4, atol=1e-4)
    for ours, other in zip(tensors, plain, strict=True):
        loose = {"rtol": 1e-2, "atol": 1e-2} if ours.dtype == torch.bfloat16 else {}
        torch.testing.assert_close(
            ours.grad, other.grad.to(ours.dtype), **({"rtol": 1e-4, "atol": 1e-4} | loose)
        )


def test_more_outputs_than_the_kernel_takes():
    inputs, weights = torch.randn(3, 8), torch.randn(MOST_HEADS + 1, 8)
    biases = torch.randn(MOST_HEADS + 1)
    torch.testing.assert_close(
        last_layer(inputs, weights, biases), F.linear(inputs, weights, biases)
    )
