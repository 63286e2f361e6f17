"""What the program chooses where nobody gave a value: settings that are `auto`, resolved once as a run begins."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from pufftui.envs.cells import cells_among
from pufftui.trainer.settings.fields import REWARD_SCALE, Config, setting_fields
from pufftui.trainer.settings.tryout import Tryout

ROLLOUT = {"cpu": 256 * 64, "cuda": 4096 * 64}
"""Agent steps. Small ones learn from few steps; a GPU gets large ones nearly for nothing."""

SHORT_HORIZON, LONG_HORIZON = 64, 256
"""A memory is trained through as many steps as an episode has, within these."""

MINIBATCHES = 8
"""Gradient steps on a rollout, if each step is learned from once."""

SHORTEST_REACH, LONGEST_REACH = 50.0, 200.0
"""Bounds of 1 / (1 - gamma): shorter sees no consequences, longer takes many updates to learn."""

REACH = 0.5
"""1 / (1 - gamma) as a share of an episode in random play; those of a good player are often longer."""

SMALL, LARGE = 0.05, 3.0
"""Numbers without bounds are normalised if all of a field vary by less, or if any varies by more or is larger on average."""

LEAST_SHARE = 1e-6
"""A number whose deviation is no more than this share of its mean is taken for constant, by whoever normalises, too."""

EMBEDDING = 8
"""Numbers that a cell of a map becomes."""

MOST_REWARD = 5.0
"""The size of the largest reward after scaling: rare ones are not to drown all else."""


def choose(config: Config, device: str, tryout: Tryout) -> Config:
    """The config with a value for each open setting; `device` is cpu or cuda.

    It depends on the environment, the other settings and the kind of device, and on nothing else.
    """
    chosen = config
    for path in [path for path in CHOICES if path in config.open]:
        section, name = path.split(".")
        value = CHOICES[path](chosen, device, tryout)
        changed = replace(getattr(chosen, section), **{name: value})
        chosen = replace(chosen, **{section: changed})
    return replace(chosen, open=frozenset(), chosen=config.chosen | config.open)


def chosen_in_words(config: Config) -> str:
    """What was chosen, with its values: `agents 256, horizon 64`; empty if nothing was.

    That there is no map, and so no embedding, is no news.
    """
    values = {
        path: getattr(getattr(config, section), name)
        for path in sorted(config.chosen)
        for section, _, name in [path.partition(".")]
        if path != "policy.embedding" or config.policy.embedding
    }
    return ", ".join(
        f"{path.partition('.')[2].replace('_', ' ')} {value if isinstance(value, str) else f'{value:,.10g}'}"
        for path, value in values.items()
    )


def _horizon(config: Config, device: str, tryout: Tryout) -> int:
    """What happened before a rollout's first step can be remembered, and is not learned to be."""
    del device
    horizon = SHORT_HORIZON
    while config.policy.memory != "none" and horizon < min(tryout.episode_steps, LONG_HORIZON):
        horizon *= 2
    return horizon


def _agents(config: Config, device: str, tryout: Tryout) -> int:
    del tryout
    return max(1, ROLLOUT[device] // config.train.horizon)


def _minibatch_size(config: Config, device: str, tryout: Tryout) -> int:
    del device, tryout
    return max(1, config.vec.agents * config.train.horizon // MINIBATCHES)


def _gamma(config: Config, device: str, tryout: Tryout) -> float:
    del config, device
    reach = min(max(REACH * tryout.episode_steps, SHORTEST_REACH), LONGEST_REACH)
    return round(1 - 1 / reach, 4)


def _normalise(config: Config, device: str, tryout: Tryout) -> str:
    """Numbers of another size than one keep a network from learning; those that are of size one are left alone."""
    del config, device
    for field in tryout.fields:
        if not field.is_open:
            continue
        seen = field.values(tryout.observations).reshape(-1, field.count).astype(np.float64)
        seen *= field.dtype.unit
        seen = seen[np.isfinite(seen).all(axis=1)]
        if not len(seen):
            continue
        means, deviations = np.abs(seen.mean(axis=0)), seen.std(axis=0)
        varied = deviations[deviations > LEAST_SHARE * means]
        small = len(varied) > 0 and varied.max() < SMALL
        if small or (means > LARGE).any() or (deviations > LARGE).any():
            return "on"
    return "off"


def _embedding(config: Config, device: str, tryout: Tryout) -> int:
    """What is learned of one cell is to hold for all. On a GPU it would cost the kernel that decides."""
    seen = device == "cpu" and not config.policy.convolution and cells_among(tryout.fields)
    return EMBEDDING if seen else 0


def _reward_scale(config: Config, device: str, tryout: Tryout) -> float:
    """To begin with; training finds it anew (reward_scale.py)."""
    del device
    rewards = np.where(tryout.alive > 0, np.nan_to_num(tryout.rewards, posinf=0, neginf=0), 0)
    largest = float(np.abs(rewards).max())
    if largest == 0:
        return 1.0
    decay = config.train.gamma * config.train.gae_lambda
    ends = (tryout.terminals | tryout.truncations) > 0
    ahead = np.zeros(rewards.shape[1])
    returns = np.empty_like(rewards, dtype=np.float64)
    for step in reversed(range(len(rewards))):
        ahead = rewards[step] + decay * np.where(ends[step], 0, ahead)
        returns[step] = ahead
    spread = float(returns.std())
    scale = min(1 / spread if spread else math.inf, MOST_REWARD / largest)
    declared = setting_fields()[REWARD_SCALE].setting
    assert declared.low is not None
    assert declared.high is not None
    return float(f"{min(max(scale, declared.low), declared.high):.4g}")


CHOICES: Mapping[str, Callable[[Config, str, Tryout], int | float | str]] = {
    "train.horizon": _horizon,
    "vec.agents": _agents,
    "train.minibatch_size": _minibatch_size,
    "train.gamma": _gamma,
    REWARD_SCALE: _reward_scale,
    "policy.normalise": _normalise,
    "policy.embedding": _embedding,
}
"""How each setting that may be `auto` is chosen, in an order in which each finds what it builds on."""
