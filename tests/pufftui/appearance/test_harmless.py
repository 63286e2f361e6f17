"""The door through which texts of others come."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from pufftui.appearance.harmless import harmless, harmless_output, shortened

DANGEROUS = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


@given(st.text())
def test_nothing_but_letters_comes_out(text: str) -> None:
    shown = harmless(text)
    assert not DANGEROUS.search(shown)
    assert len(shown) == len(text)
    assert not DANGEROUS.search(harmless(text, lines=True).replace("\n", "").replace("\t", ""))
    assert harmless(shown) == shown


def test_what_cannot_be_printed_is_seen() -> None:
    assert harmless("a\nb\x1b[31mc\x9b2J\u202ed\u00a0e") == "a␊b␛[31mc\ufffd2J\ufffdd e"
    assert harmless("実験 é ●") == "実験 é ●"


def test_our_own_colours_stay_on_a_terminal() -> None:
    line = "\r\x1b[K\x1b[31mpufftui:\x1b[0m words"
    assert harmless_output(line) == line
    assert harmless_output("\x1b]0;title\x07 \x1b[2J\n") == "␛]0;title␇ ␛[2J\n"


def test_long_names_are_cut() -> None:
    assert shortened("x" * 300, 60) == "x" * 59 + "…"
    assert shortened("short", 60) == "short"
