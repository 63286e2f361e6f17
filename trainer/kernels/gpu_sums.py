"""Sums over a minibatch and what follows from them, in Triton; always added in the same order.

The twins in torch are `advantage_moments`, and `_total` and `_figures` in fused_loss.py.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from pufftui.trainer.kernels.gpu_loss import (
    ALIVE,
    ENTROPY,
    ERROR,
    ERROR_SQUARED,
    POLICY_LOSS,
    SUMS,
    TARGET,
    TARGET_SQUARED,
    VALUE_LOSS,
)
from pufftui.trainer.kernels.sums import figures as figure_names

MOMENTS, FIGURES = tl.constexpr(3), tl.constexpr(len(figure_names()))

LANES = 1024
"""Numbers that a program adds up."""

PARTS = 64
"""Partial sums that are added at a time."""

TALL, WIDE, MOST_PROGRAMS = 32, 128, 128
"""Rows and columns that are added at a time, and programs that share the rows."""


def moments(advantages: Tensor, alive: Tensor, rows: Tensor | None = None) -> Tensor:
    """Count, sum and sum of squares of the advantages (steps, agents) of those alive, (3,) float64.

    `rows` (rows,) int64 picks agents; None takes all. `alive` is 0 or 1, in any format.
    """
    steps, agents = advantages.shape
    segments = agents if rows is None else len(rows)
    programs = triton.cdiv(steps * segments, LANES)
    device = advantages.device
    parts = torch.empty((programs, MOMENTS.value), dtype=torch.float64, device=device)
    add_some[(programs,)](
        *(advantages.contiguous(), alive.contiguous(), rows, parts),
        *(steps * segments, agents, segments),
        has_rows=rows is not None,
        lanes=LANES,
    )
    sums = torch.empty(MOMENTS.value, dtype=torch.float64, device=device)
    add_parts[(1,)](parts, sums, programs, count=MOMENTS.value, padded=4, lanes=PARTS)
    return sums


def columns(numbers: Tensor) -> Tensor:
    """The sum over all rows of each column (rows, width), float32."""
    rows, width = numbers.shape
    programs = min(MOST_PROGRAMS, triton.cdiv(rows, TALL))
    parts = torch.empty((programs, width), dtype=torch.float32, device=numbers.device)
    sums = torch.empty(width, dtype=torch.float32, device=numbers.device)
    padded = max(2, min(WIDE, triton.next_power_of_2(width)))
    across = triton.cdiv(width, padded)
    add_rows[programs, across](
        *(numbers.contiguous(), parts, rows, width, triton.cdiv(rows, programs)),
        tall=TALL,
        wide=padded,
    )
    add_rows[1, across](parts, sums, programs, width, programs, tall=TALL, wide=padded)
    return sums


def total_and_figures(sums: Tensor, moments: Tensor, coefficients: Tensor) -> tuple[Tensor, Tensor]:
    """The loss, a float32 scalar, and the figures of `FIGURES` of loss.py, float32.

    `sums` are (sums,) of `puff_ppo_loss`, or (parts, sums) that have yet to be added; `moments` (3,) and
    `coefficients` (4,) as in loss.py; all float64.
    """
    total = torch.empty((), dtype=torch.float32, device=sums.device)
    figures = torch.empty(FIGURES.value, dtype=torch.float32, device=sums.device)
    parts = sums.numel() // SUMS.value
    conclude[(1,)](
        *(sums.contiguous(), moments, coefficients, total, figures, parts),
        padded=triton.next_power_of_2(SUMS.value),
        lanes=PARTS,
    )
    return total, figures


@triton.jit
def add_rows(numbers, sums, rows, width, each, tall: tl.constexpr, wide: tl.constexpr):
    """The sums of some columns over `each` rows of a program."""
    column = tl.program_id(1) * wide + tl.arange(0, wide)
    exists = column < width
    begin = tl.program_id(0).to(tl.int64) * each
    end = tl.minimum(begin + each, rows)
    total = tl.zeros((tall, wide), tl.float32)
    for first in range(begin, end, tall):
        row = first + tl.arange(0, tall)
        there = (row < end)[:, None] & exists[None, :]
        place = numbers + row[:, None] * width + column[None, :]
        total += tl.load(place, mask=there, other=0).to(tl.float32)
    tl.store(sums + tl.program_id(0) * width + column, tl.sum(total, axis=0), mask=exists)


@triton.jit
def add_some(
    advantages, alive, rows, parts, elements, agents, segments,
    has_rows: tl.constexpr, lanes: tl.constexpr,
):  # fmt: skip
    """The moments of some advantages."""
    element = tl.program_id(0).to(tl.int64) * lanes + tl.arange(0, lanes)
    inside = element < elements
    at = element
    if has_rows:
        agent = tl.load(rows + element % segments, mask=inside, other=0)
        at = element // segments * agents + agent
    lives = tl.load(alive + at, mask=inside, other=0).to(tl.float32)
    living = (tl.load(advantages + at, mask=inside, other=0) * lives).to(tl.float64)
    into = parts + tl.program_id(0) * MOMENTS
    tl.store(into, tl.sum(lives.to(tl.float64), axis=0))
    tl.store(into + 1, tl.sum(living, axis=0))
    tl.store(into + 2, tl.sum(living * living, axis=0))


@triton.jit
def added(parts, programs, count: tl.constexpr, padded: tl.constexpr, lanes: tl.constexpr):
    """The sums (padded,) over all programs' parts (programs, count)."""
    column = tl.arange(0, padded)[None, :]
    sums = tl.zeros((lanes, padded), tl.float64)
    for first in range(0, programs, lanes):
        row = first + tl.arange(0, lanes)[:, None]
        there = (row < programs) & (column < count)
        sums += tl.load(parts + row * count + column, mask=there, other=0)
    return tl.sum(sums, axis=0)


@triton.jit
def add_parts(
    parts, sums, programs, count: tl.constexpr, padded: tl.constexpr, lanes: tl.constexpr,
):  # fmt: skip
    """The last sum, in one program."""
    column = tl.arange(0, padded)
    total = added(parts, programs, count, padded, lanes)
    tl.store(sums + column, total, mask=column < count)


@triton.jit
def at_least_one(count):
    """What to divide by."""
    return tl.where(count < 1, 1.0, count)


@triton.jit
def number(numbers, place):
    """One of them, as a scalar."""
    return tl.sum(tl.where(tl.arange(0, numbers.shape[0]) == place, numbers, 0.0), axis=0)


@triton.jit
def conclude(
    sums, moments, coefficients, total, figures, parts, padded: tl.constexpr, lanes: tl.constexpr,
):  # fmt: skip
    """The loss and its figures out of the sums of all parts."""
    summed = added(sums, parts, SUMS, padded, lanes)
    count = at_least_one(tl.load(moments))
    policy_loss, value_loss = (
        number(summed, POLICY_LOSS) / count,
        number(summed, VALUE_LOSS) / count,
    )
    loss = policy_loss + tl.load(coefficients + 2) * value_loss
    loss -= tl.load(coefficients + 3) * (number(summed, ENTROPY) / count)
    tl.store(total, loss.to(tl.float32))

    means = summed / at_least_one(number(summed, ALIVE))
    column = tl.arange(0, padded)
    into = figures + column - (ALIVE + 1)
    tl.store(into, means.to(tl.float32), mask=(column > ALIVE) & (column < TARGET))
    spread = number(means, TARGET_SQUARED) - number(means, TARGET) * number(means, TARGET)
    unexplained = number(means, ERROR_SQUARED) - number(means, ERROR) * number(means, ERROR)
    flat = (spread > 0) == 0
    explained = 1 - unexplained / tl.where(flat, 1.0, spread)
    explained = tl.where(flat, float("nan"), explained)
    tl.store(figures + FIGURES - 1, explained.to(tl.float32))
