"""What the policy's first layer reads, made from raw observations."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from pufftui.envs.descriptor import Descriptor, DType
from pufftui.trainer import kernels


class Features:
    """Floats as they are, categories one-hot, plain bytes scaled to [0, 1].

    `width` is their number; they come in the number format of the matrix products.
    """

    def __init__(self, descriptor: Descriptor, dtype: torch.dtype) -> None:
        self.fields = descriptor.fields
        self.dtype = dtype
        self.width = sum(field.count * max(field.classes, 1) for field in self.fields)
        table = [[f.offset, f.count, f.dtype, f.classes] for f in self.fields]
        self._table = torch.tensor(table, dtype=torch.int32)
        self._bytes = descriptor.observation_bytes
        self._on_devices: dict[torch.device, dict[str, Any]] = {}

    def __call__(self, observations: Tensor, rows: Tensor | None) -> Tensor:
        """Observations (steps, agents, bytes) uint8 -> (steps, rows, width).

        `rows` (rows,) int64 picks agents; None takes all.
        """
        if kernels.on_gpu(observations):
            return self._on_gpu(observations, rows)
        if not observations.is_cpu:
            picked = observations if rows is None else observations.index_select(1, rows)
            return self.plain(picked)
        steps, agents, count = observations.shape
        segments = agents if rows is None else len(rows)
        outputs = torch.empty((steps, segments, self.width), dtype=self.dtype)
        kernels.run(
            "puff_make_features",
            "puff_features",
            torch.get_num_threads(),
            steps=steps,
            agents=agents,
            segments=segments,
            bytes=count,
            width=self.width,
            field_count=len(self.fields),
            bf16=int(self.dtype == torch.bfloat16),
            fields=self._table,
            observations=observations.contiguous(),
            indices=None if rows is None else rows.contiguous(),
            outputs=outputs,
        )
        return outputs

    def on_gpu(self, device: torch.device) -> dict[str, Any]:
        """What the kernels for a GPU have to know of the fields; it goes there once, which no recording may do."""
        from pufftui.trainer.kernels import gpu_gather

        if device not in self._on_devices:
            self._on_devices[device] = {
                "table": gpu_gather.feature_table(self.fields).to(device),
                "has_floats": any(field.dtype is DType.FLOAT32 for field in self.fields),
                "words": gpu_gather.in_words(self.fields, self._bytes),
            }
        return self._on_devices[device]

    def _on_gpu(self, observations: Tensor, rows: Tensor | None) -> Tensor:
        from pufftui.trainer.kernels import gpu_gather

        about = self.on_gpu(observations.device)
        return gpu_gather.features(observations, rows, dtype=self.dtype, **about)

    def plain(self, observations: Tensor) -> Tensor:
        """The same written in torch, for any device: (..., bytes) -> (..., width)."""
        parts = []
        for field in self.fields:
            end = field.offset + field.count * field.dtype.itemsize
            part = observations[..., field.offset : end]
            if field.dtype is DType.FLOAT32:
                parts.append(part.contiguous().view(torch.float32).to(self.dtype))
            elif field.classes:
                classes = torch.arange(field.classes, dtype=torch.uint8, device=part.device)
                parts.append((part.unsqueeze(-1) == classes).to(self.dtype).flatten(-2))
            else:
                parts.append((part.float() / 255).to(self.dtype))
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)
