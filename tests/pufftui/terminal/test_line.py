"""A line that is learned from its answers, tried on imitated ones with a clock of their own."""

from __future__ import annotations

import heapq
import re
from dataclasses import dataclass, field

import pytest

from pufftui.terminal.line import MOST_PIECE, MUTE, PROBATION, Line

TICK = 0.001


@dataclass
class Imitated:
    """A terminal behind a line of so many bytes a second that answers after `delay`, or never.

    `lost`: each so-manieth question is not heard.
    """

    rate: float
    delay: float = 0.001
    answers: bool = True
    lost: int = 0
    now: float = 100.0
    line: Line = field(init=False)
    free: float = 0.0  # when all that was sent has arrived
    sent: int = 0
    most: float = 0.0  # bytes on their way
    tells: bool = True  # where its cursor is
    coming: list[tuple[float, tuple[int, int]]] = field(default_factory=list)  # answers
    asked: int = 0

    def __post_init__(self) -> None:
        self.line = Line(self.now)
        self.ask()

    def write(self, count: int) -> None:
        self.line.wrote(count)
        self.sent += count
        self.free = max(self.free, self.now) + count / self.rate
        self.most = max(self.most, (self.free - self.now) * self.rate)

    def ask(self) -> None:
        self.asked += 1
        question = self.line.ask(self.now)
        self.write(len(question))
        if self.answers and not (self.lost and self.asked % self.lost == 0):
            mark = re.match(r"\x1b\[1;(\d)H", question)
            place = (1, int(mark[1])) if mark and self.tells else (1, 1)
            heapq.heappush(self.coming, (max(self.free, self.now) + self.delay, place))

    def tick(self) -> None:
        self.now += TICK
        while self.coming and self.coming[0][0] <= self.now:
            self.line.hear(*heapq.heappop(self.coming))

    def show(self, seconds: float, wanted: float) -> int:
        """An app that has so many bytes a second to say, 30 times a second; bytes that it wrote."""
        before, end, due, frame = self.sent, self.now + seconds, 0.0, self.now
        while self.now < end:
            self.tick()
            if self.now >= frame:
                frame += 1 / 30
                due = min(due + wanted / 30, 3 * wanted)
                if not self.line.is_full(self.now):
                    self.write(int(due))
                    due = 0
                    if self.line.asks_now(self.now):
                        self.ask()
            if self.line.narrow and not self.line.wait(self.now):
                self.line.give_up(self.now)
                room = self.line.piece
                piece = min(int(due), room)
                if piece:
                    self.ask()
                    self.write(piece)
                    due -= piece
                if not piece or room == MOST_PIECE:
                    self.line.narrow = not self.line.keeps_up(self.now)
        return self.sent - before


@pytest.mark.parametrize("rate", [10_000, 20_000, 50_000])
@pytest.mark.parametrize("delay", [0.001, 0.03])
@pytest.mark.parametrize("tells", [True, False])
def test_a_slow_line_is_busy_and_has_little_on_its_way(
    rate: float, delay: float, tells: bool
) -> None:
    terminal = Imitated(rate, delay, tells=tells)
    terminal.show(5, 200_000)
    terminal.most = 0
    assert terminal.show(10, 200_000) > 0.8 * rate * 10
    assert terminal.line.narrow
    assert terminal.most <= max(2000, 0.1 * rate) * (1 if tells else 1.5)


def test_a_line_that_becomes_slow_is_found_out_at_once() -> None:
    terminal = Imitated(10_000_000)
    terminal.show(0.2, 1_000_000)  # the first picture
    terminal.show(3, 50_000)
    assert not terminal.line.narrow
    terminal.rate = 20_000
    terminal.show(0.6, 50_000)
    assert terminal.line.narrow
    terminal.show(3, 50_000)
    terminal.most = 0
    terminal.show(5, 50_000)
    assert terminal.most <= 2000


def test_a_line_that_becomes_fast_again_takes_everything_again() -> None:
    terminal = Imitated(20_000)
    terminal.show(5, 50_000)
    terminal.rate = 10_000_000
    terminal.show(PROBATION + 5, 50_000)
    assert not terminal.line.narrow


@pytest.mark.parametrize("delay", [0.0005, 0.02, 0.2])
def test_a_fast_line_takes_everything_however_long_it_is(delay: float) -> None:
    terminal = Imitated(5_000_000, delay)
    terminal.show(3, 600_000)
    assert not terminal.line.narrow
    assert terminal.show(10, 600_000) == pytest.approx(6_000_000, rel=0.01)


def test_a_terminal_that_never_answers_is_written_to_as_if_nobody_asked() -> None:
    terminal = Imitated(20_000, answers=False)
    assert terminal.show(60, 50_000) == pytest.approx(3_000_000, rel=0.001)
    assert terminal.asked == 3


def test_a_terminal_that_answers_no_more_is_written_to_again() -> None:
    terminal = Imitated(20_000)
    terminal.show(5, 50_000)
    terminal.answers = False
    terminal.show(MUTE + 5, 50_000)
    assert not terminal.line.narrow
    assert terminal.show(5, 50_000) > 200_000
    terminal.answers = True
    terminal.show(300, 10_000)
    assert terminal.line.answers


@pytest.mark.parametrize("tells", [True, False])
def test_lost_answers_cost_little(tells: bool) -> None:
    terminal = Imitated(20_000, lost=10, tells=tells)
    terminal.show(5, 50_000)
    terminal.most = 0
    assert terminal.show(10, 50_000) > 0.6 * 200_000
    assert terminal.most <= 3000
