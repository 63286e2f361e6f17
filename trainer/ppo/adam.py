"""Adam (Kingma and Ba, arXiv 1412.6980): momentum, each number's step being scaled by how large its gradients are.

torch's own takes one to three seconds to be imported, for a compiler that nothing here uses.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor


class Adam:
    """The steps of some tensors at a fixed rate; `state` is the whole of it, and may be changed in place."""

    def __init__(
        self,
        tensors: Mapping[str, Tensor],
        *,
        rate: float,
        betas: tuple[float, float],
        epsilon: float,
    ) -> None:
        """The `tensors` are float32, all on one device."""
        self.rate, self.betas, self.epsilon = rate, betas, epsilon
        self._shapes = {name: tensor.shape for name, tensor in tensors.items()}
        self._sizes = [tensor.numel() for tensor in tensors.values()]
        device = next(iter(tensors.values())).device if tensors else None
        # One behind the other, so that a step is a few operations however many tensors there are.
        self._mean = torch.zeros(sum(self._sizes), device=device)
        self._square = torch.zeros_like(self._mean)
        self._counts = torch.zeros(len(self._sizes), device=device)

    @property
    def names(self) -> tuple[str, ...]:
        """Those of the tensors, in the order in which their numbers lie."""
        return tuple(self._shapes)

    @property
    def numbers(self) -> int:
        """How many numbers they have."""
        return sum(self._sizes)

    def keep_in(self, means: Tensor, squares: Tensor) -> None:
        """From now on has the moments in these, (numbers,) each, for whoever takes the steps."""
        self._mean, self._square = means.copy_(self._mean), squares.copy_(self._square)

    def count_on(self) -> tuple[float, float]:
        """Counts a step that somebody else takes; by what it divides the mean, and the root of the square."""
        counts = self._counts.numpy()  # Of so few numbers in far less time.
        counts += 1
        count, (first, second) = float(counts[0]) if self._shapes else 1.0, self.betas
        return 1 - first**count, math.sqrt(1 - second**count)

    @property
    def state(self) -> dict[str, dict[str, Tensor]]:
        """By name, as torch calls it: `step` (), and `exp_avg` and `exp_avg_sq` in the tensor's shape."""
        means, squares = self._cut(self._mean), self._cut(self._square)
        counts = dict(zip(self._shapes, self._counts.unbind(), strict=True))
        return {
            name: {"step": counts[name], "exp_avg": means[name], "exp_avg_sq": squares[name]}
            for name in self._shapes
        }

    def moves(self, gradients: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What to add to each tensor."""
        if not self._shapes:
            return {}
        gradient = torch.cat([gradients[name].flatten() for name in self._shapes])
        first, second = self.betas
        self._counts += 1
        count = self._counts[0]  # They all go on together.
        self._mean.lerp_(gradient, 1 - first)
        self._square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
        size = self._square.sqrt().div_((1 - second**count).sqrt()).add_(self.epsilon)
        return self._cut(self._mean / size * (-self.rate / (1 - first**count)))

    def _cut(self, flat: Tensor) -> dict[str, Tensor]:
        parts = flat.split(self._sizes)
        return {
            name: part.view(shape)
            for (name, shape), part in zip(self._shapes.items(), parts, strict=True)
        }
