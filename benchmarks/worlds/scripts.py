"""Good policies for the worlds, written by hand; each reads only what an agent sees.

A script is made for a number of agents and called once a step with the fields of their observations,
(agents, count) float64 arrays by name. It returns (agents, parts) actions. What it has to remember it
keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Seen = Mapping[str, Array]
Script = Callable[[Seen], Array]


def wrapped(angle: Array) -> Array:
    """Angles moved into [-pi, pi)."""
    return angle - 2 * np.pi * np.floor((angle + np.pi) / (2 * np.pi))


def angle_of(pair: Array) -> Array:
    """The angle of (agents, 2) cosines and sines."""
    return np.arctan2(pair[:, 1], pair[:, 0])


def one(actions: Array) -> Array:
    """Actions of one part."""
    return actions[:, None]


def rocket(seen: Seen) -> Array:
    """Turns towards the change of speed that is missing, and burns when it points there."""
    way = seen["beacon"] - seen["place"]
    away = np.linalg.norm(way, axis=1, keepdims=True)
    fast = np.minimum(0.06 * away, 220)
    missing = way / np.maximum(away, 1e-6) * fast - 0.97 * seen["speed"]
    off = wrapped(angle_of(missing) - angle_of(seen["heading"]))
    burn = (np.abs(off) < 0.2) & (np.linalg.norm(missing, axis=1) > 4)
    turn = np.where(off > 0, 2, 1)
    return one(np.where(burn, 3, np.where(np.abs(off) < 0.13, 0, turn)))


def arm(seen: Seen) -> Array:
    """Moves the tip straight towards the target, by a damped inverse of what the joints do."""
    angles = np.cumsum(angle_of(seen["joints"].reshape(-1, 2)).reshape(-1, 3), axis=1)
    parts = np.stack([np.cos(angles), np.sin(angles)], axis=2) / 3
    after = np.cumsum(parts[:, ::-1], axis=1)[:, ::-1]  # from each joint to the tip
    moves = np.stack([-after[:, :, 1], after[:, :, 0]], axis=1)
    way = 1000 * seen["target"] - parts.sum(axis=1)
    square = moves @ moves.transpose(0, 2, 1) + 0.01 * np.eye(2)
    step = (moves.transpose(0, 2, 1) @ np.linalg.solve(square, way[:, :, None]))[:, :, 0]
    step += 0.02 * (np.abs(step).max(axis=1, keepdims=True) < 0.02)  # out of a stretched arm
    return np.clip(step / 0.2, -1, 1)


def swing(seen: Seen) -> Array:
    """Adds energy until there is enough, then balances."""
    angle, speed = angle_of(seen["angle"]), seen["speed"][:, 0]
    energy = speed**2 / 2 + 15 * (np.cos(angle) - 1)
    pump = np.where(speed >= 0, 1.0, -1.0) * np.where(energy < 0, 1, -1)
    balance = -(6 * angle + 1.5 * speed)
    close = (np.abs(angle) < 0.5) & (np.abs(energy) < 5)
    turned = 1 - 2 * (np.argmax(seen["motor"], axis=1) % 2)
    return one(turned * np.clip(np.where(close, balance, pump), -1, 1))


def crawl(seen: Seen) -> Array:
    """Each leg pushes back while it stands, and is lifted and brought forward at its end."""
    swing_, standing = seen["swing"], seen["lift"] < 0
    up = np.where(standing, swing_ < -0.8, swing_ < 0.8)
    # Who would leave no leg on the ground waits: the leg furthest forward stays.
    last = standing & (standing.sum(axis=1, keepdims=True) == 1)
    up = up & ~last
    controls = np.stack([np.where(standing, -1, 1), np.where(up, 1, -1)], axis=2)
    models = np.argmax(seen["models"].reshape(-1, 3, 8), axis=2)
    turned = 1 - 2 * (models % 2)
    return (controls * turned[:, :, None]).reshape(len(swing_), -1)


class Echo:
    """Remembers the last symbols."""

    def __init__(self, agents: int) -> None:
        self.shown = np.zeros((agents, 6), np.int64)

    def __call__(self, seen: Seen) -> Array:
        self.shown = np.roll(self.shown, 1, axis=1)
        self.shown[:, 0] = seen["symbol"][:, 0]
        return one(self.shown[:, 5])


class Corridor:
    """Remembers the sign."""

    def __init__(self, agents: int) -> None:
        self.door = np.zeros(agents, np.int64)

    def __call__(self, seen: Seen) -> Array:
        sign = seen["sign"][:, 0].astype(np.int64)
        self.door = np.where((sign >= 1) & (sign <= 4), sign - 1, self.door)
        return one(self.door)


class Vault:
    """Remembers the lamp."""

    def __init__(self, agents: int) -> None:
        self.live = np.zeros(agents, np.int64)

    def __call__(self, seen: Seen) -> Array:
        lamp = seen["lamp"][:, 0].astype(np.int64)
        self.live = np.where(lamp < 2, lamp, self.live)
        return one(self.live)


class Pairs:
    """Remembers every face that it has seen; opens known pairs, else a card that is unknown."""

    BACK, FOUND = 0, 6

    def __init__(self, agents: int) -> None:
        self.known = np.zeros((agents, 10), np.int64)

    def __call__(self, seen: Seen) -> Array:
        cards = seen["cards"].astype(np.int64)
        begins = (cards == self.BACK).all(axis=1) & (seen["turned"][:, 0] == 0)
        self.known[begins] = self.BACK
        self.known = np.where(cards != self.BACK, cards, self.known)
        rows = zip(self.known, cards, seen["turned"][:, 0] > 0, strict=True)
        return one(np.array([self._choice(*row) for row in rows]))

    def _choice(self, known: Array, cards: Array, turned: bool) -> int:
        unknown = np.flatnonzero(known == self.BACK)
        if turned:
            first = int(np.flatnonzero((cards != self.BACK) & (cards != self.FOUND))[0])
            twins = np.flatnonzero(known == known[first])
            twins = twins[twins != first]
            return int(twins[0]) if len(twins) else int(unknown[0])
        for face in range(1, self.FOUND):
            places = np.flatnonzero(known == face)
            if len(places) == 2:
                return int(places[0])
        return int(unknown[0])


UP, DOWN, LEFT, RIGHT = range(4)


def towards(rows: Array, columns: Array) -> Array:
    """The move that makes the longer of two distances shorter."""
    across = np.where(columns > 0, RIGHT, LEFT)
    return np.where(np.abs(columns) > np.abs(rows), across, np.where(rows > 0, DOWN, UP))


def place_of(cells: Array, kind: int) -> Array:
    """Where the first cell of a kind is; 0 if there is none."""
    return np.argmax(cells == kind, axis=1)


def errand(seen: Seen) -> Array:
    """To the key, to the gap in the wall, through it, to the chest."""
    cells, carries = seen["cells"].astype(np.int64), seen["carries"][:, 0] > 0
    side, middle = 9, 4
    at, key, chest = (place_of(cells, kind) for kind in (2, 3, 4))
    # The walker may stand in the gap itself.
    wall = cells.reshape(-1, side, side)[:, :, middle] == 1
    gap = np.argmin(wall, axis=1)
    row, column = at // side, at % side
    through = carries & (column <= middle)
    goal_row = np.where(through, gap, np.where(carries, chest // side, key // side))
    goal_column = np.where(carries, chest % side, key % side)
    rows, columns = goal_row - row, goal_column - column
    vertical = np.where(rows > 0, DOWN, UP)
    across = np.where(columns > 0, RIGHT, LEFT)
    lines_up = np.where(rows != 0, vertical, across)
    return one(np.where(through, lines_up, towards(rows, columns)))


def sweep(seen: Seen) -> Array:
    """To the nearest crumb."""
    cells, side = seen["cells"], 9
    at = place_of(cells, 2)
    rows = np.arange(side * side) // side - (at // side)[:, None]
    columns = np.arange(side * side) % side - (at % side)[:, None]
    away = np.where(cells == 1, np.abs(rows) + np.abs(columns), 99)
    nearest = np.argmin(away, axis=1)[:, None]
    pick = [np.take_along_axis(part, nearest, axis=1)[:, 0] for part in (rows, columns)]
    return one(towards(*pick))


SWITCHED = (0x00B, 0x017, 0x026, 0x059, 0x0BA, 0x134, 0x0C8, 0x1D0, 0x1A0)


def _presses() -> Array:
    """A lamp to press, for each set of lamps that are lit: each has one solution."""
    table = np.zeros(512, np.int64)
    for pressed in range(1, 512):
        lit = 0
        for lamp in range(9):
            lit ^= SWITCHED[lamp] if pressed >> lamp & 1 else 0
        table[lit] = (pressed & -pressed).bit_length() - 1
    return table


PRESSES = _presses()


def lamps(seen: Seen) -> Array:
    """One of the presses of the solution; their order does not matter."""
    return one(PRESSES[(seen["lamps"].astype(np.int64) << np.arange(9)).sum(axis=1)])


def heaps(seen: Seen) -> Array:
    """Leaves heaps whose binary sum is zero."""
    sizes = seen["heaps"].astype(np.int64)
    left = sizes ^ np.bitwise_xor.reduce(sizes, axis=1, keepdims=True)
    taken = sizes - left
    heap = np.argmax(np.where(taken > 0, taken, 0), axis=1)
    count = np.take_along_axis(taken, heap[:, None], axis=1)[:, 0]
    lost = count <= 0
    heap = np.where(lost, np.argmax(sizes, axis=1), heap)
    return one(heap * 7 + np.where(lost, 1, count) - 1)


def dial(seen: Seen) -> Array:
    """The difference of both places."""
    turn = (angle_of(seen["mark"]) - angle_of(seen["hand"])) / (2 * np.pi) * 64
    return one(np.rint(turn).astype(np.int64) % 64)


def turret(seen: Seen) -> Array:
    """Aims where the target will be when the shell arrives, and fires when that is close."""
    turns = np.array([-0.2, -0.05, 0, 0.05, 0.2])
    away = np.linalg.norm(seen["place"], axis=1, keepdims=True)
    bearing = angle_of(seen["place"] + 0.02 * away * seen["speed"])
    off = wrapped(bearing - angle_of(seen["aim"]))
    turn = np.argmin(np.abs(off[:, None] - turns), axis=1)
    fires = np.abs(off - turns[turn]) < 0.06
    fuse = np.minimum(away[:, 0] / (1000 / 3), 3).astype(np.int64)
    return np.stack([turn, fires, fuse], axis=1)


def same_parity(two: Array) -> Array:
    """1 where two categories, both one-hot, are both even or both odd, else -1."""
    kinds = np.argmax(two.reshape(len(two), 2, -1), axis=2)
    return 1 - 2 * (kinds.sum(axis=1) % 2)


def valley(seen: Seen) -> Array:
    """Drives the way that the car rolls."""
    gear = same_parity(seen["levers"])
    return one(1 + gear * np.where(seen["speed"][:, 0] >= 0, 1, -1))


def ferry(seen: Seen) -> Array:
    """Always to the far bank."""
    return one(1 + same_parity(seen["flags"]))


def tanks(seen: Seen) -> Array:
    """Fills the tank that would be dry first, unless all are full."""
    levels = seen["levels"]
    last = levels / seen["leaks"]
    valve = (np.argmin(last, axis=1) - seen["shift"][:, 0]) % 4
    return one(np.where(levels.max(axis=1) > 225, 4, valve))


def brew(seen: Seen) -> Array:
    """The change after which the heat is closest to the recipe."""
    time = seen["time"][:, 0] + 1 / 60
    wanted = 50 + 40 * np.sin(angle_of(seen["start"]) + 2 * np.pi * seen["turns"][:, 0] * time)
    after = seen["heat"] + np.array([-8, -3, 0, 3, 8])
    return one(np.argmin(np.abs(after - wanted[:, None]), axis=1))


def fireflies(seen: Seen) -> Array:
    """Hurries when behind the neighbours, tarries when before them."""
    own = angle_of(seen["own"]) - 2 * np.pi / 32 * np.argmax(seen["kind"], axis=1)
    behind = wrapped(angle_of(seen["others"]) - own)
    return one(1 + np.sign(behind) * (np.abs(behind) > 0.05))


class Duo:
    """Each to its plate; who is blocked goes around, at random."""

    def __init__(self) -> None:
        self.random = np.random.default_rng(0)

    def __call__(self, seen: Seen) -> Array:
        cells, side = seen["cells"].astype(np.int64), 6
        at, other, plate = (place_of(cells, kind) for kind in (1, 2, 3))
        # A plate that nobody sees is under one of the two; only its owner's own matters.
        plate = np.where((cells == 3).any(axis=1), plate, other)
        rows, columns = plate // side - at // side, plate % side - at % side
        move = towards(rows, columns)
        step = np.array([-side, side, -1, 1])
        blocked = at + step[move] == other
        move = np.where(blocked, self.random.integers(0, 4, len(at)), move)
        return one(np.where(seen["on_plate"][:, 0] > 0, 0, 1 + move))


def _plain(function: Script) -> Callable[[int], Script]:
    return lambda _agents: function


SCRIPTS: dict[str, Callable[[int], Script]] = {
    "rocket": _plain(rocket),
    "arm": _plain(arm),
    "swing": _plain(swing),
    "crawl": _plain(crawl),
    "echo": Echo,
    "corridor": Corridor,
    "vault": Vault,
    "pairs": Pairs,
    "errand": _plain(errand),
    "sweep": _plain(sweep),
    "lamps": _plain(lamps),
    "heaps": _plain(heaps),
    "dial": _plain(dial),
    "turret": _plain(turret),
    "valley": _plain(valley),
    "ferry": _plain(ferry),
    "tanks": _plain(tanks),
    "brew": _plain(brew),
    "fireflies": _plain(fireflies),
    "duo": lambda _agents: Duo(),
}
"""Makes the script of a world for a number of agents."""
