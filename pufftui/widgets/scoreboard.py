"""How the game stands: this one, the last ones and the best, of the person and of the policy."""

from __future__ import annotations

from dataclasses import dataclass

from pufftui.appearance.format import NOTHING, figure
from pufftui.appearance.line import Line
from pufftui.appearance.theme import PuffTheme
from pufftui.state.session import PlaySession
from pufftui.widgets.painted import Bar, Card

WIDEST = 34
VALUE = 7


@dataclass(frozen=True, slots=True)
class Fact:
    """A figure: what it is called where there is room and where there is little, and its colour."""

    label: str
    short: str
    text: str
    colour: str


def facts(session: PlaySession) -> list[Fact]:
    """The scores, the most important ones first."""
    tally, opponent = session.tally, session.opponent
    found = [
        Fact("your last", "you", figure(tally.yours), "human"),
        Fact("your best", "best", figure(tally.best), "human"),
    ]
    if not opponent.absent:
        others = ("random moves", "random") if opponent.explanation else ("policy's last", "policy")
        found.append(Fact(*others, figure(tally.others), "policy"))
    if opponent.training_score is not None:
        mean = figure(opponent.training_score)
        found.append(Fact("its mean in training", "mean", mean, "policy"))
    return found


class Scoreboard(Card):
    """The game in hand in large figures, the scores of finished ones below or beside it."""

    title = "this game"
    airy = 13

    def __init__(self, look: PuffTheme, session: PlaySession) -> None:
        super().__init__(look, "scores")
        self._session = session

    def detail(self) -> str:
        frame = self._session.tally.frame
        return f"step {figure(frame.episode_length)}" if frame else ""

    def content(self, width: int, height: int) -> list[Line]:
        scores = facts(self._session)
        if width >= 44:
            return self._beside(scores, width)
        rows = [self._row(fact, min(width, WIDEST)) for fact in scores]
        head = self._large() if height >= len(rows) + 5 else [self._now(min(width, WIDEST))]
        return [*head, [], *rows]

    def _beside(self, scores: list[Fact], width: int) -> list[Line]:
        left = self._large()
        side = max(20, *(_cells(line) + 4 for line in left))
        rows = [self._row(fact, min(width - side, WIDEST)) for fact in scores]
        lines: list[Line] = []
        for number in range(max(len(left), len(rows))):
            line = left[number] if number < len(left) else []
            gap = (" " * (side - _cells(line)), self.look.style("dim"))
            lines.append([*line, gap, *rows[number]] if number < len(rows) else line)
        return lines

    def _large(self) -> list[Line]:
        frame, look = self._session.tally.frame, self.look
        colour = look.style(self._colour(), bold=True) if frame else look.style("dim")
        digits = look.glyphs.large(figure(frame.episode_return if frame else None))
        return [*([(row, colour)] for row in digits), [("return so far", look.style("dim"))]]

    def _now(self, width: int) -> Line:
        frame = self._session.tally.frame
        now = figure(frame.episode_return if frame else None)
        return self._row(Fact("return so far", "return", now, self._colour()), width)

    def _row(self, fact: Fact, width: int) -> Line:
        return [
            (fact.label.ljust(width - VALUE), self.look.style("dim")),
            (fact.text.rjust(VALUE), self.look.style(fact.colour, bold=True)),
        ]

    def _colour(self) -> str:
        frame = self._session.tally.frame
        return "human" if frame is not None and frame.human else "policy"


class TallyLine(Bar):
    """The same in one line, for terminals whose room the game needs."""

    ground = "surface"

    def __init__(self, look: PuffTheme, session: PlaySession) -> None:
        super().__init__(look, "tally")
        self._session = session

    def lines(self, width: int, height: int) -> list[Line]:
        frame, look = self._session.tally.frame, self.look
        now = figure(frame.episode_return) if frame else NOTHING
        shown = [Fact("return so far", "return", now, "text"), *facts(self._session)]
        if frame is not None and frame.value is not None:
            shown.append(Fact("value", "value", f"{frame.value:+.2f}", "text"))
        line: Line = [(" ", look.style("dim"))]
        for fact in shown:
            entry: Line = [
                (f"{fact.short} ", look.style("dim")),
                (f"{fact.text:<6} ", look.style(fact.colour, bold=True)),
            ]
            if _cells(line) + _cells(entry) > width:
                break
            line += entry
        return [line]


def _cells(line: Line) -> int:
    return sum(len(text) for text, _ in line)
