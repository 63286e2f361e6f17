"""enduro against its rules written plainly in Python, each step from the state that C has.

The reference works in doubles. Where two figures come so close together that rounding decides what
happens, it says so and the step is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pufftui.envs.catalogue import load_env
from pufftui.envs.vector import VectorEnv

CAR = np.dtype(
    [
        *((name, np.float32) for name in ("y", "last_y")),
        *((name, np.uint8) for name in ("lane", "colour", "behind", "paid")),
    ]
)
ROAD = np.dtype([(name, np.float32) for name in ("base", "far", "curve", "bump")])
STATE = np.dtype(
    [
        ("random", np.uint64),
        ("cars", CAR, (10,)),
        *((name, np.int32) for name in ("car_count", "since_spawn")),
        *((name, np.float32) for name in ("x", "speed", "left", "right")),
        *((name, np.float32) for name in ("last_left", "last_right", "place")),
        *((name, np.float32) for name in ("drift", "drift_speed")),
        *((name, np.int32) for name in ("helpless", "lane")),
        ("free_way", np.float32, (3,)),
        ("road", ROAD),
        *((name, np.int32) for name in ("direction", "stage_ticks")),
        *((name, np.int32) for name in ("tick", "day", "quota", "to_pass")),
        ("bonus", np.float32),
        *((name, np.int32) for name in ("passed", "crashes", "touches", "started")),
        ("last_road", ROAD),
        *((name, np.float32) for name in ("last_x", "last_speed")),
        *((name, np.float32) for name in ("odometer", "last_odometer", "heading", "last_heading")),
    ],
    align=True,
)
FLOATS = ("x", "speed", "drift_speed", "bonus", "left", "right")
COUNTS = ("random", "since_spawn", "helpless", "direction", "stage_ticks", "tick", "day", "quota")
COUNTS += ("to_pass", "passed", "crashes", "touches")
DAY = 232 * 60
PEDAL = {1: 1, 4: -1, 5: -1, 6: -1, 7: 1, 8: 1}
WHEEL = {2: 1, 3: -1, 5: 1, 6: -1, 7: 1, 8: -1}
GEARS = [(4, 4), (6.5, 2), (9.75, 2), (11.25, 2)]  # until which second, how many times faster
CLOSE = 5e-5


class AmbiguousError(Exception):
    """Rounding decides what happens."""


def less(a: float, b: float) -> bool:
    if a != b and abs(a - b) < CLOSE:
        raise AmbiguousError
    return a < b


def clamp(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


def depth(y: float) -> float:
    return (y - 52) / 102


def size(y: float) -> float:
    return max(0.1, 0.9 * depth(y) + 0.1)


@dataclass
class Car:
    y: float
    lane: int
    colour: int = 0
    behind: bool = False
    paid: bool = False


class Game:
    """A whole game; one method for each paragraph of the README."""

    def __init__(self, state: Any) -> None:
        self.x, self.speed, self.drift_speed, self.bonus, self.left, self.right = (
            float(state[name]) for name in FLOATS
        )
        self.random, self.since_spawn, self.helpless, self.direction, self.stage_ticks = (
            int(state[name]) for name in COUNTS[:5]
        )
        self.tick, self.day, self.quota, self.to_pass = (int(state[n]) for n in COUNTS[5:9])
        self.passed, self.crashes, self.touches = (int(state[n]) for n in COUNTS[9:])
        self.base, self.far, self.curve, self.bump = (float(v) for v in state["road"])
        self.last_left, self.last_right = self.left, self.right
        self.drift = 0.0
        self.cars = [
            Car(float(car["y"]), *(int(car[n]) for n in ("lane", "colour", "behind", "paid")))
            for car in state["cars"][: state["car_count"]]
        ]
        self.reward = 0.0
        self.terminal = self.truncation = False
        self.ended: list[float] = []  # score and statistics of a finished episode
        self.final: list[float] = []

    def bits(self) -> int:
        mask = 2**64 - 1
        self.random = (self.random + 0x9E3779B97F4A7C15) & mask
        bits = self.random
        bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & mask
        bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & mask
        return bits ^ (bits >> 31)

    def below(self, bound: int) -> int:
        return ((self.bits() >> 32) * bound) >> 32

    def unit(self) -> float:
        return (self.bits() >> 40) / 2**24

    @property
    def share(self) -> float:
        return (self.speed + 2.5) / 10

    @property
    def front(self) -> float:
        return 143 - 9 * self.share

    def edge(self, y: float) -> float:
        """The road's left edge: a Bezier curve from the bottom to the horizon."""
        bottom, t = self.base - 46, 1 - depth(y)
        middle = (bottom + self.far) / 2 - 30 * self.curve
        return bottom * (1 - t) ** 2 + 2 * t * (1 - t) * middle + self.far * t**2

    def lane_x(self, lane: int, y: float) -> float:
        return self.edge(y) + 93 * depth(y) * (lane + 0.5) / 3

    def look(self) -> None:
        """Where the player is on the road, and how far each lane is free."""
        y = self.front
        left, width = self.edge(y), 93 * depth(y)
        along = (y - self.bump) / 26
        bump = max(0, 1 - abs(2 * along - 1)) * 10 * min(depth(y), 0.3)
        self.left, self.right = left + bump, left + width - bump
        self.place = (self.x + 8 - left) / width
        self.lane = 2 - less(self.place, 2 / 3) - less(self.place, 1 / 3)

    def look_ahead(self) -> None:
        self.free = [1.0, 1.0, 1.0]
        for car in self.cars:
            if not less(self.front + 11, car.y):
                way = max(0, (self.front - car.y) / (self.front - 52))
                self.free[car.lane] = min(self.free[car.lane], way)

    def observation(self) -> list[float]:
        seen = [self.place, 1 - self.share, self.share, self.left / 152, self.right / 152]
        seen += [self.last_left / 152, self.last_right / 152, self.lane / 2]
        for car in self.cars:
            x = (car.lane + 0.5) / 3
            ahead = (self.front - car.y) / 102
            seen += [x, (154 - car.y) / 102, x - self.place, ahead, car.lane == self.lane]
        seen += [0.5, 0.5, 0, 0, 0] * (10 - len(self.cars))
        seen += [(self.direction + 1) / 2, float(np.sign(self.drift)), abs(self.drift) / 0.25]
        seen += [self.curve, self.tick / DAY, self.to_pass / 200, *self.free, self.helpless / 90]
        return seen

    def step(self, action: int) -> None:
        action = 0 if self.helpless else action
        self.use_pedals(PEDAL.get(action, 0))
        self.steer(WHEEL.get(action, 0))
        self.bend()
        self.last_left, self.last_right = self.left, self.right
        self.look()
        self.move_cars()
        self.collide()
        self.clear_cars()
        self.spawn()
        self.look_ahead()
        if not less(self.free[self.lane], 1):
            self.reward += 0.05
        self.reward += self.bonus
        self.tick += 1
        if self.tick == DAY:
            self.end_day()

    def use_pedals(self, pedal: int) -> None:
        if pedal > 0:
            for seconds, faster in GEARS:
                top = float(np.float32(-2.5) + np.float32(10 * seconds) / np.float32(11.25))
                if less(self.speed, top):
                    self.speed = min(self.speed + 10 / 11.25 / 60 * faster, top)
                    break
        elif pedal < 0:
            self.speed = max(self.speed - 0.01, -2.5)

    def steer(self, wheel: int) -> None:
        step = 0.3 if 60 * 60 <= self.tick < 100 * 60 else self.share + 0.3
        middle = (self.left + self.right) / 2 - 8 - self.x
        if self.helpless:
            self.drift = self.drift_speed * (less(1, middle) - less(middle, -1))
        push = self.curve * 0.025 * abs(self.speed)
        self.x = clamp(self.x + wheel * step + self.drift - push, 57.5, 83.5)

    def bend(self) -> None:
        self.stage_ticks -= 1
        if self.stage_ticks == 0:
            side = 1 if self.below(2) else -1
            self.direction = 0 if self.direction else side
            self.stage_ticks = 750 + self.below(1901)
        self.curve = clamp(self.direction, self.curve - 0.05, self.curve + 0.05)
        self.base = 102 - 48 * clamp((self.x - 57.5) / 26, 0, 1)
        reach = 1.5 + abs(self.speed) / 7.5 * 10
        self.far = clamp(self.base + 55 * self.direction, self.far - reach, self.far + reach)
        seconds = 5.8 - 5.5 * self.share**0.25
        self.bump += 102 / (60 * seconds)
        if not less(self.bump, 154):
            self.bump -= 102

    def move_cars(self) -> None:
        for car in self.cars:
            car.y += self.speed * max(0.1, 0.9 * depth(car.y)) * 0.75
            if not car.behind and not self.helpless and less(self.front + 11, car.y):
                car.behind = True
                self.to_pass = max(self.to_pass - 1, 0)
                if not car.paid:
                    car.paid = True
                    self.passed += 1
                    self.reward += 1
                    self.bonus = min(self.bonus + 0.001, 0.1)
            elif car.behind and less(car.y, self.front):
                car.behind = False
                self.reward -= 0.1
                if self.to_pass:
                    self.to_pass = min(self.to_pass + 1, self.quota)

    def collide(self) -> None:
        if self.helpless:
            self.helpless -= 1
            self.reward -= 0.01
        elif any(self.hits(car) for car in self.cars):
            self.crashes += 1
            self.reward -= 0.5
            self.bonus, self.speed, self.helpless, self.drift_speed = 0, -1.5, 90, 0.25
        elif less(self.x, self.left) or less(self.right, self.x + 16):
            self.touches += 1
            self.reward -= 0.5
            self.speed, self.helpless = max(self.speed - 1.25, -2.5), 20
            self.drift_speed = 0.12

    def hits(self, car: Car) -> bool:
        apart = abs(self.lane_x(car.lane, car.y) - self.x - 8)
        level = less(car.y, self.front + 11) and less(self.front, car.y + 11 * size(car.y))
        return level and less(apart, 8 + 8 * size(car.y))

    def furthest(self) -> int:
        return 2 if less(self.place, 0.5) else 0

    def clear_cars(self) -> None:
        self.cars = [car for car in self.cars if not less(209, car.y)]
        if self.speed < 0:
            self.cars = [car for car in self.cars if less(64, car.y)]
        if self.speed <= 0:
            for car in self.cars:
                if less(self.front + 11, car.y):
                    car.lane = self.furthest()

    def spawn(self) -> None:
        self.since_spawn += 1
        fastest = [0.5, 0.25, 0.4, 0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1][self.day]
        period = max(0.5 - self.share * (0.5 - fastest) * 1.5, 0.1)
        if less(self.since_spawn, period * 60):
            return
        self.since_spawn = 0
        if self.speed <= 0:
            self.place_car(Car(165, self.furthest(), behind=True))
            return
        lane = self.below(3)
        clump = less(self.unit(), self.share)
        other = (lane + 1 + self.below(2)) % 3
        self.place_car(Car(62, lane))
        if clump and self.below(2):
            self.place_car(Car(62 - 33, other))

    def place_car(self, car: Car) -> None:
        gap = (0.5 + 6 * self.unit()) * 11 * size(car.y)
        car.colour = self.below(6)
        own = [other for other in self.cars if other.lane == car.lane]
        near = [other.lane for other in self.cars if less(abs(other.y - car.y), 66)]
        too_near = any(less(abs(other.y - car.y), gap) for other in own)
        if len(self.cars) == 10 or too_near or len({car.lane, *near}) == 3:
            return
        self.cars.append(car)
        self.cars.sort(key=lambda other: -other.y)

    def end_day(self) -> None:
        if self.to_pass == 0:
            self.reward += 1
            self.day += 1
            self.tick, self.quota, self.to_pass = 0, 300, 300
            self.truncation = self.day == 10
        else:
            self.terminal = True
        if self.truncation or self.terminal:
            part = (self.quota - self.to_pass) / self.quota if self.terminal else 0
            self.ended = [self.day + part, self.day, self.passed, self.crashes, self.touches]
            self.final = self.observation()
            self.begin()

    def begin(self) -> None:
        self.cars, self.since_spawn, self.x, self.speed, self.helpless = [], 0, 69, -2.5, 0
        self.drift = self.drift_speed = self.bonus = self.curve = self.direction = 0
        self.tick = self.day = self.passed = self.crashes = self.touches = 0
        self.quota = self.to_pass = 200
        self.base = self.far = 102 - 48 * 11.5 / 26
        self.bump = 52
        self.stage_ticks = 750 + self.below(1901)
        self.look()
        self.last_left, self.last_right = self.left, self.right
        self.look_ahead()


def compare_a_step(env: VectorEnv, buffers: Any, actions: NDArray[np.int32]) -> int:
    """Steps C and the reference from the same states; returns how many were left out."""
    states = [env.state(i)[: STATE.itemsize].view(STATE)[0] for i in range(env.environments)]
    games = [Game(state) for state in states]
    buffers.actions[:, 0] = actions
    env.step(0, buffers)
    episodes = {int(e["agent"]): e for e in env.drain().episodes}
    left_out = 0
    for i, (game, state) in enumerate(zip(games, states, strict=True)):
        try:
            game.step(int(actions[i]))
        except AmbiguousError:
            left_out += 1
            continue
        seen = buffers.observations[i].view(np.float32)
        np.testing.assert_allclose(seen, game.observation(), rtol=0, atol=3e-5, err_msg=str(i))
        assert buffers.rewards[i] == pytest.approx(game.reward, abs=1e-5)
        assert buffers.terminals[i] == game.terminal
        assert buffers.truncations[i] == game.truncation
        for name in COUNTS:
            assert state[name] == getattr(game, name), name
        for name in FLOATS:
            assert state[name] == pytest.approx(getattr(game, name), abs=1e-4), name
        cars = state["cars"][: state["car_count"]]
        for name in ("lane", "colour", "behind", "paid"):
            assert cars[name].tolist() == [getattr(car, name) for car in game.cars], name
        if game.ended:
            episode = episodes[i]
            reported = [episode["score"], *episode["statistics"][:4]]
            assert reported == pytest.approx(game.ended)
        if game.truncation:
            final = buffers.finals[i].view(np.float32)
            np.testing.assert_allclose(final, game.final, rtol=0, atol=3e-5)
    return left_out


def scatter(env: VectorEnv, rng: np.random.Generator) -> None:
    """Puts every game into a state that play reaches rarely: crowds, curves, ends of days."""
    for i in range(env.environments):
        state = env.state(i)[: STATE.itemsize].view(STATE)[0]
        state["x"] = rng.uniform(57.5, 83.5)
        state["speed"] = rng.choice([-2.5, rng.uniform(-2.5, 0.5), rng.uniform(-1, 7.5), 7.5])
        state["road"]["curve"] = rng.choice([-1, 1, 0, rng.uniform(-1, 1)])
        state["road"]["base"] = 102 - 48 * (state["x"] - 57.5) / 26
        state["road"]["far"] = state["road"]["base"] + rng.uniform(-55, 55)
        state["road"]["bump"] = rng.uniform(52, 154)
        state["direction"] = rng.integers(-1, 2)
        state["stage_ticks"] = rng.choice([1, 2, 500])
        state["tick"] = rng.choice([0, 3599, 4000, 5999, 6000, DAY - 2, DAY - 1])
        state["day"] = rng.integers(0, 10)
        state["quota"] = 300 if state["day"] else 200
        state["to_pass"] = rng.choice([0, 1, 2, 100, state["quota"]])
        state["bonus"] = rng.choice([0, 0.05, 0.0999])
        state["helpless"] = rng.choice([0, 0, 0, 1, 50])
        state["drift_speed"] = rng.choice([0.25, 0.12])
        state["since_spawn"] = rng.integers(0, 40)
        count = state["car_count"] = rng.integers(0, 11)
        high = rng.choice([100, 160, 210])
        cars = state["cars"]
        cars["y"][:count] = np.sort(rng.uniform(29, high, count))[::-1]
        for name, choices in (("lane", 3), ("colour", 6), ("behind", 2), ("paid", 2)):
            cars[name] = rng.integers(0, choices, 10)


@pytest.mark.parametrize("seed", range(4))
def test_steps_from_scattered_states(seed: int):
    rng = np.random.default_rng(seed)
    left_out = 0
    with VectorEnv(load_env("enduro"), {}, environments=64, seed=seed) as env:
        buffers = env.buffers()
        env.reset(0, buffers)
        for round_ in range(90):
            if round_ % 3 == 0:
                scatter(env, rng)
            left_out += compare_a_step(env, buffers, rng.integers(0, 9, 64, np.int32))
    assert left_out < 0.02 * 64 * 90


@pytest.mark.parametrize("actions", [list(range(9)), [1, 1, 1, 7, 8]], ids=["any", "fast"])
def test_steps_of_a_long_drive(actions: list[int]):
    rng = np.random.default_rng(9)
    left_out = 0
    with VectorEnv(load_env("enduro"), {}, environments=16, seed=9) as env:
        buffers = env.buffers()
        env.reset(0, buffers)
        for _ in range(500):
            left_out += compare_a_step(env, buffers, rng.choice(actions, 16).astype(np.int32))
    assert left_out < 0.02 * 16 * 500


def test_the_score_is_days_and_the_share_of_the_quota():
    with VectorEnv(load_env("enduro"), {}, environments=2, seed=1) as env:
        buffers = env.buffers()
        env.reset(0, buffers)
        for i, (day, to_pass) in enumerate([(3, 75), (9, 0)]):
            state = env.state(i)[: STATE.itemsize].view(STATE)[0]
            state["tick"], state["day"], state["quota"], state["to_pass"] = (
                DAY - 1,
                day,
                300,
                to_pass,
            )
        buffers.actions[:] = 0
        assert env.step(0, buffers) == 1
        assert env.drain().episodes["score"].tolist() == [3.75, 10]
        assert buffers.terminals.tolist() == [1, 0]
        assert buffers.truncations.tolist() == [0, 1]
