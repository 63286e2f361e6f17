"""Where the panels lie on a screen for an audience: few of them, and each as large as it can be."""

from __future__ import annotations

import math

from textual.geometry import Region

from pufftui.layout.cockpit import (
    GAP,
    HEADING,
    LEAST_HEIGHT,
    LEAST_WIDTH,
    ROOMY_HEIGHT,
    ROOMY_WIDTH,
    Arrangement,
    Regions,
)

FIGURES = 0.24
"""Share of the width that the figures take at least."""

LEAST_CURVE = 5
"""Rows below which a curve says nothing; its title alone would be an empty row."""

UPRIGHT = 1.6
"""Columns to a row below which a screen is higher than wide."""


def arrange_stream(width: int, height: int, aspect: float) -> Arrangement:
    """Lays out game, score, curve, speed and news for a game of that aspect (width / height)."""
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        return Arrangement({"too_small": Region(0, 0, width, height)}, roomy=False)
    roomy = width >= ROOMY_WIDTH and height >= ROOMY_HEIGHT
    body = Region(0, 1, width, height - 2)
    regions = {
        "header": Region(0, 0, width, 1),
        "footer": Region(0, height - 1, width, 1),
    }
    heading = HEADING if roomy else 1
    place = _stacked if width < UPRIGHT * height else _beside
    return Arrangement(regions | place(body, aspect, heading), roomy)


def _beside(body: Region, aspect: float, heading: int) -> Regions:
    """The game at the left, figures at the right, news below both."""
    column = max(round(body.width * FIGURES), 30)
    picture = math.ceil((body.width - column - GAP - 2) / aspect / 2) + heading
    news = _news(body, picture)
    rows = body.height - news
    # What a high game leaves at its sides is better used by the figures.
    wide = min(body.width - column - GAP, math.ceil((rows - heading) * 2 * aspect) + 2)
    game = Region(body.x, body.y, wide, rows)
    side = Region(game.right + GAP, body.y, body.width - wide - GAP, rows)
    score = _share(rows, 0.36, 4 + heading)
    speed = _share(rows, 0.3, 4 + heading)
    curve = rows - score - speed
    if curve < LEAST_CURVE + heading - 1:
        score, curve = rows - speed, 0
    between = Region(side.x, side.y + score, side.width, curve)
    return ({"big_curve": between} if curve else {}) | {
        "game": game,
        "big_score": Region(side.x, side.y, side.width, score),
        "big_speed": Region(side.x, side.bottom - speed, side.width, speed),
        "news": Region(body.x, body.bottom - news, body.width, news),
    }


def _stacked(body: Region, aspect: float, heading: int) -> Regions:
    """Figures above the game, the curve and the news below it."""
    figures = _share(body.height, 0.16, 4 + heading)
    picture = math.ceil((body.width - 2) / aspect / 2) + heading
    curve = _share(body.height, 0.2, 5)
    news = _news(body, picture + figures + curve)
    half = (body.width - GAP) // 2
    game = body.height - figures - curve - news
    y = body.y + figures
    return {
        "big_score": Region(body.x, body.y, half, figures),
        "big_speed": Region(half + GAP, body.y, body.width - half - GAP, figures),
        "game": Region(body.x, y, body.width, game),
        "big_curve": Region(body.x, y + game, body.width, curve),
        "news": Region(body.x, body.bottom - news, body.width, news),
    }


def _news(body: Region, taken: int) -> int:
    """Rows for the news: what the game leaves, within limits."""
    least, most = (3, 4) if body.height < 20 else (3, 5) if body.height < 28 else (5, 7)
    return min(max(body.height - taken, least), most)


def _share(rows: int, share: float, least: int) -> int:
    return max(round(rows * share), least)
