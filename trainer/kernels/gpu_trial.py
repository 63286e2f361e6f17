"""A trial of every kernel for a GPU: what fails here is done by torch instead.

The arrays have the formats and, but for the number of agents, the sizes that training usually has, since Triton
compiles a kernel for each kind of them; and several kernels are compiled at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor

from pufftui.trainer.kernels import gpu, gpu_gather, gpu_priority, gpu_sums
from pufftui.trainer.kernels.gpu_loss import ppo_loss
from pufftui.trainer.kernels.sums import places

AT_ONCE = 8
"""Kernels that are compiled at a time."""


class Trial:
    """The trials of a device; `steps` and the rest are the sizes of their arrays."""

    def __init__(self, device: torch.device, *, small: bool) -> None:
        """`small` for Triton's interpreter, which takes its time."""
        self.device = device
        self.steps, self.agents, self.segments = (2, 3, 2) if small else (16, 64, 32)
        self.width, self.choices = (8, 2) if small else (128, 3)
        bf16 = not small and device.type == "cuda" and torch.cuda.is_bf16_supported()
        self.number = torch.bfloat16 if bf16 else torch.float32

    def all(self) -> list[Callable[[], Any]]:
        """Each raises whatever keeps its kernels from being compiled or started."""
        return [
            self.advantages,
            self.forward,
            self.backward,
            self.draw,
            self.loss,
            self.sums,
            self.columns,
            self.priority,
            self.features,
            self.pick,
            self.put_back,
        ]

    def numbers(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Zeros on the device."""
        return torch.zeros(shape, dtype=dtype, device=self.device)

    def each(self, names: str, *shape: int, **options: Any) -> dict[str, Any]:
        """An array for each of the names."""
        return {name: self.numbers(*shape, **options) for name in names.split()}

    def layer(self) -> dict[str, Any]:
        """What both kernels of a MinGRU layer get."""
        steps, rows, width = self.steps, self.segments, self.width
        resets = self.numbers(steps, rows, dtype=torch.uint8)
        layer = {"steps": steps, "rows": rows, "width": width, "bf16": 0, "resets": resets}
        layer["gates"] = self.numbers(steps, rows, 3 * width, dtype=self.number)
        layer["inputs"] = self.numbers(steps, rows, width, dtype=self.number)
        return layer | self.each("initial", rows, width) | self.each("states", steps, rows, width)

    def forward(self) -> None:
        layer = self.layer()
        gpu.run("puff_mingru_forward", **layer, outputs=layer["inputs"])

    def backward(self) -> None:
        layer = self.layer()
        names, shape = "output_gradients input_gradients", layer["inputs"].shape
        gradients = self.each(names, *shape, dtype=self.number)
        gpu.run("puff_mingru_backward", **layer, **gradients, gate_gradients=layer["gates"])

    def advantages(self) -> None:
        steps, rows = self.steps, self.agents
        batch: dict[str, Any] = {"steps": steps, "rows": rows}
        batch |= {"gamma": 0.99, "gae_lambda": 0.9, "rho_clip": 1.0, "c_clip": 1.0}
        batch |= self.each("rewards final_values ratios advantages", steps, rows)
        batch |= self.each("terminals truncations alive", steps, rows, dtype=torch.uint8)
        batch |= self.each("values", steps + 1, rows) | self.each("magnitudes", rows)
        gpu.run("puff_advantages", **batch)

    def draw(self) -> None:
        rows, sizes = self.agents, torch.tensor([self.choices], dtype=torch.int32)
        sampling = {"rows": rows, "stride": self.choices + 1, "components": 1, "sizes": sizes}
        sampling |= self.each("uniforms", rows, 1) | self.each("log_probabilities", rows)
        sampling["actions"] = self.numbers(rows, 1, dtype=torch.int32)
        gpu.run("puff_sample", **sampling, logits=self.numbers(rows, self.choices + 1))

    def loss(self) -> None:
        steps, rows = self.steps, self.segments
        names = "old_log_probabilities old_values advantages alive ratios values"
        sizes = torch.tensor([self.choices], dtype=torch.int32)
        ppo_loss(
            **self.each(names, steps, rows),
            **self.each("heads head_gradients", steps, rows, self.choices + 1),
            **self.each("moments coefficients", 4, dtype=torch.float64),
            sizes=sizes.to(self.device),
            largest=self.choices,
            actions=self.numbers(steps, rows, 1, dtype=torch.int32),
            weights=self.numbers(rows),
        )

    def sums(self) -> None:
        alive = self.numbers(self.steps, self.agents, dtype=torch.uint8)
        rows = torch.arange(self.segments, device=self.device)
        moments = gpu_sums.moments(self.numbers(self.steps, self.agents), alive, rows)
        sums = self.numbers(4, len(places()), dtype=torch.float64)
        gpu_sums.total_and_figures(sums, moments, self.numbers(4, dtype=torch.float64))

    def columns(self) -> None:
        rows = self.steps * self.segments
        gpu_sums.columns(self.numbers(rows, self.width, dtype=self.number))
        gpu_sums.columns(self.numbers(rows, self.choices + 1))

    def priority(self) -> None:
        gpu_priority.draw(
            *(self.numbers(self.agents), 0.8, self.numbers(1), self.numbers(1), self.segments),
            spread=0.1,
        )

    def features(self) -> None:
        seen = self.numbers(self.steps, self.agents, 8, dtype=torch.uint8)
        rows = torch.arange(self.segments, device=self.device)
        table = torch.tensor([[0, 1, 0], [4, 0, 0], [5, 2, 1]], dtype=torch.int32).to(self.device)
        gpu_gather.features(seen, rows, table, self.number, wide=gpu_gather.FLOATS, words=True)
        normal = self.each("shifts scales", len(table))
        gpu_gather.features(seen, rows, table, self.number, wide=gpu_gather.FLOATS, **normal)

    def pick(self) -> None:
        steps, agents = self.steps, self.agents
        gpu_gather.pick(
            torch.arange(self.segments, device=self.device),
            resets=self.numbers(steps, agents, dtype=torch.uint8),
            state=self.numbers(1, 1, agents, self.width),
            actions=self.numbers(steps, agents, 1, dtype=torch.int32),
            alive=self.numbers(steps, agents, dtype=torch.uint8),
            **self.each("log_probabilities advantages values", steps, agents),
        )

    def put_back(self) -> None:
        new = self.each("new_ratios new_values", self.steps, self.segments)
        arrays = self.each("ratios values", self.steps, self.agents)
        trained = self.numbers(self.agents, dtype=torch.bool)
        rows = torch.arange(self.segments, device=self.device)
        gpu_gather.put_back(rows, **new, **arrays, trained=trained)


def try_out(device: torch.device) -> None:
    """Raises whatever keeps Triton from compiling or starting one of the kernels."""
    on_gpu = device.type == "cuda"
    first, *others = Trial(device, small=not on_gpu).all()
    first()  # Alone: Triton sets itself up.

    def try_one(trial: Callable[[], Any]) -> None:
        if on_gpu:
            torch.cuda.set_device(device)  # Each thread has its own.
        trial()

    with ThreadPoolExecutor(AT_ONCE if on_gpu else 1) as pool:
        for _ in pool.map(try_one, others):
            pass
