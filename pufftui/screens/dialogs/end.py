"""What is shown when training has ended: a summary worth a picture, or what went wrong."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

from rich.text import Text
from textual.binding import Binding

from pufftui.appearance.format import duration, figure, steps
from pufftui.appearance.theme import PuffTheme
from pufftui.charts.chart import Curve, chart, usual_axis
from pufftui.envs.descriptor import Descriptor
from pufftui.runs.evaluated import Evaluated, last_episodes
from pufftui.screens.dialogs.dialog import Dialog
from pufftui.series.axis import Axis
from pufftui.series.history import History
from pufftui.state.alerts import COLOURS, SIGNS, level_of
from pufftui.trainer.messages.snapshot import Phase, Snapshot
from pufftui.trainer.store import AlertRow

CHART_WIDTH, CHART_HEIGHT, LEAST_HEIGHT = 64, 10, 5
OTHER_LINES = 18
"""Of the terminal, beside the chart: its axis, title, figures, commands and hints."""


class SummaryScreen(Dialog):
    """The result of a run: score, curve, figures, and what to do with it."""

    BINDINGS = [
        Binding("enter", "close", "Look around", show=False),
        Binding("q", "app.ask_to_quit", "Leave", show=False),
    ]

    def __init__(
        self,
        look: PuffTheme,
        run: str,
        descriptor: Descriptor,
        snapshot: Snapshot,
        history: History,
        found: Sequence[AlertRow] = (),
        evaluated: Evaluated | None = None,
    ) -> None:
        """`found` is what the health checks say of the score, `evaluated` what `pufftui eval` has found."""
        super().__init__(look)
        self._run, self._descriptor = run, descriptor
        self._found = [line for row in found for line in self._in_words(row)]
        self._snapshot, self._history = snapshot, history
        self._evaluated = evaluated

    @property
    def title_text(self) -> str:  # type: ignore[override]
        word = "finished" if self._snapshot.phase is Phase.FINISHED else "stopped"
        return f"{self._run} has {word}"

    def body(self) -> Text:
        snapshot, high = self._snapshot, self._descriptor.score_high
        digits = self.look.glyphs.large(figure(snapshot.score))
        colour = "dim" if snapshot.score is None else "policy"
        facts = (
            "   no score: too few episodes have ended"
            if snapshot.score is None
            else f"   over {last_episodes(snapshot.episodes)}",
            f"   best in training {figure(snapshot.best_score)}, of {figure(high)}",
            f"   {steps(snapshot.step)} steps in {duration(snapshot.seconds)}",
        )
        text = Text()
        for row, fact in zip(digits, facts, strict=True):
            text.append_text(self.ink((row, colour, colour != "dim"), (f"{fact}\n", "dim", False)))
        if self._evaluated is not None:
            text.append_text(self.ink((f"{self._found_by_eval()}\n", "text", False)))
        text.append("\n")
        score = self._history.series("score")
        if not score.empty:
            band = self._history.series("score_low"), self._history.series("score_high")
            low = self._descriptor.score_low if math.isfinite(high) else None
            curve = Curve(score, "policy", band=band, base=low)
            view = usual_axis(Axis.STEPS, self._history.end)
            room = min(CHART_HEIGHT, self.app.size.height - OTHER_LINES)
            beside = len(self._found) + (self._evaluated is not None)
            height = max(room - beside, LEAST_HEIGHT)
            for line in chart(self.look, curve, view, CHART_WIDTH, height).lines:
                for part, style in line:
                    text.append(part, style)
                text.append("\n")
            text.append("\n")
        for words, colour in self._found:
            text.append_text(self.ink((f"{words}\n", colour, False)))
        if snapshot.better_checkpoint:
            better = textwrap.fill(snapshot.better_checkpoint, CHART_WIDTH)
            text.append_text(self.ink((f"{better}\n", "text", False)))
        rate = snapshot.step / snapshot.seconds if snapshot.seconds > 0 else None
        text.append_text(
            self.ink(
                (f"{figure(rate)} steps/s on {snapshot.device or 'this machine'}, ", "dim", False),
                (f"{figure(snapshot.episodes)} episodes\n", "dim", False),
                (f"pufftui play {self._descriptor.name} --from {self._run}\n", "policy", False),
                (f"pufftui eval {self._run}\n", "policy", False),
                (f"pufftui resume {self._run}", "policy", False),
            )
        )
        return text

    def _found_by_eval(self) -> str:
        found = self._evaluated
        assert found is not None
        at = "" if found.step == self._snapshot.step else f" at step {steps(found.step)}"
        return f"evaluated{at}: {found.words}"

    def _in_words(self, alert: AlertRow) -> list[tuple[str, str]]:
        """Lines about a finding, with their colours."""
        level = level_of(alert)
        words = self.look.words(f"{SIGNS[level]} {alert.title}. {alert.text}")
        lines = textwrap.wrap(words, CHART_WIDTH, subsequent_indent="  ")
        return [(line, COLOURS[level]) for line in lines]

    def hints(self) -> list[tuple[str, str]]:
        return [("q", "leave"), ("esc", "look around")]


class ErrorScreen(Dialog):
    """Training has failed: what, where to read on, what to do. The dashboard stays usable."""

    BINDINGS = [
        Binding("enter", "close", "Look around", show=False),
        Binding("q", "app.ask_to_quit", "Leave", show=False),
    ]

    def __init__(self, look: PuffTheme, run: str, log: str, snapshot: Snapshot) -> None:
        super().__init__(look)
        self._run, self._log_file, self._snapshot = run, log, snapshot

    @property
    def title_text(self) -> str:  # type: ignore[override]
        died = self._snapshot.phase is Phase.DIED
        return "The trainer has died" if died else "Training has failed"

    def body(self) -> Text:
        snapshot, saved = self._snapshot, self._snapshot.checkpoint_step
        failure = _last_line(snapshot.failure) or "The trainer ended without a message."
        hint = snapshot.failure_hint
        if self._log_file not in hint:
            hint = f"{hint}\nThe details are in {self._log_file}".strip()
        reached = f"Step {steps(snapshot.step)}, after {duration(snapshot.seconds)}. "
        if saved is None:
            kept, resume = "No checkpoint was written yet.", ""
        else:
            kept = f"The checkpoint of step {steps(saved)} is kept:\n"
            resume = f"pufftui resume {self._run}"
        return self.ink(
            (f"{failure}\n\n", "error", False),
            (f"{hint}\n\n", "text", False),
            (f"{reached}{kept}", "dim", False),
            (resume, "policy", False),
        )

    def hints(self) -> list[tuple[str, str]]:
        return [("q", "leave"), ("esc", "look around")]


def _last_line(text: str) -> str:
    """Of a traceback the line that says what happened."""
    return (text.strip().splitlines() or [""])[-1]
