"""The dashboard as a person meets it: every key, every state, three sizes."""

from __future__ import annotations

import os
import re
import signal
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import choose_command, fake_app, fake_session, screen_text, settle
from textual.errors import NoWidget
from textual.events import AppBlur, Key

from pufftui.envs.errors import PuffError
from pufftui.keys.key import VIEW
from pufftui.keys.latch import QUIET
from pufftui.keys.tables import KEYS
from pufftui.screens.dialogs.end import ErrorScreen, SummaryScreen
from pufftui.screens.dialogs.help import COLUMN, WORDS, HelpScreen
from pufftui.screens.dialogs.quit import PATIENCE, QuitScreen
from pufftui.state.pace import LEAST, MOST
from pufftui.state.session import Session
from pufftui.trainer.messages.command import (
    Checkpoint,
    HandBack,
    Pause,
    PauseGame,
    PressKey,
    ReleaseAllKeys,
    ReleaseKey,
    Resume,
    SetPictureSize,
    SetSpeed,
    Stop,
    TakeOver,
    Watch,
)
from pufftui.trainer.messages.snapshot import Phase, Snapshot
from pufftui.trainer.store import EvaluationRow

SIZES = [(80, 24), (120, 40), (200, 60)]


def breakout(tmp_path: Path) -> Session:
    return fake_session(tmp_path / "breakout-brisk-otter", env="breakout")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("env", ["squared", "breakout"])
async def test_everything_is_there_and_nothing_is_cut(tmp_path: Path, env: str, size) -> None:
    session = fake_session(tmp_path / f"{env}-brisk-otter", env=env)
    app = fake_app(session)
    async with app.run_test(size=size) as pilot:
        for _ in range(3):
            await settle(app, pilot)
        text = screen_text(app)
        lines = text.splitlines()
        assert len(lines) == size[1]
        assert {len(line) for line in lines} == {size[0]}
        assert f"{env} · brisk-otter" in lines[0]
        assert re.search(r"\d+\.\dM of 1\.00B", lines[0])
        assert lines[0].rstrip().endswith("● healthy")
        assert re.search(r"m take over .*\? keys +q quit", lines[-1])
        assert "arena" in text
        assert "agent 1 of 3" in text
        assert text.count("▀") > 20
        if size[0] == 80:
            assert re.search(r"score .* of .* best .* speed +\d+k steps/s", lines[-2])
            assert "1 game" in lines[-2]
        else:
            for word in ("score", "speed", "learning", "policy", "machine", "time", "log"):
                assert re.search(rf"(^|\s){word}\s", text), word
            for word in ("entropy", "explained", "forward", "GPU   none found", "CPU   64 %"):
                assert word in text, word
            for choice in session.descriptor.actions[0].choices:
                assert choice.label in text
            assert re.search(r"[⠀-⣿]", text)
            assert "★ new best 640" in text


@pytest.mark.parametrize("size", SIZES)
async def test_the_picture_keeps_its_shape(tmp_path: Path, size) -> None:
    session = breakout(tmp_path)
    app = fake_app(session)
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        await settle(app, pilot)
        asked = [c for c in session.arena.sent if isinstance(c, SetPictureSize)][-1]
        aspect = session.descriptor.picture_aspect
        assert asked.width / asked.height == pytest.approx(aspect, rel=0.06)
        assert session.arena.latest.pixels.shape == (asked.height, asked.width, 3)
        assert asked.width > size[0] * 0.55


async def test_the_game_view_shows_the_pixels(session: Session) -> None:
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        for _ in range(4):
            await settle(app, pilot, 0.3)
        game = app.main.game
        region, pixels = game.picture, session.arena.latest.pixels
        for row in range(region.height):
            strip = game.render_lines(game.size.region)[region.y + row]
            x = 0
            for text, style, _ in strip:
                for letter in text:
                    column = x - region.x
                    if 0 <= column < region.width:
                        lower = style.bgcolor.triplet
                        upper = style.color.triplet if letter == "▀" else lower
                        assert tuple(upper) == tuple(pixels[2 * row, column])
                        assert tuple(lower) == tuple(pixels[2 * row + 1, column])
                    x += 1
            assert x == game.size.width


async def test_only_rows_that_changed_are_refreshed(session: Session) -> None:
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await settle(app, pilot)
        game, refreshed = app.main.game, []
        game.refresh = lambda *regions, **_: refreshed.extend(regions)
        frame = session.arena.latest
        game.show(replace(frame, number=frame.number + 1))
        assert refreshed == []
        pixels = frame.pixels.copy()
        pixels[6] = 255 - pixels[6]
        game.show(replace(frame, pixels=pixels))
        assert [(r.y - game.picture.y, r.height) for r in refreshed] == [(3, 1)]


async def test_a_dialog_opened_at_once_does_not_keep_the_game_dark(tmp_path: Path) -> None:
    app = fake_app(fake_session(tmp_path / "breakout-brisk-otter", env="breakout"))
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("q")
        assert isinstance(app.screen, QuitScreen)
        await settle(app, pilot)
        await settle(app, pilot)
        assert screen_text(app).count("▀") > 200
        # Once it is there, it costs nothing more.
        frame = app.main.game.frame
        await settle(app, pilot)
        assert app.main.game.frame is frame


async def test_watching_playing_and_handing_back(tmp_path: Path) -> None:
    session = breakout(tmp_path)
    app, sent = fake_app(session), session.arena.sent
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pilot.press("right_square_bracket")
        assert sent[-1] == Watch(1)
        await settle(app, pilot)
        await pilot.press("left_square_bracket")
        assert sent[-1] == Watch(0)
        await pilot.press("escape")
        assert HandBack() not in sent

        await pilot.press("m")
        await settle(app, pilot)
        assert sent[-1] == TakeOver()
        text = screen_text(app)
        assert "YOU are playing agent 1" in text
        assert "← left" in text.splitlines()[0]
        assert "esc hands back" in text.splitlines()[0]
        assert "you play" in text
        assert "esc hand back" in text.splitlines()[-1]

        await pilot.press("left")
        assert sent[-1] == PressKey("left")
        await pilot.press("D")  # with Shift, for one decision
        assert sent[-3:] == [ReleaseKey("left"), PressKey("d"), ReleaseKey("d")]
        await pilot.press("shift+left")
        assert sent[-2:] == [PressKey("left"), ReleaseKey("left")]
        await pilot.press("left", "d")
        assert sent[-2:] == [ReleaseKey("left"), PressKey("d")]
        await pilot.press("d")
        assert sent[-1] == PressKey("d")
        await settle(app, pilot, QUIET + 0.01)
        assert sent[-1] == ReleaseKey("d")

        # All other keys belong to the game, also those that mean something elsewhere.
        before = len(sent)
        for key in ("q", "p", "c", "t", "question_mark", "space", "1", "less_than_sign", "ctrl+p"):
            await pilot.press(key)
        assert len(sent) == before
        assert session.runner.sent == []
        assert app.screen is app.main

        await pilot.press("left", "escape")
        assert sent[-2:] == [ReleaseAllKeys(), HandBack()]
        await settle(app, pilot)
        assert "YOU are" not in screen_text(app)
        assert "breakout · brisk-otter" in screen_text(app)


async def test_keys_are_let_go_when_nobody_looks(tmp_path: Path) -> None:
    session = breakout(tmp_path)
    app, sent = fake_app(session), session.arena.sent
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pilot.press("m", "left")
        app.post_message(AppBlur())
        await pilot.pause()
        assert sent[-1] == ReleaseAllKeys()
        await pilot.press("right")
        assert sent[-1] == PressKey("right")
        await pilot.press("ctrl+c")
        await pilot.pause()
        assert isinstance(app.screen, QuitScreen)
        assert sent[-1] == ReleaseAllKeys()


async def test_the_arena_may_hand_back_by_itself(tmp_path: Path) -> None:
    session = breakout(tmp_path)
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pilot.press("m")
        await settle(app, pilot)
        session.arena.send(HandBack())
        await settle(app, pilot)
        assert not app.main.player.playing
        assert "YOU are" not in screen_text(app)


async def test_turn_based_games_get_every_press(session: Session) -> None:
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pilot.press("m", "left", "left", "w")
        assert session.arena.keys() == ["left", "left", "w"]


async def test_speed_and_pause_of_the_game(session: Session) -> None:
    app, sent = fake_app(session), session.arena.sent
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        for key, factor in (
            ("greater_than_sign", 2.0),
            ("greater_than_sign", 4.0),
            ("less_than_sign", 2.0),
        ):
            await pilot.press(key)
            assert sent[-1] == SetSpeed(factor)
            await settle(app, pilot)
        assert "2x" in screen_text(app)
        await pilot.press("space")
        assert sent[-1] == PauseGame(paused=True)
        await settle(app, pilot)
        assert "‖ paused" in screen_text(app)
        assert "resume game" in screen_text(app)
        await pilot.press("space")
        assert sent[-1] == PauseGame(paused=False)


async def test_a_game_that_costs_too_much_shows_fewer_frames(session: Session) -> None:
    app, arena = fake_app(session), session.arena
    async with app.run_test(size=(120, 40)) as pilot:
        for _ in range(5):
            arena.spent += 1.0
            await settle(app, pilot)
        assert arena.rates[-1] == LEAST
        # Whoever plays, streams, or trains nothing meanwhile has all of them.
        for key in ("m", "escape", "p"):
            await pilot.press(key)
            await settle(app, pilot)
            expected = MOST if key != "escape" else LEAST
            for _ in range(5):
                arena.spent += 1.0
                await settle(app, pilot)
            assert arena.rates[-1] == expected, key


async def test_pause_resume_and_checkpoint(session: Session) -> None:
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pilot.press("p")
        await settle(app, pilot)
        assert session.runner.sent == [Pause()]
        assert "‖ paused" in screen_text(app).splitlines()[0]
        assert "resume training" in screen_text(app).splitlines()[-1]
        await pilot.press("p", "c")
        await settle(app, pilot)
        assert session.runner.sent == [Pause(), Resume(), Checkpoint()]
        assert "● healthy" in screen_text(app).splitlines()[0]


async def test_presses_that_come_before_the_answer_are_all_counted(session: Session) -> None:
    """As over a slow line, where several keys arrive at once."""
    app, sent = fake_app(session), session.arena.sent
    session.runner.stubborn = True
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pilot.press("p", "p", "p")
        assert session.runner.sent == [Pause(), Resume(), Pause()]
        sent.clear()
        await pilot.press("space", "space")
        assert sent == [PauseGame(paused=True), PauseGame(paused=False)]
        sent.clear()
        await pilot.press("greater_than_sign", "greater_than_sign", "less_than_sign")
        assert sent == [SetSpeed(2.0), SetSpeed(4.0), SetSpeed(2.0)]
        sent.clear()
        await pilot.press("right_square_bracket", "right_square_bracket")
        assert sent == [Watch(1), Watch(2)]
        await settle(app, pilot)
        # What others change meanwhile counts again once the wishes have come true.
        session.runner.stubborn = False
        session.runner.send(Pause())
        await settle(app, pilot)
        session.runner.send(Resume())
        await settle(app, pilot)
        await pilot.press("p")
        assert session.runner.sent[-1] == Pause()


async def test_help_lists_every_key(session: Session) -> None:
    app = fake_app(session)
    async with app.run_test(size=(120, 130)) as pilot:
        await settle(app, pilot)
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app.screen, HelpScreen)
        text = screen_text(app)
        for key in KEYS:
            pattern = rf"{re.escape(key.shown)} +{re.escape(key.description)}"
            # This game has one view.
            assert bool(re.search(pattern, text)) is (key.id != VIEW), key.id
            assert len(key.description) <= WORDS
        assert "While you play squared" in text
        assert re.search(r"← a +left", text)
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is app.main


async def test_the_help_fits_a_small_screen(session: Session) -> None:
    app = fake_app(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pilot.press("f1")
        await pilot.pause()
        assert "esc close" in screen_text(app)


async def test_quitting_asks_stops_and_leaves(session: Session) -> None:
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pilot.press("q")
        await pilot.pause()
        assert "Stop training and leave?" in screen_text(app)
        assert "pufftui resume squared-brisk-otter" in screen_text(app)
        await pilot.press("escape")
        await pilot.pause()
        assert session.runner.sent == []
        await pilot.press("ctrl+c")
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert session.runner.sent == [Stop()]
        app.tick()
    assert app.return_code == 0
    assert not app.signalled


async def test_quitting_does_not_wait_for_ever(session: Session) -> None:
    session.runner.stubborn = True
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pilot.press("q", "y")
        await settle(app, pilot, PATIENCE / 2)
        assert "Writing a checkpoint" in screen_text(app)
        await pilot.press("escape")
        assert isinstance(app.screen, QuitScreen)
        assert app.is_running
        await settle(app, pilot, PATIENCE)
        assert app._exit


async def test_a_signal_leaves_without_asking(session: Session) -> None:
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        app.on_signal(signal.SIGTERM)
        await settle(app, pilot)
        assert session.runner.sent == [Stop()]
        await settle(app, pilot)
    assert app.signalled


async def test_digits_show_one_panel(session: Session) -> None:
    app = fake_app(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        for key, title in (("2", "score"), ("3", "learning"), ("4", "machine"), ("5", "log")):
            await pilot.press(key)
            await settle(app, pilot)
            text = screen_text(app)
            assert f"{key} {title}" in text.splitlines()[-2]
            assert re.search(rf"^ *{title}\s", "\n".join(text.splitlines()[1:-2]), re.MULTILINE)
            assert "arena" not in text
        assert session.arena.sent[-1] == SetPictureSize(0, 0)
        await pilot.press("1")
        await settle(app, pilot)
        assert "arena" in screen_text(app)
        await pilot.press("2", "0")
        await settle(app, pilot)
        assert "arena" in screen_text(app)


async def test_one_panel_of_a_large_screen_and_back(session: Session) -> None:
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pilot.press("2")
        await settle(app, pilot)
        assert "arena" not in screen_text(app)
        await pilot.press("2")
        await settle(app, pilot)
        await settle(app, pilot)
        assert "arena" in screen_text(app)
        assert "machine" in screen_text(app)


async def test_themes_change_every_colour(session: Session) -> None:
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        seen = set()
        for _ in app.looks:
            await settle(app, pilot)
            seen.add(app.theme)
            allowed = {app.look.colours[n] for n in ("surface", "background", "raised")}
            for panel in (app.main.charts.score, app.main.header, app.main.log_card):
                strip = panel.render_lines(panel.size.region)[-1]
                assert {s.style.bgcolor.name for s in strip if not s.text.strip()} <= allowed
            await pilot.press("t")
        assert seen == set(app.looks)


def test_an_unknown_theme_is_named(session: Session) -> None:
    with pytest.raises(PuffError, match="midnight"):
        fake_app(session, "midnigth")


async def test_the_first_seconds_say_what_is_going_on(tmp_path: Path) -> None:
    session = fake_session(tmp_path / "squared-early-bird", head_start=0)
    session.runner.changes = {"phase": Phase.STARTING, "activity": "loading torch", "device": ""}
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot, 0.4)
        assert "◌ warming up" in screen_text(app)
        assert "loading torch" in screen_text(app)
        session.runner.changes = {"score": None}
        session.open_store().metrics_after(0)
        await settle(app, pilot, 0.4)
        assert "first episodes still running" in screen_text(app)


async def test_the_header_says_whose_weights_the_run_began_with(session: Session) -> None:
    session.runner.changes = {"start_from": "/home/me/policies/good.npz"}
    for width, told in ((120, True), (80, False)):
        app = fake_app(session)
        async with app.run_test(size=(width, 40)) as pilot:
            await settle(app, pilot)
            header = screen_text(app).splitlines()[0]
            assert (" from good.npz" in header) is told
            assert "/home" not in header


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_end_says_which_score_is_which(
    session: Session, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    """And leaves room for the commands that come next, in a small terminal too."""
    row = EvaluationRow(1, 5, 0.0, {"score": {"mean": 0.845, "low": 0.838, "high": 0.852}})
    monkeypatch.setattr("fakes.FakeReader.evaluations", lambda _: [row])
    app = fake_app(session)
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        session.runner.phase = Phase.FINISHED
        await settle(app, pilot)
        text = screen_text(app)
        assert "over the last 1,000 episodes of training" in text
        assert "best in training 0." in text
        assert "evaluated at step 5: 0.845 [0.838, 0.852]" in text
        assert "pufftui eval squared-brisk-otter" in text
        assert "pufftui resume squared-brisk-otter" in text


async def test_a_finished_run_is_summed_up(session: Session) -> None:
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        session.runner.phase = Phase.FINISHED
        await settle(app, pilot)
        assert isinstance(app.screen, SummaryScreen)
        text = screen_text(app)
        assert "squared-brisk-otter has finished" in text
        assert "steps in 3m 2" in text
        assert "pufftui play squared --from squared-brisk-otter" in text
        await pilot.press("escape")
        await settle(app, pilot)
        assert "✓ finished" in screen_text(app).splitlines()[0]
        await pilot.press("q")
        await pilot.pause()
        assert app._exit


async def test_a_failure_is_explained_and_the_screen_lives_on(session: Session) -> None:
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        session.runner.phase = Phase.FAILED
        session.runner.changes = {
            "failure": "Training stopped: the loss [is] not finite.",
            "failure_hint": "Lower train.learning_rate.",
            "checkpoint_step": 41_000_000,
        }
        await settle(app, pilot)
        assert isinstance(app.screen, ErrorScreen)
        text = screen_text(app)
        assert "the loss [is] not finite" in text
        assert "Lower train.learning_rate." in text
        assert "checkpoint of step 41.0M" in text
        assert "log.txt" in text
        await pilot.press("enter")
        await settle(app, pilot)
        assert "✕ failed" in screen_text(app).splitlines()[0]
        await pilot.press("2")
        await settle(app, pilot)
        assert app.screen is app.main


async def test_trouble_shows_in_one_word(session: Session) -> None:
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        session.runner.changes = {"losses": {"value_loss": float("nan")}}
        await settle(app, pilot)
        assert "▲ not finite" in screen_text(app).splitlines()[0]
        session.runner.changes = {}
        await settle(app, pilot)
        still: Snapshot = session.runner.latest
        type(session.runner).latest, before = property(lambda _: still), type(session.runner).latest
        try:
            await settle(app, pilot, 1)
            await settle(app, pilot, 20)
            assert "▲ silent 2" in screen_text(app).splitlines()[0]
        finally:
            type(session.runner).latest = before


@pytest.mark.parametrize("gpus", [1, 2, 8])
async def test_every_gpu_has_its_line(session: Session, gpus: int) -> None:
    app = fake_app(session, gpus=gpus)
    async with app.run_test(size=(200, 60)) as pilot:
        await pilot.pause(0.1)
        for _ in range(3):
            await settle(app, pilot)
        text = screen_text(app)
        assert text.count("87 %") == gpus
        assert text.count("412 W") == gpus


async def test_a_tiny_terminal_gets_one_sentence(session: Session) -> None:
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pilot.resize_terminal(50, 12)
        await settle(app, pilot)
        text = " ".join(screen_text(app).split())
        assert text.startswith("This window is 50 x 12. Please make it 60 x 18")
        await pilot.resize_terminal(120, 40)
        await settle(app, pilot)
        await settle(app, pilot)
        assert "arena" in screen_text(app)
        assert "learning" in screen_text(app)


async def test_commands_can_be_searched(session: Session) -> None:
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        titles = [command.title for command in app.get_system_commands(app.main)]
        assert any("Pause training" in title for title in titles)
        assert sum("Theme: " in title for title in titles) == len(app.looks)
        await choose_command(pilot, "theme paper")
        assert app.theme == "paper"


async def test_a_click_on_the_footer_presses_its_key(session: Session) -> None:
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        at = screen_text(app).splitlines()[-1].index("pause training")
        await pilot.click("#footer", offset=(at, 0))
        await pilot.pause()
        assert session.runner.sent == [Pause()]


async def test_the_store_is_closed_and_the_threads_end(session: Session) -> None:
    readers = []
    opened = session.open_store
    session = replace(session, open_store=lambda: readers.append(opened()) or readers[-1])
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
    assert [reader.closed for reader in readers] == [True]
    assert all(sampling._stop.is_set() for sampling in app.main.machine.samplings)


def test_every_key_is_bound_once() -> None:
    bound = [key for entry in KEYS for key in entry.keys]
    assert len(bound) == len(set(bound))
    assert len({entry.id for entry in KEYS}) == len(KEYS)


@pytest.mark.parametrize("events", [700, pytest.param(4000, marks=pytest.mark.slow)])
async def test_random_keys_clicks_and_sizes_never_break_it(session: Session, events: int) -> None:
    # PUFFTUI_RANDOM_EVENTS=100000 looks longer, and storm.py at every screen, on the way to a terminal.
    events = int(os.environ.get("PUFFTUI_RANDOM_EVENTS", events))
    width, height = 120, 40
    random = np.random.default_rng(5)
    leaving = {"ctrl+c", "ctrl+shift+c", "q", "ctrl+p"}
    keys = [key for entry in KEYS for key in entry.keys if key not in leaving]
    keys += ["left", "right", "up", "down", "a", "w", "enter", "tab", "x", "escape", "escape"]
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        for turn in range(events):
            key = keys[random.integers(len(keys))]
            app.post_message(Key(key, key if len(key) == 1 else None))
            if turn % 5 == 0:
                await pilot.pause()
            if turn % 10 == 0:
                width, height = (int(n) for n in random.integers((20, 8), (220, 70)))
                await pilot.resize_terminal(width, height)
            if turn % 20 == 0:
                # Not all that was sent before has been worked off, the last resize perhaps neither:
                # then the pilot, who looks for what it clicks at, may find nothing.
                width, height = app.screen.size
                with suppress(NoWidget):
                    await pilot.click(offset=(random.integers(width), random.integers(height)))
            if turn % 4 == 0:
                session.clock.now += float(random.random())
                session.arena.step()
                app.tick()
        await pilot.pause()
        opened = [str(screen) for screen in app.screen_stack]
        # A dialog may lie on another, and some give up a choice before they close.
        for _ in range(6):
            await pilot.press("escape")
        await pilot.resize_terminal(120, 40)
        await pilot.press("0")
        await settle(app, pilot)
        await settle(app, pilot)
        assert app.is_running
        assert app.screen is app.main, opened
        assert "arena" in screen_text(app)


@pytest.mark.parametrize(("size", "columns"), [((80, 24), 1), ((120, 40), 2), ((200, 60), 3)])
async def test_columns_of_the_help_keep_apart(tmp_path: Path, size, columns: int) -> None:
    app = fake_app(breakout(tmp_path))
    async with app.run_test(size=size) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        lines = app.screen.body().plain.splitlines()
        assert max(map(len, lines)) <= columns * COLUMN - 2
        for column in range(1, columns):
            assert any(line[column * COLUMN :].strip() for line in lines)
            assert {line[column * COLUMN - 2 : column * COLUMN].strip() for line in lines} == {""}
        assert app.screen.query_one("#body").size.width >= max(map(len, lines))
