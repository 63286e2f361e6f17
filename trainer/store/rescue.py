"""Follows the file of a store: where it is moved, the store goes on; where it was deleted, a copy does."""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
from pathlib import Path

from pufftui.envs.errors import PuffError
from pufftui.trainer.files.held_folder import identity
from pufftui.trainer.store.place import place_of, uri

BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a file, by the end of its name."""


class StoreFiles:
    """The files that a writer has open, known by what they are and not by their names."""

    def __init__(self, database: Path) -> None:
        """To be made once the file is open."""
        self._own = identity(database)
        self._beside = {end: identity(beside(database, end)) for end in BESIDE[:2]}

    def see(self, database: Path) -> None:
        """Takes in what SQLite has made beside the file since."""
        for end, known in self._beside.items():
            if known is None:
                self._beside[end] = identity(beside(database, end))

    def are_at(self, database: Path) -> bool:
        """Whether what is written now is what will be found under that name."""
        log = self._beside["-wal"]
        in_place = log is None or identity(beside(database, "-wal")) == log
        return in_place and identity(database) == self._own

    def copy(self, connection: sqlite3.Connection, database: Path) -> None:
        """Writes all that the open files hold, which no name leads to any more, under this one.

        Raises `PuffError` if something of others is there, which stays.
        """
        found = identity(database)
        if found not in (None, self._own):
            raise PuffError(f"{database} is another file now.", "Move that file away.")
        # Beside a file of ours, readers make what they miss.
        for end in BESIDE if found is None else ():
            at = identity(beside(database, end))
            if at is not None and at != self._beside.get(end):
                raise PuffError(
                    f"{beside(database, end)} is another file now.", "Move that file away."
                )
        fresh = beside(database, f".{secrets.token_hex(4)}")
        try:
            address = uri(fresh, "rwc", locks=place_of(database.parent).locks)
            with contextlib.closing(sqlite3.connect(address, uri=True)) as target:
                connection.backup(target)
            for end in BESIDE:
                beside(database, end).unlink(missing_ok=True)
            fresh.replace(database)
        finally:
            for end in ("", *BESIDE):
                with contextlib.suppress(OSError):
                    beside(fresh, end).unlink()


def beside(database: Path, end: str) -> Path:
    """The file beside a store whose name ends so."""
    return database.with_name(f"{database.name}{end}")
