"""A linear recurrence over time in few large operations, for devices that are slow to start one.

Step by step it takes two operations per step; by doubling (Hillis and Steele, "Data parallel
algorithms", 1986) four for each power of two. On the CPU, kernels go step by step.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def recur(decay: Tensor, added: Tensor) -> Tensor:
    """h_t = decay_t h_{t-1} + added_t over the first dimension, h = 0 before it; differentiable.

    Both are (steps, ...) of one shape and dtype, and so is the result. A decay of 0 ends what came
    before it, also what is not finite.
    """
    result: Tensor = _Recurrence.apply(decay, added)  # type: ignore[no-untyped-call]
    return result


class _Recurrence(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, decay: Tensor, added: Tensor) -> Tensor:
        states = _doubled(decay, added)
        ctx.save_for_backward(decay, states)
        return states

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor]:
        decay, states = ctx.saved_tensors
        # What a state is worth: its own gradient, and what it hands on to the next. From the end on.
        handed_on = torch.cat((torch.zeros_like(decay[:1]), decay[1:].flip(0)))
        worth = _doubled(handed_on, gradients[0].flip(0)).flip(0)
        before = torch.cat((torch.zeros_like(states[:1]), states[:-1]))
        return worth * before, worth


def _doubled(decay: Tensor, added: Tensor) -> Tensor:
    """After the pass of a distance d every state holds what the 2 d steps up to it have added."""
    distance = 1
    while distance < len(decay):
        nearer, farther = added[distance:], added[:-distance]
        later = decay[distance:]
        ended = later == 0
        sums = torch.addcmul(nearer, later, farther.masked_fill(ended, 0))
        added = torch.cat((added[:distance], sums))
        both = later * decay[:-distance].masked_fill(ended, 0)
        decay = torch.cat((decay[:distance], both))
        distance *= 2
    return added
