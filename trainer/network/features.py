"""What the policy's first layer reads, made from raw observations."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from pufftui.envs.descriptor import Descriptor, DType
from pufftui.trainer import kernels
from pufftui.trainer.network.normaliser import Normaliser, numbers


class Features:
    """Numbers as they are or normalised, categories one-hot, plain bytes scaled to [0, 1] or, if they declare low and high, normalised.

    `width` is their number; they come in the number format of the matrix products.
    """

    def __init__(
        self, descriptor: Descriptor, dtype: torch.dtype, normaliser: Normaliser | None = None
    ) -> None:
        """With a `normaliser`, which must be where the observations are, features are what it makes of them."""
        self.fields = descriptor.fields
        self.normaliser = normaliser
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
        segments = observations.shape[1] if rows is None else len(rows)
        outputs = torch.empty((len(observations), segments, self.width), dtype=self.dtype)
        kernels.run(*self._call(), **self._job(observations.contiguous(), rows, outputs))
        return outputs

    def prepared(self, observations: Tensor) -> kernels.Prepared:
        """What another kernel on the CPU has to know, to make those of observations (agents, bytes) on its way."""
        return self.prepared_for(observations[None], None)

    def prepared_for(self, observations: Tensor | None, rows: Tensor | None) -> kernels.Prepared:
        """The same of observations (steps, agents, bytes), and for `rows` as in the call; None if it brings its own."""
        if observations is None:
            observations = torch.empty((0, 0, self._bytes), dtype=torch.uint8)
        nowhere = torch.empty(0, dtype=self.dtype)
        return kernels.prepared(
            *self._call(), **self._job(observations.contiguous(), rows, nowhere)
        )

    def buffers(self) -> tuple[Tensor, ...]:
        """What features depend on beside the observations, and what changes in place."""
        normaliser = self.normaliser
        return () if normaliser is None else (normaliser.shifts, normaliser.scales)

    def _call(self) -> tuple[str, str, int]:
        return "puff_make_features", "puff_features", torch.get_num_threads()

    def _job(self, observations: Tensor, rows: Tensor | None, outputs: Tensor) -> dict[str, Any]:
        steps, agents, count = observations.shape
        normaliser = self.normaliser
        return {
            "steps": steps,
            "agents": agents,
            "segments": agents if rows is None else len(rows),
            "bytes": count,
            "width": self.width,
            "field_count": len(self.fields),
            "bf16": int(self.dtype == torch.bfloat16),
            "fields": self._table,
            "observations": observations,
            "indices": None if rows is None else rows.contiguous(),
            "shifts": None if normaliser is None else normaliser.shifts,
            "scales": None if normaliser is None else normaliser.scales,
            "outputs": outputs,
        }

    def on_gpu(self, device: torch.device) -> dict[str, Any]:
        """What the kernels for a GPU have to know of the fields; it goes there once, which no recording may do."""
        from pufftui.trainer.kernels import gpu_gather

        if device not in self._on_devices:
            self._on_devices[device] = {
                "table": gpu_gather.feature_table(self.fields).to(device),
                "wide": gpu_gather.wide_kinds(self.fields),
                "words": gpu_gather.in_words(self.fields, self._bytes),
            }
        normaliser = self.normaliser
        if normaliser is None:
            return self._on_devices[device]
        return self._on_devices[device] | {
            "shifts": normaliser.shifts,
            "scales": normaliser.scales,
        }

    def _on_gpu(self, observations: Tensor, rows: Tensor | None) -> Tensor:
        from pufftui.trainer.kernels import gpu_gather

        about = self.on_gpu(observations.device)
        return gpu_gather.features(observations, rows, dtype=self.dtype, **about)

    def plain(self, observations: Tensor) -> Tensor:
        """The same written in torch, for any device: (..., bytes) -> (..., width)."""
        normaliser = self.normaliser
        number = (
            self.dtype if normaliser is None else torch.float32
        )  # It works before the rounding.
        parts = []
        for field in self.fields:
            part = numbers(field, observations)
            if field.classes:
                classes = torch.arange(field.classes, dtype=torch.uint8, device=part.device)
                parts.append((part.unsqueeze(-1) == classes).to(number).flatten(-2))
            elif field.dtype is DType.UINT8:
                parts.append((part / 255).to(number))
            else:
                parts.append(part.to(number))
        features = parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)
        return features if normaliser is None else normaliser(features).to(self.dtype)
