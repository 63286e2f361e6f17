"""Makes dashboard.png: the dashboard, training breakout, with a number beside each panel.

    python -m pip install -r docs/pictures/requirements.txt
    python docs/pictures/dashboard.py

`docs/dashboard.md` says what the numbers mean, in the order of NUMBERED.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from drawing import HEIGHT, WIDTH, font, picture
from PIL import Image, ImageDraw
from terminal import Terminal

PLACE = Path(__file__).parent / "dashboard.png"
COLUMNS, ROWS = 120, 36

NUMBERED = (
    r"breakout · [a-z-]+",
    r"left(?= +[●▲✕])",
    r"\bscore\b",
    r"\bspeed\b",
    r"\blearning\b(?! rate)",
    r"\barena\b",
    r"\bpolicy\b(?=  )",
    r"\bmachine\b",
    r"\btime\b",
    r"\blog\b",
    r"\bquit\b",
)
"""What stands on the screen just before each number."""

BADGE, DARK = "#ffb454", "#080b11"


def main() -> None:
    """Trains until there is something to see, then makes the picture."""
    with tempfile.TemporaryDirectory() as folder:
        # Neither settings nor runs of whoever makes the picture.
        own = {"PUFFTUI_RUNS": f"{folder}/runs", "XDG_CONFIG_HOME": f"{folder}/settings"}
        arguments = ("train", "breakout", "--seed", "3", "--theme", "midnight")
        terminal = Terminal(*arguments, columns=COLUMNS, rows=ROWS, variables=own)
        try:
            terminal.wait(lambda text: re.search(r"best +[5-8]\d\d\b", text), seconds=300)
            terminal.run(2)
            image = numbered(picture(terminal.cells()), terminal.text)
        finally:
            terminal.close()
    image.quantize(128, dither=Image.Dither.NONE).save(PLACE, optimize=True)
    print(f"{PLACE.name}: {PLACE.stat().st_size:,} bytes")


def numbered(image: Image.Image, text: str) -> Image.Image:
    """The picture with a badge behind each of the places."""
    draw = ImageDraw.Draw(image)
    for number, words in enumerate(NUMBERED, start=1):
        column, row = place_of(words, text)
        x, y = (column + 1.6) * WIDTH, (row + 0.5) * HEIGHT
        draw.ellipse((x - 11, y - 11, x + 11, y + 11), BADGE, outline=DARK, width=2)
        draw.text((x, y), str(number), DARK, font(14, bold=True), anchor="mm")
    return image


def place_of(words: str, text: str) -> tuple[int, int]:
    """Column and row where these words end for the first time."""
    for row, line in enumerate(text.splitlines()):
        if found := re.search(words, line):
            return found.end(), row
    raise LookupError(words)


if __name__ == "__main__":
    main()
