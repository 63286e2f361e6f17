"""The panels of the home screen: what there is to train on, what it is, and what was trained lately."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from rich.style import Style
from textual import events

from pufftui.appearance.format import duration, figure, fit, progress, steps
from pufftui.appearance.line import Line
from pufftui.appearance.theme import PuffTheme
from pufftui.charts.plot import trace
from pufftui.envs.descriptor import ActionKind, Descriptor, unknown_env
from pufftui.keys.game import game_hints
from pufftui.runs.summary import BROKEN, RunSummary
from pufftui.state.rules import Rule
from pufftui.widgets.game import GameCard
from pufftui.widgets.header import badge
from pufftui.widgets.painted import Bar, Card

STATES = {
    "running": ("●", "good"),
    "starting": ("◌", "policy"),
    "paused": ("‖", "warning"),
    "finished": ("✓", "good"),
    "interrupted": ("■", "dim"),
    "failed": ("✕", "error"),
    "dead": ("✕", "error"),
    "broken": ("✕", "error"),
}
"""How the states of runs are marked."""

CURVE, WIDEST_NAME = 16, 48
"""Cells of a curve, and the most for a name."""
CURVE_FROM, STEPS_FROM = 64, 90
"""Widths from which these columns are shown."""


class HomeHeader(Bar):
    """Who we are, in one line."""

    def lines(self, width: int, height: int) -> list[Line]:
        name = (" pufftui  ", self.look.style("policy", "raised", bold=True))
        words = "train agents, watch them learn, play along"
        return [[*badge(self.look), name, (words, self.look.style("dim", "raised"))]]


class ListCard(Card):
    """Rows of which one is chosen; the pointer chooses, too."""

    airy = 10

    def __init__(self, look: PuffTheme, name: str, choose: Callable[[int], None]) -> None:
        super().__init__(look, name)
        self.chosen = 0
        self.active = False
        """Whether the keys are about this list."""
        self._choose = choose
        self._first = self._top = 0

    def entries(self) -> int:
        """How many there are."""
        raise NotImplementedError

    def entry(self, number: int, width: int) -> Line:
        """One row."""
        raise NotImplementedError

    def point(self, chosen: int, *, active: bool) -> None:
        """Marks an entry."""
        self.chosen, self.active = chosen, active
        self.paint()

    def content(self, width: int, height: int) -> list[Line]:
        last = max(0, self.entries() - height)
        self._first = min(max(self._first, self.chosen - height + 1), self.chosen, last)
        self._top = self.size.height - height
        shown = range(self._first, min(self.entries(), self._first + height))
        return [[self._mark(number), *self.entry(number, width - 2)] for number in shown]

    def _mark(self, number: int) -> tuple[str, Style]:
        here = self.active and number == self.chosen
        return ("▸ " if here else "  ", self.look.style("policy", bold=True))

    def on_click(self, event: events.Click) -> None:
        number = self._first + event.y - self._top
        if event.y >= self._top and 0 <= number < self.entries():
            self._choose(number)


class EnvsCard(ListCard):
    """The environments."""

    title = "environments"

    def __init__(self, look: PuffTheme, names: list[str], choose: Callable[[int], None]) -> None:
        super().__init__(look, "envs", choose)
        self.names = names

    def entries(self) -> int:
        return len(self.names)

    def entry(self, number: int, width: int) -> Line:
        here = number == self.chosen
        style = self.look.style("text" if here else "dim", bold=here)
        return [(fit(self.names[number], width), style)]


class RecentCard(ListCard):
    """The last runs: how they stand, how far they came, how they learned."""

    title = "runs"

    def __init__(self, look: PuffTheme, choose: Callable[[int], None]) -> None:
        super().__init__(look, "recent", choose)
        self._runs: list[RunSummary] | None = None

    def show(self, runs: list[RunSummary] | None, chosen: int, *, active: bool) -> None:
        """None are runs that are still looked for."""
        self._runs = runs
        self.point(chosen, active=active)

    def entries(self) -> int:
        return len(self._runs or ())

    def content(self, width: int, height: int) -> list[Line]:
        if not self._runs:
            none = "None yet. enter trains the first one."
            return self.say(none if self._runs is not None else "looking for runs", width, height)
        return super().content(width, height)

    def entry(self, number: int, width: int) -> Line:
        look, run = self.look, (self._runs or [])[number]
        sign, colour = STATES.get(run.state, ("·", "dim"))
        here = self.active and number == self.chosen
        columns = self._columns(run, width - 2)
        used = 2 + sum(len(text) for text, _ in columns)
        name = min(max(0, width - used), WIDEST_NAME)
        rest = "  ".join([*run.tags, *run.notes[-1:]]) if run.state != BROKEN else run.trouble
        return [
            (f"{sign} ", look.style(colour, bold=True)),
            (fit(run.name, name), look.style("text" if here else "dim", bold=here)),
            *columns,
            (fit(f"   {rest}", max(0, width - used - name)), look.style("dim")),
        ]

    def _columns(self, run: RunSummary, width: int) -> Line:
        """What stands behind a run's name, as far as there is room; a broken run has nothing to tell."""
        look = self.look
        if run.state == BROKEN:
            return []
        age = "" if run.age is None else f"{duration(run.age).split()[0]} ago"
        share = progress(run.step, run.total_steps) if run.total_steps else ""
        columns: Line = [(f"{figure(run.score):>9}", look.style("policy"))]
        if width >= CURVE_FROM:
            columns += [("  ", look.style("dim")), self._curve(run.curve)]
        if width >= STEPS_FROM:
            columns.append((f"  {steps(run.step):>6} steps", look.style("dim")))
        columns.append((f"  {share:>5}", look.style("dim")))
        return [*columns, (f"{age:>9}", look.style("dim"))]

    def _curve(self, values: NDArray[np.float32]) -> tuple[str, Style]:
        """The score in one row of dots."""
        style = self.look.style("series0")
        known = values[~np.isnan(values)]
        if not len(known):
            return (" " * CURVE, style)
        places = np.linspace(0, len(known) - 1, CURVE * 2)
        dots = np.interp(places, np.arange(len(known)), known)
        low, high = float(dots.min()), float(dots.max())
        ((cell,),) = trace(dots, low, high if high > low else low + 1, 1, style)
        return cell


class PreviewCard(GameCard):
    """The game of what is chosen, and who plays it."""

    def __init__(self, look: PuffTheme) -> None:
        super().__init__(look, unknown_env("preview"))
        self._player = ""

    def begin(self, descriptor: Descriptor | None, player: str, trouble: str) -> None:
        """Shows another game from its next frame on; or why there is none."""
        self._descriptor = descriptor or unknown_env("preview")
        self._player, self.frame = player, None
        self.absent = trouble or GameCard.absent
        self.paint()

    def head(self, inner: int) -> list[Line]:
        self.title = self._descriptor.name
        return Card.head(self, inner)

    def detail(self) -> str:
        return self._player


class AboutCard(Card):
    """What the chosen environment is, and its rules as far as there is room."""

    title = "about"
    airy = 10

    def __init__(self, look: PuffTheme) -> None:
        super().__init__(look, "about")
        self._descriptor: Descriptor | None = None
        self._rules: tuple[Rule, ...] = ()
        self._trouble = ""

    def show(self, descriptor: Descriptor | None, rules: tuple[Rule, ...], trouble: str) -> None:
        if (descriptor, trouble) != (self._descriptor, self._trouble):
            self._descriptor, self._rules, self._trouble = descriptor, rules, trouble
            self.paint()

    def content(self, width: int, height: int) -> list[Line]:
        look, about = self.look, self._descriptor
        if about is None:
            return self.say(self._trouble or "one moment", width, height)
        lines: list[Line] = [
            [(line, look.style("text"))] for line in textwrap.wrap(about.summary, width)
        ]
        facts = [
            ("agents", f"{about.agents} in each game" if about.agents > 1 else "one in each game"),
            ("score", f"{figure(about.score_low)} to {figure(about.score_high)}"),
            ("actions", _actions(about)),
            ("keys", ", ".join(map(" ".join, game_hints(about)))),
            ("shell", f"pufftui train {about.name}"),
        ]
        lines.append([])
        for name, text in facts:
            for number, line in enumerate(textwrap.wrap(text, max(10, width - 9)) or [""]):
                label = name if number == 0 else ""
                lines.append([(f"{label:<9}", look.style("dim")), (line, look.style("text"))])
        for rule in self._rules:
            told = self._told(rule, width)
            if len(lines) + 1 + len(told) > height:
                break
            lines += [[], *told]
        return lines[:height]

    def _told(self, rule: Rule, width: int) -> list[Line]:
        """A paragraph of the rules; what it begins with stands out."""
        look, lead = self.look, self.look.words(rule.lead)
        words = f"{lead} {look.words(rule.text)}".strip()
        first, *others = textwrap.wrap(words, width) or [""]
        bold, rest = first[: len(lead)], first[len(lead) :]
        lines: list[Line] = [[(bold, look.style("text")), (rest, look.style("dim"))]]
        return lines + [[(line, look.style("dim"))] for line in others]


def _actions(about: Descriptor) -> str:
    if about.action_kind is ActionKind.CONTINUOUS:
        return f"{len(about.actions)} continuous"
    counts = [str(len(action.choices)) for action in about.actions]
    return " x ".join(counts) + (" choices" if len(counts) == 1 else " choices at once")
