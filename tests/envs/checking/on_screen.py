"""What the real program says on its screen: a dashboard in a terminal of its own, read as a person would."""

from __future__ import annotations

import codecs
import os
import re
import select
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "pufftui"))

from plain_terminal import Plain
from terminals import Terminal
from textual.geometry import Size

SIZE = Size(120, 40)
LOG = Path("unused")
MOMENT = 3.0
"""Seconds for which a dialog is read on once it is there, for it may grow."""

LEAST_ROWS = 3
"""Of a dialog or a message; in a game's picture there may be one of its edges, too."""

EDGE, ALERT = "▌", "k seen"
"""What begins a line of a dialog or of a message, and what the line about an alert ends with."""

GAP = re.compile(r" {4,}")
"""Lies between what a dialog says and what is to be seen beside it."""


def said_on_screen(arguments: tuple[str, ...], seconds: float) -> tuple[float, int | None, str]:
    """Seconds until something was said, exit status (None if the program went on), and what was said."""
    program = Terminal(
        f"import sys; from pufftui.__main__ import main; sys.exit(main({[*arguments]}))", LOG
    )
    plain, decode = Plain(SIZE), codecs.getincrementaldecoder("utf-8")("replace").decode
    began = time.monotonic()
    told, said = 0.0, list[str]()  # what was said may be gone again
    try:
        while (now := time.monotonic()) < began + seconds and (not told or now < told + MOMENT):
            if select.select([program.screen], [], [], 0.1)[0]:
                plain.read(decode(os.read(program.screen, 65536)))
            elif program.process.poll() is not None:
                break
            if lines := _told(plain):
                told, said = told or now, lines
        status = program.process.poll()
        took = (told or time.monotonic()) - began
        return took, status, " ".join(_told(plain) or said) or "nothing"
    finally:
        program.close()


def _told(plain: Plain) -> list[str]:
    """The lines of a dialog or of a message, and those of alerts; or what is left after an end."""
    lines = [plain.line(row) for row in range(SIZE.height)]
    columns = Counter(line.index(EDGE) for line in lines if EDGE in line)
    edge = columns.most_common(1)[0] if columns else (0, 0)
    boxed = [
        GAP.split(line[edge[0] + 1 :].strip())[0]
        for line in lines
        if edge[1] >= LEAST_ROWS and line[edge[0] : edge[0] + 1] == EDGE
    ]
    alerts = [line.partition("a details")[0].strip() for line in lines if ALERT in line]
    printed = [line.strip() for line in lines if line.startswith("pufftui: ")]
    return [line for line in (*boxed, *alerts, *printed) if line]
