"""Builds the probe (check.c) around one environment and runs its parts.

Each part is a process of its own. Whatever the environment does there, crash, loop, print or exit,
is a finding here.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from pufftui.envs.catalogue import EnvFolder
from pufftui.envs.checking.declared import count_finding
from pufftui.envs.checking.findings import Finding
from pufftui.envs.compile import HEADERS, LANGUAGE, CompileError, compile_c
from pufftui.envs.errors import PuffError
from pufftui.envs.headers import ABI, declarations, named
from pufftui.envs.library import ENDS_WITH_VEC, interface

PROBE = Path(__file__).with_name("check.c")
DEBUGGING = ("-g", "-O1")
SANITIZERS = (*DEBUGGING, "-fsanitize=address,undefined", "-fno-sanitize-recover")
RACE_SANITIZERS = ("-g", "-O0", "-fsanitize=thread")
QUIET_LEAKS = {"ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "print_stacktrace=1"}
RACE_SECONDS = 2
ENDED_ITSELF = 6
"""The status with which check.c ends where the environment called exit."""
LONGEST_TEST = 20
"""Seconds of the processor that an environment's own tests may take."""
LAST_RESORT = 45.0
"""Seconds on the clock after which a process is ended: it sleeps, and has switched off the watchdog."""
MOST_KEPT = 1 << 18
"""Bytes that are kept of what a program prints, from its end."""
LONGEST_DETAIL = 30
"""Lines of other programs' words."""

PARTS = {
    "describe": "when its declarations are read",
    "play": "in random play",
    "actions": "when its actions are compared",
    "threads": "on several threads",
    "races": "on two threads",
    "state": "when its state is copied",
    "draw": "when it is drawn",
}


@dataclass(slots=True)
class Probe:
    """check.c, compiled together with one environment in the folder `place`.

    `findings` and `notes` grow with what goes wrong there.
    """

    folder: EnvFolder
    place: Path
    patience: int
    sanitizers: bool = True
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def build(self) -> bool:
        """Compiles it, without sanitizers if there are none; whether that went well."""
        text = f"{declarations(HEADERS / 'vec.h')}\n{_layouts()}"
        (self.place / "vec_declarations.h").write_text(text, encoding="utf-8")
        if self._compile("probe", SANITIZERS) is None:
            return True
        wrong = self._compile("probe", DEBUGGING)
        if wrong is not None:
            text = f"{self.folder.source.name} cannot be linked."
            self.findings.append(Finding("compile", text, ENDS_WITH_VEC, wrong))
            return False
        self.sanitizers = False
        self.notes.append(
            "The sanitizers of this compiler do not work: a wrong access is only seen if it "
            "crashes. gcc and clang bring them along, on some systems as libasan and libubsan."
        )
        return True

    def run(self, part: str, *arguments: str) -> str:
        """Runs one part; returns the facts, nothing if the environment broke it.

        Who did not come back once is not asked again.
        """
        if any(finding.id == "endless" for finding in self.findings):
            return ""
        ended, facts = self._start("probe", part, *arguments)
        lines = facts.splitlines()
        endless = next((line.split()[1] for line in lines if line.startswith("endless ")), None)
        if ended.status is None or endless:
            self._endless(endless, part)
            return ""
        finished = not ended.status and lines[-1:] == ["end"]
        self._printed(ended.said + (ended.complaints if finished else ""))
        if not finished:
            past = count_finding(facts, ended.complaints, self.folder.path)
            if part == "describe" and past:
                self.findings.append(past)
            else:
                self._crashed(ended, part)
            return ""
        return facts

    def shared_memory(self) -> str:
        """Which memory two games on two threads share, and where in the code; nothing if they share none."""
        if not self.sanitizers or {finding.id for finding in self.findings} & {"endless", "crash"}:
            return ""
        if self._compile("races", RACE_SANITIZERS) is not None:
            self.notes.append(
                "The thread sanitizer of this compiler does not work: games that share memory are "
                "only found if they come out differently."
            )
            return ""
        ended, _ = self._start("races", "races", str(RACE_SECONDS))
        own = re.escape(str(self.folder.path))
        place = re.search(rf"data race.*?{own}/([^\s:]+:\d+)", ended.complaints, re.DOTALL)
        if not place:
            return ""
        shared = re.search(r"Location is global '([^']+)'", ended.complaints)
        name = shared[1].partition(".")[0] if shared else ""  # the compiler numbers static ones
        return f"{f'the variable {name}' if name else 'memory outside their states'}, at {place[1]}"

    def run_tests(self) -> None:
        """Builds and runs the environment's own tests in C, if there are any."""
        source, program = self.own_tests, self.place / "test"
        fix = "Fix the rules, or the test if the rules have changed."
        sanitizers = SANITIZERS if self.sanitizers else ()
        try:
            compile_c(source, [*LANGUAGE, *sanitizers, "-o", str(program)])
        except CompileError as error:
            self.findings.append(
                Finding("tests", f"{source.name} does not compile.", fix, error.said)
            )
            return
        ended = _run(["sh", "-c", f'ulimit -S -t {LONGEST_TEST}; exec "$0"', str(program)])
        if ended.status in {None, -signal.SIGXCPU}:
            text = f"{source.name} does not end within {LONGEST_TEST} seconds."
            self.findings.append(Finding("tests", text, fix))
        elif ended.status:
            detail = cut(ended.said + ended.complaints)
            self.findings.append(Finding("tests", f"{source.name} fails.", fix, detail))

    @property
    def own_tests(self) -> Path:
        """The file with the environment's own tests."""
        return self.folder.path / f"test_{self.folder.name}.c"

    def _compile(self, name: str, flags: Sequence[str]) -> str | None:
        """Builds a program that starts; else returns what went wrong."""
        command = [*LANGUAGE, f"-I{self.place}", "-o", str(self.place / name), str(PROBE), *flags]
        try:
            compile_c(self.folder.source, command)
        except CompileError as error:
            return error.said
        ended, facts = self._start(name, "nothing")
        return None if facts == "end\n" else ended.complaints

    def _start(self, program: str, part: str, *arguments: str) -> tuple[Ended, str]:
        """Runs a part; returns how it ended, and its facts."""
        path = self.place / "facts"
        path.unlink(missing_ok=True)
        command = [str(self.place / program), str(self.patience), str(path), part, *arguments]
        ended = _run(command)
        return ended, path.read_text(encoding="utf-8") if path.exists() else ""

    def _endless(self, call: str | None, part: str) -> None:
        name = f"`{call}`" if call else "It"
        text = f"{name} does not return {PARTS[part]}, after {self.patience} seconds."
        fix = "Look for a loop whose condition can stay true."
        self.findings.append(Finding("endless", text, fix))

    def _printed(self, said: str) -> None:
        first = next((line.strip() for line in said.splitlines() if line.strip()), None)
        if first is None or any(finding.id == "prints" for finding in self.findings):
            return
        text = f"It prints, for instance {first[:60]!r}."
        fix = "Take that out: it is slow, and does not belong on the dashboard's screen."
        self.findings.append(Finding("prints", text, fix))

    def _crashed(self, ended: Ended, part: str) -> None:
        assert ended.status is not None
        kind, place = _crash(ended.status, ended.complaints, self.folder.path)
        text = f"It crashes {PARTS[part]}: {kind}{place}."
        if ended.status == ENDED_ITSELF:
            text = f"It ends the process {PARTS[part]}{place}."
        elif ended.status >= 0 and not ended.complaints:
            text = f"It ends the process {PARTS[part]}, with status {ended.status}."
        if any(
            f.id == "crash" and f.text.endswith(text.partition(PARTS[part])[2])
            for f in self.findings
        ):
            return
        fix = "Fix the line that is named."
        if not place or ended.status == ENDED_ITSELF:
            fix = "An environment never calls exit: end the episode instead."
        if ended.status < 0 and not place:
            fix = "Look at what it does with memory."
        self.findings.append(Finding("crash", text, fix, cut(ended.complaints)))


def _layouts() -> str:
    """The sizes in bytes of a field and of a descriptor in every interface, from the first on, for C."""
    ffi = interface()
    sizes = [
        ", ".join(str(ffi.sizeof(named(name, abi))) for name in ("puff_field", "puff_descriptor"))
        for abi in range(1, ABI + 1)
    ]
    return f"static const size_t layouts[][2] = {{{', '.join(f'{{{each}}}' for each in sizes)}}};"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended, and what it wrote; `status` is None if it had to be ended."""

    status: int | None
    said: str
    complaints: str


def _run(command: list[str]) -> Ended:
    """Runs a program to its end; it may print without end and is no burden by that."""
    try:
        started = subprocess.Popen(
            command,
            env=os.environ | QUIET_LEAKS,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except PermissionError:
        folder = Path(command[0]).parent.parent
        raise PuffError(
            f"Programs may not run in {folder}.", "Choose another folder with the variable TMPDIR."
        ) from None
    with started as process:
        assert process.stdout is not None
        assert process.stderr is not None
        said, complaints = bytearray(), bytearray()
        readers = [
            threading.Thread(target=_keep_end, args=(process.stdout, said), daemon=True),
            threading.Thread(target=_keep_end, args=(process.stderr, complaints), daemon=True),
        ]
        for reader in readers:
            reader.start()
        try:
            status: int | None = process.wait(LAST_RESORT)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            process.kill()
        for reader in readers:
            reader.join()
    if len(said) == MOST_KEPT:
        del said[: said.find(b"\n") + 1]  # half a line
    return Ended(status, said.decode(errors="replace"), complaints.decode(errors="replace"))


def _keep_end(stream: IO[bytes], kept: bytearray) -> None:
    while some := os.read(stream.fileno(), 1 << 16):
        kept += some
        del kept[:-MOST_KEPT]


def _crash(status: int, complaints: str, folder: Path) -> tuple[str, str]:
    """What kind of crash it was, and where in the environment's folder, as the sanitizers say."""
    kind = signal.strsignal(-status) or f"signal {-status}" if status < 0 else f"status {status}"
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


def cut(text: str) -> str:
    """The first lines of other programs' words."""
    return "\n".join([line.rstrip() for line in text.strip().splitlines()][:LONGEST_DETAIL])
