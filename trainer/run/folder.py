"""The folder of one run: its name, its files, and the lock that admits one trainer at a time."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

from pufftui.envs.errors import PuffError, nearest
from pufftui.envs.places import expanded
from pufftui.trainer.files.held_folder import HeldFolder, Identity, identity
from pufftui.trainer.run.lock import Holder, RunLock, look_at, read_holder

LATEST, BASELINE = "latest", "baseline"
STANDS_FOR = {LATEST: "stands for the last run", BASELINE: "stands for what comes with a game"}
AT = "@"  # between the name of a run, which cannot hold it, and a step
LONGEST_NAME, MOST_BYTES = 100, 180  # of a name; file systems allow 255 bytes, and more is added
LOCK_FILE, CHECKPOINTS = "lock", "checkpoints"
REMOVED = ".removed-"
"""Begins the names of folders that are being deleted."""

REMOVED_NAME = re.compile(re.escape(REMOVED) + "[0-9a-f]{16}")
FIRST_FILES = (LOCK_FILE, "config.toml", "config.partial", "log.txt")
"""What a run that has not begun to train may have, beside an empty folder of checkpoints."""

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
    return expanded(os.environ.get("PUFFTUI_RUNS", "").strip() or "runs")


def run_names() -> list[str]:
    """Names of all runs, the one started or resumed last first."""
    return [path.name for path in sorted(_runs(), key=_started, reverse=True)]


def check_name(name: str) -> None:
    """Raises `PuffError` unless `name` can be the name of a run on every filesystem."""
    pattern = rf"[^\W_][\w.-]{{0,{LONGEST_NAME - 1}}}"
    fits = re.fullmatch(pattern, name) and len(name.encode()) <= MOST_BYTES
    if name in STANDS_FOR or not fits or not unicodedata.is_normalized("NFC", name):
        why = STANDS_FOR.get(name, "is not a name for a run")
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
        self.renewals = 0
        """How often the folder had to be made anew since it was locked."""
        self._lock: RunLock | None = None
        self._held: HeldFolder | None = None
        self._former: list[HeldFolder | RunLock] = []

    @classmethod
    def create(cls, name: str, env: str, root: Path | None = None) -> RunFolder:
        """Makes a new run's folder and locks it; an empty name invents one after `env`.

        The folder appears under its name complete and locked, or not at all. Raises `PuffError`
        if the name is taken or the place cannot be written.
        """
        if name:
            check_name(name)
        root = root or runs_root()
        unfinished = root / f".new-{secrets.token_hex(8)}"
        folder = cls(unfinished)
        try:
            root.mkdir(parents=True, exist_ok=True)
            unfinished.mkdir()
            folder._held = HeldFolder(unfinished)
            (unfinished / CHECKPOINTS).mkdir()
            folder._become_trainer()
            folder.path = _settle(unfinished, name, env)
        except BaseException as error:
            folder.discard()
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
        names, root = run_names(), runs_root()
        if os.sep in name:
            name = _named_by_path(Path(name), root)
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
                nearest(name.partition(AT)[0], names[:20]) or "Start one: pufftui train breakout.",
                usage=True,
            )
        return cls(runs_root() / name)

    def lock(self) -> None:
        """Becomes the one trainer of this run and so makes it the latest.

        Raises `PuffError` that names the holder if another process has the lock. A process that
        dies loses its lock. The folder is held open, so that it is found again if it is moved.
        """
        with _telling_what_failed(f"The lock of {self.id} cannot be taken"):
            self._become_trainer()

    def spare_lock(self) -> int | None:
        """A second descriptor of the lock, to hand it over (`RunLock.spare`); None without one."""
        return None if self._lock is None else self._lock.spare()

    def holder(self) -> Holder | None:
        """Who trains this run, or did so last; None if its folder is gone."""
        return look_at(self.path / LOCK_FILE)

    def release(self) -> None:
        """Gives up the lock; safe to call twice."""
        for held in (self._held, self._lock, *self._former):
            if held is not None:
                held.close()
        self._held = self._lock = None
        self._former.clear()

    def discard(self) -> None:
        """Gives up a folder that `create` has made and in which nothing has trained.

        Only what `create` and the first settings have put there goes, and only from that very folder.
        If its log has something to tell, all of it stays.
        """
        if self._held is not None and not _size(self.log):
            self._held.remove(FIRST_FILES, (CHECKPOINTS,), self.path)
        self.release()

    def stay_at_home(self, settings: Callable[[], str]) -> str:
        """Follows the folder if it was moved, and makes it anew if it is gone.

        Returns what has happened since the last call in a sentence, nothing if nothing has. `settings`
        gives the text of `config.toml`. Raises as `renew`. Only for who has the lock.
        """
        before = self.path
        if not self.find():
            self.renew(settings())
            return f"The run's folder {before} is gone: it goes on in {self.path}."
        return "" if self.path == before else f"The run's folder was moved to {self.path}."

    def find(self) -> bool:
        """Looks where the folder is now, and takes over its new name if it was moved.

        False if it is gone: its name belongs to another, or to none. Only for who has the lock.
        """
        assert self._held is not None
        now = self._held.find(self.path)
        if now is not None:
            self.path = now
        return now is not None

    def renew(self, settings: str) -> None:
        """Makes the folder anew under its name, or one like it, after it was removed.

        `settings` are the text of `config.toml`. Raises `OSError` or `PuffError` if that fails.
        """
        names = (self.id, *(f"{self.id}-{number}" for number in range(2, 1000)))
        name = next(name for name in names if not os.path.lexists(self.path.with_name(name)))
        fresh = RunFolder.create(name, "run", root=self.path.parent)
        fresh.config_file.write_text(settings, encoding="utf-8")
        # Another thread may be looking into the old one, so it stays open.
        self._former += [old for old in (self._held, self._lock) if old is not None]
        self.path, self._lock, self._held = fresh.path, fresh._lock, fresh._held  # noqa: SLF001
        self.renewals += 1

    @contextlib.contextmanager
    def checkpoint_folder(self) -> Iterator[int]:
        """The descriptor of the folder of the checkpoints, however the run is called by now.

        Raises `OSError` if it is not to be had. Only for who has the lock.
        """
        assert self._held is not None
        with self._held.inside(CHECKPOINTS, make=True) as descriptor:
            yield descriptor

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
        with self._at_rest() as own, _telling_what_failed(f"{self.id} cannot be removed"):
            leaving = self.path.with_name(f"{REMOVED}{secrets.token_hex(8)}")
            self.path.rename(leaving)
            if identity(leaving) != own:
                leaving.rename(self.path)
                raise PuffError(
                    f"{self.id} has become another folder in the meantime.",
                    "Look at it before you remove it.",
                )
            for leftover in self.path.parent.iterdir():
                if REMOVED_NAME.fullmatch(leftover.name):
                    _delete(leftover)

    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file())

    @contextlib.contextmanager
    def _at_rest(self) -> Iterator[Identity | None]:
        """Nobody trains the run meanwhile. Unlike `lock`, this does not make it the latest.

        Gives the identity of the folder.
        """
        own = identity(self.path)
        with _telling_what_failed(f"The lock of {self.id} cannot be taken"):
            lock = self._take()
        try:
            yield own
        finally:
            lock.close()

    def _become_trainer(self) -> None:
        if self._lock is None:
            self._lock = self._take(order=1 + max(map(_order, _runs()), default=0))
            self._held = self._held or HeldFolder(self.path)

    def _take(self, order: int | None = None) -> RunLock:
        try:
            return RunLock.take(self.path / LOCK_FILE, order)
        except BlockingIOError:
            holder = self.holder()
            raise PuffError(
                f"The run {self.id} is being trained by "
                f"{holder.name if holder else 'another process'}.",
                f"Stop that process, or look at the run: pufftui watch {self.id}.",
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
        return self.path / CHECKPOINTS

    @property
    def demonstrations(self) -> Path:
        """Folder of a person's recorded moves, once there are any."""
        return self.path / "demonstrations"

    @property
    def log(self) -> Path:
        """What libraries print while the screen belongs to the dashboard."""
        return self.path / "log.txt"

    def note(self, text: str) -> None:
        """Adds a line to the log, if there is room for it."""
        with contextlib.suppress(OSError), self.log.open("a", encoding="utf-8") as file:
            file.write(text.rstrip() + "\n")


@contextlib.contextmanager
def _telling_what_failed(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PuffError(f"{what} ({error.strerror or error}).", "Check its permissions.") from None


def _size(file: Path) -> int:
    with contextlib.suppress(OSError):
        return file.stat().st_size
    return 0


def _delete(folder: Path) -> None:
    """Deletes a folder with all it has; of a link only itself."""
    if folder.is_symlink():
        with contextlib.suppress(OSError):
            folder.unlink()
    else:
        shutil.rmtree(folder, ignore_errors=True)


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
        f"Continue it: pufftui resume {path.name}. Or choose another name: --run-name.",
        usage=True,
    )


def _runs() -> list[Path]:
    """The folders of all runs."""
    try:
        paths = [path for path in runs_root().iterdir() if not path.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise PuffError(
            f"The folder {runs_root()} cannot be read ({error.strerror}).",
            "Choose another with the variable PUFFTUI_RUNS.",
        ) from None
    return [path for path in paths if (path / LOCK_FILE).is_file()]


def _started(run: Path) -> tuple[int, float, str]:
    """By what runs are sorted: how many were started before, then when, for those that do not say so."""
    holder = read_holder(run / LOCK_FILE)
    return holder.order, holder.since, run.name


def _order(run: Path) -> int:
    return read_holder(run / LOCK_FILE).order


def _named_by_path(path: Path, root: Path) -> str:
    """The name of the run in this folder; raises `PuffError` if it lies elsewhere."""
    if path.parent.resolve() == root.resolve():
        return path.name
    what = "lies" if path.is_dir() else "would lie"
    raise PuffError(
        f"Runs are named by their folders in {root}, and {path} {what} elsewhere.",
        f"To use that place: PUFFTUI_RUNS={path.parent}.",
        usage=True,
    )
