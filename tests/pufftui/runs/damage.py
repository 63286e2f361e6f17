"""Damages stores in hundreds of ways and has commands read them: none may end in an internal error.

    python tests/pufftui/runs/damage.py --sound runs/NAME --rounds 500

Bytes are flipped, files are cut, and values that no column should hold are written through SQL. What is found
is printed with the seed of its round.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import random
import shutil
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from pufftui.__main__ import main as pufftui

BROKEN = "Something broke inside"

COMMANDS = (
    ("runs",),
    ("runs", "--json"),
    ("runs", "score>0"),
    ("runs", "check", "hurt"),
    ("runs", "compare", "hurt", "sound"),
    ("runs", "export", "hurt", "csv", "--output", "-"),
    ("runs", "tag", "hurt", "a"),
    ("runs", "note", "hurt", "a word"),
    ("runs", "pin", "hurt"),
)

VALUES: tuple[object, ...] = (
    *(-1, 0, 2**62, -(2**62), 1e308, float("inf"), float("-inf"), "", "nonsense", b"", b"\xff\xfe"),
    *("{", "[]", "null", "1e999", '{"a": 1}', "[" * 3000, b"\x00" * 7, "a\x00b", "9" * 400),
)
"""What is written where it does not belong."""


def flip(file: Path, dice: random.Random) -> None:
    """Changes some bytes."""
    data = bytearray(file.read_bytes())
    for _ in range(dice.choice((1, 10, 100))):
        data[dice.randrange(len(data))] = dice.randrange(256)
    file.write_bytes(data)


def cut(file: Path, dice: random.Random) -> None:
    """Leaves only a beginning."""
    data = file.read_bytes()
    file.write_bytes(data[: dice.randrange(len(data))])


def write_nonsense(file: Path, dice: random.Random) -> None:
    """Puts a value into one column of a table, in some rows or in all."""
    with contextlib.closing(sqlite3.connect(file)) as database:
        tables = [
            name
            for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        for _ in range(dice.choice((1, 1, 3))):
            table = dice.choice(tables)
            columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
            column, value = dice.choice(columns), dice.choice(VALUES)
            some = dice.choice(("", " WHERE abs(random()) % 3 = 0"))
            as_text = dice.choice(("?", "CAST(? AS TEXT)"))
            with contextlib.suppress(sqlite3.Error):
                database.execute(
                    f"UPDATE OR IGNORE {table} SET {column} = {as_text}{some}", (value,)
                )
        database.commit()


def lose(file: Path, dice: random.Random) -> None:
    """Removes a table, a column, or all rows of a table."""
    with contextlib.closing(sqlite3.connect(file)) as database:
        tables = [
            name
            for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        table = dice.choice(tables)
        columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
        statement = dice.choice(
            (
                f"DROP TABLE {table}",
                f"DELETE FROM {table}",
                f"ALTER TABLE {table} DROP COLUMN {dice.choice(columns)}",
            )
        )
        with contextlib.suppress(sqlite3.Error):
            database.execute(statement)
        database.commit()


DAMAGES: tuple[Callable[[Path, random.Random], None], ...] = (
    flip,
    cut,
    write_nonsense,
    write_nonsense,
    lose,
)


def damaged(sound: Path, runs: Path, seed: int) -> str:
    """Makes the run `hurt` beside a copy of the sound one; the name of what was done to it."""
    dice = random.Random(seed)
    shutil.rmtree(runs, ignore_errors=True)
    for name in ("sound", "hurt"):
        shutil.copytree(sound, runs / name)
    damage = dice.choice(DAMAGES)
    damage(runs / "hurt" / "run.db", dice)
    return damage.__name__


def complaints(arguments: tuple[str, ...]) -> str:
    """What a command says on stderr."""
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        pufftui(list(arguments))
    return errors.getvalue()


def rounds(sound: Path, runs: Path, seeds: range) -> list[str]:
    """Tries that many damages; a line for each command that broke."""
    os.environ["PUFFTUI_RUNS"] = str(runs)
    found = []
    for seed in seeds:
        damage = damaged(sound, runs, seed)
        for command in COMMANDS:
            said = complaints(command)
            if BROKEN in said:
                found.append(f"seed {seed}, {damage}, {' '.join(command)}: {said.strip()}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sound", type=Path, required=True, help="the folder of a whole run")
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pufftui-damage-") as place:
        found = rounds(
            options.sound, Path(place, "runs"), range(options.seed, options.seed + options.rounds)
        )
    print("\n".join(found))
    kinds = Counter(line.partition("inside pufftui: ")[2].partition("(")[0] for line in found)
    print(f"{options.rounds} stores, {len(found)} internal errors: {dict(kinds)}")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
