"""Refuses a run folder in which something lies that is not the run's own, before it is written to.

A run that was unpacked or shared may hold a link under the name of its log, and what is written into
the log would go into a file of the person's.
"""

from __future__ import annotations

import stat
from pathlib import Path

from pufftui.envs.errors import PuffError

FILES = ("lock", "config.toml", "log.txt", "run.db", "run.db-wal", "run.db-shm", "run.db-journal")
FOLDERS = ("checkpoints", "demonstrations")


def refuse_foreign(run: Path) -> None:
    """Raises `PuffError` if a file of the run is a link, a pipe or anything else but a file."""
    for names, is_right in ((FILES, stat.S_ISREG), (FOLDERS, stat.S_ISDIR)):
        for name in names:
            try:
                mode = (run / name).lstat().st_mode
            except OSError:
                continue  # what is not there is made, and is ours
            if not is_right(mode):
                what = "a link" if stat.S_ISLNK(mode) else "no plain file or folder"
                raise PuffError(
                    f"{name} in {run} is {what}, so nothing is written there.",
                    "If it belongs to the run, put the file or folder itself in its place; otherwise remove it.",
                )
