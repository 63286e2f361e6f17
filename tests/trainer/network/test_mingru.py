"""The fused MinGRU scan against the same formula in torch, with gradients by autograd."""

import pytest
import torch

from pufftui.trainer.network.mingru import scan, scan_in_torch


def scan_reference(gates, inputs, resets, initial):
    """The formula as it is written down, step by step."""
    candidate, gate, highway = gates.to(initial.dtype).chunk(3, dim=-1)
    z, passed = torch.sigmoid(gate), torch.sigmoid(highway)
    filtered = torch.where(candidate >= 0, candidate + 0.5, torch.sigmoid(candidate))
    state, states = initial, []
    for step in range(len(gates)):
        if resets is not None:
            state = state * (1 - resets[step].to(state.dtype)).unsqueeze(-1)
        state = (1 - z[step]) * state + z[step] * filtered[step]
        states.append(state)
    outputs = passed * torch.stack(states) + (1 - passed) * inputs.to(initial.dtype)
    return outputs.to(gates.dtype), state


def problem(seed, steps, rows, width, dtype=torch.float32, resets=True):
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(shape, generator=generator).to(dtype)

    return {
        "gates": (2 * normal(steps, rows, 3 * width)).requires_grad_(),
        "inputs": normal(steps, rows, width).requires_grad_(),
        "resets": (torch.rand(steps, rows, generator=generator) < 0.2).to(torch.uint8)
        if resets
        else None,
        "initial": normal(rows, width).float(),
    }


@pytest.mark.parametrize("scan", [scan, scan_in_torch])
@pytest.mark.parametrize("resets", [True, False])
@pytest.mark.parametrize(
    ("steps", "rows", "width"), [(1, 1, 1), (5, 3, 8), (17, 7, 64), (9, 5, 100), (64, 33, 128)]
)
def test_outputs_and_gradients(steps, rows, width, resets, scan):
    fused = problem(steps, steps, rows, width, resets=resets)
    plain = problem(steps, steps, rows, width, resets=resets)
    outputs, last = scan(**fused)
    expected, expected_last = scan_reference(**plain)
    torch.testing.assert_close(outputs, expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(last, expected_last, rtol=1e-5, atol=1e-5)
    weights = torch.linspace(-1, 1, outputs.numel()).view_as(outputs)
    (outputs * weights).sum().backward()
    (expected * weights).sum().backward()
    for name in ("gates", "inputs"):
        torch.testing.assert_close(fused[name].grad, plain[name].grad, rtol=1e-4, atol=1e-5)


def test_bfloat16_is_the_float_result_rounded():
    fused = problem(4, 20, 9, 64, torch.bfloat16)
    outputs, _ = scan(**fused)
    exact = {
        name: value.detach().float() if name in ("gates", "inputs") else value
        for name, value in fused.items()
    }
    expected, _ = scan_reference(**exact)
    assert outputs.dtype == torch.bfloat16
    torch.testing.assert_close(outputs, expected.to(torch.bfloat16), rtol=1e-2, atol=1e-3)
    outputs.float().sum().backward()
    assert torch.isfinite(fused["gates"].grad.float()).all()


def test_the_number_of_threads_changes_nothing():
    results = []
    threads = torch.get_num_threads()
    try:
        for count in (1, 2, 5):
            torch.set_num_threads(count)
            case = problem(6, 11, 13, 128)
            outputs, _ = scan(**case)
            outputs.square().sum().backward()
            results.append((outputs.detach(), case["gates"].grad))
    finally:
        torch.set_num_threads(threads)
    for outputs, gradient in results[1:]:
        assert torch.equal(outputs, results[0][0])
        assert torch.equal(gradient, results[0][1])


def test_extreme_gates_stay_finite():
    case = problem(2, 6, 2, 16)
    with torch.no_grad():
        case["gates"].mul_(1000)
    outputs, _ = scan(**case)
    outputs.sum().backward()
    assert torch.isfinite(outputs).all()
    assert torch.isfinite(case["gates"].grad).all()


def test_numbers_that_are_not_finite_come_through():
    case = problem(2, 6, 2, 16)
    with torch.no_grad():
        case["inputs"][0, 0, 0] = torch.nan
    outputs, _ = scan(**case)
    assert torch.isnan(outputs[0, 0, 0])
