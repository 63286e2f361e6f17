from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"  # Triton reads it when it is imported.


@pytest.fixture
def graphs(monkeypatch: pytest.MonkeyPatch) -> None:
    """What CUDA graphs do, on the CPU: the same memory is read and written every time."""

    def record(work: Callable[[], tuple[Tensor, ...]], pool: Any) -> Any:
        outputs = tuple(tensor.clone() for tensor in work())

        def replay() -> None:
            for place, tensor in zip(outputs, work(), strict=True):
                place.copy_(tensor)

        return replay, outputs

    monkeypatch.setattr("pufftui.trainer.graphs.record", record)


@pytest.fixture
def interpreter() -> Iterator[None]:
    """For tests of Triton's kernels on the CPU; skips where there is something better, or nothing."""
    pytest.importorskip(
        "triton.language", reason="Triton is not installed; make test does where it can be"
    )
    if torch.cuda.is_available():
        pytest.skip("there is a GPU, so test_gpu.py runs the kernels for real")
    with np.errstate(invalid="ignore"):  # Lanes that have no number are no matter.
        yield
