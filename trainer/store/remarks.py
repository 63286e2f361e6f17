"""What a person adds to a run, from any process, whether it is being trained or not.

Each call is one small transaction; a trainer that writes meanwhile waits a moment. All raise
`PuffError` if there is no store or if it cannot be written.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from pufftui.envs.errors import PuffError, nearest
from pufftui.trainer.files.own import refuse_foreign
from pufftui.trainer.store.opening import open_to_remark, writing
from pufftui.trainer.store.texts import storable


def add_note(database: Path, step: int, text: str) -> None:
    """Keeps a person's words about a step."""
    with _remarking(database) as connection:
        connection.execute(
            "INSERT INTO note VALUES (NULL, ?, ?, ?)", (step, time.time(), storable(text))
        )


def add_evaluation(database: Path, step: int, result: Mapping[str, Any]) -> None:
    """Keeps how the policy of a step played; nothing in the result that is not finite."""
    text = json.dumps(result, allow_nan=False)
    with _remarking(database) as connection:
        connection.execute(
            "INSERT INTO evaluation VALUES (NULL, ?, ?, ?)", (step, time.time(), text)
        )


def tag(database: Path, *names: str) -> None:
    """Gives the run these words, by which it is found again; those it has already are fine."""
    with _remarking(database) as connection:
        words = [(storable(name),) for name in names]
        connection.executemany("INSERT OR IGNORE INTO tag VALUES (?)", words)


def untag(database: Path, *names: str) -> None:
    """Takes these words off the run; those it does not have are fine."""
    with _remarking(database) as connection:
        words = [(storable(name),) for name in names]
        connection.executemany("DELETE FROM tag WHERE name = ?", words)


def acknowledge(database: Path, *alerts: int) -> None:
    """Marks these alerts as seen; the first time counts."""
    with _remarking(database) as connection:
        connection.executemany(
            "UPDATE alert SET acknowledged_at = ? WHERE id = ? AND acknowledged_at IS NULL",
            [(time.time(), alert) for alert in alerts],
        )


def mute(database: Path, rule: str, *, muted: bool = True) -> None:
    """Lets a rule of the health checks call nobody any more, or again."""
    with _remarking(database) as connection:
        if muted:
            connection.execute("INSERT OR IGNORE INTO mute VALUES (?)", (rule,))
        else:
            connection.execute("DELETE FROM mute WHERE rule = ?", (rule,))


def pin(database: Path, file: str, *, pinned: bool = True) -> None:
    """Keeps a checkpoint for ever, or lets it go with the others again.

    `file` is its name in the folder `checkpoints` beside the store. Raises `PuffError` if there is
    no such checkpoint, or if its file is gone.
    """
    with _remarking(database) as connection:
        known = [
            name
            for (name,) in connection.execute(
                "SELECT CAST(file AS TEXT) FROM checkpoint ORDER BY id"
            )
        ]
        there = {name for name in known if (database.parent / "checkpoints" / name).is_file()}
        if file not in there:
            raise PuffError(
                f"There is no checkpoint {file}.",
                nearest(file, there) or "The run has none that could be kept.",
                usage=True,
            )
        connection.execute("UPDATE checkpoint SET pinned = ? WHERE file = ?", (pinned, file))


@contextmanager
def _remarking(database: Path) -> Iterator[sqlite3.Connection]:
    """A transaction on a store that is there."""
    if not database.is_file():
        raise PuffError(f"There is no store {database}.", "The run has not begun.", usage=True)
    refuse_foreign(database.parent)
    try:
        with closing(open_to_remark(database)) as connection, writing(database, connection):
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise PuffError(
            f"The store {database} cannot be written ({error}).", "Free space or make it writable."
        ) from None
