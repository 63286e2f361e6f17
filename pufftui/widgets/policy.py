"""What the policy thinks: how likely it finds each action, what it expects, what it has earned."""

from __future__ import annotations

import textwrap
from collections import deque

import numpy as np

from pufftui.appearance.format import NOTHING, cut, figure
from pufftui.appearance.glyphs import thick_bar, thin_bar
from pufftui.appearance.line import Line
from pufftui.appearance.theme import PuffTheme
from pufftui.charts.plot import profile
from pufftui.envs.descriptor import ActionKind, Descriptor
from pufftui.state.opponent import Opponent
from pufftui.state.tally import Tally
from pufftui.trainer.messages.frame import ArenaFrame
from pufftui.widgets.painted import Card

FACTS_WIDTH, NARROW_FACTS = 22, 20
WIDEST_BAR, LEAST_BAR = 56, 3
WIDEST_LABEL = 18
HIGHEST_CURVE = 14
FIGURE = 7
BESIDE_BAR = 9
"""Cells of a choice besides its label and its bar: what marks it, a space, its probability."""

REMEMBERED = 400
"""Values kept for the curve of what the policy expects."""


class PolicyCard(Card):
    """Probabilities of the watched agent's actions beside the figures of its episode.

    The scores of person and policy come from a tally; without one only the value is shown.
    """

    title = "policy"
    silent = "none yet: random moves"
    """What is said while no policy has been asked."""

    def __init__(self, look: PuffTheme, descriptor: Descriptor, tally: Tally | None = None) -> None:
        super().__init__(look, "policy")
        self._descriptor = descriptor
        labels = [len(choice.label) for one in descriptor.actions for choice in one.choices]
        self._widest = min(max(labels, default=0), WIDEST_LABEL)
        self._tally = tally
        self._values: deque[float] = deque(maxlen=REMEMBERED)
        self.frame: ArenaFrame | None = None

    def show(self, frame: ArenaFrame) -> None:
        if self.frame is not None and self.frame.agent != frame.agent:
            self._values.clear()
        self.frame = frame
        if frame.value is not None and not frame.paused:
            self._values.append(frame.value)
        self.paint()

    def detail(self) -> str:
        if self.frame is None or not self.frame.probabilities:
            return self.silent
        return "what it would do" if self.frame.human else "what it thinks"

    def content(self, width: int, height: int) -> list[Line]:
        frame = self.frame
        if frame is None:
            return self.say("no game yet", width, height)
        # Facts come closer before the name of an action is cut.
        close = width - FACTS_WIDTH - 3 < self._widest + LEAST_BAR + BESIDE_BAR
        facts = self._facts(frame, NARROW_FACTS if close else FACTS_WIDTH)
        if width >= 44:
            left = width - (NARROW_FACTS if close else FACTS_WIDTH)
            lines = _beside(self._bars(frame, left - (2 if close else 3), height), left, facts)
        else:
            bars = self._bars(frame, width, max(2, height - len(facts) - 1))
            room = height - len(bars) - len(facts)
            lines = [*bars, *([[]] * (room > 0)), *facts]
        return lines + self._expectation(width, height - len(lines))

    def _expectation(self, width: int, rows: int) -> list[Line]:
        """The values of the last moments as a curve, where there is room for one."""
        if rows < 4 or len(self._values) < 2:
            return []
        look = self.look
        values = np.full(2 * width, np.nan)
        recent = list(self._values)[-2 * width :]
        values[2 * width - len(recent) :] = recent
        low, high = min(recent), max(recent)
        margin = max(high - low, 0.05 * max(abs(high), abs(low), 0.1)) * 0.1
        height = min(rows - 2, HIGHEST_CURVE)
        curve = profile(look, values, "series1", height, low - margin, high + margin)
        label = f"expected return, {low:+.2f} to {high:+.2f}"
        return [[], [(label[:width], look.style("dim"))], *curve]

    def _facts(self, frame: ArenaFrame, width: int) -> list[Line]:
        look = self.look
        value = NOTHING if frame.value is None else f"{frame.value:+.2f}"
        rows = [("value", value, "text")]
        tally = self._tally
        if tally is not None:
            others = "last score" if frame.policy_step is None else "policy's last"
            rows += [
                ("return", figure(frame.episode_return), "text"),
                ("length", figure(frame.episode_length), "text"),
                (others, figure(tally.others), "policy"),
            ]
            if frame.human or tally.yours is not None:
                rows.append(("your last", figure(tally.yours), "human"))
                rows.append(("your best", figure(tally.best), "human"))
        return [
            [
                (label.ljust(width - FIGURE), look.style("dim")),
                (text.rjust(FIGURE), look.style(colour, bold=colour != "text")),
            ]
            for label, text, colour in rows
        ]

    def _bars(self, frame: ArenaFrame, width: int, rows: int) -> list[Line]:
        descriptor = self._descriptor
        if descriptor.action_kind is ActionKind.CONTINUOUS:
            return [self._control(frame, i, width) for i in range(len(descriptor.actions))][:rows]
        choices = [
            (component, index)
            for component, action in enumerate(descriptor.actions)
            for index in range(len(action.choices))
        ]
        if len(choices) > rows:
            # The likeliest ones, in the order of the game's own table.
            choices = sorted(sorted(choices, key=lambda at: -_probability(frame, *at))[:rows])
        # Where there is room, a free line between two bars.
        airy = 2 * len(choices) - 1 <= rows and len(choices) <= 4
        lines: list[Line] = []
        for component, index in choices:
            if airy and lines:
                lines.append([])
            lines.append(self._bar(frame, component, index, width, airy=airy))
        return lines

    def _bar(
        self, frame: ArenaFrame, component: int, index: int, width: int, *, airy: bool
    ) -> Line:
        look, actions = self.look, self._descriptor.actions
        widest = max(4, min(self._widest, width - LEAST_BAR - BESIDE_BAR))
        label = cut(actions[component].choices[index].label, widest).ljust(widest + 1)
        taken = component < len(frame.action) and int(frame.action[component]) == index
        who = "human" if frame.human else "policy"
        words = look.style("text" if taken else "dim", bold=taken)
        share = _probability(frame, component, index)
        cells = max(LEAST_BAR, min(width - widest - BESIDE_BAR, WIDEST_BAR))
        shade = "policy" if taken else look.mix("policy", "track", 0.55)
        if airy:
            bar: Line = [(thick_bar(share, cells), look.style(shade, "track"))]
        else:
            full, empty = thin_bar(share, cells)
            bar = [(full, look.style(shade)), (empty, look.style("track"))]
        return [
            ("▸ " if taken else "  ", look.style(who, bold=True)),
            (label, words),
            *bar,
            (f"  {share:.2f}", words),
        ]

    def _control(self, frame: ArenaFrame, component: int, width: int) -> Line:
        """A continuous component: where in [-1, 1] it stands."""
        look = self.look
        label = self._descriptor.actions[component].name[:WIDEST_LABEL].ljust(WIDEST_LABEL + 1)
        value = frame.action[component] if component < len(frame.action) else 0.0
        bar = max(5, min(width - len(label) - 8, WIDEST_BAR))
        at = round((min(max(value, -1.0), 1.0) + 1) / 2 * (bar - 1))
        return [
            (label, look.style("dim")),
            ("━" * at, look.style("track")),
            ("●", look.style("human" if frame.human else "policy", bold=True)),
            ("━" * (bar - at - 1), look.style("track")),
            (f"  {value:+.2f}", look.style("text")),
        ]


class NoPolicyCard(PolicyCard):
    """One sentence on who plays instead, and the command that makes a policy."""

    def __init__(self, look: PuffTheme, descriptor: Descriptor, opponent: Opponent) -> None:
        super().__init__(look, descriptor)
        self._opponent = opponent

    def detail(self) -> str:
        return "none"

    def content(self, width: int, height: int) -> list[Line]:
        words = textwrap.wrap(self.look.words(self._opponent.explanation), width)
        lines: list[Line] = [[(line, self.look.style("dim"))] for line in words]
        return [*lines, [(self._opponent.remedy, self.look.style("policy"))]]


def _probability(frame: ArenaFrame, component: int, index: int) -> float:
    if component < len(frame.probabilities) and index < len(frame.probabilities[component]):
        return float(frame.probabilities[component][index])
    return 0.0


def _beside(left: list[Line], width: int, right: list[Line]) -> list[Line]:
    """Two blocks of lines, the left one `width` cells wide."""
    lines: list[Line] = []
    for row in range(max(len(left), len(right))):
        line = left[row] if row < len(left) else []
        used = sum(len(text) for text, _ in line)
        lines.append(line)
        if row < len(right):
            lines[-1] = [*line, (" " * (width - used), right[row][0][1]), *right[row]]
    return lines
