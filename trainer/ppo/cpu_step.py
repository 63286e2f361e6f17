"""A step of the optimizer in one kernel on the CPU; the formulas are those of optimizer.py, adam.py and muon.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.graph import increment_version

from pufftui.trainer import kernels
from pufftui.trainer.ppo.adam import Adam
from pufftui.trainer.ppo.muon import COEFFICIENTS, ITERATIONS, Muon

Array = NDArray[np.float32]


def fits(parameters: Sequence[Tensor]) -> bool:
    """Whether these can be stepped here, and faster than by torch."""
    here = all(p.is_cpu and p.dtype == torch.float32 and p.is_contiguous() for p in parameters)
    return here and bool(kernels.opened()[1].puff_products_are_fast())


class CpuStep:
    """Steps parameters where they are, and with them Muon's and Adam's state, which others may read and set.

    None of the parameters may move to another place in memory. A few dozen operations of torch take longer than all of it
    where a network is small.
    """

    def __init__(self, parameters: Mapping[str, Tensor], adam: Adam, muon: Muon) -> None:
        """Adam moves those that it knows, Muon the rest."""
        self._adam = adam
        names = [*adam.names, *muon.momentum_buffers]
        order = list(parameters)
        self._order = [order.index(name) for name in names]
        ordered = [parameters[name] for name in names]
        matrices = ordered[len(adam.names) :]
        shapes = [(1, p.numel()) for p in ordered[: len(adam.names)]]
        shapes += [(matrix.shape[0], matrix.shape[1]) for matrix in matrices]
        self._parameters = ordered  # The kernel has addresses only.
        self._places = [p.data_ptr() for p in ordered]
        count = sum(p.numel() for p in ordered)
        means, squares = torch.zeros(count), torch.zeros(adam.numbers)
        adam.keep_in(means[: adam.numbers], squares)
        muon.keep_in(means[adam.numbers :])
        bf16 = int(muon.dtype == torch.bfloat16)
        scratch = [kernels.opened()[1].puff_orthogonal_scratch(*m.shape, bf16) for m in matrices]
        a, b, c = COEFFICIENTS
        gradients = torch.empty(count)
        self._gathered = gradients.numpy()
        self._norm = torch.empty(1)
        fields: dict[str, Tensor | float] = {
            "gradients": gradients,
            "norm": self._norm,
            **dict.fromkeys(("rate", "most", "first_correction", "second_correction"), 0.0),
            "parameters": len(ordered),
            "matrices": len(matrices),
            "places": torch.tensor(self._places, dtype=torch.int64),
            "shapes": torch.tensor(shapes, dtype=torch.int64),
            "means": means,
            "squares": squares,
            "moves": torch.empty(count),
            "share": adam.rate,
            "first": adam.betas[0],
            "second": adam.betas[1],
            "epsilon": adam.epsilon,
            "momentum": muon.momentum,
            "bf16": bf16,
            "iterations": ITERATIONS,
            "a": a,
            "b": b,
            "c": c,
            "scratch": torch.empty(sum(map(int, scratch)), dtype=torch.uint8),
        }
        self._step = kernels.prepared("puff_take_step", "puff_step", 1, **fields)

    def __call__(self, numbers: Tensor, gradients: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """One step with these (learning rate, most that the gradient's norm may be); gradients in the order of the parameters.

        Returns the gradient's norm before clipping, and whether it was finite, both ().
        """
        rate, most = numbers.tolist()
        self.gather(self.ordered(gradients))
        norm = torch.tensor(self.take(rate, most))
        return norm, torch.isfinite(norm)

    def ordered(self, gradients: Sequence[Tensor]) -> list[Array]:
        """Those of the parameters, in their order, as `gather` takes them: the same memory where it is contiguous."""
        return [gradients[place].numpy().ravel() for place in self._order]

    def gather(self, parts: Sequence[Array]) -> None:
        """Brings gradients to where the step reads them."""
        np.concatenate(parts, out=self._gathered)

    def take(self, rate: float, most: float) -> float:
        """The step with what has been gathered; returns the gradient's norm before clipping.

        Who asks torch whether the parameters have changed is told so.
        """
        assert [p.data_ptr() for p in self._parameters] == self._places, "parameters were moved"
        job = self._step.job
        job.rate, job.most = rate, most
        job.first_correction, job.second_correction = self._adam.count_on()
        self._step(torch.get_num_threads())
        increment_version(self._parameters)
        return float(self._norm)
