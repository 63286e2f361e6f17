"""What happens to the folder of a run while it is trained: nothing is lost, and nothing of others is touched."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from processes import ENDLESS, PUFFTUI, SMALL, wait_for

from pufftui.envs.errors import PuffError
from pufftui.trainer.run.checkpoint import newest_checkpoint
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.store import StoreReader


class Live:
    """A headless run that writes JSON lines, until it is ended."""

    def __init__(self, root: Path) -> None:
        self.folder = RunFolder(root / "it")
        self.said = root / "stderr"
        self.lines = root / "stdout"
        command = [*PUFFTUI, "train", "squared", "--headless", "--json", "--run-name", "it"]
        with self.said.open("w") as said, self.lines.open("w") as lines:
            self.process = subprocess.Popen(
                [*command, *SMALL, *ENDLESS, "--train.horizon", "16"], stdout=lines, stderr=said
            )
        self.wait_for_rows(4, self.folder)

    def wait_for_rows(self, count: int, folder: RunFolder) -> None:
        """Waits until so many more rows are in the store of a folder."""
        before = len(rows(folder))
        wait_for(lambda: len(rows(folder)) >= before + count)

    def end(self) -> dict[str, object]:
        """Ends it as the system would; its last line."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 130, self.said.read_text()
        last: dict[str, object] = json.loads(self.lines.read_text().splitlines()[-1])
        return last


def rows(folder: RunFolder) -> list[int]:
    """The steps of all rows; none while the file is half there."""
    reader = StoreReader(folder.database)
    try:
        return [int(step) for step in reader.metrics_after(0).steps]
    except PuffError:
        return []
    finally:
        reader.close()


def everything(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Live]]:
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path))
    with contextlib.ExitStack() as stack:

        def begin() -> Live:
            run = Live(tmp_path)
            stack.callback(run.process.wait)
            stack.callback(run.process.kill)
            return run

        yield begin


def expect_whole(folder: RunFolder, owed: list[int], last: dict[str, object]) -> None:
    """The rows are there in one piece, and the last line names a checkpoint that a run goes on from."""
    kept = rows(folder)
    assert kept[: len(owed)] == owed
    assert kept == sorted(kept)
    saved, passed_over = newest_checkpoint(folder.checkpoints)
    assert passed_over == []
    assert saved is not None
    assert last["checkpoint"] == str(saved.path)
    assert saved.description["step"] == last["step"]


@pytest.mark.parametrize("lost", ["run.db*", "run.db-wal", "checkpoints"])
def test_deleted_files_come_back(live: Callable[[], Live], lost: str) -> None:
    run = live()
    owed = rows(run.folder)
    for path in run.folder.path.glob(lost):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    wait_for(lambda: rows(run.folder)[: len(owed)] == owed)
    run.wait_for_rows(3, run.folder)
    last = run.end()
    expect_whole(run.folder, owed, last)


def test_a_deleted_folder_comes_back_with_its_rows(live: Callable[[], Live]) -> None:
    run = live()
    owed = rows(run.folder)
    shutil.rmtree(run.folder.path)
    wait_for(lambda: rows(run.folder)[: len(owed)] == owed)
    run.wait_for_rows(3, run.folder)
    wait_for(lambda: "is gone" in run.said.read_text())
    expect_whole(run.folder, owed, run.end())
    resumed = subprocess.run(
        [*PUFFTUI, "resume", "it", "--headless", "--train.total-steps", "100"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "it is finished" in resumed.stderr, "its settings are there"


def test_a_renamed_folder_is_followed_and_who_has_its_name_left_alone(
    live: Callable[[], Live], tmp_path: Path
) -> None:
    run = live()
    moved = RunFolder(tmp_path / "elsewhere" / "other")
    moved.path.parent.mkdir()
    run.folder.path.rename(moved.path)
    owed = rows(moved)
    (run.folder.path / "checkpoints").mkdir(parents=True)
    for name in ("letter.txt", "checkpoints/step-00000000000001.npz", "run.db-wal"):
        (run.folder.path / name).write_text("not theirs")
    before = everything(run.folder.path)
    run.wait_for_rows(3, moved)
    wait_for(lambda: f"was moved to {moved.path}" in run.said.read_text())
    last = run.end()
    assert last["run"] == "other"
    expect_whole(moved, owed, last)
    assert everything(run.folder.path) == before
