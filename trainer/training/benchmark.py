"""What the arithmetic costs and what the machine could do: the yardstick of `pufftui bench`."""

from __future__ import annotations

import time
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812

from pufftui.trainer.kernels.threads import work_on
from pufftui.trainer.messages.weights import PolicyWeights
from pufftui.trainer.ppo.device import choose_device, product_dtype, thread_count
from pufftui.trainer.settings.fields import Config

SHAPES = ((32768, 128, 384), (8192, 512, 512), (4096, 1024, 1024), (2048, 2048, 2048))
"""Rows, inputs and outputs of the products that are tried."""


def step_flops(weights: PolicyWeights, replay_ratio: float, *, looks_up: bool = False) -> float:
    """Floating point operations of the matrix products behind one agent step.

    Per weight 2 in the rollout; in training 2 forward, 2 for the weight's gradient and 2 for the
    gradient of its input, which the first layer does without. One that `looks_up` has no product.
    """
    flops = 0.0
    for name, array in weights.arrays.items():
        first = name.startswith("encoder.")
        if array.ndim == 2 and not (first and looks_up):
            training = 4 if first else 6
            flops += array.size * (2 + replay_ratio * training)
    return flops


def matmul_rate(config: Config, seconds: float = 2.0) -> float:
    """The best rate of torch's linear at the policy's precision, in operations per second."""
    device = choose_device(config.run.device)
    dtype = product_dtype(config.train.precision, device)
    work_on(thread_count(config.vec.threads))
    with torch.inference_mode():
        return max(_rate(shape, device, dtype, seconds / len(SHAPES)) for shape in SHAPES)


def _rate(
    shape: tuple[int, int, int], device: torch.device, dtype: torch.dtype, seconds: float
) -> float:
    rows, inputs, outputs = shape
    options: dict[str, Any] = {"device": device, "dtype": dtype}
    values, weight = torch.randn(rows, inputs, **options), torch.randn(outputs, inputs, **options)

    def batch(count: int) -> float:
        begin = time.perf_counter()
        for _ in range(count):
            F.linear(values, weight)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return time.perf_counter() - begin

    batch(3)  # the first calls choose kernels and reserve memory
    fastest, count = float("inf"), 1
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        took = batch(count)
        fastest = min(fastest, took / count)
        # Long enough that starting and waiting for a GPU does not count.
        if took < 0.02:
            count *= 2
    return 2.0 * rows * inputs * outputs / fastest
