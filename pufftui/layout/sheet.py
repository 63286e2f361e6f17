"""Where the sheet beside a game lies, in any arrangement of the other panels."""

from __future__ import annotations

from textual.geometry import Region

from pufftui.layout.cockpit import GAP, Arrangement, Regions

SHARE = 0.3
"""Of what there is for game and sheet, what the sheet gets within its limits."""

LEAST, MOST = 28, 44
"""Columns of a sheet."""

LEAST_GAME = 44
"""Columns that it leaves the game."""

LEAST_SCORES = 12
"""Rows that are worth while for scores below a sheet."""

ENOUGH = 40
"""Rows beyond which a sheet has little to show."""


def with_sheet(arrangement: Arrangement, solo: int = 0) -> Arrangement:
    """The same with a sheet beside the game, or in the policy's place where the game is narrow.

    `solo` is the panel that is shown alone; the sheet belongs to the game.
    """
    game = arrangement.regions.get("game")
    if game is None:
        return arrangement
    regions: Regions = dict(arrangement.regions)
    scores = regions.get("scores")
    if scores is not None and scores.x >= game.right and not solo:
        # The figures of a game that is played make room in their column.
        column = scores.union(regions.pop("policy", scores))
        wide = min(max(column.width, LEAST), MOST)
        column = Region(column.right - wide, column.y, wide, column.height)
        below = column.height - ENOUGH
        below = below if below >= LEAST_SCORES else 0
        regions["game"] = Region(game.x, game.y, column.x - GAP - game.x, game.height)
        regions["sheet"] = Region(column.x, column.y, wide, column.height - below)
        regions.pop("scores")
        if below:
            regions["scores"] = Region(column.x, column.bottom - below, wide, below)
    elif game.width >= LEAST_GAME + GAP + LEAST:
        wide = min(max(round(game.width * SHARE), LEAST), MOST)
        regions["game"] = Region(game.x, game.y, game.width - wide - GAP, game.height)
        regions["sheet"] = Region(game.right - wide, game.y, wide, game.height)
    elif "policy" in regions:
        regions["sheet"] = regions.pop("policy")
    return Arrangement(regions, arrangement.roomy)
