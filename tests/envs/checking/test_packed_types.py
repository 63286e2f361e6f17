"""Bits and 16-bit numbers are checked as bytes and floats are."""

from __future__ import annotations

from pathlib import Path

import pytest

from pufftui.envs.catalogue import find_env
from pufftui.envs.checking.check import Report, check_env
from pufftui.envs.compiler import find_compiler

pytestmark = pytest.mark.skipif(find_compiler() is None, reason="there is no C compiler")

SENSES = Path(__file__).parents[2] / "c" / "senses.c"
WRITES = "    memcpy(observation, &seen, sizeof seen);\n"


def checked(tmp_path: Path, *changes: tuple[str, str]) -> Report:
    folder = tmp_path / "senses"
    folder.mkdir()
    text = SENSES.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    (folder / "senses.c").write_text(text, encoding="utf-8")
    return check_env(find_env(str(folder)), steps=20_000)


def texts(report: Report) -> list[str]:
    return [f"{finding.id}: {finding.text}" for finding in report.wrong]


def test_nothing_is_wrong_with_numbers_of_every_kind(tmp_path: Path):
    assert texts(checked(tmp_path)) == []


def test_bits_that_are_left_over_need_not_be_written(tmp_path: Path):
    some = """    uint8_t* to = observation;
    const uint8_t left_over = (uint8_t)(to[offsetof(senses_seen, switches) + 1] & 0xf8);
    seen.switches[1] |= left_over;
"""
    assert texts(checked(tmp_path, (WRITES, some + WRITES))) == []


def test_bits_that_are_never_written_are_found(tmp_path: Path):
    half = "    memcpy(observation, &seen, sizeof seen - 3);\n"
    found = texts(checked(tmp_path, (WRITES, half)))
    assert [text.partition(":")[0] for text in found] == ["unwritten", "unwritten", "final"]
    assert "switches[8], switches[9], switches[10] of the observation is never written" in found[0]
    assert "height of the observation is never written" in found[1]


def test_a_bit_that_is_not_cleared_is_found(tmp_path: Path):
    """It keeps what was there before."""
    before = "    uint8_t* bits = (uint8_t*)observation + offsetof(senses_seen, switches);\n"
    before += "    const uint8_t kept = bits[0] & 4;\n"
    found = texts(checked(tmp_path, (WRITES, before + WRITES + "    bits[0] |= kept;\n")))
    assert [text.partition(":")[0] for text in found] == ["unwritten", "final"]
    assert found[0].startswith("unwritten: switches[0], switches[1]")


def test_a_number_that_is_out_of_bounds_is_found(tmp_path: Path):
    (found,) = texts(checked(tmp_path, ("FROM_TO(-2000, 2000)", "FROM_TO(-1500, 2500)")))
    assert found.startswith("bounds: height of the observation is -2000 ")
    assert found.endswith("declared is -1500 to 2500.")


def test_bits_are_no_categories(tmp_path: Path):
    change = (".count = SWITCHES,", ".count = SWITCHES, .classes = 2,")
    (found,) = texts(checked(tmp_path, change))
    assert "the field switches has 2 classes" in found
