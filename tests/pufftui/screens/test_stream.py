"""The screen for an audience: few panels, large ones, news, and no names."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from fakes import FakeReader, fake_app, fake_session, screen_text, settle
from hypothesis import given, settings
from hypothesis import strategies as st

from pufftui.appearance.banner import LETTERS, banner
from pufftui.appearance.glyphs import ASCII, FULL, SHAPES
from pufftui.apps.training import PuffApp
from pufftui.cli.output import add_screen, wishes
from pufftui.cli.parser import CommandParser
from pufftui.keys.tables import KEYS, LOGGED_KEYS, PLAY_KEYS, WATCH_KEYS
from pufftui.layout.cockpit import LEAST_HEIGHT, LEAST_WIDTH, picture_area
from pufftui.layout.stream import LEAST_CURVE, arrange_stream
from pufftui.screens.dialogs.reveal import RevealScreen
from pufftui.state.session import Session
from pufftui.trainer.messages.command import SetPictureSize
from pufftui.trainer.messages.snapshot import Phase, Snapshot
from pufftui.trainer.store import AlertRow, Event
from pufftui.widgets.header import BADGE
from pufftui.widgets.news import SECONDS, News

PANELS = {"header", "footer", "game", "big_score", "big_curve", "big_speed", "news"}
SIZES = [(80, 24), (120, 36), (200, 60), (60, 60)]


# Where the panels lie.


@settings(max_examples=400)
@given(st.integers(1, 400), st.integers(1, 150), st.floats(0.3, 4))
def test_panels_never_overlap_and_never_leave_the_screen(width, height, aspect) -> None:
    regions = arrange_stream(width, height, aspect).regions
    for region in regions.values():
        assert region.width > 0
        assert region.height > 0
        assert 0 <= region.x <= region.right <= width
        assert 0 <= region.y <= region.bottom <= height
    for one, other in combinations(regions.values(), 2):
        assert not one.overlaps(other)
    small = width < LEAST_WIDTH or height < LEAST_HEIGHT
    assert regions.keys() - {"big_curve"} == ({"too_small"} if small else PANELS - {"big_curve"})
    if "big_curve" in regions:
        assert regions["big_curve"].height >= LEAST_CURVE


@pytest.mark.parametrize("aspect", [0.5, 1, 576 / 330, 2])
@pytest.mark.parametrize("size", [(120, 36), (160, 45), (200, 60)])
def test_the_game_is_the_hero(size: tuple[int, int], aspect: float) -> None:
    regions = arrange_stream(*size, aspect).regions
    whole = regions["game"].union(regions["news"])
    assert picture_area(regions["game"], aspect) > 0.45 * picture_area(whole, aspect)
    assert regions["big_score"].height >= 8
    assert regions["big_speed"].height >= 6
    assert regions["news"].height <= 7 < size[1] / 3, "the bar is no lower third"


# Letters of pixels.


@pytest.mark.parametrize("glyphs", [FULL, ASCII])
@given(
    text=st.text(alphabet="ABCXYZ 0123456789.%k", min_size=1),
    width=st.integers(1, 300),
    height=st.integers(1, 40),
)
def test_a_banner_fits_or_is_not_there(glyphs, text, width, height) -> None:
    rows = banner(text, width, height, glyphs)
    assert len(rows) <= height
    assert len({len(row) for row in rows}) <= 1
    assert all(len(row) <= width for row in rows)
    assert glyphs is FULL or all(row.isascii() for row in map(glyphs, rows))


def test_a_banner_is_as_large_as_it_fits() -> None:
    assert len(banner("831", 14, 3, FULL)) == 3
    assert len(banner("831", 14, 6, FULL)) == 6
    assert len(banner("831", 14, 40, FULL)) == 6
    assert len(banner("831", 28, 40, FULL)) == 12
    assert banner("831", 13, 40, FULL) == []
    assert banner("831", 14, 2, FULL) == []
    assert len(banner("831", 14, 6, ASCII)) == 6
    assert banner("831", 14, 5, ASCII) == []


def test_every_letter_is_six_pixels_high_and_unlike_the_others() -> None:
    for letter, shape in (SHAPES | LETTERS).items():
        rows = shape.split("|")
        assert len(rows) == 6, letter
        assert len({len(row) for row in rows}) == 1, letter
    assert len(set(LETTERS.values())) == len(LETTERS)
    assert {*"ABCDEFGHIJKLMNOPQRSTUVWXYZ"} <= LETTERS.keys()


# The screen.


@pytest.mark.parametrize("size", SIZES)
async def test_one_key_there_and_back(tmp_path: Path, size: tuple[int, int]) -> None:
    session = fake_session(tmp_path / "breakout-brisk-otter", env="breakout")
    app = fake_app(session)
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        await pilot.press("s")
        for _ in range(3):
            await settle(app, pilot)
        shown = {panel.id for panel in app.main.panels if panel.is_on_screen}
        assert shown == PANELS
        text = screen_text(app)
        lines = text.splitlines()
        assert {len(line) for line in lines} == {size[0]}
        assert BADGE in lines[0]
        assert lines[-1].strip().startswith("s all panels")
        assert "v show names" in lines[-1] or size[0] < 120
        for words in (
            "score",
            "of 864",
            "best ",
            "speed",
            "steps a second",
            "of 1.00B steps",
            "left",
        ):
            assert words in text, words
        assert not any("⠀" < letter <= "⣿" for letter in text)
        assert text.count("█") > 20
        await pilot.press("s")
        for _ in range(3):
            await settle(app, pilot)
        assert not app.main.stream.on
        assert app.private, "names stay hidden until the person has answered a question"
        assert "big_score" not in {panel.id for panel in app.main.panels if panel.is_on_screen}
        await pilot.press("v")
        await pilot.pause()
        assert isinstance(app.screen, RevealScreen)


async def test_how_far_the_run_is_stands_there_once(session: Session) -> None:
    app = fake_app(session, stream=True)
    async with app.run_test(size=(200, 60)) as pilot:
        for _ in range(3):
            await settle(app, pilot)
        lines = screen_text(app).splitlines()
        assert "left" not in lines[0]
        assert sum("of 1.00B" in line for line in lines) == 1
        await pilot.press("s")
        for _ in range(3):
            await settle(app, pilot)
        assert "of 1.00B" in screen_text(app).splitlines()[0]


@pytest.mark.parametrize("stream", [True, False])
async def test_a_score_that_is_missing_is_a_word(session: Session, stream: bool) -> None:
    app = fake_app(session, stream=stream)
    async with app.run_test(size=(200, 60)) as pilot:
        for _ in range(3):
            await settle(app, pilot)
        card = app.main.stream.score if stream else app.main.charts.score
        card.snapshot = replace(card.snapshot, score=None)
        card.paint()
        text = "\n".join(strip.text for strip in card._strips)
        assert "none yet" in text
        assert not {"█", "▀"} & set(text)


async def test_it_can_start_so_and_digits_lead_out(session: Session) -> None:
    app = fake_app(session, stream=True)
    async with app.run_test(size=(120, 36)) as pilot:
        for _ in range(2):
            await settle(app, pilot)
        first = screen_text(app)
        assert BADGE in first
        assert "steps a second" in first
        await pilot.press("2")
        for _ in range(2):
            await settle(app, pilot)
        assert "steps a second" not in screen_text(app)
        await pilot.press("0")
        for _ in range(2):
            await settle(app, pilot)
        assert "machine" in screen_text(app)


async def test_a_person_can_take_over_on_a_stream(session: Session) -> None:
    app = fake_app(session, stream=True)
    async with app.run_test(size=(120, 36)) as pilot:
        await settle(app, pilot)
        await pilot.press("m")
        await settle(app, pilot)
        assert "YOU are playing" in screen_text(app)
        assert "you play" in screen_text(app)
        await pilot.press("s")
        await settle(app, pilot)
        assert app.main.stream.on, "the game's keys are the game's"


class Eventful(FakeReader):
    def __init__(self, runner) -> None:
        super().__init__(runner)
        self.events = [Event(1, 0, 0.0, "best", "new best 12")]

    def events_after(self, row: int) -> list[Event]:
        return self.events[row:]


async def test_news_are_large_short_and_in_turn(session: Session) -> None:
    reader = Eventful(session.runner)
    session = type(session)(
        **{name: getattr(session, name) for name in session.__dataclass_fields__}
        | {"open_store": lambda: reader}
    )
    app = fake_app(session, stream=True)
    async with app.run_test(size=(120, 36)) as pilot:
        await settle(app, pilot)
        news = app.main.stream.news
        assert news.ground == "surface", "what was there before is no news"
        reader.events += [
            Event(2, 1, 1.0, "checkpoint", "checkpoint (time)"),
            Event(3, 1, 1.0, "note", "nobody's business"),
            Event(4, 1, 1.0, "best", "new best 640"),
        ]
        await settle(app, pilot)
        await settle(app, pilot, 0.1)
        assert news.ground == "policy"
        wanted = banner("CHECKPOINT", 116, news.size.height - 2, FULL)
        assert all(row.strip() in screen_text(app) for row in wanted)
        await settle(app, pilot, SECONDS)
        assert news.ground == "good"
        await settle(app, pilot, SECONDS)
        assert news.ground == "surface"
        assert "of 1.00B steps" in screen_text(app)


def alert(level: str, title: str) -> AlertRow:
    return AlertRow(1, 1, 1.0, level, "rule", title, "text", {}, "advice", None, None)


def pieces(news: News, now: float) -> list[str]:
    found = []
    for _ in range(10):
        news.tick(now)
        if news._piece is None:
            break
        found.append(news._piece.words)
        now += SECONDS
    return found


def test_the_newest_news_win() -> None:
    news = News.__new__(News)
    news.__init__(None)
    news.paint = lambda: None
    news.hear([], [])
    bests = [Event(i, i, 1.0, "best", f"new best {i}") for i in range(1, 6)]
    news.hear(bests, [alert("critical", "Learning has collapsed")])
    assert pieces(news, 0.0) == ["new best 5", "Learning has collapsed"]
    many = [Event(10 + i, i + 1, 1.0, "checkpoint", f"checkpoint at {i}M") for i in range(6)]
    news.hear([*bests, *many], [])
    assert pieces(news, 100.0) == ["checkpoint 3M", "checkpoint 4M", "checkpoint 5M"]
    news.hear([Event(99, 0, 1.0, "checkpoint", "checkpoint (the start)")], [])
    assert pieces(news, 200.0) == []


def test_a_best_score_that_waited_is_the_one_of_now_in_three_digits() -> None:
    news = News.__new__(News)
    news.__init__(None)
    news.paint = lambda: None
    news.hear([], [])
    news.hear([Event(1, 1, 1.0, "best", "new best 22.42")], [])
    news.tick(0.0)
    news.show(Snapshot(Phase.RUNNING, best_score=31.04))
    assert news._now(news._piece) == "new best 31.0"


def test_who_has_the_key_and_the_flag() -> None:
    for keys, there in ((KEYS, True), (WATCH_KEYS, True), (LOGGED_KEYS, False), (PLAY_KEYS, False)):
        ids = {key.id for key in keys}
        assert ("stream" in ids) is there
        assert "privacy" in ids
    parser = CommandParser("watch", "")
    add_screen(parser, stream=True)
    wanted = wishes(parser.parse(["--stream", "--theme", "arcade"]))
    assert (wanted.stream, wanted.privacy, wanted.theme) == (True, False, "arcade")
    bare = CommandParser("play", "")
    add_screen(bare)
    assert not wishes(bare.parse([])).stream


async def test_the_key_is_answered_without_waiting_for_the_next_tick(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = fake_session(tmp_path / "breakout-brisk-otter", env="breakout")
    ticks, tick = [True], PuffApp.tick
    monkeypatch.setattr(PuffApp, "tick", lambda app: tick(app) if ticks else None)
    app, sent = fake_app(session), session.arena.sent
    async with app.run_test(size=(120, 36)) as pilot:
        for _ in range(3):
            await settle(app, pilot)
        ticks.clear()  # the timer would find out later
        for _ in range(2):
            before, pixels = len(sent), app.main.game.pixels
            await pilot.press("s")
            await pilot.pause()
            plan = app.main.plan(120, 36)
            shown = {panel.id: panel.region for panel in app.main.panels if panel.is_on_screen}
            assert shown == {name: plan.regions[name] for name in shown}
            assert ("big_score" in shown) == app.main.stream.on
            assert app.main.game.pixels != pixels
            asked = [each for each in sent[before:] if isinstance(each, SetPictureSize)]
            assert asked == [SetPictureSize(*app.main.game.pixels)]
