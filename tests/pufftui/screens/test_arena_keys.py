"""What a person does to the game, on the screen: every key of it, pointing, holding, recording."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from fakes import fake_app, fake_session, screen_text, settle
from textual.events import AppBlur
from textual.geometry import Region

from pufftui.envs.errors import PuffError
from pufftui.keys.grip import ALONE_SECONDS
from pufftui.keys.kitty import KeyMotion, Motion, ReleasesReported
from pufftui.screens.controllers.rival import RivalController
from pufftui.screens.dialogs.ask import AgentScreen
from pufftui.screens.dialogs.quit import QuitScreen
from pufftui.state.session import Session
from pufftui.terminal.pictures import places
from pufftui.trainer.messages.command import (
    Begin,
    FollowAgent,
    HandBack,
    PauseGame,
    PressKey,
    Record,
    ReleaseAllKeys,
    ReleaseKey,
    Rewind,
    SetPictureSize,
    SetRival,
    StepGame,
    StopRecording,
    TakeOver,
    Watch,
    WatchAt,
)
from pufftui.trainer.messages.follow import Follow
from pufftui.trainer.messages.kept import Kept
from pufftui.trainer.run.checkpoint import checkpoint_name, write_checkpoint
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.run.naming import find_policy
from pufftui.trainer.settings.fields import Config
from pufftui.trainer.settings.sources import config_to_toml

SIZES = [(80, 24), (120, 40), (200, 60)]
DOWN, REPEAT, UP = Motion.DOWN, Motion.REPEAT, Motion.UP


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """A run of breakout, which has a clock."""
    return fake_session(tmp_path / "breakout-brisk-otter", env="breakout")


# Time.


async def test_back_and_forth(session: Session) -> None:
    app, sent = fake_app(session), session.arena.sent
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        assert "pause game" in screen_text(app).splitlines()[-1]
        await pilot.press("b", "b", "b")
        assert sent[-3:] == [Rewind(1.0)] * 3
        await settle(app, pilot)
        text = screen_text(app)
        assert "◀ 3.0 s back · 27 s more" in text
        assert "resume game" in text.splitlines()[-1]
        await pilot.press("comma")
        assert sent[-1] == StepGame(-1)
        await pilot.press("full_stop")
        assert sent[-1] == StepGame(1)
        await pilot.press("space")
        assert sent[-1] == PauseGame(paused=False)
        await settle(app, pilot)
        assert "back ·" not in screen_text(app)
        await pilot.press("space")
        await settle(app, pilot)
        assert re.search(r"‖ paused, \d+ s to go back", screen_text(app))


async def test_taking_over_in_the_past_goes_on_from_there(session: Session) -> None:
    app, sent = fake_app(session), session.arena.sent
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pilot.press("b")
        await settle(app, pilot)
        await pilot.press("m")
        assert sent[-2:] == [PauseGame(paused=False), TakeOver()]
        # Then the keys are the game's.
        before = len(sent)
        for key in ("b", "comma", "full_stop", "f", "g", "R", "M"):
            await pilot.press(key)
        assert set(sent[before:]) == {Begin()}
        assert app.screen is app.main


# Agents.


async def test_following(session: Session) -> None:
    app, sent = fake_app(session), session.arena.sent
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        for follow, words in (
            (Follow.BEST, "agent 1 of 3, the best"),
            (Follow.WORST, "agent 1 of 3, the worst"),
            (Follow.CHOSEN, "agent 1 of 3 ·"),
        ):
            await pilot.press("f")
            assert sent[-1] == FollowAgent(follow)
            await settle(app, pilot)
            assert words in screen_text(app)


async def test_an_agent_by_number(session: Session) -> None:
    app, sent = fake_app(session), session.arena.sent
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pilot.press("g")
        await pilot.pause()
        assert isinstance(app.screen, AgentScreen)
        for wrong in ("0", "4", "two", "-1", "²", ""):
            app.screen.line.value = wrong
            await pilot.press("enter")
            await pilot.pause()
            assert "Type a number from 1 to 3." in screen_text(app)
        app.screen.line.value = ""
        await pilot.press("3", "enter")
        await pilot.pause()
        assert app.screen is app.main
        assert sent[-1] == Watch(2)
        await settle(app, pilot)
        assert "agent 3 of 3" in screen_text(app)


async def test_a_click_on_the_game_points_into_the_picture(session: Session) -> None:
    app, sent = fake_app(session), session.arena.sent
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await settle(app, pilot)
        game = app.main.game
        region = game.picture
        await pilot.click(game, offset=(region.x, region.y))
        first = sent[-1]
        await pilot.click(game, offset=(region.right - 1, region.bottom - 1))
        last = sent[-1]
        assert isinstance(first, WatchAt)
        assert isinstance(last, WatchAt)
        assert (first.x, first.y) == pytest.approx((0.5 / region.width, 0.5 / region.height))
        assert (last.x, last.y) == pytest.approx((1 - first.x, 1 - first.y))
        before = len(sent)
        await pilot.click(game, offset=(region.x, 0))  # the title
        await pilot.press("m")
        await pilot.click(game, offset=(region.x + 3, region.y + 3))
        assert [c for c in sent[before:] if isinstance(c, WatchAt)] == []


# Holding keys.


async def move(pilot, *motions: tuple[str, Motion]) -> None:
    for key, motion in motions:
        pilot.app.post_message(KeyMotion(key, motion))
    await pilot.pause()


async def test_keys_are_held_where_their_release_is_reported(session: Session) -> None:
    app, sent = fake_app(session), session.arena.sent
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pilot.press("m")
        assert "any key begins · keys latch" in screen_text(app).splitlines()[0]
        await settle(app, pilot)
        assert "YOU are playing agent 1 · keys latch" in screen_text(app).splitlines()[0]
        app.post_message(ReleasesReported(reported=True))
        await pilot.pause()
        assert "YOU are playing agent 1 · keys held" in screen_text(app).splitlines()[0]
        sent.clear()
        await move(pilot, ("left", DOWN), ("left", REPEAT), ("right", DOWN), ("left", UP))
        presses = [PressKey("left"), PressKey("left"), PressKey("right")]
        assert sent == [*presses, ReleaseKey("left")]
        # What every terminal sends, too, is not heard twice.
        await pilot.press("right")
        assert sent[-1] == ReleaseKey("left")
        await settle(app, pilot, 60)
        assert ReleaseAllKeys() not in sent
        await move(pilot, ("right", UP), ("q", DOWN), ("q", UP))
        assert sent[-1] == ReleaseKey("right")
        # A key without motions is a tap, and so is one with Shift: it is not held.
        await pilot.press("a")
        assert sent[-2:] == [PressKey("a"), ReleaseKey("a")]
        sent.clear()
        await move(pilot, ("left_shift", DOWN), ("left", DOWN))
        await pilot.press("shift+left")
        await move(pilot, ("left", UP), ("left_shift", UP))
        assert sent == [PressKey("left"), ReleaseKey("left"), ReleaseKey("left")]


async def test_held_keys_are_let_go_when_nobody_looks(session: Session) -> None:
    app, sent = fake_app(session), session.arena.sent
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        app.post_message(ReleasesReported(reported=True))
        await pilot.press("m")
        await move(pilot, ("left", DOWN), ("right", DOWN))
        app.post_message(AppBlur())
        await pilot.pause()
        assert sent[-1] == ReleaseAllKeys()
        await move(pilot, ("left", UP))
        await move(pilot, ("right", REPEAT))
        assert sent[-1] == PressKey("right")
        await pilot.press("ctrl+c")
        await pilot.pause()
        assert isinstance(app.screen, QuitScreen)
        assert sent[-1] == ReleaseAllKeys()
        before = len(sent)
        await move(pilot, ("left", DOWN))  # into the dialog
        assert len(sent) == before


async def test_shift_plays_as_long_as_it_is_held(session: Session) -> None:
    app, sent, clock = fake_app(session), session.arena.sent, session.clock
    async with app.run_test(size=(120, 40)) as pilot:
        app.post_message(ReleasesReported(reported=True))
        await settle(app, pilot)
        await move(pilot, ("left_shift", DOWN))
        clock.now += ALONE_SECONDS - 0.05
        app.tick()
        assert not app.main.player.playing
        clock.now += 0.1
        app.tick()
        assert app.main.player.playing
        assert sent[-1] == TakeOver()
        await settle(app, pilot)
        assert "let go of shift to hand back" in screen_text(app).splitlines()[0]
        await move(pilot, ("left", DOWN), ("d", DOWN))
        assert sent[-2:] == [PressKey("left"), PressKey("d")]
        await pilot.press("shift+left")
        assert sent[-1] == PressKey("d")
        await move(pilot, ("left_shift", UP))
        assert not app.main.player.playing
        assert sent[-2:] == [ReleaseAllKeys(), HandBack()]
        await settle(app, pilot)
        assert "YOU are" not in screen_text(app)
        # The keys that are still down do nothing more.
        before = len(sent)
        await move(pilot, ("left", UP), ("d", UP))
        await settle(app, pilot, 5)
        assert TakeOver() not in sent[before:]


@pytest.mark.parametrize(
    "motions",
    [
        [("left_shift", DOWN), ("comma", DOWN)],  # a capital letter or sign
        [("left_shift", DOWN), ("a", DOWN), ("a", UP)],
        [("left_control", DOWN), ("left_shift", DOWN)],  # a shortcut of the terminal
        [("left_shift", DOWN), ("left_shift", UP)],
        [("left_shift", DOWN), ("right_shift", DOWN)],
    ],
)
async def test_shift_with_other_keys_means_nothing(session: Session, motions) -> None:
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        app.post_message(ReleasesReported(reported=True))
        await settle(app, pilot)
        await move(pilot, *motions)
        await settle(app, pilot, 5)
        assert not app.main.player.playing


async def test_shift_means_nothing_where_its_release_is_not_seen(session: Session) -> None:
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await move(pilot, ("left_shift", DOWN))
        await settle(app, pilot, 5)
        assert not app.main.player.playing


async def test_shift_hands_back_when_nobody_looks_and_esc_does_too(session: Session) -> None:
    app, sent = fake_app(session), session.arena.sent
    async with app.run_test(size=(120, 40)) as pilot:
        app.post_message(ReleasesReported(reported=True))
        await settle(app, pilot)
        for way_out in ("blur", "shift+escape", "ctrl+shift+c"):
            await move(pilot, ("right_shift", DOWN))
            await settle(app, pilot)
            assert app.main.player.playing
            if way_out == "blur":
                app.post_message(AppBlur())
            else:
                await pilot.press(way_out)
            await pilot.pause()
            assert not app.main.player.playing
            assert HandBack() in sent
            sent.clear()
            await move(pilot, ("right_shift", UP))
        assert isinstance(app.screen, QuitScreen)


async def test_m_plays_on_without_shift(session: Session) -> None:
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        app.post_message(ReleasesReported(reported=True))
        await settle(app, pilot)
        await pilot.press("m")
        await move(pilot, ("left_shift", DOWN), ("left_shift", UP))
        assert app.main.player.playing
        assert "esc hands back" in screen_text(app).splitlines()[0]


@pytest.mark.parametrize("real", [False, True])
async def test_the_help_says_how_keys_work_here(session: Session, real: bool) -> None:
    app = fake_app(session)
    async with app.run_test(size=(120, 90)) as pilot:
        app.post_message(ReleasesReported(reported=real))
        await settle(app, pilot)
        await pilot.press("question_mark")
        await pilot.pause()
        text = screen_text(app)
        assert ("hold it alone to play" in text) == real
        assert ("A tapped key stays down" in text) != real
        assert "with a key: for one decision only" in text


# Recording.


async def test_recording_and_where_it_is(session: Session) -> None:
    app, sent = fake_app(session), session.arena.sent
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(app, pilot)
        await pilot.press("R")
        folder = session.folder.path / "demonstrations"
        assert sent[-1] == Record(folder, "breakout-brisk-otter")
        await settle(app, pilot)
        assert re.search(r"arena +● REC 2 s", screen_text(app))
        await pilot.press("R")
        assert sent[-1] == StopRecording()
        await settle(app, pilot)
        await pilot.pause()
        text = screen_text(app)
        assert "● REC" not in text
        assert "Demonstration kept" in text
        assert "40 steps, 30 of them yours" in text
        assert "demo.npz" in text
        # It is said once.
        before = len(app._notifications)
        await settle(app, pilot)
        assert len(app._notifications) == before


async def test_a_recording_that_fails_says_why(session: Session) -> None:
    session.arena.kept = Kept(Path("demo.npz"), trouble="There is no room for demo.npz.")
    app = fake_app(session)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(app, pilot)
        await pilot.press("R")
        await settle(app, pilot)
        await pilot.press("R")
        await settle(app, pilot)
        await pilot.pause()
        text = screen_text(app)
        assert "Not recorded" in text
        assert "There is no room for demo.npz." in text


@pytest.mark.parametrize("width", [60, 80, 120])
async def test_the_sign_of_a_recording_is_never_cut(session: Session, width: int) -> None:
    app = fake_app(session)
    async with app.run_test(size=(width, 24)) as pilot:
        await settle(app, pilot)
        await pilot.press("R", "f", "b")
        await settle(app, pilot)
        line = next(line for line in screen_text(app).splitlines() if "● REC 2 s" in line)
        assert re.search(r"arena +● REC 2 s .*agent 1 of 3", line)
        assert {len(line) for line in screen_text(app).splitlines()} == {width}


# The rival.


def keep_best(session: Session, made_policy, step: int, score: float | None) -> None:
    """Writes a checkpoint into the run."""
    policy = made_policy("breakout", seed=step)
    config = Config("breakout", session.config.parameters)
    config = replace(config, policy=replace(config.policy, memory="mingru", hidden=8, layers=1))
    write_checkpoint(
        session.folder.checkpoints / f"step-{step:014d}.npz",
        {f"policy/{name}": array for name, array in policy.arrays.items()},
        {"step": step, "score": score, "config": config_to_toml(config), "written": step}
        | {"epoch": 1, "seconds": 1.0},
    )


@pytest.mark.parametrize("size", SIZES)
async def test_the_best_checkpoint_plays_beside(session: Session, made_policy, size) -> None:
    for step, score in ((0, None), (1_000_000, 300.0), (2_000_000, 500.0), (3_000_000, 400.0)):
        keep_best(session, made_policy, step, score)
    app, sent = fake_app(session), session.arena.sent
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        await settle(app, pilot)
        alone = app.main.game.picture
        await pilot.press("M")
        await app.workers.wait_for_complete()
        (rival,) = [c.rival for c in sent if isinstance(c, SetRival)]
        assert rival.step == 2_000_000
        for _ in range(3):
            await settle(app, pilot)
        text = screen_text(app)
        assert {len(line) for line in text.splitlines()} == {size[0]}
        assert re.search(r"newest, 411M +return 12", text)
        assert re.search(r"best, 2\.00M +mean 7 of 12 +return 3", text)
        # Both pictures are as large as asked for, undistorted, and show different pixels.
        regions = app.main.game._places.pictures
        asked = [c for c in sent if isinstance(c, SetPictureSize)][-1]
        assert all((r.width, 2 * r.height) == (asked.width, asked.height) for r in regions)
        assert asked.width / asked.height == pytest.approx(
            session.descriptor.picture_aspect, rel=0.12
        )
        frame = session.arena.latest
        for region, pixels in zip(regions, (frame.pixels, frame.rival.pixels), strict=True):
            strips = app.main.game._strips
            for row in (0, region.height - 1):
                cells = [
                    c for s in strips[region.y + row] for c in s.text and [s.style] * len(s.text)
                ]
                for column in (0, region.width - 1):
                    ground = cells[region.x + column].bgcolor.triplet
                    assert tuple(ground) == tuple(pixels[2 * row + 1, column])
        await pilot.press("M")
        assert sent[-1] == SetRival(None)
        await settle(app, pilot)
        assert app.main.game.picture == alone
        assert "newest," not in screen_text(app)


async def test_without_a_score_there_is_no_rival(session: Session, made_policy) -> None:
    keep_best(session, made_policy, 0, None)
    app, sent = fake_app(session), session.arena.sent
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(app, pilot)
        await pilot.press("M")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert "No checkpoint has a score yet." in screen_text(app)
        assert not any(isinstance(c, SetRival) for c in sent)


@pytest.mark.parametrize("aspect", [0.4, 0.91, 1.0, 1.78, 3.0])
@pytest.mark.parametrize("size", [(78, 19), (70, 34), (60, 12), (40, 50), (3, 3), (0, 0), (200, 8)])
def test_two_pictures_never_overlap_and_keep_their_shape(size, aspect) -> None:
    area = Region(1, 2, *size)
    first, second = places(area, aspect, 2).pictures
    assert first.size == second.size
    if not first.area:
        return
    for region in (first, second):
        assert area.contains_region(region)
        assert region.y > area.y  # room for the caption
    assert not first.overlaps(second)
    if first.y != second.y:
        assert second.y > first.bottom  # and for the other one
    if first.height > 4 and first.width > 8:
        assert first.width / first.height / 2 == pytest.approx(aspect, rel=0.2)


# The scores of both.


async def test_the_scores_of_both_on_every_size(session: Session) -> None:
    played = {"last_score": 123.0, "last_score_human": True, "best_human_score": 123.0}
    for size in SIZES:
        app = fake_app(session)
        async with app.run_test(size=size) as pilot:
            await settle(app, pilot)
            await pilot.press("m")
            await settle(app, pilot)
            arena = session.arena
            arena._frame = replace(arena._frame, finished=1, **played)
            await settle(app, pilot)
            text = screen_text(app)
            assert "GAME OVER   you scored 123" in text.splitlines()[0]
            assert re.search(r"your last +123", text)
            assert re.search(r"best +123", text)
            assert re.search(r"policy's last +778", text)
            await pilot.press("escape")
            arena._frame = replace(
                arena._frame, finished=0, last_score=778.0, last_score_human=False
            )
    assert np.isclose(0.9 * session.descriptor.score_high, 777.6)


def test_the_baseline_is_the_rival_until_a_checkpoint_has_a_score(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.checkpoints.mkdir(parents=True)
    folder.config_file.write_text('environment = "pong"\n')
    chosen = RivalController(None, SimpleNamespace(folder=folder), None)._choose
    weights, name = chosen()
    baseline = find_policy("baseline:pong")
    assert (weights.step, name) == (baseline.step, "baseline")
    config = baseline.saved.description["config"]
    described = {"step": 5, "epoch": 1, "seconds": 1.0, "config": config, "score": 3.0}
    write_checkpoint(folder.checkpoints / checkpoint_name(5), baseline.saved.arrays, described)
    weights, name = chosen()
    assert (weights.step, name) == (5, "best")


def test_where_no_baseline_comes_with_the_game_there_is_no_rival(
    tmp_path: Path, no_baselines: None
) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.checkpoints.mkdir(parents=True)
    folder.config_file.write_text('environment = "pong"\n')
    with pytest.raises(PuffError, match="No checkpoint has a score yet"):
        RivalController(None, SimpleNamespace(folder=folder), None)._choose()
