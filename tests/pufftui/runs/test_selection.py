"""What the best of several runs is worth, and the three figures by their names."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from runs_on_disk import make_run

from pufftui.cli import runs as command
from pufftui.runs.evaluated import Evaluated, interval_words, newest_evaluation
from pufftui.runs.groups import each_alone
from pufftui.runs.selection import (
    evaluated_words,
    expected_fall,
    selection_caution,
    selection_words,
)
from pufftui.runs.summary import RunSummary, summarise
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.store import EvaluationRow, StoreReader, add_evaluation, schema

NAN = float("nan")


def run(score: float, error: float, env: str = "squared", name: str = "a") -> RunSummary:
    ends = {"score_low": score - 1.96 * error, "score_high": score + 1.96 * error}
    return RunSummary(name, env=env, score=score, last={"score": score, **ends})


def test_the_best_falls_by_what_was_luck() -> None:
    """Many policies, a noisy look at each: on average the best one is worth about what the rule expects."""
    random = np.random.default_rng(3)
    fallen, expected = [], []
    for _ in range(2000):
        true = random.normal(100, 5, 12)
        seen = true + random.normal(0, 4, 12)
        fall = expected_fall([run(float(score), 4.0) for score in seen])
        assert fall is not None
        expected.append(fall)
        fallen.append(1 - true[seen.argmax()] / seen.max())
    assert np.mean(expected) == pytest.approx(np.mean(fallen), rel=0.15)


def test_nothing_is_said_that_cannot_be_known() -> None:
    assert expected_fall([run(1, 0.1), run(2, 0.1)]) is None
    assert expected_fall([run(1, 0.1), run(2, 0.1), run(3, 0.1, env="pong")]) is None
    assert expected_fall([run(2, 0.1)] * 3) is None
    assert (
        expected_fall([run(1, 0.1), run(2, 0.1), RunSummary("b", env="squared", score=3.0)]) is None
    )
    assert selection_words([run(1, 0.1), run(2, 0.1)]) == ""
    assert "was chosen afterwards" in selection_words([run(2, 0.1)] * 3)


def test_the_fall_is_said_in_percent() -> None:
    noisy = [run(score, 5.0) for score in (90, 100, 110)]
    assert selection_words(noisy).startswith("best of 3 runs: expect 2 % less when it is evaluated")
    sure = [run(score, 0.1) for score in (90, 100, 110)]
    assert "up to 1 % less" in selection_words(sure)


def test_an_evaluation_in_words() -> None:
    assert interval_words({"mean": 845.2, "low": 838, "high": 852}) == "845 [838, 852]"
    assert interval_words({"mean": 845.2, "low": None, "high": None}) == "845"
    assert interval_words(None) == "–"
    one = Evaluated(5, 100, greedy=False, mean=0.5, low=0.4, high=0.6)
    other = Evaluated(5, 100, greedy=False, mean=0.7, low=0.6, high=0.8)
    runs = [RunSummary("a", evaluated=one), RunSummary("b", evaluated=other), RunSummary("c")]
    assert evaluated_words(runs[:1]) == "0.500 [0.400, 0.600]"
    assert evaluated_words(runs) == "0.500 to 0.700 (n=2)"
    assert evaluated_words(runs[2:]) == ""
    assert replace(one, greedy=True).words == "0.500 [0.400, 0.600] greedy"


@pytest.mark.parametrize("score", [None, 3, "high", [1], {"mean": None}, {"mean": "x"}])
def test_what_a_damaged_store_says_of_an_evaluation_is_no_score(score: object) -> None:
    good = EvaluationRow(1, 7, 0.0, {"score": {"mean": 2, "low": "?", "high": None}})
    odd = EvaluationRow(2, 8, 0.0, {"score": score})
    found = newest_evaluation([good, odd])
    assert found is not None
    assert (found.step, found.mean, np.isnan(found.low)) == (7, 2.0, True)
    assert newest_evaluation([odd]) is None


@pytest.fixture
def evaluated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path))
    for number, name in enumerate(("otter", "badger", "finch")):
        metrics = {"score_low": [0.4], "score_high": [0.6 + 0.1 * number]}
        folder = make_run(name, scores=[0.5 + 0.1 * number], metrics=metrics, seed=number)
        if name != "finch":
            score = {"mean": 0.25, "low": 0.2, "high": 0.3}
            add_evaluation(folder.database, 1000, {"episodes": 100, "score": score})


def test_runs_show_what_was_evaluated(evaluated: None, capsys: pytest.CaptureFixture[str]) -> None:
    command.run(["evaluated<0.3"])
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split()[4:7] == ["score", "best", "evaluated"]
    assert sorted(row.split()[0] for row in rows) == ["badger", "otter"]
    assert all("0.250 [0.200, 0.300]" in row for row in rows)


def test_a_comparison_names_all_three(evaluated: None, capsys: pytest.CaptureFixture[str]) -> None:
    command.run(["compare", "otter", "badger", "finch"])
    said = capsys.readouterr().out
    row = next(line for line in said.splitlines() if line.startswith("evaluated"))
    assert row.count("0.250 [0.200, 0.300]") == 2
    assert "best score" in said
    assert "best of 3 runs: expect " in said


def test_no_best_is_chosen_where_more_is_not_better(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path))
    names = ["a", "b", "c"]
    for seed, name in enumerate(names):
        make_run(name, scores=[NAN, NAN], metrics={"loss": [0.5, 0.4]}, seed=seed)
    command.run(["compare", *names])
    said = capsys.readouterr().out
    assert "loss" in said
    assert "best" not in said


def test_the_best_of_several_groups_was_chosen_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path))
    names = []
    for rate in (0.1, 0.2, 0.3):
        for seed in (1, 2):
            names.append(f"r{rate}-s{seed}")
            make_run(names[-1], scores=[rate] * 5, seed=seed, learning_rate=rate)
    command.run(["compare", "--seeds", *names])
    assert "the best of 3 was chosen afterwards" in capsys.readouterr().out


def test_every_metric_with_a_best_has_the_caution_and_no_other() -> None:
    alone = each_alone([run(score, 5.0) for score in (90, 100, 110)])
    assert selection_caution(alone, "score").startswith("best of 3 runs: expect 2 % less")
    assert selection_caution(alone, "perf").startswith("the best of 3 was chosen")
    assert selection_caution(alone, "loss") == ""
    assert selection_caution(alone[:2], "score") == ""


def test_a_store_from_before_has_no_evaluations_and_takes_them(evaluated: None) -> None:
    database = RunFolder.open("finch").database
    with sqlite3.connect(database) as connection:
        connection.executescript(
            f"DROP TABLE evaluation; PRAGMA user_version={len(schema.MIGRATIONS) - 1};"
        )
    connection.close()
    assert StoreReader(database).evaluations() == []
    assert summarise(RunFolder.open("finch")).evaluated is None
    add_evaluation(database, 5, {"score": {"mean": 1.0}})
    assert [row.step for row in StoreReader(database).evaluations()] == [5]
