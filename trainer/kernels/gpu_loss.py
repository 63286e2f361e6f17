"""The PPO loss of gathered segments and its gradient in one pass, in Triton; formulas in loss.py, sums in kernels.h."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from pufftui.trainer.kernels.sums import places

PLACES = places()
SUMS = tl.constexpr(len(PLACES))
ALIVE = tl.constexpr(PLACES["alive"])
POLICY_LOSS = tl.constexpr(PLACES["policy_loss"])
VALUE_LOSS = tl.constexpr(PLACES["value_loss"])
ENTROPY = tl.constexpr(PLACES["entropy"])
OLD_APPROX_KL = tl.constexpr(PLACES["old_approx_kl"])
APPROX_KL = tl.constexpr(PLACES["approx_kl"])
CLIPFRAC = tl.constexpr(PLACES["clipfrac"])
IMPORTANCE = tl.constexpr(PLACES["importance"])
TARGET = tl.constexpr(PLACES["target"])
TARGET_SQUARED = tl.constexpr(PLACES["target_squared"])
ERROR = tl.constexpr(PLACES["error"])
ERROR_SQUARED = tl.constexpr(PLACES["error_squared"])
"""Where the sums stand, and how many they are."""

LANES, MOST_LOGITS = 128, 4096
"""Agent steps of a program, fewer if they have so many logits together."""


def ppo_loss(
    *,
    heads: Tensor,
    sizes: Tensor,
    largest: int,
    actions: Tensor,
    old_log_probabilities: Tensor,
    old_values: Tensor,
    advantages: Tensor,
    alive: Tensor,
    weights: Tensor,
    moments: Tensor,
    coefficients: Tensor,
    ratios: Tensor,
    values: Tensor,
    head_gradients: Tensor,
) -> Tensor:
    """Fills the last three and returns the sums in parts, (parts, sums) float64.

    `heads` (steps, segments, width) as in fused_loss.py; `sizes` (components,) int32, on the GPU as all
    else, and the largest of them; `moments` (3,) and `coefficients` (4,) float64.
    """
    steps, segments, width = heads.shape
    padded = triton.next_power_of_2(largest)
    lanes = max(1, min(LANES, MOST_LOGITS // padded))
    programs = triton.cdiv(steps * segments, lanes)
    sums = torch.empty((programs, SUMS.value), dtype=torch.float64, device=heads.device)
    ppo[(programs,)](
        *(heads, sizes, actions, old_log_probabilities, old_values, advantages, alive, weights),
        *(moments, coefficients, ratios, values, head_gradients, sums),
        *(steps * segments, segments, len(sizes), width),
        padded=padded,
        lanes=lanes,
    )
    return sums


@triton.jit
def log_softmax(heads, element, inside, first, size, width, choice):
    """Log-probabilities and probabilities (lanes, padded) of one component, zero beyond its choices."""
    there = inside[:, None] & (choice < size)
    x = tl.load(heads + element[:, None] * width + first + choice, mask=there, other=-float("inf"))
    shifted = x - tl.max(x, axis=1)[:, None]
    weights = tl.exp(shifted)
    total = tl.sum(weights, axis=1)[:, None]
    return tl.where(there, shifted - tl.log(total), 0.0), tl.where(there, weights / total, 0.0)


@triton.jit
def clamp(x, low, high):
    """Leaves numbers that are not finite as they are."""
    return tl.where(x < low, low, tl.where(x > high, high, x))


@triton.jit
def normalisation(moments):
    """Mean and deviation of the advantages, and how many they are."""
    living = tl.load(moments)
    count = tl.where(living > 1, living, 1.0)
    mean = tl.load(moments + 1) / count
    variance = tl.load(moments + 2) / count - mean * mean
    # Rounding can leave a variance of nothing below zero; not a number stays what it is.
    deviation = tl.sqrt(tl.where(variance <= 0, 0.0, variance))
    return mean.to(tl.float32), deviation.to(tl.float32), count.to(tl.float32)


@triton.jit
def value_error(value, old_value, target, most):
    """The squared error that counts, and half its slope."""
    step = value - old_value
    moved = clamp(step, -most, most)
    error, clipped = value - target, old_value + moved - target
    unclipped = (error * error < clipped * clipped) == 0
    slope = tl.where(unclipped, error, tl.where(moved == step, clipped, 0.0))
    return tl.where(unclipped, error * error, clipped * clipped), slope


@triton.jit
def add_up(place, numbers, lives):
    """Stores the sum over the lanes that are alive."""
    tl.store(place, tl.sum(tl.where(lives, numbers, 0.0).to(tl.float64), axis=0))


@triton.jit
def add_up_targets(sums, target, old_value, lives):
    """Sums for the explained variance, in which large numbers nearly cancel."""
    wide = target.to(tl.float64)
    error = wide - old_value
    add_up(sums + TARGET, wide, lives)
    add_up(sums + TARGET_SQUARED, wide * wide, lives)
    add_up(sums + ERROR, error, lives)
    add_up(sums + ERROR_SQUARED, error * error, lives)


@triton.jit
def ppo(
    heads, sizes, actions, old_log_probabilities, old_values, advantages, alive, weights,
    moments, coefficients, ratios, values, head_gradients, sums,
    elements, segments, components, width, padded: tl.constexpr, lanes: tl.constexpr,
):  # fmt: skip
    """Some steps of some segments."""
    element = tl.program_id(0).to(tl.int64) * lanes + tl.arange(0, lanes)
    inside = element < elements
    lives = inside & (tl.load(alive + element, mask=inside, other=0) != 0)
    choice = tl.arange(0, padded)[None, :]
    clip = tl.load(coefficients).to(tl.float32)
    value_clip = tl.load(coefficients + 1).to(tl.float32)
    value_coefficient = tl.load(coefficients + 2).to(tl.float32)
    entropy_coefficient = tl.load(coefficients + 3).to(tl.float32)
    mean, deviation, count = normalisation(moments)

    log_probability = tl.zeros((lanes,), tl.float32)
    entropy = tl.zeros((lanes,), tl.float32)
    first = 0
    for component in range(components):
        size = tl.load(sizes + component)
        own, probability = log_softmax(heads, element, inside, first, size, width, choice)
        action = tl.load(actions + element * components + component, mask=inside, other=0)
        log_probability += tl.sum(tl.where(choice == action[:, None], own, 0.0), axis=1)
        entropy -= tl.sum(probability * own, axis=1)
        first += size
    value = tl.load(heads + element * width + first, mask=inside, other=0)
    log_ratio = log_probability - tl.load(old_log_probabilities + element, mask=inside, other=0)
    ratio = tl.exp(log_ratio)
    tl.store(ratios + element, ratio, mask=inside)
    tl.store(values + element, value, mask=inside)

    old_value = tl.load(old_values + element, mask=inside, other=0)
    raw = tl.load(advantages + element, mask=inside, other=0)
    weight = tl.load(weights + element % segments, mask=inside, other=0)
    advantage = (raw - mean) / (deviation + 1e-8) * weight
    free, bounded = -advantage * ratio, -advantage * clamp(ratio, 1 - clip, 1 + clip)
    # The comparisons are so that a number that is not finite comes through.
    policy_slope = tl.where(free < bounded, 0.0, free)
    squared_error, value_slope = value_error(value, old_value, raw + old_value, value_clip)

    first = 0
    for component in range(components):
        size = tl.load(sizes + component)
        own, probability = log_softmax(heads, element, inside, first, size, width, choice)
        action = tl.load(actions + element * components + component, mask=inside, other=0)
        chosen = (choice == action[:, None]).to(tl.float32)
        own_entropy = -tl.sum(probability * own, axis=1)
        slope = policy_slope[:, None] * (chosen - probability)
        slope += entropy_coefficient * probability * (own + own_entropy[:, None])
        place = head_gradients + element[:, None] * width + first + choice
        slope = tl.where(lives[:, None], slope / count, 0.0)
        tl.store(place, slope, mask=inside[:, None] & (choice < size))
        first += size
    slope = tl.where(lives, value_coefficient * value_slope / count, 0.0)
    tl.store(head_gradients + element * width + first, slope, mask=inside)

    into = sums + tl.program_id(0) * SUMS
    add_up(into + ALIVE, tl.full((lanes,), 1.0, tl.float32), lives)
    add_up(into + POLICY_LOSS, tl.where(free < bounded, bounded, free), lives)
    add_up(into + VALUE_LOSS, 0.5 * squared_error, lives)
    add_up(into + ENTROPY, entropy, lives)
    add_up(into + OLD_APPROX_KL, -log_ratio, lives)
    add_up(into + APPROX_KL, ratio - 1 - log_ratio, lives)
    add_up(into + CLIPFRAC, (tl.abs(ratio - 1) > clip).to(tl.float32), lives)
    add_up(into + IMPORTANCE, ratio, lives)
    add_up_targets(into, raw + old_value, old_value, lives)
