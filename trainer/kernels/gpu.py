"""The kernels for an NVIDIA GPU, in Triton: those for which torch would start dozens of operations.

They do what the C functions of the same name do; the formulas stand in kernels.h. One lane has one channel of one
row, or one row, and goes through its steps one after the other.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import triton
import triton.language as tl
from torch import Tensor

LANES = 128
"""Lanes of a program."""

WARP = 32
"""Lanes of a program whose lanes have long to do, so that few rows keep many processors busy."""

MOST_LOGITS = 8192
"""Logits that a program holds; with many choices it has fewer lanes."""


def run(function: str, **fields: Any) -> None:
    """Starts a kernel with the fields of its struct; tensors must be on the current GPU."""
    LAUNCHERS[function](**fields)


@triton.jit
def positive_candidate(x):
    """The candidate's activation: x + 1/2 for x >= 0, else sigmoid(x)."""
    return tl.where(x >= 0, x + 0.5, tl.sigmoid(x))


@triton.jit
def numbers_at(at, gates, inputs, resets, row, channel, rows, inside,
               width: tl.constexpr, has_resets: tl.constexpr):  # fmt: skip
    """Candidate, gate, highway and input of one channel of a row in a step, and whether it begins an episode."""
    place = at * rows + row
    inside = inside & (at >= 0)
    gate = gates + place * (3 * width) + channel
    candidate = tl.load(gate, mask=inside, other=0).to(tl.float32)
    z = tl.load(gate + width, mask=inside, other=0).to(tl.float32)
    s = tl.load(gate + 2 * width, mask=inside, other=0).to(tl.float32)
    x = tl.load(inputs + place * width + channel, mask=inside, other=0).to(tl.float32)
    begins = inside
    if has_resets:
        begins = tl.load(resets + place, mask=inside, other=0) != 0
    return candidate, tl.sigmoid(z), tl.sigmoid(s), x, begins


@triton.jit
def remembered(numbers, h, states, outputs, at, row, channel, rows, inside,
               width: tl.constexpr, has_resets: tl.constexpr):  # fmt: skip
    """The state after a step, whose output is stored."""
    candidate, z, s, x, begins = numbers
    if has_resets:
        h = tl.where(begins, 0.0, h)
    h = (1 - z) * h + z * positive_candidate(candidate)
    here = (at * rows + row) * width + channel
    tl.store(states + here, h, mask=inside)
    tl.store(outputs + here, s * h + (1 - s) * x, mask=inside)
    return h


@triton.jit
def mingru_forward(
    gates, inputs, resets, initial, states, outputs, steps, rows,
    width: tl.constexpr, has_resets: tl.constexpr, lanes: tl.constexpr,
):  # fmt: skip
    """One channel of one row through all steps, two at a time, so that their numbers are fetched together."""
    element = tl.program_id(0).to(tl.int64) * lanes + tl.arange(0, lanes)
    inside = element < rows * width
    row, channel = element // width, element % width
    h = tl.load(initial + element, mask=inside, other=0)
    for step in range(0, steps, 2):
        second = inside & (step + 1 < steps)
        one = numbers_at(step, gates, inputs, resets, row, channel, rows, inside, width, has_resets)
        two = numbers_at(
            step + 1, gates, inputs, resets, row, channel, rows, second, width, has_resets
        )
        h = remembered(one, h, states, outputs, step, row, channel, rows, inside, width, has_resets)
        h = remembered(
            two, h, states, outputs, step + 1, row, channel, rows, second, width, has_resets
        )


@triton.jit
def received(at, states, initial, output_gradients, element, row, channel, rows, inside,
             width: tl.constexpr):  # fmt: skip
    """The state before a step, and the gradient that comes in from its output."""
    here = (at * rows + row) * width + channel
    earlier = tl.load(states + here - rows * width, mask=inside & (at > 0), other=0)
    earlier += tl.load(initial + element, mask=inside & (at == 0), other=0)
    dy = tl.load(output_gradients + here, mask=inside & (at >= 0), other=0).to(tl.float32)
    return earlier, dy


@triton.jit
def sent_back(numbers, came, after, carried, gate_gradients, input_gradients, at, row, channel, rows,
              inside, width: tl.constexpr, has_resets: tl.constexpr):  # fmt: skip
    """The state before a step and the gradient with regard to it; those of gates and input are stored."""
    candidate, z, s, x, begins = numbers
    earlier, dy = came
    inside = inside & (at >= 0)
    before = earlier
    if has_resets:
        before = tl.where(begins, 0.0, before)
    f = positive_candidate(candidate)
    slope = tl.where(candidate >= 0, 1.0, f * (1 - f))
    dh = dy * s + carried
    place = at * rows + row
    to_gate = place * (3 * width) + channel
    tl.store(gate_gradients + to_gate, dh * z * slope, mask=inside)
    d_gate = dh * (f - before) * z * (1 - z)
    tl.store(gate_gradients + to_gate + width, d_gate, mask=inside)
    d_highway = dy * (after - x) * s * (1 - s)
    tl.store(gate_gradients + to_gate + 2 * width, d_highway, mask=inside)
    tl.store(input_gradients + place * width + channel, dy * (1 - s), mask=inside)
    carried = dh * (1 - z)
    if has_resets:
        carried = tl.where(begins, 0.0, carried)
    return earlier, carried


@triton.jit
def mingru_backward(
    gates, inputs, resets, initial, states,
    output_gradients, gate_gradients, input_gradients, steps, rows,
    width: tl.constexpr, has_resets: tl.constexpr, lanes: tl.constexpr,
):  # fmt: skip
    """The same channel from the last step back, again two at a time."""
    element = tl.program_id(0).to(tl.int64) * lanes + tl.arange(0, lanes)
    inside = element < rows * width
    row, channel = element // width, element % width
    carried = tl.zeros((lanes,), tl.float32)
    after = tl.load(states + (steps - 1) * rows * width + element, mask=inside, other=0)
    for back in range(0, steps, 2):
        last = steps - 1 - back
        one = numbers_at(last, gates, inputs, resets, row, channel, rows, inside, width, has_resets)
        came_one = received(
            last, states, initial, output_gradients, element, row, channel, rows, inside, width
        )
        two = numbers_at(
            last - 1, gates, inputs, resets, row, channel, rows, inside, width, has_resets
        )
        came_two = received(
            last - 1, states, initial, output_gradients, element, row, channel, rows, inside, width
        )
        after, carried = sent_back(
            one, came_one, after, carried, gate_gradients, input_gradients,
            last, row, channel, rows, inside, width, has_resets,
        )  # fmt: skip
        after, carried = sent_back(
            two, came_two, after, carried, gate_gradients, input_gradients,
            last - 1, row, channel, rows, inside, width, has_resets,
        )  # fmt: skip


@triton.jit
def happened(
    rewards, values, final_values, terminals, truncations, alive, ratios, step, rows, row, inside,
):  # fmt: skip
    """All that one step is made of, and where it is; nothing before the first."""
    at = step * rows + row
    there = inside & (at >= 0)
    return (
        at,
        there,
        tl.load(rewards + at, mask=there, other=0),
        tl.load(values + at, mask=there, other=0),
        tl.load(final_values + at, mask=there, other=0),
        tl.load(terminals + at, mask=there, other=0) != 0,
        tl.load(truncations + at, mask=there, other=0) != 0,
        tl.load(alive + at, mask=there, other=0) != 0,
        tl.load(ratios + at, mask=there, other=0),
    )


@triton.jit
def advantage_of(
    event, advantages, later, magnitude, next_value, gamma, gae_lambda, rho_clip, c_clip,
):  # fmt: skip
    """The advantage of a step, the magnitude with it, and its value."""
    at, there, reward, value, final_value, terminal, truncated, lives, ratio = event
    # Chosen, not multiplied by zero: what follows an episode may not be finite.
    after = tl.where(terminal, 0.0, tl.where(truncated, final_value, next_value))
    delta = tl.minimum(ratio, rho_clip) * (reward + gamma * after - value)
    later = tl.where(terminal | truncated, 0.0, later)
    later = delta + gamma * gae_lambda * tl.minimum(ratio, c_clip) * later
    tl.store(advantages + at, later, mask=there)
    return later, magnitude + tl.where(there & lives, tl.abs(later), 0.0), value


@triton.jit
def advantages_backwards(
    rewards, values, final_values, terminals, truncations, alive, ratios, advantages, magnitudes,
    steps, rows, gamma, gae_lambda, rho_clip, c_clip, lanes: tl.constexpr,
):  # fmt: skip
    """One row from the last step back, four steps at a time, so that their numbers are fetched together."""
    row = tl.program_id(0) * lanes + tl.arange(0, lanes)
    inside = row < rows
    later = tl.zeros((lanes,), tl.float32)
    magnitude = tl.zeros((lanes,), tl.float32)
    value = tl.load(values + steps * rows + row, mask=inside, other=0)
    for back in range(0, steps, 4):
        last = steps - 1 - back
        event_0 = happened(
            rewards, values, final_values, terminals, truncations, alive, ratios, last, rows, row,
            inside,
        )  # fmt: skip
        event_1 = happened(
            rewards, values, final_values, terminals, truncations, alive, ratios, last - 1, rows, row,
            inside,
        )  # fmt: skip
        event_2 = happened(
            rewards, values, final_values, terminals, truncations, alive, ratios, last - 2, rows, row,
            inside,
        )  # fmt: skip
        event_3 = happened(
            rewards, values, final_values, terminals, truncations, alive, ratios, last - 3, rows, row,
            inside,
        )  # fmt: skip
        later, magnitude, value = advantage_of(
            event_0, advantages, later, magnitude, value, gamma, gae_lambda, rho_clip, c_clip,
        )  # fmt: skip
        later, magnitude, value = advantage_of(
            event_1, advantages, later, magnitude, value, gamma, gae_lambda, rho_clip, c_clip,
        )  # fmt: skip
        later, magnitude, value = advantage_of(
            event_2, advantages, later, magnitude, value, gamma, gae_lambda, rho_clip, c_clip,
        )  # fmt: skip
        later, magnitude, value = advantage_of(
            event_3, advantages, later, magnitude, value, gamma, gae_lambda, rho_clip, c_clip,
        )  # fmt: skip
    tl.store(magnitudes + row, magnitude, mask=inside)


@triton.jit
def draw(
    logits, uniforms, actions, log_probabilities, rows, stride, first, component, components,
    size: tl.constexpr, padded: tl.constexpr, lanes: tl.constexpr,
):  # fmt: skip
    """One component of each row; its log-probability is added to those of the components before."""
    row = tl.program_id(0) * lanes + tl.arange(0, lanes)
    inside = row < rows
    choice = tl.arange(0, padded)[None, :]
    there = inside[:, None] & (choice < size)
    x = tl.load(logits + row[:, None] * stride + first + choice, mask=there, other=-float("inf"))
    highest = tl.max(x, axis=1)
    weights = tl.exp(x - highest[:, None])
    total = tl.sum(weights, axis=1)
    at = row * components + component
    wanted = tl.load(uniforms + at, mask=inside, other=0) * total
    passed = (tl.cumsum(weights, axis=1) <= wanted[:, None]) & (choice < size - 1)
    action = tl.sum(passed.to(tl.int32), axis=1)
    chosen = tl.sum(tl.where(choice == action[:, None], x, 0.0), axis=1)
    before = tl.load(log_probabilities + row, mask=inside & (component > 0), other=0)
    tl.store(actions + at, action, mask=inside)
    tl.store(log_probabilities + row, before + chosen - highest - tl.log(total), mask=inside)


def _mingru(
    kernel: Any, *, rows: int, width: int, bf16: int, resets: Tensor | None, **fields: Any
) -> None:
    del bf16  # Triton sees it.
    fields |= {"rows": rows, "width": width, "resets": resets, "has_resets": resets is not None}
    kernel[_programs(rows * width)](**fields, lanes=LANES)


def _advantages(*, rows: int, **fields: Any) -> None:
    advantages_backwards[_programs(rows, WARP)](**fields, rows=rows, lanes=WARP, num_warps=1)


def _sample(*, rows: int, sizes: Tensor, **fields: Any) -> None:
    first = 0
    for component, size in enumerate(sizes.tolist()):
        padded = triton.next_power_of_2(size)
        lanes = max(1, min(LANES, MOST_LOGITS // padded))
        draw[_programs(rows, lanes)](
            **fields,
            rows=rows,
            first=first,
            component=component,
            size=size,
            padded=padded,
            lanes=lanes,
        )
        first += size


def _programs(lanes: int, each: int = LANES) -> tuple[int]:
    return (triton.cdiv(lanes, each),)


LAUNCHERS: dict[str, Callable[..., None]] = {
    "puff_mingru_forward": functools.partial(_mingru, mingru_forward),
    "puff_mingru_backward": functools.partial(_mingru, mingru_backward),
    "puff_advantages": _advantages,
    "puff_sample": _sample,
}
