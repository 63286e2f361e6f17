"""A person's moves as a file to learn from: what one agent saw, did and got, step by step.

docs/demonstrations.md describes the file.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pufftui.envs.descriptor import Descriptor
from pufftui.trainer.arena.game import Game
from pufftui.trainer.files.arrays import write_whole
from pufftui.trainer.messages.kept import Kept

FORMAT = 1

MOST_BYTES = 256 << 20
"""A recording that has grown so large ends by itself."""

ROW_BYTES = 400
"""What Python needs for a row beside its arrays."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One step of the agent; `actions` (agents, components) are those of its whole environment."""

    observation: NDArray[np.uint8]
    actions: NDArray[Any]
    reward: float
    terminal: bool
    truncation: bool
    alive: bool
    starts: bool
    human: bool
    final: NDArray[np.uint8] | None


class Recording:
    """Gathers the steps of one agent: `before` each step, `after` it, `write` in the end.

    Where the game goes on from an earlier step, the rows after that go, too.
    """

    def __init__(self, game: Game, agent: int, path: Path, about: Mapping[str, Any]) -> None:
        self.agent, self.path = agent, path
        self.rows: list[Row] = []
        self._descriptor = game.descriptor
        self._about = dict(about)
        self._environment, self._place = divmod(agent, game.descriptor.agents)
        self._begin(game)

    @property
    def full(self) -> bool:
        """Whether it has grown too large to go on."""
        if not self.rows:
            return False
        row = self.rows[0]
        return len(self.rows) * (row.observation.nbytes + row.actions.nbytes + ROW_BYTES) > (
            MOST_BYTES
        )

    def before(self, game: Game) -> None:
        """Looks at the game before a step of it is played."""
        at = game.steps - self._first
        if 0 <= at <= len(self.rows):
            del self.rows[at:]
        else:
            self._begin(game)
        self._observation = game.buffers.observations[self.agent].copy()
        self._starts = bool(game.figures["length"][self.agent] == 0)

    def after(self, game: Game, person: int | None) -> None:
        """Takes in the step that was just played, in which a person chose for agent `person`."""
        buffers, agent, agents = game.buffers, self.agent, self._descriptor.agents
        first = self._environment * agents
        truncated, alive = bool(buffers.truncations[agent]), bool(buffers.alive[agent])
        self._last = buffers.observations[agent].copy()
        self.rows.append(
            Row(
                observation=self._observation,
                actions=buffers.actions[first : first + agents].copy(),
                reward=float(buffers.rewards[agent]),
                terminal=bool(buffers.terminals[agent]),
                truncation=truncated,
                alive=alive,
                starts=self._starts and alive,
                human=person == agent,
                final=buffers.finals[agent].copy() if truncated else None,
            )
        )

    def _begin(self, game: Game) -> None:
        self._first = game.steps
        self._start = game.vector.state(self._environment).copy()
        self._last = game.buffers.observations[self.agent].copy()
        self.rows.clear()

    def write(self) -> Kept:
        """Writes the file, whole or not at all."""
        human_steps = sum(row.human for row in self.rows)
        kept = Kept(self.path, len(self.rows), human_steps)
        if not self.rows:
            return replace(kept, trouble="No step was played, so there is nothing to keep.")
        try:
            write_whole(self.path, self._arrays())
        except OSError as error:
            return replace(kept, trouble=_refused(self.path, error))
        return kept

    def _arrays(self) -> dict[str, NDArray[Any]]:
        rows, descriptor = self.rows, self._descriptor
        observations = np.stack([row.observation for row in rows])
        finals = [row.final for row in rows if row.final is not None]
        empty = np.zeros((0, descriptor.observation_bytes), np.uint8)
        actions = np.stack([row.actions for row in rows])
        return {
            "description": np.array(json.dumps(self._describe())),
            **_by_field("observations", descriptor, observations),
            **_by_field("last_observation", descriptor, self._last[None], only=True),
            **_by_field("final_observations", descriptor, np.stack(finals) if finals else empty),
            "actions": np.ascontiguousarray(actions[:, self._place]),
            "rewards": np.array([row.reward for row in rows], np.float32),
            "terminals": np.array([row.terminal for row in rows]),
            "truncations": np.array([row.truncation for row in rows]),
            "alive": np.array([row.alive for row in rows]),
            "episode_starts": np.array([row.starts for row in rows]),
            "human": np.array([row.human for row in rows]),
            "environment_actions": actions,
            "environment_start": self._start,
        }

    def _describe(self) -> dict[str, Any]:
        descriptor = self._descriptor
        return {
            "format": FORMAT,
            "env": descriptor.name,
            "agent": self._place,
            "agents": descriptor.agents,
            "steps_per_second": descriptor.steps_per_second,
            "actions": [
                {"name": action.name, "choices": [choice.label for choice in action.choices]}
                for action in descriptor.actions
            ],
            "written": time.time(),
            **self._about,
        }


def new_file(folder: Path, env: str) -> Path:
    """A name for a file in a folder that can be written; raises `OSError` if it cannot."""
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(0, "it is not writable", str(folder))
    stem, number = f"{env}-demonstration-{time.strftime('%Y%m%d-%H%M%S')}", 1
    path = folder / f"{stem}.npz"
    while path.exists():
        number += 1
        path = folder / f"{stem}-{number}.npz"
    return path


def unwritable(folder: Path, error: OSError) -> Kept:
    """Says that no recording can begin."""
    return Kept(folder, trouble=_refused(folder, error))


def _refused(path: Path, error: OSError) -> str:
    return f"{path} could not be written ({error.strerror or error})."


def _by_field(
    name: str, descriptor: Descriptor, raw: NDArray[np.uint8], *, only: bool = False
) -> dict[str, NDArray[Any]]:
    """Raw observations (rows, bytes) as an array (rows, count) for each field.

    With `only`, the one row is taken out: (count,).
    """
    arrays = {}
    for field in descriptor.fields:
        column = field.values(raw)
        arrays[f"{name}/{field.name}"] = column[0] if only else column
    return arrays
