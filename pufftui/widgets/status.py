"""The one line of figures that small terminals get."""

from __future__ import annotations

from pufftui.appearance.format import figure
from pufftui.appearance.line import Line
from pufftui.appearance.theme import PuffTheme
from pufftui.envs.descriptor import Descriptor
from pufftui.state.tally import Tally
from pufftui.trainer.messages.frame import ArenaFrame
from pufftui.trainer.messages.snapshot import Snapshot
from pufftui.widgets.painted import Bar


class Status(Bar):
    """Score, speed and what the keys 1 to 5 show; the person's scores while one plays."""

    ground = "surface"
    PANELS = ("game", "score", "learning", "machine", "log", "charts")

    def __init__(self, look: PuffTheme, descriptor: Descriptor, tally: Tally) -> None:
        super().__init__(look, "status")
        self._tally = tally
        self._limit = descriptor.score_high
        self.snapshot: Snapshot | None = None
        self.panel = 1

    def show(self, snapshot: Snapshot, panel: int) -> None:
        self.snapshot, self.panel = snapshot, panel or 1
        self.paint()

    def lines(self, width: int, height: int) -> list[Line]:
        if self.snapshot is None:
            return []
        if self._tally.frame is not None and self._tally.frame.human:
            return [self._scores(self._tally.frame, self.snapshot)]
        look, snapshot = self.look, self.snapshot
        line: Line = [
            (" score ", look.style("dim")),
            (figure(snapshot.score, 5), look.style("policy", bold=True)),
            (f" of {figure(self._limit)}", look.style("dim")),
            ("   best ", look.style("dim")),
            (figure(snapshot.best_score, 5), look.style("text")),
            ("   speed ", look.style("dim")),
            (figure(snapshot.steps_per_second, 5), look.style("policy", bold=True)),
            (" steps/s", look.style("dim")),
        ]
        tabs: Line = []
        for number, name in enumerate(self.PANELS, 1):
            here = number == self.panel
            shown = f" {number} {name}" if here else f" {number}"
            tabs.append((shown, look.style("text" if here else "dim", bold=here)))
        gap = width - sum(len(text) for text, _ in line + tabs) - 1
        return [[*line, (" " * gap, look.style("dim")), *tabs]] if gap >= 1 else [line]

    def _scores(self, frame: ArenaFrame, snapshot: Snapshot) -> Line:
        tally, look = self._tally, self.look
        line: Line = []
        for label, value, colour in (
            ("return", frame.episode_return, "text"),
            ("your last", tally.yours, "human"),
            ("best", tally.best, "human"),
            ("policy's last", tally.others, "policy"),
            ("its mean", snapshot.score, "policy"),
        ):
            line.append((f" {label} ", look.style("dim")))
            line.append((f"{figure(value):<6}", look.style(colour, bold=True)))
        return line
