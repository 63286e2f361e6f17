"""One line that is there only while something calls: what is wrong, how far, and which key helps."""

from __future__ import annotations

from pufftui.appearance.format import fit
from pufftui.appearance.line import Line
from pufftui.appearance.theme import PuffTheme
from pufftui.state.alerts import COLOURS, SIGNS, level_of
from pufftui.trainer.store import AlertRow
from pufftui.widgets.painted import Bar

FLASH_SECONDS = 2.0
"""How long a new alert stands out in full colour."""


class AlertStrip(Bar):
    """Shows the worst alert and how many more there are."""

    def __init__(self, look: PuffTheme) -> None:
        super().__init__(look, "alert")
        self._calling: list[AlertRow] = []
        self._flash = False

    def show(self, calling: list[AlertRow], *, flash: bool) -> None:
        """`flash` while the alert is new."""
        if (calling, flash) != (self._calling, self._flash):
            self._calling, self._flash = calling, flash
            colour = COLOURS[level_of(calling[0])] if calling else "raised"
            self.ground = colour if flash else "raised"
            self.paint()

    def lines(self, width: int, height: int) -> list[Line]:
        if not self._calling:
            return []
        look, alert = self.look, self._calling[0]
        level = level_of(alert)
        ink = "background" if self._flash else COLOURS[level]
        quiet = "background" if self._flash else "text"
        more = len(self._calling) - 1
        head = f" {SIGNS[level]} {look.words(alert.title)}" + (f"  (+{more} more)" if more else "")
        keys = "a details   k seen "
        room = width - len(head) - len(keys) - 5
        text = fit(look.words(alert.text), room) if room >= 12 else " " * max(0, room)
        ground = self.ground
        return [
            [
                (head, look.style(ink, ground, bold=True)),
                ("   ", look.style(quiet, ground)),
                (text, look.style(quiet, ground)),
                ("  ", look.style(quiet, ground)),
                (keys, look.style(quiet, ground)),
            ]
        ]
