"""A policy's decision as one kernel, in Triton: from observations to actions, values and the next state.

A program has a block of agents and holds what the network makes of them from the first layer to the draw;
the weights are small enough to stay in the GPU's cache. The formulas are those of policy.py and kernels.h.
"""

from __future__ import annotations

from typing import Any

import triton
import triton.language as tl
from torch import Tensor

from pufftui.trainer.kernels.gpu import positive_candidate
from pufftui.trainer.kernels.gpu_gather import feature_at, normalised

BLOCK, WARPS = 32, 4
"""Agents and warps of a program."""

WIDEST, MOST_OUTPUTS = 128, 128
"""Units of a layer and outputs of the last one, at most: a program holds a layer's weights at once."""

CHUNK = 64
"""Features that are read at a time."""


def run(
    *,
    observations: Tensor,
    resets: Tensor | None = None,
    kept_resets: Tensor | None = None,
    selected: Tensor | None = None,
    state: Tensor,
    table: Tensor,
    weights: Tensor,
    biases: Tensor,
    values: Tensor,
    step: Tensor | None = None,
    stride: int = 0,
    drawing: dict[str, Tensor] | None = None,
    hidden: int,
    outputs: int,
    wide: int,
    words: bool,
    shifts: Tensor | None = None,
    scales: Tensor | None = None,
) -> None:
    """Decides for a group of agents; everything must be within the GPU's reach.

    `observations` (rows, bytes) uint8; `resets` (rows,) uint8 marks those whose state goes back to zero
    first, and is copied to `kept_resets`; `selected` (rows,) uint8 those that are looked at, None takes all.
    `table`, `wide`, `words`, `shifts` and `scales` as for `gpu_gather.features`. `weights` are those of the encoder, the gates of every layer and the heads, one
    after the other, in the products' format; `biases` the same, float32. `values` (rows,) is filled; with
    `step`, one int32, the place is so many times `stride` further on. With `drawing`, actions are drawn and
    the `state` (layers, 1, rows, hidden) moves on: `noise` (rows, components), `sizes` (components,) int32,
    `actions` and a copy, `sent`, (rows, components) int32, `log_probabilities` (rows,).
    """
    rows, count = observations.shape
    drawn: dict[str, Any] = dict(drawing or {})
    components = len(drawn["sizes"]) if drawn else 1
    names = ("noise", "sizes", "actions", "sent", "log_probabilities")
    decide[(triton.cdiv(rows, BLOCK),)](
        *(observations, resets, kept_resets, selected, state, table, shifts, scales),
        *(weights, biases, values, step),
        *(drawn.get(name) for name in names),
        *(rows, count, len(table), stride, components),
        hidden=hidden,
        outputs=outputs,
        layers=len(state),
        lanes=max(16, triton.next_power_of_2(hidden)),
        columns=max(16, triton.next_power_of_2(outputs)),
        block=BLOCK,
        chunk=CHUNK,
        wide=wide,
        words=words,
        normal=shifts is not None,
        has_resets=resets is not None,
        keeps_resets=kept_resets is not None,
        has_selected=selected is not None,
        has_step=step is not None,
        draws=bool(drawn),
        num_warps=WARPS,
    )


@triton.jit
def features_of(observations, row, inside, count, table, shifts, scales, first, width,
                wide: tl.constexpr, words: tl.constexpr, normal: tl.constexpr,
                chunk: tl.constexpr):  # fmt: skip
    """The features from `first` on of each row, (rows, chunk) float32, zero beyond the last."""
    feature = first + tl.arange(0, chunk)
    exists = feature < width
    offset = tl.load(table + feature * 3, mask=exists, other=0)[None, :]
    kind = tl.load(table + feature * 3 + 1, mask=exists, other=0)[None, :]
    category = tl.load(table + feature * 3 + 2, mask=exists, other=0)[None, :]
    place = observations + row.to(tl.int64)[:, None] * count + offset
    there = inside[:, None] & exists[None, :]
    number = feature_at(place, there, kind, category, wide, words)
    if normal:
        number = normalised(number, shifts, scales, feature, exists)
    return number


@triton.jit
def layer_weights(weights, inputs, outputs, input_count, output_count):
    """The matrix (outputs, inputs) at `weights`, turned: (inputs, outputs), zero beyond its sides."""
    there = (inputs < input_count)[:, None] & (outputs < output_count)[None, :]
    return tl.load(weights + outputs[None, :] * input_count + inputs[:, None], mask=there, other=0)


@triton.jit
def product(x, weights, inputs, outputs, input_count, output_count):
    """The product of a layer, (rows, inputs) -> (rows, outputs)."""
    w = layer_weights(weights, inputs, outputs, input_count, output_count)
    return tl.dot(x.to(weights.dtype.element_ty), w, input_precision="ieee")


@triton.jit
def bias(biases, outputs, output_count):
    """A layer's biases, (1, outputs)."""
    return tl.load(biases + outputs, mask=outputs < output_count, other=0)[None, :]


@triton.jit
def gate(x, weights, biases, unit, hidden):
    """One of the three gates of a layer, as training reads it from memory."""
    y = product(x, weights, unit, unit, hidden, hidden) + bias(biases, unit, hidden)
    return rounded(y, weights)


@triton.jit
def rounded(x, weights):
    """As the number would come out of memory in the products' format."""
    return x.to(weights.dtype.element_ty).to(tl.float32)


@triton.jit
def draw(heads, row, inside, column, noise, sizes, actions, sent, log_probabilities, components):
    """Draws every component of the actions, by one uniform number each, and adds up their log-probabilities."""
    total_log = tl.zeros((heads.shape[0],), tl.float32)
    first = 0
    for component in range(components):
        end = first + tl.load(sizes + component)
        member = ((column >= first) & (column < end))[None, :]
        highest = tl.max(tl.where(member, heads, -float("inf")), axis=1)
        weight = tl.where(member, tl.exp(heads - highest[:, None]), 0.0)
        total = tl.sum(weight, axis=1)
        at = row * components + component
        wanted = tl.load(noise + at, mask=inside, other=0) * total
        passed = (tl.cumsum(weight, axis=1) <= wanted[:, None]) & member
        passed = passed & (column < end - 1)[None, :]
        action = tl.sum(passed.to(tl.int32), axis=1)
        chosen = tl.where(column[None, :] == first + action[:, None], heads, 0.0)
        total_log += tl.sum(chosen, axis=1) - highest - tl.log(total)
        tl.store(actions + at, action, mask=inside)
        tl.store(sent + at, action, mask=inside)
        first = end
    tl.store(log_probabilities + row, total_log, mask=inside)


@triton.jit
def decide(
    observations, resets, kept_resets, selected, state, table, shifts, scales,
    weights, biases, values, step, noise, sizes, actions, sent, log_probabilities,
    rows, count, width, stride, components,
    hidden: tl.constexpr, outputs: tl.constexpr, layers: tl.constexpr,
    lanes: tl.constexpr, columns: tl.constexpr, block: tl.constexpr, chunk: tl.constexpr,
    wide: tl.constexpr, words: tl.constexpr, normal: tl.constexpr,
    has_resets: tl.constexpr, keeps_resets: tl.constexpr, has_selected: tl.constexpr,
    has_step: tl.constexpr, draws: tl.constexpr,
):  # fmt: skip
    """A block of agents, from their observations to their actions."""
    row = tl.program_id(0) * block + tl.arange(0, block)
    inside = row < rows
    if has_selected:
        inside = inside & (tl.load(selected + row, mask=inside, other=0) != 0)
    number = weights.dtype.element_ty
    unit = tl.arange(0, lanes)
    known = inside[:, None] & (unit < hidden)[None, :]

    x = tl.zeros((block, lanes), tl.float32)
    for first in range(0, width, chunk):
        seen = features_of(
            observations, row, inside, count, table, shifts, scales, first, width,
            wide, words, normal, chunk,
        )  # fmt: skip
        feature = first + tl.arange(0, chunk)
        there = (feature < width)[:, None] & (unit < hidden)[None, :]
        w = tl.load(weights + unit[None, :] * width + feature[:, None], mask=there, other=0)
        x = tl.dot(seen.to(number), w, acc=x, input_precision="ieee")
    x = rounded(x + bias(biases, unit, hidden), weights)
    x = rounded(x * tl.sigmoid(1.5957691216057308 * (x + 0.044715 * x * x * x)), weights)

    to_weights, to_biases = weights + hidden * width, biases + hidden
    if has_resets:
        reset = tl.load(resets + row, mask=inside, other=0)
        begins = (reset != 0)[:, None]
        if keeps_resets:
            tl.store(kept_resets + row, reset, mask=inside)
    for layer in range(layers):
        at = state + (layer * rows + row).to(tl.int64)[:, None] * hidden + unit[None, :]
        h = tl.load(at, mask=known, other=0)
        if has_resets:
            h = tl.where(begins, 0.0, h)
        square = hidden * hidden
        f = positive_candidate(gate(x, to_weights, to_biases, unit, hidden))
        z = tl.sigmoid(gate(x, to_weights + square, to_biases + hidden, unit, hidden))
        s = tl.sigmoid(gate(x, to_weights + 2 * square, to_biases + 2 * hidden, unit, hidden))
        h = (1 - z) * h + z * f
        x = rounded(s * h + (1 - s) * x, weights)
        if draws:
            tl.store(at, h, mask=known)
        to_weights += 3 * square
        to_biases += 3 * hidden

    column = tl.arange(0, columns)
    heads = product(x, to_weights, unit, column, hidden, outputs) + bias(to_biases, column, outputs)
    place = row
    if has_step:
        place += tl.load(step) * stride
    value = tl.sum(tl.where((column == outputs - 1)[None, :], heads, 0.0), axis=1)
    tl.store(values + place, value, mask=inside)
    if draws:
        draw(heads, row, inside, column, noise, sizes, actions, sent, log_probabilities, components)
