"""The kitty keyboard protocol: every sequence, a terminal that speaks it, and those that do not."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual import events
from textual._xterm_parser import XTermParser
from textual.keys import Keys

from pufftui.keys.kitty import KeyMotion, KeyParser, Motion

DOWN, REPEAT, UP = Motion.DOWN, Motion.REPEAT, Motion.UP


def heard(*sequences: str) -> tuple[list[tuple[str, Motion]], list[tuple[str, str | None]]]:
    """Motions and key presses of these sequences."""
    parser = KeyParser()
    messages = [message for sequence in sequences for message in parser.feed(sequence)]
    motions = [(m.key, m.motion) for m in messages if isinstance(m, KeyMotion)]
    return motions, [(m.key, m.character) for m in messages if isinstance(m, events.Key)]


@pytest.mark.parametrize(
    ("sequence", "motion", "press"),
    [
        # Letters: pressed with and without what they type, repeated, let go.
        ("\x1b[97;;97u", ("a", DOWN), ("a", "a")),
        ("\x1b[97;1:1;97u", ("a", DOWN), ("a", "a")),
        ("\x1b[97;1:2;97u", ("a", REPEAT), ("a", "a")),
        ("\x1b[97;1:3u", ("a", UP), None),
        ("\x1b[97;;97:98u", ("a", DOWN), ("a", "a")),  # two characters from one key
        # The same key with modifiers is the same key.
        ("\x1b[97;2:1;65u", ("a", DOWN), ("A", "A")),
        ("\x1b[97;2:3u", ("a", UP), None),
        ("\x1b[99;5u", ("c", DOWN), ("ctrl+c", None)),
        ("\x1b[99;5:2u", ("c", REPEAT), ("ctrl+c", None)),
        ("\x1b[99;5:3u", ("c", UP), None),
        ("\x1b[99;6:1u", ("c", DOWN), ("ctrl+shift+c", None)),
        ("\x1b[97;65:1;97u", ("a", DOWN), ("a", "a")),  # caps lock is no modifier here
        ("\x1b[97;129:3u", ("a", UP), None),  # nor is num lock
        # Other codes of the same key: shifted, and its place on a US keyboard.
        ("\x1b[97:65;2;65u", ("a", DOWN), ("A", "A")),
        ("\x1b[1092::97;1:1;1092u", ("ф", DOWN), ("ф", "ф")),
        ("\x1b[1092::97;1:3u", ("ф", UP), None),
        # Arrows and the like, in their two forms.
        ("\x1b[D", ("left", DOWN), ("left", None)),
        ("\x1b[1;1:1D", ("left", DOWN), ("left", None)),
        ("\x1b[1;1:2D", ("left", REPEAT), ("left", None)),
        ("\x1b[1;1:3D", ("left", UP), None),
        ("\x1b[1;2:1C", ("right", DOWN), ("shift+right", None)),
        ("\x1b[1;2:3C", ("right", UP), None),
        ("\x1b[3;1:3~", ("delete", UP), None),
        ("\x1b[15;1:1~", ("f5", DOWN), ("f5", None)),
        ("\x1b[1;1:3P", ("f1", UP), None),
        ("\x1b[57399;1:3u", ("0", UP), None),  # on the keypad
        # Keys that are text elsewhere.
        ("\x1b[32;;32u", ("space", DOWN), ("space", " ")),
        ("\x1b[32;2:1;32u", ("space", DOWN), ("shift+space", " ")),
        ("\x1b[32;1:3u", ("space", UP), None),
        ("\x1b[13u", ("enter", DOWN), ("enter", "\r")),
        ("\x1b[13;1:3u", ("enter", UP), None),
        ("\x1b[27u", ("escape", DOWN), ("escape", None)),
        ("\x1b[27;1:3u", ("escape", UP), None),
        ("\x1b[44;2:1;60u", ("comma", DOWN), ("less_than_sign", "<")),
        ("\x1b[44;2:3u", ("comma", UP), None),
        # Modifiers themselves.
        ("\x1b[57441;2u", ("left_shift", DOWN), ("left_shift", None)),
        ("\x1b[57441;2:1u", ("left_shift", DOWN), ("left_shift", None)),
        ("\x1b[57441;1:3u", ("left_shift", UP), None),
        ("\x1b[57447;2:3u", ("right_shift", UP), None),
        ("\x1b[57442;5:3u", ("left_control", UP), None),
    ],
)
def test_every_kind_of_sequence(sequence, motion, press) -> None:
    motions, presses = heard(sequence)
    assert motions == [motion]
    if press is None:
        assert presses == []
    else:
        key, character = press
        assert presses[0][0] == key
        assert character is None or presses[0][1] == character


def test_a_text_without_a_key_is_typed() -> None:
    """As input methods send it."""
    _, presses = heard("\x1b[0;;229u")
    assert presses == [("å", "å")]


@pytest.mark.parametrize(
    "sequence",
    [
        "\x1b[97;1:7u",  # no such motion
        "\x1b[97;1:0u",
        "\x1b[1114112u",  # no such character
        "\x1b[1114112;1:3u",
        "\x1b[99999999999999999999u",
        "\x1b[97;;1114112u",
        "\x1b[97;;:u",
        "\x1b[97;99:3u",
        "\x1b[63743;1:1u",
        "\x1b[?27u",
        "\x1b[?u",
        "\x1b[u",
        "\x1b[;u",
        "\x1b[;;u",
        "\x1b[:::;:;:u",
    ],
)
def test_nonsense_never_raises_and_the_next_key_is_heard(sequence) -> None:
    motions, presses = heard(sequence, "\x1b[98;1:1;98u", "\x1b[98;1:3u")
    assert motions[-2:] == [("b", DOWN), ("b", UP)]
    assert presses[-1] == ("b", "b")
    assert not any(key == Keys.Ignore for key, _ in presses)


@settings(max_examples=400)
@given(st.text(st.sampled_from("0123456789;:?=<>uABCD~ma[\x1b"), max_size=24))
def test_whatever_comes_nothing_raises(text: str) -> None:
    parser = KeyParser()
    for _ in parser.feed(f"\x1b[{text}"):
        pass
    for _ in parser.feed("x"):
        pass


@settings(max_examples=200)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\x1b"), min_size=1, max_size=5))
def test_other_terminals_are_heard_as_before(text: str) -> None:
    ours, theirs = KeyParser(), XTermParser()
    for part in (text, "\x1b[<0;5;5M", "\x1b[I", "\x1bOA", "\x1b[200~p\x1b[201~", "\x1b[5;7R"):
        expected = [(type(message), getattr(message, "key", None)) for message in theirs.feed(part)]
        found = [(type(message), getattr(message, "key", None)) for message in ours.feed(part)]
        assert [each for each in found if each[0] is not KeyMotion] == expected


# The whole program in a terminal.


ASKED = re.compile(rb"\x1b\[([>=<?])(\d*);?(\d*)u")


class Terminal:
    """A terminal that speaks the protocol, or only says so, or does not know it."""

    def __init__(
        self, folder: Path, *, flags: int = 0b11111, knows: bool = True, name: str = ""
    ) -> None:
        self.outer, inner = pty.openpty()
        termios.tcsetwinsize(inner, (40, 120))
        self.flags, self.knows = flags, knows
        self.said, self.answered, self.asked = b"", 0, 0
        self.stack = [0]
        self.before = termios.tcgetattr(inner)
        self.inner = inner
        code = (
            "from pufftui.__main__ import main\n"
            "print('STATUS', main(['play', 'breakout', '--from', 'random']))\n"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            env=os.environ
            | {"TERM": "xterm-kitty", "PUFFTUI_RUNS": str(folder), "TERM_PROGRAM": name},
            cwd=folder,
            start_new_session=True,
        )

    def type(self, *sequences: str) -> None:
        for sequence in sequences:
            os.write(self.outer, sequence.encode())
            time.sleep(0.05)

    def until(self, words: str, seconds: float = 60, start: int | None = None) -> None:
        """Reads on, and answers, until something is on the screen, new or since `start`."""
        end, start = time.monotonic() + seconds, len(self.said) if start is None else start
        while words.encode() not in self.said[start:]:
            assert time.monotonic() < end, self.said[-3000:]
            self.read(0.1)

    def read(self, seconds: float) -> None:
        if select.select([self.outer], [], [], seconds)[0]:
            self.said += os.read(self.outer, 65536)
            for match in ASKED.finditer(self.said, self.answered):
                self.answered = match.end()
                self.answer(*match.groups())

    def answer(self, sign: bytes, first: bytes, second: bytes) -> None:
        if sign == b">":
            self.stack.append(int(first or 0) & self.flags)
        elif sign == b"<" and len(self.stack) > 1:
            self.stack.pop()
        elif sign == b"=":
            assert second == b"2"  # add to what is there
            self.stack[-1] |= int(first) & self.flags
        elif sign == b"?":
            self.asked += 1
            if self.knows:
                self.type(f"\x1b[?{self.stack[-1]}u")

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.outer)
        os.close(self.inner)


@pytest.fixture
def terminal(tmp_path: Path):
    opened: list[Terminal] = []

    def open_one(**options: object) -> Terminal:
        opened.append(Terminal(tmp_path, **options))
        opened[-1].until("any key begins")
        return opened[-1]

    yield open_one
    for one in opened:
        one.end()


def test_a_terminal_that_speaks_it_gets_held_keys(terminal) -> None:
    one = terminal()
    one.until("keys held", start=0)
    assert one.stack == [0, 0b11011]
    # A held key is held without being repeated, until it is let go.
    one.type("\x1b[27u", "\x1b[27;1:3u")
    one.until("m")
    one.type("\x1b[57441;2u")
    one.until("let go of shift to hand back")
    one.type("\x1b[57441;1:3u")
    one.until("take over")
    one.type("\x1b[99;5u")
    one.until("STATUS 0")
    assert one.process.wait(20) == 0
    assert one.stack == [0]
    assert termios.tcgetattr(one.inner) == one.before


@pytest.mark.parametrize(
    "options",
    [
        {"knows": False},
        {"flags": 0b11101},  # without event types
        {"flags": 0b10111},  # without escape codes for letters
        {"flags": 0},
        {"name": "Apple_Terminal"},
    ],
)
def test_other_terminals_keep_latched_keys(terminal, options) -> None:
    one = terminal(**options)
    end = time.monotonic() + 2
    while time.monotonic() < end:
        one.read(0.1)
    assert b"keys held" not in one.said
    assert b"keys latch" in one.said
    assert one.asked == ("name" not in options) + (options.get("flags") == 0b11101)
    one.type("\x03")
    one.until("STATUS 0")
    assert one.stack == [0]


def test_it_is_switched_off_while_suspended_and_after_a_crash(terminal) -> None:
    one = terminal()
    one.until("keys held", start=0)
    os.kill(one.process.pid, signal.SIGTSTP)
    one.until("\x1b[?1049l")
    assert one.stack == [0]
    while psutil.Process(one.process.pid).status() != psutil.STATUS_STOPPED:
        one.read(0.05)
    asked = one.asked
    os.kill(one.process.pid, signal.SIGCONT)
    one.until("\x1b[?1049h")
    end = time.monotonic() + 20
    while one.asked < asked + 2 and time.monotonic() < end:
        one.read(0.1)
    assert one.stack == [0, 0b11011]
    os.kill(one.process.pid, signal.SIGSEGV)
    one.until("segmentation fault")
    assert one.stack == [0]
