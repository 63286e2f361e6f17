"""The strict friend of those who write environments: plays one, and says what is wrong with it.

The playing is done in other processes by check.c (see probe.py); findings.py judges what
it saw.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pufftui.envs.catalogue import EnvFolder, env_names
from pufftui.envs.checking.findings import (
    Facts,
    Finding,
    action_findings,
    declared_findings,
    draw_findings,
    notes,
    play_findings,
    state_findings,
)
from pufftui.envs.checking.probe import ENDS_WITH_VEC, LAST_RESORT, Probe, cut
from pufftui.envs.compile import LANGUAGE, CompileError, compile_c, compile_env
from pufftui.envs.descriptor import Descriptor
from pufftui.envs.errors import PuffError, nearest
from pufftui.envs.library import load_library

STEPS = 1_000_000
PATIENCE = 5
"""Seconds that one call of an environment may take."""
LONGEST_PLAY = 60.0
"""Seconds of random play, of the processor; a slow environment makes fewer steps."""
LONGEST_PART = 20.0
"""Seconds of each other part."""
SLOW = 10
"""So many times slower than all bundled ones is worth a word."""

ACCEPTED = {
    "reward_small_ok": "reward_small",
    "reward_clamped_ok": "reward_clamped",
    "action_unused_ok": "action_unused",
    "constant_ok": "constant",
    "never_ends_ok": "never_ends",
}
"""What the table [check] may accept, with a reason."""

FATAL = {"compile", "declared", "crash", "endless"}

Say = Callable[[str], None]


@dataclass(slots=True)
class Report:
    """All that was found; `steps` agent steps were played, under `sanitizers` or without."""

    env: str
    path: Path
    steps: int = 0
    sanitizers: bool = True
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def playable(self) -> bool:
        """Whether nothing was found with which it could not even be loaded and stepped."""
        return not {finding.id for finding in self.findings} & FATAL

    @property
    def wrong(self) -> list[Finding]:
        """The findings that were not accepted."""
        return [finding for finding in self.findings if not finding.accepted]


def check_env(
    folder: EnvFolder, *, steps: int = STEPS, patience: int = PATIENCE, say: Say = lambda _: None
) -> Report:
    """Checks an environment; `say` is told what is being done.

    Raises `PuffError` only if nothing can be checked, for want of a compiler.
    """
    report = Report(folder.name, folder.path)
    table, training = _settings(folder, report)
    say("compiling")
    try:
        warnings = compile_c(folder.source, [*LANGUAGE, "-fsyntax-only"]).stderr.decode()
        library_file = compile_env(folder.source)
    except CompileError as error:
        report.findings.append(
            Finding("compile", f"{folder.source.name} does not compile.", "", error.said)
        )
        return report
    if warnings:
        text = "The compiler warns."
        report.findings.append(Finding("warnings", text, "Fix what it names.", cut(warnings)))
    with tempfile.TemporaryDirectory(prefix="pufftui-check-") as place:
        probe = Probe(folder, Path(place), patience)
        probe.findings, probe.notes = report.findings, report.notes
        if probe.build() and probe.run("describe"):
            report.sanitizers = probe.sanitizers
            descriptor = _descriptor(folder, library_file, report)
            if descriptor is not None:
                _play(probe, report, descriptor, steps, training, say)
        if probe.own_tests.exists():
            say(f"running {probe.own_tests.name}")
            probe.run_tests()
    accepted = {ACCEPTED[name]: reason for name, reason in table.items()}
    report.findings = [
        replace(finding, accepted=accepted.get(finding.id, "")) for finding in report.findings
    ]
    return report


def measure_speed(folder: EnvFolder, seconds: float = 0.2) -> dict[str, float]:
    """Nanoseconds of an agent step on one thread, of this environment and the bundled ones.

    Empty if the environment does not live through it.
    """
    code = (
        "import json, sys\n"
        "from pufftui.envs.benchmark import measure\n"
        "from pufftui.envs.catalogue import load_env\n"
        "for name in sys.argv[2:]:\n"
        "    speed = measure(load_env(name, named_here=True), 1, float(sys.argv[1]))\n"
        "    sys.stdout.write(json.dumps([speed.env, speed.ns_per_step]) + '\\n')\n"
    )
    names = [folder.id, *(name for name in env_names() if name != folder.id)]
    command = [sys.executable, "-c", code, str(seconds), *names]
    try:
        result = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=LAST_RESORT
        )
    except subprocess.SubprocessError:
        return {}
    return dict(json.loads(line) for line in result.stdout.splitlines())


def speed_notes(name: str, speed: dict[str, float]) -> list[str]:
    """What to say of the speed: never that something is wrong, for the machine may be busy."""
    others = {env: ns for env, ns in speed.items() if env != name}
    if name not in speed or not others:
        return []
    slowest = max(others, key=others.__getitem__)
    times = speed[name] / others[slowest]
    if times < SLOW:
        return []
    text = (
        f"A step takes {times:.0f} times as long as one of {slowest}, the slowest bundled one. "
        "Work out in `init` what never changes, or do less in `step`."
    )
    return [text]


def _play(
    probe: Probe, report: Report, descriptor: Descriptor, steps: int, training: Training, say: Say
) -> None:
    facts = Facts()
    report.findings += declared_findings(descriptor)
    say(f"playing {steps:,} random steps")
    facts.read(probe.run("play", str(steps), str(LONGEST_PLAY)))
    report.findings += play_findings(
        facts, descriptor, training.reward_scale, normalised=training.normalised
    )
    say("comparing actions")
    facts.read(probe.run("actions", str(steps // 4), str(LONGEST_PART)))
    report.findings += action_findings(facts, descriptor)
    say("copying states, trying threads")
    facts.read(probe.run("threads", str(LONGEST_PART)))
    places = [probe.place / "first", probe.place / "second"]
    for number, path in enumerate(places):
        said = probe.run("state", str(path))
        if number == 0:
            facts.read(said)
    saved = [path.read_bytes() for path in places if path.exists()]
    found = list(state_findings(facts, saved))
    report.findings += found
    if not found:
        probe.run_races()
    say("drawing")
    facts.read(probe.run("draw"))
    report.findings += draw_findings(facts)
    report.notes += notes(facts, descriptor)
    played, was_cut = facts.one("steps") or (0, 0)
    report.steps = int(played)
    if was_cut:
        report.notes.append(
            f"It is slow: {LONGEST_PLAY:.0f} seconds were enough for only {report.steps:,} steps."
        )


@dataclass(frozen=True, slots=True)
class Training:
    """What training makes of rewards and observations, by the settings of the TOML."""

    reward_scale: float = 1.0
    normalised: bool = False


def _settings(folder: EnvFolder, report: Report) -> tuple[dict[str, str], Training]:
    """The reasons in the table [check], and what training does."""
    if not folder.defaults.exists():
        return {}, Training()
    try:
        settings = tomllib.loads(folder.defaults.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        text = f"{folder.defaults.name} cannot be read: {error}."
        report.findings.append(Finding("settings", text, "Write it as TOML."))
        return {}, Training()
    table = settings.get("check", {})
    reasons: dict[str, str] = {}
    for name, reason in table.items() if isinstance(table, dict) else [("check", table)]:
        if name not in ACCEPTED:
            text = f"[check] in {folder.defaults.name} cannot hold {name}."
            report.findings.append(Finding("settings", text, nearest(name, ACCEPTED)))
        elif not isinstance(reason, str) or not reason.strip():
            text = f"{name} in {folder.defaults.name} gives no reason."
            report.findings.append(Finding("settings", text, f'Write {name} = "why".'))
        else:
            reasons[name] = reason
    return reasons, _training(settings)


def _training(settings: dict[str, Any]) -> Training:
    train, policy = settings.get("train", {}), settings.get("policy", {})
    scale = train.get("reward_scale", 1.0) if isinstance(train, dict) else 1.0
    normalised = isinstance(policy, dict) and policy.get("normalise") == "on"
    sound = isinstance(scale, (int, float)) and scale > 0
    return Training(float(scale) if sound else 1.0, normalised)


def _descriptor(folder: EnvFolder, library: Path, report: Report) -> Descriptor | None:
    """What the environment declares, or None and a finding if that makes no sense."""
    try:
        descriptor = load_library(library, label=folder.source.name, fix=ENDS_WITH_VEC).descriptor
    except PuffError as error:
        report.findings.append(Finding("declared", error.message, error.hint))
        return None
    if descriptor.name != folder.name:
        text = f"It calls itself {descriptor.name!r}, but its folder is called {folder.name}."
        report.findings.append(Finding("declared", text, f'Write .name = "{folder.name}".'))
    return descriptor
