"""A trial that takes long is told of while it lasts, and only then."""

import time
from pathlib import Path

import pytest

from pufftui.trainer.health import Stall
from pufftui.trainer.messages.channel import Channel
from pufftui.trainer.monitor import trial
from pufftui.trainer.store import StoreReader, StoreWriter


@pytest.mark.parametrize(("patience", "told"), [(0.05, True), (100.0, False)])
def test_who_waits_long_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patience: float, told: bool
) -> None:
    monkeypatch.setattr(trial, "PATIENCE", patience)
    channel, store = Channel(1000), StoreWriter(tmp_path / "run.db")
    with trial.told_if_long(store, channel):
        until = time.monotonic() + (20.0 if told else 0.2)
        while not channel.findings and time.monotonic() < until:
            time.sleep(0.01)
        assert [finding.rule for finding in channel.findings] == [Stall.rule] * told
    assert channel.findings == ()
    store.close()
    alerts = StoreReader(tmp_path / "run.db").alerts_after(0)
    assert [(alert.rule, alert.over_step) for alert in alerts] == [(Stall.rule.id, 0)] * told
