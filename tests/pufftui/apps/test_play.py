"""`pufftui play` as a person meets it: real games, a real checkpoint, every key and state."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from fakes import screen_text
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.events import Key
from textual.pilot import Pilot

from pufftui.__main__ import main
from pufftui.apps.training import PuffApp
from pufftui.cli.settings import load_settings
from pufftui.envs.catalogue import load_env
from pufftui.envs.errors import PuffError
from pufftui.keys.key import VIEW
from pufftui.keys.tables import PLAY_KEYS
from pufftui.layout.cockpit import ENOUGH, LEAST_HEIGHT, LEAST_WIDTH, arrange_play, picture_area
from pufftui.screens.dialogs.help import HelpScreen
from pufftui.state.opponent import Opponent, choose_opponent
from pufftui.state.session import PlaySession
from pufftui.state.tally import Tally
from pufftui.trainer.arena.arena import Arena
from pufftui.trainer.messages.frame import ArenaFrame
from pufftui.trainer.messages.weights import PolicyWeights
from pufftui.trainer.run.checkpoint import checkpoint_name, newest_checkpoint, write_checkpoint
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.run.policies import resting_policy, weights_from
from pufftui.trainer.settings.fields import Config, PolicyConfig
from pufftui.trainer.settings.sources import config_to_toml

SIZES = [(80, 24), (120, 40), (200, 60)]
LEFT = 3
"""Number of squared's action that moves to the left."""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs: squared, trained for a few thousand steps."""
    runs = tmp_path_factory.mktemp("runs")
    subprocess.run(
        [
            *(sys.executable, "-m", "pufftui", "train", "squared", "--headless"),
            *("--run-name", "squared-tiny", "--train.total-steps", "4096"),
            *("--vec.agents", "64", "--train.minibatch-size", "1024", "--policy.hidden", "16"),
            *("--policy.memory", "mingru"),
        ],
        env=os.environ | {"PUFFTUI_RUNS": str(runs), "XDG_CONFIG_HOME": str(runs)},
        check=True,
        capture_output=True,
    )
    return runs


@pytest.fixture
def runs(trained: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder with the trained run, as the place of all runs."""
    monkeypatch.setenv("PUFFTUI_RUNS", str(trained))
    return trained


@pytest.fixture
def no_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path))


@pytest.fixture
def play() -> Iterator[Callable[..., PlaySession]]:
    """Makes sessions with real arenas and ends them."""
    sessions: list[PlaySession] = []

    def make(env: str, source: str | None = None) -> PlaySession:
        library = load_env(env)
        opponent = choose_opponent(load_settings(env, [], {}), source)
        arena = Arena(library, opponent.parameters, lambda: opponent.weights, seed=1)
        sessions.append(PlaySession(arena=arena, descriptor=library.descriptor, opponent=opponent))
        return sessions[-1]

    yield make
    for session in sessions:
        session.arena.stop()


async def until(
    pilot: Pilot[None], condition: Callable[[ArenaFrame], object], seconds: float = 10.0
) -> ArenaFrame:
    """Lets the game run until a frame is as wanted and the screen has seen it."""
    session, end = pilot.app.session, time.monotonic() + seconds
    while time.monotonic() < end:
        frame = session.arena.latest
        if frame is not None and condition(frame):
            pilot.app.tick()
            await pilot.pause(0.2)
            return frame
        await pilot.pause(0.02)
    raise AssertionError(session.arena.latest)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("env", ["squared", "breakout"])
async def test_everything_is_there_and_nothing_is_cut(runs: Path, play, env: str, size) -> None:
    session = play(env)
    app = PuffApp(session)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda frame: frame.human and frame.pixels.size)
        text = screen_text(app)
        lines = text.splitlines()
        assert {len(line) for line in lines} == {size[0]}
        begins = "YOU are playing agent 1" if env == "squared" else "any key begins"
        assert begins in lines[0]
        assert "esc hands back" in lines[0]
        assert "you play" in text
        assert re.search(r"← left .*esc hand back +ctrl\+c quit", lines[-1])
        assert re.search(r"return|this game", text)
        assert re.search(r"you(r last)? +–", text)
        assert "best" in text
        assert text.count("▀") > 20
        if "scores" in {panel.id for panel in app.main.panels if panel.is_on_screen}:
            assert "speaks once you move" in " ".join(text.split())
        pixels, aspect = session.arena.latest.pixels, session.descriptor.picture_aspect
        assert pixels.shape[1] / pixels.shape[0] == pytest.approx(aspect, rel=0.06)
        await pilot.press("escape")
        await until(pilot, lambda frame: not frame.human)
        lines = screen_text(app).splitlines()
        assert re.search(r"m take over .*\? keys +q quit", lines[-1])
        whose = "the policy of tiny after 4.10k" if env == "squared" else "the baseline after 50.1M"
        assert f"{env} · " in lines[0]
        assert whose in lines[0]


@pytest.mark.parametrize("size", SIZES)
async def test_without_a_policy_one_is_told_how_to_train_one(
    no_runs: None, no_baselines: None, play, size
) -> None:
    session = play("breakout")
    app = PuffApp(session)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda frame: frame.human and frame.pixels.size)
        text = screen_text(app)
        if "scores" in {panel.id for panel in app.main.panels if panel.is_on_screen}:
            assert "pufftui train breakout" in " ".join(text.split())
        assert {len(line) for line in text.splitlines()} == {size[0]}
        await pilot.press("escape")
        await until(pilot, lambda frame: not frame.human)
        assert "random moves" in screen_text(app).splitlines()[0]


async def test_turn_based_games_wait_for_the_player(runs: Path, play) -> None:
    session = play("squared")
    app = PuffApp(session)
    async with app.run_test(size=(120, 40)) as pilot:
        frame = await until(pilot, lambda frame: frame.waiting_for_key)
        assert "your move" in screen_text(app)
        await pilot.pause(0.5)
        assert session.arena.latest.episode_length == frame.episode_length == 0
        await pilot.press("left", "up", "q", "t", "space", "question_mark")
        frame = await until(pilot, lambda frame: frame.episode_length == 2)
        assert app.screen is app.main
        assert frame.human
        assert not frame.paused
        await pilot.press("escape")
        await until(pilot, lambda frame: frame.episode_length > 3)


async def test_games_with_a_clock_wait_for_the_first_key_alone(no_runs: None, play) -> None:
    session = play("breakout")
    app = PuffApp(session)
    async with app.run_test(size=(120, 40)) as pilot:
        frame = await until(pilot, lambda frame: frame.human and frame.waiting_for_key)
        await pilot.pause(0.5)
        assert session.arena.latest.episode_length == frame.episode_length == 0
        text = screen_text(app)
        assert "any key begins · keys latch   ↓ stay, ← left" in text.splitlines()[0]
        assert "your move" not in text
        await pilot.press("left_shift", "ctrl+left_control")
        assert (await until(pilot, lambda frame: True)).waiting_for_key
        await pilot.press("left")
        await until(pilot, lambda frame: frame.human and frame.action == (1.0,))
        assert "YOU are playing agent 1" in screen_text(app).splitlines()[0]
        await pilot.press("right")
        await until(pilot, lambda frame: frame.human and frame.action == (2.0,))


async def test_any_key_begins_and_taking_over_again_waits(no_runs: None, play) -> None:
    app = PuffApp(play("pong"))
    async with app.run_test(size=(60, 18)) as pilot:
        for key in ("enter", "space", "x"):
            await until(pilot, lambda frame: frame.human and frame.waiting_for_key)
            first = screen_text(app).splitlines()[0]
            assert "any key begins" in first
            assert "esc hands back" in first
            await pilot.press(key)
            await until(pilot, lambda frame: not frame.waiting_for_key)
            assert "YOU are playing agent 1" in screen_text(app).splitlines()[0]
            await pilot.press("escape")
            await until(pilot, lambda frame: not frame.human and not frame.expecting)
            await pilot.press("m")


async def test_handing_back_watching_and_taking_over_again(runs: Path, play) -> None:
    session = play("squared")
    app = PuffApp(session)
    async with app.run_test(size=(200, 60)) as pilot:
        await until(pilot, lambda frame: frame.human)
        assert "speaks once you move" in screen_text(app)
        await pilot.press("left")
        await until(pilot, lambda frame: frame.episode_length == 1)
        assert "what it would do" in screen_text(app)
        await pilot.press("escape")
        await until(pilot, lambda frame: not frame.human and frame.policy_step == 4096)
        text = screen_text(app)
        assert "what it thinks" in text
        assert "policy of step 4.10k" in text
        assert "YOU" not in text
        for word in ("down", "up", "left", "right", "value", "expected return"):
            assert word in text
        await pilot.press("right_square_bracket")
        await until(pilot, lambda frame: frame.agent == 1)
        await pilot.press("left_square_bracket", "left_square_bracket")
        frame = await until(pilot, lambda frame: frame.agent not in (0, 1))
        assert frame.agent == frame.agents - 1
        await pilot.press("greater_than_sign")
        await until(pilot, lambda frame: frame.speed == 2)
        assert "2x" in screen_text(app)
        await pilot.press("space")
        await until(pilot, lambda frame: frame.paused)
        assert "‖ paused" in screen_text(app)
        assert "resume game" in screen_text(app).splitlines()[-1]
        # Whoever takes over wants to play, not to look at a pause.
        await pilot.press("m")
        frame = await until(pilot, lambda frame: frame.human and not frame.paused)
        assert f"YOU are playing agent {frame.agent + 1}" in screen_text(app)


async def test_the_scores_of_both_stand_beside_the_game(runs: Path, play) -> None:
    session = play("squared")
    app = PuffApp(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda frame: frame.human)
        # An episode of squared ends at the target or after a while: walk until it does.
        for key in ["left", "up"] * 12 + ["right"] * 11 + ["down", *["left"] * 11] * 12:
            await pilot.press(key)
            if session.arena.latest.last_score is not None:
                break
        frame = await until(pilot, lambda frame: frame.last_score is not None)
        assert frame.last_score_human
        text = screen_text(app)
        score = f"{frame.last_score:g}"
        assert f"GAME OVER   you scored {score}, your best yet" in text.splitlines()[0]
        assert "esc hands back" in text.splitlines()[0]
        assert re.search(rf"your last +{score} ", text)
        assert re.search(rf"your best +{score} ", text)
        assert re.search(r"policy's last +– ", text)
        await pilot.press("escape")
        await until(
            pilot, lambda frame: frame.last_score is not None and not frame.last_score_human
        )
        assert re.search(r"policy's last +[\d.]+ ", screen_text(app))


def frame_of(session: PlaySession, **figures: object) -> ArenaFrame:
    session.arena.start()
    end = time.monotonic() + 5
    while session.arena.latest is None and time.monotonic() < end:
        time.sleep(0.01)
    return replace(session.arena.latest, **figures)


def test_the_tally_tells_games_apart(no_runs: None, play) -> None:
    tally = Tally()
    first = frame_of(play("squared"), episode_length=9, human=True)
    assert not tally.follow(first)
    mine = {"last_score": 5.0, "last_score_human": True, "best_human_score": 5.0}
    assert tally.follow(replace(first, finished=1, **mine))
    assert tally.broken
    assert not tally.follow(replace(first, finished=1, **mine))
    # The same score again is a game all the same, though no better one.
    assert tally.follow(replace(first, finished=2, **mine))
    assert not tally.broken
    theirs = replace(first, agent=1, last_score=3.0, best_human_score=5.0, finished=7)
    assert not tally.follow(theirs)
    assert (tally.yours, tally.best, tally.others) == (5.0, 5.0, 3.0)
    theirs = replace(theirs, last_score=4.0, finished=8)
    assert not tally.follow(theirs)
    other = {"last_score": 2.0, "last_score_human": True, "best_human_score": 5.0}
    assert not tally.follow(replace(theirs, human=True))
    assert tally.follow(replace(theirs, finished=9, **other))
    # Going back to the first agent brings no news.
    assert not tally.follow(replace(first, finished=2, **mine))
    assert (tally.yours, tally.others) == (2.0, 4.0)
    # Nor does looking at what was: only playing on from there.
    past = {"behind": 3.0, "last_score": 1.0, "last_score_human": True}
    assert not tally.follow(replace(first, finished=1, **past))
    assert not tally.follow(replace(first, finished=2, **past))
    assert tally.yours == 2.0
    assert not tally.follow(replace(first, finished=1, **mine))
    again = {"last_score": 9.0, "last_score_human": True, "best_human_score": 5.0}
    assert tally.follow(replace(first, finished=2, **again))
    assert (tally.yours, tally.best, tally.broken) == (9.0, 5.0, False)


async def test_alone_the_game_waits_when_the_person_stops(no_runs: None, play) -> None:
    session = play("breakout", "none")
    app = PuffApp(session)
    async with app.run_test(size=(200, 60)) as pilot:
        await until(pilot, lambda frame: frame.human)
        assert "esc pauses" in screen_text(app).splitlines()[0]
        assert "esc pause " in screen_text(app).splitlines()[-1]
        await pilot.press("escape")
        frame = await until(pilot, lambda frame: frame.paused)
        text = screen_text(app)
        assert "m play" in text.splitlines()[-1]
        assert "you alone" in text.splitlines()[0]
        assert "policy of step" not in text
        assert "policy's last" not in text
        await pilot.pause(0.5)
        assert session.arena.latest.episode_length == frame.episode_length
        await pilot.press("space")
        await until(pilot, lambda frame: frame.human and not frame.paused)
        assert app.main.player.playing
        # The others never move.
        actions = session.arena._scene.game.buffers.actions[1:]
        assert (actions == session.descriptor.actions[0].neutral).all()


async def test_going_back_after_a_mistake(runs: Path, play) -> None:
    session = play("squared")
    app = PuffApp(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda frame: frame.waiting_for_key)
        await pilot.press("left", "left", "up")
        await until(pilot, lambda frame: frame.episode_length == 3)
        await pilot.press("escape", "space")
        await until(pilot, lambda frame: frame.paused and not frame.human)
        for _ in range(20):
            await pilot.press("b")
        frame = await until(pilot, lambda frame: frame.reach == 0)
        assert frame.episode_length == 0
        for length in (1, 2):
            await pilot.press("full_stop")
            frame = await until(pilot, lambda frame, n=length: frame.episode_length == n)
            assert frame.action == (LEFT,)
        assert "s back ·" in screen_text(app)
        await pilot.press("m")
        await until(pilot, lambda frame: frame.human and frame.waiting_for_key)
        await pilot.press("down")
        frame = await until(pilot, lambda frame: frame.behind == 0)
        assert frame.episode_length == 3
        assert "s back ·" not in screen_text(app)


async def test_a_recording_lies_in_the_current_folder(
    runs: Path, play, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    session = play("squared")
    app = PuffApp(session)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await until(pilot, lambda frame: frame.waiting_for_key)
        await pilot.press("escape", "space")
        await until(pilot, lambda frame: frame.paused and not frame.human)
        await pilot.press("R")
        await until(pilot, lambda frame: frame.recording == 0)
        assert "● REC 0 s" in screen_text(app)
        await pilot.press("m")
        await until(pilot, lambda frame: frame.human)
        await pilot.press("left", "left")
        await until(pilot, lambda frame: frame.recording == 2)
        await pilot.press("escape", "R")
        frame = await until(pilot, lambda frame: frame.kept is not None)
        assert frame.kept.path.parent == tmp_path
        assert "Demonstration kept" in screen_text(app)
    file = np.load(frame.kept.path)
    assert file["actions"][:2].tolist() == [[LEFT], [LEFT]]
    assert file["human"][:2].all()
    told = json.loads(str(file["description"]))
    assert told["source"] == "the policy of tiny after 4.10k steps"
    assert told["policy_step"] == 4096


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
async def test_leaving_asks_nothing(no_runs: None, play, key: str) -> None:
    app = PuffApp(play("squared"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda frame: frame.human)
        if key == "q":
            await pilot.press("q")
            assert not app._exit
            await pilot.press("escape")
        await pilot.press(key)
        await pilot.pause()
        assert app._exit
    assert app.return_code == 0


async def test_help_themes_and_panels(runs: Path, play) -> None:
    app = PuffApp(play("squared"))
    async with app.run_test(size=(120, 90)) as pilot:
        await until(pilot, lambda frame: frame.human)
        await pilot.press("escape", "question_mark")
        await pilot.pause()
        assert isinstance(app.screen, HelpScreen)
        text = screen_text(app)
        for key in PLAY_KEYS:
            pattern = rf"{re.escape(key.shown)} +{re.escape(key.description)}"
            # This game has one view.
            assert bool(re.search(pattern, text)) is (key.id != VIEW), key.id
        assert "pause training" not in text
        await pilot.press("escape")
        seen = set()
        for _ in app.looks:
            seen.add(app.theme)
            await pilot.press("t")
            await pilot.pause()
        assert seen == set(app.looks)
        await pilot.press("1")
        await until(pilot, lambda frame: True)
        assert "this game" not in screen_text(app)
        assert "arena" in screen_text(app)
        await pilot.press("2")
        await until(pilot, lambda frame: not frame.pixels.size)
        assert "this game" in screen_text(app)
        assert "arena" not in screen_text(app)
        await pilot.press("0")
        await until(pilot, lambda frame: frame.pixels.size)
        assert "this game" in screen_text(app)
        titles = [command.title for command in app.get_system_commands(app.main)]
        assert not any("training" in title for title in titles)


async def test_a_tiny_terminal_gets_one_sentence(no_runs: None, play) -> None:
    app = PuffApp(play("squared"))
    async with app.run_test(size=(50, 12)) as pilot:
        await until(pilot, lambda frame: frame.human)
        text = " ".join(screen_text(app).split())
        assert text.startswith("This window is 50 x 12. Please make it 60 x 18")
        assert "training" not in text


def test_keys_are_bound_once() -> None:
    bound = [key for entry in PLAY_KEYS for key in entry.keys]
    assert len(bound) == len(set(bound))


@settings(max_examples=300)
@given(st.integers(1, 400), st.integers(1, 150), st.floats(0.3, 4), st.sampled_from([0, 1, 2]))
def test_panels_never_overlap_and_the_game_keeps_its_size(width, height, aspect, solo) -> None:
    regions = arrange_play(width, height, aspect, solo).regions
    for region in regions.values():
        assert region.width > 0
        assert region.height > 0
        assert 0 <= region.x <= region.right <= width
        assert 0 <= region.y <= region.bottom <= height
    for one, other in combinations(regions.values(), 2):
        assert not one.overlaps(other)
    if width >= LEAST_WIDTH and height >= LEAST_HEIGHT and solo == 0:
        largest = arrange_play(width, height, aspect, 1).regions["game"]
        assert picture_area(regions["game"], aspect) >= ENOUGH * picture_area(largest, aspect)


# Whose policy plays.


def chosen(env: str, source: str | None = None) -> Opponent:
    return choose_opponent(load_settings(env, [], {}), source)


def test_the_newest_run_of_the_environment_plays(runs: Path) -> None:
    for source in (None, "latest", "squared-tiny"):
        opponent = chosen("squared", source)
        assert opponent.weights is not None
        assert opponent.weights.step == 4096
        assert (opponent.weights.memory, opponent.weights.hidden) == ("mingru", 16)
        assert opponent.name == "the policy of tiny after 4.10k steps"
        assert opponent.explanation == ""
    assert chosen("squared", "random").weights is None
    with pytest.raises(PuffError, match=r"squared-tiny, has learned squared, not breakout\."):
        chosen("breakout", "latest")


def test_the_world_that_was_asked_for_is_played(
    no_runs: None, made_policy: Callable[..., PolicyWeights]
) -> None:
    run = RunFolder.create("pool", "shared_pool")
    arrays = {f"policy/{name}": a for name, a in made_policy("shared_pool").arrays.items()}
    trained_in = {"regrowth": 0.1, "sharing": 0.5}
    config = config_to_toml(Config("shared_pool", trained_in, policy=PolicyConfig(hidden=8)))
    run.config_file.write_text(config)
    described = {"step": 9, "epoch": 1, "seconds": 1.0, "config": config, "score": 3.0}
    write_checkpoint(run.checkpoints / checkpoint_name(9), arrays, described)
    flags = {"env.regrowth": "0.25"}
    for source in (None, "random", "none", "baseline", "pool"):
        opponent = choose_opponent(load_settings("shared_pool", [], flags), source, flags)
        own = source in (None, "pool")
        assert opponent.parameters == {"regrowth": 0.25, "sharing": 0.5 if own else 0.85}
        assert opponent.training_score is None, "that was another world"
    for source in (None, "pool"):
        opponent = chosen("shared_pool", source)
        assert (opponent.parameters, opponent.training_score) == (trained_in, 3.0)
    assert main(["play", "squared", "--train.gamma", "1"]) == 2


def test_without_a_run_the_baseline_plays(runs: Path) -> None:
    for env, source in (("pong", None), ("pong", "baseline"), ("squared", "baseline:squared")):
        opponent = chosen(env, source)
        assert opponent.weights is not None
        assert re.fullmatch(r"the baseline after [23]0\..M steps", opponent.name)
        assert opponent.training_score == pytest.approx(20.8 if env == "pong" else 0.95, abs=0.2)
        assert opponent.explanation == ""
    with pytest.raises(PuffError, match=r"baseline:pong has learned pong, not squared\."):
        chosen("squared", "baseline:pong")


def test_a_baseline_of_a_game_that_was_changed_does_not_play(
    no_runs: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pufftui.trainer.run.baseline.game_of", lambda _: {"actions": []})
    opponent = chosen("squared")
    assert opponent.weights is None
    assert opponent.explanation.startswith("No trained policy since the game was changed: random")
    with pytest.raises(PuffError, match="The baseline of squared was trained with other actions"):
        chosen("squared", "baseline")


def test_without_a_policy_random_moves_play(runs: Path, no_baselines: None) -> None:
    opponent = chosen("breakout")
    assert opponent.weights is None
    assert opponent.explanation == "No trained policy yet: random moves. Train one:"
    assert opponent.remedy == "pufftui train breakout"


def test_a_policy_of_a_game_that_was_changed_does_not_play(
    runs: Path, no_baselines: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pufftui.trainer.run.policies.encoder_width", lambda *_: 3)
    opponent = chosen("squared")
    assert opponent.weights is None
    assert "since the game was changed" in opponent.explanation
    assert opponent.remedy == "pufftui train squared"
    with pytest.raises(PuffError, match="squared has other observations or actions than"):
        chosen("squared", "latest")


def test_weights_are_those_of_the_checkpoint(runs: Path) -> None:
    saved, _ = newest_checkpoint(RunFolder.open("squared-tiny").checkpoints)
    weights = weights_from(saved)
    assert set(weights.arrays) == {
        name.removeprefix("policy/") for name in saved.arrays if name.startswith("policy/")
    }
    for name, array in weights.arrays.items():
        assert array.dtype == np.float32
        assert not array.flags.writeable
        np.testing.assert_array_equal(array, saved.arrays[f"policy/{name}"])
    saved.arrays["policy/heads.weight"] = saved.arrays["policy/heads.weight"][:-1]
    with pytest.raises(PuffError, match="squared has other observations or actions than"):
        weights_from(saved)


async def test_the_game_follows_the_policy(trained: Path, play, tmp_path, monkeypatch) -> None:
    """A checkpoint whose policy always goes left does so on the screen."""
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path))
    monkeypatch.setattr("pufftui.state.opponent.run_environment", lambda _: "squared")
    saved, _ = newest_checkpoint(trained / "squared-tiny" / "checkpoints")
    bias = saved.arrays["policy/heads.bias"].copy()
    bias[LEFT] += 1000
    arrays = saved.arrays | {"policy/heads.bias": bias}
    folder = RunFolder.create("squared-lefty", "squared")
    folder.release()
    description = {name: value for name, value in saved.description.items() if name != "format"}
    write_checkpoint(folder.checkpoints / saved.path.name, arrays, description)
    session = play("squared", "squared-lefty")
    app = PuffApp(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda frame: frame.human)
        await pilot.press("escape")
        for length in (2, 3):
            frame = await until(pilot, lambda frame, length=length: frame.episode_length >= length)
            assert frame.action == (LEFT,)
            assert frame.probabilities[0][LEFT] == 1
        assert re.search(r"▸ left .* 1\.00", screen_text(app))


def test_a_torn_or_missing_checkpoint(tmp_path: Path, monkeypatch, no_baselines: None) -> None:
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path))
    folder = RunFolder.create("squared-new", "squared")
    folder.release()
    folder.config_file.write_text('environment = "squared"\n')
    (folder.checkpoints / "step-00000000000001.npz").write_bytes(b"torn")
    assert chosen("squared").weights is None
    with pytest.raises(PuffError, match="has no whole checkpoint"):
        chosen("squared", "latest")


@pytest.mark.parametrize("env", ["squared", "breakout"])
def test_a_resting_policy_does_nothing(env: str) -> None:
    library = load_env(env)
    resting = resting_policy(library.descriptor)
    parameters = library.descriptor.parameter_values({})
    arena = Arena(library, parameters, lambda: resting, seed=3)
    try:
        for _ in range(20):
            arena._step()
            neutral = [action.neutral for action in library.descriptor.actions]
            assert (arena._scene.game.buffers.actions == neutral).all()
    finally:
        arena.stop()


# The command.


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("", ["play needs an environment", "breakout"]),
        ("squred", ["Did you mean squared?"]),
        ("squared --form random", ["Did you mean --from?"]),
        ("squared --from nobody-knows", ["There is no run nobody-knows"]),
        ("squared --from squared-tniy", ["Did you mean squared-tiny?"]),
        ("breakout --from squared-tiny", ["pufftui play squared --from squared-tiny"]),
        ("breakout --from latest", ["The last run, squared-tiny, has learned squared"]),
        ("squared", ["play needs a terminal"]),
        ("squared --from none", ["play needs a terminal"]),
        ("squared extra", ["extra"]),
    ],
)
def test_wrong_usage_is_one_sentence(runs: Path, arguments: str, words: list[str]) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "pufftui", "play", *arguments.split()],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    for word in words:
        assert word in result.stderr


def test_what_was_being_recorded_is_named_in_the_end(runs: Path, tmp_path: Path) -> None:
    outer, inner = pty.openpty()
    termios.tcsetwinsize(inner, (40, 120))
    process = subprocess.Popen(
        [sys.executable, "-m", "pufftui", "play", "squared"],
        stdin=inner,
        stdout=inner,
        stderr=inner,
        cwd=tmp_path,
        env=os.environ | {"TERM": "xterm-256color"},
        start_new_session=True,
    )
    said = b""
    try:
        for words, keys in (("YOU are playing", "\x1b"), ("m take over", "R"), ("REC 1 s", "q")):
            while words.encode() not in said:
                said += os.read(outer, 65536)
            os.write(outer, keys.encode())
        while b"Demonstration kept: " not in said:
            said += os.read(outer, 65536)
        assert process.wait(10) == 0
        (path,) = tmp_path.iterdir()
        assert path.name.encode() in said[said.index(b"Demonstration kept: ") :]
    finally:
        process.kill()
        process.wait()
        os.close(inner)
        os.close(outer)


def test_the_whole_program_on_a_terminal(runs: Path, tmp_path: Path) -> None:
    outer, inner = pty.openpty()
    termios.tcsetwinsize(inner, (40, 120))
    before = termios.tcgetattr(inner)
    code = (
        "import sys\n"
        "from pufftui.__main__ import main\n"
        "status = main(['play', 'squared'])\n"
        "assert 'torch' not in sys.modules\n"
        "print('STATUS', status)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=inner,
        stdout=inner,
        stderr=inner,
        env=os.environ | {"TERM": "xterm-256color", "TMPDIR": str(tmp_path)},
        start_new_session=True,
    )
    said = b""
    try:
        while b"YOU are playing" not in said:
            said += os.read(outer, 65536)
        os.write(outer, b"aw")
        # Two steps, or fewer if one of them happened to reach the target.
        while not re.search(rb"step [12]", said):
            said += os.read(outer, 65536)
        os.write(outer, b"\x03")
        while b"STATUS 0" not in said:
            said += os.read(outer, 65536)
        assert process.wait(10) == 0
        assert termios.tcgetattr(inner) == before
        assert list(tmp_path.iterdir()) == []
    finally:
        process.kill()
        process.wait()
        os.close(inner)
        os.close(outer)


async def test_a_key_is_on_the_screen_within_a_decision_and_a_little(no_runs: None, play) -> None:
    """From the keyboard to the panel that shows the game; the median, for a busy machine."""
    session = play("pong")
    app, waits, random = PuffApp(session), [], np.random.default_rng(2)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda frame: frame.human and frame.pixels.size)
        choices = enumerate(session.descriptor.actions[0].choices)
        keys = {key: number for number, choice in choices for key in choice.keys}
        for key in ["up", "down"] * 6:
            await pilot.pause(random.uniform(0.1, 0.3))
            pressed = time.monotonic()
            app.post_message(Key(key, None))
            while app.main.game.frame.action != (keys[key],):
                assert time.monotonic() < pressed + 5
                await asyncio.sleep(0.001)
            waits.append(time.monotonic() - pressed)
    assert np.median(waits) < 1 / session.descriptor.steps_per_second + 0.05
