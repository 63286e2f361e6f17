"""A terminal in the plainest way, to see what a program shows."""

from __future__ import annotations

import re

from rich.cells import cell_len
from textual.geometry import Size

TOKEN = re.compile(r"\x1b\[([\d;]*)([A-Za-z])|([^\x1b])", re.DOTALL)
OTHER = re.compile(
    r"\x1b\[[<=>?][\d;]*\$?[A-Za-z]|\x1b\][^\a\x1b]*(?:\a|\x1b\\)|\x1b[^\[\]]|[\0-\x1a]"
)
"""What changes no cell."""

Look = tuple[str, str, frozenset[int]]
Cell = tuple[str, Look]


class Plain:
    """Knows places, colours and letters; `cells` are what it shows by column and row."""

    def __init__(self, size: Size) -> None:
        self.size = size
        self.cells: dict[tuple[int, int], Cell] = {}
        self.x = self.y = 0
        self.look: Look = ("", "", frozenset())

    def read(self, text: str) -> None:
        for token in TOKEN.finditer(OTHER.sub("", text)):
            numbers, end, letter = token.groups()
            if letter is not None:
                self.put(letter)
            elif end == "H":
                row, _, column = numbers.partition(";")
                self.y, self.x = int(row or 1) - 1, int(column or 1) - 1
            elif end == "C":
                self.x += int(numbers or 1)
            elif end == "X":
                for x in range(self.x, self.x + int(numbers)):
                    self.cells[x, self.y] = (" ", ("", self.look[1], frozenset()))
            elif end == "m":
                self.style([int(number or 0) for number in numbers.split(";")])

    def style(self, numbers: list[int]) -> None:
        front, back, marks = self.look
        while numbers:
            number, *numbers = numbers
            if number == 0:
                front, back, marks = "", "", frozenset()
            elif number < 10:
                marks |= {number}
            elif number in (38, 48):
                count = 2 if numbers[0] == 5 else 4
                colour, numbers = str(numbers[:count]), numbers[count:]
                front, back = (colour, back) if number == 38 else (front, colour)
            elif number in (39, 49):
                front, back = ("", back) if number == 39 else (front, "")
            elif 30 <= number < 38 or 90 <= number < 98:
                front = str(number)
            else:
                back = str(number - 10)
        self.look = front, back, marks

    def put(self, letter: str) -> None:
        cells, (x, y) = cell_len(letter), (self.x, self.y)
        _, back, marks = self.look
        look = self.look if letter != " " or marks & {4, 7, 9} else ("", back, frozenset[int]())
        for at in (x, x + cells - 1):
            self.cut(at, y)
        self.cells[x, y] = (letter, look)
        if cells == 2:
            self.cells[x + 1, y] = ("", look)
        self.x += cells

    def cut(self, x: int, y: int) -> None:
        """What is left of a letter of two cells becomes a blank."""
        letter, look = self.cells.get((x, y), (" ", ("", "", frozenset())))
        for other in (x - 1 if letter == "" else None, x + 1 if cell_len(letter) == 2 else None):
            if other is not None:
                self.cells[other, y] = (" ", ("", look[1], frozenset()))

    def line(self, row: int) -> str:
        """The letters of a row."""
        return "".join(self.cells.get((x, row), " ")[0] for x in range(self.size.width))

    def text(self) -> str:
        """All letters, row by row."""
        return "\n".join(self.line(row) for row in range(self.size.height))
