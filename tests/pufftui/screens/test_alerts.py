"""Alerts on the screen: the strip, the list, the question about what is critical, and who may do what."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fakes import fake_app, fake_session, screen_text, settle

from pufftui.screens.dialogs.alerts import AlertsScreen
from pufftui.screens.dialogs.critical import CriticalScreen
from pufftui.screens.dialogs.end import SummaryScreen
from pufftui.screens.dialogs.explain import ExplainScreen
from pufftui.state.alerts import Alerts
from pufftui.state.session import Session
from pufftui.terminal.notify import desktop
from pufftui.trainer.health import RULES, Finding, Level, Remedy
from pufftui.trainer.messages.command import Pause, RollBack
from pufftui.trainer.messages.snapshot import Phase
from pufftui.trainer.store import AlertRow, StoreReader, StoreWriter
from pufftui.widgets.alert_strip import FLASH_SECONDS

SIZES = [(80, 24), (120, 40), (200, 60)]


def alert(number: int, rule: str = "policy.kl", level: str = "warning", **changes) -> AlertRow:
    about = RULES[rule]
    remedy = Remedy.ROLL_BACK if rule in ("policy.kl", "score.crash") else Remedy.NONE
    finding = Finding(
        about, Level.named(level), "It is 0.52.", 4_000_000, 40.0, 0.52, 0.3, remedy=remedy
    )
    row = AlertRow(
        number,
        step=4_100_000,
        seconds=41.0,
        level=level,
        rule=rule,
        title=about.title,
        text=finding.text,
        evidence=finding.evidence(),
        advice=about.advice,
        acknowledged_at=None,
        over_step=None,
    )
    return replace(row, **changes)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    made = fake_session(tmp_path / "squared-brisk-otter")
    made.folder.path.mkdir()
    made.folder.database = made.folder.path / "run.db"
    store = StoreWriter(made.folder.database)
    for number in (1, 2):
        row = alert(number)
        words = {"level": row.level, "rule": row.rule, "title": row.title, "text": row.text}
        store.alert(row.step, row.seconds, **words)
    store.close()
    return made


def last_lines(app) -> list[str]:
    return screen_text(app).splitlines()[-2:]


@pytest.mark.parametrize("size", SIZES)
async def test_the_strip_is_there_only_while_something_calls(session: Session, size) -> None:
    app = fake_app(session)
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        assert "▲" not in last_lines(app)[0]
        assert "● healthy" in screen_text(app)
        session.runner.alerts = [alert(1)]
        await settle(app, pilot)
        await settle(app, pilot)
        text = screen_text(app)
        assert "▲ 1 warning" in text.splitlines()[0]
        assert last_lines(app)[0].startswith(" ▲ The policy moves too fast   It is 0.52.")
        assert last_lines(app)[0].rstrip().endswith("a details   k seen")
        assert "m take over" in last_lines(app)[1]
        assert {len(line) for line in text.splitlines()} == {size[0]}
        ground = app.main.alerts.strip.ground
        assert ground == "warning", "a new one flashes"
        await settle(app, pilot, FLASH_SECONDS + 1)
        assert app.main.alerts.strip.ground == "raised"
        session.runner.alerts = [alert(1, over_step=5_000_000)]
        await settle(app, pilot)
        await settle(app, pilot)
        assert "▲" not in last_lines(app)[0]
        assert "● healthy" in screen_text(app)


async def test_what_is_seen_calls_no_longer_and_is_remembered(session: Session) -> None:
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        session.runner.alerts = [alert(1), alert(2, "rewards.small")]
        await settle(app, pilot)
        await settle(app, pilot)
        assert "(+1 more)" in last_lines(app)[0]
        await pilot.press("k")
        await app.workers.wait_for_complete()
        await settle(app, pilot)
        assert "(+1 more)" not in screen_text(app)
        assert "▲ 2 warnings" in screen_text(app).splitlines()[0], "it is still so"
        rows = StoreReader(session.folder.database).alerts_after(0)
        assert all(row.acknowledged_at is not None for row in rows)


async def test_the_list_says_everything_about_the_chosen_one(session: Session) -> None:
    app = fake_app(session)
    session.runner.alerts = [
        alert(1, "rewards.small", over_step=6_000_000),
        alert(2),
        alert(3, "batch.size", "info"),
    ]
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pilot.press("a")
        await settle(app, pilot)
        assert isinstance(app.screen, AlertsScreen)
        await pilot.press("down")
        text = screen_text(app)
        assert "Alerts (3)" in text
        for words in (
            "It is 0.52. (since step 4.00M)",
            "Rule: The KL divergence",
            "Source: The 37",
        ):
            assert words in text
        assert "over" in text
        await pilot.press("m")
        await app.workers.wait_for_complete()
        await settle(app, pilot)
        assert "muted" in screen_text(app)
        assert StoreReader(session.folder.database).muted() == {"policy.kl"}
        await pilot.press("r")
        assert session.runner.sent == [RollBack(4_000_000, 0.5, "The policy moves too fast")]
        assert app.screen is app.main


@pytest.mark.parametrize("rule", ["score.below_best", "score.crash"])
async def test_nothing_is_cut_off_at_80_columns(session: Session, rule: str) -> None:
    """Neither in the list nor where a figure is explained, with a scrollbar beside the text."""
    app = fake_app(session)
    session.runner.alerts = [alert(1, rule)]
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        for name in ("the list", "what the score is"):
            if name == "the list":
                await pilot.press("a")
            else:
                app.push_screen(ExplainScreen(app.look, "score", app.main.charts.charting))
            await settle(app, pilot)
            text = screen_text(app)
            lines = [line.strip() for line in str(app.screen.body()).splitlines()]
            shown = [line for line in lines if line and line[:20] in text]
            assert len(shown) > 8, name
            assert not [line for line in shown if line not in text], name
            app.pop_screen()


async def test_without_alerts_the_list_says_so(session: Session) -> None:
    app = fake_app(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pilot.press("a")
        await settle(app, pilot)
        assert "Nothing was found." in screen_text(app)
        await pilot.press("down", "m", "r", "enter", "escape")
        assert app.screen is app.main
        assert session.runner.sent == []


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("r", [RollBack(4_000_000, 0.5, "The score has crashed")]),
        ("p", [Pause()]),
        ("enter", []),
    ],
)
async def test_something_critical_is_asked_about(session: Session, key: str, answer) -> None:
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        session.runner.alerts = [alert(1, "score.crash", "critical")]
        await settle(app, pilot)
        await settle(app, pilot)
        assert isinstance(app.screen, CriticalScreen)
        assert "✕ critical" in screen_text(app).splitlines()[0]
        assert "Roll back: return to the last healthy checkpoint" in screen_text(app)
        await pilot.press(key)
        await app.workers.wait_for_complete()
        assert app.screen is app.main
        assert session.runner.sent == answer


async def test_a_person_who_plays_is_not_interrupted(session: Session) -> None:
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pilot.press("m")
        await settle(app, pilot)
        session.runner.alerts = [alert(1, "score.crash", "critical")]
        await settle(app, pilot)
        await settle(app, pilot)
        assert app.screen is app.main
        assert "✕ The score has crashed" in last_lines(app)[0]


async def test_what_was_there_before_asks_nothing(session: Session) -> None:
    app = fake_app(session)
    session.runner.alerts = [alert(1, "score.crash", "critical")]
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await settle(app, pilot)
        assert app.screen is app.main
        assert "✕ The score has crashed" in last_lines(app)[0]


async def test_a_run_that_has_ended_calls_nobody(session: Session) -> None:
    app = fake_app(session)
    session.runner.alerts = [alert(1)]
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        session.runner.phase = Phase.FINISHED
        await settle(app, pilot)
        await pilot.press("escape")
        await settle(app, pilot)
        assert not last_lines(app)[0].startswith(" ▲")


def test_only_what_changed_is_told() -> None:
    class Reader:
        def __init__(self):
            self.rows = []

        def alerts_after(self, row):
            asked.append(row)
            return [alert for alert in self.rows if alert.id > row]

        def muted(self):
            return {"policy.unused"}

    reader, alerts, asked = Reader(), Alerts(), []
    seen = alert(1, over_step=9, acknowledged_at=1.0)
    reader.rows = [seen, alert(2), alert(3, "policy.unused", "info")]
    assert alerts.poll(reader) == []
    assert [row.id for row in alerts.open] == [2]
    assert alerts.poll(reader) is None
    assert asked[-1] == 1, "what cannot change any more is not read again"
    reader.rows = [*reader.rows, alert(4, "score.crash", "critical")]
    assert [row.id for row in alerts.poll(reader)] == [4]
    assert [row.id for row in alerts.calling] == [4, 2]
    alerts.see(4)
    alerts.mute("policy.kl", muted=True)
    assert alerts.calling == []
    alerts.mute("policy.unused", muted=False)
    assert alerts.muted == {"policy.kl"}


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({"TERM": "xterm-kitty"}, "\x1b]9;The title: a b c\x1b\\"),
        ({"TERM": "foot"}, "\x1b]777;notify;The title;a b c\x1b\\"),
        (
            {"TERM": "xterm-256color", "VTE_VERSION": "7400"},
            "\x1b]777;notify;The title;a b c\x1b\\",
        ),
        ({"TERM": "screen-256color"}, ""),
        ({"TERM": "xterm-256color", "TMUX": "/tmp/x"}, ""),
        ({"TERM": "dumb"}, ""),
    ],
)
def test_a_notification_holds_no_control_characters(monkeypatch, environment, wanted) -> None:
    for name in ("TERM", "TMUX", "VTE_VERSION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert desktop("The title", "a\x1bb;c") == wanted


@pytest.mark.parametrize("size", SIZES)
async def test_the_summary_says_what_was_found_of_the_score(session: Session, size) -> None:
    session.runner.alerts = []
    app = fake_app(session)
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        text = (
            "It got no better after step 30,000,000 of 80,000,000: it ended at 356 of at most 864."
        )
        session.runner.alerts = [
            alert(1, "score.plateau", "info", text=text),
            alert(2, "policy.kl", "warning"),
        ]
        session.runner.phase = Phase.FINISHED
        await settle(app, pilot)
        assert isinstance(app.screen, SummaryScreen)
        shown = " ".join(screen_text(app).replace("│", " ").split())
        assert "· The score no longer gets better. It got no better after step" in shown
        assert "it ended at 356 of at most 864." in shown
        assert "steps/s on cpu" in shown
        assert RULES["policy.kl"].title not in shown
