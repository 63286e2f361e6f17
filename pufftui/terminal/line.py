"""How much a terminal may be sent now, learned from when it answers.

A terminal that is asked where its cursor is answers once it has read all that it was sent before. A
question goes ahead of every piece: its answer says that the piece before has arrived. So no more than
two pieces are on their way, and the line is busy all the same. Times are seconds of one clock.
"""

from __future__ import annotations

QUESTION = "\x1b[6n"
MARKS = range(2, 10)
"""Columns of the first row to which the cursor goes before a question, so that each answer tells its own.
A terminal that always tells another place is believed to answer the latest question."""

LATE = 0.1
"""An answer later than this, beyond what it takes on an idle line, means that the line is full."""

PIECE = 0.03
"""What one piece may take. Two of them are on their way: an answer to a key waits no longer."""

QUEUED = 0.02
"""An answer later than this, beyond what it takes on an idle line, tells how fast the line is."""

AHEAD = 1.25
"""Parts of what a long line holds in one piece: more than all of it, or it would never be full."""

LEAST_PIECE, MOST_PIECE = 400, 1 << 20
"""Bytes of a piece; what it takes to colour and place letters is a few dozen of them. A fast line gets all."""

SLOWEST, UNKNOWN, FAST = LEAST_PIECE / PIECE, 200_000.0, 250_000.0
"""Bytes a second: what is assumed of a line that was full, of one that is new, and of one on which
everything is written at once."""

PROBATION = 60.0
"""Seconds without a sign of it after which a line counts as slow no longer: it may have been something else."""

GROWTH = 1.25
"""By how much a line is believed to be faster, at most, after each piece that has not filled it."""

BETWEEN = 0.1
"""Seconds between questions on a fast line."""

PATIENCE, MOST_PATIENCE = 0.15, 2.0
"""Seconds after which a lost answer is no longer awaited; twice as long each time in a row."""

MUTE = 10.0
"""Seconds without an answer after which a terminal counts as one that gives none."""

FIRST_ASKED = 3
"""Questions to a terminal that has never answered, with `MOST_PATIENCE` between."""


class Line:
    """A line to a terminal: it starts as one that takes everything, as long as nothing answers."""

    def __init__(self, now: float) -> None:
        self.answers = False
        """Whether the terminal answers at all."""
        self.narrow = False
        """Whether pieces are sent as there is room for them, instead of all that there is to say."""
        self.rate = UNKNOWN
        """Bytes a second, as far as is known."""
        self._asked: float | None = None  # when the question that is open was put
        self._began = 0.0  # when the piece before it was written, or began to arrive
        self._last = now  # when the last question was put or answered
        self._answered = now  # when the last answer came
        self._least = float("inf")  # what an answer takes on an idle line
        self._before = self._since = 0  # bytes written before the open question, and after it
        self._patience = PATIENCE
        self._mark: int | None = None  # where the cursor was put for the open question
        self._slow = now  # when there was a sign last that the line is slow
        self._put = 0  # questions since the last answer
        self._ever = False  # whether an answer has ever come

    @property
    def piece(self) -> int:
        """Bytes of the next piece."""
        if self.rate >= FAST:
            return MOST_PIECE
        delay = 0.0 if self._least == float("inf") else min(self._least, 1.0)
        return int(max(LEAST_PIECE, self.rate * max(PIECE, AHEAD * delay)))

    def wrote(self, count: int) -> None:
        """That many bytes were written."""
        self._since += count

    def ask(self, now: float) -> str:
        """What to write ahead of the next piece, or behind what was written on a line that takes all."""
        if self._asked is None:
            self._began, self._before = max(self._answered, self._last), 0
        self._before, self._since = self._before + self._since, 0
        self._asked, self._last = now, now
        self._put += 1
        if not self.narrow:
            self._mark = None
            return QUESTION
        mark = MARKS[0] if self._mark is None else self._mark + 1
        self._mark = mark if mark in MARKS else MARKS[0]
        return f"\x1b[1;{self._mark}H{QUESTION}"

    def asks_now(self, now: float) -> bool:
        """Whether a question is due on a line that takes everything."""
        if self.answers:
            return self._asked is None and now - self._last >= BETWEEN
        if self._ever:
            return now - self._last >= MUTE
        return self._put < FIRST_ASKED and now - self._last >= MOST_PATIENCE

    def is_full(self, now: float) -> bool:
        """Whether what was written has been on its way for too long; the line is narrow from then on."""
        if self.answers and not self.narrow and self._asked is not None:
            least = 0.0 if self._least == float("inf") else self._least
            if now - self._asked > LATE + least:
                self.narrow, self.rate, self._slow = True, SLOWEST, now
        return self.narrow

    def wait(self, now: float) -> float:
        """Seconds until the next piece may be sent without an answer; 0 if it may now."""
        if self._asked is None:
            return 0.0
        usual = 4 * self._before / self.rate + 2 * min(self._least, LATE)
        return max(0.0, self._asked + min(MOST_PATIENCE, max(self._patience, usual)) - now)

    def give_up(self, now: float) -> None:
        """Waits no longer for an answer, if one is due; from some time on, nothing is held back."""
        if self._asked is None:
            return
        self._patience = min(MOST_PATIENCE, self._patience * 2)
        self.rate = max(SLOWEST, self.rate / 2)
        if now - self._answered > MUTE:
            self.answers = self.narrow = False

    def hear(self, now: float, place: tuple[int, int] = (0, 0)) -> None:
        """The terminal has answered: its cursor is at that row and column, from 1."""
        first, asked, late = not self.answers, self._asked, self._patience > PATIENCE
        self.answers = self._ever = True
        if first:
            self.narrow, self.rate = True, UNKNOWN
        row, column = place
        other = self._mark is not None and row == 1 and column in MARKS and column != self._mark
        if asked is None or now < asked or other:  # to an earlier question, no longer awaited
            return
        self._asked, self._answered, self._last = None, now, now
        self._put, self._patience = 0, PATIENCE
        took = now - asked
        if not late:
            self._least = min(self._least, took)
        if self.narrow and not first:
            measured = self._before / max(now - self._began, 0.001)
            self._learn(measured, took - self._least if not late else LATE)

    def _learn(self, measured: float, queued: float) -> None:
        """From bytes a second of one piece, and for how long the line was busy with it."""
        if queued > QUEUED:
            self._slow = self._answered
            self.rate = max(
                SLOWEST, (self.rate + measured) / 2 if measured > self.rate / 4 else measured
            )
        elif measured > self.rate:
            self.rate = min(measured, self.rate * GROWTH)

    def keeps_up(self, now: float) -> bool:
        """Whether the line can take everything again, once nothing is left to be sent."""
        return self.rate >= FAST or now - self._slow > PROBATION
