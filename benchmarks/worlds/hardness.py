"""How far random features come in each world: whether it needs features that are learned.

A layer of random features, as wide as the policies' default, is read out linearly. The readout is
fitted by least squares to what the good script does, also where the fit itself has led to (three
rounds), which is more than a learner with such features could find out by itself. Prints one JSON line
a world: the score on the way from random (0) to the script (1), of the better of two scales.

    python benchmarks/worlds/hardness.py
"""

from __future__ import annotations

import argparse
import json

import numpy as np
from play import play
from scripts import SCRIPTS, Array, Seen
from suite import SUITE, load_world

from pufftui.envs.descriptor import ActionKind, Descriptor

FEATURES = 128
SCALES = (1.0, 3.0)
ROUNDS = 3
MOST_ROWS = 60_000
AGENTS = 128


def inputs(descriptor: Descriptor, seen: Seen) -> Array:
    """What a policy is given, (agents, inputs): categories one-hot."""
    columns = []
    for part in descriptor.fields:
        values = seen[part.name]
        if part.classes:
            values = np.eye(part.classes)[values.astype(np.int64)].reshape(len(values), -1)
        columns.append(values)
    return np.concatenate(columns, axis=1)


class Readout:
    """A linear readout of random features that imitates a script."""

    def __init__(self, descriptor: Descriptor, agents: int, name: str, scale: float) -> None:
        self.descriptor = descriptor
        self.teacher = SCRIPTS[name](agents)
        self.continuous = descriptor.action_kind is ActionKind.CONTINUOUS
        self.choices = [len(action.choices) for action in descriptor.actions]
        self.scale = scale
        self.random = np.random.default_rng(1)
        self.rows: list[Array] = []
        self.wanted: list[Array] = []
        self.weights: Array | None = None

    def __call__(self, seen: Seen) -> Array:
        """Acts as fitted, and keeps what the script would do; before the first fit, as the script."""
        rows, wanted = inputs(self.descriptor, seen), self.teacher(seen)
        self.rows.append(rows.astype(np.float32))
        self.wanted.append(wanted.astype(np.float32))
        return wanted if self.weights is None else self._act(rows)

    def fit(self) -> None:
        """Fits the readout to all that was kept."""
        rows, wanted = np.concatenate(self.rows), np.concatenate(self.wanted)
        if len(rows) > MOST_ROWS:
            chosen = self.random.choice(len(rows), MOST_ROWS, replace=False)
            rows, wanted = rows[chosen], wanted[chosen]
            self.rows, self.wanted = [rows], [wanted]
        if self.weights is None:
            self.mean, self.spread = rows.mean(axis=0), rows.std(axis=0) + 1e-8
            size = self.scale / np.sqrt(rows.shape[1])
            self.first = self.random.normal(0, size, (rows.shape[1], FEATURES))
            self.bias = self.random.normal(0, self.scale, FEATURES)
        targets = wanted if self.continuous else self._one_hot(wanted.astype(np.int64))
        features = self._features(rows)
        square = features.T @ features + 1e-5 * len(rows) * np.eye(features.shape[1])
        self.weights = np.linalg.solve(square, features.T @ targets)

    def _one_hot(self, actions: Array) -> Array:
        parts = [np.eye(count)[actions[:, i]] for i, count in enumerate(self.choices)]
        return np.concatenate(parts, axis=1)

    def _features(self, rows: Array) -> Array:
        hidden = np.tanh((rows - self.mean) / self.spread @ self.first + self.bias)
        return np.concatenate([hidden, np.ones((len(rows), 1))], axis=1)

    def _act(self, rows: Array) -> Array:
        out = self._features(rows) @ self.weights
        if self.continuous:
            return np.clip(out, -1, 1)
        cuts = np.cumsum(self.choices)[:-1]
        return np.stack([part.argmax(axis=1) for part in np.split(out, cuts, axis=1)], axis=1)


def share(name: str, scale: float) -> float:
    """The score on the way from random to the script."""
    library, world = load_world(name), SUITE[name]
    environments = max(1, AGENTS // library.descriptor.agents)
    policy = Readout(library.descriptor, environments * library.descriptor.agents, name, scale)
    for seed in range(ROUNDS):
        play(library, policy, environments=environments, seed=seed)
        policy.fit()
    score = float(play(library, policy, environments=environments, seed=ROUNDS).mean())
    return (score - world.random) / (world.good - world.random)


def main() -> None:
    """All worlds, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("worlds", nargs="*", metavar="WORLD")
    for name in parser.parse_args().worlds or SUITE:
        shares = [share(name, scale) for scale in SCALES]
        print(json.dumps({"world": name, "random_features": round(max(shares), 2)}), flush=True)


if __name__ == "__main__":
    main()
