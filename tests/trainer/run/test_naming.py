"""How policies are named: every name finds its checkpoint, and what is wrong is said in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pufftui.envs.catalogue import load_env
from pufftui.envs.errors import PuffError
from pufftui.trainer.messages.weights import PolicyWeights
from pufftui.trainer.run.checkpoint import checkpoint_name, write_checkpoint
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.run.naming import find_policy
from pufftui.trainer.settings.fields import Config, PolicyConfig
from pufftui.trainer.settings.sources import config_to_toml

Put = Callable[..., Path]


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def put(made_policy: Callable[..., PolicyWeights]) -> Put:
    """Writes a checkpoint of a policy of squared that was never trained."""

    def put(path: Path, step: int, env: str = "squared") -> Path:
        arrays = {f"policy/{name}": array for name, array in made_policy("squared").arrays.items()}
        config = config_to_toml(Config(env, {}, policy=PolicyConfig(hidden=8)))
        description = {"step": step, "epoch": 1, "seconds": 1.0, "config": config}
        write_checkpoint(path, arrays | {"rollout/state": np.zeros(3)}, description)
        return path

    return put


@pytest.fixture
def otter(put: Put) -> RunFolder:
    folder = RunFolder.create("otter", "squared")
    folder.release()
    for step in (1000, 2_000_000):
        put(folder.checkpoints / checkpoint_name(step), step)
    return folder


@pytest.mark.parametrize(
    ("named", "step"),
    [
        ("otter", 2_000_000),
        ("latest", 2_000_000),
        ("otter@1000", 1000),
        ("otter@1k", 1000),
        ("latest@2M", 2_000_000),
    ],
)
def test_every_name_of_a_runs_policy_finds_it(otter: RunFolder, named: str, step: int) -> None:
    found = find_policy(named)
    assert (found.step, found.name, found.env()) == (step, f"otter@{step}", "squared")
    assert found.weights().step == step
    assert set(found.saved.arrays) == {f"policy/{name}" for name in found.weights().arrays}
    assert find_policy(found.name).saved.path == found.saved.path


def test_a_file_is_a_policy_wherever_it_lies(
    put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "given" / "good.npz", 7)
    monkeypatch.chdir(tmp_path / "given")
    for named in ("good.npz", "./good.npz", str(tmp_path / "given" / "good.npz")):
        found = find_policy(named)
        assert found.folder is None
        assert found.step == 7
        assert found.name == str(tmp_path / "given" / "good.npz")
        assert found.weights().hidden == 8


def test_a_run_goes_before_a_file_that_is_called_the_same(
    put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder.create("good.npz", "squared")
    folder.release()
    put(folder.checkpoints / checkpoint_name(1), 1)
    put(tmp_path / "good.npz", 7)
    monkeypatch.chdir(tmp_path)
    assert find_policy("good.npz").step == 1
    assert find_policy("./good.npz").step == 7


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ("oter", "There is no run oter .* Did you mean otter?"),
        ("oter@1000", "There is no run oter .* Did you mean otter?"),
        ("otter@5", r"otter has no checkpoint at step 5. There are: 1000, 2000000\."),
        ("otter@1e300", "otter has no checkpoint at step 1e300"),
        ("otter@", "'' is not a number"),
        (
            "gone.npz",
            "There is no file gone.npz. A policy is named as RUN, RUN@STEP, latest, baseline",
        ),
        ("baseline", "of which environment the baseline is meant. Name it: baseline:breakout"),
        ("baseline:squord", "There is no environment squord.* squared"),
    ],
)
def test_a_wrong_name_is_answered_with_what_exists(otter: RunFolder, named: str, says: str) -> None:
    with pytest.raises(PuffError, match=says):
        find_policy(named)


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04 and nothing else")
    with pytest.raises(PuffError, match=r"a\.npz is not a whole checkpoint"):
        find_policy(str(tmp_path / "a.npz"))


def test_no_object_is_ever_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", description=np.array([print], dtype=object))
    with pytest.raises(PuffError, match="it holds objects, not numbers"):
        find_policy(str(tmp_path / "a.npz"))


def test_a_path_in_a_file_tells_only_a_name(put: Put, tmp_path: Path) -> None:
    """The folder that it points to is not looked at, not even if it holds an environment."""
    there = tmp_path / "theirs" / "frog"
    there.mkdir(parents=True)
    (there / "frog.c").write_text("#error nobody compiles this\n")
    found = find_policy(str(put(tmp_path / "frog.npz", 7, env=str(there))))
    with pytest.raises(PuffError, match="You have never built an environment frog here"):
        found.weights()
    assert not (tmp_path / "cache").exists()
    # The environment that the person names is another matter: then only names and shapes must fit.
    load_env("squared")
    assert found.learned("/mine/frog")
    assert not found.learned("squared")
    assert found.weights("squared").hidden == 8


def test_a_file_finds_the_folder_that_was_built_here(
    put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [tmp_path / part / "frog" for part in ("one", "two")]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "frog.c").touch()
    known = {"frog": folders[:1]}
    monkeypatch.setattr("pufftui.envs.catalogue.noted_folders", lambda name: known.get(name, []))
    assert find_policy(str(put(tmp_path / "a.npz", 7, env="/theirs/frog"))).env() == str(folders[0])
    known["frog"] = folders
    with pytest.raises(PuffError, match=f"several environments frog: {folders[0]}, {folders[1]}"):
        find_policy(str(tmp_path / "a.npz")).env()
    there = put(tmp_path / "b.npz", 7, env=str(folders[1]))
    assert find_policy(str(there)).env() == str(folders[1])
