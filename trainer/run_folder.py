"""The folder of one run: its name, its files, and the lock that admits one trainer at a time."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from pufftui.envs.errors import PuffError, nearest
from pufftui.trainer.lock import Holder, RunLock, look_at

LATEST = "latest"
LONGEST_NAME = 100
LOCK_FILE = "lock"
REMOVED = ".removed-"
"""Begins the names of folders that are being deleted."""

ADJECTIVES = (
    "agile amber bold brave bright brisk calm clever cosmic crisp curious daring deft eager early "
    "fair fancy fleet fresh gentle glad golden grand happy hardy honest humble jolly keen kind "
    "light lively lucky lunar mellow merry mighty misty nimble noble patient plucky proud quick "
    "quiet rapid rosy royal rustic silent silver sleek smart snowy solar spry steady stout sunny "
    "swift tidy vivid warm witty"
).split()
ANIMALS = (
    "badger beaver bison bobcat camel cheetah condor coyote crane dingo dolphin eagle egret falcon "
    "ferret finch fox gecko gibbon heron hornet ibex iguana jackal jaguar kestrel koala lemur "
    "leopard lizard llama lynx magpie marmot marten meerkat mole moose newt ocelot octopus orca "
    "osprey otter owl panda panther pelican penguin puffin puma quail rabbit raven robin salmon "
    "seal stork swan tapir tiger turtle walrus weasel"
).split()


def runs_root() -> Path:
    """The folder that holds all runs: `$PUFFTUI_RUNS`, else `runs` under the current folder."""
    return Path(os.environ.get("PUFFTUI_RUNS") or "runs").expanduser().absolute()


def run_names() -> list[str]:
    """Names of all runs, the one started or resumed last first."""
    try:
        paths = [path for path in runs_root().iterdir() if not path.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise PuffError(
            f"The folder {runs_root()} cannot be read ({error.strerror}).",
            "Choose another with the variable PUFFTUI_RUNS.",
        ) from None
    runs = [path for path in paths if (path / LOCK_FILE).is_file()]
    return [path.name for path in sorted(runs, key=_started, reverse=True)]


def check_name(name: str) -> None:
    """Raises `PuffError` unless `name` can be the name of a run on every filesystem."""
    pattern = rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{LONGEST_NAME - 1}}}"
    if name == LATEST or not re.fullmatch(pattern, name):
        why = "stands for the last run" if name == LATEST else "is not a name for a run"
        raise PuffError(
            f"{name!r} {why}.",
            "Use letters, digits, dots, dashes and underscores, a letter or digit first, "
            f"at most {LONGEST_NAME} characters.",
            usage=True,
        )


class RunFolder:
    """`<root>/<id>` with `config.toml`, `run.db`, `checkpoints/`, `log.txt` and the lock."""

    def __init__(self, path: Path) -> None:
        """Names the folder and touches nothing; `create` and `open` look at the disk."""
        self.path = path
        self._lock: RunLock | None = None

    @classmethod
    def create(cls, name: str, env: str) -> RunFolder:
        """Makes a new run's folder and locks it; an empty name invents one after `env`.

        The folder appears under its name complete and locked, or not at all. Raises `PuffError`
        if the name is taken or the place cannot be written.
        """
        if name:
            check_name(name)
        root = runs_root()
        unfinished = root / f".new-{secrets.token_hex(8)}"
        folder = cls(unfinished)
        try:
            (unfinished / "checkpoints").mkdir(parents=True)
            folder.lock()
            folder.path = _settle(unfinished, name, env)
        except BaseException as error:
            folder.release()
            shutil.rmtree(unfinished, ignore_errors=True)
            if not isinstance(error, OSError):
                raise
            raise PuffError(
                f"No run can be kept in {root} ({error.strerror or error}).",
                "Choose another folder with the variable PUFFTUI_RUNS.",
            ) from None
        return folder

    @classmethod
    def open(cls, name: str) -> RunFolder:
        """An existing run by name or as `latest`, without the lock; `PuffError` if unknown."""
        names = run_names()
        if name == LATEST:
            if not names:
                raise PuffError(
                    f"There is no run in {runs_root()} yet.",
                    "Start one: pufftui train breakout.",
                    usage=True,
                )
            name = names[0]
        if name not in names:
            raise PuffError(
                f"There is no run {name} in {runs_root()}.",
                nearest(name, names[:20]) or "Start one: pufftui train breakout.",
                usage=True,
            )
        return cls(runs_root() / name)

    def lock(self) -> None:
        """Becomes the one trainer of this run and so makes it the latest.

        Raises `PuffError` that names the holder if another process has the lock. A process that
        dies loses its lock.
        """
        if self._lock is None:
            self._lock = self._take()

    def spare_lock(self) -> int | None:
        """A second descriptor of the lock, to hand it over (`RunLock.spare`); None without one."""
        return None if self._lock is None else self._lock.spare()

    def holder(self) -> Holder | None:
        """Who trains this run, or did so last; None if its folder is gone."""
        return look_at(self.path / LOCK_FILE)

    def release(self) -> None:
        """Gives up the lock; safe to call twice."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def rename(self, name: str) -> None:
        """Gives the run another name; which run is the latest does not change.

        Raises `PuffError` if the name is taken or none at all, or if the run is being trained.
        """
        check_name(name)
        path = self.path.with_name(name)
        with self._at_rest(), _telling_what_failed(f"{self.id} cannot be renamed"):
            if os.path.lexists(path):
                raise PuffError(f"There is a run {name} already.", "Choose another.", usage=True)
            self.path = self.path.rename(path)

    def remove(self) -> None:
        """Deletes the run with all it has; `PuffError` if it is being trained.

        It is gone at once: what a power cut leaves of it is hidden, and goes with the next removal.
        """
        with self._at_rest(), _telling_what_failed(f"{self.id} cannot be removed"):
            self.path.rename(self.path.with_name(f"{REMOVED}{secrets.token_hex(8)}"))
            for leftover in self.path.parent.glob(f"{REMOVED}*"):
                shutil.rmtree(leftover, ignore_errors=True)

    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file())

    @contextlib.contextmanager
    def _at_rest(self) -> Iterator[None]:
        """Nobody trains the run meanwhile. Unlike `lock`, this does not make it the latest."""
        lock = self._take(sign=False)
        try:
            yield
        finally:
            lock.release()

    def _take(self, *, sign: bool = True) -> RunLock:
        try:
            return RunLock.take(self.path / LOCK_FILE, sign=sign)
        except BlockingIOError:
            holder = self.holder()
            raise PuffError(
                f"The run {self.id} is being trained by "
                f"{holder.name if holder else 'another process'}.",
                f"Stop that process, or look on: pufftui watch {self.id}.",
            ) from None

    @property
    def id(self) -> str:
        """Name of the run."""
        return self.path.name

    @property
    def config_file(self) -> Path:
        """The settings at the start."""
        return self.path / "config.toml"

    @property
    def database(self) -> Path:
        """The store."""
        return self.path / "run.db"

    @property
    def database_log(self) -> Path:
        """What the store has not yet moved into the database, while it is written."""
        return self.path / "run.db-wal"

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints."""
        return self.path / "checkpoints"

    @property
    def demonstrations(self) -> Path:
        """Folder of a person's recorded moves, once there are any."""
        return self.path / "demonstrations"

    @property
    def log(self) -> Path:
        """What libraries print while the screen belongs to the dashboard."""
        return self.path / "log.txt"


@contextlib.contextmanager
def _telling_what_failed(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PuffError(f"{what} ({error.strerror or error}).", "Check its permissions.") from None


def _settle(unfinished: Path, name: str, env: str) -> Path:
    """Moves the folder to its name; a rename never replaces a folder that holds something."""
    for attempt in range(1000):
        # With few names left a number makes new ones.
        ending = f"-{attempt}" if attempt >= 20 else ""
        words = (env, secrets.choice(ADJECTIVES), secrets.choice(ANIMALS))
        path = unfinished.with_name(name or "-".join(words) + ending)
        if not path.exists():
            try:
                return unfinished.rename(path)
            except OSError as error:
                if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                    raise
        if name:
            break
    raise PuffError(
        f"There is a run {path.name} already.",
        f"Go on with it: pufftui resume {path.name}. Or choose another name: --run-name.",
        usage=True,
    )


def _started(run: Path) -> tuple[float, str]:
    """When a run was last started or resumed, in Unix seconds; 0 if it does not say."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        return float((run / LOCK_FILE).read_text(encoding="utf-8").split()[2]), run.name
    return 0.0, run.name
