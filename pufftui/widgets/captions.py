"""The lines above two games that are played side by side: by whom, and how well."""

from __future__ import annotations

from pufftui.appearance.format import figure, steps
from pufftui.appearance.line import Line
from pufftui.appearance.theme import PuffTheme
from pufftui.terminal.pictures import Places
from pufftui.trainer.messages.frame import ArenaFrame, RivalFrame


def captions(frame: ArenaFrame, rival: RivalFrame, places: Places, look: PuffTheme) -> list[Line]:
    """A line for each picture, as wide as it; the second names the rival."""
    mine = ("you play", "human") if frame.human else (_policy("newest", frame), "policy")
    facts = _your_facts(frame) if frame.human else _facts(frame)
    first, second = (region.width for region in places.pictures)
    return [
        _caption(*mine, facts, first, look),
        _caption(_policy(rival.name, rival), "series1", _facts(rival), second, look),
    ]


def _policy(word: str, game: ArenaFrame | RivalFrame) -> str:
    return word if game.policy_step is None else f"{word}, {steps(game.policy_step)}"


def _facts(game: ArenaFrame | RivalFrame) -> str:
    now = f"return {figure(game.episode_return)}"
    if game.mean_score is None:
        return now
    return f"mean {figure(game.mean_score)} of {game.scored}  {now}"


def _your_facts(frame: ArenaFrame) -> str:
    now = f"return {figure(frame.episode_return)}"
    if frame.best_human_score is None:
        return now
    return f"best {figure(frame.best_human_score)}  {now}"


def _caption(who: str, colour: str, facts: str, width: int, look: PuffTheme) -> Line:
    name = who[:width]
    rest = f"  {facts}"[: width - len(name)].ljust(width - len(name))
    return [(name, look.style(colour, bold=True)), (rest, look.style("text"))]
