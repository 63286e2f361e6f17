"""A game for people: a few copies of one environment, the policy that plays them, their episodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pufftui.envs.library import EnvLibrary
from pufftui.envs.vector import VectorEnv
from pufftui.envs.words import SheetRow, Story, StoryListener
from pufftui.trainer.arena.forward import Array, distribution, forward, initial_state, sample
from pufftui.trainer.messages.weights import PolicyWeights

Actions = NDArray[np.int32] | NDArray[np.float32]

LEAST_AGENTS = 8
"""Environments with fewer agents are run several times, so that there is something to choose."""

NEARLY_ONE = float(np.nextafter(np.float32(1), np.float32(0)))
"""The phase at which a step is complete: `draw` wants one below 1."""

FIGURES = np.dtype(
    [
        ("episode_return", np.float64),
        ("length", np.int64),
        ("human_steps", np.int64),
        ("went_back", np.bool_),
        ("finished", np.int64),
        ("last_score", np.float64),
        ("last_human", np.bool_),
        ("scored", np.int64),
        ("score_sum", np.float64),
    ]
)
"""What is counted for each agent: of the running episode its return and length, how many of its
steps a person took, and whether somebody went back in it; how many episodes have finished, the
score of the last (NaN before the first) and whether a person played most of it; and of those that
the policy played their number and the sum of their scores."""


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """All that a game goes on from, after so many `steps`, and what was to be seen of it then."""

    steps: int
    environments: bytes
    arrays: Mapping[str, NDArray[Any]]
    state: Array | None
    parts: tuple[Array, ...]
    values: Array | None
    figures: NDArray[np.void]
    random: Mapping[str, Any]

    @property
    def size(self) -> int:
        """Bytes that it takes, nearly."""
        extra = [array for array in (self.state, self.values) if array is not None]
        arrays = [*self.arrays.values(), *self.parts, *extra, self.figures]
        return len(self.environments) + sum(array.nbytes for array in arrays)


class Game:
    """Plays in steps: `decide`, change what a person decides otherwise, `step`.

    `weights` is the policy, None for random moves; `best_human` the best score of an episode that a
    person played without going back in it. `told` is what the environments told of the last step, about
    the agent `watched` even what matters little. The same seed and the same policy play the same game.
    """

    def __init__(self, library: EnvLibrary, parameters: Mapping[str, float], seed: int) -> None:
        self.descriptor = library.descriptor_with(parameters)
        copies = -(-LEAST_AGENTS // self.descriptor.agents)
        self.vector = VectorEnv(library, parameters, environments=copies, seed=seed)
        self.agents = self.vector.agents
        self.buffers = self.vector.buffers()
        self.vector.reset(0, self.buffers)
        self.weights: PolicyWeights | None = None
        self.steps = 0
        self.parts: tuple[Array, ...] = ()
        self.values: Array | None = None
        self.figures = np.zeros(self.agents, FIGURES)
        self.figures["last_score"] = np.nan
        self.best_human: float | None = None
        self.watched = 0
        self.told: list[Story] = []
        self._persons = np.zeros(self.agents, np.uint8)
        self._listener = StoryListener(copies, self.descriptor.agents)
        self._state: Array | None = None
        self._random = np.random.default_rng(seed)

    @property
    def alive(self) -> NDArray[np.bool_]:
        """Which agents took part in the last step, (agents,)."""
        return self.buffers.alive.astype(bool)

    def decide(self) -> Actions:
        """The policy's actions (agents, components), and in `parts` and `values` what it thinks."""
        if self.weights is None:
            return self._random_actions()
        if self._state is None:
            self._state = initial_state(self.weights, self.agents)
        outputs, self.values, self._state = forward(
            self.weights, self.descriptor, self.buffers.observations, self._state
        )
        self.parts = distribution(self.weights, self.descriptor, outputs)
        return sample(self.descriptor, self.parts, self._random)

    def step(
        self, actions: Actions, person: int | None = None, *, again: bool = False
    ) -> list[int]:
        """Plays one step, in which a person chose the action of the agent `person`.

        Returns the agents whose episodes ended. Of a step that is played `again` nothing is told.
        """
        buffers, figures = self.buffers, self.figures
        buffers.actions[:] = actions
        if person is not None:
            self._persons[:] = 0
            self._persons[person] = 1
        buffers.attend(None if person is None else self._persons, None if again else self._listener)
        self._listener.watch(self.watched)
        self.vector.step(0, buffers)
        self.told = self._listener.heard()
        self.steps += 1
        alive = self.alive
        figures["episode_return"][alive] += buffers.rewards[alive]
        figures["length"][alive] += 1
        if person is not None:
            figures["human_steps"][person] += 1
        over = (buffers.terminals | buffers.truncations).astype(bool)
        if self._state is not None:
            self._state[:, :, over | ~alive] = 0  # as in training
        ended = over & alive
        if not ended.any():
            return []
        finished = [self._finish(episode) for episode in self.vector.drain().episodes]
        for name in ("episode_return", "length", "human_steps", "went_back"):
            figures[name][ended] = 0
        return finished

    def _finish(self, episode: np.void) -> int:
        agent, score = int(episode["agent"]), float(episode["score"])
        row = self.figures[agent]
        # Most of it played by the person: then it is the person's score.
        human = bool(row["human_steps"] * 2 > row["length"])
        row["finished"] += 1
        row["last_score"], row["last_human"] = score, human
        if not human:
            row["scored"] += 1
            row["score_sum"] += score
        elif not row["went_back"] and (self.best_human is None or score > self.best_human):
            self.best_human = score
        return agent

    def last_score(self, agent: int) -> float | None:
        """Score of the last episode that an agent has finished."""
        score = float(self.figures["last_score"][agent])
        return None if np.isnan(score) else score

    @property
    def scored(self) -> int:
        """How many episodes have finished that the policy played."""
        return int(self.figures["scored"].sum())

    @property
    def mean_score(self) -> float | None:
        """The mean score of those."""
        return float(self.figures["score_sum"].sum()) / self.scored if self.scored else None

    def describe(self, agent: int) -> tuple[SheetRow, ...]:
        """What a person should read beside the picture of an agent."""
        return self.vector.describe(*divmod(agent, self.descriptor.agents))

    def draw(
        self, agent: int, phase: float, width: int, height: int, view: int = 0
    ) -> NDArray[np.uint8]:
        """The world as an agent sees it at a phase of the last step, (height, width, 3), in one of its views."""
        pixels = np.zeros((height, width, 3), np.uint8)
        if pixels.size:
            environment, seen_by = divmod(agent, self.descriptor.agents)
            self.vector.draw(environment, seen_by, min(phase, NEARLY_ONE), pixels, view)
        pixels.flags.writeable = False
        return pixels

    def locate(
        self, agent: int, phase: float, size: tuple[int, int], x: float, y: float, view: int = 0
    ) -> int | None:
        """The agent that such a picture shows at a place of it, x and y from 0 to 1."""
        environment, seen_by = divmod(agent, self.descriptor.agents)
        place = x * size[0], y * size[1]
        found = self.vector.locate(environment, seen_by, min(phase, NEARLY_ONE), size, *place, view)
        return None if found is None else environment * self.descriptor.agents + found

    def save(self) -> Moment:
        """A copy of all that `restore` needs."""
        held = ("actions", "observations", "rewards", "terminals", "truncations", "alive")
        return Moment(
            steps=self.steps,
            environments=self.vector.save(),
            arrays={name: getattr(self.buffers, name).copy() for name in held},
            state=None if self._state is None else self._state.copy(),
            parts=self.parts,
            values=self.values,
            figures=self.figures.copy(),
            random=self._random.bit_generator.state,
        )

    def restore(self, moment: Moment) -> None:
        """Goes back to where `save` was called. The policy stays the one of now."""
        self.vector.restore(moment.environments)
        for name, array in moment.arrays.items():
            getattr(self.buffers, name)[:] = array
        self.steps = moment.steps
        self.parts, self.values = moment.parts, moment.values
        self.figures[:] = moment.figures
        self._state = None if moment.state is None else moment.state.copy()
        self._random.bit_generator.state = moment.random

    def close(self) -> None:
        """Frees the memory."""
        self.vector.close()

    def _random_actions(self) -> Actions:
        if self.vector.action_dtype is np.float32:
            shape = (self.agents, len(self.descriptor.actions))
            return self._random.uniform(-1, 1, shape).astype(np.float32)
        sizes = [len(action.choices) for action in self.descriptor.actions]
        return self._random.integers(0, sizes, (self.agents, len(sizes)), dtype=np.int32)
