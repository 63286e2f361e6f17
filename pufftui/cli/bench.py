"""`pufftui bench`: speed of the environments and of training under a fixed workload."""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace

from pufftui.appearance.format import figure
from pufftui.cli.parser import CommandParser
from pufftui.cli.settings import load_settings, setting_flags, split_settings
from pufftui.envs.benchmark import measure
from pufftui.envs.catalogue import env_names, load_env
from pufftui.envs.cores import available_cores
from pufftui.envs.errors import PuffError
from pufftui.envs.library import EnvLibrary
from pufftui.envs.lookups import is_looked_up
from pufftui.trainer.messages.command import Stop
from pufftui.trainer.messages.snapshot import TIME_PARTS, Phase, Snapshot
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.runner import Runner
from pufftui.trainer.settings.fields import Config
from pufftui.trainer.settings.job import job_from_environment

WORKLOAD = {
    "train.replay_ratio": "1",
    "train.horizon": "64",
    "train.minibatch_size": "32768",
    "train.total_steps": "1e13",  # so long that the schedule hardly moves
    "policy.hidden": "128",
    "policy.layers": "1",
    "vec.agents": "2048",
    "vec.threads": "0",
    "run.checkpoint_minutes": "10000",
}
"""Fixed, so that figures of different machines and versions can be compared."""

MEMORIES = ("none", "mingru")
SECONDS = {"env": 2.0, "train": 30.0}
WARM_UP = 5.0
"""Seconds of training before a measurement, fewer before a shorter one."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement; None is what does not apply. `time` holds shares that add up to 1."""

    kind: str
    env: str
    memory: str | None
    hidden: int | None
    device: str
    threads: int
    replay_ratio: float | None
    sps: float
    time: dict[str, float] | None
    matmul_gflops: float | None
    matmul_share: float | None


def run(arguments: list[str]) -> int:
    """Measures the named environments, or all, and prints a line per figure."""
    others, settings = split_settings(arguments)
    parser = CommandParser("bench", "Measures the speed of environments and training.")
    add = parser.add_argument
    add(
        "envs",
        metavar="ENV",
        nargs="*",
        help="names or folders to measure; without any, everything bundled",
    )
    add("--env-only", action="store_true", help="the environments alone, without training")
    add("--json", action="store_true", help="print a JSON object for each figure")
    add(
        "--seconds",
        metavar="S",
        type=_seconds,
        help="length of one measurement (2 for an environment, 30 for training)",
    )
    parser.epilog = "The work is always the same; only --policy and --env settings change it (--policy.memory lstm)."
    options = parser.parse(others, [flag for flag in setting_flags() if "policy" in flag])
    for path in settings:
        if not path.startswith(("policy.", "env.")):
            raise PuffError(f"bench has no setting {path}.", parser.epilog, usage=True)
    job_from_environment()  # what contradicts itself there is told before anything is measured
    libraries = {name: load_env(name, named_here=True) for name in options.envs or env_names()}
    if not options.json:
        print(_headline())
    for env, library in libraries.items():
        for measured in _figures(env, library, settings, options.env_only, options.seconds):
            print(json.dumps(asdict(measured)) if options.json else _row(measured), flush=True)
    return 0


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0.1 <= seconds <= 86400:
        raise ValueError
    return seconds


def _figures(
    env: str,
    library: EnvLibrary,
    settings: Mapping[str, str],
    env_only: bool,
    seconds: float | None,
) -> Iterator[Figure]:
    name = library.descriptor.name
    given = {
        path.removeprefix("env."): value
        for path, value in settings.items()
        if path.startswith("env.")
    }
    # The world that the environment declares, on every machine and for every line.
    parameters = library.descriptor.parameter_values(given)
    for threads in sorted({1, available_cores()}):
        _say(f"{name}: environment, {threads} thread(s)")
        sps = measure(library, threads, seconds or SECONDS["env"], given=parameters).sps
        yield Figure("env", name, None, None, "cpu", threads, None, sps, None, None, None)
    if not env_only:
        memories = [settings["policy.memory"]] if "policy.memory" in settings else MEMORIES
        for memory in memories:
            _say(f"{name}: training, memory {memory}")
            flags = {**WORKLOAD, **settings, "policy.memory": memory}
            config = replace(load_settings(env, [], flags), parameters=parameters)
            yield _train(config, library, seconds or SECONDS["train"])


def _train(config: Config, library: EnvLibrary, seconds: float) -> Figure:
    yardstick = importlib.import_module("pufftui.trainer.training.benchmark")
    with tempfile.TemporaryDirectory(prefix="pufftui-bench-") as runs:
        os.environ["PUFFTUI_RUNS"] = runs
        folder = RunFolder.create("", library.descriptor.name)
        runner = Runner(config, folder, library)
        runner.start()
        try:
            first = _wait(runner, min(WARM_UP, seconds))
            shares: list[Mapping[str, float]] = []
            last = _wait(runner, seconds, shares)
            weights = runner.weights
        finally:
            runner.send(Stop())
            runner.join()
            folder.release()
    if weights is None or last.step <= first.step:
        raise PuffError("Training was too slow to be measured.", "Give it longer: --seconds 120.")
    sps = (last.step - first.step) / (last.seconds - first.seconds)
    peak = yardstick.matmul_rate(config)
    looks_up = is_looked_up(library.descriptor, config.policy.convolution)
    flops = yardstick.step_flops(
        weights, config.train.replay_ratio, looks_up=looks_up and last.device == "cpu"
    )
    return Figure(
        kind="train",
        env=library.descriptor.name,
        memory=config.policy.memory,
        hidden=config.policy.hidden,
        device=last.device,
        threads=config.vec.threads or available_cores(),
        replay_ratio=config.train.replay_ratio,
        sps=sps,
        time={part: sum(s.get(part, 0.0) for s in shares) / len(shares) for part in TIME_PARTS},
        matmul_gflops=peak / 1e9,
        matmul_share=sps * flops / peak,
    )


def _wait(
    runner: Runner, seconds: float, shares: list[Mapping[str, float]] | None = None
) -> Snapshot:
    """The first snapshot that lies `seconds` of training later; keeps the time shares passed."""
    start: Snapshot | None = None
    seen: Snapshot | None = None
    while True:
        ended = runner.join(0.02)
        latest = runner.latest
        if ended:
            raise PuffError(latest.failure or "Training ended early.", latest.failure_hint)
        # Only the first snapshot of an epoch has the time at which its steps were done.
        same = seen is not None and latest.epoch == seen.epoch
        if same or latest.phase is not Phase.RUNNING or latest.step == 0:
            continue
        seen = latest
        if start is None:
            start = latest
        if shares is not None:
            shares.append(latest.time_shares)
        if latest.step > start.step and latest.seconds - start.seconds >= seconds:
            return latest


def _say(text: str) -> None:
    print(f"measuring {text} ...", file=sys.stderr, flush=True)


def _headline() -> str:
    names = ("kind", "env", "memory", "device", "threads", "steps/s", "time", "matmul")
    return _columns(*names)


def _row(measured: Figure) -> str:
    shares = measured.time or {}
    parts = " ".join(f"{part} {share * 100:.0f}%" for part, share in shares.items())
    matmul = ""
    if measured.matmul_gflops is not None and measured.matmul_share is not None:
        matmul = f"{measured.matmul_share:.0%} of {measured.matmul_gflops:.0f} GFLOP/s"
    memory = measured.memory or ""
    return _columns(
        measured.kind,
        measured.env,
        memory + (f" {measured.hidden}" if measured.hidden else ""),
        measured.device,
        str(measured.threads),
        figure(measured.sps),
        parts,
        matmul,
    )


def _columns(*cells: str) -> str:
    widths = (5, 12, 11, 6, 7, 8, 46, 0)
    aligned = [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
    return "  ".join(aligned).rstrip()
