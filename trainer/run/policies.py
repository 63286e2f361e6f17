"""Policies to play with, without torch: one from a checkpoint, and one that never moves."""

from __future__ import annotations

import shlex
import tomllib

import numpy as np
from numpy.typing import NDArray

from pufftui.envs.catalogue import load_env
from pufftui.envs.descriptor import ActionKind, Descriptor
from pufftui.envs.errors import PuffError
from pufftui.envs.grids import encoder_width
from pufftui.envs.reading import read_small_text
from pufftui.trainer.messages.weights import (
    PolicyWeights,
    in_own_rewards,
    is_of_map,
    weights_of,
)
from pufftui.trainer.run.checkpoint import Saved, best_checkpoint
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.settings.sources import ENVIRONMENT, restore_config

POLICY = "policy/"
"""Begins the names of a checkpoint's arrays that are the policy's."""

NEVER = -1e4
"""A logit so low that its probability is exactly 0."""


def weights_from(saved: Saved, env: str | None = None) -> PolicyWeights:
    """The policy of a checkpoint, for the environment `env`, or the one that the checkpoint names.

    Raises `PuffError` if its environment observes or acts differently now, or is not to be built
    (`load_env`), and if it is no checkpoint of ours.
    """
    try:
        return _weights_from(saved, env)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise PuffError(
            f"{saved.path.name} is not a checkpoint of pufftui ({error!r}).", "Use an older one."
        ) from None


def _weights_from(saved: Saved, env: str | None) -> PolicyWeights:
    config = restore_config(saved.description["config"], file=saved.path, flags={}, env=env)
    arrays = {
        name.removeprefix(POLICY): _frozen(array)
        for name, array in saved.arrays.items()
        if name.startswith(POLICY)
    }
    if config.scales_rewards:
        arrays = in_own_rewards(arrays, float(saved.description.get("reward_scale", 1.0)))
    policy = config.policy
    descriptor = load_env(config.env).descriptor
    other = PuffError(
        f"{descriptor.name} has other observations or actions than when {saved.path.name} was written.",
        f"Change them back, or train a new policy: pufftui train {shlex.quote(config.env)}.",
    )
    looks = {"embedding": policy.embedding, "convolution": policy.convolution}
    if not is_of_map(arrays, descriptor, **looks):
        raise other
    weights = weights_of(int(saved.description["step"]), policy, arrays, descriptor)
    shape = arrays["heads.weight"].shape[0] - 1, weights.arrays["encoder.weight"].shape[1]
    if shape != (output_count(descriptor), encoder_width(descriptor, policy.convolution)):
        raise other
    return weights


def resting_policy(descriptor: Descriptor) -> PolicyWeights:
    """A policy that always does what an action calls neutral."""
    continuous = descriptor.action_kind is ActionKind.CONTINUOUS
    outputs, features = output_count(descriptor), encoder_width(descriptor, 0)
    bias = np.zeros(outputs + 1)
    if not continuous:
        bias[:-1] = NEVER
        sizes = [len(action.choices) for action in descriptor.actions]
        starts = np.cumsum([0, *sizes[:-1]])
        bias[starts + [action.neutral for action in descriptor.actions]] = 0
    arrays = {
        "encoder.weight": np.zeros((1, features)),
        "encoder.bias": np.zeros(1),
        "heads.weight": np.zeros((outputs + 1, 1)),
        "heads.bias": bias,
    }
    if continuous:
        arrays["log_std"] = np.full(outputs, -np.inf)
    frozen = {name: _frozen(array) for name, array in arrays.items()}
    return PolicyWeights(step=0, memory="none", hidden=1, layers=0, arrays=frozen)


def best_policy(folder: RunFolder) -> PolicyWeights:
    """The policy of a run's best checkpoint; raises `PuffError` if none has a score yet."""
    saved = best_checkpoint(folder.checkpoints, POLICY)
    if saved is None:
        raise PuffError(
            "No checkpoint has a score yet.", "Wait for the next one, or write one now."
        )
    return weights_from(saved)


def run_environment(folder: RunFolder) -> str | None:
    """What a run trains on, or None if its folder does not say."""
    try:
        settings = tomllib.loads(read_small_text(folder.config_file))
    except (OSError, ValueError, RecursionError):
        return None
    name = settings.get(ENVIRONMENT)
    return name if isinstance(name, str) else None


def _frozen(array: NDArray[np.floating]) -> NDArray[np.float32]:
    copy = array.astype(np.float32)
    copy.flags.writeable = False
    return copy


def output_count(descriptor: Descriptor) -> int:
    """Numbers that choose an action."""
    if descriptor.action_kind is ActionKind.CONTINUOUS:
        return len(descriptor.actions)
    return sum(len(action.choices) for action in descriptor.actions)
