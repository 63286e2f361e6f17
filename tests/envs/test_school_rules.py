"""school against its rules written plainly in Python, each step from the state that C has.

The reference works in doubles and looks at all pairs of units with acos. Where an enemy is so near
to the end of a weapon's reach, or a unit to the end of the world, that rounding decides, either
answer is right, and it goes on with the one of C.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pufftui.envs.catalogue import load_env
from pufftui.envs.vector import VectorEnv

POSE = np.dtype(
    [
        ("place", np.float32, (3,)),
        ("attitude", np.float32, (4,)),
        ("look", np.float32, (2,)),
    ]
)
UNIT = np.dtype(
    [
        ("now", POSE),
        ("velocity", np.float32, (3,)),
        ("health", np.float32),
        ("last_reward", np.float32),
        ("last_terminal", np.float32),
        ("earned", np.float32),
        ("hits", np.int32),
        ("kills", np.int32),
        ("before", POSE),
        ("wreck", POSE),
        ("wreck_age", np.int32),
        ("target", np.int32),
    ]
)
STATE = np.dtype(
    [
        ("random", np.uint64),
        ("bases", np.float32, (2, 3)),
        ("centroids", np.float32, (2, 3)),
        ("units", UNIT, (512,)),
        ("heights", np.float32, (129, 129)),
    ],
    align=True,
)
AGENTS, ARMY, SQUAD = 512, 256, 64
CLOSE = 1e-5


@dataclass(frozen=True)
class Kind:
    """A row of the README's table."""

    number: int  # in the one-hot code
    health: float
    damage: float
    range: float
    turn: float
    speed: float
    flies: bool = False


KINDS = {
    "drone": Kind(0, 0.4, 0.1, 0.15, 2, 1, flies=True),
    "fighter": Kind(1, 1, 0.5, 0.25, 1, 0.75, flies=True),
    "mothership": Kind(2, 10, 2, 0.4, 0.5, 0.5, flies=True),
    "bomber": Kind(3, 1, 1, 0.1, 0.5, 0.5, flies=True),
    "infantry": Kind(4, 0.2, 0.2, 0.2, 2, 0.25),
    "tank": Kind(5, 2, 0.5, 0.25, 0.25, 0.75),
    "artillery": Kind(6, 2, 2, 0.7, 0.5, 0.25),
}
SQUAD_KINDS = [
    "mothership",
    *["tank"] * 4,
    *["artillery"] * 2,
    *["bomber"] * 4,
    *["fighter"] * 4,
    *["infantry"] * 18,
    *["drone"] * 31,
]

Vector = NDArray[np.float64]


def vector(*numbers: float) -> Vector:
    return np.array(numbers, np.float64)


def turned(attitude: Vector, axis: Vector) -> Vector:
    """A unit's own axis (left, up, forward) in the world, by the rotation's matrix."""
    w, x, y, z = attitude
    matrix = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.array(matrix) @ axis


def rotation(axis: Vector, angle: float) -> Vector:
    return np.concatenate(([math.cos(angle / 2)], axis * math.sin(angle / 2)))


def product(a: Vector, b: Vector) -> Vector:
    """Of two quaternions."""
    scalar = a[0] * b[0] - a[1:] @ b[1:]
    return np.concatenate(([scalar], a[0] * b[1:] + b[0] * a[1:] + np.cross(a[1:], b[1:])))


def angle_between(a: Vector, b: Vector) -> float:
    """In radians; NaN if either has no length."""
    length = math.sqrt(a @ a) * math.sqrt(b @ b)
    return math.acos(min(max(a @ b / length, -1), 1)) if length > 0 else math.nan


class Dice:
    """The random numbers of random.h."""

    def __init__(self, state: int) -> None:
        self.state = state

    def bits(self) -> int:
        mask = 2**64 - 1
        self.state = (self.state + 0x9E3779B97F4A7C15) & mask
        bits = self.state
        bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & mask
        bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & mask
        return bits ^ (bits >> 31)

    def below(self, bound: int) -> int:
        return (self.bits() >> 32) * bound >> 32

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * (self.bits() >> 40) / 2**24

    def heading(self) -> Vector:
        while True:
            w, y = self.between(-1, 1), self.between(-1, 1)
            if 0.01 < w * w + y * y <= 1:
                return vector(w, 0, y, 0) / math.hypot(w, y)


@dataclass
class Unit:
    """One agent."""

    index: int
    place: Vector
    attitude: Vector
    velocity: Vector
    health: float
    earned: float
    hits: int
    kills: int
    reward: float = 0.0
    terminal: bool = False
    target: int = -1
    ended: list[float] = field(default_factory=list)  # score and statistics

    @property
    def name(self) -> str:
        return SQUAD_KINDS[self.index % SQUAD]

    @property
    def kind(self) -> Kind:
        return KINDS[self.name]

    @property
    def army(self) -> int:
        return self.index // ARMY

    def move(self, pitch: float, roll: float) -> None:
        left, up, forward = vector(1, 0, 0), vector(0, 1, 0), vector(0, 0, 1)
        turn = self.kind.turn / 10
        if self.kind.flies:
            rolled = product(self.attitude, rotation(forward, roll * turn))
            self.attitude = product(rolled, rotation(-left, pitch * turn))
        else:
            self.attitude = product(self.attitude, rotation(up, -roll / 10))
        self.attitude = self.attitude / np.linalg.norm(self.attitude)
        self.find_velocity()
        self.place = self.place + self.velocity

    def find_velocity(self) -> None:
        ahead = turned(self.attitude, vector(0, 0, 1))
        if self.kind.flies:
            ahead = ahead + turned(self.attitude, vector(0, 1, 0)) - vector(0, 1, 0)
        self.velocity = ahead * self.kind.speed / 100

    def reaches(self, enemy: Unit) -> bool | None:
        """Whether the weapon does; None where rounding decides."""
        way = enemy.place - self.place
        flat = vector(way[0], 0, way[2])
        heading = vector(self.velocity[0], 0, self.velocity[2])
        match self.name:
            case "bomber":
                possible, way, angle = not enemy.kind.flies, flat, 0.0
            case "artillery":
                possible, angle = enemy.kind.flies, angle_between(way, vector(0, 1, 0))
                way = flat
            case "infantry" | "tank":
                possible, way = not enemy.kind.flies, flat
                angle = angle_between(flat, heading)
            case _:
                possible, angle = True, angle_between(way, self.velocity)
        distance = math.sqrt(way @ way)
        if not possible:
            return False
        steady = CLOSE + 1e-6 / max(float(np.linalg.norm(enemy.place - self.place)), 1e-9)
        if self.name != "bomber" and (math.isnan(angle) or steady > 0.1):
            return None if steady > 0.1 else False
        over = max(distance - self.kind.range, angle - math.pi / 6)
        if over < -steady:
            return True
        return False if over > steady else None


class World:
    """A whole world; one method for each paragraph of the README."""

    def __init__(self, state: Any) -> None:
        self.dice = Dice(int(state["random"]))
        self.bases = state["bases"].astype(np.float64)
        self.heights = state["heights"].astype(np.float64)
        self.units = [
            Unit(
                i,
                *(unit["now"][name].astype(np.float64) for name in ("place", "attitude")),
                unit["velocity"].astype(np.float64),
                *(float(unit[name]) for name in ("health", "earned")),
                *(int(unit[name]) for name in ("hits", "kills")),
            )
            for i, unit in enumerate(state["units"])
        ]

    def ground(self, x: float, z: float) -> float:
        column, row = (min(max((at + 2) * 32, 0), 128) for at in (x, z))
        i, j = min(int(column), 127), min(int(row), 127)
        right, down = column - i, row - j
        corners = self.heights[j : j + 2, i : i + 2]
        return float(vector(1 - down, down) @ corners @ vector(1 - right, right))

    def step(self, actions: NDArray[np.float32], after: Any, terminals: NDArray[np.uint8]) -> None:
        """`after` and `terminals` are what C made of the step; asked only where both are right."""
        for unit, action in zip(self.units, actions, strict=True):
            unit.move(*(float(min(max(number, -1), 1)) for number in action[:2]))
            if not unit.kind.flies:
                unit.place[1] = self.ground(unit.place[0], unit.place[2])
        for unit in self.units:
            self.attack(unit, int(after["target"][unit.index]))
        for unit in self.units:
            self.judge(unit, bool(terminals[unit.index]))

    def attack(self, unit: Unit, answer: int) -> None:
        right = []
        for enemy in self.units[(1 - unit.army) * ARMY :][:ARMY]:
            reached = unit.reaches(enemy)
            if reached is not False:
                right.append(enemy.index)
            if reached:
                break
        else:
            right.append(-1)
        assert answer in right, (unit, answer, right)
        unit.target = answer
        if answer >= 0:
            enemy = self.units[answer]
            alive = enemy.health > CLOSE
            enemy.health -= unit.kind.damage
            unit.reward += 0.25
            unit.hits += 1
            unit.kills += alive and enemy.health <= CLOSE

    def judge(self, unit: Unit, answer: bool) -> None:
        shot = unit.health <= CLOSE
        x, y, z = unit.place
        over = max(abs(x) - 1.9, abs(z) - 1.9, y - 1.9)
        if unit.kind.flies:
            over = max(over, self.ground(x, z) - y)
        crashed = not shot and (over > 0 if abs(over) > CLOSE else answer)
        unit.reward -= crashed
        unit.earned += unit.reward
        unit.terminal = shot or crashed
        if unit.terminal:
            unit.ended = [unit.earned, unit.hits, unit.kills, crashed, shot]
            self.spawn(unit)

    def spawn(self, unit: Unit) -> None:
        unit.place = self.bases[unit.army] + vector(0, 0.2 if unit.kind.flies else 0, 0)
        if unit.name == "drone":
            unit.place = self.units[unit.index - unit.index % SQUAD].place.copy()
        unit.attitude = self.dice.heading()
        unit.find_velocity()
        unit.health, unit.earned, unit.hits, unit.kills = unit.kind.health, 0, 0, 0

    def observation(self, unit: Unit) -> list[float]:
        sides = (unit.army, 1 - unit.army)
        armies = [self.units[side * ARMY :][:ARMY] for side in sides]
        centroids = [sum(one.place for one in army) / ARMY for army in armies]
        kind = unit.kind
        return [
            *np.concatenate([self.bases[side] - unit.place for side in sides]),
            *np.concatenate([unit.place - centroid for centroid in centroids]),
            *(unit.velocity * 100),
            *unit.attitude,
            *unit.place,
            unit.place[1] - self.ground(unit.place[0], unit.place[2]),
            float(np.linalg.norm(unit.velocity)) * 100,
            *(unit.health, kind.turn, kind.speed, kind.damage, kind.range),
            *(unit.reward, unit.terminal),
            *(float(kind.number == k) for k in range(8)),
        ]


def state_of(env: VectorEnv, environment: int = 0) -> Any:
    return env.state(environment)[: STATE.itemsize].view(STATE)[0]


def will_reset(dice: int) -> bool:
    return Dice(dice).below(9000) == 0


def compare_a_step(env: VectorEnv, buffers: Any, actions: NDArray[np.float32]) -> World:
    """Steps C and the reference from the same state of one environment."""
    state = state_of(env)
    world = World(state)
    buffers.actions[:] = actions
    env.step(0, buffers)
    episodes = {int(e["agent"]): e for e in env.drain().episodes}
    units = state["units"]
    world.step(actions, units, buffers.terminals)
    ends = world.dice.below(9000) == 0
    ended = np.array([unit.terminal for unit in world.units])
    assert (buffers.terminals == ended).all()
    assert (buffers.truncations == (ends & ~ended)).all()
    np.testing.assert_allclose(
        buffers.rewards, [unit.reward for unit in world.units], rtol=0, atol=1e-6
    )
    wanted = np.array([world.observation(unit) for unit in world.units])
    if ends:
        seen = buffers.finals.view(np.float32)[~ended]
        np.testing.assert_allclose(seen, wanted[~ended], rtol=1e-5, atol=1e-5)
    else:
        seen = buffers.observations.view(np.float32)
        np.testing.assert_allclose(seen, wanted, rtol=1e-5, atol=1e-5)
        assert int(state["random"]) == world.dice.state
        assert units["hits"].tolist() == [unit.hits for unit in world.units]
        assert units["kills"].tolist() == [unit.kills for unit in world.units]
    assert sorted(episodes) == (list(range(AGENTS)) if ends else np.flatnonzero(ended).tolist())
    for unit in world.units:
        if unit.index in episodes:
            wants = unit.ended or [unit.earned, unit.hits, unit.kills, 0, 0]
            episode = episodes[unit.index]
            found = [episode["score"], *episode["statistics"][:4]]
            np.testing.assert_allclose(found, wants, rtol=0, atol=1e-4)
    return world


def scatter(state: Any, rng: np.random.Generator, width: float) -> None:
    """Throws all units into a box of some width: narrow ones are full of fights and deaths."""
    units, names = state["units"], np.array(SQUAD_KINDS * 8)
    flies = np.array([KINDS[name].flies for name in names])
    middle = rng.uniform(-1.9 + width / 2, 1.9 - width / 2, 3)
    places = middle + rng.uniform(-width / 2, width / 2, (AGENTS, 3))
    attitudes = rng.normal(size=(AGENTS, 4))
    attitudes[~flies] *= [1, 0, 1, 0]
    units["now"]["place"] = places
    units["now"]["attitude"] = attitudes / np.linalg.norm(attitudes, axis=1, keepdims=True)
    health = np.array([KINDS[name].health for name in names])
    units["health"] = np.where(rng.random(AGENTS) < 0.5, health, 0.1)
    units["earned"] = rng.uniform(0, 5, AGENTS)
    units["hits"] = rng.integers(0, 20, AGENTS)
    units["kills"] = rng.integers(0, 9, AGENTS)


@pytest.mark.parametrize("width", [0.2, 0.6, 1.5, 3.7])
def test_steps_from_scattered_states(width: float):
    rng = np.random.default_rng(int(width * 10))
    shots = deaths = 0
    with VectorEnv(load_env("school"), {}, environments=1, seed=int(width * 10)) as env:
        buffers = env.buffers()
        env.reset(0, buffers)
        for _ in range(2):
            scatter(state_of(env), rng, width)
            for _ in range(2):
                actions = rng.normal(0, 1, (AGENTS, 3)).astype(np.float32)
                world = compare_a_step(env, buffers, actions)
                shots += sum(unit.target >= 0 for unit in world.units)
                deaths += sum(unit.terminal for unit in world.units)
    assert deaths > 20
    assert shots > (300 if width < 2 else 20)


def test_steps_from_the_start():
    rng = np.random.default_rng(1)
    with VectorEnv(load_env("school"), {}, environments=1, seed=8) as env:
        buffers = env.buffers()
        env.reset(0, buffers)
        for step in range(120):
            actions = rng.uniform(-1, 1, (AGENTS, 3)).astype(np.float32)
            if step % 24 == 0:
                compare_a_step(env, buffers, actions)
            else:
                buffers.actions[:] = actions
                env.step(0, buffers)
                env.drain()


def test_the_end_of_a_world():
    rng = np.random.default_rng(2)
    with VectorEnv(load_env("school"), {}, environments=1, seed=2) as env:
        buffers = env.buffers()
        env.reset(0, buffers)
        for _ in range(40):
            buffers.actions[:] = rng.uniform(-1, 1, (AGENTS, 3))
            env.step(0, buffers)
        env.drain()
        state = state_of(env)
        calm = env.save()
        # Among states of the generator, one that ends the world after all respawns of this step.
        actions = rng.uniform(-1, 1, (AGENTS, 3)).astype(np.float32)
        probe = World(state.copy())
        buffers.actions[:] = actions
        env.step(0, buffers)
        env.drain()
        after, terminals = state["units"].copy(), buffers.terminals.copy()
        probe.step(actions, after, terminals)
        assert terminals.any()
        for dice in range(10**6):
            trial = Dice(dice)
            for _ in range(int(terminals.sum())):
                trial.heading()
            if will_reset(trial.state):
                break
        env.restore(calm)
        state["random"] = dice
        compare_a_step(env, buffers, actions)
        assert (buffers.truncations | buffers.terminals).all()
        assert buffers.truncations.any()
        assert buffers.terminals.any()
        units, bases = state["units"], state["bases"]
        np.testing.assert_array_equal(units["now"]["place"][:, 0], np.repeat(bases[:, 0], ARMY))
        assert math.dist(bases[0][[0, 2]], bases[1][[0, 2]]) >= 2
        assert (units["wreck_age"] == 16).all()
        assert (state["heights"] != probe.heights).any()


def test_how_often_worlds_end():
    """Every 9000 steps on average: 10.7 times here, between 1 and 27 with certainty."""
    with VectorEnv(load_env("school"), {}, environments=48, threads=2, seed=4) as env:
        buffers = env.buffers()
        env.reset(0, buffers)
        ends = 0
        for _ in range(2000):
            if env.step(0, buffers):
                ends += int(buffers.truncations.reshape(48, AGENTS).any(axis=1).sum())
    assert 1 <= ends <= 27
