"""A trial of every kernel for a GPU: what fails here is done by torch instead."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from pufftui.trainer.kernels import gpu, gpu_gather, gpu_priority, gpu_sums
from pufftui.trainer.kernels.gpu_loss import ppo_loss

STEPS, ROWS, WIDTH, CHOICES = 2, 3, 8, 2


def try_out(device: torch.device) -> None:
    """Raises whatever keeps Triton from compiling or starting one of the kernels."""

    def numbers(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        return torch.zeros(shape, dtype=dtype, device=device)

    def each(names: str, *shape: int, **options: Any) -> dict[str, Any]:
        return {name: numbers(*shape, **options) for name in names.split()}

    steps = {"steps": STEPS, "rows": ROWS}
    layer = steps | {"width": WIDTH, "bf16": 0, "resets": None, "initial": numbers(ROWS, WIDTH)}
    layer |= each("gates", STEPS, ROWS, 3 * WIDTH) | each("inputs states", STEPS, ROWS, WIDTH)
    gpu.run("puff_mingru_forward", **layer, outputs=layer["inputs"])
    gradients = each("output_gradients input_gradients", STEPS, ROWS, WIDTH)
    gpu.run("puff_mingru_backward", **layer, **gradients, gate_gradients=layer["gates"])

    batch = steps | dict.fromkeys(("gamma", "gae_lambda", "rho_clip", "c_clip"), 1.0)
    batch |= each("rewards final_values ratios advantages", STEPS, ROWS)
    batch |= each("terminals truncations", STEPS, ROWS, dtype=torch.uint8)
    gpu.run("puff_advantages", **batch, values=numbers(STEPS + 1, ROWS), magnitudes=numbers(ROWS))

    sizes = torch.tensor([CHOICES], dtype=torch.int32)
    actions = numbers(STEPS, ROWS, 1, dtype=torch.int32)
    sampling = {"rows": ROWS, "stride": CHOICES, "components": 1, "sizes": sizes}
    sampling |= {"uniforms": numbers(ROWS, 1), "log_probabilities": numbers(ROWS)}
    gpu.run("puff_sample", **sampling, logits=numbers(ROWS, CHOICES), actions=actions[0])

    names = "old_log_probabilities old_values advantages alive ratios values"
    ppo_loss(
        **each(names, STEPS, ROWS),
        **each("heads head_gradients", STEPS, ROWS, CHOICES + 1),
        **each("moments coefficients", 4, dtype=torch.float64),
        sizes=sizes.to(device),
        largest=CHOICES,
        actions=actions,
        weights=numbers(ROWS),
    )

    moments = gpu_sums.moments(numbers(STEPS, ROWS), numbers(STEPS, ROWS))
    gpu_sums.moments(numbers(STEPS, ROWS), numbers(STEPS, ROWS), torch.arange(2, device=device))
    sums = numbers(12, dtype=torch.float64)
    gpu_sums.total_and_figures(sums, moments, numbers(4, dtype=torch.float64))
    gpu_priority.draw(numbers(ROWS), 1.0, numbers(1), numbers(1), 2)
    _try_gathering(device)


def _try_gathering(device: torch.device) -> None:
    rows = torch.arange(2, device=device)
    seen = torch.zeros((STEPS, ROWS, 8), dtype=torch.uint8, device=device)
    table = torch.tensor([[0, 1, 0], [4, 0, 0], [5, 2, 1]], dtype=torch.int32).to(device)
    for words in (True, False):
        gpu_gather.features(seen, rows, table, torch.float32, words=words)
    flags, floats = seen[..., 0].contiguous(), torch.zeros((STEPS, ROWS), device=device)
    gpu_gather.pick(
        rows,
        resets=flags,
        state=floats.view(1, STEPS, ROWS, 1),
        actions=floats.unsqueeze(-1),
        log_probabilities=floats,
        alive=flags,
        advantages=floats,
        values=floats,
    )
    trained = torch.zeros(ROWS, dtype=torch.bool, device=device)
    gpu_gather.put_back(rows, floats[:, :2].contiguous(), floats, floats, floats, trained)
