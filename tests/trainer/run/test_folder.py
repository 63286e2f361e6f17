"""Run folders with real files and, for the lock, real processes."""

import fcntl
import os
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pufftui.envs.errors import PuffError
from pufftui.trainer.run import folder as run_folder
from pufftui.trainer.run import lock
from pufftui.trainer.run.folder import LOCK_FILE, RunFolder, run_names, runs_root

HOLD = """
import sys
from pufftui.trainer.run.folder import RunFolder
folder = RunFolder.open(sys.argv[1])
folder.lock()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


def inside(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_root_is_the_variable_or_runs_below_the_current_folder(root, tmp_path, monkeypatch):
    assert runs_root() == root
    monkeypatch.setenv("PUFFTUI_RUNS", "")
    monkeypatch.chdir(tmp_path)
    assert runs_root() == tmp_path / "runs"


def test_a_new_run_has_its_files_and_nothing_is_left_beside_it(root):
    folder = RunFolder.create("first", "breakout")
    assert folder.path == root / "first"
    assert folder.id == "first"
    assert folder.checkpoints.is_dir()
    for path in (folder.config_file, folder.database, folder.log):
        assert path.parent == folder.path
        assert not path.exists()
    assert inside(root) == ["first"]
    folder.release()
    folder.release()


def test_invented_names_follow_the_environment_and_differ():
    assert len(set(run_folder.ADJECTIVES)) >= 64
    assert len(set(run_folder.ANIMALS)) >= 64
    names = [RunFolder.create("", "breakout").id for _ in range(30)]
    assert len(set(names)) == 30
    assert all(re.fullmatch(r"breakout-[a-z]+-[a-z]+", name) for name in names)


@pytest.mark.parametrize("name", ["実験-1", "прогон_2", "übung.3"])
def test_a_name_may_be_in_any_language(name, root):
    folder = RunFolder.create(name, "pong")
    folder.release()
    assert run_folder.run_names() == [name]
    assert RunFolder.open(name).path == folder.path


def test_names_go_on_when_the_words_are_used_up(monkeypatch):
    monkeypatch.setattr(run_folder, "ADJECTIVES", ["calm"])
    monkeypatch.setattr(run_folder, "ANIMALS", ["owl"])
    names = [RunFolder.create("", "pong").id for _ in range(3)]
    assert names == ["pong-calm-owl", "pong-calm-owl-20", "pong-calm-owl-21"]


@pytest.mark.parametrize(
    "name",
    [
        "../up",
        "a/b",
        ".hidden",
        "-flag",
        "latest",
        "two words",
        "tab\t",
        "x" * 101,
        "u\u0308",
        "a\u202eb",
        "a\n",
    ],
)
def test_names_that_are_no_plain_file_names_are_refused(name, root):
    with pytest.raises(PuffError) as caught:
        RunFolder.create(name, "breakout")
    assert caught.value.exit_status == 2
    assert not root.exists()


def test_a_taken_name_is_refused_and_the_run_left_alone(root):
    first = RunFolder.create("mine", "breakout")
    first.log.write_text("precious")
    with pytest.raises(PuffError, match="pufftui resume mine") as caught:
        RunFolder.create("mine", "breakout")
    assert caught.value.exit_status == 2
    assert first.log.read_text() == "precious"
    assert inside(root) == ["mine"]


def test_an_empty_folder_of_that_name_is_not_replaced(root):
    (root / "mine").mkdir(parents=True)
    with pytest.raises(PuffError):
        RunFolder.create("mine", "breakout")
    assert inside(root / "mine") == []


def test_of_many_who_ask_for_one_name_at_once_one_gets_it(root):
    start, made, refused = threading.Barrier(8), [], []

    def create():
        start.wait()
        try:
            made.append(RunFolder.create("mine", "breakout"))
        except PuffError as error:
            refused.append(error)

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert len(refused) == 7
    assert inside(root) == ["mine"]


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    for place in (tmp_path / "file", tmp_path / "file" / "runs", "/proc/runs"):
        monkeypatch.setenv("PUFFTUI_RUNS", str(place))
        with pytest.raises(PuffError, match="PUFFTUI_RUNS") as caught:
            RunFolder.create("", "breakout")
        assert caught.value.exit_status == 1
    assert inside(tmp_path) == ["file"]


@pytest.mark.parametrize("failing", ["fsync", "ftruncate", "pwrite"])
def test_a_creation_that_fails_half_way_leaves_nothing(root, monkeypatch, failing):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_folder.os, failing, full)
    with pytest.raises(PuffError, match="No space left on device"):
        RunFolder.create("mine", "breakout")
    assert inside(root) == []


def test_an_interrupted_creation_leaves_nothing_and_no_lock(root, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(run_folder.Path, "rename", interrupt)
    open_files = Path("/proc/self/fd")
    before = inside(open_files) if open_files.exists() else None
    with pytest.raises(KeyboardInterrupt):
        RunFolder.create("mine", "breakout")
    assert inside(root) == []
    if before is not None:
        assert inside(open_files) == before


def test_open_finds_runs_and_suggests_the_nearest():
    RunFolder.create("breakout-brisk-otter", "breakout")
    assert RunFolder.open("breakout-brisk-otter").checkpoints.is_dir()
    with pytest.raises(PuffError, match="Did you mean breakout-brisk-otter") as caught:
        RunFolder.open("breakout-brisk-oter")
    assert caught.value.exit_status == 2
    with pytest.raises(PuffError):
        RunFolder.open("../runs/breakout-brisk-otter")


def test_open_says_when_there_is_no_run_at_all(root):
    for name in ("latest", "mine"):
        with pytest.raises(PuffError, match="pufftui train"):
            RunFolder.open(name)
    assert not root.exists()


def test_latest_is_the_run_started_or_resumed_last(root):
    for name in ("b", "a", "c"):
        RunFolder.create(name, "breakout").release()
    assert RunFolder.open("latest").id == "c"
    again = RunFolder.open("b")
    assert RunFolder.open("latest").id == "c", "looking at a run does not make it the latest"
    again.lock()
    again.release()
    assert run_names() == ["b", "c", "a"]


def test_latest_survives_what_may_lie_about(root):
    RunFolder.create("kept", "breakout").release()
    RunFolder.create("removed", "breakout").release()
    for path in (root / "removed").iterdir():
        path.rmdir() if path.is_dir() else path.unlink()
    (root / "removed").rmdir()
    (root / "not-a-run").mkdir()
    (root / ".hidden").mkdir()
    (root / ".hidden" / "lock").write_text("1 host 9e99")
    (root / "torn").mkdir()
    (root / "torn" / "lock").write_bytes(b"\xff\xfe 1")
    (root / "notes.txt").write_text("lock")
    assert RunFolder.open("latest").id == "kept"
    assert run_names() == ["kept", "torn"]


def test_a_second_trainer_is_refused_with_the_holders_name_until_the_holder_dies():
    RunFolder.create("mine", "breakout").release()
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, "mine"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout.readline() == "held\n"
        folder = RunFolder.open("mine")
        with pytest.raises(PuffError) as caught:
            folder.lock()
        assert f"process {holder.pid} on {socket.gethostname()}" in str(caught.value)
        assert caught.value.exit_status == 1
    finally:
        holder.kill()
        holder.communicate()
    folder.lock()
    assert str(os.getpid()) in (folder.path / "lock").read_text()


def test_a_new_run_is_locked_from_the_start_until_it_is_released():
    folder = RunFolder.create("mine", "breakout")
    command = [sys.executable, "-c", HOLD, "mine"]
    refused = subprocess.run(command, capture_output=True, text=True, input="", check=False)
    assert f"process {os.getpid()} on" in refused.stderr
    folder.release()
    subprocess.run(command, check=True, input="", text=True, capture_output=True)


def test_many_who_look_keep_no_trainer_out(root, monkeypatch):
    """Their moments overlap, so that for a while there is none in which nobody looks."""
    folder = RunFolder.create("it", "squared")
    folder.release()
    monkeypatch.setattr(lock, "PATIENCE", 0.05)
    looking = os.open(folder.path / LOCK_FILE, os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    release = threading.Timer(0.5, lambda: os.close(looking))
    release.start()
    folder.lock()
    release.join()
    with pytest.raises(PuffError, match="is being trained by"):
        RunFolder(folder.path).lock()
    folder.release()


def test_a_run_may_be_named_by_its_path_where_runs_are(root, tmp_path):
    RunFolder.create("it", "squared").release()
    assert RunFolder.open(str(root / "it")).id == "it"
    (tmp_path / "other" / "it").mkdir(parents=True)
    with pytest.raises(PuffError, match=r"lies elsewhere.*PUFFTUI_RUNS=.*other"):
        RunFolder.open(str(tmp_path / "other" / "it"))
    with pytest.raises(PuffError, match="would lie elsewhere"):
        RunFolder.open(str(tmp_path / "nowhere" / "it"))
