"""pong against its rules written plainly in Python, each step from the state that C has.

Everything is a whole number, so the two must agree exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pufftui.envs.catalogue import load_env
from pufftui.envs.vector import VectorEnv

TABLE = [(name, np.int32) for name in ("x", "y", "vx", "vy", "own", "other")]
COUNTS = ("won", "lost", "bounces", "idle")
STATE = np.dtype(
    [
        *TABLE,
        *((name, np.int32) for name in COUNTS),
        ("random", np.uint64),
        ("before", TABLE),
        *((name, np.int32) for name in ("push", "played")),
    ],
    align=True,
)
KEPT = [name for name, _ in TABLE] + [*COUNTS, "random"]


def splitmix(state: int) -> tuple[int, int]:
    """The next state and 64 random bits, as random.h says."""
    mask = 2**64 - 1
    state = (state + 0x9E3779B97F4A7C15) & mask
    bits = state
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & mask
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & mask
    return state, bits ^ (bits >> 31)


@dataclass
class Game:
    """A whole game; places of paddles are their middles, the ball's is its upper left corner."""

    x: int
    y: int
    vx: int
    vy: int
    own: int
    other: int
    won: int
    lost: int
    bounces: int
    idle: int
    random: int
    reward: float = 0
    terminal: bool = False
    truncation: bool = False
    ended: tuple[int, ...] = ()
    final: NDArray[np.float64] | None = None

    @classmethod
    def of(cls, state: Any) -> Game:
        return cls(**{name: int(state[name]) for name in KEPT})

    def observation(self) -> NDArray[np.float64]:
        return np.array(
            [
                *(self.other / 320 - 1, self.own / 320 - 1),
                *(self.x / 234 - 1, (self.y + 16) / 320 - 1),
                *(self.vx / 10, self.vy / 13),
                *(self.lost / 21, self.won / 21),
            ]
        )

    def serve(self) -> None:
        self.random, bits = splitmix(self.random)
        self.x, self.y, self.vx, self.vy = 100, 304, 10, 1 if bits >> 63 else -1
        self.own = self.other = 320
        self.idle = 0

    def step(self, action: int) -> None:
        self.idle += 1
        for _ in range(8):
            self.move_paddles(action)
            self.move_ball()
            if self.x < 0 and abs(self.y + 16 - self.other) >= 51:
                self.won += 1
                self.point(1)
                break
            if self.x > 468 and abs(self.y + 16 - self.own) >= 51:
                self.lost += 1
                self.point(-1)
                break
            self.bounce()
        self.terminal = 21 in {self.won, self.lost}
        self.truncation = not self.terminal and self.idle == 900
        if self.terminal or self.truncation:
            self.ended = (self.won - self.lost, self.won, self.lost, self.bounces)
            self.final = self.observation()
            self.won = self.lost = self.bounces = 0
            self.serve()

    def point(self, reward: float) -> None:
        self.reward = reward
        if 21 not in {self.won, self.lost}:
            self.serve()

    def move_paddles(self, action: int) -> None:
        self.own = min(max(self.own + {0: 0, 1: -8, 2: 8}[action], 0), 640)
        middle = self.y + 16
        if abs(middle - self.other) <= 8:
            self.other = middle
        else:
            self.other += 8 if middle > self.other else -8

    def move_ball(self) -> None:
        self.x += self.vx
        self.y += self.vy
        if self.y < 0:
            self.y, self.vy = -self.y, -self.vy
        if self.y > 608:
            self.y, self.vy = 608 - (self.y - 608), -self.vy

    def bounce(self) -> None:
        if self.x < 0:
            self.x, self.vx = -self.x, 10
        if self.x > 468:
            self.x, self.vx = 468 - (self.x - 468), -10
            self.reward = 0.1
            self.bounces += 1
            offset = self.y + 16 - self.own
            if offset > 17:
                self.vy = min(self.vy + 3, 13)
            if offset < -17:
                self.vy = max(self.vy - 3, -13)


def compare_a_step(env: VectorEnv, buffers: Any, actions: NDArray[np.integer]) -> list[Game]:
    """Steps C and the reference from the same states; returns what the reference made of them."""
    states = [env.state(i)[: STATE.itemsize].view(STATE)[0] for i in range(env.environments)]
    games = [Game.of(state) for state in states]
    buffers.actions[:, 0] = actions
    env.step(0, buffers)
    episodes = {int(e["agent"]): e for e in env.drain().episodes}
    for i, (game, state) in enumerate(zip(games, states, strict=True)):
        game.step(int(actions[i]))
        assert {name: int(state[name]) for name in KEPT} == {n: getattr(game, n) for n in KEPT}
        seen = buffers.observations[i].view(np.float32)
        np.testing.assert_allclose(seen, game.observation(), rtol=0, atol=1e-6)
        assert buffers.rewards[i] == np.float32(game.reward)
        assert buffers.terminals[i] == game.terminal
        assert buffers.truncations[i] == game.truncation
        assert (i in episodes) == bool(game.ended)
        if game.ended:
            assert (episodes[i]["score"], *episodes[i]["statistics"][:3]) == game.ended
        if game.truncation:
            final = buffers.finals[i].view(np.float32)
            np.testing.assert_allclose(final, game.final, rtol=0, atol=1e-6)
    return games


def scatter(env: VectorEnv, rng: np.random.Generator) -> None:
    """Puts every game into a state that play reaches rarely."""
    for i in range(env.environments):
        state = env.state(i)[: STATE.itemsize].view(STATE)[0]
        state["x"], state["y"] = rng.integers(0, 469), rng.integers(0, 609)
        state["vx"], state["vy"] = rng.choice([-10, 10]), rng.integers(-13, 14)
        for paddle in ("own", "other"):  # mostly near the ball, so that it is met
            near = int(state["y"]) + 16 + int(rng.integers(-90, 91))
            state[paddle] = np.clip(near if rng.random() < 0.8 else rng.integers(641), 0, 640)
        state["won"], state["lost"] = rng.choice([0, 7, 19, 20], 2)
        state["bounces"] = rng.integers(0, 1000)
        state["idle"] = rng.choice([0, 5, 897, 898, 899])


@pytest.mark.parametrize("seed", range(4))
def test_random_play_from_scattered_states(seed: int):
    rng = np.random.default_rng(seed)
    games: list[Game] = []
    with VectorEnv(load_env("pong"), {}, environments=64, seed=seed) as env:
        buffers = env.buffers()
        env.reset(0, buffers)
        for round_ in range(120):
            if round_ % 3 == 0:
                scatter(env, rng)
            games += compare_a_step(env, buffers, rng.integers(0, 3, 64))
    assert sum(game.terminal for game in games) > 100
    assert sum(game.truncation for game in games) > 100
    assert sum(game.reward == 1 for game in games) > 100
    assert sum(game.reward == 0.1 for game in games) > 100


def test_play_that_keeps_the_ball():
    rng = np.random.default_rng(9)
    games: list[Game] = []
    with VectorEnv(load_env("pong"), {}, environments=16, seed=9) as env:
        buffers = env.buffers()
        env.reset(0, buffers)
        for _ in range(600):
            seen = buffers.observations.view(np.float32)
            gap = (seen[:, 3] - seen[:, 1]) * 320
            follow = np.where(np.abs(gap) < 30, 0, np.where(gap < 0, 1, 2))
            games += compare_a_step(
                env, buffers, np.where(rng.random(16) < 0.2, rng.integers(0, 3, 16), follow)
            )
    assert sum(game.reward == 0.1 for game in games) > 400
    assert {abs(game.vy) for game in games} >= {1, 2, 4, 5, 7, 8, 10}


def test_what_is_drawn_moves_as_the_game_does():
    """At the start of a step the picture shows where it began, at its end where it ended."""
    with VectorEnv(load_env("pong"), {}, environments=1, seed=2) as env:
        buffers = env.buffers()
        env.reset(0, buffers)

        def picture(phase: float) -> NDArray[np.uint8]:
            pixels = np.zeros((640, 580, 3), np.uint8)
            env.draw(0, 0, phase, pixels)
            return pixels

        last = picture(0)
        assert (picture(0.9) == last).all()
        for _ in range(4):
            buffers.actions[:] = 1
            env.step(0, buffers)
            assert (picture(0) == last).all()
            assert (picture(0.5) != last).any()
            env.state(0)[: STATE.itemsize].view(STATE)["played"] = 0  # shows it at rest
            last = picture(0)
