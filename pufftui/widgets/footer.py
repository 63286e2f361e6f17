"""The bottom line: the keys that matter now; a click on one presses it."""

from __future__ import annotations

from rich.style import Style
from textual import events

from pufftui.appearance.line import Line
from pufftui.appearance.theme import PuffTheme
from pufftui.envs.descriptor import Descriptor
from pufftui.keys.bindings import bound
from pufftui.keys.game import game_hints
from pufftui.keys.key import Key
from pufftui.widgets.painted import Bar


class Footer(Bar):
    """Shows as many keys as fit, the most important ones first in line for a place."""

    def __init__(
        self, look: PuffTheme, descriptor: Descriptor | None, keys: tuple[Key, ...]
    ) -> None:
        """Without a descriptor there is no game."""
        super().__init__(look, "footer")
        self._keys = keys
        self._hints = game_hints(descriptor) if descriptor else []
        self._spans: list[tuple[int, int, str]] = []
        self.playing = False
        self.labels: dict[str, str] = {}
        self.first: tuple[str, ...] = ()
        """Keys, by id, that come before all others for now."""

    def show(self, *, playing: bool, labels: dict[str, str]) -> None:
        """`labels` replaces what keys are called, by id: `resume` while training is paused."""
        if (playing, labels) != (self.playing, self.labels):
            self.playing, self.labels = playing, labels
            self.paint()

    def lines(self, width: int, height: int) -> list[Line]:
        self._spans = []
        return [self._game(width) if self.playing else self._own(width)]

    def _own(self, width: int) -> Line:
        ranked = sorted((key for key in self._keys if key.footer), key=self._rank)
        chosen: list[Key] = []
        used = 1
        for key in ranked:
            cells = _cells([(_shown(key), self._label(key))])
            if used + cells <= width + 3:
                chosen.append(key)
                used += cells
        ends = {"help": 1, "quit": 2}
        chosen.sort(key=lambda key: (ends.get(key.id, 0), self._rank(key)))
        line: Line = [(" ", self._style("dim"))]
        x = 1
        for key in chosen:
            label = self._label(key)
            shown = _shown(key)
            self._spans.append((x, x + len(shown) + 1 + len(label), bound(key.action)))
            line += [
                (shown, self._style("policy", bold=True)),
                (f" {label}   ", self._style("dim")),
            ]
            x += len(shown) + len(label) + 4
        return line

    def _rank(self, key: Key) -> int:
        return self.first.index(key.id) - len(self.first) if key.id in self.first else key.footer

    def _game(self, width: int) -> Line:
        """The game's keys, as many as fit before the ways out."""
        ways_out = [(_shown(key), self._label(key)) for key in self._keys if key.while_playing]
        used = 1 + _cells(ways_out)
        hints = []
        for hint in self._hints:
            used += _cells([hint])
            if used > width + 3:
                break
            hints.append(hint)
        line: Line = [(" ", self._style("dim"))]
        for keys, label in hints + ways_out:
            line += [(keys, self._style("human", bold=True)), (f" {label}   ", self._style("dim"))]
        return line

    def _label(self, key: Key) -> str:
        if key.id == "privacy" and self.look.secrets is not None:
            return "show names"
        return self.labels.get(key.id, key.short)

    def _style(self, name: str, *, bold: bool = False) -> Style:
        return self.look.style(name, "raised", bold=bold)

    async def on_click(self, event: events.Click) -> None:
        for start, end, action in self._spans:
            if start <= event.x < end:
                await self.app.run_action(action, self.screen)


def _shown(key: Key) -> str:
    return key.footer_shown or key.shown


def _cells(hints: list[tuple[str, str]]) -> int:
    return sum(len(keys) + len(label) + 4 for keys, label in hints)
