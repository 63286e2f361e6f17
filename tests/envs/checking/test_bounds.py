"""Whether observations stay within the low and high that their fields declare."""

from __future__ import annotations

from pathlib import Path

import pytest
from mistakes import BOUNDS, ENDS, broken

from pufftui.envs.catalogue import find_env
from pufftui.envs.checking.check import Report, check_env
from pufftui.envs.compiler import find_compiler

pytestmark = pytest.mark.skipif(find_compiler() is None, reason="there is no C compiler")

PADDLE = ".offset = 0, .count = 1, .dtype = PUFF_FLOAT32"
BALL = ".offset = 4, .count = 2, .dtype = PUFF_FLOAT32"
CUT_SHORT = [
    ("            io->terminals[0] = 1;\n", "            io->truncations[0] = 1;\n"),
    (ENDS, "            sick_observe(game, puff_final(io, 0));\n" + ENDS),
]
"""Episodes end by a time limit, and the ball is then in the lowest row."""


def checked(tmp_path: Path, paddle: str, ball: str, *changes: tuple[str, str]) -> Report:
    """The template with other bounds."""
    folder = broken(tmp_path, (PADDLE, PADDLE + paddle), (BALL, BALL + ball), *changes)
    return check_env(find_env(str(folder)), steps=20_000)


def texts(report: Report) -> list[str]:
    return [finding.text for finding in report.wrong]


def test_what_stays_within_is_right(tmp_path: Path):
    report = checked(tmp_path, BOUNDS, BOUNDS)
    assert texts(report) == []
    assert report.notes == []


def test_the_value_that_is_farthest_outside_is_named(tmp_path: Path):
    report = checked(tmp_path, BOUNDS, ", .low = 0.1, .high = 0.5")
    (text,) = texts(report)
    assert text.startswith("ball[0] of the observation is 1 ")
    assert text.endswith(" of an episode; declared is 0.1 to 0.5.")
    assert [finding.id for finding in report.wrong] == ["bounds"]


def test_a_step_is_counted_from_the_beginning_of_its_episode(tmp_path: Path):
    row = (
        "(float)game->row / (ROWS - 1)",
        "game->balls == 2 && game->row == 3 ? -7.25f : 0.5f * (float)(game->row & 1)",
    )
    (text,) = texts(checked(tmp_path, BOUNDS, BOUNDS, row))
    assert (
        text == "ball[1] of the observation is -7.25 in step 21 of an episode; declared is 0 to 1."
    )


def test_the_first_observation_counts(tmp_path: Path):
    row = (
        "(float)game->row / (ROWS - 1)",
        "game->balls == 0 && game->row == 0 ? 3.0f : 0.5f * (float)(game->row & 1)",
    )
    (text,) = texts(checked(tmp_path, BOUNDS, BOUNDS, row))
    assert (
        text
        == "ball[1] of the observation is 3 at the beginning of an episode; declared is 0 to 1."
    )


def test_the_last_observation_of_what_is_cut_short_counts(tmp_path: Path):
    """In the lowest row nobody sees the ball but whoever values the end."""
    report = checked(tmp_path, BOUNDS, BOUNDS, *CUT_SHORT)
    assert texts(report) == []
    lower = ("(float)game->row / (ROWS - 1)", "2 * (float)game->row / (ROWS - 1) - 0.75f")
    (tmp_path / "lower").mkdir()
    report = checked(tmp_path / "lower", BOUNDS, ", .low = -0.75, .high = 1.2", *CUT_SHORT, lower)
    (text,) = texts(report)
    assert (
        text
        == "ball[1] of the observation is 1.25 in step 90 of an episode; declared is -0.75 to 1.2."
    )


def test_what_was_never_written_is_not_out_of_bounds(tmp_path: Path):
    """It has a finding of its own."""
    report = checked(tmp_path, BOUNDS, BOUNDS, CUT_SHORT[0])
    assert {finding.id for finding in report.wrong} == {"final"}


def test_numbers_of_any_size_are_right_if_their_range_is_declared(tmp_path: Path):
    far = ("(float)game->row / (ROWS - 1)", "(float)game->row * 1000")
    report = checked(tmp_path, BOUNDS, ", .low = 0, .high = 9000", far)
    assert texts(report) == []


def test_a_range_of_which_little_is_used_is_worth_a_word(tmp_path: Path):
    report = checked(tmp_path, ", .low = -1000, .high = 1000", BOUNDS)
    assert texts(report) == []
    (note,) = report.notes
    assert note == "paddle was from 0 to 1 in play; declared is -1000 to 1000."


@pytest.mark.parametrize(
    ("bounds", "says"),
    [
        (", .low = 2, .high = 1", "the field paddle goes from 2 to 1"),
        (", .low = 1, .high = 1", "the field paddle goes from 1 to 1"),
        (", .low = -__builtin_inff(), .high = 1", "the field paddle goes from -inf to 1"),
        (', .low = 0, .high = __builtin_nanf("")', "the field paddle goes from 0 to nan"),
    ],
)
def test_what_is_no_range_is_refused(tmp_path: Path, bounds: str, says: str):
    report = checked(tmp_path, bounds, BOUNDS)
    assert [finding.id for finding in report.wrong] == ["declared"]
    assert says in texts(report)[0]


def test_categories_have_no_range(tmp_path: Path):
    report = checked(
        tmp_path,
        "",
        BOUNDS,
        ("    float paddle;\n", "    uint8_t paddle, rest[3];\n"),
        ("(float)game->paddle * scale", "(uint8_t)game->paddle"),
        (PADDLE, ".offset = 0, .count = 4, .dtype = PUFF_UINT8, .classes = 9, .low = 0, .high = 8"),
    )
    assert [finding.id for finding in report.wrong] == ["declared"]
    assert "the field paddle has classes, and low and high beside them" in texts(report)[0]


def test_rows_of_a_map_are_equally_long(tmp_path: Path):
    report = checked(
        tmp_path,
        "",
        BOUNDS,
        ("    float paddle;\n", "    uint8_t paddle, rest[3];\n"),
        ("(float)game->paddle * scale", "(uint8_t)game->paddle"),
        (PADDLE, ".offset = 0, .count = 4, .dtype = PUFF_UINT8, .classes = 9, .columns = 3"),
    )
    assert [finding.id for finding in report.wrong] == ["declared"]
    assert "the field paddle has 4 elements in 3 columns" in texts(report)[0]
