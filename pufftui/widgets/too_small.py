"""What a terminal shows that is too small for anything else."""

from __future__ import annotations

from pufftui.appearance.line import Line
from pufftui.appearance.theme import PuffTheme
from pufftui.layout.cockpit import LEAST_HEIGHT, LEAST_WIDTH
from pufftui.widgets.painted import Painted


class TooSmall(Painted):
    """One friendly sentence in the middle, that ends with what happens meanwhile."""

    def __init__(self, look: PuffTheme, meanwhile: str) -> None:
        super().__init__(look, "too_small")
        self._meanwhile = meanwhile

    def lines(self, width: int, height: int) -> list[Line]:
        words = f"This window is {width} x {height}. Please make it {LEAST_WIDTH} x {LEAST_HEIGHT} or larger; {self._meanwhile}."
        if self.look.secrets is not None:
            words += " PRIVATE: names and paths are hidden."
        rows: list[str] = [""]
        for word in words.split():
            longer = f"{rows[-1]} {word}".strip()
            if len(longer) <= width - 2:
                rows[-1] = longer
            else:
                rows.append(word[: max(0, width - 2)])
        above: list[Line] = [[] for _ in range(max(0, (height - len(rows)) // 2))]
        return [*above, *([(row.center(width), self.look.style("text"))] for row in rows)][:height]
