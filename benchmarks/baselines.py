"""Makes the policies that come with the games, from nothing: `pufftui train GAME` and no other setting, three seeds.

All three are evaluated, and the median of them is shipped in envs/GAME/baseline, not the best: so it is what a person
gets who trains once. A training or an evaluation that is done is not done again, so this can be stopped at any time;
another --folder begins from nothing. The seconds in the files are those of this machine: let nothing else run.

    python benchmarks/baselines.py                       # all games
    python benchmarks/baselines.py pong squared
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from pufftui.envs.catalogue import env_names, find_env, load_env
from pufftui.envs.headers import ABI
from pufftui.trainer.run.baseline import (
    CONFIG_FILE,
    CURVE_FILE,
    EVALUATION_FILE,
    GAME,
    INTERFACE,
    MADE_FILE,
    POLICY_FILE,
    game_of,
    read_json,
)
from pufftui.trainer.run.beginning import LEARNED
from pufftui.trainer.run.checkpoint import Saved, newest_checkpoint, write_checkpoint
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.settings.sources import restore_config
from pufftui.trainer.store import StoreReader

SEEDS = (1, 2, 3)
USUAL_EPISODES = 1000
EPISODES = {"enduro": 200, "nmmo": 20_000, "school": 40_000, "squared": 20_000}
"""Of an evaluation, where they are others: enduro's are long, squared's are short and either won or lost, and those of a
world, 512 in school and 128 in nmmo, count as one."""

POINTS = 200
"""Of a curve at most."""

DESCRIBED = ("step", "epoch", "seconds", "config", "score", "reward_scale")
"""What is kept of a checkpoint's description."""

Evaluation = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A training that has ended, and what its evaluation found."""

    seed: int
    run: RunFolder
    saved: Saved
    evaluation: Evaluation

    @property
    def command(self) -> list[str]:
        """What trains it again."""
        return ["pufftui", "train", str(self.evaluation["env"]), "--seed", str(self.seed)]

    @property
    def seconds(self) -> float:
        """What the training took, from the start of the process."""
        return round(float(self.saved.description["seconds"]), 1)


def main() -> None:
    """Makes what is missing, game by game, and ships it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("games", nargs="*", metavar="GAME", help="of the bundled ones; else all")
    parser.add_argument("--folder", type=Path, default=Path("build/baselines"), help="of the runs")
    options = parser.parse_args()
    os.environ["PUFFTUI_RUNS"] = str(options.folder.absolute())
    for game in options.games:
        if game not in env_names():
            parser.error(f"There is no game {game}; there are {', '.join(env_names())}.")
    for game in options.games or env_names():
        candidates = [candidate(game, seed, options.folder) for seed in SEEDS]
        for found in candidates:
            tell(f"{game}, seed {found.seed}", found.evaluation, found.seconds)
        chosen = sorted(candidates, key=lambda found: float(found.evaluation["score"]["mean"]))
        middle = chosen[len(chosen) // 2]
        tell(f"{game}, shipped", ship(game, middle, candidates), middle.seconds)


def tell(what: str, evaluation: Evaluation, seconds: float) -> None:
    """Prints a line."""
    score = evaluation["score"]
    figures = f"{score['mean']:.5g} ({score['low']:.5g} to {score['high']:.5g})"
    print(f"{what}: {figures}, trained in {seconds:.0f} s", flush=True)


def candidate(game: str, seed: int, folder: Path) -> Candidate:
    """A training with a seed and its evaluation, from the folder or made now."""
    run = RunFolder(folder / f"{game}-{seed}")
    kept = folder / f"{game}-{seed}.json"
    saved = finished(run)
    if saved is None:
        kept.unlink(missing_ok=True)
        if run.path.exists():
            pufftui("runs", "rm", run.id, "--yes")
        print(f"{game}, seed {seed}: training", flush=True)
        pufftui("train", game, "--headless", "--seed", str(seed), "--run-name", run.id)
        saved = finished(run)
        assert saved is not None, f"{run.path} did not come to its end"
    if not kept.exists() or read_json(kept)["episodes"] < EPISODES.get(game, USUAL_EPISODES):
        kept.write_text(json.dumps(evaluate(game, run.id)), encoding="utf-8")
    return Candidate(seed, run, saved, read_json(kept))


def finished(run: RunFolder) -> Saved | None:
    """The last checkpoint of a run that was trained to its end; None if it was not."""
    saved, _ = newest_checkpoint(run.checkpoints, LEARNED)
    if saved is None:
        return None
    config = restore_config(saved.description["config"], file=saved.path, flags={})
    return saved if saved.description["step"] >= config.train.total_steps else None


def evaluate(game: str, policy: str, *more: str) -> Evaluation:
    """What `pufftui eval` finds of a policy that draws its actions."""
    episodes = str(EPISODES.get(game, USUAL_EPISODES))
    found: Evaluation = json.loads(pufftui("eval", policy, "--episodes", episodes, "--json", *more))
    return found


def pufftui(*arguments: str) -> str:
    """Runs the program and returns what it printed; what it says on stderr passes through."""
    command = [sys.executable, "-m", "pufftui", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def ship(game: str, chosen: Candidate, candidates: list[Candidate]) -> Evaluation:
    """Writes the folder of a baseline; returns its evaluation.

    In float16, unless that plays worse than the run: the same games tell, world by world.
    """
    folder = find_env(game).baseline
    with made_anew(folder):
        return fill(folder, game, chosen, candidates)


@contextmanager
def made_anew(folder: Path) -> Iterator[None]:
    """The folder is filled within; if that fails, it is what it was.

    If the process is killed, the next call finds what was there before, and keeps it until its own end.
    """
    before = folder.with_name(f"{folder.name}.before")
    if before.exists():  # The last call did not come to its end.
        shutil.rmtree(folder, ignore_errors=True)
    elif folder.exists():
        folder.rename(before)
    try:
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        if before.exists():
            before.rename(folder)
        raise
    shutil.rmtree(before, ignore_errors=True)


def fill(folder: Path, game: str, chosen: Candidate, candidates: list[Candidate]) -> Evaluation:
    """Writes the files of a baseline; returns its evaluation."""
    for numbers in (np.float16, np.float32):
        pack(game, chosen.saved, folder / POLICY_FILE, numbers)
        found = evaluate(game, f"baseline:{game}", "--against", chosen.run.id)
        if found.pop("against")["difference"]["score"]["high"] >= 0:
            break
    config = chosen.run.config_file.read_text(encoding="utf-8")
    (folder / CONFIG_FILE).write_text(config, encoding="utf-8")
    put(folder / CURVE_FILE, curve(chosen.run))
    put(folder / EVALUATION_FILE, shorter(found))
    made = {
        "command": shlex.join(chosen.command),
        "version": version("pufftui"),
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "steps": chosen.saved.description["step"],
        "seconds": chosen.seconds,
        "numbers": np.dtype(numbers).name,
        "seeds": {
            str(each.seed): {"score": shorter(each.evaluation["score"]), "seconds": each.seconds}
            for each in candidates
        },
    }
    put(folder / MADE_FILE, made)
    return found


def pack(game: str, saved: Saved, file: Path, numbers: type[np.floating]) -> None:
    """Writes what a policy has learned as a checkpoint, with what its game observes and does."""
    policy = {
        name: array.astype(numbers) if array.dtype == np.float32 else array
        for name, array in saved.arrays.items()
    }
    if "observed/count" not in policy:  # Then the scale alone is left, and that is in the settings.
        policy = {name: array for name, array in policy.items() if name.startswith("policy/")}
    description = {name: saved.description[name] for name in DESCRIBED}
    told = {GAME: game_of(load_env(game).descriptor), INTERFACE: ABI}
    write_checkpoint(file, policy, description | told)


def curve(run: RunFolder) -> dict[str, list[float]]:
    """The score in training, where it is known, in at most `POINTS` means of neighbours."""
    reader = StoreReader(run.database)
    blocks = reader.metrics_between(points=1_000_000, only=["score"])
    reader.close()
    score = blocks.mean["score"].astype(np.float64)
    known = np.flatnonzero(~np.isnan(score))
    parts = np.array_split(known, min(POINTS, len(known)))
    last = [part[-1] for part in parts]
    return {
        "step": [int(step) for step in blocks.first_steps[last]],
        "seconds": [round(float(second), 1) for second in blocks.seconds[last]],
        "score": [float(f"{score[part].mean():.4g}") for part in parts],
    }


def shorter(table: Mapping[str, Any]) -> dict[str, Any]:
    """The same with six digits, which is more than an interval leaves."""

    def short(value: Any) -> Any:
        if isinstance(value, Mapping):
            return shorter(value)
        return float(f"{value:.6g}") if isinstance(value, float) else value

    return {name: short(value) for name, value in table.items()}


def put(file: Path, table: Mapping[str, Any]) -> None:
    """Writes an object as JSON, a line for each of its members."""
    compact = json.JSONEncoder(separators=(",", ":")).encode
    members = (f"  {compact(name)}: {compact(value)}" for name, value in table.items())
    file.write_text("{\n" + ",\n".join(members) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
