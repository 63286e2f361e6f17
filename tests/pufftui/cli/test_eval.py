"""`pufftui eval`: what it prints, what it keeps, and what it refuses."""

from __future__ import annotations

import json
import math
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from runs_on_disk import make_run

from pufftui.__main__ import main
from pufftui.cli.eval import in_words
from pufftui.envs.catalogue import load_env
from pufftui.runs.evaluated import newest_evaluation
from pufftui.trainer.evaluation.evaluate import Played
from pufftui.trainer.evaluation.plan import Plan
from pufftui.trainer.evaluation.result import conclude
from pufftui.trainer.evaluation.tally import COUNTED
from pufftui.trainer.messages.weights import PolicyWeights
from pufftui.trainer.run.checkpoint import checkpoint_name, write_checkpoint
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.settings.fields import Config, PolicyConfig
from pufftui.trainer.settings.sources import config_to_toml
from pufftui.trainer.store import StoreReader

KEYS = ["env", "policy", "episodes", "cut", "steps", "seconds", "greedy", "seeds"]
FIGURES = ["score", "return", "length", "perf"]


@pytest.fixture
def put(made_policy: Callable[..., PolicyWeights]) -> Callable[..., Path]:
    """Writes a checkpoint of a policy that was never trained."""

    def put(
        path: Path,
        step: int,
        env: str = "squared",
        parameters: Mapping[str, float] = MappingProxyType({}),
    ) -> Path:
        arrays = {f"policy/{name}": array for name, array in made_policy(env).arrays.items()}
        config = config_to_toml(Config(env, parameters, policy=PolicyConfig(hidden=8)))
        description = {"step": step, "epoch": 1, "seconds": 1.0, "config": config}
        write_checkpoint(path, arrays, description)
        return path

    return put


@pytest.fixture
def otter(put: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path / "runs"))
    folder = make_run("otter")
    put(folder.checkpoints / checkpoint_name(1000), 1000)
    return folder


def evaluated(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert main(["eval", *arguments, "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    found: dict = json.loads(line)
    return found


def test_json_is_one_object_of_these_names(
    otter: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    found = evaluated(capsys, "otter", "--episodes", "200")
    assert list(found) == [*KEYS, *FIGURES, "changed"]
    assert [found[name] for name in ("env", "policy", "episodes", "cut", "greedy", "seeds")] == [
        *("squared", "otter@1000", 200, 0, False, 5)
    ]
    for name in FIGURES:
        assert found[name]["low"] <= found[name]["mean"] <= found[name]["high"], name
    assert found["steps"] == pytest.approx(200 * found["length"]["mean"])


def test_it_is_kept_with_the_run_and_at_its_step(
    otter: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    first = evaluated(capsys, "otter", "--episodes", "50")
    second = evaluated(capsys, "otter@1000", "--episodes", "50", "--greedy")
    rows = StoreReader(otter.database).evaluations()
    assert [row.result for row in rows] == [first, second]
    assert [row.step for row in rows] == [1000, 1000]
    assert [row.result["greedy"] for row in rows] == [False, True]


def test_the_same_command_plays_the_same_games(
    otter: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = (evaluated(capsys, "otter", "--episodes", "50") for _ in range(2))
    assert one | {"seconds": 0} == other | {"seconds": 0}


def test_another_player_is_measured_in_the_same_games(
    otter: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    found = evaluated(capsys, "otter", "--episodes", "100", "--against", "random")
    against = found["against"]
    assert list(found) == [*KEYS, *FIGURES, "changed", "against"]
    assert list(against) == ["policy", "episodes", "cut", *FIGURES, "difference"]
    assert (against["policy"], against["episodes"]) == ("random", 100)
    better = against["difference"]["score"]
    assert better["mean"] == pytest.approx(found["score"]["mean"] - against["score"]["mean"])
    itself = evaluated(capsys, "otter", "--episodes", "100", "--against", "otter@1000")
    assert itself["against"]["difference"]["score"] == {"mean": 0, "low": 0, "high": 0}


def test_another_world_of_the_game_is_named_and_is_none_of_the_runs_figures(
    put: Callable[..., Path], otter: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    pool = make_run("pool", env="shared_pool")
    put(pool.checkpoints / checkpoint_name(9), 9, "shared_pool", {"regrowth": 0.01})
    arguments = ("pool", "--seeds", "1", "--episodes", "8", "--cap", "2000")
    usual = evaluated(capsys, *arguments)
    rich = evaluated(capsys, *arguments, "--env.regrowth", "0.4")
    assert (usual["changed"], rich["changed"]) == ({}, {"regrowth": 0.4})
    assert rich["return"]["mean"] > 2 * usual["return"]["mean"]
    rows = StoreReader(pool.database).evaluations()
    assert [row.result for row in rows] == [usual, rich]
    shown = newest_evaluation(rows)
    assert shown is not None
    assert shown.mean == usual["score"]["mean"]
    assert main(["eval", *arguments, "--env.regrowth=0.4"]) == 0
    assert "evaluated in shared_pool with regrowth 0.4: " in capsys.readouterr().out


def test_a_file_is_evaluated_and_nothing_is_kept(
    put: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = put(tmp_path / "good.npz", 7)
    assert evaluated(capsys, str(file), "--episodes", "20")["policy"] == str(file)
    assert [path.name for path in tmp_path.iterdir()] == ["good.npz"]


def test_a_policy_is_compared_with_the_baseline_of_its_game(
    otter: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    found = evaluated(capsys, "otter", "--episodes", "100", "--against", "baseline")
    assert found["against"]["policy"] == "baseline:squared"
    assert found["against"]["score"]["mean"] > 0.9
    assert found["against"]["difference"]["score"]["high"] < 0


def test_people_are_told_what_the_figures_are(
    otter: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", "otter", "--episodes", "100", "--against", "random"]) == 0
    captured = capsys.readouterr()
    first, _, score, *_ = captured.out.splitlines()
    assert first.startswith("otter@1000 evaluated in squared: 100 episodes, 5 seeds, actions drawn")
    assert score.startswith("  score   ")
    assert "by seed" in score
    assert "against random in the same games:" in captured.out
    assert "otter@1000 is above it by " in captured.out
    assert captured.err == ""  # no terminal


def test_what_was_cut_is_said(
    put: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = put(tmp_path / "b.npz", 7, "breakout")
    assert main(["eval", str(file), "--episodes", "10", "--cap", "32"]) == 0
    said = capsys.readouterr().out
    stopped = "when their world was stopped after 32 steps, and were cut. Return and length are"
    assert f"10 episodes had not ended {stopped}" in said
    assert "--window 10000" in said
    found = evaluated(capsys, str(file), "--episodes", "10", "--window", "64")
    assert (found["score"], found["perf"]) == (None, None)
    assert found["length"] == {"mean": 64, "low": 64, "high": 64}


def told(scores: list[float], plan: Plan) -> str:
    """What is said of so many games, one a world, those without a score cut."""
    counted = np.zeros(len(scores), COUNTED)
    counted["world"], counted["score"], counted["length"] = np.arange(len(scores)), scores, 5
    counted["cut"] = np.isnan(scores)
    played = Played(plan, counted, plan.seeds, 1.0, whole=True)
    found = conclude(played, load_env("squared").descriptor, "it", is_greedy=False)
    return "\n".join(in_words(found, found.as_dict(), picture=False))


def test_a_world_is_stopped_and_not_every_episode_after_so_many_steps() -> None:
    """A world that plays 25 games has 25 times as long: the last one may have begun a moment before."""
    said = told([1.0, math.nan], Plan(seeds=1, worlds=2, agents=1, rounds=25, cap=25_600))
    stopped = "had not ended when its world was stopped after 25,600 steps"
    assert (
        f"1 episode {stopped}, and was cut. Its score is not known, and not in the mean; return and length"
        in said
    )


@pytest.mark.parametrize(
    "scores", [[math.nan, 0.25, 0.5], [0.25, math.nan, 0.5], [0.5, 0.25, math.nan]]
)
def test_seeds_without_a_score_are_not_among_the_best_and_the_worst(scores: list[float]) -> None:
    said = told(scores, Plan(seeds=3, worlds=1, agents=1, rounds=1, cap=32))
    assert "by seed 0.250 to 0.500" in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nobody"], "There is no run nobody"),
        (["otter", "--episodes", "none"], "'none' is not a number"),
        (["otter", "--episodes", "0"], "--episodes cannot be 0. It takes a whole number from 1 to"),
        (["otter", "--seeds", "1.5"], "--seeds cannot be 1.5"),
        (["otter", "--against", "badger"], "badger@5 has learned breakout, not squared"),
        (["otter", "--device", "tpu"], "There is no device 'tpu'"),
        (["otter", "--env.size", "3"], "squared has no parameter size"),
        (["otter", "--train.gamma", "3"], "eval takes settings of the environment only"),
        ([], "policy"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    otter: RunFolder,
    put: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    says: str,
) -> None:
    badger = make_run("badger", env="breakout")
    put(badger.checkpoints / checkpoint_name(5), 5, "breakout")
    assert main(["eval", *arguments]) == 2
    said = capsys.readouterr().err
    assert says.lower() in said.lower()
    assert said.count("\n") == 1


def test_ctrl_c_keeps_the_seeds_that_are_whole(otter: RunFolder) -> None:
    """The real program on a terminal: one object all the same, with what is there; status 130."""
    outer, inner = pty.openpty()
    command = ["eval", "otter", "--episodes", "4M", "--seeds", "1000", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "pufftui", *command],
        stdout=subprocess.PIPE,
        stderr=inner,
        text=True,
        start_new_session=True,
    )
    os.close(inner)  # so that reading ends with the program
    try:
        said, seen = "", 0
        while seen < 9000:  # two seeds are whole
            said = (said + os.read(outer, 65536).decode())[-1000:]
            told = re.findall(r"([\d,]+) of 4,000,000 episodes", said)
            seen = int(told[-1].replace(",", "")) if told else 0
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
        os.close(outer)
    assert process.returncode == 130
    (line,) = out.splitlines()
    found = json.loads(line)
    assert 2 <= found["seeds"] < 1000
    assert found["episodes"] == 4000 * found["seeds"]
    (row,) = StoreReader(otter.database).evaluations()
    assert row.result == found


def test_one_world_tells_no_interval(otter: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "otter", "--episodes", "1", "--seeds", "1"]) == 0
    said = capsys.readouterr().out
    assert "1 episodes" not in said
    assert "[" not in said
    assert "alike" not in said
    found = evaluated(capsys, "otter", "--episodes", "1", "--seeds", "1")
    assert (found["score"]["low"], found["episodes"]) == (None, 1)
