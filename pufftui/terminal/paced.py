"""A driver that sends a slow terminal no more than it can take.

Nothing changes for a terminal that keeps up, or that never answers. For any other, what the app writes
is kept as cells (grids.py), and whenever the line has room (line.py), what differs goes there: a dialog
first and nothing behind it, else figures, and with what room is left the moving picture, one frame
after the other. This file relies on how Textual's driver writes.
"""

from __future__ import annotations

import asyncio
import os
import select
import time
from contextlib import suppress
from typing import Any

from textual import events
from textual.app import App
from textual.drivers import linux_driver
from textual.geometry import Region, Size
from textual.message import Message
from textual.widget import Widget

from pufftui.terminal.direct import BEGIN, END
from pufftui.terminal.grids import LEAST_ROOM, Grids
from pufftui.terminal.line import MOST_PIECE, Line

TITLE, TITLE_BEFORE = "\x1b[22;2t\x1b]2;pufftui\x1b\\", "\x1b[23;2t"
"""Names the window after the program, by which a recorder finds it, and nothing that is private; gives
the title of before back."""

UNTITLED = ("linux", "vt", "cons", "screen")
"""Terminals without a window of their own, by the beginning of their names."""

POINTER = "\x1b]22;"
"""Begins what would change the mouse's pointer."""

NOTHING = Region(0, 0, 0, 0)

SHARE = 3
"""The picture has at least one part of so many, however much else there is to say."""

REACTION = 0.15
"""Seconds after a key for which the picture waits, so that the line is free for what the key does."""

LAST_ANSWER = 0.3
"""Seconds to wait for an answer that is on its way when the terminal is given back. Later ones would be
typed into the shell."""

BEHIND = 1.0
"""Seconds for which what lies behind a dialog is sent, too, once that was asked for: the panels there
draw themselves one after the other."""

PAUSE = 1.0
"""Seconds without a key after which the next one is waited for so: who plays hits keys all the time."""


class PacedDriver(linux_driver.LinuxDriver):
    """Keeps figures young and keys quick on a line of any speed."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.moving = NOTHING
        """Where on the screen the moving picture is, which may wait for everything else."""
        self._line = Line(time.monotonic())
        self._grids: Grids | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_ours = False  # whether the terminal shows the app, and nothing else
        self._has_answered = False  # whether the terminal has ever told where its cursor is
        self._expects = False  # whether it has not told so since it was asked last
        self._key = 0.0  # when a key was hit last
        self._until = 0.0  # until when the picture waits
        self._behind: float | None = None  # until when what lies behind a dialog is sent, too
        self._erases = _erases()

    def start_application_mode(self) -> None:
        self._line, self._grids = Line(time.monotonic()), None
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._is_ours = True
        if self._writer_thread is not None:
            self._send(self._title(TITLE))
            self._send(self._ask(time.monotonic()))
            self.flush()

    def stop_application_mode(self) -> None:
        self._is_ours = False
        self._line, self._grids = Line(time.monotonic()), None
        self._stop_timer()
        if self._writer_thread is not None:
            self._send(self._title(TITLE_BEFORE))
        super().stop_application_mode()

    def disable_input(self) -> None:
        """Also takes in the answer that is on its way: once the terminal is given back, it would echo it."""
        super().disable_input()
        end = time.monotonic() + LAST_ANSWER
        expects, self._expects = self._expects and self._has_answered, False
        with suppress(OSError):
            while (
                expects
                and select.select([self.fileno], [], [], max(0.0, end - time.monotonic()))[0]
            ):
                seen = os.read(self.fileno, 1024)
                expects = bool(seen) and b"R" not in seen

    def process_message(self, message: Message) -> None:
        """Hears answers and keys, in the thread that reads the keyboard."""
        if isinstance(message, events.CursorPosition):
            self._has_answered, self._expects = True, False
            with suppress(RuntimeError):  # the loop has ended
                place = message.y + 1, message.x + 1
                self._loop.call_soon_threadsafe(self._take_answer, time.monotonic(), place)
            return
        if isinstance(message, events.Key):
            now = time.monotonic()
            if now - self._key > PAUSE:
                self._until = now + REACTION
            self._key = now
        super().process_message(message)

    def _get_terminal_size(self) -> tuple[int, int]:
        """Asked whenever the terminal's size has changed, and what it shows with it."""
        self._grids = None
        return super()._get_terminal_size()

    @property
    def is_narrow(self) -> bool:
        """Whether the line is too slow for all that there is to say."""
        return self._line.narrow

    @property
    def hides_behind(self) -> bool:
        """Whether nothing is sent of what lies behind a dialog, should there be one."""
        return self.is_narrow and self._behind is None and not _shows_behind(self._app)

    def show_behind(self) -> None:
        """Also sends what lies behind a dialog, for a moment, and until all of that is shown once."""
        self._behind = time.monotonic() + BEHIND
        self._pump()

    def write(self, data: str) -> None:
        """Writes at once, or keeps it for when the line has room."""
        if data.startswith(
            POINTER
        ):  # nothing here needs another pointer, and some terminals complain
            return
        line, now = self._line, time.monotonic()
        grids = self._known()
        if grids is None:
            self._send(data)
        elif line.is_full(now):
            self._send(grids.write(data, through=False))
            self._pump()
        else:
            grids.write(data, through=True)
            self._send(data)
            if line.asks_now(now):
                self._send(self._ask(now))

    def _known(self) -> Grids | None:
        """The cells of the screen, once the app has a size."""
        size = Size(*self._app.size)
        if self._grids is None or self._grids.size != size:
            self._grids = Grids(size) if size.area else None
        return self._grids

    def _title(self, sequence: str) -> str:
        """A sequence about the window's title, where it has one."""
        return "" if os.environ.get("TERM", "").startswith(UNTITLED) else sequence

    def _ask(self, now: float) -> str:
        """The question where the cursor is, to be written."""
        self._expects = True
        return self._line.ask(now)

    def _send(self, data: str) -> None:
        if data:
            self._line.wrote(len(data.encode(errors="replace")))
            super().write(data)

    def _take_answer(self, now: float, place: tuple[int, int]) -> None:
        if self._writer_thread is None or not self._is_ours:
            return
        self._line.hear(now, place)
        self._pump()

    def _pump(self) -> None:
        """Sends the next piece, if there is room for it and something to say."""
        self._stop_timer()
        line, grids, now = self._line, self._known(), time.monotonic()
        if not line.narrow or grids is None or self._writer_thread is None:
            return
        if wait := line.wait(now):
            self._timer = self._loop.call_later(wait, self._pump)
            return
        line.give_up(now)
        front, room = self._front(), line.piece
        alone = front is not None and self.hides_behind
        piece = self._piece(grids, room, front, alone=alone)
        if piece:
            question, text = self._ask(now), piece.decode(errors="replace")
            self._send(question + (f"{BEGIN}{text}{END}" if self._app._sync_available else text))  # noqa: SLF001
        everything = not alone and now >= self._until
        if everything and (not piece or room == MOST_PIECE):
            if self._behind is not None and now >= self._behind:
                self._behind = None
            line.narrow = not line.keeps_up(now)
        if piece and line.narrow:
            self._timer = self._loop.call_later(line.wait(now), self._pump)

    def _piece(self, grids: Grids, room: int, front: Region | None, *, alone: bool) -> bytes:
        """What comes next, in at most that many bytes: a dialog in front, and the rest if it is not `alone`."""
        screen = grids.size.region
        first = b""
        if front is not None:
            part = front.intersection(screen)
            grids.order(part)
            first = grids.send(part, NOTHING, room, text=True, erases=self._erases)
            room -= len(first)
            if alone:
                return first
        moving = self.moving.intersection(screen)
        for part in around(moving, screen):
            grids.order(part)
        figures = grids.send(screen, moving, room - room // SHARE, text=True, erases=self._erases)
        picture = self._picture(grids, moving, room - len(figures))
        room -= len(figures) + len(picture)
        more = grids.send(screen, moving, room, text=True, erases=self._erases)
        return first + figures + more + picture

    def _picture(self, grids: Grids, moving: Region, room: int) -> bytes:
        """More of the frame that is on its way, or else the beginning of the newest one."""
        if room < LEAST_ROOM or time.monotonic() < self._until:
            return b""
        rest = grids.send(moving, NOTHING, room, text=False, erases=self._erases)
        if rest:
            return rest
        grids.order(moving)
        return grids.send(moving, NOTHING, room, text=False, erases=self._erases)

    def _front(self) -> Region | None:
        """Where a dialog is that lies over everything; None without one."""
        stack = self._app.screen_stack
        if not stack or not stack[-1].is_modal:
            return None
        return Region.from_union(
            [child.region for child in stack[-1].children if child.display and child.visible]
            or [NOTHING]
        )

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def around(hole: Region, whole: Region) -> list[Region]:
    """The parts of a region that surround a hole in it."""
    above, below = hole.y, whole.bottom - hole.bottom
    parts = [
        Region(0, 0, whole.width, above),
        Region(0, hole.bottom, whole.width, below),
        Region(0, hole.y, hole.x, hole.height),
        Region(hole.right, hole.y, whole.right - hole.right, hole.height),
    ]
    return [part for part in parts if part.area]


def moves_at(app: App[Any], region: Region) -> None:
    """Says where on the screen something moves, which a slow line shows with what room is left."""
    if isinstance(driver := app._driver, PacedDriver):  # noqa: SLF001
        driver.moving = region


def is_narrow(app: App[Any]) -> bool:
    """Whether the line is too slow for all that there is to say."""
    driver = app._driver  # noqa: SLF001
    return isinstance(driver, PacedDriver) and driver.is_narrow


def hides_behind(app: App[Any]) -> bool:
    """Whether nothing is sent of what lies behind a dialog."""
    driver = app._driver  # noqa: SLF001
    return isinstance(driver, PacedDriver) and driver.hides_behind


def is_out_of_sight(widget: Widget) -> bool:
    """Whether a widget lies behind a dialog on a slow line, which shows nothing there until it is closed."""
    if not widget.is_attached or widget.screen is widget.app.screen:
        return False
    return is_narrow(widget.app) and not _shows_behind(widget.app)


def _shows_behind(app: App[Any]) -> bool:
    """Whether the dialog in front acts on what lies behind it."""
    return bool(app.screen_stack) and getattr(app.screen, "shows_behind", False)


def show_behind(app: App[Any]) -> None:
    """Also shows what has changed behind a dialog, where a slow line would leave it as it was."""
    if isinstance(driver := app._driver, PacedDriver):  # noqa: SLF001
        driver.show_behind()
        if app.screen.is_modal:
            app.screen.refresh()


def _erases() -> bool:
    """Whether the terminal erases letters in the colour behind, as far as its database knows."""
    try:
        import curses

        curses.setupterm(fd=1)
        return curses.tigetflag("bce") == 1 and curses.tigetstr("ech") is not None
    except Exception:  # noqa: BLE001 - no curses, or a terminal that is too new for its database
        return False
