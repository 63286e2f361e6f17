"""docs/new-env.md, followed word by word: its commands, its files, its changes and what it promises."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pufftui.envs.compiler import find_compiler

ROOT = Path(__file__).parents[3]
TUTORIAL = ROOT / "docs" / "new-env.md"
BLOCK = re.compile(
    r"(?:<!-- (?P<verb>into|change) (?P<file>\S+) -->\n)?```(?P<kind>\w+)(?P<fails> fails)?\n"
    r"(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
PATIENCE = 600.0
"""Seconds on the clock for a screen to come: far more than it takes."""

pytestmark = pytest.mark.skipif(find_compiler() is None, reason="there is no C compiler")


@dataclass(frozen=True)
class Block:
    """A block of code and what is to be done with it."""

    kind: str
    text: str
    verb: str = ""
    file: str = ""
    fails: bool = False


def blocks() -> Iterator[Block]:
    for found in BLOCK.finditer(TUTORIAL.read_text(encoding="utf-8")):
        yield Block(
            found["kind"],
            found["text"],
            found["verb"] or "",
            found["file"] or "",
            fails=bool(found["fails"]),
        )


class Newcomer:
    """Somebody who follows the page in an empty folder; `said` is what the last command printed."""

    def __init__(self, folder: Path) -> None:
        work = folder / "work"
        work.mkdir()
        packages = folder / "packages"
        self.folder = self.place = work
        self.said = ""
        self.emptied: set[str] = set()
        self.environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "PUFFTUI_RUNS": str(folder / "runs"),
            "TERM": "xterm-256color",
            # pip installs apart, from what is here.
            "PIP_TARGET": str(packages),
            "PYTHONPATH": str(packages),
            "PIP_NO_BUILD_ISOLATION": "0",
            "PIP_NO_INDEX": "1",
        }

    def follow(self, block: Block) -> None:
        match block:
            case Block(kind="sh"):
                for command in block.text.splitlines():
                    self.run(command, fails=block.fails)
            case Block(kind="text"):
                self.expect(block.text)
            case Block(kind="diff", verb="change"):
                self.change(self.folder / block.file, block.text)
            case Block(verb="into"):
                self.write(block.file, block.text)
            case _:
                pytest.fail(f"Nobody knows what to do with {block}.")

    def write(self, file: str, text: str) -> None:
        """The first piece replaces what was there, others follow it."""
        path = self.folder / file
        before = path.read_text(encoding="utf-8") + "\n" if file in self.emptied else ""
        self.emptied.add(file)
        path.write_text(before + text, encoding="utf-8")

    def change(self, path: Path, diff: str) -> None:
        lines = diff.splitlines(keepends=True)
        old = "".join(line[1:] for line in lines if line[0] in " -")
        new = "".join(line[1:] for line in lines if line[0] in " +")
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, old
        path.write_text(text.replace(old, new), encoding="utf-8")

    def run(self, command: str, *, fails: bool) -> None:
        program, *words = command.split()
        if program == "cd":
            self.place = self.place / words[0]
        elif program == "pufftui" and words[0] in {"play", "train"} and "--headless" not in words:
            self.look(command)
        else:
            result = subprocess.run(
                command.split(),
                cwd=self.place,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            assert result.returncode == int(fails), (command, result.stdout, result.stderr)
            self.said = result.stdout

    def look(self, command: str) -> None:
        """Runs what fills the screen, waits for the game, presses a key and leaves."""
        outer, inner = pty.openpty()
        termios.tcsetwinsize(inner, (40, 120))
        playing = " play " in command
        with subprocess.Popen(
            command.split(),
            cwd=self.place,
            env=self.environment,
            stdin=inner,
            stdout=inner,
            stderr=inner,
            start_new_session=True,
        ) as process:
            os.close(inner)  # so that reading ends with the program
            try:
                read_until(outer, b"any key begins" if playing else b"frog")
                if playing:
                    os.write(outer, b"w\x03")
                else:
                    process.send_signal(signal.SIGTERM)
                while read(outer):
                    pass
                process.wait(PATIENCE)
            finally:
                process.kill()
                os.close(outer)
        assert process.returncode == (0 if playing else 130), command

    def expect(self, promised: str) -> None:
        """Each promised line must have been printed, in any order; `...` stands for anything."""
        # What is printed is wrapped, and continued lines begin with spaces.
        said = re.sub(r"\n +", " ", self.said)
        for line in promised.splitlines():
            parts = [re.escape(part) for part in line.strip().split("...")]
            assert re.search(".*".join(parts), said), f"{line!r} is not in:\n{said}"


def read_until(screen: int, text: bytes) -> None:
    said = b""
    while text not in said:
        ready, _, _ = select.select([screen], [], [], PATIENCE)
        assert ready, said[-2000:]
        some = read(screen)
        assert some, said[-2000:]
        said += some


def read(screen: int) -> bytes:
    """What is there; nothing when the program has ended."""
    try:
        return os.read(screen, 1 << 16)
    except OSError:  # EIO, on Linux
        return b""


def test_all_of_it_works(tmp_path: Path) -> None:
    newcomer = Newcomer(tmp_path)
    for block in blocks():
        newcomer.follow(block)
    frog = tmp_path / "work" / "frog"
    tidy = [Path(sys.executable).parent / "clang-format", "--dry-run", "-Werror"]
    style = f"--style=file:{ROOT / '.clang-format'}"
    boats = tmp_path / "work" / "boats"
    subprocess.run([*tidy, style, *frog.glob("*.c"), *boats.glob("*.c")], check=True)


def test_no_command_is_missed() -> None:
    """Every line of the page that looks like a command is in a block that is run."""
    kinds = [block.kind for block in blocks()]
    assert len(kinds) * 2 == TUTORIAL.read_text(encoding="utf-8").count("\n```")
    assert kinds.count("sh") >= 10
    assert kinds.count("diff") == 8
