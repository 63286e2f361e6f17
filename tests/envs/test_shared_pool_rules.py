"""shared_pool against its rules written plainly in Python, each step from the state that C has."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pufftui.envs.catalogue import load_env
from pufftui.envs.vector import VectorEnv

SIDE, VISION, AGENTS = 32, 3, 8
EMPTY, NORMAL, SHARED, WALL, OTHER, ITSELF = range(6)
STAY = 4
MOVES = [(-1, 0), (1, 0), (0, -1), (0, 1)]
AROUND = [(r, c) for r in (-1, 0, 1) for c in (-1, 0, 1) if (r, c) != (0, 0)]

FOOD = np.dtype(
    [
        *(("log_failure", np.float64), ("failures", np.int64), ("count", np.int32)),
        ("places", np.uint16, (26 * 26,)),
    ],
    align=True,
)
AGENT = np.dtype(
    [(name, np.int32) for name in ("cell", "hp", "normal", "shared", "last_cell", "last_hp")]
)
STATE = np.dtype(
    [
        ("random", np.uint64),
        ("sharing", np.float32),
        ("foods", FOOD, (2,)),
        ("agents", AGENT, (AGENTS,)),
        ("tick", np.int32),
        ("living", np.int32),
        ("cells", np.uint8, (SIDE * SIDE + 8,)),
    ],
    align=True,
)
Place = tuple[int, int]


def splitmix(state: int) -> tuple[int, int]:
    """The next state and 64 random bits, as random.h says."""
    mask = 2**64 - 1
    state = (state + 0x9E3779B97F4A7C15) & mask
    bits = state
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & mask
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & mask
    return state, bits ^ (bits >> 31)


def state_of(env: VectorEnv, environment: int) -> Any:
    """C's state, to be read and written."""
    return env.state(environment)[: STATE.itemsize].view(STATE)[0]


class Pool:
    """One environment; one method for each paragraph of the README."""

    def __init__(self, state: Any, regrowth: float, sharing: float) -> None:
        self.chances = [regrowth, regrowth / 10]
        self.sharing = sharing
        self.random = int(state["random"])
        self.failures = [int(food["failures"]) for food in state["foods"]]
        self.foods = [
            [divmod(int(place), SIDE) for place in food["places"][: food["count"]]]
            for food in state["foods"]
        ]
        self.places: list[Place] = [divmod(int(agent["cell"]), SIDE) for agent in state["agents"]]
        self.hp, self.normal, self.shared = (
            [int(agent[name]) for agent in state["agents"]] for name in ("hp", "normal", "shared")
        )
        self.tick = int(state["tick"])
        self.grid = state["cells"][: SIDE * SIDE].reshape(SIDE, SIDE).copy()
        self.rewards = [0.0] * AGENTS
        self.terminals: list[int] = []
        self.truncations: list[int] = []
        self.took_part = [hp > 0 for hp in self.hp]
        self.ended: dict[int, list[float]] = {}
        self.finals: dict[int, list[int]] = {}

    def below(self, bound: int) -> int:
        self.random, bits = splitmix(self.random)
        return ((bits >> 32) * bound) >> 32

    def empty_place(self) -> Place:
        while True:
            drawn = self.below(26 * 26)
            place = VISION + drawn // 26, VISION + drawn % 26
            if self.grid[place] == EMPTY:
                return place

    def reset(self) -> None:
        self.grid[:] = WALL
        self.grid[VISION:-VISION, VISION:-VISION] = EMPTY
        self.tick, self.hp = 0, [80] * AGENTS
        self.normal, self.shared = [0] * AGENTS, [0] * AGENTS
        for me in range(AGENTS):
            self.places[me] = self.empty_place()
            self.grid[self.places[me]] = OTHER
        self.foods = [[], []]
        for kind, count in ((NORMAL, 33), (SHARED, 13)):
            for _ in range(count):
                self.put(kind, self.empty_place())

    def put(self, kind: int, place: Place) -> None:
        self.grid[place] = kind
        self.foods[kind - NORMAL].append(place)

    def take(self, place: Place) -> None:
        foods = self.foods[self.grid[place] - NORMAL]
        foods[foods.index(place)] = foods[-1]
        foods.pop()
        self.grid[place] = EMPTY

    def step(self, actions: NDArray[np.int32]) -> None:
        self.tick += 1
        marked: set[Place] = set()
        for me in range(AGENTS):
            if self.hp[me] and actions[me] != STAY:
                self.move(me, MOVES[actions[me]])
                self.look_for_shared_food(me, marked)
        for me in range(AGENTS):
            if self.hp[me]:
                self.hunger(me)
        self.share()
        if not any(self.hp):
            self.reset()
            return
        self.grow()
        if self.tick > 1000:
            self.truncations = [me for me in range(AGENTS) if self.hp[me]]
            for me in self.truncations:
                self.finals[me] = self.seen_by(me)
                self.end(me)
            self.reset()

    def move(self, me: int, move: Place) -> None:
        target = self.places[me][0] + move[0], self.places[me][1] + move[1]
        if self.grid[target] >= SHARED:
            return
        if self.grid[target] == NORMAL:
            self.take(target)
            self.rewards[me] += 0.1
            self.normal[me] += 1
            self.hp[me] = min(self.hp[me] + 20, 100)
        self.grid[self.places[me]] = EMPTY
        self.grid[target] = OTHER
        self.places[me] = target

    def look_for_shared_food(self, me: int, marked: set[Place]) -> None:
        for row, column in MOVES:
            place = self.places[me][0] + row, self.places[me][1] + column
            if self.grid[place] != SHARED:
                continue
            if place not in marked:
                marked.add(place)
                continue
            self.take(place)
            for other in range(AGENTS):
                away = abs(self.places[other][0] - place[0]) + abs(self.places[other][1] - place[1])
                if self.hp[other] and away == 1:
                    self.rewards[other] += 0.2
                    self.shared[other] += 1
                    self.hp[other] = min(self.hp[other] + 50, 100)

    def hunger(self, me: int) -> None:
        self.hp[me] -= 1
        if self.hp[me]:
            return
        self.grid[self.places[me]] = EMPTY
        self.rewards[me] -= 1
        self.terminals.append(me)
        self.end(me)

    def share(self) -> None:
        taking_part = [me for me in range(AGENTS) if self.took_part[me]]
        mean = sum(self.rewards[me] for me in taking_part) / len(taking_part)
        for me in taking_part:
            self.rewards[me] = (1 - self.sharing) * self.rewards[me] + self.sharing * mean

    def end(self, me: int) -> None:
        survived = self.hp[me] > 0
        score = 0.1 * self.normal[me] + 0.2 * self.shared[me] - (not survived)
        self.ended[me] = [score, self.normal[me], self.shared[me], survived, len(self.foods[0])]

    def grow(self) -> None:
        """Every food tries to seed every neighbour; C knows which try is the next to succeed."""
        before = [list(foods) for foods in self.foods]
        for kind in (NORMAL, SHARED):
            index = kind - NORMAL
            for row, column in before[index]:
                for r, c in AROUND:
                    if self.failures[index]:
                        self.failures[index] -= 1
                        continue
                    if self.grid[row + r, column + c] == EMPTY:
                        self.put(kind, (row + r, column + c))
                    self.failures[index] = self.draw_failures(self.chances[index])

    def draw_failures(self, chance: float) -> int:
        self.random, bits = splitmix(self.random)
        return int(math.log(((bits >> 11) + 1) / 2**53) / math.log1p(-chance))

    def seen_by(self, me: int) -> list[int]:
        if not self.hp[me]:
            return [0] * 50
        row, column = self.places[me]
        window = self.grid[row - 3 : row + 4, column - 3 : column + 4].copy()
        window[3, 3] = ITSELF
        return [*(int(cell) for cell in window.ravel()), self.hp[me] * 255 // 100]


def compare_a_step(
    env: VectorEnv,
    buffers: Any,
    actions: NDArray[np.int32],
    regrowth: float,
    sharing: float = 0.0,
) -> list[Pool]:
    """Steps C and the reference from the same states."""
    states = [state_of(env, i) for i in range(env.environments)]
    pools = [Pool(state, regrowth, sharing) for state in states]
    buffers.actions[:, 0] = actions
    env.step(0, buffers)
    episodes = {int(e["agent"]): e for e in env.drain().episodes}
    for i, (pool, state) in enumerate(zip(pools, states, strict=True)):
        pool.step(actions[i * AGENTS : (i + 1) * AGENTS])
        for me in range(AGENTS):
            row = i * AGENTS + me
            assert buffers.rewards[row] == pytest.approx(pool.rewards[me], abs=1e-6)
            assert buffers.terminals[row] == (me in pool.terminals)
            assert buffers.truncations[row] == (me in pool.truncations)
            assert buffers.alive[row] == pool.took_part[me]
            assert buffers.observations[row].tolist() == pool.seen_by(me)
            if me in pool.finals:
                assert buffers.finals[row].tolist() == pool.finals[me]
            assert (row in episodes) == (me in pool.ended)
            if me in pool.ended:
                episode = episodes[row]
                assert episode["score"] == pytest.approx(pool.ended[me][0], abs=1e-5)
                assert episode["statistics"][:4].tolist() == pool.ended[me][1:]
        after = Pool(state, regrowth, sharing)
        assert (after.grid == pool.grid).all()
        for name in ("random", "failures", "foods", "hp", "normal", "shared", "tick"):
            assert getattr(after, name) == getattr(pool, name), name
        living = [me for me in range(AGENTS) if pool.hp[me]]
        assert [after.places[me] for me in living] == [pool.places[me] for me in living]
        assert state["living"] == len(living)
    return pools


def scatter(env: VectorEnv, rng: np.random.Generator) -> None:
    """Gives every environment a state that play reaches rarely: much food, many near death."""
    for i in range(env.environments):
        state = state_of(env, i)
        cells = state["cells"][: SIDE * SIDE].reshape(SIDE, SIDE)
        inner = cells[VISION:-VISION, VISION:-VISION]
        density = rng.choice([0.02, 0.2, 0.6])
        drawn = rng.choice(3, inner.shape, p=[1 - density, density / 2, density / 2])
        inner[:] = np.where(inner == OTHER, OTHER, drawn)
        for kind in (NORMAL, SHARED):
            places = rng.permutation(np.flatnonzero(cells == kind))
            food = state["foods"][kind - NORMAL]
            food["count"], food["places"][: len(places)] = len(places), places
        living = state["agents"]["hp"] > 0
        state["agents"]["hp"][living] = rng.choice([1, 2, 50, 100], living.sum())
        state["tick"] = rng.choice([10, 998, 999, 1000])


@pytest.mark.parametrize(("regrowth", "sharing"), [(0.002, 0), (0.3, 0), (0.004, 0.5), (0.002, 1)])
def test_steps_from_scattered_states(regrowth: float, sharing: float):
    parameters = {"regrowth": regrowth, "sharing": sharing}
    rng = np.random.default_rng(2)
    deaths = truncations = meals = resets = 0
    with VectorEnv(load_env("shared_pool"), parameters, environments=24, seed=1) as env:
        buffers = env.buffers()
        env.reset(0, buffers)
        for round_ in range(90):
            if round_ % 3 == 0:
                scatter(env, rng)
            actions = rng.integers(0, 5, env.agents).astype(np.int32)
            for pool in compare_a_step(env, buffers, actions, regrowth, sharing):
                deaths += len(pool.terminals)
                truncations += len(pool.truncations)
                meals += sum(reward > 0 for reward in pool.rewards)
                resets += pool.tick == 0
    assert min(deaths, truncations, resets) > 50
    assert meals > 500


def test_steps_of_whole_games():
    rng = np.random.default_rng(5)
    resets = 0
    with VectorEnv(
        load_env("shared_pool"), {"regrowth": 0.002, "sharing": 0}, environments=8, seed=6
    ) as env:
        buffers = env.buffers()
        env.reset(0, buffers)
        for _ in range(400):
            actions = rng.integers(0, 5, env.agents).astype(np.int32)
            resets += sum(pool.tick == 0 for pool in compare_a_step(env, buffers, actions, 0.002))
    assert resets > 0
