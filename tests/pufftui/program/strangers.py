"""Run folders as a stranger could send them: hostile, broken, or both."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pufftui.trainer.run.checkpoint import write_checkpoint
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.settings.fields import Config, PolicyConfig, RunConfig
from pufftui.trainer.settings.sources import config_to_toml
from pufftui.trainer.store import StoreWriter, add_note

ROOT = Path(__file__).parents[3]
ESCAPES = "\x1b]0;owned\x07\x1b[31mred\x1b[2J [b]bold[/b] \u202e"


@dataclass(frozen=True)
class Place:
    """A folder for everything: `runs`, a hostile environment `evil`, and what must not change."""

    root: Path

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def evil(self) -> Path:
        return self.root / "evil"

    @property
    def marker(self) -> Path:
        """Made by whatever code of the stranger is run."""
        return self.root / "marker"

    @property
    def precious(self) -> Path:
        """A file of the person's, outside all runs."""
        return self.root / "precious"

    @property
    def own_database(self) -> Path:
        """A database of the person's, outside all runs."""
        return self.root / "own.db"

    def untouched(self) -> bool:
        """Whether nothing was run, and nothing written outside the runs."""
        assert not self.marker.exists(), "code of the stranger's was run"
        assert self.precious.read_text() == "mine\n"
        assert sorted(path.name for path in (self.root / "folder").iterdir()) == ["step-1.npz"]
        with sqlite3.connect(self.own_database) as connection:
            tables = connection.execute("SELECT name FROM sqlite_schema").fetchall()
        connection.close()
        assert tables == [("mine",)]
        return True


def make_place(root: Path) -> Place:
    place = Place(root)
    place.runs.mkdir()
    place.evil.mkdir()
    source = (ROOT / "envs/squared/squared.c").read_text(encoding="utf-8")
    source = source.replace('"squared"', '"evil"') + (
        "#include <stdio.h>\n"
        "__attribute__((constructor)) static void strike(void) {\n"
        f'    FILE *file = fopen("{place.marker}", "w");\n    if (file) fclose(file);\n}}\n'
    )
    (place.evil / "evil.c").write_text(source, encoding="utf-8")
    place.precious.write_text("mine\n")
    (root / "folder").mkdir()
    (root / "folder" / "step-1.npz").touch()
    with sqlite3.connect(place.own_database) as connection:
        connection.execute("CREATE TABLE mine (x)")
    connection.close()
    return place


def honest_run(place: Place, name: str, env: str, saved_env: str | None = None) -> Path:
    """A whole run with a checkpoint; `saved_env` is what the checkpoint says that it is of."""
    folder = RunFolder(place.runs / name)
    folder.checkpoints.mkdir(parents=True)
    folder.lock()
    config = Config(env, {}, policy=PolicyConfig("none", 8), run=RunConfig(name=name))
    folder.config_file.write_text(config_to_toml(config), encoding="utf-8")
    store = StoreWriter(folder.database)
    for row in range(3):
        store.metrics(1000 * row, float(row), row, {"score": 0.1 * row})
    store.event(0, 0.0, "start", "training")
    store.event(2000, 2.0, "stop", "interrupted")
    store.close()
    random = np.random.default_rng(0)
    shapes = {"encoder.weight": (8, 484), "encoder.bias": (8,), "heads.weight": (6, 8)}
    arrays = {f"policy/{key}": random.normal(size=s).astype("f") for key, s in shapes.items()}
    arrays["policy/heads.bias"] = np.zeros(6, "f")
    config = Config(saved_env or env, {}, policy=PolicyConfig("none", 8))
    description = {"config": config_to_toml(config), "step": 2000, "score": 0.2, "written": 1.0}
    description |= {"epoch": 2, "seconds": 3.0}
    write_checkpoint(folder.checkpoints / "step-00000000002000.npz", arrays, description)
    folder.release()
    return folder.path


def _damage(name: str, content: bytes) -> Callable[[Place, Path], None]:
    def do(_: Place, run: Path) -> None:
        (run / name).write_bytes(content)

    return do


def _link(name: str, target: Callable[[Place], Path]) -> Callable[[Place, Path], None]:
    def do(place: Place, run: Path) -> None:
        if (run / name).is_dir():
            shutil.rmtree(run / name)
        (run / name).unlink(missing_ok=True)
        (run / name).symlink_to(target(place))

    return do


def _pipe(name: str) -> Callable[[Place, Path], None]:
    def do(_: Place, run: Path) -> None:
        (run / name).unlink(missing_ok=True)
        os.mkfifo(run / name)

    return do


def _execute(*statements: str) -> Callable[[Place, Path], None]:
    def do(_: Place, run: Path) -> None:
        connection = sqlite3.connect(run / "run.db")
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.close()

    return do


def _described(**changes: object) -> Callable[[Place, Path], None]:
    def do(_: Place, run: Path) -> None:
        file = run / "checkpoints" / "step-00000000002000.npz"
        with np.load(file) as old:
            arrays = {name: old[name] for name in old.files if name != "description"}
            description = json.loads(str(old["description"]))
        for name, value in changes.items():
            description[name] = value
            if value is None:
                del description[name]
        write_checkpoint(file, arrays, description)

    return do


def _escapes(_: Place, run: Path) -> None:
    text = (run / "config.toml").read_text(encoding="utf-8")
    quoted = json.dumps(ESCAPES).replace("\x7f", "")
    (run / "config.toml").write_text(text + f"\n[odd]\n{quoted} = {quoted}\n", encoding="utf-8")
    add_note(run / "run.db", 1000, ESCAPES)
    store = StoreWriter(run / "run.db")
    store.event(2000, 2.0, "error", ESCAPES)
    store.close()
    (run / "log.txt").write_text(ESCAPES)
    (run / "lock").write_text("1 \x1b[31m 5.0\n")


def _nothing(_: Place, __: Path) -> None:
    pass


CHECKPOINT = "checkpoints/step-00000000002000.npz"
RECURSION = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT * FROM n"

EVIL: dict[str, Callable[[Place, Path], None]] = {
    "code": _nothing,
    "code in the checkpoint": _nothing,
    "code at a relative path": _nothing,
    "escapes": _escapes,
    "log is a link": _link("log.txt", lambda place: place.precious),
    "store is a link": _link("run.db", lambda place: place.own_database),
    "lock is a link": _link("lock", lambda place: place.precious),
    "checkpoints are a link": _link("checkpoints", lambda place: place.root / "folder"),
    "settings are a pipe": _pipe("config.toml"),
    "settings are endless": _link("config.toml", lambda _: Path("/dev/zero")),
    "a trigger": _execute("CREATE TRIGGER t AFTER INSERT ON note BEGIN DELETE FROM event; END"),
    "an endless view": _execute("DROP TABLE event", f"CREATE VIEW event AS {RECURSION}"),
    "a checkpoint is a pipe": _pipe(CHECKPOINT),
}
"""What is done to a run; those named code also name the hostile environment."""

BROKEN: dict[str, Callable[[Place, Path], None]] = {
    "log is a pipe": _pipe("log.txt"),
    "store is a pipe": _pipe("run.db"),
    "lock is endless": _link("lock", lambda _: Path("/dev/zero")),
    "control is a file": _damage("control.sock", b"x"),
    "settings are no UTF-8": _damage("config.toml", b"environment = '\xff'"),
    "settings are no TOML": _damage("config.toml", b"[[["),
    "settings are deep": _damage("config.toml", b"x = " + b"[" * 5000),
    "settings are empty": _damage("config.toml", b""),
    "settings hold a number": _damage("config.toml", b"environment = 3\ntrain = 4\n"),
    "settings hold odd words": _damage("config.toml", b'environment = "a\\u0000b"\n[env]\nx = 1\n'),
    "settings hold a long path": _damage("config.toml", b'environment = "/' + b"x" * 9000 + b'"\n'),
    "store is no store": _damage("run.db", b"SQLite format 3\0" + b"\xff" * 5000),
    "store is text": _damage("run.db", b"hello"),
    "store has no tables": _execute("DROP TABLE metric"),
    "store is of the future": _execute("PRAGMA user_version = 99"),
    "texts are numbers": _execute("UPDATE event SET text = 5, kind = 7"),
    "texts are no UTF-8": _execute("UPDATE event SET text = CAST(x'ff' AS TEXT)"),
    "checkpoint is empty": _damage(CHECKPOINT, b""),
    "checkpoint is noise": _damage(CHECKPOINT, b"PK\x03\x04" + b"\xff" * 3000),
    "checkpoint without settings": _described(config=None),
    "checkpoint with odd settings": _described(config=3),
    "checkpoint without a step": _described(step=None),
    "checkpoint with an odd step": _described(step="x", written="y", score="z"),
}


def make_run(place: Place, evil: str) -> Path:
    """The run of that kind, made anew under the name `r`."""
    shutil.rmtree(place.runs / "r", ignore_errors=True)
    path = str(place.evil)
    envs = {
        "code": (path, path),
        "code in the checkpoint": ("squared", path),
        "code at a relative path": ("../evil", "evil"),
    }
    run = honest_run(place, "r", *envs.get(evil, ("squared", "squared")))
    (EVIL | BROKEN)[evil](place, run)
    return run
