"""Where the panels of the home screen lie."""

from __future__ import annotations

from textual.geometry import Region

from pufftui.layout.cockpit import (
    GAP,
    LEAST_HEIGHT,
    LEAST_WIDTH,
    ROOMY_HEIGHT,
    ROOMY_WIDTH,
    Arrangement,
)


def arrange_home(width: int, height: int) -> Arrangement:
    """Environments on the left, the game beside them, runs below; what an environment is, if it fits."""
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        return Arrangement({"too_small": Region(0, 0, width, height)}, roomy=False)
    roomy = width >= ROOMY_WIDTH and height >= ROOMY_HEIGHT
    body = Region(0, 1, width, height - 2)
    runs = min(max(round(body.height * 0.3), 6), 16)
    above, recent = body.split_horizontal(body.height - runs)
    list_width = 24 if roomy else 18
    envs, rest = above.split_vertical(list_width)
    regions = {
        "header": Region(0, 0, width, 1),
        "footer": Region(0, height - 1, width, 1),
        "envs": envs,
        "recent": recent,
    }
    rest = Region(rest.x + GAP, rest.y, rest.width - GAP, rest.height)
    if roomy:
        about = min(max(round(width * 0.24), 30), 48)
        game, side = rest.split_vertical(rest.width - about)
        regions["about"] = Region(side.x + GAP, side.y, side.width - GAP, side.height)
        regions["game"] = game
    else:
        regions["game"] = rest
    return Arrangement(regions, roomy)
