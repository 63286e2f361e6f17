"""`pufftui runs compare`: figures in a pipe, and the screen with all its keys on real stores."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from fakes import screen_text
from hypothesis import given, settings
from hypothesis import strategies as st
from runs_on_disk import make_run

from pufftui.__main__ import main
from pufftui.appearance.theme import load_themes
from pufftui.apps.compare import CompareApp
from pufftui.apps.options import Wishes
from pufftui.charts.overlay import Overlaid, overlay
from pufftui.layout.cockpit import LEAST_HEIGHT, LEAST_WIDTH, arrange_compare
from pufftui.runs.comparison import Comparison, Grouping
from pufftui.screens.dialogs.help import HelpScreen
from pufftui.series.axis import Axis
from pufftui.series.curve import Series
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.store import StoreWriter


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three seeds of one thing, and one of another."""
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path))
    for seed in (1, 2, 3):
        scores = [0.01 * row * seed for row in range(1, 21)]
        entropy = [1.0 - 0.01 * row for row in range(20)]
        make_run(f"slow-s{seed}", seed=seed, scores=scores, metrics={"entropy": entropy})
    make_run("fast", seed=1, scores=[0.05 * row for row in range(1, 16)], learning_rate=0.1)
    return tmp_path


def read(*names: str) -> Comparison:
    return Comparison.read([RunFolder.open(name) for name in names])


def app_of(names: Sequence[str], theme: str | None = None) -> CompareApp:
    folders = [RunFolder.open(name) for name in names]
    comparison = Comparison.read(folders)
    return CompareApp(comparison, folders, Grouping.SEEDS, Wishes(theme))


def test_json_has_the_figures_and_the_differences(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["slow-s1", "fast", "slow-s2", "slow-s3"]
    assert main(["runs", "compare", "--seeds", "--json", *names]) == 0
    found = json.loads(capsys.readouterr().out)
    slow, fast = found["curves"]
    assert slow["runs"] == ["slow-s1", "slow-s2", "slow-s3"]
    assert slow["caution"].startswith("n=3: wide")
    # Of three values the interquartile mean is the mean: 0.2, 0.4 and 0.6.
    assert slow["metrics"]["score"]["last"] == pytest.approx(0.4)
    low, high = slow["metrics"]["score"]["interval"]
    assert 0.199 < low < 0.399
    assert 0.401 < high < 0.601
    assert fast["metrics"]["score"]["last"] == pytest.approx(0.75)
    assert fast["metrics"]["score"]["interval"] is None
    assert found["differences"] == {
        "train.learning_rate": {"slow-s1 +2": 0.03, "fast": 0.1},
    }


def test_how_a_setting_came_about_is_no_setting(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("slow-s1", "fast"):
        file = runs / name / "config.toml"
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("\n\n", '\nchosen = ["train.gamma"]\n\n', 1), encoding="utf-8")
    assert main(["runs", "compare", "--seeds", "--json", "slow-s1", "slow-s2", "fast"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [curve["runs"] for curve in found["curves"]] == [["slow-s1", "slow-s2"], ["fast"]]
    assert list(found["differences"]) == ["train.learning_rate"]


def test_a_pipe_gets_a_table(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "compare", "fast", "slow-s1"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[0].split() == ["fast", "slow-s1"]
    assert "score                0.750  0.200" in rows
    assert rows[-1].split() == ["train.learning_rate", "0.1", "0.03"]


def test_whoever_names_runs_sees_a_curve_of_each(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["runs", "compare", "slow-s1", "slow-s2", "--json"]) == 0
    curves = json.loads(capsys.readouterr().out)["curves"]
    assert [curve["runs"] for curve in curves] == [["slow-s1"], ["slow-s2"]]


def test_runs_of_one_process_and_of_two_are_never_one_curve(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_run("pair", seed=4)
    store = StoreWriter(folder.database)
    store.fact("processes", 2)
    store.close()
    assert main(["runs", "compare", "slow-s1", "slow-s2", "pair", "--seeds", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [curve["n"] for curve in found["curves"]] == [2, 1]
    assert found["differences"] == {"job.processes": {"slow-s1 +1": 1, "pair": 2}}
    assert main(["runs", "list", "job.processes=2"]) == 0
    assert "pair" in capsys.readouterr().out


def test_all_runs_as_one(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "compare", "fast", "slow-s1", "--aggregate", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [curve["n"] for curve in found["curves"]] == [2]
    # Where both have points: up to step 15,000.
    assert found["curves"][0]["metrics"]["score"]["last"] == pytest.approx((0.75 + 0.15) / 2)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "RUN"),
        (["fsat"], "Did you mean fast?"),
        (["fast", "--aggregate", "--seeds"], "cannot be used together"),
    ],
)
def test_wrong_usage_is_a_sentence(
    runs: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main(["runs", "compare", *arguments]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert words in said


def test_nine_curves_are_too_many(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"r{n}" for n in range(9)]
    for at, name in enumerate(names):
        make_run(name, learning_rate=0.001 * (at + 1))
    assert main(["runs", "compare", *names]) == 2
    assert "9 curves" in capsys.readouterr().err
    assert main(["runs", "compare", "--aggregate", *names]) == 0


def test_a_broken_run_is_named(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (runs / "fast" / "run.db").write_bytes(b"garbage" * 1000)
    assert main(["runs", "compare", "fast", "slow-s1"]) == 1
    assert "The run fast cannot be read" in capsys.readouterr().err


def test_runs_that_never_overlap_have_no_common_curve(runs: Path) -> None:
    for name, first in (("early", 1), ("late", 10_000)):
        folder = make_run(name, scores=())
        store = StoreWriter(folder.database)
        for row in range(5):
            store.metrics(first + row, float(first + row), row, {"score": 1.0})
        store.close()
    comparison = read("early", "late")
    group = comparison.groups(Grouping.ALL)[0]
    assert comparison.curve(group, "score", Axis.STEPS).series.empty


@pytest.mark.parametrize("size", [(200, 60), (80, 24), (60, 18)])
@pytest.mark.parametrize("theme", ["midnight", "paper"])
async def test_the_screen_shows_curves_figures_and_differences(
    runs: Path, size: tuple[int, int], theme: str
) -> None:
    app = app_of(["slow-s1", "slow-s2", "slow-s3", "fast"], theme)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        text = screen_text(app)
        for word in ("compare", "squared", "score", "slow-s1 +2", "fast", "0.750", "n=3: wide"):
            assert word in text, word
        if size[1] > 18:
            assert "train.learning_rate" in text
        assert any("⠁" <= character <= "⣿" for character in text)


async def test_every_key_does_what_it_says(runs: Path) -> None:
    app = app_of(["slow-s1", "slow-s2", "slow-s3", "fast"])
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("right")
        assert "entropy" in screen_text(app)
        await pilot.press("left")
        await pilot.press("x")
        assert app.main.view.axis is Axis.TIME
        assert "time" in screen_text(app)
        await pilot.press("g")
        await pilot.pause()
        assert app.main.view.grouping is Grouping.EACH
        assert "slow-s3" in screen_text(app)
        await pilot.press("g")
        await pilot.pause()
        assert app.main.view.grouping is Grouping.ALL
        assert "all 4 runs" in screen_text(app)
        await pilot.press("g", "d")
        await pilot.pause()
        assert "figures" not in screen_text(app)
        await pilot.press("down", "up", "up", "d", "t", "question_mark")
        await pilot.pause()
        assert isinstance(app.screen, HelpScreen)
        await pilot.press("escape")
        await pilot.press("q")
    assert app.return_code == 0


async def test_a_live_run_is_read_again(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_run("live", scores=[0.1, 0.2], events=["start"], locked=True)
    monkeypatch.setattr("pufftui.screens.compare.REFRESH_SECONDS", 0.05)
    app = app_of(["live", "fast"])
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert "live" in screen_text(app)
        store = StoreWriter(folder.database, from_step=2000)
        store.metrics(9000, 9.0, 9, {"score": 0.333})
        store.close()
        for _ in range(100):
            await pilot.pause(0.05)
            if "0.333" in screen_text(app):
                break
        assert "0.333" in screen_text(app)
        (runs / "fast" / "run.db").unlink()
        for _ in range(100):
            await pilot.pause(0.05)
            if app.main.view.trouble:
                break
        assert "fast" in app.main.view.trouble
        assert "0.333" in screen_text(app)
    folder.release()


async def test_a_run_keeps_its_colour(runs: Path) -> None:
    comparison = read("slow-s1", "slow-s2", "slow-s3", "fast")
    seen = {}
    for grouping in (Grouping.SEEDS, Grouping.EACH):
        for group in comparison.groups(grouping):
            colour = comparison.colour(group)
            assert seen.setdefault(group.runs[0].name, colour) == colour
    assert len(set(seen.values())) == 4


@settings(deadline=None)
@given(
    st.integers(1, 260),
    st.integers(1, 90),
    st.integers(1, 8),
    st.integers(0, 40),
    st.booleans(),
)
def test_panels_never_overlap_and_stay_inside(
    width: int, height: int, curves: int, differing: int, alone: bool
) -> None:
    regions = arrange_compare(width, height, curves, differing, alone=alone).regions
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        assert set(regions) == {"too_small"}
        return
    for region in regions.values():
        assert region.area > 0
        assert region.right <= width
        assert region.bottom <= height
    for one, other in combinations(regions.values(), 2):
        assert one.intersection(other).area == 0
    assert alone or regions["chart"].height >= 5


@settings(deadline=None)
@given(
    st.integers(20, 150),
    st.integers(4, 40),
    st.integers(1, 8),
    st.sampled_from(list(Axis)),
    st.data(),
)
def test_a_chart_fills_its_space_exactly(
    width: int, height: int, count: int, axis: Axis, data: st.DataObject
) -> None:
    values = st.lists(st.floats(-1e9, 1e9, width=32) | st.just(float("nan")), max_size=30)
    curves = []
    for at in range(count):
        y = np.array(data.draw(values))
        x = np.arange(len(y)) * data.draw(st.sampled_from([0.0, 0.3, 1.0, 1e7]))
        series = Series.of_points(x, y)
        band = (series, series) if data.draw(st.booleans()) else None
        curves.append(Overlaid(series, f"series{at}", band))
    lines = overlay(load_themes()["midnight"], curves, width, height, axis=axis)
    assert len(lines) == height
    for line in lines:
        assert sum(len(text) for text, _ in line) == width
