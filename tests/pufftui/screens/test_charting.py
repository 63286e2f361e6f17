"""The charts of a dashboard as a person uses them: keys, pointer, pages, and what is remembered."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
from fakes import fake_app, fake_session, screen_text, settle
from textual.events import MouseMove, MouseScrollUp

from pufftui.appearance.preferences import keep, kept
from pufftui.charts.baseline import BaselineBehind
from pufftui.charts.charting import Charting
from pufftui.charts.earlier import EarlierRuns
from pufftui.charts.explain import explain
from pufftui.charts.listing import Listing
from pufftui.envs.catalogue import find_env, load_env
from pufftui.screens.dialogs.explain import ExplainScreen
from pufftui.screens.dialogs.filter import FilterScreen
from pufftui.series.axis import Axis
from pufftui.state.session import Session
from pufftui.trainer.messages.snapshot import LOSSES
from pufftui.trainer.run.baseline import read_curve
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.store import StoreReader, StoreWriter


def write(database: Path, rows: int, **more) -> None:
    """A run with a score that rises, one row a second, a thousand steps and two episodes each."""
    store = StoreWriter(database)
    for row in range(rows):
        values = {"score": float(row), "episodes": 2.0 * row, "entropy": 1.0}
        store.metrics(row * 1000, float(row), row, values | more)
        if row % 5000 == 4999:
            store.flush()  # more than a few thousand do not wait
    store.close()


@pytest.fixture
def charting(tmp_path: Path) -> Charting:
    write(tmp_path / "run.db", 600)
    made = Charting()
    made.poll(StoreReader(tmp_path / "run.db"))
    return made


@pytest.mark.parametrize(
    ("axis", "last"), [("steps", 599_000), ("time", 599), ("episodes", 1198), ("updates", 599)]
)
def test_every_curve_lies_along_the_axis_in_use(charting: Charting, axis, last) -> None:
    while charting.view.axis.value != axis:
        charting.next_axis()
    series = charting.series("score")
    assert series.x[-1] == last
    assert charting.view.end >= last
    assert np.allclose(series.total, np.arange(600))
    charting.move_cursor(-1)
    assert charting.read_out("score") == pytest.approx(599, abs=8)


def test_a_close_look_at_a_long_run_is_as_fine_as_it_was_written(tmp_path: Path) -> None:
    write(tmp_path / "run.db", 40_000)
    reader, charting = StoreReader(tmp_path / "run.db"), Charting()
    charting.poll(reader)
    assert len(charting.series("score")) < 20_000
    middle = 20_000_000.0
    while charting.view.span[1] - charting.view.span[0] > 200_000:
        charting.zoom(closer=True, at=middle)
    coarse = charting.series("score")
    seen = (coarse.x >= charting.view.span[0]) & (coarse.x <= charting.view.span[1])
    assert charting.poll(reader)
    fine = charting.series("score")
    assert len(fine) > 1.5 * seen.sum()
    assert fine.count.max() == 1
    assert not charting.poll(reader), "nothing has changed"
    charting.whole()
    assert charting.poll(reader)
    assert len(charting.series("score")) > 2000


def test_logarithms_need_values_above_zero(charting: Charting) -> None:
    assert charting.toggle_log("score")
    assert charting.curve("score", base=0.0).log
    assert charting.curve("score", base=0.0).base is None
    assert charting.toggle_log("score")
    assert charting.log == set()
    assert not charting.toggle_log("unknown")


def test_episode_figures_are_provisional_at_the_end(charting: Charting) -> None:
    assert charting.curve("score").provisional == float("inf")
    charting.provisional_steps = 99_000
    assert charting.curve("score").provisional == 500_000
    assert charting.curve("entropy").provisional == float("inf")
    charting.next_axis()
    assert charting.curve("score").provisional == 500, "also in time"


def test_earlier_runs_of_the_same_environment_are_read(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path))
    for name, env in [("a", "squared"), ("b", "squared"), ("c", "pong"), ("own", "squared")]:
        folder = RunFolder.create(name, env)
        folder.config_file.write_text(f'environment = "{env}"\n')
        write(folder.database, 20)
        folder.release()
    earlier = EarlierRuns(RunFolder(tmp_path / "own"))
    charting = Charting(earlier)
    assert charting.curve("score").earlier == []
    charting.toggle_earlier()
    earlier._thread.join()
    assert charting.earlier_count == 2
    assert len(charting.curve("score").earlier) == 2
    charting.toggle_earlier()
    assert charting.curve("score").earlier == []


def test_the_baseline_lies_behind_the_score(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "own")
    folder.path.mkdir()
    folder.config_file.write_text('environment = "pong"\n')
    baseline = BaselineBehind(folder)
    charting = Charting(baseline=baseline)
    assert charting.curve("score").earlier == []
    assert charting.baseline_label == ""
    baseline.load()
    baseline._thread.join()
    known = read_curve("pong")
    for axis, places in ((Axis.STEPS, known.steps), (Axis.TIME, known.seconds)):
        charting.over(axis)
        (curve,) = charting.curve("score").earlier
        np.testing.assert_array_equal(curve.x, places)
        np.testing.assert_array_equal(curve.total, known.scores)
        assert re.fullmatch(r"baseline: \d+s to 18", charting.baseline_label)
        assert charting.curve("entropy").earlier == []
    charting.over(Axis.UPDATES)
    assert charting.curve("score").earlier == []
    assert charting.baseline_label == ""


def test_another_game_of_the_same_name_has_no_baseline(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "own")
    folder.path.mkdir()
    table = tomllib.loads((find_env("school").baseline / "config.toml").read_text())["env"]
    for changed in (False, True):
        if changed:
            table[min(table, default="other")] = 99.0
        lines = ['environment = "school"', "[env]", *(f"{k} = {v}" for k, v in table.items())]
        folder.config_file.write_text("\n".join(lines))
        baseline = BaselineBehind(folder)
        baseline.load()
        baseline._thread.join()
        assert bool(baseline.label) is not changed


async def test_keys_move_the_cursor_through_all_charts(session: Session) -> None:
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await settle(app, pilot)
        await pilot.press("left", "left", "left")
        await settle(app, pilot)
        text = screen_text(app)
        place = app.main.charts.charting.place
        assert text.count(f"at {place}") == 3, "score, speed and learning"
        await pilot.press("z")
        await settle(app, pilot)
        assert f"at {place}" not in screen_text(app)


async def test_keys_zoom_move_and_show_all_again(session: Session) -> None:
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await settle(app, pilot)
        whole = app.main.charts.charting.view.span
        await pilot.press("i", "i")
        start, end = app.main.charts.charting.view.span
        assert end == pytest.approx(whole[1])
        assert start > 0
        await pilot.press("pageup")
        assert app.main.charts.charting.view.span[0] < start
        await pilot.press("o", "o")
        assert app.main.charts.charting.view.span == whole


KEYS_BY_SIGN = {"+": "plus"}


async def test_the_axis_changes_everywhere_and_is_remembered(session: Session) -> None:
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await settle(app, pilot)
        assert screen_text(app).count(" steps") >= 2
        await pilot.press("x")
        await settle(app, pilot)
        assert screen_text(app).count(" time") >= 2
        await pilot.press("plus", "plus", "y")
    table = kept("charts")
    assert (table["axis"], table["smoothing"], table["log"]) == ("time", 4, ["score"])
    again = fake_app(fake_session(session.folder.path))
    assert again.main.charts.charting.view.axis is Axis.TIME
    assert again.main.charts.charting.view.smoothing == 4
    assert again.main.charts.charting.log == {"score"}


async def test_what_is_kept_is_said_and_one_key_puts_it_back(session: Session) -> None:
    app = fake_app(session)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(app, pilot)
        assert "Z resets" not in screen_text(app)
        for keys, words in (
            ("x", "Over time, also in the next run. Z resets the view."),
            ("++", "Smoothing 4 of 6"),
            ("y", "Logarithmic score"),
            ("6l", "1 beside each other"),
            ("h", "Without score"),
        ):
            await pilot.press(*(KEYS_BY_SIGN.get(key, key) for key in keys))
            await settle(app, pilot)
            assert screen_text(app).count("Z resets the view") == 1
            assert words in screen_text(app)
    later = fake_app(fake_session(session.folder.path))
    async with later.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(later, pilot)
        await settle(later, pilot)
        told = "As you left them: over time, smoothing 4 of 6, 1 beside each other, 1 logarithmic, 1 hidden."
        assert told in screen_text(later)
        await pilot.press("Z")
        await settle(later, pilot)
        charts = later.main.charts
        assert (charts.card.hidden, charts.card.columns, charts.charting.log) == (set(), 0, set())
        assert charts.charting.view.axis is Axis.STEPS
        assert kept("charts") == {}
    last = fake_app(fake_session(session.folder.path))
    async with last.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(last, pilot)
        await settle(last, pilot)
        assert "As you left them" not in screen_text(last)


async def test_preferences_that_make_no_sense_are_as_at_first(session: Session) -> None:
    nonsense = {"axis": "moons", "smoothing": "much", "columns": "many", "log": 3}
    keep("charts", {**nonsense, "hidden": [["score"]]})
    app = fake_app(session)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(app, pilot)
        await settle(app, pilot)
        assert "As you left them" not in screen_text(app)
        charts = app.main.charts
        assert (charts.card.hidden, charts.card.columns, charts.charting.log) == (set(), 0, set())


async def test_all_charts_can_be_chosen_filtered_and_hidden(session: Session) -> None:
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await settle(app, pilot)
        await pilot.press("6")
        await settle(app, pilot)
        charts = app.main.charts.card
        text = screen_text(app)
        assert "▸ score" in text
        for name in LOSSES[:4]:
            assert explain(name).label in text
        await pilot.press("down")
        assert app.main.charts.charting.selected == charts.names[1]
        await pilot.press("h")
        assert charts.hidden == {"sps"}
        await settle(app, pilot)
        assert "1 hidden" in screen_text(app)
        await pilot.press("H")
        assert charts.hidden == set()
        await pilot.press("slash")
        assert isinstance(app.screen, FilterScreen)
        await pilot.press(*"kl")
        await settle(app, pilot)
        assert set(charts.names) == {"old_approx_kl", "approx_kl"}
        await pilot.press("enter")
        assert app.screen is app.main
        await settle(app, pilot)
        assert "matching kl" in screen_text(app)
        await pilot.press("slash", "escape")
        assert charts.pattern == "kl", "escape leaves it as it was"
        await pilot.press("l", "l")
        assert charts.columns == 2


async def test_every_figure_is_explained(session: Session) -> None:
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await settle(app, pilot)
        await pilot.press("down", "down", "enter")
        await settle(app, pilot)
        assert isinstance(app.screen, ExplainScreen)
        text = screen_text(app)
        for words in ("How random the policy is", "healthy", "source", "try", "alert"):
            assert words in text
        await pilot.press("escape")
        assert app.screen is app.main


async def test_the_pointer_reads_out_zooms_and_asks(session: Session) -> None:
    app = fake_app(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await settle(app, pilot)
        plot, card = app.main.charts.score.plots[0], app.main.charts.score
        at = (plot.x + plot.width // 2, plot.y + 2)
        await pilot.hover(card, offset=at)
        await settle(app, pilot)
        view = app.main.charts.charting.view
        assert view.cursor == pytest.approx(view.end / 2, rel=0.05)
        same = {"widget": card, "x": at[0], "y": at[1], "delta_x": 0, "delta_y": 0, "button": 0}
        same |= {"shift": False, "meta": False, "ctrl": False}
        card.post_message(MouseScrollUp(**same))
        await pilot.pause()
        assert app.main.charts.charting.view.window is not None
        card.post_message(MouseMove(**(same | {"y": 0})))
        await pilot.pause()
        assert app.main.charts.charting.view.cursor is None
        await pilot.click(card, offset=at)
        assert isinstance(app.screen, ExplainScreen)
        assert "headline figure" in screen_text(app)


def test_patterns_look_into_names_and_words() -> None:
    def matches(metric: str, pattern: str) -> bool:
        return metric in Listing().shown([metric], pattern, ())

    assert matches("approx_kl", "KL")
    assert matches("approx_kl", "diverg")
    assert matches("reward_size", "reward*")
    assert not matches("reward_size", "*reward")
    assert matches("time_env", "time?env")


def test_every_metric_of_a_trainer_is_explained() -> None:
    for name in (*LOSSES, "score", "perf", "sps", "learning_rate", "weight_norm", "time_env"):
        about = explain(name)
        assert about.label
        assert about.healthy
        assert about.source
        assert about.advice
    assert explain("statistic_bricks").episodes
    meanings = load_env("nmmo").descriptor.explained_statistics
    assert len(meanings) == 24
    about = explain("statistic_shot", meanings)
    assert about.means.startswith("The share of lives that an arrow ended")
    assert about.source == "the environment itself"
    assert explain("my_loss").label == "my loss"
