"""`pufftui env check` finds what it promises to find, and finds nothing where nothing is wrong.

Each broken environment is the template with one mistake in it.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from mistakes import CAUGHT, ENDS, INIT, OBSERVES, STATE, STEP_BEGINS, Change, before, broken

from pufftui.envs.catalogue import env_names, find_env
from pufftui.envs.checking import check, probe
from pufftui.envs.checking.check import Report, check_env
from pufftui.envs.compiler import find_compiler, need_compiler
from pufftui.envs.scaffold import new_env

pytestmark = pytest.mark.skipif(find_compiler() is None, reason="there is no C compiler")

STEPS = 40_000


def report_of(folder: Path, **options: int) -> Report:
    return check_env(find_env(str(folder)), **{"steps": STEPS, **options})


def ids(report: Report) -> set[str]:
    return {finding.id for finding in report.wrong}


START = "    game->paddle = game->last_paddle = game->columns / 2;\n"
RANDOM_START = (
    START,
    "    game->paddle = game->last_paddle = (int32_t)puff_random_below(&game->random, (uint32_t)game->columns);\n",
)
NEW_GAME = "    game->balls = game->caught = 0;\n"


def also_seen(number: str) -> list[Change]:
    """Changes that add a number to what is seen."""
    return [
        ("    float row;\n", "    float row;\n    float more;\n"),
        ("/ (ROWS - 1),\n    };", f"/ (ROWS - 1),\n        .more = {number},\n    }};"),
        (".offset = 4, .count = 2", ".offset = 4, .count = 3"),
    ]


BROKEN = {
    # What is seen.
    "unwritten, never": ("unwritten", [(OBSERVES, "    memcpy(observation, &seen, 8);\n")]),
    "unwritten, at times": ("unwritten", [before(OBSERVES, "    if (game->row == 5) return;\n")]),
    "constant": ("constant", [(".paddle = (float)game->paddle * scale", ".paddle = 0.5f")]),
    "not finite": ("finite", [("/ (ROWS - 1),", "/ (float)game->balls,")]),
    "far too large": ("range", [(".row = (float)game->row / (ROWS - 1)", ".row = (float)game->row * 9")]),
    "more than its classes": (
        "range",
        [
            ("    float paddle;\n    float column;\n", "    uint8_t paddle, column, rest[2];\n"),
            ("(float)game->paddle * scale", "(uint8_t)game->paddle"),
            ("(float)game->column * scale", "(uint8_t)game->column"),
            ("    const float scale = 1.0f / (float)(game->columns - 1);\n", ""),
            (
                ".offset = 0, .count = 1, .dtype = PUFF_FLOAT32}",
                ".offset = 0, .count = 2, .dtype = PUFF_UINT8, .classes = 8}",
            ),
            (".offset = 4, .count = 2", ".offset = 4, .count = 1"),
        ],
    ),
    "seen by nobody": ("fields", [(".offset = 4, .count = 2", ".offset = 4, .count = 1")]),
    # What is done.
    "a choice without effect": ("action_unused", [("(action == RIGHT) - ", "")]),
    "two choices with one effect": ("action_unused", [("(action == LEFT)", "(action != RIGHT)")]),
    "no choice has an effect": ("action_unused", [("(action == RIGHT) - (action == LEFT)", "(action > 2)")]),
    # Rewards.
    "no reward": ("reward_none", [(CAUGHT, "0.0f * (float)caught")]),
    "clamped rewards": ("reward_clamped", [(CAUGHT, "caught ? 10.0f : -1.0f")]),
    # Episodes.
    "no beginning": ("no_reset", [(ENDS, "            game->balls = 0;\n")]),
    "an end that stays": ("no_reset", [(ENDS, "            game->balls--; game->row--;\n")]),
    "a flag and nothing else": ("no_reset", [RANDOM_START, (ENDS, "")]),
    "a part that is kept": ("no_reset", [RANDOM_START, (ENDS, "            game->balls = game->caught = 0;\n")]),
    "a part that is not seen": (
        "no_reset",
        [RANDOM_START, (ENDS, "            sick_reset(state, io);\n            game->balls = 5;\n            return;\n")],
    ),
    "what was seen before": (
        "no_reset",
        [(ENDS, "            float scratch[3];\n            puff_io other = *io;\n            sick_observe(game, io->observations);\n            other.observations = scratch;\n            sick_reset(state, &other);\n            return;\n")],
    ),
    "a flag of 2": ("flags", [("io->terminals[0] = 1", "io->terminals[0] = 2")]),
    "two ends in one": ("flags", [before("            io->terminals", "memcpy(puff_final(io, 0), io->observations, 12); sick_observe(game, puff_final(io, 0)); io->truncations[0] = 1;\n")]),
    "all are dead": ("never_ends", [before(STEP_BEGINS, "    if (game->balls == 3) { io->alive[0] = 0; sick_observe(game, io->observations); return; }\n")]),
    # Scores.
    "no score": ("score", [("            io->scores[0] = (float)game->caught;\n", "")]),
    "a score out of range": ("score", [("(float)game->caught;", "(float)game->caught - 20;")]),
    "no statistic": (
        "statistics",
        [
            before("static const puff_descriptor", 'static const char* const names[] = {"luck"};\n'),
            before("    .state_size", "    .statistic_count = 1, .statistics = names,\n"),
        ],
    ),
    # State.
    "a pointer into the state": (
        "pointers",
        [before(STATE, "    void* self;\n"), before(INIT, "    game->self = &game->columns;\n")],
    ),
    "a pointer to a constant": (
        "pointers",
        [before(STATE, "    const void* self;\n"), before(INIT, "    game->self = &puff_this;\n"),
         before("static size_t", "static const puff_descriptor puff_this;\n")],
    ),
    "memory of its own": (
        "pointers",
        [
            ("#include <string.h>", "#include <stdlib.h>\n#include <string.h>"),
            before(STATE, "    int32_t* luck;\n"),
            before(INIT, "    game->luck = calloc(1, 4);\n"),
            before(STEP_BEGINS, "    game->row += (*game->luck)++ % 7 == 3 && game->row < 5;\n"),
        ],
    ),
    "rand": (
        "shared",
        [
            ("#include <string.h>", "#include <stdlib.h>\n#include <string.h>"),
            ("(int32_t)puff_random_below(&game->random, (uint32_t)game->columns)", "rand() % 9"),
        ],
    ),
    "the thread decides": (
        "threads",
        [
            ("#include <string.h>", "#include <string.h>\n#include <sys/syscall.h>\n#include <unistd.h>"),
            before(STEP_BEGINS, "    if (game->row == 4) game->column = syscall(SYS_gettid) != getpid();\n"),
        ],
    ),
    "scratch of its own": (
        "threads",
        [
            before("static void sick_observe", "static float scratch;\n"),
            before(STEP_BEGINS, "    scratch = (float)game->row;\n    game->row = (int32_t)scratch;\n"),
        ],
    ),
    # Pictures.
    "bare pixels": ("draw", [("    puff_clear(canvas, 0x0b0e14);\n", "")]),
    "a picture that plays": ("draw", [("    (void)agent;\n", "    (void)agent;\n    ((sick_state*)(uintptr_t)state)->balls = 0;\n")]),
    "a place of nobody": (
        "locate",
        [
            before("static const puff_descriptor", "static uint32_t find(const void* state, uint32_t agent, float phase, puff_canvas* canvas, float x, float y) {\n    (void)state, (void)phase, (void)x, (void)y;\n    return canvas->width == 60 ? 1 : agent;\n}\n"),
            (".draw = sick_draw,", ".draw = sick_draw,\n    .locate = find,"),
        ],
    ),
    # Words.
    "a sheet that plays": (
        "draw",
        [
            before("static const puff_descriptor", "static void tell(const void* state, uint32_t agent, puff_sheet* sheet) {\n    (void)agent, (void)sheet;\n    ((sick_state*)(uintptr_t)state)->balls = 0;\n}\n"),
            (".draw = sick_draw,", ".draw = sick_draw,\n    .describe = tell,"),
        ],
    ),
    "a row of no choice": (
        "describe",
        [
            ('#include "random.h"', '#include "random.h"\n#include "words.h"'),
            before("static const puff_descriptor", 'static void tell(const void* state, uint32_t agent, puff_sheet* sheet) {\n    (void)state, (void)agent;\n    puff_fact(sheet, "go", "%d", 3)->choice = 3;\n}\n'),
            (".draw = sick_draw,", ".draw = sick_draw,\n    .describe = tell,"),
        ],
    ),
    "a text without an end": (
        "describe",
        [
            before("static const puff_descriptor", "static void tell(const void* state, uint32_t agent, puff_sheet* sheet) {\n    (void)state, (void)agent;\n    sheet->count = 1;\n    memset(sheet->rows[0].value, 'a', PUFF_TEXT);\n}\n"),
            (".draw = sick_draw,", ".draw = sick_draw,\n    .describe = tell,"),
        ],
    ),
    "who listens plays": ("restore", [before(STEP_BEGINS, "    game->row += io->stories && game->row == 3;\n")]),
    # Declarations.
    "a key twice": ("keys", [('{"right", "right d"}', '{"right", "right a"}')]),
    "a key of ours": ("keys", [('{"right", "right d"}', '{"right", "escape"}')]),
    "another key of ours": ("keys", [('{"right", "right d"}', '{"right", "backspace"}')]),
    "a tapped key of nothing": ("keys", [(".draw = sick_draw,", '.draw = sick_draw,\n    .tapped_keys = "a x",')]),
    "a key that is none": ("keys", [('{"right", "right d"}', '{"right", "Right"}')]),
    "no key of its own": ("keys", [('{"right", "right d"}', '{"right", "left+a"}')]),
    "keys together that are none": ("keys", [('{"right", "right d"}', '{"right", "d left+Up"}')]),
    "keys together twice": ("keys", [('"left a"}', '"left a a+left left+a"}')]),
    "no key": ("keys", [('{"right", "right d"}', '{"right", ""}')]),
    "another name": ("declared", [('.name = "sick"', '.name = "ill"')]),
    "nonsense": ("declared", [(".agents = 1", ".agents = 0")]),
    "no summary": ("summary", [('"catch what falls"', '""')]),
    # Crashes.
    "no vec.h": ("compile", [('#include "vec.h"', "")]),
    "a warning": ("warnings", [before(STEP_BEGINS, "    int idle;\n")]),
    "a state too small": ("crash", [("return sizeof(sick_state);", "return sizeof(sick_state) - 4;")]),
    "nowhere": ("crash", [before(STEP_BEGINS, "    if (game->balls == 5) *(volatile int*)8 = 1;\n")]),
    "an index too high": ("crash", [before(STEP_BEGINS, "    static const int luck[4] = {0};\n    game->caught += luck[game->row];\n")]),
    "too many of a table": ("declared", [(".field_count = PUFF_COUNT(sick_fields)", ".field_count = 9")]),
    "a picture that crashes": ("crash", [("    (void)agent;\n", "    canvas->pixels[3 * canvas->width * canvas->height] = (uint8_t)agent;\n")]),
    "words": (
        "prints",
        [
            ("#include <string.h>", "#include <stdio.h>\n#include <string.h>"),
            before(STEP_BEGINS, '    if (game->balls == 5) printf("hello\\n\\nend\\n");\n'),
        ],
    ),
    "complaints": (
        "prints",
        [
            ("#include <string.h>", "#include <stdio.h>\n#include <string.h>"),
            before(STEP_BEGINS, '    if (game->balls == 5) fprintf(stderr, "hello %d", game->row);\n'),
        ],
    ),
    "exit": ("crash", [("#include <string.h>", "#include <stdlib.h>\n#include <string.h>"), before(STEP_BEGINS, "    if (game->balls == 5) exit(0);\n")]),
    "abort": ("crash", [("#include <string.h>", "#include <assert.h>\n#include <string.h>"), before(STEP_BEGINS, "    assert(game->balls < 5);\n")]),
    "sleep": (
        "endless",
        [
            ("#include <string.h>", "#include <string.h>\n#include <unistd.h>"),
            before(STEP_BEGINS, "    if (game->balls == 5) sleep(1000);\n"),
        ],
    ),
    "no picture ever": ("endless", [("    (void)agent;\n", "    for (volatile unsigned i = 0; agent < 1;) i++;\n")]),
}  # fmt: skip

ALSO = {
    "more than its classes": {"fields"},
    "not finite": {"range"},
    "no choice has an effect": {"constant"},
    "no beginning": {"score"},
    "an end that stays": {"score"},
    "memory of its own": {"restore"},
    "no vec.h": {"warnings"},
}
"""What else follows from the mistake."""


@pytest.mark.parametrize("mistake", BROKEN)
def test_a_mistake_is_found(mistake: str, tmp_path: Path):
    expected, changes = BROKEN[mistake]
    patience = 1 if expected == "endless" else 5
    report = report_of(broken(tmp_path, *changes), patience=patience)
    found = ids(report)
    assert expected in found, report.findings
    assert found - {expected} <= ALSO.get(mistake, set()), report.findings
    for finding in report.wrong:
        assert finding.text.endswith(".")
        assert finding.fix or finding.id == "compile"


BEGINNINGS = {
    "at random": [RANDOM_START],
    "of random length": [RANDOM_START, ("game->balls == BALLS", "puff_random_below(&game->random, 5) == 0")],
    "in turn": [*also_seen("(float)game->side"), (STATE, STATE + "    int32_t side;\n"), (NEW_GAME, NEW_GAME + "    game->side = !game->side;\n")],
    "counted": [*also_seen("(float)(game->games % 100) / 100"), (STATE, STATE + "    int32_t games;\n"), (NEW_GAME, NEW_GAME + "    game->games++;\n")],
    "where the winner wants it": [(START, "    game->paddle = game->last_paddle = game->caught > 1 ? game->columns - 1 : 0;\n")],
    "harder each time": [
        *also_seen("(float)game->level / 10"), (STATE, STATE + "    int32_t level;\n"),
        before("            io->terminals[0] = 1;", "            game->level += game->caught > 2 && game->level < 9;\n"),
    ],
    "with a seed of their own": [
        (STATE, STATE + "    uint64_t seed, games;\n"), before(INIT, "    game->seed = seed;\n"),
        (NEW_GAME, NEW_GAME + "    game->random = puff_random_stream(game->seed, game->games++);\n"),
    ],
}  # fmt: skip
"""Beginnings of episodes that differ from each other, and are as they should be."""


@pytest.mark.parametrize("how", BEGINNINGS)
def test_beginnings_may_differ(how: str, tmp_path: Path):
    assert report_of(broken(tmp_path, *BEGINNINGS[how])).wrong == []


def one(report: Report, finding: str) -> check.Finding:
    (found,) = [each for each in report.findings if each.id == finding]
    return found


def line_of(folder: Path, text: str) -> int:
    lines = (folder / "sick.c").read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def test_nothing_is_wrong_with_the_template(tmp_path: Path):
    said: list[str] = []
    report = check_env(find_env(str(new_env("fine", tmp_path))), steps=STEPS, say=said.append)
    assert report.findings == []
    assert report.notes == []
    assert report.playable
    assert report.steps == STEPS
    assert "running test_fine.c" in said


@pytest.mark.parametrize("name", env_names())
def test_nothing_is_wrong_with_the_bundled(name: str):
    report = check_env(find_env(name), steps=STEPS)
    assert report.wrong == []


@pytest.mark.slow
@pytest.mark.parametrize("name", env_names())
def test_nothing_is_wrong_with_the_bundled_in_a_million_steps(name: str):
    report = check_env(find_env(name))
    assert report.wrong == []
    # The time is over sooner in nmmo, whose steps cost ten times as much as any other's.
    assert report.steps >= (check.STEPS / 4 if name == "nmmo" else check.STEPS)


def test_a_crash_is_told_with_its_place(tmp_path: Path):
    folder = broken(tmp_path, before(STEP_BEGINS, "    ((char*)io->rewards)[game->row] = 0;\n"))
    found = one(report_of(folder), "crash")
    line = line_of(folder, "->rewards)[game->row]")
    assert found.text.startswith("It crashes in random play: heap-buffer-overflow")
    assert f"sick.c:{line}" in found.text
    assert "AddressSanitizer" in found.detail


def test_who_does_not_come_back_is_named(tmp_path: Path):
    folder = broken(tmp_path, before("    game->columns = (int32_t)", "    while (seed) state_size++;\n"),
                    before("static void sick_init", "static volatile unsigned state_size;\n"))  # fmt: skip
    found = one(report_of(folder, patience=1), "endless")
    assert found.text == "`init` does not return in random play, after 1 seconds."


def test_the_compilers_words(tmp_path: Path):
    folder = broken(tmp_path, ("game->row++;", "game->raw++;"))
    found = one(report_of(folder), "compile")
    assert f"sick.c:{line_of(folder, 'game->raw')}:" in found.detail


def test_reasons_are_accepted(tmp_path: Path):
    folder = broken(tmp_path, (CAUGHT, "caught ? 10.0f : -0.01f"))
    with (folder / "sick.toml").open("a", encoding="utf-8") as toml:
        toml.write('[check]\nreward_clamped_ok = "the rules say so"\n')
    report = report_of(folder)
    assert report.wrong == []
    assert one(report, "reward_clamped").accepted == "the rules say so"


def test_numbers_of_any_size_are_right_where_they_are_normalised(tmp_path: Path):
    folder = broken(
        tmp_path, (".row = (float)game->row / (ROWS - 1)", ".row = (float)game->row * 9")
    )
    assert "range" in ids(report_of(folder))
    toml = folder / "sick.toml"
    text = toml.read_text(encoding="utf-8")
    toml.write_text(text.replace('"off"', '"on"'), encoding="utf-8")
    assert "range" not in ids(report_of(folder))


@pytest.mark.parametrize(("size", "noted"), [("1.0f", False), ("0.0001f", True), ("1000.0f", True)])
def test_rewards_of_any_size_are_right_where_training_scales_them(
    tmp_path: Path, size: str, noted: bool
):
    folder = broken(tmp_path, (CAUGHT, f"caught ? {size} : -{size}"))
    toml = folder / "sick.toml"
    text = toml.read_text(encoding="utf-8")
    toml.write_text(text.replace("reward_scale = 1.0\n", ""), encoding="utf-8")
    report = report_of(folder)
    assert report.wrong == []
    assert any("Training scales them by itself" in note for note in report.notes) == noted


def test_a_scale_in_the_defaults_counts(tmp_path: Path):
    folder = broken(tmp_path, (CAUGHT, "caught ? 10.0f : -10.0f"))
    toml = folder / "sick.toml"
    toml.write_text(
        toml.read_text(encoding="utf-8").replace("reward_scale = 1.0", "reward_scale = 0.1")
    )
    assert report_of(folder).wrong == []
    toml.write_text(toml.read_text(encoding="utf-8").replace("0.1", "0.001"))
    assert one(report_of(folder), "reward_small").text.endswith("a typical one is 0.01.")


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ((".paddle = (float)game->paddle * scale", ".paddle = 0.5f"), "constant"),
        (("game->balls == BALLS", "game->balls == -1"), "never_ends"),
        (("(action == RIGHT) - ", ""), "action_unused"),
        ((CAUGHT, "caught ? 0.01f : -0.01f"), "reward_small"),
    ],
)
def test_each_reason_is_accepted(tmp_path: Path, change: tuple[str, str], finding: str):
    folder = broken(tmp_path, change)
    with (folder / "sick.toml").open("a", encoding="utf-8") as toml:
        toml.write(f'[check]\n{finding}_ok = "a test"\n')
    report = report_of(folder)
    assert report.wrong == []
    assert one(report, finding).accepted == "a test"
    assert f"{finding}_ok" in one(report, finding).fix


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[check]\nreward_smal_ok = "x"\n', ["reward_smal_ok", "Did you mean reward_small_ok?"]),
        ("[check]\nreward_small_ok = true\n", ["no reason", "reward_small_ok ="]),
        ('[check]\nreward_small_ok = " "\n', ["no reason"]),
        ("check = 3\n", ["cannot hold check"]),
        ("[check\n", ["cannot be read"]),
    ],
)
def test_wrong_settings(tmp_path: Path, text: str, words: list[str]):
    folder = broken(tmp_path)
    (folder / "sick.toml").write_text(text, encoding="utf-8")
    found = one(report_of(folder), "settings")
    for word in words:
        assert word in f"{found.text} {found.fix}"


def test_tests_in_c_are_run(tmp_path: Path):
    folder = new_env("sick", tmp_path)
    tests = folder / "test_sick.c"
    text = tests.read_text(encoding="utf-8")
    tests.write_text(text.replace("score == 3", "score == 4"), encoding="utf-8")
    found = one(report_of(folder), "tests")
    assert found.text == "test_sick.c fails."
    assert "score == 4" in found.detail
    tests.write_text(text + "nonsense\n", encoding="utf-8")
    assert one(report_of(folder), "tests").text == "test_sick.c does not compile."


def compiler_that_says_no(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flag: str) -> None:
    """Makes a compiler that does not know a flag."""
    compiler = tmp_path / "compiler"
    real = " ".join(need_compiler())
    compiler.write_text(f'#!/bin/sh\ncase "$*" in *{flag}*) exit 1;; esac\nexec {real} "$@"\n')
    compiler.chmod(0o755)
    monkeypatch.setenv("CC", str(compiler))


def test_a_compiler_without_sanitizers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    compiler_that_says_no(tmp_path, monkeypatch, "-fsanitize")
    report = report_of(broken(tmp_path))
    assert report.wrong == []
    assert not report.sanitizers
    (note,) = report.notes
    assert "sanitizers of this compiler do not work" in note
    (tmp_path / "sick" / "sick.toml").unlink()
    source = tmp_path / "sick" / "sick.c"
    source.write_text(
        source.read_text().replace("game->row++;", "game->row++; *(volatile int*)8 = 1;")
    )
    assert one(report_of(tmp_path / "sick"), "crash").text.startswith("It crashes in random play")


def test_a_compiler_without_the_thread_sanitizer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    compiler_that_says_no(tmp_path, monkeypatch, "-fsanitize=thread")
    report = report_of(broken(tmp_path))
    assert report.wrong == []
    assert report.sanitizers
    (note,) = report.notes
    assert "thread sanitizer of this compiler does not work" in note


def test_sanitizers_that_do_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(probe, "SANITIZERS", ("-Wl,-e,0",))
    report = report_of(broken(tmp_path))
    assert report.wrong == []
    assert not report.sanitizers


def test_a_picture_of_what_stands_still(tmp_path: Path):
    folder = broken(tmp_path, (".column = (float)game->column * scale", ".column = 0.25f"))
    report = report_of(folder)
    assert report.notes == ["ball[0] never changed."]


def test_a_mistake_in_a_far_away_state_is_found(tmp_path: Path):
    """Eight balls caught in a game: one random game in a million gets there."""
    folder = broken(tmp_path, before(STEP_BEGINS, "    if (game->caught == 8) __builtin_trap();\n"))
    assert "crash" in ids(report_of(folder, steps=500_000))


def test_only_the_slow_are_told():
    bundled = {"squared": 5.0, "school": 50.0}
    assert check.speed_notes("fine", {"fine": 400.0} | bundled) == []
    assert check.speed_notes("squared", bundled) == []
    assert check.speed_notes("fine", {}) == []
    (note,) = check.speed_notes("fine", {"fine": 600.0} | bundled)
    assert note.startswith("A step takes 12 times as long as one of school")


@pytest.mark.slow
def test_random_beginnings_are_beginnings(tmp_path: Path):
    """Many random numbers at every start: some are always larger than any seen before."""
    folder = broken(
        tmp_path,
        ("    float row;\n", "    float row;\n    float noise[1500];\n"),
        ("    const sick_observation seen", "    puff_random random = game->random;\n    sick_observation seen"),
        before(OBSERVES, "    for (int i = 0; i < 1500; i++) seen.noise[i] = puff_random_unit(&random);\n"),
        before('    {.name = "ball"', '    {.name = "noise", .offset = 12, .count = 1500, .dtype = PUFF_FLOAT32},\n'),
    )  # fmt: skip
    assert report_of(folder, steps=10_000).wrong == []
