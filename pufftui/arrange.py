"""Where every panel lies, for any size of the terminal: one pure function."""

from __future__ import annotations

import math
from dataclasses import dataclass

from textual.geometry import Region

LEAST_WIDTH, LEAST_HEIGHT = 60, 18
ROOMY_WIDTH, ROOMY_HEIGHT = 100, 30

GAP = 1
"""Empty columns between two panels; above each lies half an empty row that belongs to it."""

HEADING = 2
"""Rows of a roomy panel that are not content: its upper edge and its title."""

SOLO = {
    1: ("game",),
    2: ("score",),
    3: ("speed", "learning"),
    4: ("machine", "time"),
    5: ("log",),
}
"""What the digit keys show alone."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Regions by panel; `roomy` panels have an edge above their title."""

    regions: dict[str, Region]
    roomy: bool


def arrange(width: int, height: int, aspect: float, solo: int = 0, gpus: int = 0) -> Arrangement:
    """Lays out a screen of `width` x `height` cells for a game of that aspect (width / height).

    `solo` is a key of SOLO, or 0 for as much as fits.
    """
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        return Arrangement({"too_small": Region(0, 0, width, height)}, roomy=False)
    regions = {
        "header": Region(0, 0, width, 1),
        "footer": Region(0, height - 1, width, 1),
    }
    roomy = width >= ROOMY_WIDTH and height >= ROOMY_HEIGHT
    if roomy:
        body = Region(0, 1, width, height - 2)
        regions |= _alone(body, solo) if solo else _all(body, aspect, gpus)
    else:
        body = Region(0, 1, width, height - 3)
        regions["status"] = Region(0, height - 2, width, 1)
        regions |= _few(body, aspect, solo)
    return Arrangement(regions, roomy)


def _alone(body: Region, solo: int) -> dict[str, Region]:
    return _rows(body, dict.fromkeys(SOLO[solo], 1.0))


def _few(body: Region, aspect: float, solo: int) -> dict[str, Region]:
    if solo:
        names = SOLO[solo]
        if solo == 4:
            return _columns(body, dict.fromkeys(names, 1.0))
        return _rows(body, {"speed": 1.0, "learning": 1.4} if solo == 3 else {names[0]: 1.0})
    if body.height < 26:
        return {"game": body}
    # A tall, narrow terminal: the curve below the game.
    picture = min(math.ceil((body.width - 2) / aspect / 2) + 1, body.height - 14)
    game, score = body.split_horizontal(picture)
    return {"game": game, "score": score}


def _all(body: Region, aspect: float, gpus: int) -> dict[str, Region]:
    left = min(max(round(body.width * 0.29), 34), 66)
    charts = Region(body.x, body.y, left, body.height)
    rest = Region(body.x + left + GAP, body.y, body.width - left - GAP, body.height)
    # The game is the hero: whichever way gives it the larger picture.
    beside, below = _beside(rest, aspect, gpus), _below(rest, aspect)
    best = max(beside, below, key=lambda regions: picture_area(regions["game"], aspect))
    return _charts(charts) | best


def picture_area(panel: Region, aspect: float) -> float:
    """Pixels of the largest undistorted picture inside a roomy panel."""
    width, height = panel.width - 2, 2 * (panel.height - HEADING)
    return min(width, height * aspect) * min(height, width / aspect)


def _charts(area: Region) -> dict[str, Region]:
    learning = 23 if area.height >= 50 else 12 if area.height >= 36 else 9
    speed = 13 if area.height >= 50 else min(max(area.height // 5, 7), 12)
    heights = {"score": area.height - speed - learning, "speed": speed, "learning": learning}
    return _stack(area, heights)


def _beside(area: Region, aspect: float, gpus: int) -> dict[str, Region]:
    """The machine to the right of the game, the policy below it."""
    right = min(max(round(area.width * 0.28), 28), 44)
    centre = Region(area.x, area.y, area.width - right - GAP, area.height)
    side = Region(centre.right + GAP, area.y, right, area.height)
    machine, time = min(10 + gpus * 3, 19), 8 if area.height >= 45 else 7
    sides = {"machine": machine, "time": time, "log": area.height - machine - time}
    return _with_game(centre, aspect, "policy", least=9, most=14) | _stack(side, sides)


def _below(area: Region, aspect: float) -> dict[str, Region]:
    """Policy, machine, time and log in a strip below the game."""
    regions = _with_game(area, aspect, "strip", least=13, most=18)
    strip = regions.pop("strip")
    thirds = _columns(strip, {"policy": 1.3, "machine": 1.0, "side": 1.15})
    side = thirds.pop("side")
    time = 8 if strip.height >= 16 else 7
    return regions | thirds | _stack(side, {"time": time, "log": side.height - time})


def _with_game(
    area: Region, aspect: float, other: str, *, least: int, most: int
) -> dict[str, Region]:
    """The game as high as its picture needs, and what lies below it within its limits."""
    picture = HEADING + math.ceil((area.width - 2) / aspect / 2)
    game = min(max(picture, area.height - most), area.height - least)
    return _stack(area, {"game": game, other: area.height - game})


def _stack(area: Region, heights: dict[str, int]) -> dict[str, Region]:
    regions, y = {}, area.y
    for name, height in heights.items():
        regions[name] = Region(area.x, y, area.width, height)
        y += height
    return regions


def _rows(area: Region, shares: dict[str, float]) -> dict[str, Region]:
    total = sum(shares.values())
    heights = {name: int(area.height * share / total) for name, share in shares.items()}
    heights[next(iter(heights))] += area.height - sum(heights.values())
    return _stack(area, heights)


def _columns(area: Region, shares: dict[str, float]) -> dict[str, Region]:
    free = area.width - GAP * (len(shares) - 1)
    total = sum(shares.values())
    widths = {name: int(free * share / total) for name, share in shares.items()}
    widths[next(iter(widths))] += free - sum(widths.values())
    regions, x = {}, area.x
    for name, width in widths.items():
        regions[name] = Region(x, area.y, width, area.height)
        x += width + GAP
    return regions
