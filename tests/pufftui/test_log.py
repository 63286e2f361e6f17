"""Logging from any script: it ends up in the store, and never gets in the script's way."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import pickle
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from processes import wait_for

from pufftui import log
from pufftui.__main__ import main
from pufftui.log.rows import ROW_SECONDS
from pufftui.log.run import LOOK_SECONDS
from pufftui.runs.summary import summarise
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.run.policies import run_environment
from pufftui.trainer.store import StoreReader


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


def reader(name: str) -> StoreReader:
    return StoreReader(RunFolder.open(name).database)


def script(text: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Runs a script of its own that logs."""
    code = "from pufftui import log\n" + textwrap.dedent(text)
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=check, timeout=60
    )


def test_what_was_logged_is_a_run_like_any_other(capsys: pytest.CaptureFixture[str]):
    config = {"lr": 3e-4, "net": {"width": [64, 32]}, "name": 'a "b"\n\x7f', "nothing": None}
    with log.start("mine", config) as run:
        run.log(10, {"loss": 0.5, "count": 3, "yes": True})
        assert summarise(RunFolder.open("mine")).state in {"running", "starting"}
        run.event("halfway")
    folder = RunFolder.open("mine")
    summary = summarise(folder)
    assert (summary.state, summary.step, summary.env) == ("finished", 10, None)
    assert summary.last == {"loss": 0.5, "count": 3.0, "yes": 1.0}
    assert summary.settings["config.lr"] == 3e-4
    assert summary.settings["config.net.width"] == [64, 32]
    assert summary.settings["config.name"] == 'a "b"\n\x7f'
    assert run_environment(folder) is None
    events = [(event.kind, event.text) for event in reader("mine").events_after(0)]
    assert events == [("start", "started"), ("note", "halfway"), ("stop", "finished")]
    assert capsys.readouterr().err == ""


def test_a_fast_loop_keeps_its_first_thousands_of_steps_as_they_are():
    with log.start("mine") as run:
        for step in range(4000):
            run.log(step, {"x": step})
            run.log(step, {"same": 7})
    rows = reader("mine").metrics_after(0)
    assert rows.steps.tolist() == list(range(4000))
    assert rows.values["x"].tolist() == list(range(4000))
    assert (rows.values["same"] == 7).all()


def test_a_long_import_is_thinned_out_and_keeps_its_extremes_and_its_end():
    """An import of many steps in seconds is a curve of thousands of rows, up to the last value."""
    count = 200_000
    with log.start("mine") as run:
        for step in range(count):
            value = 9.0 if step == 123_456 else 1.0 if step == count - 1 else 0.25
            run.log(step, {"score": value})
    with contextlib.closing(reader("mine")) as store:
        rows = store.metrics_after(0)
        assert rows.steps[:3000].tolist() == list(range(3000))
        assert 5000 < len(rows.steps) < 60_000
        assert rows.steps[-1] == count - 1
        assert rows.values["score"][-1] == 1.0
        assert store.newest_values()["score"] == 1.0
        assert store.metrics_between(points=10).high["score"].max() == 9.0
    summary = summarise(RunFolder.open("mine"))
    assert (summary.score, summary.best, summary.step) == (1.0, 9.0, count - 1)


def test_a_value_that_is_seldom_logged_is_still_there_at_the_end():
    with log.start("mine") as run:
        run.log(0, {"accuracy": 0.75})
        for step in range(1, 3000):
            run.log(step, {"loss": 0.5})
    assert summarise(RunFolder.open("mine")).last == {"accuracy": 0.75, "loss": 0.5}


def test_a_taken_or_odd_name_gets_another_one():
    names = []
    for wanted in ("mine", "mine", "mine", "latest", "../my run!", "", "x" * 300):
        with log.start(wanted) as run:
            names.append(run.name)
    assert names[:5] == ["mine", "mine-2", "mine-3", "latest-run", "my-run-"]
    assert len(set(names)) == 7


def test_numbers_of_numpy_and_torch_count_and_the_rest_is_told_once(
    capsys: pytest.CaptureFixture[str],
):
    with log.start("mine") as run:
        for step in (np.int64(1), torch.tensor(2), 3.0):
            run.log(
                step,
                {
                    "numpy": np.float16(0.5),
                    "torch": torch.tensor([0.25], requires_grad=True),
                    "text": "1.0",
                    "list": [1],
                    "none": None,
                    "nan": float("nan"),
                    "huge": 1e300,
                    "beyond": 10**400,
                    3: 4,
                },
            )
        run.log("step", {"x": 1})
        run.log(-1, {"x": 1})
        run.log(2**63, {"x": 1})
        run.log(4, None)
        run.log(5, 17)
    rows = reader("mine").metrics_after(0)
    known = {name: values[~np.isnan(values)] for name, values in rows.values.items()}
    assert {name: float(values[-1]) for name, values in known.items() if len(values)} == {
        "numpy": 0.5,
        "torch": 0.25,
        "3": 4.0,
    }
    told = capsys.readouterr().err
    for name in ("text", "list", "none", "nan", "huge", "beyond"):
        assert told.count(f"mine: {name} is") == 1
    assert "Traceback" not in told


def test_steps_that_go_back_begin_no_lineage(capsys: pytest.CaptureFixture[str]):
    with log.start("mine") as run:
        run.log(100, {"x": 1})
        run.log(5, {"y": 2})
    assert len(reader("mine").lineages()) == 1
    assert reader("mine").metrics_after(0).steps.tolist() == [100]
    assert "step 5 came after 100" in capsys.readouterr().err


def test_after_the_end_nothing_happens(capsys: pytest.CaptureFixture[str]):
    run = log.start("mine")
    run.finish()
    for step in range(3):
        run.log(step, {"x": 1})
        run.event("late")
        run.finish()
    assert capsys.readouterr().err.count("finished") == 1
    assert len(reader("mine").metrics_after(0).steps) == 0


def test_an_error_in_the_block_is_the_scripts_own_and_marks_the_run():
    with pytest.raises(KeyError), log.start("mine"):
        raise KeyError("x")
    assert summarise(RunFolder.open("mine")).state == "failed"


def test_threads_lose_nothing():
    with log.start("mine") as run:

        def work(name: str) -> None:
            for step in range(2000):
                run.log(step, {name: 1.0})

        threads = [threading.Thread(target=work, args=(f"t{i}",)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    rows = reader("mine").metrics_after(0)
    assert set(rows.values) == {"t0", "t1", "t2", "t3"}
    assert rows.epochs[-1] == 8000


def test_a_place_that_cannot_be_written_is_told(root: Path, capsys: pytest.CaptureFixture[str]):
    root.write_text("a file")
    with log.start("mine") as run:
        run.log(1, {"x": 1})
        run.event("x")
    told = capsys.readouterr().err
    assert told.count("nothing is logged") == 1
    assert "No run can be kept" in told


def test_a_folder_that_is_deleted_meanwhile_is_told(root: Path, capsys: pytest.CaptureFixture[str]):
    with log.start("mine") as run:
        run.log(1, {"x": 1})
        deadline = time.monotonic() + 10
        while not len(reader("mine").events_after(0)) and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(3 * LOOK_SECONDS)
        shutil.rmtree(root / "mine")
        time.sleep(3 * LOOK_SECONDS)
        run.log(2, {"x": 1})
    assert "is gone" in capsys.readouterr().err


def test_a_folder_that_is_moved_or_deleted_keeps_its_rows(root: Path):
    with log.start("mine") as run:
        run.log(1, {"x": 1})
        wait_for(lambda: len(reader("mine").events_after(0)))
        (root / "mine").rename(root / "yours")
        wait_for(lambda: run.name == "yours")
        run.log(2, {"x": 1})
        time.sleep(ROW_SECONDS + LOOK_SECONDS)
        wait_for(lambda: len(reader("yours").metrics_after(0).steps) == 2)
        shutil.rmtree(root / "yours")
        wait_for((root / "yours" / "run.db").exists)
        run.log(3, {"x": 1})
    assert reader("yours").metrics_after(0).steps.tolist() == [1, 2, 3]
    assert not (root / "mine").exists()


def test_a_full_disk_is_told_and_costs_no_exception():
    done = script(
        """
        import resource, time
        run = log.start("mine")
        run.log(0, {"x": 1})
        time.sleep(1.5)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
        for step in range(1, 300):
            run.log(step, {f"name {step} {'x' * 2000}": 1.0})
        time.sleep(2)
        run.finish()
        print("the script ended well")
        """
    )
    assert "the script ended well" in done.stdout
    assert "mine: The store cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert reader("mine").metrics_after(0).steps[0] == 0


def test_what_a_script_forgets_is_written_at_its_exit():
    script("run = log.start('mine'); run.log(7, {'x': 1})")
    assert summarise(RunFolder.open("mine")).state == "finished"
    assert reader("mine").metrics_after(0).steps.tolist() == [7]


def test_a_script_that_fails_leaves_a_failed_run():
    done = script("run = log.start('mine'); run.log(7, {'x': 1}); 1 / 0", check=False)
    assert done.returncode == 1
    assert summarise(RunFolder.open("mine")).state == "failed"


@pytest.mark.parametrize("prompt", [True, False])
def test_a_mistake_at_a_prompt_ends_no_run(prompt: bool):
    """Where commands are typed, as in a notebook, the last error is not how the program ended."""
    done = script(
        f"""
        import sys
        if {prompt}: sys.ps1 = "In : "
        run = log.start("mine")
        run.log(1, {{"x": 1}})
        try:
            1 / 0
        except ZeroDivisionError as error:
            sys.last_type, sys.last_value = type(error), error
        """
    )
    assert done.stderr == ""
    state = summarise(RunFolder.open("mine")).state
    assert state == ("finished" if prompt else "failed")


def test_a_forked_process_writes_nothing_and_disturbs_nothing():
    done = script(
        """
        import os, sys
        run = log.start("mine")
        run.log(1, {"x": 1})
        child = os.fork()
        if child == 0:
            for step in range(100): run.log(step, {"child": 1})
            run.finish()
            sys.exit(0)
        os.waitpid(child, 0)
        run.log(2, {"x": 2})
        """
    )
    assert done.stderr.count("forked") == 1
    rows = reader("mine").metrics_after(0)
    assert (set(rows.values), rows.steps[-1]) == ({"x"}, 2)
    assert summarise(RunFolder.open("mine")).state == "finished"
    database = sqlite3.connect(RunFolder.open("mine").database)
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_kill_loses_at_most_two_seconds():
    code = textwrap.dedent(
        """
        import time
        from pufftui import log
        run = log.start("mine")
        run.log(1, {"x": 1})
        print("logged", flush=True)
        time.sleep(60)
        """
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        time.sleep(2)
        os.kill(process.pid, signal.SIGKILL)
    assert reader("mine").metrics_after(0).steps.tolist() == [1]
    assert summarise(RunFolder.open("mine")).state == "dead"


def test_a_copy_that_was_pickled_is_silent_and_any_other_copy_is_the_run():
    with log.start("mine") as run:
        run.log(1, {"x": 1})
        assert copy.deepcopy({"run": run})["run"] is run
        absent = pickle.loads(pickle.dumps(run))
        absent.log(2, {"x": 1})
        absent.finish()
        run.log(3, {"x": 1})
    assert reader("mine").metrics_after(0).steps.tolist() == [1, 3]
    with log.start("mine") as again:
        assert again.name == "mine-2"


def test_the_loop_of_the_documentation_runs():
    page = (Path(__file__).parents[2] / "docs/log.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert script(blocks[0]).stderr == ""
    assert summarise(RunFolder.open("my-run")).step == 999
    for block in blocks:
        compile(block, "docs/log.md", "exec")


def test_importing_it_is_light():
    done = script("import sys; print({'torch', 'textual', 'rich'} & set(sys.modules))")
    assert done.stdout.strip() == "set()"


def test_a_signal_handler_may_log_while_the_script_does(root: Path) -> None:
    run, rings = log.start("alarmed"), []

    def ring(_number: int, _frame: object) -> None:
        rings.append(None)
        run.event("preempted")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        end = time.monotonic() + 0.5
        step = 0
        while time.monotonic() < end:
            step += 1
            run.log(step, {"loss": 1.0})
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    run.finish()
    told = [event for event in reader("alarmed").events_after(0) if event.text == "preempted"]
    assert len(told) == len(rings) > 10


def slow_script(text: str) -> None:
    """A script that logs every hundredth of a second."""
    script(
        f"""
        import math, time
        run = log.start("mine")
        for step in range(1000):
            run.log(step, {text})
            time.sleep(0.01)
        run.finish()
        """
    )


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ('{"score": min(step, 300) if step < 350 else 3}', "score.crash"),
        ('{"train/loss": 0.5 if step < 500 else 1e30}', "loss.exploded"),
        ('{"train/loss": 0.5 if step < 500 else math.nan}', "numbers.logged"),
        ('{"score": step, "loss": 10 / (step + 1)}', None),
    ],
)
def test_what_goes_wrong_with_score_and_loss_is_an_alert(values: str, rule: str | None, capsys):
    slow_script(values)
    with contextlib.closing(reader("mine")) as store:
        alerts = store.alerts_after(0)
    assert [alert.rule for alert in alerts] == ([rule] if rule else [])
    assert main(["runs", "check", "mine", "--json"]) == 0
    assert {found["rule"] for found in json.loads(capsys.readouterr().out)} == (
        {rule} if rule else set()
    )
