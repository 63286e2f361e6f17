"""The top line: which run, how far, how long, how well; a warm banner while a person plays."""

from __future__ import annotations

from pathlib import PurePath

from pufftui.appearance.format import cells, cut, duration, percent, steps
from pufftui.appearance.glyphs import thin_bar
from pufftui.appearance.line import Line
from pufftui.appearance.theme import PuffTheme
from pufftui.state.health import Health
from pufftui.trainer.messages.snapshot import Phase, Snapshot
from pufftui.widgets.painted import Bar

WIDEST_BAR = 60

WIDE = 120
"""Columns from which on there is room for where a run has its first weights from."""


BADGE = " PRIVATE "


def badge(look: PuffTheme, ground: str = "raised") -> Line:
    """What says that names are hidden, as long as they are."""
    if look.secrets is None:
        return []
    chip = ("background", "text") if ground == "raised" else ("human", "background")
    return [(BADGE, look.style(*chip, bold=True)), (" ", look.style("background", ground))]


class Header(Bar):
    """Shows a snapshot; `banner` replaces it while it is not empty."""

    def __init__(self, look: PuffTheme, env: str, run: str, role: str = "") -> None:
        """`role` says what the person is to a run that is not trained here: watching, attached."""
        super().__init__(look, "header")
        self.env, self.run, self.role = env, run, role
        self.banner: list[tuple[str, bool]] = []
        self.snapshot: Snapshot | None = None
        self.health: Health | None = None
        self.tells_progress = True
        """Whether it says how far the run is, which a screen for an audience does below."""

    def show(self, snapshot: Snapshot, health: Health) -> None:
        self.snapshot, self.health = snapshot, health
        self.paint()

    def announce(self, banner: list[tuple[str, bool]]) -> None:
        """Texts of the banner and whether each is stressed; an empty list takes it away.

        Where they do not all fit, the stressed ones stay.
        """
        if banner != self.banner:
            self.banner = banner
            self.ground = "human" if banner else "raised"
            self.paint()

    def lines(self, width: int, height: int) -> list[Line]:
        if self.banner:
            return [self._banner(width)]
        look = self.look
        run = look.words(self.run).removeprefix(f"{self.env}-")
        name = (" pufftui  ", look.style("policy", "raised", bold=True))
        left = badge(look)
        left.append(name if width >= 96 else (" ", look.style("dim", "raised")))
        if self.role:
            left += [
                (f" {self.role} ", look.style("background", "policy", bold=True)),
                (" ", look.style("dim", "raised")),
            ]
        left += [
            (self.env, look.style("text", "raised", bold=True)),
            (f" · {run}{self._origin(width)}", look.style("dim", "raised")),
        ]
        if self.snapshot is None or self.health is None:
            return [left]
        health = (
            f"{self.health.sign} {self.health.word}".rjust(13) + " ",
            look.style(self.health.colour, "raised", bold=True),
        )
        room = width - _cells(left) - len(health[0])
        middle = self._progress(room) if self.tells_progress else []
        gap = width - _cells(left) - _cells(middle) - len(health[0])
        if gap < 0:
            left = _cut(left, _cells(left) + gap)
            gap = 0
        return [[*left, (" " * gap, look.style("dim", "raised")), *middle, health]]

    def _origin(self, width: int) -> str:
        """Whose weights the run began with, where there is room and nobody's names are hidden."""
        named = self.snapshot.start_from if self.snapshot else ""
        if not named or width < WIDE or self.look.secrets is not None:
            return ""
        return f" from {self.look.words(PurePath(named).name)}"

    def _banner(self, width: int) -> Line:
        look = self.look
        line = [*badge(look, "human"), ("  ", look.style("background", "human"))]
        fits = sum(len(text) for text, _ in self.banner) + _cells(line) <= width
        for text, bold in self.banner:
            words = text if bold or fits else "   "
            line.append((words, look.style("background", "human", bold=bold)))
        return _cut(line, width)

    def _progress(self, room: int) -> Line:
        look, snapshot = self.look, self.snapshot
        assert snapshot is not None
        share = min(snapshot.step / max(snapshot.total_steps, 1), 1.0)
        if not snapshot.total_steps:
            text = f"step {steps(snapshot.step)}   {duration(snapshot.seconds)}  "
            return [(text, look.style("text", "raised"))] if len(text) <= room else []
        count = f"{steps(snapshot.step):>5} of {steps(snapshot.total_steps)}"
        times = f"{duration(snapshot.seconds):>7}"
        if snapshot.seconds_left is not None and snapshot.phase is Phase.RUNNING:
            times += f", {duration(snapshot.seconds_left)} left".ljust(14)
        elif room > 70:
            times += " " * 14
        bar = min(room - len(count) - len(times) - 13, WIDEST_BAR)
        line: Line = [("  " + count, look.style("text", "raised"))]
        if bar >= 6:
            full, empty = thin_bar(share, bar)
            colour = "warning" if snapshot.phase is Phase.PAUSED else "policy"
            line += [
                (" " + full, look.style(colour, "raised")),
                (empty, look.style("track", "raised")),
            ]
        line += [
            (percent(share, 5 if bar >= 6 else 7), look.style("text", "raised")),
            ("  " + times, look.style("dim", "raised")),
        ]
        return line if _cells(line) <= room else line[:1]


def _cells(line: Line) -> int:
    return sum(cells(text) for text, _ in line)


def _cut(line: Line, width: int) -> Line:
    """The line's first `width` cells."""
    kept: Line = []
    for text, style in line:
        used = cells(text)
        kept.append((text if used <= width else cut(text, width), style))
        width -= used
    return kept
