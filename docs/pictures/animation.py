"""Makes animation.gif: an agent learns breakout, a person takes over, and hands it back.

    python -m pip install -r docs/pictures/requirements.txt
    python docs/pictures/animation.py

Everything on the screen is the real program's. It trains for about a minute, which is shown eight
times as fast; then `m` is pressed, and a few lines of this script play with the arrow keys. Which
keys are pressed cannot be seen on a terminal, so it stands below.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import numpy as np
import pyte
from drawing import HEIGHT, PAPER, font, picture
from PIL import Image, ImageDraw
from terminal import Cells, Terminal

PLACE = Path(__file__).parent / "animation.gif"
COLUMNS, ROWS = 104, 32
CAPTION = 2 * HEIGHT
"""Pixels below the screen for what is said about it."""

TICK = 0.1
"""Seconds that one picture is shown."""

LEARNING, TIMES, PLAYING = 56, 8, 9
"""Seconds of learning that are shown, and how many times as fast; seconds of playing."""

SAME = 255
"""The last of a GIF's 256 colours: here it means that a pixel stays as it was."""

DIM, HUMAN, POLICY = "#8b98ae", "#ffb454", "#5cc8ff"


@dataclass(frozen=True, slots=True)
class Caption:
    """What stands below the screen: a key or a command, and what it does."""

    key: str
    words: str
    colour: str


Shot = tuple[Cells, Caption]
"""What the screen held, and what is said about it."""


def main() -> None:
    """Records everything, then draws and writes it."""
    with tempfile.TemporaryDirectory() as folder:
        # Neither settings nor runs of whoever makes the animation.
        own = {"PUFFTUI_RUNS": f"{folder}/runs", "XDG_CONFIG_HOME": f"{folder}/settings"}
        arguments = ("train", "breakout", "--seed", "3", "--theme", "midnight")
        terminal = Terminal(*arguments, columns=COLUMNS, rows=ROWS, variables=own)
        try:
            shots = list(film(terminal))
        finally:
            terminal.close()
    save([captioned(picture(cells), caption) for cells, caption in shots])
    print(f"{PLACE.name}: {len(shots)} pictures, {PLACE.stat().st_size:,} bytes")


def film(terminal: Terminal) -> Iterator[Shot]:
    """All that is shown, in its order."""
    terminal.wait(lambda text: "healthy" in text)
    learns = Caption("pufftui train breakout", f"{TIMES} times as fast as it was", POLICY)
    yield from scene(terminal, LEARNING, learns, every=TICK * TIMES)

    terminal.press("m")
    plays = Caption("m", "you play this agent, and the others go on learning", HUMAN)
    yield from scene(terminal, PLAYING, plays, before=Hand().play)

    terminal.press("escape")
    yield from scene(terminal, 3, Caption("esc", "the policy has it back", POLICY))

    terminal.press("6")
    yield from scene(terminal, 4, Caption("6", "charts of all metrics", POLICY))


def scene(
    terminal: Terminal,
    seconds: float,
    caption: Caption,
    *,
    every: float = TICK,
    before: Callable[[Terminal], None] = lambda _: None,
) -> Iterator[Shot]:
    """A shot `every` so many seconds; `before` each of them something can be done."""
    begin = time.monotonic()
    for number in range(1, round(seconds / every) + 1):
        before(terminal)
        terminal.run(begin + number * every - time.monotonic())
        yield terminal.cells(), caption


def captioned(screen: Image.Image, caption: Caption) -> Image.Image:
    """The screen with a line below it."""
    image = Image.new("RGB", (screen.width, screen.height + CAPTION), f"#{PAPER}")
    image.paste(screen)
    draw = ImageDraw.Draw(image)
    middle = screen.height + CAPTION // 2
    x = 20
    end = draw.textlength(caption.key, font(18, bold=True)) + x
    draw.rounded_rectangle((x - 10, middle - 14, end + 10, middle + 14), 6, outline=caption.colour)
    draw.text((x, middle), caption.key, caption.colour, font(18, bold=True), anchor="lm")
    draw.text((end + 24, middle), caption.words, DIM, font(18), anchor="lm")
    return image


@dataclass(frozen=True, slots=True)
class Field:
    """What a person sees of breakout, in columns and rows of the terminal."""

    ball: tuple[float, float]
    paddle: float
    bottom: int
    sides: tuple[float, float]


class Hand:
    """Plays with the arrow keys: taps the one that leads to where the ball will come down."""

    def __init__(self) -> None:
        self._last: tuple[float, float] | None = None
        self._key = ""

    def play(self, terminal: Terminal) -> None:
        """Looks at the screen, and taps a key if another one than the last is due."""
        field = field_of(terminal.cells())
        if field is None:
            return
        (column, row), goal = field.ball, mean(field.sides)
        if self._last is not None and row > self._last[1]:
            slope = (column - self._last[0]) / (row - self._last[1])
            goal = reflected(column + slope * (field.bottom - row), *field.sides)
        self._last = field.ball
        key = "left" if goal < field.paddle else "right"
        key = "down" if abs(goal - field.paddle) < 1.5 else key
        if key != self._key:
            self._key = key
            terminal.press(key)


def field_of(cells: Cells) -> Field | None:
    """Finds the ball, which is white, and the paddle, grey and at the bottom."""
    lines = ["".join(cell.data for cell in line) for line in cells]
    above = next((row for row, line in enumerate(lines) if "agent 1 of" in line), 0)
    below = next((row for row, line in enumerate(lines) if "what it" in line), 0)
    white: list[tuple[int, int]] = []
    grey: list[int] = []
    grounds: Counter[str] = Counter()
    # The first rows show the balls that are left, in grey like the paddle.
    for row, line in enumerate(cells[above + 3 : below], above + 3):
        for column, cell in enumerate(line):
            shades = shades_of(cell)
            white += [(column, row) for shade in shades if shade > 230]
            grey += [column for shade in shades if 140 < shade < 200 and row >= below - 2]
            grounds[cell.bg] += column > COLUMNS // 2
    if not white or not grey:
        return None
    ground = grounds.most_common(1)[0][0]
    inside = [column for column, cell in enumerate(cells[below - 6]) if cell.bg == ground]
    ball = mean(column for column, _ in white), mean(row for _, row in white)
    return Field(ball, mean(grey), below - 2, (min(inside), max(inside)))


def shades_of(cell: pyte.screens.Char) -> list[int]:
    """How light the two halves of a cell of a picture are, if they are grey."""
    found = []
    for name in (cell.fg, cell.bg) if cell.data in "▀▄" else ():
        if len(name) == 6:
            red, green, blue = bytes.fromhex(name)
            found += [red] if max(red, green, blue) - min(red, green, blue) < 20 else []
    return found


def reflected(place: float, low: float, high: float) -> float:
    """Where something is that is thrown back between two walls."""
    far = (place - low) % (2 * (high - low))
    return low + min(far, 2 * (high - low) - far)


def save(pictures: list[Image.Image]) -> None:
    """Writes the GIF: one palette for all, and of each picture only what has changed."""
    width, height = pictures[0].size
    sample = Image.new("RGB", (width, height * 8))
    for number in range(8):
        sample.paste(pictures[number * len(pictures) // 8], (0, number * height))
    palette = sample.quantize(SAME, dither=Image.Dither.NONE)
    numbers = [
        np.asarray(image.quantize(palette=palette, dither=Image.Dither.NONE)) for image in pictures
    ]
    changes = [
        np.where(before == after, SAME, after) for before, after in itertools.pairwise(numbers)
    ]
    frames = [Image.fromarray(pixels.astype(np.uint8), "P") for pixels in (numbers[0], *changes)]
    for frame in frames:
        frame.putpalette([*palette.getpalette()[: 3 * SAME], 0, 0, 0])
    shown = [round(TICK * 1000)] * (len(frames) - 1) + [2000]
    frames[0].save(
        PLACE,
        save_all=True,
        append_images=frames[1:],
        duration=shown,
        loop=0,
        transparency=SAME,
        disposal=1,
        optimize=False,
    )


if __name__ == "__main__":
    main()
