"""Which segments a minibatch is made of, in Triton: what priority.py does, in three kernels."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

AGENTS, SEGMENTS = 1024, 128
"""Of a program."""


def draw(
    magnitudes: Tensor, alpha: float, beta: Tensor, start: Tensor, count: int, *, spread: float
) -> tuple[Tensor, Tensor]:
    """`count` rows, int64, of those with sums of |A| `magnitudes` (agents,), and their weights, float32.

    As `systematic_sample` of `segment_probabilities`, and `importance_weights`; `beta` and the uniform
    number `start` are (1,) float32 on the device; `spread` of the probability is even. Cumulative probabilities are float64 here.
    """
    agents, device = len(magnitudes), magnitudes.device
    programs = triton.cdiv(agents, AGENTS)
    sums = torch.empty(programs, dtype=torch.float64, device=device)
    probabilities = torch.empty(agents, dtype=torch.float32, device=device)
    cumulative = torch.empty(agents, dtype=torch.float64, device=device)
    rows = torch.empty(count, dtype=torch.int64, device=device)
    weights = torch.empty(count, dtype=torch.float32, device=device)
    add_weights[(programs,)](magnitudes, sums, alpha, agents, lanes=AGENTS)
    padded = triton.next_power_of_2(programs)
    add_chances[(programs,)](
        *(magnitudes, sums, probabilities, cumulative, alpha, agents, programs),
        spread=spread,
        padded=padded,
        lanes=AGENTS,
    )
    find[(triton.cdiv(count, SEGMENTS),)](
        *(probabilities, cumulative, start, beta, rows, weights, count, agents),
        halvings=agents.bit_length(),
        lanes=SEGMENTS,
    )
    return rows, weights


@triton.jit
def power(x, exponent):
    """A number that is not negative to a power that is positive, or the other way round."""
    return tl.exp2(exponent * tl.log2(x))


@triton.jit
def add_weights(magnitudes, sums, alpha, agents, lanes: tl.constexpr):
    """The sum of some weights."""
    agent = tl.program_id(0) * lanes + tl.arange(0, lanes)
    inside = agent < agents
    weight = power(tl.load(magnitudes + agent, mask=inside, other=0), alpha)
    weight = tl.where(inside, weight, 0.0)
    tl.store(sums + tl.program_id(0), tl.sum(weight.to(tl.float64), axis=0))


@triton.jit
def add_chances(
    magnitudes, sums, probabilities, cumulative, alpha, agents, programs,
    spread: tl.constexpr, padded: tl.constexpr, lanes: tl.constexpr,
):  # fmt: skip
    """Some agents' probabilities, each alone and together with all before."""
    program = tl.arange(0, padded)
    others = tl.load(sums + program, mask=program < programs, other=0)
    total = tl.sum(others, axis=0)
    before = tl.sum(tl.where(program < tl.program_id(0), others, 0.0), axis=0)
    agent = tl.program_id(0) * lanes + tl.arange(0, lanes)
    inside = agent < agents
    weight = power(tl.load(magnitudes + agent, mask=inside, other=0), alpha)
    weight = tl.where(inside, weight, 0.0).to(tl.float64)
    some = total > 0
    share = tl.where(some, 1.0 - spread, 0.0).to(tl.float64)
    each = (1 - share) / agents
    share /= tl.where(some, tl.where(total < 1e-30, 1e-30, total), 1.0)
    own = tl.where(some, share * weight, 0.0) + each
    tl.store(probabilities + agent, own.to(tl.float32), mask=inside)
    # Even weights of nothing leave the sum growing by `each`, more than rounding takes away.
    together = tl.where(some, share * (before + tl.cumsum(weight, axis=0)), 0.0)
    tl.store(cumulative + agent, together + each * (agent + 1), mask=inside)


@triton.jit
def find(
    probabilities, cumulative, start, beta, rows, weights, count, agents,
    halvings: tl.constexpr, lanes: tl.constexpr,
):  # fmt: skip
    """The agents at some places of the line on which each has the length of its probability."""
    segment = tl.program_id(0) * lanes + tl.arange(0, lanes)
    inside = segment < count
    place = (segment.to(tl.float64) + tl.load(start)) / count
    place *= tl.load(cumulative + agents - 1)
    low = tl.zeros((lanes,), tl.int32)
    high = tl.zeros((lanes,), tl.int32) + (agents - 1)
    for _ in range(halvings):
        middle = (low + high) // 2
        short = tl.load(cumulative + middle) < place
        low = tl.where(short & (low < high), middle + 1, low)
        high = tl.where(short, high, middle)
    own = tl.load(probabilities + low)
    tl.store(rows + segment, low.to(tl.int64), mask=inside)
    tl.store(weights + segment, power(agents * own, -tl.load(beta)), mask=inside)
