"""Makes nmmo.png: a player of nmmo, with what stands beside it, while the first moves are learned.

    python -m pip install -r docs/pictures/requirements.txt
    python docs/pictures/nmmo.py

The game alone is on the screen; its policy knows nothing yet.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from drawing import picture
from PIL import Image
from terminal import Terminal

PLACE = Path(__file__).parent / "nmmo.png"
COLUMNS, ROWS = 140, 40
ALONE = "1"
"""The key that shows the game alone, with its sheet."""


def main() -> None:
    """Trains until something was told, then makes the picture."""
    with tempfile.TemporaryDirectory() as folder:
        # Neither settings nor runs of whoever makes the picture.
        own = {"PUFFTUI_RUNS": f"{folder}/runs", "XDG_CONFIG_HOME": f"{folder}/settings"}
        arguments = ("train", "nmmo", "--seed", "4", "--theme", "midnight", "--vec.agents", "256")
        terminal = Terminal(*arguments, columns=COLUMNS, rows=ROWS, variables=own)
        try:
            terminal.wait(lambda text: "arena" in text)
            terminal.press(ALONE)
            terminal.wait(lambda text: text.count("agent ") > 4)
            image = picture(terminal.cells())
        finally:
            terminal.close()
    image.quantize(128, dither=Image.Dither.NONE).save(PLACE, optimize=True)
    print(f"{PLACE.name}: {PLACE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
