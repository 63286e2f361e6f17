"""Watching real runs in other processes: live, silent, dead, resumed, removed, finished."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import StillGpu, StillHost, screen_text
from processes import ENDLESS, PUFFTUI, SMALL, Terminal, end, train, trains, wait_for
from runs_on_disk import make_run

from pufftui import log
from pufftui.__main__ import main
from pufftui.apps.training import PuffApp
from pufftui.apps.watch import attach_session, watch_session
from pufftui.envs.errors import PuffError
from pufftui.screens.dialogs.end import ErrorScreen, SummaryScreen
from pufftui.trainer.messages.snapshot import Phase
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.run.watcher import Watcher
from pufftui.trainer.store import StoreReader, StoreWriter


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch) -> Iterator[Path]:
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    yield tmp_path
    for path in tmp_path.iterdir():
        end(RunFolder(path))


@pytest.fixture
def folder(root: Path) -> RunFolder:
    return RunFolder(root / "it")


def begin(folder: RunFolder, *arguments: str):
    """A run that has written its first rows."""
    process = train(folder.id, *arguments)
    wait_for(lambda: StoreReader(folder.database).last_row() > 2)
    return process


def look(watcher: Watcher, phase: Phase, seconds: float = 20.0) -> None:
    def is_so() -> bool:
        watcher.look()
        return watcher.latest.phase is phase

    wait_for(is_so, seconds)


def test_a_run_is_followed_through_its_life(folder: RunFolder) -> None:
    process = begin(folder, *ENDLESS)
    watcher = Watcher(folder)
    look(watcher, Phase.RUNNING)
    first = watcher.latest
    assert first.total_steps == 10**12
    assert first.device == "cpu"
    assert first.parameters > 0
    assert first.losses["entropy"] > 0
    assert sum(first.time_shares.values()) == pytest.approx(1, abs=0.01)
    assert first.seconds_left
    assert watcher.holder.process == process.pid
    assert watcher.silence < 2
    assert watcher.weights is not None
    wait_for(lambda: watcher.look() or watcher.latest.step > first.step)

    process.send_signal(signal.SIGSTOP)
    wait_for(lambda: watcher.look() or watcher.silence > 1.5)
    assert watcher.latest.phase is Phase.RUNNING
    process.send_signal(signal.SIGCONT)
    wait_for(lambda: watcher.look() or watcher.silence < 1)

    process.kill()
    process.wait()
    look(watcher, Phase.DIED)

    (folder.checkpoints / "step-99999999999999.npz").write_bytes(b"torn")
    resumed = (*PUFFTUI, "resume", folder.id, "--headless", "--train.total-steps", "2e12")
    again = subprocess.Popen(resumed, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    look(watcher, Phase.STARTING)
    look(watcher, Phase.RUNNING)
    wait_for(lambda: watcher.look() or watcher.latest.total_steps == 2 * 10**12)
    again.terminate()
    again.wait()
    look(watcher, Phase.INTERRUPTED)
    watcher.look()
    reached = watcher.latest.step
    wait_for(lambda: watcher.look() or watcher.latest.checkpoint_step == reached)
    wait_for(lambda: watcher.look() or watcher.weights.step == reached)

    late = Watcher(folder)
    late.look()
    assert late.latest.phase is Phase.INTERRUPTED
    assert late.latest.step == reached
    shutil.rmtree(folder.path)
    late.look()
    assert late.gone
    assert late.latest.step == reached


def test_a_run_that_went_back_is_where_it_went_back_to(root: Path) -> None:
    folder = make_run("back", scores=[0.1, 0.2, 0.3])
    StoreWriter(folder.database, from_step=2000).close()
    watcher = Watcher(folder)
    watcher.look()
    assert watcher.latest.step == 2000


def test_looking_never_keeps_a_trainer_out(folder: RunFolder) -> None:
    RunFolder.create("it", "squared").release()
    stop = threading.Event()

    def stare() -> None:
        while not stop.is_set():
            folder.holder()

    starers = [threading.Thread(target=stare) for _ in range(3)]
    for starer in starers:
        starer.start()
    try:
        for _ in range(50):
            trainer = RunFolder(folder.path)
            trainer.lock()
            assert trains(folder)
            trainer.release()
    finally:
        stop.set()
        for starer in starers:
            starer.join()
    assert not trains(folder)


def test_a_run_that_tells_nothing_but_figures_goes_on_running(folder: RunFolder) -> None:
    store, watcher = log_rows(folder, 3), Watcher(folder)
    for _ in range(3):
        watcher.look()
        assert watcher.latest.phase is Phase.RUNNING
    store.close()


def app_of(folder: RunFolder) -> PuffApp:
    return PuffApp(watch_session(folder), None, StillHost(), StillGpu())


async def see(app: PuffApp, pilot, *words: str) -> str:
    """Waits until all of these are on the screen."""
    for _ in range(600):
        await pilot.pause(0.05)
        text = screen_text(app)
        if all(word in text for word in words):
            return text
    raise AssertionError(text)


async def test_the_dashboard_shows_another_process_and_its_death(folder: RunFolder) -> None:
    process = begin(folder, *ENDLESS)
    app = app_of(folder)
    async with app.run_test(size=(160, 50), notifications=True) as pilot:
        text = await see(app, pilot, "watching", "● healthy", "entropy", "policy of step", "▀▀")
        assert "p pause training" not in text
        assert "q leave" in text
        await pilot.press("p")
        await see(app, pilot, "Not from here")
        assert trains(folder)
        await pilot.press("m")
        await see(app, pilot, "YOU are playing")
        await pilot.press("escape")
        process.kill()
        process.wait()
        await see(app, pilot, "The trainer has died", "pufftui resume it")
        assert isinstance(app.screen, ErrorScreen)
        await pilot.press("escape")
        await see(app, pilot, "✕ died")
        await pilot.press("q")
    assert app.return_code == 0
    app.session.arena.stop()
    app.session.runner.stop()


async def test_the_end_is_summed_up_only_for_those_who_were_there(folder: RunFolder) -> None:
    process = begin(folder, *ENDLESS)
    app = app_of(folder)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await see(app, pilot, "● healthy")
        process.terminate()
        await see(app, pilot, "it has stopped")
        assert isinstance(app.screen, SummaryScreen)
    app.session.arena.stop()
    app.session.runner.stop()
    late = app_of(folder)
    async with late.run_test(size=(80, 24), notifications=True) as pilot:
        await see(late, pilot, "■ stopped", "watching", "Stopped")
        assert late.screen is late.main
        shutil.rmtree(folder.path)
        await see(late, pilot, "✕ removed")
        await pilot.press("2")
        await pilot.press("5")
        await pilot.press("0")
        await see(late, pilot, "✕ removed")
    late.session.arena.stop()
    late.session.runner.stop()


async def test_an_environment_that_is_gone_leaves_the_figures(folder: RunFolder) -> None:
    process = begin(folder, *ENDLESS)
    process.kill()
    process.wait()
    text = folder.config_file.read_text()
    folder.config_file.write_text(text.replace('"squared"', '"/nowhere/squared"'))
    app = app_of(folder)
    async with app.run_test(size=(160, 50), notifications=True) as pilot:
        await see(app, pilot, "There is no folder /nowhere/squared", "entropy", "✕ died")
        await pilot.press("m")
        await see(app, pilot, "No game")
        assert not app.main.player.playing
    app.session.runner.stop()


async def test_a_torn_store_is_a_message(folder: RunFolder) -> None:
    RunFolder.create("it", "squared").release()
    store = StoreWriter(folder.database)
    for step in range(5000):
        store.metrics(step, 0.0, 0, {f"metric_{i}": 1.0 for i in range(10)})
    store.close()
    os.truncate(folder.database, folder.database.stat().st_size // 2)
    app = app_of(folder)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await see(app, pilot, "▲ unreadable")
        # A message goes after a while: what it says stays to be read where there is nothing else.
        for card in (app.main.charts.card, app.main.log_card):
            for _ in range(100):
                lines = card.content(60, 20)
                told = "".join(text for line in lines for text, _ in line).replace(" ", "")
                if "nothinghas" not in told:
                    break
                await pilot.pause(0.05)
            assert f"Thestore{folder.database}cannotberead" in told, told
    app.session.runner.stop()


def test_watching_in_a_terminal_touches_nothing(folder: RunFolder) -> None:
    begin(folder, *ENDLESS)
    terminal = Terminal("watch", "it")
    try:
        terminal.read("watching")
        terminal.read("healthy")
        terminal.press("q")
        assert terminal.wait() == 0
        assert trains(folder)
    finally:
        terminal.close()


def test_detach_attach_stop(folder: RunFolder) -> None:
    first = Terminal("train", "squared", "--run-name", "it", *SMALL, *ENDLESS)
    try:
        first.read("healthy")
        before = folder.holder()
        first.press("q")
        first.read("leave it running")
        first.press("d")
        assert first.wait() == 0
        for word in ("goes on without this terminal", "pufftui watch it", "pufftui attach it"):
            assert word in first.text
        after = folder.holder()
        assert after.training
        assert after.process != before.process
        assert f"kill {after.process}" in first.text
        assert os.getsid(after.process) == after.process
    finally:
        first.close()
    lineages = StoreReader(folder.database).lineages()
    rows = StoreReader(folder.database).last_row()
    wait_for(lambda: len(StoreReader(folder.database).lineages()) == 2, 20)
    wait_for(lambda: StoreReader(folder.database).last_row() > rows + 2)
    assert lineages[0].from_step == 0
    second = Terminal("attach", "it")
    try:
        second.read("attached")
        second.read("healthy")
        second.press("p")
        second.read("paused")
        second.press("q")
        second.read("stop the run")
        second.press("s")
        second.read("it has stopped")
        second.press("q")
        assert second.wait() == 0
    finally:
        second.close()
    wait_for(lambda: not trains(folder))
    assert StoreReader(folder.database).events_after(0)[-1].kind == "stop"


@pytest.mark.parametrize("wish", ["stop", "detach"])
def test_a_terminal_that_hangs_up(folder: RunFolder, wish: str) -> None:
    arguments = ("--run-name", "it", "--run.on-hangup", wish, *SMALL, *ENDLESS)
    terminal = Terminal("train", "squared", *arguments)
    try:
        terminal.read("healthy")
        terminal.hang_up()
        assert terminal.process.wait(30) == (0 if wish == "detach" else 130)
    finally:
        terminal.close()
    assert trains(folder) == (wish == "detach")
    events = [event.kind for event in StoreReader(folder.database).events_after(0)]
    assert "stop" in events
    assert "failed" not in events


def test_nobody_to_attach_to_is_said(folder: RunFolder) -> None:
    RunFolder.create("it", "squared").release()
    terminal = Terminal("attach", "it")
    try:
        assert terminal.wait() == 1
        assert "Nobody trains it right now." in terminal.text
        assert "pufftui watch it" in terminal.text
    finally:
        terminal.close()


def log_rows(folder: RunFolder, metrics: int, rows: int = 200) -> StoreWriter:
    """A run that some other program writes."""
    folder.path.mkdir()
    folder.lock()
    store = StoreWriter(folder.database)
    names = ["loss", "accuracy", *(f"group/metric {i}" for i in range(metrics - 2))]
    for step in range(1, rows):
        values = {name: 1 / step + i for i, name in enumerate(names) if step > i}
        store.metrics(step, step * 0.1, 0, values)
    store.flush()
    return store


@pytest.mark.parametrize("size", [(200, 60), (80, 24)])
async def test_a_run_of_another_program_shows_its_metrics(folder: RunFolder, size) -> None:
    store = log_rows(folder, 30)
    app = app_of(folder)
    async with app.run_test(size=size, notifications=True) as pilot:
        text = await see(app, pilot, "charts", "loss", "accuracy", "● logged", "step 199")
        assert {len(line) for line in text.splitlines()} == {size[0]}
        assert "take over" not in text
        assert re.search(r"[⠀-⣿]", text)
        store.metrics(2000, 300.0, 0, {"loss": 41.5, "new one": 1.0})
        store.flush()
        await see(app, pilot, "step 2.00k", "41.5")
        first = screen_text(app)
        if "page 1 of" in first:
            await pilot.press("right_parenthesis")
            await see(app, pilot, "page 2 of")
        await pilot.press("p")
        await see(app, pilot, "Another program writes this run")
        for key in "m", "4", "5", "1", "0", "t", "question_mark", "escape":
            await pilot.press(key)
        store.event(2000, 300.0, "stop", "finished")
        store.close()
        folder.release()
        await see(app, pilot, "✓ finished")
    app.session.runner.stop()


async def test_a_run_of_another_program_that_has_logged_nothing_yet(folder: RunFolder) -> None:
    store = log_rows(folder, 2, rows=0)
    app = app_of(folder)
    async with app.run_test(size=(120, 40)) as pilot:
        await see(app, pilot, "nothing has been logged yet")
        store.metrics(1, 1.0, 0, {"loss": 2.5})
        await see(app, pilot, "loss", "2.50", "1 metric ")
    store.close()
    folder.release()
    app.session.runner.stop()


async def test_a_loss_that_is_no_number_is_said_wherever_it_is_shown(
    folder: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last finite value is not what it is now."""
    store = log_rows(folder, 2, rows=0)
    folder.config_file.write_text("[log]\nprogram = 'train.py'\n", encoding="utf-8")
    store.event(0, 0.0, "start", "started")
    for step, loss in enumerate([0.75, 0.5, math.nan, math.nan]):
        store.metrics(step, float(step), step, {"loss": loss, "score": 3.0})
    store.flush()
    app = app_of(folder)
    async with app.run_test(size=(120, 40)) as pilot:
        text = await see(app, pilot, "not a number since step 2", "▲ not finite")
        assert "0.500 " not in text
        store.metrics(9, 9.0, 9, {"loss": 0.25, "score": math.inf})
        store.flush()
        await see(app, pilot, "0.250", "infinite since step 9")
        app.main.charts.ask("score")
        await see(app, pilot, "infinite since step 9", "from 3 to 3 so far")
    assert main(["runs", "list"]) == 0
    assert " ∞ " in capsys.readouterr().out
    assert main(["runs", "list", "--json", "loss<1"]) == 0
    (run,) = json.loads(capsys.readouterr().out)
    assert run["last"] == {"loss": 0.25, "score": None}
    assert run["not_finite"] == {"score": "infinite since step 9"}
    assert main(["runs", "list", "--sort", "score"]) == 0
    store.close()
    folder.release()
    app.session.runner.stop()


def test_nobody_attaches_to_a_run_of_another_program(folder: RunFolder) -> None:
    """Nor is anybody sent to resume it."""
    with log.start(folder.id) as run:
        run.log(1, {"loss": 1.0})
    with pytest.raises(PuffError, match="logged by another program") as refused:
        attach_session(folder)
    assert refused.value.hint == f"Watch it: pufftui watch {folder.id}."


async def test_attached_one_changes_settings_and_keeps_notes(folder: RunFolder) -> None:
    process = begin(folder, *ENDLESS)
    app = PuffApp(attach_session(folder), None, StillHost(), StillGpu())
    reader = StoreReader(folder.database)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await see(app, pilot, "attached", "● healthy", "p pause training")
        for _ in range(600):
            if app.session.control.connected:
                break
            await pilot.pause(0.05)
        await pilot.press("e")
        await see(app, pilot, "Change a setting", "gamma", "0.995")
        await pilot.press(*"gama 0.9", "enter")
        await see(app, pilot, "Did you mean gamma?")
        await pilot.press("ctrl+a", "ctrl+k", *"gamma 9", "enter")
        await see(app, pilot, "from 0 to 1")
        await pilot.press("ctrl+a", "ctrl+k", *"gamma 0.9", "enter")
        for _ in range(600):
            told = [event.text for event in reader.events_after(0) if event.kind == "change"]
            if told:
                break
            await pilot.pause(0.05)
        assert told == ["train.gamma 0.995 -> 0.9"]
        assert app.screen is app.main
        await pilot.press("E")
        for _ in range(600):
            told = [event.text for event in reader.events_after(0) if event.kind == "change"]
            if len(told) > 1:
                break
            await pilot.pause(0.05)
        assert told[1:] == ["train.gamma 0.9 -> 0.995"]
        await pilot.press("n")
        await pilot.press(*"q is for quiet", "enter")
        for _ in range(600):
            if reader.notes_after(0):
                break
            await pilot.pause(0.05)
        assert [note.text for note in reader.notes_after(0)] == ["q is for quiet"]
        await pilot.press("q")
        await see(app, pilot, "goes on without you")
        await pilot.press("enter")
        await pilot.pause()
    assert trains(folder)
    app.session.arena.stop()
    app.session.runner.stop()
    app.session.control.stop()
    process.kill()
    process.wait()
