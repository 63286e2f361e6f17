"""`pufftui runs check`: findings of stored runs in words and as JSON, and the rules themselves."""

import json

import pytest

from pufftui.__main__ import main
from pufftui.trainer.health import RULES, Facts
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.store import StoreWriter


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run that paid a hundredth for half a minute."""
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path))
    folder = RunFolder.create("it", "squared")
    store = StoreWriter(folder.database)
    store.fact("health", Facts(total_steps=1_000_000).as_dict())
    for second in range(60):
        size = 0.01 if second < 30 else 0.5
        store.metrics(second * 1000, float(second), 0, {"reward_size": size})
    store.close()
    folder.release()
    return folder


def test_findings_are_told_in_words(run, capsys):
    assert main(["runs", "check", "it"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("▲ warning: Rewards are too small to learn from (from step 0 until")
    assert "Rule: The mean size" in said
    assert "What to do: Raise --train.reward-scale" in said
    assert max(map(len, said.splitlines())) < 130


def test_findings_as_json(run, capsys):
    assert main(["runs", "check", "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert told["rule"] == "rewards.small"
    assert 30_000 <= told["over_step"] <= 40_000
    assert told["told_step"] < 10_000
    assert told["value"] == pytest.approx(0.01)
    assert told["level"] == "warning"


def test_nothing_found_is_said(run, capsys):
    store = StoreWriter(run.database)
    store.fact("health", Facts(accepted=("reward_small",)).as_dict())
    store.close()
    assert main(["runs", "check", "it"]) == 0
    assert capsys.readouterr().out == "Nothing was found in it.\n"


def test_a_strangers_run_cannot_be_checked(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path))
    folder = RunFolder.create("other", "squared")
    StoreWriter(folder.database).close()
    folder.release()
    assert main(["runs", "check", "other"]) == 2
    assert "does not hold what the health checks need" in capsys.readouterr().err


def test_every_rule_is_printed_with_its_source(capsys):
    assert main(["runs", "check", "--rules"]) == 0
    said = capsys.readouterr().out
    for rule in RULES.values():
        assert f"{rule.id}: {rule.title}" in said
    assert main(["runs", "check", "--rules", "--json"]) == 0
    assert {rule["id"] for rule in json.loads(capsys.readouterr().out)} == set(RULES)
