"""Muon: momentum whose step is made orthogonal, so that it moves a matrix in all directions alike.

Jordan et al., "Muon: an optimizer for hidden layers in neural networks" (2024). torch's own always works in
bfloat16, which most processors only imitate, and where it would take more than half of the training time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

ITERATIONS = 5
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Jordan's: singular values come near 1 quickly, and then stay between 0.7 and 1.2."""


class Muon:
    """The steps of some matrices, at a learning rate of 1; `momentum_buffers` are its state."""

    def __init__(self, matrices: Mapping[str, Tensor], momentum: float, dtype: torch.dtype) -> None:
        """`dtype` is the number format of its products, whichever the device is fast at."""
        self.momentum, self.dtype = momentum, dtype
        self.momentum_buffers = {name: torch.zeros_like(m) for name, m in matrices.items()}
        self._alike: dict[torch.Size, list[str]] = {}
        for name, matrix in matrices.items():
            self._alike.setdefault(matrix.shape, []).append(name)

    def keep_in(self, momenta: Tensor) -> None:
        """From now on has the momenta in these numbers, one matrix behind the other, for whoever takes the steps."""
        for name, buffer in self.momentum_buffers.items():
            own, momenta = momenta[: buffer.numel()], momenta[buffer.numel() :]
            self.momentum_buffers[name] = own.view(buffer.shape).copy_(buffer)

    def moves(self, gradients: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What to add to each matrix."""
        moves: dict[str, Tensor] = {}
        for shape, names in self._alike.items():
            ahead = []
            for name in names:
                buffer = self.momentum_buffers[name].lerp_(gradients[name], 1 - self.momentum)
                ahead.append(gradients[name].lerp(buffer, self.momentum))  # Nesterov's
            size = -math.sqrt(max(1.0, shape[0] / shape[1]))
            steps = size * orthogonal(torch.stack(ahead), self.dtype).float()
            moves |= dict(zip(names, steps.unbind(), strict=True))
        return moves


def orthogonal(matrices: Tensor, dtype: torch.dtype) -> Tensor:
    """U V^T, about, for each matrix U S V^T of (count, rows, columns), with products in the number format `dtype`.

    By a Newton-Schulz iteration: x becomes a x + b (x x^T) x + c (x x^T)^2 x. The kernels that take whole steps have
    iterations of their own.
    """
    a, b, c = COEFFICIENTS
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if tall else matrices
    x = (x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)).to(dtype)
    for _ in range(ITERATIONS):
        products = x @ x.mT
        x = torch.baddbmm(
            x, torch.baddbmm(products, products, products, beta=b, alpha=c), x, beta=a
        )
    return x.mT if tall else x
