"""Trains Stable-Baselines3's PPO in a world and prints its scores, one JSON line every 10,000 steps.

Runs under a Python that has stable-baselines3 beside all that pufftui needs; `benchmarks/worlds.py`
starts it. Two columns:

* `plain`: one environment and PPO's defaults, untouched.
* `tuned`: 8 environments and what RL Baselines3 Zoo usually settles on for such games: observations and
  rewards normalised (VecNormalize), 256 steps, minibatches of 256, 10 epochs, a rate that falls from 3e-4
  to 0, and for choices an entropy bonus of 0.01.

The score is the mean over the last 100 episodes of training, as the library itself reports it.
"""

from __future__ import annotations

import argparse
import json
from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from play import fields_of
from stable_baselines3 import PPO
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv, VecNormalize
from suite import load_world

from pufftui.envs.descriptor import ActionKind, Descriptor, DType
from pufftui.envs.library import EnvLibrary
from pufftui.envs.vector import VectorEnv

Array = NDArray[Any]
EVERY = 10_000
EPISODES = 100


def inputs(descriptor: Descriptor, rows: Array) -> Array:
    """What pufftui's policies are given of (agents, bytes), as float32: categories one-hot, bytes up to 1."""
    columns = []
    seen = fields_of(descriptor, rows)
    for part in descriptor.fields:
        values = seen[part.name]
        if part.classes:
            values = np.eye(part.classes)[values.astype(np.int64)].reshape(len(values), -1)
        elif part.dtype is DType.UINT8:
            values = values / 255
        columns.append(values)
    return np.concatenate(columns, axis=1).astype(np.float32)


def action_space(descriptor: Descriptor) -> spaces.Space[Any]:
    """The actions as Gymnasium says it."""
    if descriptor.action_kind is ActionKind.CONTINUOUS:
        return spaces.Box(-1, 1, (len(descriptor.actions),), np.float32)
    counts = [len(action.choices) for action in descriptor.actions]
    return spaces.Discrete(counts[0]) if len(counts) == 1 else spaces.MultiDiscrete(counts)


class Worlds(VecEnv):
    """Copies of a world, one row for each agent of each; all agents of a world end together."""

    def __init__(self, library: EnvLibrary, environments: int, seed: int) -> None:
        self.descriptor = library.descriptor
        self.vector = VectorEnv(library, {}, environments=environments, seed=seed)
        self.buffers = self.vector.buffers()
        self.scores: deque[float] = deque(maxlen=EPISODES)
        self.episodes = 0
        width = inputs(self.descriptor, self.buffers.observations).shape[1]
        seen = spaces.Box(-np.inf, np.inf, (width,), np.float32)
        super().__init__(self.vector.agents, seen, action_space(self.descriptor))

    def reset(self) -> Array:
        self.vector.reset(0, self.buffers)
        return inputs(self.descriptor, self.buffers.observations)

    def step_async(self, actions: Array) -> None:
        self.buffers.actions[:] = actions.reshape(self.num_envs, -1)

    def step_wait(self) -> tuple[Array, Array, Array, list[dict[str, Any]]]:
        buffers = self.buffers
        self.vector.step(0, buffers)
        done = (buffers.terminals | buffers.truncations).astype(bool)
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        seen = inputs(self.descriptor, buffers.observations)
        if done.any():
            report = self.vector.drain()
            self.scores.extend(report.episodes["score"].tolist())
            self.episodes += report.count
            # Where it was over there is no last observation, and none is asked for.
            finals = inputs(self.descriptor, buffers.finals) if buffers.truncations.any() else seen
            for row in np.flatnonzero(done):
                cut = bool(buffers.truncations[row])
                infos[row] = {"terminal_observation": finals[row], "TimeLimit.truncated": cut}
        return seen, buffers.rewards.copy(), done, infos

    def close(self) -> None:
        self.vector.close()

    # The library asks these of any vector of environments; only the first and the last are used.

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:  # noqa: ARG002
        return [None] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        raise NotImplementedError

    def env_method(self, method_name: str, *args: Any, **kwargs: Any) -> list[Any]:
        raise NotImplementedError

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:  # noqa: ARG002
        return [False] * self.num_envs


class Told(BaseCallback):
    """Prints where training is."""

    def __init__(self, worlds: Worlds) -> None:
        super().__init__()
        self.worlds = worlds
        self.next = EVERY

    def _on_step(self) -> bool:
        if self.num_timesteps >= self.next:
            self.next = (self.num_timesteps // EVERY + 1) * EVERY
            self.tell()
        return True

    def tell(self) -> None:
        """One line."""
        scores = self.worlds.scores
        line = {
            "step": self.num_timesteps,
            "score": sum(scores) / len(scores) if scores else None,
            "episodes": self.worlds.episodes,
        }
        print(json.dumps(line), flush=True)


def plain(worlds: Worlds, seed: int) -> BaseAlgorithm:
    """PPO as it comes."""
    return PPO("MlpPolicy", worlds, seed=seed)


def tuned(worlds: Worlds, seed: int) -> BaseAlgorithm:
    """PPO as its users set it."""
    continuous = worlds.descriptor.action_kind is ActionKind.CONTINUOUS
    return PPO(
        "MlpPolicy",
        VecNormalize(worlds),
        n_steps=256,
        batch_size=256,
        n_epochs=10,
        learning_rate=lambda left: 3e-4 * left,
        ent_coef=0.0 if continuous else 0.01,
        seed=seed,
    )


COLUMNS = {"plain": (1, plain), "tuned": (8, tuned)}
"""The number of environments, and what learns in them."""


def main(words: Sequence[str] | None = None) -> None:
    """One training."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("world")
    parser.add_argument("column", choices=COLUMNS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=1_000_000)
    options = parser.parse_args(words)
    environments, make = COLUMNS[options.column]
    worlds = Worlds(load_world(options.world), environments, options.seed)
    told = Told(worlds)
    make(worlds, options.seed).learn(options.steps, callback=told)
    told.tell()


if __name__ == "__main__":
    main()
