"""The health checks beside training: what they write, what they ask for, what they survive."""

import time

import pytest

from pufftui.trainer.health import Facts, Level, Moment, Reading
from pufftui.trainer.health import suite as suite_module
from pufftui.trainer.health.speed import FIRST_EPOCH
from pufftui.trainer.messages.channel import Channel
from pufftui.trainer.messages.command import Checkpoint, Pause, RollBack
from pufftui.trainer.messages.snapshot import Phase, Snapshot
from pufftui.trainer.monitor.monitor import YOUNG, Monitor
from pufftui.trainer.store import StoreReader, StoreWriter, mute

FACTS = Facts(total_steps=1_000_000, score_low=0.0, score_high=100.0)


class Watched:
    """A monitor that is looked at by hand, with a real store."""

    def __init__(self, folder, on_critical="ask", webhook=None):
        self.database = folder / "run.db"
        self.store, self.channel = StoreWriter(self.database), Channel(1_000_000)
        self.channel.latest = Snapshot(Phase.RUNNING)
        self.reader = StoreReader(self.database)
        self.monitor = Monitor(
            FACTS,
            self.store,
            self.channel,
            StoreReader(self.database),
            on_critical=on_critical,
            webhook=webhook,
        )

    def rows(self, first, count, keep=False, **values):
        for second in range(first, first + count):
            if keep:
                self.store.metrics(second * 1000, float(second), second, values)
            self.monitor.row(Moment(second * 1000, float(second), values))
        self.monitor._look()
        self.store.flush()

    @property
    def alerts(self):
        return self.reader.alerts_after(0)

    def asked(self):
        return self.channel.commands()


@pytest.fixture
def watched(tmp_path):
    made = []

    def make(**choices):
        made.append(Watched(tmp_path, **choices))
        return made[-1]

    yield make
    for one in made:
        one.store.close()
        one.reader.close()


def test_a_warning_is_stored_and_asks_for_a_checkpoint_and_is_over_again(watched):
    run = watched()
    run.rows(0, 20, reward_size=0.01)
    (alert,) = run.alerts
    assert (alert.rule, alert.level, alert.over_step) == ("rewards.small", "warning", None)
    assert alert.evidence["metric"] == "reward_size"
    assert alert.evidence["since_step"] == 0
    assert alert.evidence["value"] == 0.01
    assert alert.advice
    assert run.channel.findings[0].rule.id == "rewards.small"
    reason = "alert: Rewards are too small to learn from"
    assert run.asked() == [Checkpoint(reason, spare=YOUNG)]
    run.rows(20, 30, reward_size=0.5)
    assert run.alerts[0].over_step is not None
    assert run.channel.findings == ()
    assert run.asked() == []


@pytest.mark.parametrize(
    ("choice", "answer"), [("ask", []), ("pause", [Pause()]), ("rollback", [Pause()])]
)
def test_what_is_done_about_a_critical_finding_is_a_choice(watched, choice, answer):
    run = watched(on_critical=choice)
    run.rows(0, 3, finite=0.5)
    assert run.alerts[0].level == "critical"
    assert run.asked()[1:] == answer, "nothing to roll back to would help against bad numbers"


def test_a_crash_is_rolled_back_to_before_it_began(watched):
    run = watched(on_critical="rollback")
    for second in range(0, 200, 10):
        run.rows(second, 10, score=min(80.0, second))
    assert run.asked() == []
    run.rows(200, 60, score=2.0)
    commands = [command for command in run.asked() if isinstance(command, RollBack)]
    assert len(commands) == 1
    assert 80_000 <= commands[0].before <= 200_000
    assert commands[0].reason == "The score has crashed"


def test_a_muted_rule_is_told_but_asks_for_nothing(watched):
    run = watched()
    run.store.flush()
    mute(run.database, "rewards.small")
    run.rows(0, 20, reward_size=0.01)
    assert [alert.rule for alert in run.alerts] == ["rewards.small"]
    assert run.asked() == []
    assert run.reader.muted() == {"rewards.small"}
    mute(run.database, "rewards.small", muted=False)
    assert run.reader.muted() == set()


def test_a_resumed_run_remembers_its_past(watched):
    run = watched()
    for second in range(0, 100, 10):
        run.rows(second, 10, keep=True, score=float(second))
    run.monitor.begin_at(100_000)
    run.rows(100, 40, score=3.0)
    crash = next(alert for alert in run.alerts if alert.rule == "score.crash")
    assert "It was at" in crash.text
    assert crash.evidence["since_step"] <= 100_000


def test_what_is_still_wrong_after_a_resume_is_told_again(watched):
    run = watched()
    run.rows(0, 20, keep=True, reward_size=0.01)
    run.monitor.begin_at(20_000)
    run.rows(20, 10, keep=True, reward_size=0.01)
    first, second = run.alerts
    assert first.over_step == 20_000
    assert second.over_step is None


def test_silence_is_a_stall_unless_training_is_paused(watched):
    run = watched()
    run.rows(0, 10, sps=1000.0)
    run.monitor._heard -= 25
    run.monitor._look()
    assert run.channel.findings == ()
    run.channel.latest = Snapshot(Phase.PAUSED)
    run.monitor._heard -= 100
    run.monitor._look()
    assert run.channel.findings == ()
    run.channel.latest = Snapshot(Phase.RUNNING)
    run.rows(10, 2, sps=1000.0)
    run.monitor._heard -= 40
    run.monitor._look()
    assert [finding.rule.id for finding in run.channel.findings] == ["speed.stall"]
    run.rows(60, 1, sps=1000.0)
    assert run.channel.findings == ()


def test_readings_of_the_machine_are_looked_at(watched):
    run = watched()
    run.monitor.reading(Reading(0, 0.0, disk="The disk has 3 MB left.", disk_level=3))
    run.monitor._look()
    (finding,) = run.channel.findings
    assert finding.level is Level.CRITICAL
    assert finding.text == "The disk has 3 MB left."


def test_a_broken_check_ends_no_run(watched, monkeypatch):
    run = watched()

    def broken(*_):
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(suite_module.HealthSuite, "see", broken)
    run.monitor.start(0)
    run.monitor.row(Moment(0, 0.0, {}))
    end = time.monotonic() + 10
    while run.monitor._thread.is_alive() and time.monotonic() < end:
        time.sleep(0.05)
    run.monitor.close()
    run.store.flush()
    told = [event.text for event in run.reader.events_after(0) if event.kind == "error"]
    assert told == ["The health checks have ended: ZeroDivisionError: oh."]


def test_the_last_rows_are_looked_at_before_it_ends(watched):
    run = watched()
    run.monitor.start(0)
    for second in range(20):
        run.monitor.row(Moment(second, float(second), {"reward_size": 0.01}))
    run.monitor.close()
    run.store.flush()
    assert [alert.rule for alert in run.alerts] == ["rewards.small"]


@pytest.mark.parametrize("ended", [True, False])
def test_a_run_that_has_ended_is_judged_as_a_whole_and_calls_nobody(watched, ended):
    run = watched()
    run.monitor.start(0)
    for row in range(64):
        values = {"score": min(40.0, 2.0 * row)}
        run.monitor.row(Moment((row + 1) * 10_000, 0.04 * row, values))
    run.monitor.close(ended=ended)
    run.store.flush()
    told = [(alert.rule, alert.level, alert.over_step) for alert in run.alerts]
    assert told == [("score.plateau", "info", None)] * ended
    assert [finding.rule.id for finding in run.channel.findings] == ["score.plateau"] * ended
    assert run.asked() == []


def test_a_past_that_cannot_be_read_is_told_once(tmp_path):
    """The monitor reads a file that is no store; what it says goes to one that is."""
    torn, channel = tmp_path / "torn.db", Channel(1_000_000)
    torn.write_text("Dear diary, " * 500)
    store, reader = StoreWriter(tmp_path / "run.db"), StoreReader(tmp_path / "run.db")
    monitor = Monitor(FACTS, store, channel, StoreReader(torn))
    for _ in range(3):
        monitor.begin_at(1000)
        monitor._look()
    store.close()
    told = [event.text for event in reader.events_after(0) if event.kind == "error"]
    reader.close()
    assert len(told) == 1
    assert "cannot be read" in told[0]


def test_a_first_epoch_that_does_not_end_is_told_and_is_over_with_the_first_row(watched):
    run = watched()
    run.monitor._look()
    assert run.alerts == []
    run.monitor._heard -= FIRST_EPOCH + 1
    run.monitor._look()
    run.store.flush()
    assert [alert.rule for alert in run.alerts] == ["speed.stall"]
    run.rows(0, 1, sps=1000.0)
    assert [finding.rule.id for finding in run.channel.findings] == []
