"""The lines above two games that are played side by side: by whom, and how well."""

from __future__ import annotations

from pufftui.format import figure, steps
from pufftui.pictures import Places
from pufftui.plot import Line
from pufftui.theme import PuffTheme
from pufftui.trainer.frame import ArenaFrame, RivalFrame


def captions(frame: ArenaFrame, rival: RivalFrame, places: Places, look: PuffTheme) -> list[Line]:
    """A line for each picture, as wide as it; the second names the rival."""
    mine = "you play" if frame.human else f"newest, {steps(frame.policy_step or 0)}"
    theirs = f"best, {steps(rival.policy_step)}"
    first, second = (region.width for region in places.pictures)
    return [
        _caption(mine, "human" if frame.human else "policy", _facts(frame), first, look),
        _caption(theirs, "series1", _facts(rival), second, look),
    ]


def _facts(game: ArenaFrame | RivalFrame) -> str:
    now = f"return {figure(game.episode_return)}"
    if game.mean_score is None:
        return now
    return f"mean {figure(game.mean_score)} of {game.scored}  {now}"


def _caption(who: str, colour: str, facts: str, width: int, look: PuffTheme) -> Line:
    name = who[:width]
    rest = f"  {facts}"[: width - len(name)].ljust(width - len(name))
    return [(name, look.style(colour, bold=True)), (rest, look.style("text"))]
