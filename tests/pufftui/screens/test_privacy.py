"""What others must not see is masked wherever it could be seen."""

from __future__ import annotations

import re
import socket
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeReader, fake_app, fake_session, screen_text, settle
from hypothesis import given
from hypothesis import strategies as st

from pufftui.appearance.privacy import HIDDEN, Secrets, mask, mask_parts, own_secrets
from pufftui.apps.recorded import farewell
from pufftui.keys.tables import KEYS
from pufftui.screens.dialogs.end import ErrorScreen
from pufftui.screens.dialogs.reveal import RevealScreen
from pufftui.state.session import Session
from pufftui.trainer.messages.kept import Kept
from pufftui.trainer.messages.snapshot import Phase
from pufftui.trainer.store import AlertRow, Event
from pufftui.widgets.header import BADGE

SECRETS = Secrets(
    names=("Quentin Coldwater", "gpu-tower.lab", "gpu-tower", "quentin", "abe"),
    places=(("/home/quentin/My Work", "~/…"), ("/home/quentin", "~")),
    runs=("myquentinrun",),
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("by quentin, Quentin and QUENTIN", "by •••, ••• and •••"),
        ("quentin_2 2quentin RunQuentin QuentinRun", "•••_2 2••• Run••• •••Run"),
        ("unquentined", "unquentined"),
        ("run myquentinrun", "run my•••run"),
        ("Quentin Coldwater's", "•••'s"),
        ("on gpu-tower.lab or gpu-tower", "on ••• or •••"),
        ("/home/quentin", "~"),
        ("/home/quentin/", "~"),
        ("/home/quentin/x", "~/x"),
        ("/home/quentin/x/y.txt", "~/…/y.txt"),
        ("/home/quentinus/x/y", "~/…/y"),
        ("/home/julia/x", "~/x"),
        ("/Users/julia", "~"),
        ("~julia/x", "~/x"),
        ("in /home/quentin/My Work/runs/myquentinrun/log.txt.", "in ~/…/log.txt."),
        ("/home/quentin/runs/myquentinrun", "~/…/my•••run"),
        ("/data/projects/secret/quentin.toml", "…/•••.toml"),
        ('File "/usr/lib/python3/x.py", line 3', 'File "…/x.py", line 3'),
        ("(/tmp/pufftui-x.txt)", "(…/pufftui-x.txt)"),
        ("--config=/etc/secret/x.toml", "--config=…/x.toml"),
        ("412k steps/s, and/or 3/4 of 1.5/2", "412k steps/s, and/or 3/4 of 1.5/2"),
        ("held by process 4711 on cluster-7, says", "held by process 4711 on •••, says"),
        ("10.0.0.1:8080 and 192.168.1.20", "••• and •••"),
        ("fe80::1%eth0, ::1, 2001:db8::8a2e:370:7334", "•••, •••, •••"),
        ("at 12:34:56, version 1.2.3, 0.1.2.3.4", "at 12:34:56, version 1.2.3, 0.1.2.3.4"),
        ("https://hooks.example.com/T0/B0 failed", "https://••• failed"),
        ("file:///home/quentin/x", "file://•••"),
        ("quentin@gpu-tower: julia@example.com", "•••: •••"),
        ("abe: hi, abe:10.0.0.1 at 12:34", "•••: hi, •••:••• at 12:34"),
        ("", ""),
    ],
)
def test_texts_as_they_come(text: str, shown: str) -> None:
    assert mask(text, SECRETS) == shown
    assert mask(shown, SECRETS) == shown


WORD = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SECRET = st.sampled_from(
    ["quentin", "Quentin", "gpu-tower.lab", "/home/quentin", "/home/quentin/My Work", "10.1.2.3"]
)


@given(st.lists(st.tuples(WORD, SECRET, WORD), max_size=5))
def test_no_secret_survives_and_masking_twice_is_masking_once(parts) -> None:
    text = " ".join(f"{before} {secret} {after}" for before, secret, after in parts)
    masked = mask(text, SECRETS)
    for secret in ("quentin", "gpu-tower", "My Work", "10.1.2.3"):
        assert secret not in masked.lower() or secret == "My Work", (text, masked)
    assert mask(masked, SECRETS) == masked


@given(st.lists(st.one_of(WORD, SECRET, st.just(" ")), max_size=12))
def test_lines_keep_their_parts_and_their_width(parts: list[str]) -> None:
    masked = mask_parts(parts, SECRETS)
    assert [len(part) for part in masked] == [len(part) for part in parts]


def test_a_secret_across_two_parts_is_found() -> None:
    assert mask_parts(["run by que", "ntin now"], SECRETS) == ["run by •••", "     now"]


def test_ones_own_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "gpu-tower.lab")
    monkeypatch.setenv("HOME", "/home/quentin")
    found = own_secrets(["breakout-best", "myquentinrun"], [], {"USER": "quentin", "HOSTNAME": "q"})
    assert {"quentin", "gpu-tower.lab", "gpu-tower"} <= set(found.names)
    assert "q" not in found.names
    assert ("/home/quentin", "~") in found.places
    assert found.runs == ("myquentinrun",)


# The screen.


@pytest.fixture
def secret_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A run that has the names of its person and its machine in all of its texts."""
    monkeypatch.setattr(socket, "gethostname", lambda: "gpu-tower.lab")
    monkeypatch.setenv("USER", "quentin")
    home = tmp_path / "home" / "quentin"
    monkeypatch.setenv("HOME", str(home))
    session = fake_session(home / "private project" / "breakout-quentins-best", env="breakout")
    session.runner.alerts = [
        AlertRow(
            id=1,
            step=1_000_000,
            seconds=1.0,
            level="warning",
            rule="machine.disk",
            title=f"The disk of {session.folder.path} on gpu-tower fills up",
            text=f"1 GB is free in {session.folder.path}, says quentin@gpu-tower.lab (10.1.2.3).",
            evidence={"rule": "disk", "source": f"{home}/notes.txt"},
            advice=f"Make room in {session.folder.path}, quentin.",
            acknowledged_at=None,
            over_step=None,
        )
    ]
    reader = SecretReader(session.runner)
    reader.texts = [
        f"checkpoint in {session.folder.path}/checkpoints",
        "quentin said: see https://hooks.example.com/T000/B000",
        f'Traceback\n  File "{home}/private project/env.py"\nOSError: {home}/x on gpu-tower.lab',
        "held by process 4711 on gpu-tower.lab",
    ]
    return replace(session, open_store=lambda: reader)


class SecretReader(FakeReader):
    texts: list[str]

    def events_after(self, row: int) -> list[Event]:
        events = [Event(i + 1, i, float(i), "start", text) for i, text in enumerate(self.texts)]
        return events[row:]


FORBIDDEN = re.compile(
    r"quentin|gpu-tower|private project|hooks\.|10\.1\.2\.3|/home/", re.IGNORECASE
)


def seen(app) -> str:
    """All that can be read: the screen, and messages that are about to be shown."""
    return screen_text(app) + "".join(f"{n.title} {n.message}" for n in app._notifications)


async def test_one_key_hides_and_showing_asks(secret_session: Session) -> None:
    app = fake_app(secret_session)
    async with app.run_test(size=(120, 40)) as pilot:
        for _ in range(3):
            await settle(app, pilot)
        app.notify("quentin was here", markup=False)
        assert FORBIDDEN.search(seen(app))
        assert BADGE not in screen_text(app)
        await pilot.press("v")
        await settle(app, pilot)
        assert not FORBIDDEN.search(seen(app))
        assert BADGE in screen_text(app).splitlines()[0]
        for way_out in ("escape", "v", "n"):
            await pilot.press("v")
            await pilot.pause()
            assert isinstance(app.screen, RevealScreen)
            await pilot.press(way_out)
            await pilot.pause()
            assert app.screen is app.main
            assert app.private
        await pilot.press("v", "enter")
        await settle(app, pilot)
        await settle(app, pilot)
        assert not app.private
        assert FORBIDDEN.search(seen(app))
        assert BADGE not in screen_text(app)


async def test_a_dialog_hides_at_once_too(secret_session: Session) -> None:
    app = fake_app(secret_session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        secret_session.runner.phase = Phase.FAILED
        secret_session.runner.changes = {"failure": "OSError: /home/quentin/x/y on gpu-tower.lab"}
        await settle(app, pilot)
        assert isinstance(app.screen, ErrorScreen)
        assert FORBIDDEN.search(seen(app))
        await pilot.press("v")
        await pilot.pause()
        assert isinstance(app.screen, ErrorScreen)
        assert not FORBIDDEN.search(seen(app))


async def test_the_badge_stays_while_a_person_plays_and_on_tiny_screens(
    secret_session: Session,
) -> None:
    app = fake_app(secret_session, privacy=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("m")
        await settle(app, pilot)
        first = screen_text(app).splitlines()[0]
        assert first.startswith(BADGE)
        assert "YOU are playing" in first
        assert "esc hands back" in first
        await pilot.resize_terminal(50, 12)
        await settle(app, pilot)
        assert BADGE.strip() in screen_text(app)


async def test_nothing_private_is_seen_whatever_is_pressed_and_however_large(
    secret_session: Session,
) -> None:
    random = np.random.default_rng(7)
    keys = [key for entry in KEYS for key in entry.keys if key not in ("ctrl+c", "v", "t")]
    keys += ["escape"] * 6 + ["left", "up", "down"]
    app = fake_app(secret_session, privacy=True)
    async with app.run_test(size=(120, 40)) as pilot:
        for turn in range(150):
            key = keys[random.integers(len(keys))]
            if turn % 12 == 0:
                width, height = (int(n) for n in random.integers((40, 10), (220, 70)))
                await pilot.resize_terminal(width, height)
            await pilot.press(key)
            await settle(app, pilot, float(random.random()))
            text = seen(app)
            found = FORBIDDEN.search(text)
            assert found is None, (turn, key, text[max(0, found.start() - 80) : found.end() + 20])
            if app._exit:
                break
        secret_session.runner.phase = Phase.FAILED
        failure = f"Traceback\nOSError: [Errno 2] {secret_session.folder.path}/x.toml"
        secret_session.runner.changes = {"failure": failure, "failure_hint": failure}
        for _ in range(4):
            await pilot.press("escape")
            await settle(app, pilot)
            assert not FORBIDDEN.search(seen(app))


async def test_notifications_of_the_desktop_are_masked(
    secret_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    monkeypatch.setattr(
        "pufftui.screens.controllers.alerts.write_control", lambda _, text: written.append(text)
    )
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("TMUX", raising=False)
    alerts, secret_session.runner.alerts = secret_session.runner.alerts, []
    app = fake_app(secret_session, privacy=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        app.app_focus = False
        secret_session.runner.alerts = alerts
        await settle(app, pilot)
        assert any("fills up" in text for text in written)
        assert not FORBIDDEN.search("".join(written))


@pytest.mark.parametrize("trouble", ["", "There is no room in {}, quentin."])
async def test_where_a_demonstration_is_kept_is_not_told(
    secret_session: Session, trouble: str
) -> None:
    folder = secret_session.demonstrations
    secret_session.arena.kept = Kept(folder / "breakout-1.npz", 40, 30, trouble.format(folder))
    app = fake_app(secret_session, privacy=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        for _ in range(2):
            await pilot.press("R")
            await settle(app, pilot)
        assert ("Not recorded" if trouble else "Demonstration kept") in seen(app)
        assert not FORBIDDEN.search(seen(app))
        last = farewell(secret_session.arena)
        assert FORBIDDEN.search(last)
        assert not FORBIDDEN.search(app.masked(last))


def test_the_mask_is_short() -> None:
    assert len(HIDDEN) == 3
