"""The policy's forward pass in numpy, for a handful of agents: what the arena plays with.

Names and formulas follow policy.py; tests hold the two together.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pufftui.envs.descriptor import ActionKind, Descriptor, DType
from pufftui.envs.grids import LEAST_SIDE, Grid, around_grids, grids_of
from pufftui.envs.lookups import is_looked_up
from pufftui.trainer.arena.lookup import Table, looked_up, table_of
from pufftui.trainer.messages.weights import PolicyWeights

Array = NDArray[np.float32]

LARGEST = np.float32(10)
"""Where a normalised feature is cut off, unless it is left as it is."""


def initial_state(weights: PolicyWeights, rows: int) -> Array:
    """The recurrent state at the start of an episode, (layers, parts, rows, hidden)."""
    layers = 0 if weights.memory == "none" else weights.layers
    parts = 2 if weights.memory == "lstm" else 1
    return np.zeros((layers, parts, rows, weights.hidden), np.float32)


def forward(
    weights: PolicyWeights, descriptor: Descriptor, observations: NDArray[np.uint8], state: Array
) -> tuple[Array, Array, Array]:
    """Observations (rows, bytes), state -> action parameters (rows, n), values (rows,), state."""
    arrays = weights.arrays
    hidden = _gelu(_encoded(weights, descriptor, observations))
    if weights.memory == "mingru":
        hidden, state = _mingru(weights, hidden, state)
    elif weights.memory == "lstm":
        hidden, state = _lstm(weights, hidden, state)
    heads = hidden @ arrays["heads.weight"].T + arrays["heads.bias"]
    return heads[:, :-1], heads[:, -1], state


def _encoded(
    weights: PolicyWeights, descriptor: Descriptor, observations: NDArray[np.uint8]
) -> Array:
    """What the first layer makes of observations."""
    if is_looked_up(descriptor, weights.convolution):
        table = table_of(weights, descriptor)
        return looked_up(table, observations, _numbers(weights, table, descriptor, observations))
    seen = _seen(weights, descriptor, observations)
    sums: Array = seen @ weights.arrays["encoder.weight"].T + weights.arrays["encoder.bias"]
    return sums


def _numbers(
    weights: PolicyWeights, table: Table, descriptor: Descriptor, observations: NDArray[np.uint8]
) -> Array:
    """The features without classes, (rows, numbers)."""
    fields = [field for field in descriptor.fields if not field.classes]
    found = features(observations, replace(descriptor, fields=tuple(fields)))
    return _normalised(weights, found, table.numbers)


def _seen(weights: PolicyWeights, descriptor: Descriptor, observations: NDArray[np.uint8]) -> Array:
    """What the encoder reads: the features, grids through their convolutions."""
    found = _normalised(weights, features(observations, descriptor))
    grids = grids_of(descriptor, weights.convolution)
    if not grids:
        return found
    seen = [_convolved(weights, found, number, grid) for number, grid in enumerate(grids)]
    parts = around_grids(grids, found.shape[1])
    return np.concatenate(
        [seen[part] if isinstance(part, int) else found[:, part] for part in parts], axis=1
    )


def _normalised(
    weights: PolicyWeights, found: Array, places: NDArray[np.intp] | None = None
) -> Array:
    """Features (rows, width) as the policy's normaliser makes them, if it has one; they are all, or those at `places`."""
    if "normaliser.scales" not in weights.arrays:
        return found
    own = slice(None) if places is None else places
    shifts, scales = (weights.arrays[f"normaliser.{name}"][own] for name in ("shifts", "scales"))
    with np.errstate(over="ignore", invalid="ignore"):
        limits = np.where((shifts == 0) & (scales == 1), np.float32(np.inf), LARGEST)
        moved = np.clip((found - shifts) * scales, -limits, limits)
        result: Array = moved + (found - found)  # What is not finite becomes NaN.
    return result


def _convolved(weights: PolicyWeights, found: Array, number: int, grid: Grid) -> Array:
    """Features (rows, width) -> what a grid becomes through its convolution, (rows, channels * cells)."""
    shape = (len(found), grid.rows, grid.columns)
    facts = [found[:, place].reshape(*shape, -1) for place in grid.places]
    weight = weights.arrays[f"convolutions.{number}.weight"]
    reach = LEAST_SIDE // 2
    around = np.pad(np.concatenate(facts, axis=3), ((0, 0), (reach, reach), (reach, reach), (0, 0)))
    sums = np.zeros((*shape, len(weight)), np.float32)
    for down in range(LEAST_SIDE):
        for across in range(LEAST_SIDE):
            part = around[:, down : down + grid.rows, across : across + grid.columns]
            sums += part @ weight[:, :, down, across].T
    seen = _gelu(sums + weights.arrays[f"convolutions.{number}.bias"])
    return seen.transpose(0, 3, 1, 2).reshape(len(found), -1)


def features(observations: NDArray[np.uint8], descriptor: Descriptor) -> Array:
    """Observations (rows, bytes) -> (rows, features): numbers as they are, bytes / 255, categories one-hot."""
    parts = []
    for field in descriptor.fields:
        part = field.values(observations)
        if field.classes:
            one_hot = part[..., None] == np.arange(field.classes, dtype=np.uint8)
            parts.append(one_hot.reshape(len(part), -1).astype(np.float32))
        elif field.dtype is DType.UINT8:
            parts.append(part.astype(np.float32) / np.float32(255))
        else:
            parts.append(part.astype(np.float32))
    return np.concatenate(parts, axis=1) if parts else np.zeros((len(observations), 0), np.float32)


def distribution(
    weights: PolicyWeights, descriptor: Descriptor, outputs: Array
) -> tuple[Array, ...]:
    """The action distribution of each component.

    Discrete: (rows, choices) probabilities; continuous: (rows, 2) mean and standard deviation.
    """
    if descriptor.action_kind is ActionKind.CONTINUOUS:
        deviations = np.exp(weights.arrays["log_std"])
        return tuple(
            np.stack((outputs[:, i], np.full(len(outputs), deviations[i])), axis=1)
            for i in range(outputs.shape[1])
        )
    ends = np.cumsum([len(action.choices) for action in descriptor.actions])
    return tuple(_softmax(part) for part in np.split(outputs, ends[:-1], axis=1))


def sample(
    descriptor: Descriptor, parts: tuple[Array, ...], random: np.random.Generator
) -> NDArray[np.int32] | Array:
    """One action per row, (rows, components), drawn from what `distribution` returned."""
    rows = len(parts[0])
    if descriptor.action_kind is ActionKind.CONTINUOUS:
        drawn = [part[:, 0] + part[:, 1] * random.standard_normal(rows) for part in parts]
        return np.stack(drawn, axis=1).astype(np.float32)
    chosen = [
        (part.cumsum(axis=1)[:, :-1] <= random.random((rows, 1))).sum(axis=1) for part in parts
    ]
    return np.stack(chosen, axis=1).astype(np.int32)


def _mingru(weights: PolicyWeights, hidden: Array, state: Array) -> tuple[Array, Array]:
    after = np.empty_like(state)
    for layer in range(weights.layers):
        gates = hidden @ weights.arrays[f"memory.gates.{layer}.weight"].T
        gates = gates + weights.arrays[f"memory.gates.{layer}.bias"]
        candidate, gate, highway = np.split(gates, 3, axis=1)
        z, passed = _sigmoid(gate), _sigmoid(highway)
        positive = np.maximum(candidate, 0) + _sigmoid(np.minimum(candidate, 0))
        after[layer, 0] = (1 - z) * state[layer, 0] + z * positive
        hidden = passed * after[layer, 0] + (1 - passed) * hidden
    return hidden, after


def _lstm(weights: PolicyWeights, hidden: Array, state: Array) -> tuple[Array, Array]:
    arrays, after = weights.arrays, np.empty_like(state)
    for layer in range(weights.layers):
        gates = hidden @ arrays[f"memory.inputs.{layer}.weight"].T
        gates = gates + arrays[f"memory.inputs.{layer}.bias"]
        gates = gates + state[layer, 0] @ arrays[f"memory.recurrent.{layer}.weight"].T
        into, forget, new, out = np.split(gates, 4, axis=1)
        cell = _sigmoid(forget) * state[layer, 1] + _sigmoid(into) * np.tanh(new)
        hidden = _sigmoid(out) * np.tanh(cell)
        after[layer] = hidden, cell
    return hidden, after


def _sigmoid(x: Array) -> Array:
    result: Array = np.float32(0.5) * (np.tanh(np.float32(0.5) * x) + np.float32(1))
    return result


def _gelu(x: Array) -> Array:
    inner = np.float32(math.sqrt(2 / math.pi)) * (x + np.float32(0.044715) * x * x * x)
    result: Array = np.float32(0.5) * x * (1 + np.tanh(inner))
    return result


def _softmax(logits: Array) -> Array:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    result: Array = shifted / shifted.sum(axis=1, keepdims=True)
    return result
