"""Whoever it is, wherever their files are: no name and no path of theirs is ever on the screen."""

from __future__ import annotations

import random
import socket
import string
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from fakes import FakeReader, fake_app, fake_session, screen_text, settle
from hypothesis import given
from hypothesis import strategies as st

from pufftui.appearance.privacy import Secrets, mask
from pufftui.keys.tables import KEYS
from pufftui.trainer.messages.snapshot import Phase
from pufftui.trainer.store import AlertRow, Event
from pufftui.widgets.header import BADGE

# Nothing of pufftui's own is written like this, so whatever of it is seen was not masked.
LETTERS = "bcdfghjkmnqrtvwxz"
USER = st.builds(
    "".join, st.tuples(st.text(LETTERS, min_size=4, max_size=9), st.sampled_from(["", "_2", "-x"]))
)
HOST = st.lists(st.text(LETTERS + string.digits, min_size=4, max_size=9), min_size=1, max_size=3)
FOLDER = st.text(LETTERS + LETTERS.upper() + " -+é漢", min_size=4, max_size=12).map(
    lambda name: f"q{name.strip()}q"
)
BEFORE = st.sampled_from(["", "in ", "(", "'", '"', "see: ", "score 12.5, ", "•••", "=", "—"])
AFTER = st.sampled_from(["", " fills up", ")", "'", '"', ".", ", 3 times", "•••", ":", "—", "\n"])


@dataclass(frozen=True)
class Person:
    """Somebody with a home, a machine, and a run that is called after them."""

    user: str
    host: str
    home: str
    work: str

    @property
    def secrets(self) -> Secrets:
        short = self.host.partition(".")[0]
        places = ((self.work, "~/…"), (self.home, "~"))
        return Secrets((self.host, short, self.user), places)

    @property
    def texts(self) -> list[str]:
        """What a program says of its surroundings."""
        user, host, work = self.user, self.host, self.work
        return [
            f"checkpoint in {work}/checkpoints/0001",
            f"held by process 4711 on {host}, of {user}",
            f"{user}@{host}: {user.upper()}",
            f'File "{work}/env.py", line 3\nOSError: {self.home}',
            f"Demonstration kept in {work}/demonstrations/a.npz, 812 steps.",
            f"https://{host}/{user}?token=x",
            f"--config={self.home}/x.toml",
        ]

    def seen_in(self, text: str) -> str | None:
        """What of them can be read in a text."""
        lower = text.lower()
        parts = [self.user, self.host.partition(".")[0], *self.work.split("/")[2:]]
        return next((part for part in parts if part.lower() in lower), None)


@st.composite
def people(draw) -> Person:
    user, host = draw(USER), ".".join(draw(HOST))
    home = f"{draw(st.sampled_from(['/home', '/Users', '/data/people', '/srv']))}/{user}"
    return Person(user, host, home, f"{home}/{draw(FOLDER)}/{draw(FOLDER)}")


@given(people(), st.data())
def test_no_text_tells_anything(person: Person, data) -> None:
    for text in person.texts:
        whole = data.draw(BEFORE) + text + data.draw(AFTER)
        assert person.seen_in(whole)
        shown = mask(whole, person.secrets)
        assert person.seen_in(shown) is None, (whole, shown)


def somebody(seed: int, root: Path) -> Person:
    """Somebody new for every seed, at home below a folder that is there."""
    chance = random.Random(seed)

    def word(least: int = 5) -> str:
        return "".join(chance.choices(LETTERS, k=chance.randint(least, 10)))

    user, host = word(), chance.choice([word(), f"{word()}.{word()}.{word(3)}"])
    home = root / "home" / user
    return Person(user, host, str(home), str(home / f"{word()} {word()}" / word()))


class Telling(FakeReader):
    """A store whose events tell everything."""

    texts: list[str]

    def events_after(self, row: int) -> list[Event]:
        kinds = ("note", "checkpoint", "failed", "start", "best", "rollback", "stop")
        events = [Event(i + 1, i, float(i), kinds[i], text) for i, text in enumerate(self.texts)]
        return events[row:]


@pytest.mark.parametrize("seed", range(6))
async def test_no_screen_tells_anything(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = somebody(seed, tmp_path)
    for name in ("USER", "LOGNAME"):
        monkeypatch.setenv(name, person.user)
    monkeypatch.setenv("HOME", person.home)
    monkeypatch.setattr(socket, "gethostname", lambda: person.host)
    session = fake_session(Path(person.work) / f"{person.user}srun", env="breakout")
    reader = Telling(session.runner)
    reader.texts = person.texts
    session = replace(session, open_store=lambda: reader)
    session.runner.alerts = [
        AlertRow(
            id=1 + i,
            step=1_000_000,
            seconds=1.0,
            level=level,
            rule=f"rule.{i}",
            title=text,
            text=text,
            evidence={"source": text},
            advice=text,
            acknowledged_at=None,
            over_step=None,
        )
        for i, (level, text) in enumerate(zip(("warning", "info"), person.texts, strict=False))
    ]
    chance = random.Random(seed)
    keys = [key for entry in KEYS for key in entry.keys if key not in ("ctrl+c", "v")]
    keys += ["escape"] * 8 + ["s"] * 3
    app = fake_app(session, privacy=seed % 2 == 0, stream=seed % 2 == 1)
    async with app.run_test(size=(160, 50)) as pilot:
        for turn in range(40):
            if turn % 8 == 0:
                size = chance.choice([(80, 24), (120, 36), (200, 60), (61, 18), (50, 12)])
                await pilot.resize_terminal(*size)
                app.notify(chance.choice(person.texts), title=chance.choice(person.texts))
            if turn == 30:
                session.runner.phase = Phase.FAILED
                failure = "\n".join(person.texts)
                session.runner.changes = {"failure": failure, "failure_hint": failure}
            key = chance.choice(keys)
            await pilot.press(key)
            await settle(app, pilot, chance.random() * 3)
            said = "".join(f"{n.title} {n.message}" for n in app._notifications)
            text = screen_text(app) + said
            assert person.seen_in(text) is None, (turn, key, person.seen_in(text), text)
            if app._exit:
                break
            if app.screen is app.main:
                assert BADGE.strip() in text
