"""The storm over the program itself: real processes on a terminal of the system."""

from __future__ import annotations

import os
import random
import re
import signal
import termios
import time
from contextlib import suppress

from processes import ENDLESS, SMALL, Terminal, end
from storm_gusts import gust, size
from storm_tally import Tally

from pufftui.trainer.run.folder import RunFolder, runs_root

TRAIN = ("train", "squared", *SMALL, *ENDLESS)
COMMANDS = (
    TRAIN,
    ("watch", "seed-1"),
    (*TRAIN, "--stream"),
    ("play", "pong"),
    ("watch", "logged"),
    ("runs", "compare", "seed-1", "seed-2", "pong-young"),
)
CALM = 0.4
"""Share of the rounds in which there is time for what happens between two frames."""

FIRST_SCREEN = "\x1b[?1049h"
ROUNDS_OF_A_PROGRAM = 25
LEFT = (0, 130, -signal.SIGINT)
"""Statuses of a program that a key has ended; the last one if it was just ending by itself."""


def storm_programs(tally: Tally, seed: int, keys: int, rounds: int) -> None:
    """Starts one program after the other, and ends what they leave running."""
    number = 0
    while tally.rounds < rounds:
        chance = random.Random(f"{seed} {number}")
        command = COMMANDS[number % len(COMMANDS)]
        tally.screens[" ".join(command[:2])] += 1
        terminal = Terminal(*command)
        try:
            _storm(terminal, tally, chance, max(1, keys // rounds), rounds)
            _judge(terminal, tally, f"seed {seed}, program {number}: {' '.join(command)}")
        finally:
            terminal.close()
            for path in runs_root().iterdir():
                end(RunFolder(path))
        number += 1


def _storm(terminal: Terminal, tally: Tally, chance: random.Random, keys: int, rounds: int) -> None:
    while FIRST_SCREEN.encode() not in terminal.said and terminal.process.poll() is None:
        terminal.drain(0.1)
    before = (120, 40)
    for _ in range(ROUNDS_OF_A_PROGRAM):
        now = size(chance)
        if chance.random() < CALM:
            now = _calmly(terminal, chance)
        else:
            termios.tcsetwinsize(terminal.screen, now[::-1])
            _wait(terminal, chance.choice([0.0, 0.05, 0.2]))
        tally.rounds += 1
        for _ in range(keys):
            if terminal.process.poll() is not None or tally.rounds > rounds:
                return
            kind, sequence = gust(chance, chance.choice([before, now]))
            tally.gusts[kind] += 1
            _type(terminal, sequence)
            terminal.drain(chance.choice([0, 0, 0.001, 0.02]))
            terminal.said = terminal.said[-20_000:]
        before = now


def _calmly(terminal: Terminal, chance: random.Random) -> tuple[int, int]:
    """As a person would: out of dialogs, another layout of a large window, and a small one; its size."""
    small = chance.choice([(60, 18), (100, 30), (60, 80)])
    for sequence in ("\x1b[27u", "\x1b[27u"):
        _type(terminal, sequence)
        _wait(terminal, 0.1)
    termios.tcsetwinsize(terminal.screen, (60, 200))
    for key in chance.choice(["ss", "12", "6s", "46"]):
        _wait(terminal, 0.25)
        _type(terminal, key)
    _wait(terminal, chance.choice([0.1, 0.3]))
    termios.tcsetwinsize(terminal.screen, small[::-1])
    _wait(terminal, 0.3)
    return small


def _type(terminal: Terminal, sequence: str) -> None:
    with suppress(OSError):  # it has ended
        os.write(terminal.screen, sequence.encode())


def _wait(terminal: Terminal, seconds: float) -> None:
    """Reads on for a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and terminal.process.poll() is None:
        terminal.drain(0.01)


def _judge(terminal: Terminal, tally: Tally, where: str) -> None:
    """Notes a crash, or an end that no key asks for."""
    status = terminal.process.poll()
    terminal.drain(0.2)
    log = re.search(r"What happened is in (\S+)", terminal.text)
    if "The screen crashed" in terminal.text or status not in (None, *LEFT):
        told = terminal.text[-1000:]
        if log:
            with suppress(OSError), open(log[1], encoding="utf-8", errors="replace") as file:  # noqa: PTH123
                told += file.read()
        tally.tell(f"status {status} of {where}", where, told)
