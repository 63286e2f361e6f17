"""breakout against its rules written plainly in Python, each step from the state that C has.

The reference works in doubles and looks for the first contact with one box after another. Where two
contacts come so close together that rounding decides between them, it says so and the step is left
out.
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

STATE = np.dtype(
    [
        ("broken", np.uint8, (108,)),
        *((name, np.float32) for name in ("ball_x", "ball_y", "ball_vx", "ball_vy")),
        *((name, np.float32) for name in ("paddle_x", "paddle_width", "speed")),
        *((name, np.int32) for name in ("hits", "lives", "score", "bricks")),
        *((name, np.int32) for name in ("paddle_hits", "idle")),
        ("random", np.uint64),
        ("path", np.float32, (5, 3)),
        ("latest", np.int32, (4,)),
    ],
    align=True,
)
ROWS, COLUMNS, BALL = 6, 18, 32
POINTS = [7, 7, 4, 4, 1, 1]
CLOSE = 2e-3  # of a substep, or of a pixel


class AmbiguousError(Exception):
    """Rounding decides what happens."""


@dataclass
class Box:
    """Something that the ball can run into; what it does when hit is up to `kind`."""

    left: float
    top: float
    right: float
    bottom: float
    kind: str
    brick: int = -1

    @property
    def middle(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2


WALLS = [
    Box(-100, -1000, 0, 1000, "wall"),
    Box(576, -1000, 676, 1000, "wall"),
    Box(-1000, -100, 2000, 0, "ceiling"),
]
BRICKS = [
    Box(
        *(i % COLUMNS * 32, 50 + i // COLUMNS * 12),
        *(i % COLUMNS * 32 + 32, 50 + i // COLUMNS * 12 + 12),
        kind="brick",
        brick=i,
    )
    for i in range(ROWS * COLUMNS)
]


def splitmix(state: int) -> tuple[int, int]:
    """The next state and 64 random bits, as random.h says."""
    mask = 2**64 - 1
    state = (state + 0x9E3779B97F4A7C15) & mask
    bits = state
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & mask
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & mask
    return state, bits ^ (bits >> 31)


def span(place: float, velocity: float, low: float, high: float) -> tuple[float, float]:
    """When a moving interval of the ball's size overlaps [low, high]: from, to."""
    if abs(velocity) < 1e-12:
        inside = low < place + BALL and place < high
        return (-math.inf, math.inf) if inside else (math.inf, -math.inf)
    times = sorted([(low - BALL - place) / velocity, (high - place) / velocity])
    return times[0], times[1]


@dataclass
class Game:
    """A whole game; one method for each paragraph of the README."""

    broken: list[bool]
    x: float
    y: float
    vx: float
    vy: float
    paddle: float
    width: float
    speed: float
    hits: int
    lives: int
    score: int
    bricks: int
    paddle_hits: int
    idle: int
    random: int
    reward: int = 0
    ended: list[float] = field(default_factory=list)  # score and statistics of a finished episode
    terminal: bool = False
    truncation: bool = False
    final: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, state: Any) -> Game:
        names = ("ball_x", "ball_y", "ball_vx", "ball_vy", "paddle_x", "paddle_width", "speed")
        counts = ("hits", "lives", "score", "bricks", "paddle_hits", "idle", "random")
        return cls(
            [bool(flag) for flag in state["broken"]],
            *(float(state[name]) for name in names),
            *(int(state[name]) for name in counts),
        )

    def observation(self) -> list[float]:
        return [
            *(self.paddle / 576, 312 / 330, self.x / 576, self.y / 330),
            *(self.vx * 60 / 448, self.vy * 60 / 448),
            *((6 - self.lives) / 5, self.score / 864, self.lives / 5, self.width / 62),
            *(float(flag) for flag in self.broken),
        ]

    def launch(self) -> None:
        self.hits, self.speed, self.width = 0, 256 / 60, 62
        self.paddle, self.x, self.y = 288 - 31, 288 - 16, 330 / 2 - 30
        self.random, bits = splitmix(self.random)
        side = 1 if bits >> 63 else -1
        self.vx = side * self.speed * math.sin(math.pi / 3.25)
        self.vy = self.speed * math.cos(math.pi / 3.25)
        self.fill_second_screen()

    def fill_second_screen(self) -> None:
        if self.score == 432:
            self.broken = [False] * 108

    def step(self, action: int) -> None:
        self.idle += 1
        before = self.score
        for _ in range(4):
            move = {0: 0, 1: -620 / 60, 2: 620 / 60}[action]
            self.paddle = min(max(self.paddle + move, 0), 576 - self.width)
            self.fly()
            if self.y >= 320:
                self.lives -= 1
                if self.lives:
                    self.launch()
            if not self.lives or self.score == 864:
                break
            if abs(self.y - 320) < CLOSE:
                raise AmbiguousError
        self.reward = self.score - before
        self.terminal = not self.lives or self.score == 864
        self.truncation = not self.terminal and self.idle >= 1800
        if self.terminal or self.truncation:
            self.ended = [self.score, self.bricks, self.lives, self.paddle_hits]
            self.final = self.observation()
            self.broken = [False] * 108
            self.lives, self.score, self.bricks, self.paddle_hits, self.idle = 5, 0, 0, 0, 0
            self.launch()

    def fly(self) -> None:
        left = 1.0
        for _ in range(8):
            contact = self.first_contact(left)
            if contact is None:
                self.x += self.vx * left
                self.y += self.vy * left
                return
            time, side, box = contact
            self.x += self.vx * time
            self.y += self.vy * time
            left -= time
            self.bounce(side, box)

    def first_contact(self, left: float) -> tuple[float, str, Box] | None:
        """Of all boxes the ball would enter, the first; of several at once, the nearest."""
        paddle = Box(self.paddle, 312, self.paddle + self.width, 1000, "paddle")
        near = [b for b in BRICKS if not self.broken[b.brick] and self.in_reach(b)]
        contacts = [self.contact(box, left) for box in [*WALLS, *near, paddle]]
        found = [contact for contact in contacts if contact is not None]
        if not found:
            return None
        first = min(time for time, _, _ in found)
        together = [contact for contact in found if contact[0] < first + CLOSE]
        if len({(side, box.kind) for _, side, box in together}) > 1:
            raise AmbiguousError
        middle = self.x + self.vx * first + BALL / 2, self.y + self.vy * first + BALL / 2
        together.sort(key=lambda contact: math.dist(contact[2].middle, middle))
        distances = [math.dist(box.middle, middle) for _, _, box in together]
        if len(together) > 1 and distances[1] - distances[0] < CLOSE:
            raise AmbiguousError
        return together[0]

    def contact(self, box: Box, left: float) -> tuple[float, str, Box] | None:
        """When and through which face (x or y) the ball enters a box in the time that is left."""
        from_x, to_x = span(self.x, self.vx, box.left, box.right)
        from_y, to_y = span(self.y, self.vy, box.top, box.bottom)
        enter, leave = max(from_x, from_y), min(to_x, to_y)
        side = "x" if from_x > from_y else "y"
        if leave < CLOSE or enter < -CLOSE or enter > left + CLOSE or enter > leave + CLOSE:
            return None
        touches_corner = abs(from_x - from_y) < CLOSE or leave - enter < CLOSE
        if touches_corner or (abs(enter - left) < CLOSE and left > CLOSE):
            raise AmbiguousError
        if enter >= left or (box.kind == "paddle" and side == "x"):  # only its upper face counts
            return None
        return max(enter, 0.0), side, box

    def in_reach(self, box: Box) -> bool:
        return abs(box.middle[0] - self.x - 16) < 48 and abs(box.middle[1] - self.y - 16) < 48

    def bounce(self, side: str, box: Box) -> None:
        if box.kind == "paddle":
            self.y = 280
            self.bounce_off_paddle()
        elif side == "x":
            self.x = box.right if self.vx < 0 else box.left - BALL
            self.vx = -self.vx
        else:
            self.y = box.bottom if self.vy < 0 else box.top - BALL
            self.vy = -self.vy
        if box.kind == "ceiling" and self.width == 62:
            self.width = 31
            self.paddle += 15.5
        if box.kind == "brick":
            self.hit_brick(box.brick)

    def bounce_off_paddle(self) -> None:
        self.paddle_hits += 1
        self.hits += 1
        if self.hits % 4 == 0:
            self.speed = min(self.speed + 64 / 60, 448 / 60)
        offset = (self.x + 16 - self.paddle - self.width / 2) / (self.width / 2)
        angle = min(max(offset, -1), 1) * math.pi / 4
        self.vx, self.vy = self.speed * math.sin(angle), -self.speed * math.cos(angle)
        self.fill_second_screen()

    def hit_brick(self, brick: int) -> None:
        self.broken[brick] = True
        self.bricks += 1
        self.score += POINTS[brick // COLUMNS]
        self.idle = 0
        if brick // COLUMNS < 3 and self.speed < 448 / 60:
            self.vx *= 448 / 60 / self.speed
            self.vy *= 448 / 60 / self.speed
            self.speed = 448 / 60


def observed(observation: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The scalars and, as 0 and 1, which bricks are broken."""
    scalars, broken = observation[:40].view(np.float32), observation[40:]
    assert set(broken.tolist()) <= {0, 255}
    return np.concatenate((scalars, broken / np.float32(255)))


def compare_a_step(env: VectorEnv, buffers: Any, actions: NDArray[np.int32]) -> tuple[int, int]:
    """Steps C and the reference from the same states; returns how many were compared, left out."""
    states = [env.state(i)[: STATE.itemsize].view(STATE)[0] for i in range(env.environments)]
    games = [Game.of(state) for state in states]
    buffers.actions[:, 0] = actions
    env.step(0, buffers)
    episodes = {int(e["agent"]): e for e in env.drain().episodes}
    compared = 0
    for i, (game, state) in enumerate(zip(games, states, strict=True)):
        try:
            game.step(int(actions[i]))
        except AmbiguousError:
            continue
        compared += 1
        seen = observed(buffers.observations[i])
        np.testing.assert_allclose(seen, game.observation(), rtol=0, atol=1e-5, err_msg=str(i))
        assert buffers.rewards[i] == game.reward
        assert buffers.terminals[i] == game.terminal
        assert buffers.truncations[i] == game.truncation
        for name in ("hits", "lives", "score", "bricks", "paddle_hits", "idle", "random"):
            assert state[name] == getattr(game, name), name
        if game.ended:
            episode = episodes[i]
            assert [episode["score"], *episode["statistics"][:3]] == game.ended
        if game.truncation:
            final = observed(buffers.finals[i])
            np.testing.assert_allclose(final, game.final, rtol=0, atol=1e-5)
    return compared, len(games) - compared


def scatter(env: VectorEnv, rng: np.random.Generator) -> None:
    """Puts every game into a state that play reaches rarely: half broken walls, odd places."""
    for i in range(env.environments):
        state = env.state(i)[: STATE.itemsize].view(STATE)[0]
        broken = rng.random(108) < rng.choice([0.1, 0.5, 0.9, 1.0])
        x, y = rng.uniform(0, 544), rng.uniform(0, 300)
        broken[rng.integers(108)] = False  # sometimes the only one
        for brick in np.flatnonzero(~broken):  # no ball inside a brick
            box = BRICKS[brick]
            if x + 32 > box.left and x < box.right and y + 32 > box.top and y < box.bottom:
                broken[brick] = True
        points = sum(POINTS[brick // COLUMNS] for brick in np.flatnonzero(broken))
        second = points < 432 and rng.random() < 0.5
        speed = rng.choice([256, 320, 384, 448]) / 60
        angle = rng.uniform(0, 2 * math.pi)
        state["broken"] = 255 * broken
        state["ball_x"], state["ball_y"], state["speed"] = x, y, speed
        state["ball_vx"], state["ball_vy"] = speed * math.sin(angle), speed * math.cos(angle)
        state["paddle_width"] = rng.choice([31, 62])
        # Mostly near the ball, so that it is met.
        paddle = rng.normal(x, 40) if rng.random() < 0.8 else rng.uniform(0, 576)
        state["paddle_x"] = np.clip(paddle, 0, 576 - state["paddle_width"])
        state["hits"], state["lives"] = rng.integers(0, 20), rng.integers(1, 6)
        state["score"] = points + 432 * second
        state["idle"] = rng.choice([0, 5, 1700, 1798, 1799])


@pytest.mark.parametrize("seed", range(4))
def test_steps_from_scattered_states(seed: int):
    rng = np.random.default_rng(seed)
    compared = left_out = 0
    with VectorEnv(load_env("breakout"), {}, environments=64, seed=seed) as env:
        buffers = env.buffers()
        env.reset(0, buffers)
        for round_ in range(120):
            if round_ % 3 == 0:
                scatter(env, rng)
            done, skipped = compare_a_step(env, buffers, rng.integers(0, 3, 64))
            compared, left_out = compared + done, left_out + skipped
    assert left_out < 0.05 * compared


def test_steps_of_a_player_who_keeps_the_ball():
    rng = np.random.default_rng(9)
    compared = left_out = 0
    with VectorEnv(load_env("breakout"), {}, environments=16, seed=9) as env:
        buffers = env.buffers()
        env.reset(0, buffers)
        for _ in range(300):
            seen = buffers.observations[:, :40].copy().view(np.float32)
            ball, paddle = seen[:, 2] * 576 + 16, seen[:, 0] * 576 + seen[:, 9] * 31
            follow = np.where(np.abs(ball - paddle) < 20, 0, np.where(ball < paddle, 1, 2))
            actions = np.where(rng.random(16) < 0.2, rng.integers(0, 3, 16), follow)
            done, skipped = compare_a_step(env, buffers, actions.astype(np.int32))
            compared, left_out = compared + done, left_out + skipped
    assert left_out < 0.03 * compared
