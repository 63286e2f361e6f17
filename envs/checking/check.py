"""The strict friend of those who write environments: plays one, and says what is wrong with it.

The playing is done in other processes by check.c (see probe.py); findings.py judges what
it saw.
"""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pufftui.envs.catalogue import EnvFolder
from pufftui.envs.checking.beginnings import beginning_findings
from pufftui.envs.checking.bounds import bound_findings, bound_notes
from pufftui.envs.checking.declared import declared_findings, state_size_findings
from pufftui.envs.checking.findings import (
    Facts,
    Finding,
    action_findings,
    draw_findings,
    named_sharing,
    notes,
    play_findings,
    size_notes,
    state_findings,
)
from pufftui.envs.checking.probe import Probe, cut
from pufftui.envs.compile import LANGUAGE, CompileError, compile_c, compile_env
from pufftui.envs.descriptor import Descriptor
from pufftui.envs.errors import PuffError, nearest
from pufftui.envs.library import load_library

STEPS = 1_000_000
PATIENCE = 5
"""Seconds that one call of an environment may take."""
LONGEST_PLAY = 20.0
"""Seconds of random play; a slow environment makes fewer steps."""
LONGEST_PART = 2.0
"""Seconds of each other part, some of which take it several times."""
SLOW = 10
"""So many times slower than all bundled ones is worth a word."""
SLOWEST = 0.01
"""Seconds of an agent's step, under the sanitizers, with which nobody would train."""

ACCEPTED = {
    "reward_small_ok": "reward_small",
    "reward_clamped_ok": "reward_clamped",
    "action_unused_ok": "action_unused",
    "constant_ok": "constant",
    "never_ends_ok": "never_ends",
    "no_reset_ok": "no_reset",
    "slow_ok": "slow",
}
"""What the table [check] may accept, with a reason."""

FATAL = {"compile", "declared", "crash", "endless", "slow", "state_size"}

STOPS = {"endless", "slow"}
"""With these whatever else is tried would only take long."""

Say = Callable[[str], None]


@dataclass(slots=True)
class Report:
    """All that was found; `steps` agent steps were played, under `sanitizers` or without.

    Each took `pace` seconds, with what was looked at.
    """

    env: str
    path: Path
    steps: int = 0
    pace: float = 0.0
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
        described = probe.run("describe") if probe.build() else ""
        if described:
            report.sanitizers = probe.sanitizers
            report.findings += state_size_findings(Facts.of(described))
            descriptor = _descriptor(folder, library_file, report)
            if descriptor is not None and report.playable:
                _play(probe, report, descriptor, steps, training, say)
        if probe.own_tests.exists() and not {finding.id for finding in report.findings} & STOPS:
            say(f"running {probe.own_tests.name}")
            probe.run_tests()
    accepted = {ACCEPTED[name]: reason for name, reason in table.items()}
    report.findings = [
        replace(finding, accepted=accepted.get(finding.id, "")) for finding in report.findings
    ]
    return report


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
    report.findings += bound_findings(facts, descriptor)
    report.findings += beginning_findings(facts, descriptor)
    played, was_cut = facts.one("steps") or (0, 0)
    report.steps = int(played)
    pace = (facts.one("pace") or [0.0])[0]
    if was_cut:
        seconds = LONGEST_PLAY / 4 if pace > SLOWEST else LONGEST_PLAY
        report.notes.append(
            f"It is slow: {seconds:.0f} seconds were enough for only {report.steps:,} steps."
        )
    report.pace = pace
    if pace > SLOWEST:
        report.findings.append(_slow(pace))
        return
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
    shared = probe.shared_memory() if {each.id for each in found} <= {"shared", "threads"} else ""
    report.findings += named_sharing(found, shared)
    say("drawing")
    facts.read(probe.run("draw"))
    report.findings += draw_findings(facts)
    report.notes += notes(facts, descriptor)
    report.notes += bound_notes(facts, descriptor)
    if training.reward_scale is None:
        report.notes += size_notes(facts)


def _slow(pace: float) -> Finding:
    return Finding(
        "slow",
        f"A step takes {1e3 * pace:,.0f} ms, so that a million of them would take {1e6 * pace / 3600:,.0f} "
        "hours; nothing else was tried.",
        "Wait for nothing in `step`, and work out in `init` what never changes. Accept it with "
        'slow_ok = "why" in [check] of the TOML.',
    )


@dataclass(frozen=True, slots=True)
class Training:
    """What training makes of rewards and observations, by the settings of the TOML."""

    reward_scale: float | None = None
    """None is found while training."""
    normalised: bool = True


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
    scale = train.get("reward_scale") if isinstance(train, dict) else None
    normalised = not isinstance(policy, dict) or policy.get("normalise") != "off"
    known = float(scale) if isinstance(scale, (int, float)) and scale > 0 else None
    return Training(known, normalised)


def _descriptor(folder: EnvFolder, library: Path, report: Report) -> Descriptor | None:
    """What the environment declares, or None and a finding if that makes no sense."""
    try:
        descriptor = load_library(library, source=folder.source.name).descriptor
    except PuffError as error:
        report.findings.append(Finding("declared", error.message, error.hint))
        return None
    if descriptor.name != folder.name:
        text = f"It calls itself {descriptor.name!r}, but its folder is called {folder.name}."
        report.findings.append(Finding("declared", text, f'Write .name = "{folder.name}".'))
    return descriptor
