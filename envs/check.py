"""The strict friend of those who write environments: plays one, and says what is wrong with it.

The playing is done by check.c, which is compiled together with the environment, with the compiler's
sanitizers, and runs in processes of its own. Whatever the environment does there, crash, loop or
exit, is a finding here.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pufftui.envs.catalogue import EnvFolder, env_names
from pufftui.envs.check_findings import (
    Facts,
    Finding,
    action_findings,
    declared_findings,
    draw_findings,
    notes,
    play_findings,
    state_findings,
)
from pufftui.envs.compile import HEADERS, LANGUAGE, CompileError, compile_c, compile_env
from pufftui.envs.descriptor import Descriptor
from pufftui.envs.errors import PuffError, nearest
from pufftui.envs.headers import declarations
from pufftui.envs.library import load_library

PROBE = HEADERS / "check.c"
SANITIZERS = ("-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover")
ENDS_WITH_VEC = 'It ends with #include "vec.h"; see puff_env.h for what comes before.'
STEPS = 1_000_000
PATIENCE = 5
"""Seconds that one call of an environment may take."""
LONGEST_PLAY = 60.0
"""Seconds of random play; a slow environment makes fewer steps."""
LONGEST_DETAIL = 30
"""Lines of other programs' words."""

ACCEPTED = {
    "reward_small_ok": "reward_small",
    "reward_clamped_ok": "reward_clamped",
    "action_unused_ok": "action_unused",
}
"""What the table [check] may accept, with a reason."""

FATAL = {"compile", "declared", "crash", "endless"}

PARTS = {
    "describe": "when its declarations are read",
    "play": "in random play",
    "actions": "when its actions are compared",
    "threads": "on several threads",
    "state": "when its state is copied",
    "draw": "when it is drawn",
}

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
    table, scale = _settings(folder, report)
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
        report.findings.append(Finding("warnings", text, "Mend what it names.", _cut(warnings)))
    with tempfile.TemporaryDirectory(prefix="pufftui-check-") as place:
        probe = _Probe(folder, Path(place), report, patience)
        if probe.build() and probe.run("describe"):
            descriptor = _descriptor(folder, library_file, report)
            if descriptor is not None:
                _play(probe, descriptor, steps, scale, say)
        probe.run_tests(say)
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
        "    speed = measure(load_env(name), 1, float(sys.argv[1]))\n"
        "    sys.stdout.write(json.dumps([speed.env, speed.ns_per_step]) + '\\n')\n"
    )
    names = [folder.id, *(name for name in env_names() if name != folder.id)]
    command = [sys.executable, "-c", code, str(seconds), *names]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    except subprocess.SubprocessError:
        return {}
    return dict(json.loads(line) for line in result.stdout.splitlines())


def _play(probe: _Probe, descriptor: Descriptor, steps: int, scale: float, say: Say) -> None:
    report, facts = probe.report, Facts()
    report.findings += declared_findings(descriptor)
    say(f"playing {steps:,} random steps")
    facts.read(probe.run("play", str(steps), str(LONGEST_PLAY)))
    report.findings += play_findings(facts, descriptor, scale)
    say("comparing actions")
    facts.read(probe.run("actions", str(steps // 4)))
    report.findings += action_findings(facts, descriptor)
    say("copying states, trying threads")
    facts.read(probe.run("threads"))
    places = [probe.place / "first", probe.place / "second"]
    for number, path in enumerate(places):
        said = probe.run("state", str(path))
        if number == 0:
            facts.read(said)
    saved = [path.read_bytes() for path in places if path.exists()]
    report.findings += state_findings(facts, saved)
    say("drawing")
    facts.read(probe.run("draw"))
    report.findings += draw_findings(facts)
    report.notes += notes(facts, descriptor)
    report.steps = int((facts.one("steps") or [0])[0])
    if 0 < report.steps < steps:
        report.notes.append(f"It is slow: there was time for {report.steps:,} steps.")


def _settings(folder: EnvFolder, report: Report) -> tuple[dict[str, str], float]:
    """The reasons in the table [check], and the scale of rewards in training."""
    if not folder.defaults.exists():
        return {}, 1.0
    try:
        settings = tomllib.loads(folder.defaults.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        text = f"{folder.defaults.name} cannot be read: {error}."
        report.findings.append(Finding("settings", text, "Write it as TOML."))
        return {}, 1.0
    table = settings.get("check", {})
    reasons: dict[str, str] = {}
    for name, reason in table.items() if isinstance(table, dict) else [("check", table)]:
        if name not in ACCEPTED:
            text = f"[check] in {folder.defaults.name} knows no {name}."
            report.findings.append(Finding("settings", text, nearest(name, ACCEPTED)))
        elif not isinstance(reason, str) or not reason.strip():
            text = f"{name} in {folder.defaults.name} gives no reason."
            report.findings.append(Finding("settings", text, f'Write {name} = "why".'))
        else:
            reasons[name] = reason
    return reasons, _reward_scale(settings)


def _reward_scale(settings: dict[str, Any]) -> float:
    train = settings.get("train", {})
    scale = train.get("reward_scale", 1.0) if isinstance(train, dict) else 1.0
    return float(scale) if isinstance(scale, (int, float)) and scale > 0 else 1.0


def _descriptor(folder: EnvFolder, library: Path, report: Report) -> Descriptor | None:
    """What the environment declares, or None and a finding if that makes no sense."""
    try:
        descriptor = load_library(library, label=folder.source.name, fix=ENDS_WITH_VEC).descriptor
    except PuffError as error:
        report.findings.append(Finding("declared", error.message, error.hint))
        return None
    if descriptor.name != folder.name:
        text = f"It says that it is {descriptor.name!r}, its folder is called {folder.name}."
        report.findings.append(Finding("declared", text, f'Write .name = "{folder.name}".'))
    return descriptor


class _Probe:
    """check.c, compiled together with one environment; what goes wrong there is reported."""

    def __init__(self, folder: EnvFolder, place: Path, report: Report, patience: int) -> None:
        self.folder, self.place, self.report = folder, place, report
        self._patience = patience
        self._program = place / "probe"
        self._crashes: set[str] = set()

    def build(self) -> bool:
        """Compiles it, without sanitizers if the compiler has none; whether that went well."""
        text = declarations(HEADERS / "vec.h")
        (self.place / "vec_declarations.h").write_text(text, encoding="utf-8")
        flags = [*LANGUAGE, f"-I{self.place}", "-o", str(self._program), str(PROBE)]
        try:
            compile_c(self.folder.source, [*flags, *SANITIZERS])
        except CompileError:
            try:
                compile_c(self.folder.source, [*flags, "-g", "-O1"])
            except CompileError as error:
                text = f"{self.folder.source.name} cannot be linked."
                self.report.findings.append(Finding("compile", text, ENDS_WITH_VEC, error.said))
                return False
            self.report.sanitizers = False
            self.report.notes.append(
                "This compiler has no sanitizers: a wrong access is only seen if it crashes."
            )
        return True

    def run(self, part: str, *arguments: str) -> str:
        """Runs one part; returns what it printed, nothing if the environment broke it.

        Who did not come back once is not asked again.
        """
        if any(finding.id == "endless" for finding in self.report.findings):
            return ""
        command = [str(self._program), str(self._patience), part, *arguments]
        limit = 2 * LONGEST_PLAY + 10 * self._patience
        returncode, said, complaints = _run(command, limit)
        lines = said.splitlines()
        endless = next((line.split()[1] for line in lines if line.startswith("endless ")), None)
        if returncode is None or endless:
            self._endless(endless, part)
            return ""
        if returncode or not lines or lines[-1] != "end":
            self._crashed(returncode, complaints, part)
            return ""
        return said

    def run_tests(self, say: Say) -> None:
        """Builds and runs the environment's own tests in C, if there are any."""
        name = self.folder.name
        source, program = self.folder.path / f"test_{name}.c", self.place / "test"
        if not source.exists():
            return
        say(f"running {source.name}")
        sanitizers = SANITIZERS if self.report.sanitizers else ()
        fix = "Mend the rules, or the test if the rules have changed."
        try:
            compile_c(source, [*LANGUAGE, *sanitizers, "-o", str(program)])
        except CompileError as error:
            self.report.findings.append(
                Finding("tests", f"{source.name} does not compile.", fix, error.said)
            )
            return
        returncode, said, complaints = _run([str(program)], LONGEST_PLAY)
        if returncode is None:
            text = f"{source.name} does not end within {LONGEST_PLAY:.0f} seconds."
            self.report.findings.append(Finding("tests", text, fix))
        elif returncode:
            text = f"{source.name} fails."
            detail = _cut(said + complaints)
            self.report.findings.append(Finding("tests", text, fix, detail))

    def _endless(self, call: str | None, part: str) -> None:
        name = f"`{call}`" if call else "It"
        text = f"{name} does not come back {PARTS[part]}, after {self._patience} seconds."
        fix = "Look for a loop whose condition can stay true."
        self.report.findings.append(Finding("endless", text, fix))

    def _crashed(self, returncode: int, complaints: str, part: str) -> None:
        kind, place = _crash(returncode, complaints, self.folder.path)
        if f"{kind} {place}" in self._crashes:
            return
        self._crashes.add(f"{kind} {place}")
        text = f"It crashes {PARTS[part]}: {kind}{place}."
        if returncode >= 0 and not complaints:
            text = f"It ends the process {PARTS[part]}, with status {returncode}."
        fix = "Mend the line that is named." if place else "An environment never calls exit."
        if returncode < 0 and not place:
            fix = "Look at what it does with memory."
        self.report.findings.append(Finding("crash", text, fix, _cut(complaints)))


def _run(command: list[str], limit: float) -> tuple[int | None, str, str]:
    """Status, stdout and stderr of a program; no status if it did not end in time."""
    environment = os.environ | {
        "ASAN_OPTIONS": "detect_leaks=0",
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }
    try:
        result = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None, "", ""
    said, complaints = (part.decode(errors="replace") for part in (result.stdout, result.stderr))
    return result.returncode, said, complaints


def _crash(returncode: int, complaints: str, folder: Path) -> tuple[str, str]:
    """What kind of crash it was, and where in the environment's folder, as the sanitizers say."""
    kind = signal.strsignal(-returncode) or f"signal {-returncode}" if returncode < 0 else "exit"
    found = re.search(r"runtime error: (.+)", complaints)
    found = found or re.search(r"ERROR: AddressSanitizer:? ([\w-]+)", complaints)
    found = found or re.search(r"Assertion (.+ failed)", complaints)
    kind = found[1] if found else kind
    own = re.escape(str(folder))
    place = re.search(rf"in (\w+) {own}/([^\s:]+:\d+)", complaints)
    if place:
        return kind, f" in {place[1]}, {place[2]}"
    place = re.search(rf"{own}/([^\s:]+:\d+)", complaints)
    return kind, f" at {place[1]}" if place else ""


def _cut(text: str) -> str:
    lines: Iterator[str] = (line.rstrip() for line in text.strip().splitlines())
    return "\n".join([*lines][:LONGEST_DETAIL])
