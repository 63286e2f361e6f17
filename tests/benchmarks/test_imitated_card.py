"""benchmarks/imitated_card.py: a run beside it goes on as ever, learns nothing and keeps the processor free."""

import pytest
import torch
from by_path import benchmark

from pufftui.envs.catalogue import load_env
from pufftui.trainer.collecting.collector import Collector
from pufftui.trainer.ppo.ranks import Ranks
from pufftui.trainer.ppo.update import Learner
from pufftui.trainer.settings.sources import load_config
from pufftui.trainer.training.epoch import run_epoch
from pufftui.trainer.training.session import TrainingSession


def test_epochs_go_on_and_only_the_first_ones_are_worked_out(monkeypatch):
    for owner, name in ((Collector, "play"), (Learner, "update"), (Ranks, "add_up")):
        monkeypatch.setattr(owner, name, getattr(owner, name))  # Put back afterwards.
    module = benchmark("imitated_card")
    slept = []
    monkeypatch.setattr(module, "_sleep", slept.append)
    module.imitate(0.05, 0.003)
    config = load_config("breakout", device="cpu", files=[], flags=module.SMALL)
    session = TrainingSession(config, load_env("breakout"))
    try:
        # The first measures the gradient's noise, as one in 16 does.
        first = run_epoch(session, lambda: False)
        second = run_epoch(session, lambda: False)
        learned = [tensor.clone() for tensor in session.policy.parameters()]
        slept.clear()
        third = run_epoch(session, lambda: False)
        assert first.steps == second.steps == third.steps == 64 * config.train.horizon
        assert session.step == 3 * first.steps
        assert sum(slept) == pytest.approx(0.053)
        assert max(slept) <= 0.02
        assert all(map(torch.equal, learned, session.policy.parameters()))
        assert third.figures.keys() <= first.figures.keys()
        assert run_epoch(session, lambda: True) is None
    finally:
        session.close()
