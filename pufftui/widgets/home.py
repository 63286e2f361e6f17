"""The panels of the home screen: what there is to train on, what it is, and what was trained lately."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

from textual import events

from pufftui.envs.descriptor import ActionKind, Descriptor
from pufftui.format import duration, figure, fit, percent, steps
from pufftui.keys import key_name
from pufftui.plot import Line
from pufftui.runs.summary import RunSummary
from pufftui.runs.table import spark
from pufftui.theme import PuffTheme
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

SPARK = 14


class HomeHeader(Bar):
    """Who we are, in one line."""

    def lines(self, width: int, height: int) -> list[Line]:
        name = (" pufftui  ", self.look.style("policy", "raised", bold=True))
        words = "train agents, watch them learn, play along"
        return [[name, (fit(words, max(0, width - 10)), self.look.style("dim", "raised"))]]


class ListCard(Card):
    """Rows of which one is chosen; the pointer chooses, too."""

    airy = 10

    def __init__(self, look: PuffTheme, name: str, choose: Callable[[int], None]) -> None:
        super().__init__(look, name)
        self.chosen = 0
        self.focused = False
        self._choose = choose
        self._first = 0
        self._top = 0

    def entries(self) -> int:
        """How many there are."""
        raise NotImplementedError

    def entry(self, number: int, width: int, *, chosen: bool) -> Line:
        """One row."""
        raise NotImplementedError

    def content(self, width: int, height: int) -> list[Line]:
        count = self.entries()
        self.chosen = min(self.chosen, max(0, count - 1))
        last = max(0, count - height)
        self._first = min(max(self._first, self.chosen - height + 1), self.chosen, last)
        self._top = self.size.height - height
        shown = range(self._first, min(count, self._first + height))
        return [
            self.entry(number, width, chosen=self.focused and number == self.chosen)
            for number in shown
        ]

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

    def entry(self, number: int, width: int, *, chosen: bool) -> Line:
        look, here = self.look, number == self.chosen
        return [
            ("▸ " if chosen else "  ", look.style("policy", bold=True)),
            (fit(self.names[number], width - 2), look.style("text" if here else "dim", bold=here)),
        ]


class RecentCard(ListCard):
    """The last runs: how they stand, how far they came, how they learned."""

    title = "runs"

    def __init__(self, look: PuffTheme, choose: Callable[[int], None]) -> None:
        super().__init__(look, "recent", choose)
        self.runs: list[RunSummary] | None = None

    def show(self, runs: list[RunSummary]) -> None:
        self.runs = runs
        self.paint()

    def detail(self) -> str:
        return f"{len(self.runs)} of them" if self.runs else ""

    def entries(self) -> int:
        return len(self.runs or ())

    def content(self, width: int, height: int) -> list[Line]:
        if not self.runs:
            words = (
                "looking for runs" if self.runs is None else "None yet. enter trains the first one."
            )
            return self.say(words, width, height)
        return super().content(width, height)

    def entry(self, number: int, width: int, *, chosen: bool) -> Line:
        look, run = self.look, (self.runs or [])[number]
        sign, colour = STATES.get(run.state, ("·", "dim"))
        share = percent(run.step / run.total_steps if run.total_steps else None)
        age = "" if run.age is None else duration(run.age).split(" ")[0] + " ago"
        right: list[tuple[str, str]] = [(f"{figure(run.score):>7}", "policy")]
        if width >= 64:
            right.append((f"  {spark(run.curve, SPARK):<{SPARK}}", "series0"))
        if width >= 50:
            right.append((f"  {share:>5} of {steps(run.total_steps or 0):<6}", "dim"))
        right.append((f"{age:>9}", "dim"))
        room = width - 4 - sum(len(text) for text, _ in right)
        name = "text" if chosen else "dim"
        return [
            ("▸ " if chosen else "  ", look.style("policy", bold=True)),
            (f"{sign} ", look.style(colour, bold=True)),
            (fit(run.name, max(0, room)), look.style(name, bold=chosen)),
            *((text, look.style(colour)) for text, colour in right),
        ]


class AboutCard(Card):
    """What the chosen environment is."""

    title = "about"
    airy = 10

    def __init__(self, look: PuffTheme) -> None:
        super().__init__(look, "about")
        self._descriptor: Descriptor | None = None
        self._trouble = ""

    def show(self, descriptor: Descriptor | None, trouble: str) -> None:
        if (descriptor, trouble) != (self._descriptor, self._trouble):
            self._descriptor, self._trouble = descriptor, trouble
            self.title = descriptor.name if descriptor else "about"
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
            ("keys", _keys(about)),
        ]
        lines.append([])
        for name, text in facts:
            for number, line in enumerate(textwrap.wrap(text, max(10, width - 9)) or [""]):
                label = name if number == 0 else ""
                lines.append([(f"{label:<9}", look.style("dim")), (line, look.style("text"))])
        return lines[:height]


def _actions(about: Descriptor) -> str:
    if about.action_kind is ActionKind.CONTINUOUS:
        return f"{len(about.actions)} continuous"
    counts = [str(len(action.choices)) for action in about.actions]
    return " x ".join(counts) + (" choices" if len(counts) == 1 else " choices at once")


def _keys(about: Descriptor) -> str:
    hints = [
        f"{key_name(choice.keys[0])} {choice.label}"
        for action in about.actions
        for choice in action.choices
        if choice.keys
    ]
    return ", ".join(hints)
