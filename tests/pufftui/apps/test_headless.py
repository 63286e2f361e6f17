"""Training without a screen: what programs read, and every way a run can end."""

from __future__ import annotations

import io
import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pufftui.apps.headless import Progress, json_line, report, run_headless
from pufftui.envs.errors import PuffError
from pufftui.trainer.health import RULES, Finding, Level
from pufftui.trainer.messages.snapshot import LOSSES, Phase, Snapshot
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.settings.fields import Config
from pufftui.trainer.store import StoreReader

REPORT = {
    *("step", "seconds", "sps", "epoch", "score", "perf", "episode_return", "episode_length"),
    *("episodes", "losses", "alerts"),
}
ENDING = {"done", "reason", "run", "step", "checkpoint", "lost_rows"}
ENDLESS = "1e12"


def train(folder: Path, *arguments: str, **options: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pufftui", "train", "squared", "--headless", *arguments]
    environment = os.environ | {"XDG_CONFIG_HOME": str(folder / "config")}
    # The tests themselves may have been started with nohup.
    options.setdefault("preexec_fn", lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL))
    return subprocess.Popen(
        [*command, "--policy.memory", "none", "--vec.agents", "256"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


@pytest.fixture
def endless(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A run in its second second of training."""
    process = train(tmp_path, "--json", "--run-name", "it", "--train.total-steps", ENDLESS)
    assert process.stdout
    process.stdout.readline()
    process.stdout.readline()
    yield process
    process.kill()
    process.communicate()


def test_json_of_a_whole_run(tmp_path: Path) -> None:
    process = train(tmp_path, "--json", "--train.total-steps", "400k", "--run-name", "it")
    said, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    *reports, ending = [json.loads(line) for line in said.splitlines()]
    assert reports
    for one in reports:
        assert set(one) == REPORT
        assert set(one["losses"]) == set(LOSSES)
    assert [one["step"] for one in reports] == sorted(one["step"] for one in reports)
    last = reports[-1]
    assert last["step"] >= 400_000
    assert last["episodes"] > 100
    assert 0 <= last["score"] <= 1
    assert all(isinstance(value, float) for value in last["losses"].values())
    assert set(ending) == ENDING
    assert (ending["done"], ending["reason"], ending["run"]) == (True, "finished", "it")
    assert ending["step"] == last["step"]
    assert (tmp_path / ending["checkpoint"]).stat().st_size > 0
    assert "steps/s" in errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_run_with_a_checkpoint(
    endless: subprocess.Popen[str], tmp_path: Path, number: signal.Signals
) -> None:
    endless.send_signal(number)
    said, errors = endless.communicate(timeout=60)  # a busy disk takes its time
    assert endless.returncode == 130, errors
    ending = json.loads(said.splitlines()[-1])
    assert (ending["done"], ending["reason"]) == (False, "interrupted")
    assert ending["step"] > 0
    checkpoint = tmp_path / ending["checkpoint"]
    assert str(ending["step"]) in checkpoint.name
    assert checkpoint.stat().st_size > 0
    assert "Traceback" not in errors


def test_nohup_is_respected(tmp_path: Path) -> None:
    process = train(
        tmp_path,
        *("--json", "--train.total-steps", "200k"),
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    assert process.stdout
    process.stdout.readline()
    process.send_signal(signal.SIGHUP)
    # What readline has read ahead is lost to communicate.
    assert json.loads(process.stdout.read().splitlines()[-1])["done"]
    assert process.wait(timeout=60) == 0


def test_training_outlives_its_reader(tmp_path: Path) -> None:
    process = train(tmp_path, "--json", "--train.total-steps", "200k", "--run-name", "it")
    assert process.stdout
    assert process.stderr
    process.stdout.readline()
    process.stdout.close()
    errors = process.stderr.read()
    assert process.wait(timeout=60) == 0
    assert "Traceback" not in errors
    assert "BrokenPipe" not in errors
    assert len(list((tmp_path / "runs" / "it" / "checkpoints").iterdir())) == 2


def test_without_json_the_end_is_one_sentence(tmp_path: Path) -> None:
    process = train(tmp_path, "--train.total-steps", "100k", "--run-name", "it")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert said.startswith("it finished: ")
    assert said.count("\n") == 1


class FakeRunner:
    """A run that has the snapshot it is given; `join` says the thread has ended, or never."""

    def __init__(self, folder: Path, snapshot: Snapshot, *, ends: bool = True) -> None:
        self.folder = RunFolder(folder / "it")
        self.config = Config("squared", {})
        self.latest = snapshot
        self.findings = ()
        self.ends = ends

    def start(self) -> None:
        pass

    def send(self, command: object) -> None:
        pass

    def join(self, timeout: float) -> bool:
        if not self.ends:
            print("waiting", flush=True)
            time.sleep(0.1)
        return self.ends


def test_a_failure_is_told_in_json_and_raised(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = Snapshot(Phase.FAILED, step=64, failure="It broke.", failure_hint="Mend it.")
    with pytest.raises(PuffError) as caught:
        run_headless(FakeRunner(tmp_path, failed), json=True)
    assert (caught.value.message, caught.value.hint) == ("It broke.", "Mend it.")
    assert caught.value.exit_status == 1
    ending = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert ending == {
        "done": False,
        "reason": "failed",
        "run": "it",
        "step": 64,
        "checkpoint": None,
        "lost_rows": 0,
    }


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl+c", "SIGTERM"])
def test_a_second_signal_leaves_a_trainer_that_hangs(number: signal.Signals) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from pathlib import Path\n"
        "from test_headless import FakeRunner, Phase, Snapshot, run_headless\n"
        "hanging = FakeRunner(Path(), Snapshot(Phase.RUNNING, step=7), ends=False)\n"
        "run_headless(hanging, json=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "waiting\n"
    process.send_signal(number)
    for _ in range(6):  # a report and "waiting" by turns: the first signal has been seen
        process.stdout.readline()
    process.send_signal(number)
    said, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    ending = json.loads(said.splitlines()[-1])
    assert (ending["reason"], ending["step"]) == ("interrupted", 7)
    assert "Traceback" not in errors
    assert errors.count("leaves at once without one") == 1


def test_numbers_that_json_does_not_know_become_null() -> None:
    losses = {"entropy": math.nan, "grad_norm": math.inf, "policy_loss": 0.5}
    line = json.loads(
        json_line(report(Snapshot(Phase.RUNNING, score=-math.inf, losses=losses), ()))
    )
    assert (line["score"], line["sps"]) == (None, None)
    assert line["losses"] == dict.fromkeys(LOSSES) | {"policy_loss": 0.5}


def test_progress_replaces_itself_on_a_terminal_only() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    running = Snapshot(Phase.RUNNING, step=500_000, total_steps=1_000_000, score=0.5)
    for stream, lines in ((Terminal(), 0), (io.StringIO(), 1)):
        progress = Progress(stream)
        for _ in range(3):
            progress.show(running)
        assert stream.getvalue().count("\n") == lines
        assert "50 %" in stream.getvalue()


def finding(level: Level) -> Finding:
    return Finding(RULES["score.crash"], level, "It fell.", 90, 9.0, value=math.nan, limit=2.0)


def test_alerts_are_in_every_report() -> None:
    snapshot = Snapshot(Phase.RUNNING)
    line = json.loads(json_line(report(snapshot, (finding(Level.CRITICAL),))))
    (told,) = line["alerts"]
    assert (told["rule"], told["level"], told["value"]) == ("score.crash", "critical", None)
    assert told["title"] == "The score has crashed"
    assert told["advice"]
    assert json.loads(json_line(report(snapshot, ())))["alerts"] == []


def test_what_is_worth_knowing_is_told_at_the_end_with_advice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runner = FakeRunner(tmp_path, Snapshot(Phase.FINISHED, step=64))
    runner.findings = (finding(Level.WARNING), finding(Level.INFO))
    run_headless(runner, json=False)
    said = capsys.readouterr()
    assert said.out.count("\n") == 1
    advice = RULES["score.crash"].advice
    assert f"\nInfo: The score has crashed. It fell. {advice}\n" in said.err
    assert said.err.count("It fell.") == 2


@pytest.mark.parametrize("json_too", [True, False])
def test_a_run_that_got_nowhere_says_so_at_its_end(tmp_path: Path, json_too: bool) -> None:
    """With a tiny learning rate, and fast: on a slow machine other checks would have spoken before."""
    code = (
        "import sys\n"
        "from pufftui.__main__ import main\n"
        "from pufftui.trainer.health import score\n"
        "score.SENSIBLE_SECONDS = float('inf')\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    settings = {
        "policy.memory": "none",
        "policy.hidden": "16",
        "vec.agents": "64",
        "train.horizon": "32",
        "train.minibatch-size": "2048",
        "train.learning-rate": "1e-7",
        "train.total-steps": "200k",
        "run.device": "cpu",
        "run-name": "it",
    }
    flags = [word for name, value in settings.items() for word in (f"--{name}", value)]
    done = subprocess.run(
        [sys.executable, "-c", code, "train", "cartpole", "--headless", *flags]
        + ["--json"] * json_too,
        cwd=tmp_path,
        env=os.environ | {"XDG_CONFIG_HOME": str(tmp_path / "config")},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    told = [line for line in done.stderr.splitlines() if line.startswith("Info: ")]
    words = "Info: The score no longer gets better. It got no better after step "
    (line,) = [line for line in told if line.startswith(words)]
    assert line.endswith("for rewards that are far away.")
    with closing(StoreReader(tmp_path / "runs" / "it" / "run.db")) as reader:
        stored = [alert.level for alert in reader.alerts_after(0) if alert.rule == "score.plateau"]
    assert stored == ["info"]
    if json_too:
        last = json.loads(done.stdout.splitlines()[-2])
        levels = {alert["rule"]: alert["level"] for alert in last["alerts"]}
        assert levels["score.plateau"] == "info"


def test_an_alert_is_one_sentence_on_stderr_until_it_is_over() -> None:
    stream = io.StringIO()
    progress = Progress(stream)
    for findings in [()] + [(finding(Level.WARNING), finding(Level.INFO))] * 3 + [()]:
        progress.alert(findings)
    assert stream.getvalue() == "Warning: The score has crashed. It fell.\n"
    progress.alert((finding(Level.CRITICAL),))
    assert stream.getvalue().splitlines()[-1] == "Critical: The score has crashed. It fell."
