"""snake against its rules written plainly in Python, each step from the state that C has."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pufftui.envs.catalogue import load_env
from pufftui.envs.vector import VectorEnv

HEIGHT, WIDTH, VISION, SNAKES = 360, 640, 5, 256
EMPTY, FOOD, CORPSE, WALL, BODY = range(5)
OTHER, OWN = 4, 5
MOVES = [(-1, 0), (1, 0), (0, -1), (0, 1)]

SNAKE = np.dtype(
    [
        *((name, np.int32) for name in ("head", "tail", "length", "food", "corpses")),
        *((name, np.int32) for name in ("last_head", "last_tail", "ate", "born")),
    ]
)
STATE = np.dtype(
    [
        ("random", np.uint64),
        ("snakes", SNAKE, (SNAKES,)),
        ("cells", np.uint16, (HEIGHT * WIDTH + 16,)),
    ],
    align=True,
)


def splitmix(state: int) -> tuple[int, int]:
    """The next state and 64 random bits, as random.h says."""
    mask = 2**64 - 1
    state = (state + 0x9E3779B97F4A7C15) & mask
    bits = state
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & mask
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & mask
    return state, bits ^ (bits >> 31)


def segments(cells: NDArray[np.uint16], snake: Any) -> list[tuple[int, int]]:
    """The body from tail to head, read from the directions that C keeps in the cells."""
    place = divmod(int(snake["tail"]), WIDTH)
    body = [place]
    while place != divmod(int(snake["head"]), WIDTH):
        move = MOVES[cells[place[0] * WIDTH + place[1]] % 4]
        place = place[0] + move[0], place[1] + move[1]
        body.append(place)
    return body


class Field:
    """The whole field: a grid of what lies there, and the body of each snake as a list of places."""

    def __init__(self, state: Any) -> None:
        cells = state["cells"][: HEIGHT * WIDTH]
        self.random = int(state["random"])
        self.bodies = [segments(cells, snake) for snake in state["snakes"]]
        self.food = [int(food) for food in state["snakes"]["food"]]
        self.corpses = [int(corpses) for corpses in state["snakes"]["corpses"]]
        # Bodies are BODY + whose they are.
        self.grid = np.where(cells < BODY, cells, BODY + (cells - BODY) // 4).astype(int)
        self.grid = self.grid.reshape(HEIGHT, WIDTH)
        self.rewards = [0.0] * SNAKES
        self.ended: dict[int, list[float]] = {}

    def free_place(self) -> tuple[int, int]:
        while True:
            self.random, bits = splitmix(self.random)
            drawn = ((bits >> 32) * 350 * 630) >> 32
            place = VISION + drawn // 630, VISION + drawn % 630
            if self.grid[place] in {EMPTY, CORPSE}:
                return place

    def step(self, actions: NDArray[np.int32]) -> None:
        for me, action in enumerate(actions):
            self.move(me, int(action))

    def move(self, me: int, action: int) -> None:
        body = self.bodies[me]
        target = body[-1][0] + MOVES[action][0], body[-1][1] + MOVES[action][1]
        if len(body) > 1 and target == body[-2]:  # the neck: straight on instead
            target = 2 * body[-1][0] - body[-2][0], 2 * body[-1][1] - body[-2][1]
        found = self.grid[target]
        if found >= WALL:
            self.die(me, found)
            return
        body.append(target)
        self.grid[target] = BODY + me
        if found == EMPTY or len(body) > 1024:
            self.grid[body.pop(0)] = EMPTY
        if found == EMPTY:
            return
        self.rewards[me] = 0.1
        if found == CORPSE:
            self.corpses[me] += 1
            return
        self.food[me] += 1
        self.grid[self.free_place()] = FOOD

    def die(self, me: int, obstacle: int) -> None:
        body = self.bodies[me]
        self.rewards[me] = -1
        causes = [float(obstacle == WALL), float(obstacle == BODY + me)]
        self.ended[me] = [len(body), self.food[me], self.corpses[me], *causes]
        for left, place in zip(range(len(body), 0, -1), reversed(body), strict=True):
            self.grid[place] = CORPSE if left % 2 == 0 else EMPTY
        self.bodies[me] = [self.free_place()]
        self.grid[self.bodies[me][0]] = BODY + me
        self.food[me] = self.corpses[me] = 0

    def seen_by(self, me: int) -> NDArray[np.int64]:
        row, column = self.bodies[me][-1]
        window = self.grid[row - VISION : row + VISION + 1, column - VISION : column + VISION + 1]
        return np.where(window < BODY, window, np.where(window == BODY + me, OWN, OTHER)).ravel()


def compare_a_step(env: VectorEnv, buffers: Any, actions: NDArray[np.int32]) -> Field:
    """Steps C and the reference from the same state."""
    state = env.state(0)[: STATE.itemsize].view(STATE)[0]
    field = Field(state)
    buffers.actions[:, 0] = actions
    truncated = env.step(0, buffers)
    field.step(actions)
    assert truncated == 0
    assert buffers.alive.all()
    assert buffers.rewards.tolist() == np.array(field.rewards, np.float32).tolist()
    assert np.flatnonzero(buffers.terminals).tolist() == sorted(field.ended)
    episodes = {int(e["agent"]): e for e in env.drain().episodes}
    assert episodes.keys() == field.ended.keys()
    for me, figures in field.ended.items():
        assert [episodes[me]["score"], *episodes[me]["statistics"][:4]] == figures
    after = Field(state)
    assert (after.grid == field.grid).all()
    assert after.bodies == field.bodies
    assert (after.food, after.corpses) == (field.food, field.corpses)
    assert after.random == field.random
    for me in range(SNAKES):
        assert (buffers.observations[me] == field.seen_by(me)).all()
    return field


def turn_away(observations: NDArray[np.uint8], drawn: NDArray[np.int32]) -> NDArray[np.int32]:
    """The drawn action, or another one where that would be death: snakes that grow long."""
    seen = observations.reshape(-1, 11, 11)
    ahead = np.stack([seen[:, 5 + r, 5 + c] for r, c in MOVES], axis=1)
    score = np.select([ahead >= WALL, ahead == EMPTY], [-1.0, 1.0], 2.0)
    score[np.arange(len(score)), drawn] += 0.5
    return score.argmax(axis=1).astype(np.int32)


@pytest.mark.parametrize("careful", [0.0, 0.9, 1.0])
def test_steps_of_all_snakes(careful: float):
    rng = np.random.default_rng(int(careful * 10))
    ended = eaten = 0
    with VectorEnv(load_env("snake"), {}, environments=1, seed=4) as env:
        buffers = env.buffers()
        env.reset(0, buffers)
        crowd(env)
        for _ in range(40):
            drawn = rng.integers(0, 4, SNAKES).astype(np.int32)
            wise = turn_away(buffers.observations, drawn)
            field = compare_a_step(
                env, buffers, np.where(rng.random(SNAKES) < careful, wise, drawn)
            )
            ended += len(field.ended)
            eaten += sum(reward > 0 for reward in field.rewards)
    assert ended > 50
    assert eaten > 100


def crowd(env: VectorEnv) -> None:
    """Puts bars of wall into the field, and food and corpses nearly everywhere between them.

    Then much happens in a few steps, and snakes come near each other.
    """
    state = env.state(0)[: STATE.itemsize].view(STATE)[0]
    cells = state["cells"][: HEIGHT * WIDTH].reshape(HEIGHT, WIDTH)
    rng = np.random.default_rng(3)
    kinds = rng.choice([EMPTY, FOOD, CORPSE, WALL], cells.shape, p=[0.5, 0.2, 0.25, 0.05])
    inside = np.zeros(cells.shape, bool)
    inside[VISION:-VISION, VISION:-VISION] = True
    free = inside & (cells < WALL)
    cells[free] = kinds[free]


def test_a_snake_of_full_length_grows_no_more():
    with VectorEnv(load_env("snake"), {}, environments=1, seed=5) as env:
        buffers = env.buffers()
        env.reset(0, buffers)
        state = env.state(0)[: STATE.itemsize].view(STATE)[0]
        cells = state["cells"][: HEIGHT * WIDTH].reshape(HEIGHT, WIDTH)
        cells[VISION:-VISION, VISION:-VISION] = EMPTY
        for me, snake in enumerate(state["snakes"]):  # everybody in a row of its own at the left
            snake["head"] = snake["tail"] = (VISION + 10 + me) * WIDTH + VISION
            cells[VISION + 10 + me, VISION] = BODY + 4 * me
        lay_in_turns(state["snakes"][0], cells, 1023)
        actions = np.full(SNAKES, 3, np.int32)
        for length in (1023, 1024, 1024, 1024):
            assert state["snakes"][0]["length"] == length
            row, column = divmod(int(state["snakes"][0]["head"]), WIDTH)
            cells[row, column + 1] = CORPSE
            field = compare_a_step(env, buffers, actions)
            assert field.rewards[0] == 0.1


def lay_in_turns(snake: Any, cells: NDArray[np.uint16], length: int) -> None:
    """Two long rows near the lower wall, the upper one to the left, the lower one to the right."""
    row, column = HEIGHT - VISION - 8, VISION + 600
    way = [2] * 520 + [1] + [3] * (length - 522)
    snake["tail"] = row * WIDTH + column
    cells[VISION + 10, VISION] = EMPTY
    for direction in way:
        cells[row, column] = BODY + direction
        row, column = row + MOVES[direction][0], column + MOVES[direction][1]
    cells[row, column] = BODY + way[-1]
    snake["head"], snake["length"] = row * WIDTH + column, length
