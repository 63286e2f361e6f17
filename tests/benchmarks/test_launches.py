"""What benchmarks/launches.py counts, against what follows from the sizes alone."""

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
import torch
from by_path import benchmark

pytest.importorskip(
    "triton.language", reason="Triton is not installed; make test does where it can be"
)

from pufftui.envs.catalogue import load_env
from pufftui.trainer.collecting.collector import Collector
from pufftui.trainer.collecting.decision import FusedDecision
from pufftui.trainer.collecting.gpu_steps import GpuSteps
from pufftui.trainer.collecting.rollout import Rollout
from pufftui.trainer.settings.sources import load_config
from pufftui.trainer.training.session import TrainingSession

FILE = Path(__file__).parents[2] / "benchmarks" / "launches.py"
AGENTS, HORIZON = 64, 4
SEEN = load_env("breakout").descriptor.observation_bytes

launches = benchmark("launches")


def flags(memory="none", horizon=HORIZON):
    return {
        "vec.agents": str(AGENTS),
        "train.horizon": str(horizon),
        "train.minibatch_size": str(AGENTS * horizon // 2),
        "policy.memory": memory,
    }


def count(memory="none", horizon=HORIZON):
    return launches.count("breakout", flags(memory, horizon))


@pytest.mark.parametrize("memory", ["none", "mingru"])
def test_an_epoch_comes_to_what_its_sizes_say(memory):
    line, longer = count(memory), count(memory, 2 * HORIZON)
    assert line["shortfalls"] == []
    for horizon, counted in ((HORIZON, line), (2 * HORIZON, longer)):
        # Two groups decide at every step and look at what follows the last; both are waited for at each step.
        assert counted["loop"] == {
            "launch": 2 * (horizon + 1),
            "query": 2 * horizon,
            "wait": 2 * horizon,
        }
        decisions = counted["graphs"]["decision"]
        assert decisions["starts"] == decisions["graphs"] == 2 * (horizon + 1)
        assert decisions["operations"] == [1, 2]  # The first step has its observations already.
        update = counted["graphs"]["update"]
        assert (update["graphs"], update["starts"]) == (1, 1)
        assert counted["graphs"]["final values"]["starts"] == 0
        assert counted["launched"]["graph: update"] == 1
        steps = AGENTS * horizon
        copied = counted["copied"]
        # Observations, a float32 reward and three flags of each step, and the update's seven numbers in float64.
        assert copied["copy to the device"] == pytest.approx(SEEN + 4 + 3 + 7 * 8 / steps, abs=1e-3)
        assert (
            copied["copy to the device, by a kernel (pinned)"] == 1
        )  # Whether it begins an episode.
        assert copied["copy to the host, by a kernel (pinned)"] == 4  # An int32 action.
        assert counted["to_host"] == pytest.approx(4 + copied["copy to the host"], abs=2e-3)
    assert line["launches"] == longer["launches"] <= launches.GOALS["launches"]
    assert line["launches"] == sum(line["launched"].values())


@pytest.mark.parametrize("memory", ["none", "mingru"])
def test_the_fixed_workload_meets_its_goals(memory):
    sizes = {"vec.agents": "8192", "train.horizon": "64", "train.minibatch_size": "32768"}
    line = launches.count("breakout", sizes | {"policy.memory": memory})
    for name, most in launches.GOALS.items():
        assert 0 < line[name] <= most, name
    steps = line["agents"] * line["horizon"]
    assert line["copied"]["copy to the host"] * steps < 1000  # The figures of one epoch.


def test_learning_beside_collecting_takes_a_copy_of_the_rollout_more():
    """Of each of its arrays but the state, which without memory is empty."""
    plain = count()
    line = launches.count("breakout", flags() | {"train.overlap": "on"})
    assert line["shortfalls"] == []
    assert line["launches"] == plain["launches"] + len(fields(Rollout)) - 1
    for name in ("loop", "to_device", "to_host"):
        assert line[name] == plain[name], name
    assert line["graphs"]["update"] == plain["graphs"]["update"]


def test_an_operation_more_in_every_step_is_counted(monkeypatch):
    plain = count()
    play = GpuSteps.play

    def play_and_add(self, clock, interrupted):
        memory = self._kept[3]
        for step in range(memory.horizon):
            memory.values[step].add_(0)
        return play(self, clock, interrupted)

    monkeypatch.setattr(GpuSteps, "play", play_and_add)
    assert count()["launches"] == plain["launches"] + HORIZON


def test_an_operation_more_in_every_decision_is_in_its_graph(monkeypatch):
    plain = count()
    decide = FusedDecision.decide

    def decide_and_fetch(self, step, group):
        decide(self, step, group)
        self._memory.values[step, group.rows].cpu()

    monkeypatch.setattr(FusedDecision, "decide", decide_and_fetch)
    line = count()
    assert line["graphs"]["decision"]["operations"] == [2, 3]
    assert line["launches"] == plain["launches"]
    assert line["to_host"] == pytest.approx(plain["to_host"] + 4, abs=2e-3)


def test_only_those_who_were_truncated_are_read():
    config = load_config("breakout", device="cuda", files=[], flags=flags())
    with launches.pretended() as card:
        session = TrainingSession(config, load_env("breakout"))
        session.collector.memory.truncated[:3] = 1
        card.forget()
        finals = [graph for graph in card.graphs if graph.kind == "final values"]
        assert len(finals) == 2
        card.start(finals[0])
        flagged, step = AGENTS // 2, 4
        assert card.tally.copied.total() == flagged + step + 3 * SEEN
        card.start(finals[1])
        assert card.tally.copied.total() == 2 * (flagged + step) + 3 * SEEN
        session.close()


def test_views_and_memory_are_no_launches():
    with launches.pretended() as card:
        numbers = torch.empty(4, 6, device="meta")
        parts = [
            *numbers.view(6, 4).split(2),
            *numbers.t().unbind(),
            numbers[1:, None].expand(3, 2, 6),
        ]
        assert len(parts) == 10
        assert not card.tally.operations
        with torch.inference_mode():
            numbers.to(torch.float32).reshape(-1).contiguous()
        assert not card.tally.operations
        torch.zeros(0, 5, device="meta").add_(1)
        assert not card.tally.operations
        torch.add(numbers, 1)
        numbers[0].copy_(torch.zeros(6))
        assert numbers.sum().item() == 1
        host = torch.ones(6)
        host.copy_(numbers[0])
    assert card.tally.operations == {
        "add": 1, "sum": 1, "copy to the device": 1, "copy to the host": 2,
    }  # fmt: skip
    assert card.tally.copied == {"copy to the device": 24, "copy to the host": 4 + 24}


def test_nothing_of_the_card_is_left():
    before = torch.Generator, torch.cuda.Stream, Collector._decided, torch.Tensor.is_cuda
    count()
    assert before == (torch.Generator, torch.cuda.Stream, Collector._decided, torch.Tensor.is_cuda)
    assert not torch.zeros(1, device="meta").is_cuda


def test_it_prints_a_line_and_a_table():
    sizes = ["--agents", "64", "--horizon", "4", "--minibatch", "128", "--memory", "none"]
    more = ["--env", "squared", "--set", "policy.hidden=32"]
    done = subprocess.run(
        [sys.executable, str(FILE), *sizes, *more],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    line, *table = done.stdout.splitlines()
    assert json.loads(line)["env"] == "squared"
    assert table[0].startswith("squared, none")
    assert any(row.startswith("graph: update") for row in table)


def test_an_update_of_very_many_minibatches_is_no_single_graph(monkeypatch):
    """It would take minutes to be recorded."""
    whole = count()
    monkeypatch.setattr("pufftui.trainer.ppo.update.MOST_MINIBATCHES", 1)
    line = count()
    assert line["shortfalls"] == []
    assert "graph: update" in whole["launched"]
    assert "graph: update" not in line["launched"]
    assert line["launches"] > whole["launches"]
    assert line["loop"]["launch"] == 2 * (HORIZON + 1)
