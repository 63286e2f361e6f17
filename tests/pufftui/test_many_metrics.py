"""A run may have very many metrics: what is looked at costs something, not what is there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from work import calls, counted

from pufftui.__main__ import main
from pufftui.appearance.theme import DEFAULT_THEME, load_themes
from pufftui.charts.charting import Charting
from pufftui.cli.runs.list import run as list_runs
from pufftui.series.history import History
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.store import StoreReader, StoreWriter
from pufftui.widgets.charts import ChartsCard

FEW, MANY = 100, 4000


def run_of(root: Path, metrics: int) -> RunFolder:
    """A run of another program with so many metrics beside its score, and 40 rows."""
    folder = RunFolder(root / f"of-{metrics}")
    folder.path.mkdir()
    os.close(os.open(folder.path / "lock", os.O_CREAT))
    folder.config_file.write_text("[log]\n", encoding="utf-8")
    store = StoreWriter(folder.database)
    names = [f"layer{at // 100}/weight{at % 100}" for at in range(metrics)]
    for step in range(40):
        store.metrics(step, step * 0.1, 0, {"score": step, **dict.fromkeys(names, 1.5)})
    store.event(39, 4.0, "stop", "finished")
    store.close()
    return folder


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path))
    return tmp_path


def test_a_list_of_runs_does_not_read_what_it_does_not_show(
    runs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = []
    for metrics in FEW, MANY:
        root = runs / str(metrics)
        root.mkdir()
        run_of(root, metrics)
        monkeypatch.setenv("PUFFTUI_RUNS", str(root))
        counts.append(calls(lambda: list_runs([])))
        assert "39" in capsys.readouterr().out
    assert counts[1] < counts[0] + 50


def test_what_is_asked_for_is_read(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_of(runs, FEW)
    for query, found in (("layer0/Weight7=1.5", True), ("layer0/Weight7>2", False)):
        assert list_runs([query]) == 0
        assert (f"of-{FEW}" in capsys.readouterr().out) is found
    assert list_runs(["--sort", "layer0/Weight7"]) == 0
    assert main(["runs", "layer0/weight7=1"]) == 0
    capsys.readouterr()
    assert main(["runs", "list", "layer0/weigth7=1"]) == 2
    assert "Did you mean layer0/weight7?" in capsys.readouterr().err


def test_what_is_new_is_taken_in_at_once(runs: Path) -> None:
    counts = []
    for metrics in FEW, MANY:
        folder = run_of(runs, metrics)
        history, reader = History(), StoreReader(folder.database)
        history.poll(reader)
        store, names = StoreWriter(folder.database, from_step=39), list(history.names)
        for step in 50, 51, 52:
            store.metrics(step, 9.0, 0, dict.fromkeys(names, float(step)))
            store.flush()
            work = counted(lambda history=history, reader=reader: history.poll(reader))
        counts.append(work)
        assert history.current(names[-1]) == 52.0
        assert history.series(names[-1]).low.tolist()[-3:] == [50.0, 51.0, 52.0]
        reader.close()
        store.close()
    assert counts[1] < counts[0] + 50


def test_a_letter_more_in_the_filter_looks_at_each_name_once(runs: Path) -> None:
    counts = []
    for metrics in FEW, MANY:
        charting, folder = Charting(), run_of(runs, metrics)
        reader = StoreReader(folder.database)
        charting.poll(reader)
        reader.close()
        card = ChartsCard(load_themes()[DEFAULT_THEME], charting)

        def draw(pattern: str, card: ChartsCard = card) -> None:
            card.pattern = pattern
            for _ in range(3):
                card.lines(120, 40)

        draw("we")
        counts.append(
            (counted(lambda draw=draw: draw("wei")), counted(lambda draw=draw: draw("wei")))
        )
        assert len(card.names) == metrics
    assert counts[1][0] < counts[0][0] + 4 * MANY
    assert counts[1][1] < counts[0][1] + 50
