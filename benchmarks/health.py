"""How well the health checks tell troubled runs from healthy ones.

First makes real short trainings (about two hours on two cores), then judges them, together with
made-up healthy streams of many hours. Detectors are tuned on one half of the seeds; the table that
counts comes from the other.

    python benchmarks/health.py train build/health
    python benchmarks/health.py judge build/health --half test
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tomllib
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from healthy_streams import make_hours, measured_noise
from troubled_runs import STEPS, TROUBLES, Case, healthy, troubled

from pufftui.trainer.health import (
    Facts,
    HealthSuite,
    Level,
    Moment,
    Told,
    check_run,
    moments,
    stored_facts,
)
from pufftui.trainer.store import StoreReader

HALVES = {"tune": (range(1, 6), range(1, 7)), "test": (range(11, 16), range(11, 17))}
"""Seeds of the healthy and of the troubled runs."""

COUNTED = 5
"""Runs of each kind that count; the sixth stands in where the outcome was not bad."""

HALF_OF_CONTROL = 0.5
LOST = 1 / 3
TAKEN = 0.75
"""Share of the processor time that a run once had, below which another program has taken the rest."""

HELD = 12
"""Rows for which a score must be held to count as a level."""


def cases(half: str) -> list[Case]:
    """All runs of a half."""
    well, ill = HALVES[half]
    return healthy(well) + troubled(ill)


def train_all(place: Path, jobs: int) -> None:
    """Makes every run that is not there yet."""
    wanted = [c for half in HALVES for c in cases(half) if not run_folder(place, c).exists()]
    program = Path(__file__).with_name("troubled_runs.py")

    def one(case: Case) -> None:
        subprocess.run(
            [sys.executable, program, case.name, place],
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            check=False,
        )
        print(case.name, flush=True)

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(one, wanted))


def run_folder(place: Path, case: Case) -> Path:
    """Where a case's run lies."""
    return place / case.name.replace(" ", "_").replace(",", "")


def level(scores: list[float]) -> float:
    """The best that was held for a while."""
    if len(scores) < HELD:
        return np.nan
    windows = np.lib.stride_tricks.sliding_window_view(np.array(scores), HELD)
    return float(np.median(windows, axis=1).max())


@dataclass(frozen=True)
class Judged:
    """A run and what the checks say of it. `start`, `best` and `final` are levels of its score."""

    case: Case
    told: list[Told]
    start: float
    best: float
    final: float
    steps: int
    seconds: float
    processor: list[tuple[float, float]]

    @property
    def warnings(self) -> list[Told]:
        """What would have called somebody."""
        return [t for t in self.told if t.finding.level >= Level.WARNING]

    def is_true_all_the_same(self, told: Told) -> bool:
        """Whether training was slow because another program took the processor."""
        before = [(at, cores) for at, cores in self.processor if at <= told.seconds]
        most = max((cores for _, cores in self.processor), default=0.0)
        slow = any(cores < TAKEN * most for _, cores in before[-2:])
        return told.finding.rule.id == "speed.drop" and slow

    @property
    def began(self) -> float:
        """The step from which on the trouble was there."""
        return self.case.at * (self.case.steps or self.steps)


def judge(place: Path, case: Case) -> Judged:
    """Runs the checks over a stored run."""
    reader = StoreReader(run_folder(place, case) / "run.db")
    rows = list(moments(reader))
    scores = [m.values["score"] for m in rows if "score" in m.values]
    told = check_run(reader, facts_of(place, case, reader))
    # The first reading is of a moment, the others of the time since the one before.
    processor = [(row.seconds, row.process_cores) for row in reader.system_after(0)[1:]]
    reader.close()
    return Judged(
        case,
        told,
        float(np.mean(scores[:3])) if scores else np.nan,
        level(scores),
        float(np.mean(scores[-8:])) if scores else np.nan,
        rows[-1].step if rows else 0,
        rows[-1].seconds if rows else 0.0,
        processor,
    )


def facts_of(place: Path, case: Case, reader: StoreReader) -> Facts:
    """What was stored, and settings that the checks did not ask for when the run was made."""
    train = tomllib.loads((run_folder(place, case) / "config.toml").read_text())["train"]
    return replace(
        stored_facts(reader) or Facts(),
        gamma=train["gamma"],
        max_gradient_norm=train["max_gradient_norm"],
    )


def is_bad(run: Judged, controls: dict[str, tuple[float, float]]) -> bool:
    """Whether a troubled run's score ended below half of what healthy ones gain."""
    if not TROUBLES[run.case.kind].outcome:
        return True
    return not reaches_half(run, controls)


def reaches_half(run: Judged, controls: dict[str, tuple[float, float]]) -> bool:
    """Whether a run gains half of what is usual in its environment."""
    start, final = controls[run.case.env]
    return run.final >= start + HALF_OF_CONTROL * (final - start)


def is_healthy(run: Judged, controls: dict[str, tuple[float, float]]) -> bool:
    """Whether a run without a known trouble went well: it reaches half, and loses less than a third."""
    start, _ = controls[run.case.env]
    return reaches_half(run, controls) and run.best - run.final <= LOST * (run.best - start)


def report(place: Path, half: str, hours: float) -> dict[str, object]:
    """The table, with what was missed and what was told wrongly."""
    judged = [judge(place, case) for case in cases(half)]
    controlled = [run for run in judged if run.case.kind == "healthy"]
    controls = {
        env: (
            statistics.median(r.start for r in controlled if r.case.env == env),
            statistics.median(r.final for r in controlled if r.case.env == env),
        )
        for env in STEPS
    }
    # A run without a known trouble may fail all the same, by its size or by chance.
    well = [run for run in controlled if is_healthy(run, controls)]
    kinds: dict[str, list[Judged]] = defaultdict(list)
    harmless: dict[str, int] = defaultdict(int)
    for run in judged:
        if run.case.kind == "healthy":
            continue
        if is_bad(run, controls) and len(kinds[run.case.kind]) < COUNTED:
            kinds[run.case.kind].append(run)
        elif not is_bad(run, controls):
            harmless[run.case.kind] += 1
    table = {kind: row(runs) | {"harmless": harmless[kind]} for kind, runs in kinds.items()}
    unplanned = [(run, t) for run in well for t in run.warnings]
    for runs in kinds.values():
        unplanned += [(run, t) for run in runs for t in run.warnings if t.step < run.began]
    false = [
        (run.case.name, t.finding.rule.id, round(t.seconds))
        for run, t in unplanned
        if not run.is_true_all_the_same(t)
    ]
    critical = [r.case.name for r in well for t in r.told if t.finding.level is Level.CRITICAL]
    made = made_up(place, well, hours)
    return {
        "half": half,
        "kinds": table,
        "found": sum(int(str(line["found"])) for line in table.values()),
        "of": sum(int(str(line["of"])) for line in table.values()),
        "healthy_runs": len(well),
        "not_healthy_after_all": [r.case.name for r in controlled if r not in well],
        "healthy_hours": round(sum(r.seconds for r in well) / 3600, 2),
        "false_warnings": false,
        "true_by_another_program": len(unplanned) - len(false),
        "false_critical": critical,
        "infos_on_healthy": infos(well),
        "made_up": made,
    }


def row(runs: list[Judged]) -> dict[str, object]:
    """One line of the table."""
    found, delays, rules, missed = 0, [], defaultdict(int), []
    for run in runs:
        after = [t for t in run.warnings if t.step >= run.began]
        for rule in {t.finding.rule.id for t in after}:
            rules[rule] += 1
        if after:
            found += 1
            first = min(after, key=lambda t: t.step)
            rate = run.seconds / max(run.steps, 1)
            delays.append((first.step - run.began) * rate)
        else:
            missed.append(run.case.name)
    return {
        "of": len(runs),
        "found": found,
        "median_delay_seconds": round(statistics.median(delays), 1) if delays else None,
        "rules": dict(sorted(rules.items(), key=lambda item: -item[1])),
        "missed": missed,
    }


def infos(well: list[Judged]) -> dict[str, int]:
    """What was worth knowing about healthy runs, by rule."""
    counts: dict[str, int] = defaultdict(int)
    for run in well:
        for told in run.told:
            if told.finding.level is Level.INFO:
                counts[told.finding.rule.id] += 1
    return dict(counts)


def made_up(place: Path, well: list[Judged], hours: float) -> dict[str, object]:
    """The checks on streams like the healthy runs', but many hours long."""
    sources = [run_folder(place, run.case) / "run.db" for run in well]
    noise = measured_noise(sources)
    warnings, ends, critical, total = [], [], 0, 0.0
    for name, facts, stream in make_hours(noise, hours):
        suite = HealthSuite(facts)
        last = 0.0
        for at in stream:
            last = at.seconds
            see = suite.see if isinstance(at, Moment) else suite.see_machine
            for change in see(at):  # type: ignore[arg-type]
                if change.over or change.finding.level < Level.WARNING:
                    continue
                warnings.append((name, change.finding.rule.id, round(change.seconds)))
                critical += change.finding.level is Level.CRITICAL
        ends += [(name, change.finding.rule.id) for change in suite.end()]
        total += last
    return {
        "hours": round(total / 3600, 1),
        "warnings": warnings,
        "critical": critical,
        "infos_at_the_end": ends,
    }


def main() -> None:
    """Trains or judges."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=("train", "judge"))
    parser.add_argument("place", type=Path)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--half", choices=tuple(HALVES), default="test")
    parser.add_argument("--hours", type=float, default=40.0)
    options = parser.parse_args()
    if options.what == "train":
        options.place.mkdir(parents=True, exist_ok=True)
        train_all(options.place, options.jobs)
    else:
        print(json.dumps(report(options.place, options.half, options.hours), indent=2))


if __name__ == "__main__":
    main()
