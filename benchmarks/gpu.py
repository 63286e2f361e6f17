"""What training does on an NVIDIA GPU, measured on a machine that has one; its parts come in the order of their worth.

Each figure is printed as a JSON line and written to a file as soon as it is there, so that nothing is lost when
the time is up; parts that no longer fit are named. Needs no network.

    python benchmarks/gpu.py --minutes 4
    python benchmarks/gpu.py --parts speed profile --file today.json
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
Line = dict[str, Any]

NETS: dict[str, list[tuple[str, dict[str, str]]]] = {
    "breakout": [
        ("none", {"policy.memory": "none"}),
        ("none, 16384 agents", {"policy.memory": "none", "vec.agents": "16384", "train.minibatch_size": "131072"}),
        ("mingru 1 x 128", {"policy.memory": "mingru"}),
        ("mingru 1 x 128, 16384 agents", {"policy.memory": "mingru", "vec.agents": "16384", "train.minibatch_size": "131072"}),
        ("mingru 2 x 64, as PufferLib 4.0", {"policy.memory": "mingru", "policy.layers": "2", "policy.hidden": "64", "vec.agents": "4096", "train.minibatch_size": "65536", "train.replay_ratio": "1.25"}),
        ("mingru 4 x 128", {"policy.memory": "mingru", "policy.layers": "4"}),
        ("lstm 128", {"policy.memory": "lstm"}),
    ],
    "pong": [("none", {"policy.memory": "none"})],
    "snake": [("none", {"policy.memory": "none"})],
    "school": [("mingru 1 x 128", {"policy.memory": "mingru"})],
    "nmmo": [
        ("mingru 1 x 128, cells embedded", {"env.preset": "1"}),
        ("mingru 1 x 128, cells by convolution", {"env.preset": "1", "policy.embedding": "0", "policy.convolution": "16"}),
    ],
}  # fmt: skip
"""What the table has of each game; 8192 agents and minibatches of 32768 unless it says otherwise."""

FLAGS = {"vec.agents": "8192", "train.minibatch_size": "32768", "train.total_steps": "1T"}

WARM_UP = 4
"""Epochs before a measurement; the first ones record graphs."""


def session_of(env: str, flags: dict[str, str]) -> Any:
    """A training session on the GPU, without an application or a folder."""
    from pufftui.envs.catalogue import load_env
    from pufftui.trainer.settings.sources import load_config
    from pufftui.trainer.training.session import TrainingSession

    config = load_config(env, device="cuda", files=[], flags=FLAGS | flags)
    return TrainingSession(config, load_env(env))


def run_epochs(session: Any, *, count: int = 0, seconds: float = 0.0) -> tuple[int, float]:
    """So many epochs, or as many as take so many seconds: how many they were, and how long they took."""
    from pufftui.trainer.training.epoch import run_epoch

    began = time.perf_counter()
    epochs = 0
    while epochs < count or time.perf_counter() - began < seconds:
        run_epoch(session, lambda: False)
        epochs += 1
    return epochs, time.perf_counter() - began


def speeds(envs: list[str], seconds: float, **more: str) -> Iterator[Line]:
    """Agent steps a second of each net, and where the host's time goes; `more` are settings for all."""
    for env in envs:
        for net, flags in NETS[env]:
            session = session_of(
                env, flags | {f"train.{name}": value for name, value in more.items()}
            )
            run_epochs(session, count=WARM_UP)
            session.clock.lap()
            before = session.step
            epochs, took = run_epochs(session, seconds=seconds)
            _, shares = session.clock.lap()
            yield {
                "env": env,
                "net": net,
                **more,
                "weights": session.parameters,
                "sps": round((session.step - before) / took),
                "epoch_ms": round(1000 * took / epochs, 2),
                "shares": {part: round(share, 3) for part, share in shares.items()},
                "shortfalls": session.shortfalls,
            }
            session.close()


def profiles(nets: list[int], epochs: int = 2) -> Iterator[Line]:
    """What the card does in some epochs of breakout: busy share, launches, bytes copied, longest kernels."""
    from torch.profiler import ProfilerActivity, profile

    for number in nets:
        net, flags = NETS["breakout"][number]
        session = session_of("breakout", flags)
        run_epochs(session, count=WARM_UP + 1)  # The first one of all is a probe.
        with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as kept:
            _, took = run_epochs(session, count=epochs)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "trace.json"
            kept.export_chrome_trace(str(path))
            events = json.loads(path.read_text(encoding="utf-8"))["traceEvents"]
        steps = epochs * session.vector.agents * session.config.train.horizon
        yield {
            "env": "breakout",
            "net": net,
            "epochs": epochs,
            "wall_ms": round(1000 * took, 2),
        } | summary(events, 1e6 * took, steps)
        session.close()


def summary(events: list[Line], microseconds: float, steps: int) -> Line:
    """A trace in figures; `steps` agent steps took so many microseconds."""
    spans: list[tuple[float, float]] = []
    kernels: dict[str, list[float]] = {}
    copied: dict[str, int] = {}
    host: dict[str, list[float]] = {}
    for event in events:
        kind, duration = event.get("cat"), float(event.get("dur", 0))
        if kind in ("kernel", "gpu_memcpy", "gpu_memset"):
            spans.append((float(event["ts"]), float(event["ts"]) + duration))
            kernels.setdefault(str(event["name"])[:60], []).append(duration)
        if kind == "gpu_memcpy":
            direction = str(event["name"])
            copied[direction] = copied.get(direction, 0) + int(event["args"].get("bytes", 0))
        if kind in {"cuda_runtime", "cuda_driver"}:
            host.setdefault(str(event["name"]), []).append(duration)
    busy, end = 0.0, 0.0
    for first, last in sorted(spans):
        busy += max(0.0, last - max(first, end))
        end = max(end, last)
    longest = sorted(kernels.items(), key=lambda item: -sum(item[1]))[:30]
    return {
        "busy_share": round(busy / microseconds, 3),
        "busy_ms": round(busy / 1000, 2),
        "bytes_per_step": {name: round(count / steps, 1) for name, count in copied.items()},
        "host_calls": {
            name: [len(times), round(sum(times) / 1000, 2)] for name, times in host.items()
        },
        "kernels_ms": {name: [len(times), round(sum(times) / 1000, 3)] for name, times in longest},
    }


START = """
import time, json
phases, last = {}, time.perf_counter()
def phase(name):
    global last
    now = time.perf_counter(); phases[name] = round(now - last, 3); last = now
import torch; phase("import torch")
torch.zeros(1, device="cuda"); torch.cuda.synchronize(); phase("CUDA context")
from pufftui.trainer.training.epoch import run_epoch
from pufftui.trainer.training.session import TrainingSession
from pufftui.trainer import kernels
from pufftui.trainer.settings.sources import load_config
from pufftui.envs.catalogue import load_env
config = load_config("breakout", device="cuda", files=[], flags={}); library = load_env("breakout"); phase("imports")
assert not kernels.missing(torch.device("cuda:0")), kernels.missing(torch.device("cuda:0")); phase("kernels")
session = TrainingSession(config, library); torch.cuda.synchronize(); phase("session")
run_epoch(session, lambda: False); phase("first epoch")
run_epoch(session, lambda: False); phase("second epoch")
print(json.dumps(phases))
"""


def starts(times: int = 2) -> Iterator[Line]:
    """Seconds from a process's start to its first steps, by phase; the first may compile kernels."""
    for number in range(times):
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", START], capture_output=True, text=True, check=False
        )
        took = round(time.perf_counter() - began, 2)
        line = json.loads(done.stdout) if done.returncode == 0 else {"error": done.stderr[-800:]}
        yield {"start": number + 1, "seconds": took, "phases": line}


def scores(seeds: int, limit: float, flags: list[str]) -> Iterator[Line]:
    """Seconds from a process's start to scores of breakout."""
    limits = ["--seeds", str(seeds), "--limit", str(limit)]
    return reported("score.py", "breakout", "400", "800", "850", *limits, *flags)


def overheads(pairs: int, seconds: float) -> Iterator[Line]:
    """The speed with the dashboard over the speed without; then with a core left to the screen."""
    flags = ["--pairs", str(pairs), "--seconds", str(seconds)]
    for spare in (0, 1):
        yield from reported("overhead.py", *flags, "--spare", str(spare))


def reported(program: str, *flags: str) -> Iterator[Line]:
    """The lines that another program of this folder prints, as they come."""
    command = [sys.executable, str(HERE / program), *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for text in process.stdout or ():
            yield json.loads(text)


def tests() -> Iterator[Line]:
    """What pytest says of the tests for a GPU."""
    folder = HERE.parent / "tests" / "trainer"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-m",
        "gpu",
        str(folder),
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=HERE.parent)
    yield {"status": done.returncode, "end": done.stdout[-3000:].splitlines()[-25:]}


PARTS: dict[str, tuple[float, Any]] = {
    "speed": (12, lambda o: speeds(["breakout"], o.seconds)),
    "profile": (10, lambda _: profiles([0, 2])),
    "start": (10, lambda _: starts()),
    "score": (30, lambda o: scores(5, 30, o.flags)),
    "dashboard": (40, lambda _: overheads(2, 4)),
    "overlap": (20, lambda o: speeds(["breakout"], o.seconds, overlap="on")),
    "tests": (40, lambda _: tests()),
    "games": (20, lambda o: speeds(["pong", "snake", "school", "nmmo"], o.seconds)),
}
"""Each part with the seconds that it needs at least, and how it is measured."""


def main() -> None:
    """Measures the parts in their order."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument(
        "--seconds", type=float, default=2.0, help="length of one measurement of speed"
    )
    parser.add_argument("--file", type=Path, default=Path("gpu.json"))
    options, options.flags = parser.parse_known_args()
    import torch

    if not torch.cuda.is_available():
        parser.exit(2, "This needs an NVIDIA GPU; torch finds none.\n")
    until = time.monotonic() + 60 * options.minutes
    kept: dict[str, list[Line]] = {"machine": [machine()]}
    left_out: list[str] = []

    def keep(part: str, line: Line) -> None:
        kept.setdefault(part, []).append(line)
        print(json.dumps({"part": part} | line), flush=True)
        options.file.write_text(json.dumps(kept, indent=1), encoding="utf-8")

    for part in options.parts:
        least, measure = PARTS[part]
        if until - time.monotonic() < least:
            left_out.append(part)
            continue
        began = time.monotonic()
        try:
            for line in measure(options):
                keep(part, line)
                if time.monotonic() > until:
                    left_out.append(f"the rest of {part}")
                    break
        except Exception as error:  # noqa: BLE001 - the other parts are still worth having
            keep(part, {"error": f"{type(error).__name__}: {error}"[:800]})
        keep("took", {part: round(time.monotonic() - began, 1)})
    if left_out:
        keep("left_out", {"parts": left_out})


def machine() -> Line:
    """Which card, which torch, how many cores."""
    import torch

    return {
        "card": torch.cuda.get_device_name(),
        "torch": torch.__version__,
        "cores": len(os.sched_getaffinity(0)),
    }


if __name__ == "__main__":
    main()
