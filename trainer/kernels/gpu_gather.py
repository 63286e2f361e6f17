"""What a minibatch takes out of a rollout and puts back into it, in Triton: one kernel each instead of one an array.

Each has a twin in torch: `Features.plain`, `Minibatch.picked`, and the assignments after a gradient step.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
import triton
import triton.language as tl
from torch import Tensor

from pufftui.envs.descriptor import DType, Field

BYTE, FLOAT, CATEGORY = tl.constexpr(0), tl.constexpr(1), tl.constexpr(2)
SHORT, BIT = tl.constexpr(3), tl.constexpr(4)
"""Kinds of features."""

FLOATS, SHORTS = 1, 2
"""Kinds of several bytes, for which more is read; what kernels are compiled for is their sum, `wide`."""

TILE, MOST_COLUMNS = 2048, 128
"""Features of a program, and how many of them belong to one observation."""

LANES = 256
"""Agent steps of a program that copies."""

KINDS = {DType.UINT8: BYTE, DType.FLOAT32: FLOAT, DType.INT16: SHORT}
"""Of elements that are a feature each, in bytes of their own."""

LARGEST = tl.constexpr(10.0)
"""Where a feature is cut off, as in normaliser.py."""


def feature_table(fields: Iterable[Field]) -> Tensor:
    """For each feature the byte at which it is found, its kind, and its class or bit: (width, 3) int32, on the CPU."""
    table: list[tuple[int, int, int]] = []
    for field in fields:
        places = [field.place(index).start for index in range(field.count)]
        if field.classes:
            table += [(at, CATEGORY.value, k) for at in places for k in range(field.classes)]
        elif field.dtype is DType.BITS:
            table += [(at, BIT.value, index % 8) for index, at in enumerate(places)]
        else:
            table += [(at, KINDS[field.dtype].value, 0) for at in places]
    return torch.tensor(table, dtype=torch.int32)


def wide_kinds(fields: Iterable[Field]) -> int:
    """Which kinds of several bytes there are: `FLOATS`, `SHORTS`, both or none."""
    dtypes = {field.dtype for field in fields}
    floats, shorts = DType.FLOAT32 in dtypes, DType.INT16 in dtypes
    return int(floats) * FLOATS + int(shorts) * SHORTS


def in_words(fields: Iterable[Field], size: int) -> bool:
    """Whether every float of observations of so many bytes lies where four bytes can be read at once."""
    floats = [field.offset for field in fields if field.dtype is DType.FLOAT32]
    return not floats or not any(number % 4 for number in (size, *floats))


def features(
    observations: Tensor,
    rows: Tensor | None,
    table: Tensor,
    dtype: torch.dtype,
    *,
    wide: int,
    words: bool = False,
    shifts: Tensor | None = None,
    scales: Tensor | None = None,
) -> Tensor:
    """Observations (steps, agents, bytes) uint8 -> (steps, rows, width), as `puff_make_features`.

    `rows` (rows,) int64 picks agents; None takes all. `table` is a `feature_table` on the same device;
    `wide` and `words` are what `wide_kinds` and `in_words` say of its fields. With `shifts` and `scales` (width,) float32 features are normalised.
    """
    steps, agents, size = observations.shape
    segments = agents if rows is None else len(rows)
    width = len(table)
    outputs = torch.empty((steps, segments, width), dtype=dtype, device=observations.device)
    observations = observations.contiguous()
    columns = min(MOST_COLUMNS, triton.next_power_of_2(width))
    lanes = TILE // columns
    unpack[triton.cdiv(steps * segments, lanes), triton.cdiv(width, columns)](
        *(
            observations,
            None if rows is None else rows.contiguous(),
            table,
            shifts,
            scales,
            outputs,
        ),
        *(steps * segments, agents, segments, size, width),
        has_rows=rows is not None,
        wide=wide,
        words=words and observations.data_ptr() % 4 == 0,
        normal=shifts is not None,
        lanes=lanes,
        columns=columns,
    )
    return outputs


def pick(
    rows: Tensor,
    *,
    resets: Tensor,
    state: Tensor,
    actions: Tensor,
    log_probabilities: Tensor,
    alive: Tensor,
    advantages: Tensor,
    values: Tensor,
) -> tuple[Tensor, ...]:
    """The segments `rows` (segments,) int64 of each array, in this order; `alive` becomes float32.

    The arrays are (steps, agents); `actions` have their components behind, the `state` is
    (layers, parts, agents, hidden), and `values` may have one step more, which is left out.
    """
    steps, agents, components = actions.shape
    shape = (steps, len(rows))
    layers, parts, _, hidden = state.shape
    outputs = (
        resets.new_empty(shape),
        state.new_empty((layers, parts, len(rows), hidden)),
        actions.new_empty((*shape, components)),
        *(log_probabilities.new_empty(shape) for _ in range(4)),
    )
    arrays = (resets, actions, log_probabilities, alive, advantages, values)
    pick_steps[_programs(steps * len(rows))](
        *(array.contiguous() for array in (rows, *arrays)),
        *(outputs[0], *outputs[2:], steps * len(rows), agents, len(rows), components),
        lanes=LANES,
    )
    if state.numel():
        pick_state[_programs(outputs[1].numel())](
            *(
                rows.contiguous(),
                state.contiguous(),
                outputs[1],
                outputs[1].numel(),
                agents,
                len(rows),
                hidden,
            ),
            lanes=LANES,
        )
    return outputs


def put_back(
    rows: Tensor,
    new_ratios: Tensor,
    new_values: Tensor,
    ratios: Tensor,
    values: Tensor,
    trained: Tensor,
) -> None:
    """Writes what was found for segments `rows` (steps, segments) into the rollout's arrays (steps, agents).

    `trained` (agents,) bool becomes true for them; `values` may have one step more, which stays.
    What is written to must be contiguous.
    """
    steps, agents = ratios.shape
    scatter[_programs(steps * len(rows))](
        *(array.contiguous() for array in (rows, new_ratios, new_values)),
        *(ratios, values, trained.view(torch.uint8)),
        *(steps * len(rows), agents, len(rows)),
        lanes=LANES,
    )


def _programs(elements: int) -> tuple[int]:
    return (triton.cdiv(elements, LANES),)


@triton.jit
def float_at(place, there, words: tl.constexpr):
    """The float32 that begins at a byte."""
    if words:
        return tl.load(place.to(tl.pointer_type(tl.float32), bitcast=True), mask=there, other=0)
    bits = tl.load(place, mask=there, other=0).to(tl.uint32)
    bits |= tl.load(place + 1, mask=there, other=0).to(tl.uint32) << 8
    bits |= tl.load(place + 2, mask=there, other=0).to(tl.uint32) << 16
    bits |= tl.load(place + 3, mask=there, other=0).to(tl.uint32) << 24
    return bits.to(tl.float32, bitcast=True)


@triton.jit
def short_at(place, there):
    """The 16-bit whole number that begins at a byte, as float32."""
    low = tl.load(place, mask=there, other=0).to(tl.int32)
    high = tl.load(place + 1, mask=there, other=0).to(tl.int32)
    return (((low | (high << 8)) ^ 0x8000) - 0x8000).to(tl.float32)


@triton.jit
def feature_at(place, there, kind, category, wide: tl.constexpr, words: tl.constexpr):
    """Features (rows, columns) whose first bytes are at `place`; `kind` and `category` are (1, columns)."""
    byte = tl.load(place, mask=there & (kind != FLOAT), other=0)
    # Rounded as in C, so that 255 becomes 1.
    number = tl.div_rn(byte.to(tl.float32), 255.0)
    number = tl.where(kind == CATEGORY, (byte.to(tl.int32) == category).to(tl.float32), number)
    number = tl.where(kind == BIT, ((byte.to(tl.int32) >> category) & 1).to(tl.float32), number)
    if wide >= 2:  # SHORTS
        number = tl.where(kind == SHORT, short_at(place, there & (kind == SHORT)), number)
    if wide % 2 == 1:  # FLOATS
        number = tl.where(kind == FLOAT, float_at(place, there & (kind == FLOAT), words), number)
    return number


@triton.jit
def normalised(number, shifts, scales, feature, exists):
    """Features (rows, columns), of which `feature` (columns,) are the numbers, as normaliser.py makes them."""
    shift = tl.load(shifts + feature, mask=exists, other=0)[None, :]
    scale = tl.load(scales + feature, mask=exists, other=0)[None, :]
    limit = tl.where((shift == 0) & (scale == 1), float("inf"), LARGEST)
    moved = tl.minimum(tl.maximum((number - shift) * scale, -limit), limit)
    return moved + (number - number)


@triton.jit
def unpack(
    observations, rows, table, shifts, scales, outputs, elements, agents, segments, size, width,
    has_rows: tl.constexpr, wide: tl.constexpr, words: tl.constexpr, normal: tl.constexpr,
    lanes: tl.constexpr, columns: tl.constexpr,
):  # fmt: skip
    """Some features of some observations."""
    element = tl.program_id(0).to(tl.int64) * lanes + tl.arange(0, lanes)
    inside = element < elements
    agent = element % segments
    if has_rows:
        agent = tl.load(rows + agent, mask=inside, other=0)
    start = (element // segments * agents + agent) * size
    column = tl.program_id(1) * columns + tl.arange(0, columns)
    exists = column < width
    offset = tl.load(table + 3 * column, mask=exists, other=0)[None, :]
    kind = tl.load(table + 3 * column + 1, mask=exists, other=0)[None, :]
    category = tl.load(table + 3 * column + 2, mask=exists, other=0)[None, :]
    there = inside[:, None] & exists[None, :]
    place = observations + start[:, None] + offset
    number = feature_at(place, there, kind, category, wide, words)
    if normal:
        number = normalised(number, shifts, scales, column, exists)
    to = outputs + element[:, None] * width + column[None, :]
    tl.store(to, number.to(outputs.dtype.element_ty), mask=there)


@triton.jit
def pick_steps(
    rows, resets, actions, log_probabilities, alive, advantages, values,
    own_resets, own_actions, own_log_probabilities, own_alive, own_advantages, own_values,
    elements, agents, segments, components, lanes: tl.constexpr,
):  # fmt: skip
    """All that a rollout has of some steps of some segments but for the observations."""
    element = tl.program_id(0).to(tl.int64) * lanes + tl.arange(0, lanes)
    inside = element < elements
    agent = tl.load(rows + element % segments, mask=inside, other=0)
    at = element // segments * agents + agent
    reset = tl.load(resets + at, mask=inside)
    log_probability = tl.load(log_probabilities + at, mask=inside)
    lives = tl.load(alive + at, mask=inside)
    advantage = tl.load(advantages + at, mask=inside)
    value = tl.load(values + at, mask=inside)
    tl.store(own_resets + element, reset, mask=inside)
    tl.store(own_log_probabilities + element, log_probability, mask=inside)
    tl.store(own_alive + element, lives.to(tl.float32), mask=inside)
    tl.store(own_advantages + element, advantage, mask=inside)
    tl.store(own_values + element, value, mask=inside)
    for component in range(components):
        action = tl.load(actions + at * components + component, mask=inside)
        tl.store(own_actions + element * components + component, action, mask=inside)


@triton.jit
def pick_state(
    rows, state, own_state, elements, agents, segments, hidden, lanes: tl.constexpr,
):  # fmt: skip
    """Some channels of the state of some segments."""
    element = tl.program_id(0).to(tl.int64) * lanes + tl.arange(0, lanes)
    inside = element < elements
    row, channel = element // hidden, element % hidden
    agent = tl.load(rows + row % segments, mask=inside, other=0)
    at = (row // segments * agents + agent) * hidden + channel
    tl.store(own_state + element, tl.load(state + at, mask=inside), mask=inside)


@triton.jit
def scatter(
    rows, new_ratios, new_values, ratios, values, trained, elements, agents, segments,
    lanes: tl.constexpr,
):  # fmt: skip
    """Some steps of some segments back to where they come from."""
    element = tl.program_id(0).to(tl.int64) * lanes + tl.arange(0, lanes)
    inside = element < elements
    agent = tl.load(rows + element % segments, mask=inside, other=0)
    at = element // segments * agents + agent
    tl.store(ratios + at, tl.load(new_ratios + element, mask=inside), mask=inside)
    tl.store(values + at, tl.load(new_values + element, mask=inside), mask=inside)
    tl.store(trained + agent, tl.full((lanes,), 1, tl.uint8), mask=inside & (element < segments))
