"""Makes nmmo.png: a player of nmmo in a world where all are played by the baseline, with what stands beside it.

    python -m pip install -r docs/pictures/requirements.txt
    python docs/pictures/nmmo.py

It is taken as soon as somebody has bought something; the world is another one each time.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from drawing import picture
from PIL import Image
from terminal import Terminal

PLACE = Path(__file__).parent / "nmmo.png"
COLUMNS, ROWS = 140, 40
HANDS_BACK, FASTER = "\x1b", ">"


def main() -> None:
    """Watches until somebody buys something, then makes the picture."""
    with tempfile.TemporaryDirectory() as folder:
        # Neither settings nor runs of whoever makes the picture.
        own = {"PUFFTUI_RUNS": f"{folder}/runs", "XDG_CONFIG_HOME": f"{folder}/settings"}
        arguments = ("play", "nmmo", "--theme", "midnight")
        terminal = Terminal(*arguments, columns=COLUMNS, rows=ROWS, variables=own)
        try:
            terminal.wait(lambda text: "any key begins" in text)
            terminal.press(HANDS_BACK)
            terminal.wait(lambda text: "take over" in text)
            for _ in range(3):
                terminal.press(FASTER)
            terminal.wait(lambda text: " buys " in text and text.count("agent ") > 4)
            image = picture(terminal.cells())
        finally:
            terminal.close()
    image.quantize(128, dither=Image.Dither.NONE).save(PLACE, optimize=True)
    print(f"{PLACE.name}: {PLACE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
