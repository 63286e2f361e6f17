"""Keys that are let go: what Textual does not yet hear of the kitty keyboard protocol.

https://sw.kovidgoyal.net/kitty/keyboard-protocol describes it. Textual has keys reported as escape
codes; here the terminal is asked to say, too, when a key repeats and when it is let go, and asked
back whether it does. This file relies on how Textual's parser and driver are made.
"""

from __future__ import annotations

import os
import re
from codecs import IncrementalDecoder, getincrementaldecoder
from collections.abc import Callable, Iterable
from enum import IntEnum
from functools import partial
from typing import Any

from textual import constants, events
from textual._keyboard_protocol import FUNCTIONAL_KEYS
from textual._xterm_parser import XTermParser
from textual.driver import Driver
from textual.drivers import linux_driver
from textual.keys import Keys, _character_to_key
from textual.message import Message

from pufftui.terminal.paced import PacedDriver

ASK = "\x1b[?u"
ALSO_EVENT_TYPES = "\x1b[=2;2u"
"""Adds a flag to those on top of the terminal's stack. Textual has pushed them and pops them when
it ends or is suspended, as `guard.c` does after a crash: so the flag goes with them."""

EVENT_TYPES, ALL_KEYS = 2, 8
"""Flags; without the second one, letters are reported as text and never let go."""

FLAGS = re.compile(r"\x1b\[\?(\d+)u")
KEY = re.compile(
    r"\x1b\[(?:(?P<code>\d+)(?::[\d:]*)?)?"
    r"(?:;(?P<modifiers>\d*)(?::(?P<motion>\d*))?)?"
    r"(?:;(?P<text>[\d:]*))?(?P<end>[u~ABCDEFHPQS])"
)
"""A key: its code and perhaps other codes of it, modifiers and motion, the text it types."""


class Motion(IntEnum):
    """What a key did."""

    DOWN = 1
    REPEAT = 2
    UP = 3


class KeyMotion(Message):
    """A key moved. `key` is its name without modifiers, as if it were pressed alone."""

    def __init__(self, key: str, motion: Motion) -> None:
        super().__init__()
        self.key, self.motion = key, motion


class ReleasesReported(Message):
    """Whether the terminal says when a key is let go."""

    def __init__(self, *, reported: bool) -> None:
        super().__init__()
        self.reported = reported


class _Flags(Message):
    """The terminal's answer to the question which flags it uses."""

    key = ""  # the parser looks at it

    def __init__(self, flags: int) -> None:
        super().__init__()
        self.flags = flags


class KeyParser(XTermParser):
    """Also reads motions. Of what Textual calls a key press, nothing changes."""

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[Any]:
        try:
            if flags := FLAGS.fullmatch(sequence):
                yield _Flags(int(flags[1]))
            elif key := KEY.fullmatch(sequence):
                motion = Motion(int(key["motion"] or 1))
                yield KeyMotion(key_name(key["code"] or "1", key["end"]), motion)
                if motion is not Motion.UP:
                    yield from super()._sequence_to_key_events(plain(key))
            else:
                yield from super()._sequence_to_key_events(sequence, alt)
        except (ValueError, OverflowError):  # no such character, no such motion
            yield events.Key(Keys.Ignore, sequence)


def key_name(code: str, end: str) -> str:
    """What Textual calls a key; raises `ValueError` or `OverflowError` if there is none."""
    return FUNCTIONAL_KEYS.get(f"{code}{end}") or _character_to_key(chr(int(code)))


def plain(key: re.Match[str]) -> str:
    """The sequence for the same key without motion and other codes, which Textual can read."""
    code, modifiers, text, end = key["code"] or "", key["modifiers"], key["text"], key["end"]
    if text:
        return f"\x1b[{code};{modifiers or ''};{text}{end}"
    return f"\x1b[{code};{modifiers}{end}" if modifiers else f"\x1b[{code}{end}"


class KeyDriver(PacedDriver):
    """Asks which flags the terminal uses, then for one more, then whether it does."""

    _asked = False

    def start_application_mode(self) -> None:
        self._asked = False
        super().start_application_mode()
        if self._writer_thread is not None and knows_questions():
            self.write(ASK)
            self.flush()

    def process_message(self, message: Message) -> None:
        if isinstance(message, _Flags):
            self._hear(message.flags)
        else:
            super().process_message(message)

    def _hear(self, flags: int) -> None:
        wanted = EVENT_TYPES | ALL_KEYS
        if self._asked or flags & wanted == wanted:
            super().process_message(ReleasesReported(reported=flags & wanted == wanted))
        elif flags & ALL_KEYS:
            self._asked = True
            self.write(ALSO_EVENT_TYPES + ASK)
            self.flush()


def knows_questions() -> bool:
    """Whether the terminal may be asked: Apple's prints what it does not understand."""
    return not constants.DISABLE_KITTY_KEY and os.environ.get("TERM_PROGRAM") != "Apple_Terminal"


def with_releases(driver: type[Driver]) -> type[Driver]:
    """The driver that also hears keys being let go, where there is one for it."""
    if driver is not linux_driver.LinuxDriver:
        return driver
    # It makes its own parser and decoder.
    linux_driver.XTermParser = KeyParser  # type: ignore[attr-defined]
    linux_driver.getincrementaldecoder = _any_bytes  # type: ignore[attr-defined, assignment]
    return KeyDriver


def _any_bytes(encoding: str) -> Callable[[], IncrementalDecoder]:
    """A decoder that reads bytes that are no text as a sign that nobody listens to.

    A key with the eighth bit set, or a text pasted in another encoding, would end the screen.
    """
    return partial(getincrementaldecoder(encoding), errors="replace")
