"""Environments with one mistake each: the template of `pufftui env new`, changed in a place or two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pufftui.envs.scaffold import new_env

Change = tuple[str, str]
"""Text of the template, and what stands there instead."""


def broken(tmp_path: Path, *changes: Change) -> Path:
    """The folder of the template with some of its text replaced, without its own tests.

    Its settings, and fields without low and high, leave it to the author that rewards and observations
    are of size one.
    """
    folder = new_env("sick", tmp_path)
    (folder / "test_sick.c").unlink()
    toml = folder / "sick.toml"
    settings = toml.read_text(encoding="utf-8")
    settings = settings.replace("[train]", "[train]\nreward_scale = 1.0")
    settings = settings.replace("[policy]", '[policy]\nnormalise = "off"')
    toml.write_text(settings, encoding="utf-8")
    source = folder / "sick.c"
    text = source.read_text(encoding="utf-8").replace(BOUNDS, "")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    source.write_text(text, encoding="utf-8")
    return folder


def before(place: str, new: str) -> Change:
    """A change that puts something in front of a text."""
    return place, new + place


def includes(*names: str) -> Change:
    """A change that includes more headers."""
    return before("#include <string.h>", "".join(f"#include <{name}.h>\n" for name in names))


BOUNDS = ", .low = 0, .high = 1"
STEP_BEGINS = "    game->last_paddle = game->paddle;\n    game->last_row"
"""The first line of the step."""
OBSERVES = "    memcpy(observation, &seen, sizeof seen);\n"
STATE = "    puff_random random;\n"
INIT = "    game->columns = (int32_t)params[COLUMNS];\n"
CAUGHT = "caught ? 1.0f : -1.0f"
ENDS = "            sick_reset(state, io);\n            return;\n"

COUNTED = before(STATE, "    int64_t age;\n")
"""Has a game count its steps in `age`, with `AGES` at the beginning of a step."""
AGES = "    game->age++;\n"


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake: what the check calls it, and a part of what it says.

    `train` is a part of what training says of it, nothing if it cannot meet it.
    """

    finding: str
    says: str
    changes: Sequence[Change]
    train: str = ""


MISTAKES = {
    "NaN reward": Mistake("finite", "rewards are infinite or not a number", [(CAUGHT, "caught ? 1.0f : (float)NAN"), includes("math")], train="the reward of agent 0 in environment"),
    "NaN observation": Mistake(
        "finite",
        "ball[1] of the observation is infinite or not a number",
        [COUNTED, includes("math"), before(STEP_BEGINS, AGES),
         ("(float)game->row / (ROWS - 1)", "game->age == 1000 ? (float)NAN : (float)game->row / (ROWS - 1)")], train="observation ball[1] of agent 0"),
    "infinite reward": Mistake("finite", "rewards are infinite or not a number", [(CAUGHT, "caught ? (float)INFINITY : -1.0f"), includes("math")], train="The environment gives numbers that are not finite"),
    "writing past the observation": Mistake(
        "crash", "It crashes in random play: heap-buffer-overflow in sick_observe, sick.c:", [(OBSERVES, OBSERVES + "    ((float*)observation)[3] = 1.0f;\n")],
        train="sick writes past the end of its observation",
    ),
    "never ending": Mistake("never_ends", "No episode ended in", [("game->balls == BALLS", "game->balls < 0")], train="No episode has ended yet"),
    "100 ms in step, asleep": Mistake(
        "slow", "A step takes 10", [includes("unistd"), before(STEP_BEGINS, "    usleep(100000);\n")], train="the environment may take long for a step"),
    "100 ms in step, at work": Mistake(
        "slow",
        "A step takes 1",
        [includes("time"), before(STEP_BEGINS, """
    struct timespec from, now;
    clock_gettime(CLOCK_MONOTONIC, &from);
    do clock_gettime(CLOCK_MONOTONIC, &now);
    while ((now.tv_sec - from.tv_sec) * 1000 + (now.tv_nsec - from.tv_nsec) / 1000000 < 100);
""")], train="the environment may take long for a step"),
    "segfault on step 1000": Mistake(
        "crash", "in sick_step, sick.c:", [COUNTED, before(STEP_BEGINS, AGES + "    if (game->age == 1000) *(volatile int*)0 = 1;\n")], train="segmentation fault in the code of"),
    "segfault on step 1000 of all games": Mistake(
        "crash",
        "in sick_step, sick.c:",
        [before(STEP_BEGINS, "    static int steps;\n    if (++steps == 1000) *(volatile int*)0 = 1;\n")], train="segmentation fault in the code of"),
    "printing": Mistake("prints", "It prints, for instance", [includes("stdio"), before(STEP_BEGINS, '    printf("row %d\\n", game->row);\n')], train="The environment prints"),
    "wrong abi": Mistake("declared", "says that it was built for interface 2, and was built for another one", [(".abi = PUFF_ABI", ".abi = 2")], train="says that it was built for interface 2, and was built for another one"),
    "1 GB of state": Mistake(
        "state_size",
        "The state of one game takes 1,074 MB",
        [(STATE, STATE + "    char more[1 << 30];\n")], train="environments of 1,073.7 MB each. Use fewer"),
    "choice_count too high": Mistake(
        "declared", "choice_count is 5, but the table sick_choices, at sick.c:", [(".choice_count = PUFF_COUNT(sick_choices)", ".choice_count = 5")], train="choice_count is 5, but the table has fewer entries"),
    "action_count too high": Mistake("declared", "action_count is 3, but the table sick_actions, at sick.c:", [(".action_count = PUFF_COUNT(sick_actions)", ".action_count = 3")], train="action_count is 3, but the table has fewer entries"),
    "forgotten reset": Mistake(
        "no_reset", "paddle of the observation is not as after `reset`", [(ENDS, "            game->balls = game->caught = 0;\n")]
    ),
    "reward 0.0001": Mistake("reward_small", "too small to learn from: a typical one is 0.0001", [(CAUGHT, "caught ? 0.0001f : -0.0001f")], train="Rewards are too small to learn from"),
    "exit(0) in step": Mistake(
        "crash", "It ends the process in random play in sick_step, sick.c:", [COUNTED, includes("stdlib"), before(STEP_BEGINS, AGES + "    if (game->age == 1000) exit(0);\n")], train="a call of exit() in the code of"),
    "endless loop": Mistake(
        "endless",
        "`step` does not return in random play",
        [COUNTED, before(STEP_BEGINS, AGES + "    while (game->age == 500) memcpy(&game->row, &game->row, 0);\n")], train="Training stands still"),
    "static variable": Mistake(
        "shared", "they share the variable luck, at sick.c:", [before(STEP_BEGINS, "    static int32_t luck;\n    game->column = luck++ % 9;\n")]
    ),
    "fields longer than the observation": Mistake(
        "declared", "the field ball ends at byte 84, observation_bytes is 12", [(".offset = 4, .count = 2", ".offset = 4, .count = 20")], train="the field ball ends at byte 84, observation_bytes is 12"),
    "truncation without the final observation": Mistake(
        "final", "the observation that would have come next is lost", [("io->terminals[0] = 1", "io->truncations[0] = 1")]
    ),
    "does not compile": Mistake("compile", "sick.c does not compile", [("game->row++;", "game->raw++;")], train="sick.c does not compile"),
}  # fmt: skip
"""By their names."""
