"""Where every panel lies, for any size of the terminal: a pure function for each screen."""

from __future__ import annotations

import math
from dataclasses import dataclass

from textual.geometry import Region

LEAST_WIDTH, LEAST_HEIGHT = 60, 18
ROOMY_WIDTH, ROOMY_HEIGHT = 100, 30

Regions = dict[str, Region]

GAP = 1
"""Empty columns between two panels; above each lies half an empty row that belongs to it."""

HEADING = 2
"""Rows of a roomy panel that are not content: its upper edge and its title."""

ENOUGH = 0.6
"""Share of the largest possible picture that other panels must leave a person who plays."""

LEAST_LOG = 6
"""Rows of the log that the machine may not take."""

SOLO = {
    1: ("game",),
    2: ("score",),
    3: ("speed", "learning"),
    4: ("machine", "time"),
    5: ("log",),
    6: ("charts",),
}
"""What the digit keys show alone."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Regions by panel; `roomy` panels have an edge above their title."""

    regions: Regions
    roomy: bool


def with_strip(arrangement: Arrangement) -> Arrangement:
    """A row for the alerts above the footer of an arrangement for one row less."""
    regions = dict(arrangement.regions)
    footer = regions.get("footer")
    if footer is None:
        return arrangement
    regions |= {"alert": footer, "footer": footer.translate((0, 1))}
    return Arrangement(regions, arrangement.roomy)


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


def _alone(body: Region, solo: int) -> Regions:
    if solo == 4:
        return _stack(body, {"machine": body.height - 8, "time": 8})
    return _rows(body, dict.fromkeys(SOLO[solo], 1.0))


def _few(body: Region, aspect: float, solo: int) -> Regions:
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


def _all(body: Region, aspect: float, gpus: int) -> Regions:
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


def _charts(area: Region) -> Regions:
    learning = 23 if area.height >= 50 else 12 if area.height >= 36 else 9
    speed = 13 if area.height >= 50 else min(max(area.height // 5, 7), 12)
    heights = {"score": area.height - speed - learning, "speed": speed, "learning": learning}
    return _stack(area, heights)


def _beside(area: Region, aspect: float, gpus: int) -> Regions:
    """The machine to the right of the game, the policy below it."""
    right = min(max(round(area.width * 0.28), 28), 44)
    centre = Region(area.x, area.y, area.width - right - GAP, area.height)
    side = Region(centre.right + GAP, area.y, right, area.height)
    time = 8 if area.height >= 45 else 7
    most = max(area.height - time - LEAST_LOG, 12)
    machine = min(13 + gpus * 4 if gpus <= 2 else 14 + gpus, 26, most)
    sides = {"machine": machine, "time": time, "log": area.height - machine - time}
    return _with_game(centre, aspect, "policy", least=9, most=14) | _stack(side, sides)


def _below(area: Region, aspect: float) -> Regions:
    """Policy, machine, time and log in a strip below the game."""
    regions = _with_game(area, aspect, "strip", least=13, most=18)
    strip = regions.pop("strip")
    thirds = _columns(strip, {"policy": 1.3, "machine": 1.0, "side": 1.15})
    side = thirds.pop("side")
    time = 8 if strip.height >= 16 else 7
    return regions | thirds | _stack(side, {"time": time, "log": side.height - time})


def _with_game(area: Region, aspect: float, other: str, *, least: int, most: int) -> Regions:
    """The game as high as its picture needs, and what lies below it within its limits."""
    picture = HEADING + math.ceil((area.width - 2) / aspect / 2)
    game = min(max(picture, area.height - most), area.height - least)
    return _stack(area, {"game": game, other: area.height - game})


def _stack(area: Region, heights: dict[str, int]) -> Regions:
    regions, y = {}, area.y
    for name, height in heights.items():
        regions[name] = Region(area.x, y, area.width, height)
        y += height
    return regions


def _rows(area: Region, shares: dict[str, float]) -> Regions:
    total = sum(shares.values())
    heights = {name: int(area.height * share / total) for name, share in shares.items()}
    heights[next(iter(heights))] += area.height - sum(heights.values())
    return _stack(area, heights)


def _columns(area: Region, shares: dict[str, float]) -> Regions:
    free = area.width - GAP * (len(shares) - 1)
    total = sum(shares.values())
    widths = {name: int(free * share / total) for name, share in shares.items()}
    widths[next(iter(widths))] += free - sum(widths.values())
    regions, x = {}, area.x
    for name, width in widths.items():
        regions[name] = Region(x, area.y, width, area.height)
        x += width + GAP
    return regions


def arrange_logged(width: int, height: int, solo: int = 0) -> Arrangement:
    """Lays out a screen of metrics without a game. `solo` is 1, 4 or 5, or 0 for what fits."""
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        return Arrangement({"too_small": Region(0, 0, width, height)}, roomy=False)
    roomy = width >= ROOMY_WIDTH and height >= ROOMY_HEIGHT
    regions = {
        "header": Region(0, 0, width, 1),
        "footer": Region(0, height - 1, width, 1),
    }
    body = Region(0, 1, width, height - 2)
    alone = {1: "charts", 4: "machine", 5: "log"}
    if solo in alone or not roomy:
        return Arrangement(regions | {alone.get(solo, "charts"): body}, roomy)
    side = min(max(round(width * 0.22), 30), 44)
    charts = Region(0, 1, width - side - GAP, body.height)
    column = Region(charts.right + GAP, 1, side, body.height)
    below = _stack(column, {"machine": 12, "log": column.height - 12})
    return Arrangement(regions | {"charts": charts} | below, roomy)


def arrange_play(width: int, height: int, aspect: float, solo: int = 0) -> Arrangement:
    """Lays out a screen that shows nothing but the game, its scores and its policy.

    `solo` 1 is the game alone, 2 what stands beside it, 0 whatever shows most of both.
    """
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        return Arrangement({"too_small": Region(0, 0, width, height)}, roomy=False)
    roomy = width >= ROOMY_WIDTH and height >= ROOMY_HEIGHT
    regions = {
        "header": Region(0, 0, width, 1),
        "footer": Region(0, height - 1, width, 1),
    }
    body = Region(0, 1, width, height - 2)
    bare = {
        "game": Region(0, 1, width, height - 3),
        "tally": Region(0, height - 2, width, 1),
    }
    if solo:
        return Arrangement(regions | (bare if solo == 1 else _figures(body)), roomy)
    side = min(max(round(width * 0.17), 30), 40)
    game, column = body.split_vertical(width - side - GAP)
    beside = {"game": game} | _figures(Region(column.x + GAP, 1, side, body.height))
    game, strip = body.split_horizontal(body.height - (9 if roomy else 7))
    below = {"game": game} | _figures(strip)
    return Arrangement(regions | _best(bare, beside, below, aspect), roomy)


def _best(bare: Regions, beside: Regions, below: Regions, aspect: float) -> Regions:
    """A column shows more than a strip, and a strip more than nothing; the picture may suffer."""
    bare_area, beside_area, below_area = (
        picture_area(regions["game"], aspect) for regions in (bare, beside, below)
    )
    enough = ENOUGH * bare_area
    if beside_area >= max(enough, below_area / 1.2):
        return beside
    return below if below_area >= enough else bare


def _figures(area: Region) -> Regions:
    """Scores and policy, below each other in a column, else beside each other."""
    if area.width < 60:
        scores = min(13, area.height // 2)
        return _stack(area, {"scores": scores, "policy": area.height - scores})
    return _columns(area, {"scores": 1.0, "policy": 1.3})


def arrange_compare(
    width: int, height: int, curves: int, settings: int, *, alone: bool = False
) -> Arrangement:
    """Lays out a chart of some curves, their figures, and the settings in which they differ.

    `alone` is the settings without the rest.
    """
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        return Arrangement({"too_small": Region(0, 0, width, height)}, roomy=False)
    roomy = width >= ROOMY_WIDTH and height >= ROOMY_HEIGHT
    regions = {
        "header": Region(0, 0, width, 1),
        "footer": Region(0, height - 1, width, 1),
    }
    body = Region(0, 1, width, height - 2)
    if alone:
        return Arrangement(regions | {"differences": body}, roomy)
    figures = HEADING + 3 + curves if roomy else 2 + curves
    if roomy:
        below = min(max(figures, HEADING + 2 + settings), max(figures, body.height * 2 // 5))
        chart, tables = body.split_horizontal(body.height - below)
        left, right = tables.split_vertical(min(max(round(width * 0.4), 56), 76))
        right = Region(right.x + GAP, right.y, right.width - GAP, right.height)
        sides = {"figures": left, "differences": right}
        return Arrangement(regions | {"chart": chart} | sides, roomy)
    least = 11
    rest = body.height - least - figures
    wanted = min(2 + settings, rest) if rest >= 3 else 0
    heights = {"chart": body.height - figures - wanted, "figures": figures, "differences": wanted}
    stacked = _stack(body, {name: rows for name, rows in heights.items() if rows > 0})
    return Arrangement(regions | stacked, roomy)
