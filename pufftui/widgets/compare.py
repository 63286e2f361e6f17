"""The panels that compare runs: their curves, their figures, the settings in which they differ."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from pufftui.appearance.format import NOTHING, figure, fit, setting
from pufftui.appearance.line import Line
from pufftui.appearance.theme import PuffTheme
from pufftui.charts.explain import label
from pufftui.charts.overlay import Overlaid, overlay
from pufftui.runs.comparison import Comparison, Grouping
from pufftui.runs.groups import Group, differences
from pufftui.runs.selection import evaluated_words, selection_caution
from pufftui.series.axis import Axis
from pufftui.series.stored import MORE_IS_BETTER, Curve
from pufftui.widgets.curves import LEAST_CHART
from pufftui.widgets.header import badge
from pufftui.widgets.painted import Bar, Card

MARK = "━━ "
GAP = "  "


@dataclass(slots=True, eq=False)
class View:
    """What is compared, and which part of it is looked at; owned by the screen."""

    comparison: Comparison
    metric: str
    grouping: Grouping
    axis: Axis = Axis.STEPS
    trouble: str = ""

    @property
    def groups(self) -> list[Group]:
        """The runs as curves."""
        return self.comparison.groups(self.grouping)

    def curve(self, group: Group) -> Curve:
        """The curve of a group as it is looked at."""
        return self.comparison.curve(group, self.metric, self.axis)


def metric_words(metric: str) -> str:
    """A metric as people call it."""
    return label(metric)


class CompareHeader(Bar):
    """What is compared with what."""

    def __init__(self, look: PuffTheme, view: View) -> None:
        super().__init__(look, "header")
        self.view = view

    def lines(self, width: int, height: int) -> list[Line]:
        view, look = self.view, self.look
        bold, dim = look.style("policy", "raised", bold=True), look.style("dim", "raised")
        runs, curves = len(view.comparison.runs), len(view.groups)
        count = (
            f"{runs} run{'s' * (runs > 1)}"
            if runs == curves
            else f"{runs} runs, {view.grouping.value}"
        )
        envs = ", ".join(name for name in view.comparison.envs if name)
        left: Line = [
            *badge(look),
            (" compare  ", bold),
            (envs, look.style("text", "raised", bold=True)),
            (f" · {count}", dim),
        ]
        right = view.trouble or ("live " if view.comparison.live else "")
        room = width - sum(len(text) for text, _ in left) - 2
        colour = look.style("warning" if view.trouble else "good", "raised")
        return [
            [
                *left,
                (fit(look.words(right), max(0, room)).strip().rjust(max(0, room)) + "  ", colour),
            ]
        ]


class OverlayCard(Card):
    """All curves in one chart."""

    airy = 14

    def __init__(self, look: PuffTheme, view: View) -> None:
        super().__init__(look, "chart")
        self.view = view

    @property
    def title(self) -> str:  # type: ignore[override]
        return metric_words(self.view.metric)

    def detail(self) -> str:
        bands = any(self.view.curve(group).band for group in self.view.groups)
        several = "interquartile mean with its 95 % band, " if bands else ""
        metrics = self.view.comparison.metrics
        at = metrics.index(self.view.metric) + 1 if self.view.metric in metrics else 0
        return f"{several}{at} of {len(metrics)}"

    def content(self, width: int, height: int) -> list[Line]:
        view = self.view
        curves = [(group, view.curve(group)) for group in view.groups]
        if all(curve.series.empty for _, curve in curves):
            several = any(len(group.runs) > 1 for group in view.groups)
            shared = " that all runs of a group share" if several else ""
            return self.say(f"no such figures{shared} yet", width, height)
        if height < LEAST_CHART:
            return []
        shown = [
            Overlaid(curve.series, view.comparison.colour(group), curve.band)
            for group, curve in curves
        ]
        return overlay(self.look, shown, width, height, axis=view.axis)


class FiguresCard(Card):
    """A row per curve: its colour, whose it is, how far it got, and how well."""

    title = "figures"
    airy = 1000

    def __init__(self, look: PuffTheme, view: View) -> None:
        super().__init__(look, "figures")
        self.view = view

    def content(self, width: int, height: int) -> list[Line]:
        look, view = self.look, self.view
        up = view.metric in MORE_IS_BETTER
        titles: tuple[str, ...] = ("n", "at", "last", "best" if up else "range", "95 %")
        rows = [(group, self._cells(group, up)) for group in view.groups]
        if view.metric == "score" and any(run.evaluated for g in view.groups for run in g.runs):
            titles = (*titles, "evaluated")
            rows = [(group, (*cells, evaluated_words(group.runs))) for group, cells in rows]
        if not any(cells[4] for _, cells in rows):
            titles = titles[:4] + titles[5:]
            rows = [(group, cells[:4] + cells[5:]) for group, cells in rows]
        if all(cells[0] == "1" for _, cells in rows):
            titles, rows = titles[1:], [(group, cells[1:]) for group, cells in rows]
        widths = [
            max(len(title), *(len(cells[at]) for _, cells in rows))
            for at, title in enumerate(titles)
        ]
        longest = max(len(_whose(group)) for group, _ in rows)
        room = min(longest, max(8, width - len(MARK) - sum(widths) - len(GAP) * len(widths)))
        lines: list[Line] = [
            [(" " * (len(MARK) + room) + _right(titles, widths), look.style("dim"))]
        ]
        for group, cells in rows:
            colour = view.comparison.colour(group)
            lines.append(
                [
                    (MARK, look.style(colour, bold=True)),
                    (fit(look.words(_whose(group)), room), look.style("text")),
                    (_right(cells, widths), look.style("text")),
                ]
            )
        return [*lines, *self._cautions(width)][:height]

    def _cells(self, group: Group, up: bool) -> tuple[str, ...]:
        curve = self.view.curve(group)
        at = NOTHING if curve.last is None else self.view.axis.place(curve.end)
        spread = f"{figure(curve.low)} to {figure(curve.high)}"
        interval = curve.interval
        return (
            str(len(group.runs)),
            at,
            figure(curve.last),
            figure(curve.best) if up else NOTHING if curve.last is None else spread,
            f"{figure(interval[0])} to {figure(interval[1])}" if interval else "",
        )

    def _cautions(self, width: int) -> list[Line]:
        view = self.view
        several = [group for group in view.groups if len(group.runs) > 1]
        texts = [group.caution for group in several if group.caution != f"n={len(group.runs)}"]
        texts += [
            f"{group.name}: there is no stretch of {view.axis.value} that all of its runs have"
            for group in several
            if view.curve(group).last is None
        ]
        texts.append(selection_caution(view.groups, view.metric))
        style = self.look.style("warning")
        return [
            [(line, style)]
            for text in dict.fromkeys(texts)
            for line in textwrap.wrap(self.look.words(text), width)
        ]


class DifferencesCard(Card):
    """The settings in which the curves differ; those all share are left out."""

    title = "settings that differ"
    airy = 1000

    def __init__(self, look: PuffTheme, view: View) -> None:
        super().__init__(look, "differences")
        self.view = view
        self.top = 0

    def detail(self) -> str:
        count = len(differences(self.view.groups))
        return f"from {self.top + 1} of {count}" if self.top else ""

    def scroll(self, by: int) -> None:
        """Moves the rows; as far as there are any."""
        last = len(differences(self.view.groups)) - 1
        self.top = min(max(self.top + by, 0), max(last, 0))
        self.paint()

    def content(self, width: int, height: int) -> list[Line]:
        look, groups = self.look, self.view.groups
        if len(groups) == 1:
            return self.say("one curve: nothing to compare it with", width, height)
        found = differences(groups)
        if not found:
            return self.say("none: they have the same settings", width, height)
        label = min(max(map(len, found)), max(14, width // 3))
        share = (width - label) // len(groups)
        gap = GAP if share >= 8 else " "
        room = max(1, share - len(gap))
        heads = [look.words(group.name) for group in groups]
        values = {
            path: [look.words(setting(value)) for value in row] for path, row in found.items()
        }
        longest = max(len(text) for row in [heads, *values.values()] for text in row)
        room = min(room, longest)
        head: Line = [(" " * label, look.style("dim"))]
        for group, name in zip(groups, heads, strict=True):
            colour = look.style(self.view.comparison.colour(group))
            head += [(gap, colour), (_end(name, room).rjust(room), colour)]
        lines: list[Line] = [head]
        for path, row in list(values.items())[self.top :]:
            line: Line = [(fit(path, label), look.style("dim"))]
            for text in row:
                cell = fit(text, room).rstrip().rjust(room)
                line.append((gap + cell, look.style("faint" if text == NOTHING else "text")))
            lines.append(line)
        return lines[:height]


def _whose(group: Group) -> str:
    """What the curve is called; a run that is not through says so."""
    state = group.runs[0].state
    return group.name if len(group.runs) > 1 or state == "finished" else f"{group.name} ({state})"


def _right(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "".join(GAP + cell.rjust(width) for cell, width in zip(cells, widths, strict=True))


def _end(name: str, room: int) -> str:
    """The end of a name, where runs of one experiment usually differ."""
    plain = fit(name, len(name))
    return plain if len(plain) <= room else f"…{plain[len(plain) - room + 1 :]}"
