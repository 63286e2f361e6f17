"""Exported metrics, read back by those they are for: every value, step and time."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from runs_on_disk import make_run

from pufftui.__main__ import main
from pufftui.cli.runs.export import run as export
from pufftui.envs.errors import PuffError
from pufftui.envs.vector import EPISODE
from pufftui.export.tensorboard import masked_checksums
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.store import StoreReader, StoreWriter


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A run that was resumed from step 3000 after it had come to 5000."""
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path / "runs"))
    monkeypatch.chdir(tmp_path)
    made = make_run("mine", scores=[0.1, 0.2, 0.3, 0.4, 0.5], metrics={"a,b": [1, 2, 3, 4, 5e-30]})
    store = StoreWriter(made.database, from_step=3000)
    for step in (4000, 5000, 6000):
        store.metrics(step, step / 1000 + 0.125, step // 1000, {"score": step / 3, "late": 1 / 3})
    episodes = np.zeros(2, EPISODE)
    episodes["step"], episodes["length"], episodes["score"] = [7, 8], [20, 30], [1 / 3, np.nan]
    store.episodes(5000, episodes)
    store.close()
    return made


def read_table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_csv_has_the_line_that_leads_to_the_newest_state(folder: RunFolder):
    export(["mine", "csv", "--episodes", "episodes.csv"])
    table = read_table(Path("mine.csv"))
    assert [row["step"] for row in table] == ["1000", "2000", "3000", "4000", "5000", "6000"]
    assert list(table[0]) == ["step", "seconds", "epoch", "score", "a,b", "late"]
    rows = StoreReader(folder.database).metrics_after(0)
    chosen = [0, 1, 2, 5, 6, 7]
    for name, values in rows.values.items():
        written = np.array([float(row[name] or "nan") for row in table], np.float32)
        np.testing.assert_array_equal(written, values[chosen])
    assert [float(row["seconds"]) for row in table] == rows.seconds[chosen].tolist()
    (first, second) = read_table(Path("episodes.csv"))
    assert (first["step"], first["env_step"], first["length"]) == ("5000", "7", "20")
    assert np.float32(first["score"]) == np.float32(1 / 3)
    assert second["score"] == ""


def test_a_folder_gets_a_file_of_the_usual_name(folder: RunFolder):
    Path("there").mkdir()
    export(["mine", "csv", "--output", "there", "--episodes", "there"])
    assert sorted(path.name for path in Path("there").iterdir()) == [
        "mine-episodes.csv",
        "mine.csv",
    ]


def test_a_file_where_a_folder_must_be_is_told(folder: RunFolder):
    Path("taken").touch()
    with pytest.raises(PuffError, match="cannot be written"):
        export(["mine", "tensorboard", "--output", "taken", "--force"])


def test_numpy_reads_the_csv(folder: RunFolder):
    export(["mine", "csv"])
    table = np.genfromtxt("mine.csv", delimiter=",", skip_header=1)
    assert table.shape == (6, 6)


def test_all_adds_what_was_abandoned_and_says_which(folder: RunFolder):
    export(["mine", "csv", "--all"])
    table = read_table(Path("mine.csv"))
    assert [row["lineage"] for row in table] == ["1"] * 5 + ["2"] * 3
    assert [row["step"] for row in table[3:6]] == ["4000", "5000", "4000"]


def test_it_is_written_in_parts_without_a_gap(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    export(["mine", "csv"])
    monkeypatch.setattr("pufftui.export.metrics.ROWS_AT_ONCE", 2)
    export(["mine", "csv", "--output", "-"])
    assert capsys.readouterr().out == Path("mine.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("everything", [False, True])
def test_tensorboard_reads_every_value_step_and_time(folder: RunFolder, everything: bool):
    events = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="tensorboard is missing"
    )
    export(["mine", "tensorboard", *(["--all"] if everything else [])])
    rows = StoreReader(folder.database).metrics_after(0)
    started = {row.id: row.started for row in StoreReader(folder.database).lineages()}
    first = {1: rows.seconds[0], 2: rows.seconds[5]}
    parts = {"": [0, 1, 2, 5, 6, 7]}
    if everything:
        parts = {"lineage-1": [0, 1, 2, 3, 4], "lineage-2": [5, 6, 7]}
    for part, chosen in parts.items():
        read = events.EventAccumulator(f"mine-tensorboard/{part}", size_guidance={"scalars": 0})
        read.Reload()
        expected_names = {
            name for name, values in rows.values.items() if not np.isnan(values[chosen]).all()
        }
        assert set(read.Tags()["scalars"]) == expected_names
        for name in expected_names:
            expected = [
                (
                    started[int(rows.lineages[i])] + rows.seconds[i] - first[int(rows.lineages[i])],
                    int(rows.steps[i]),
                    float(rows.values[name][i]),
                )
                for i in chosen
                if not np.isnan(rows.values[name][i])
            ]
            found = [(event.wall_time, event.step, event.value) for event in read.Scalars(name)]
            assert [event[1:] for event in found] == [event[1:] for event in expected]
            np.testing.assert_allclose(
                [event[0] for event in found], [event[0] for event in expected], atol=1e-5, rtol=0
            )


def test_the_checksum_is_crc_32c():
    # From RFC 3720, appendix B.4, then masked.
    plain = {b"\0" * 32: 0x8A9136AA, bytes(range(32)): 0x46DD794E, b"123456789": 0xE3069283}
    masked = [((c >> 15 | c << 17) + 0xA282EAD8) & 0xFFFFFFFF for c in plain.values()]
    assert masked_checksums([*plain]) == masked


def test_nothing_is_written_over_without_force(folder: RunFolder):
    for arguments in (["mine", "csv"], ["mine", "tensorboard"]):
        export(arguments)
        with pytest.raises(PuffError, match="already"):
            export(arguments)
        export([*arguments, "--force"])
    assert not list(Path().glob(".*partial"))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["mine", "xml"], "There is no format xml"),
        (["nobody", "csv"], "There is no run nobody"),
        (["mine", "c"], "mine has no whole checkpoint"),
        (["mine", "c", "--all"], "--all works only with csv and tensorboard"),
        (["mine@3", "csv"], "There is no run mine@3 .* Did you mean mine?"),
        (["mine@3", "c"], "mine has no checkpoint at step 3. It has none."),
        (["mine", "tensorboard", "--output", "-"], "TensorBoard reads a folder"),
        (["mine", "csv", "--output", "no/such/place.csv"], "cannot be written"),
        (["mine"], "FORMAT"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(folder: RunFolder, arguments: list[str], says: str):
    with pytest.raises(PuffError, match=says):
        export(arguments)


def test_the_command_line_knows_it(folder: RunFolder, capsys: pytest.CaptureFixture[str]):
    assert main(["runs", "export", "mine", "csv", "--output", "-"]) == 0
    out = capsys.readouterr().out
    assert len(list(csv.reader(io.StringIO(out)))) == 7


def test_columns_have_names_of_their_own_and_none_is_a_formula(
    folder: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    """Metrics are named by any program, and what begins like a formula a spreadsheet would run."""
    odd = ["step", "seconds", "metric/step", "=1+1", "'=1+1", "+x", "-x", "@SUM(A1)", "\t=1", "a=b"]
    store = StoreWriter(folder.database, from_step=6000)
    store.metrics(7000, 7.0, 7, {name: float(at) for at, name in enumerate(odd)})
    store.close()
    export(["mine", "csv", "--output", "-"])
    table = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    names, last = table[0], table[-1]
    assert len(set(names)) == len(names)
    assert not [name for name in names if name[:1] in "=+-@\t"]
    values = dict(zip(names, last, strict=True))
    assert (values["step"], values["seconds"]) == ("7000", "7")
    assert [values[name] for name in names[-len(odd) :]] == [str(at) for at in range(len(odd))]
    assert (values["metric/step"], values["'=1+1"], values["a=b"]) == ("0", "3", "9")
