"""What is said on a control socket: one JSON object a line, at most 64 kB of it.

The server begins with a greeting: `{"pufftui": 1, "run": "brisk-otter", "process": 123}`, where 1 is
the version of this protocol. The client then sends requests and gets one reply each, in order:

    {"do": "pause"}   also resume, checkpoint, undo, stop, state
    {"do": "set", "setting": "train.learning_rate", "value": 0.01}
    {"do": "note", "text": "the plateau begins here"}
    {"do": "roll_back", "before": 1000000, "factor": 0.5}   to the last healthy checkpoint before a step

A reply is `{"ok": true}`, with the figures in `state` if they were asked for, or `{"ok": false,
"error": "...", "hint": "..."}`. A request may carry an `id`, a number or a text, which its reply repeats. Commands are
carried out at the next epoch boundary; a reply says that one was understood.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pufftui.envs.errors import PuffError, nearest
from pufftui.trainer.messages.command import (
    Checkpoint,
    Command,
    Pause,
    Resume,
    RollBack,
    SetField,
    Stop,
    UndoChange,
)

VERSION = 1
MOST_LINE = 1 << 16
MOST_NOTE = 2000
MOST_STEP = 1 << 62

Message = Mapping[str, Any]

STATE, NOTE, SET, ROLL_BACK = "state", "note", "set", "roll_back"
PLAIN: dict[str, type[Pause | Resume | Checkpoint | UndoChange | Stop]] = {
    "pause": Pause,
    "resume": Resume,
    "checkpoint": Checkpoint,
    "undo": UndoChange,
    "stop": Stop,
}


def encode(message: Message) -> bytes:
    """A message as a line."""
    return json.dumps(message).encode() + b"\n"


def decode(line: bytes) -> dict[str, Any]:
    """A line as a message; raises `PuffError` if it is none."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        raise PuffError("A line is one JSON object.", 'For example: {"do": "state"}.')
    return message


def to_message(command: Command) -> dict[str, Any]:
    """The request for a command."""
    match command:
        case SetField(path, value):
            return {"do": SET, "setting": path, "value": value}
        case RollBack(before, factor):
            return {"do": ROLL_BACK, "before": before, "factor": factor}
    return {"do": next(name for name, kind in PLAIN.items() if isinstance(command, kind))}


def to_command(message: Message) -> Command:
    """The command of a request; raises `PuffError` if there is something wrong with it."""
    name = message.get("do")
    if not isinstance(name, str):
        raise PuffError("A request says what to do.", 'For example: {"do": "pause"}.')
    if name in PLAIN:
        return PLAIN[name]()
    if name == SET:
        return _change(message)
    if name == ROLL_BACK:
        return _roll_back(message)
    known = [*PLAIN, SET, ROLL_BACK, NOTE, STATE]
    raise PuffError(f"There is no request {name[:40]!r}.", nearest(name[:40], known))


def to_note(message: Message) -> str:
    """The words of a request to keep them; raises `PuffError` if there are none."""
    text = message.get("text")
    if not isinstance(text, str) or not text.strip():
        raise PuffError("note needs a text.", 'For example: {"do": "note", "text": "..."}.')
    # What is no Unicode could not be stored.
    return text.strip()[:MOST_NOTE].encode(errors="replace").decode()


def _change(message: Message) -> SetField:
    path, value = message.get("setting"), message.get("value")
    if not isinstance(path, str) or isinstance(value, bool) or not isinstance(value, (int, float)):
        raise PuffError(
            "set needs a setting and a number.",
            'For example: {"do": "set", "setting": "train.gamma", "value": 0.99}.',
        )
    try:
        return SetField(path, float(value))
    except OverflowError:
        raise PuffError(f"The value of {path} is too large.", "Send a smaller number.") from None


def _roll_back(message: Message) -> RollBack:
    before, factor = _number(message, "before"), _number(message, "factor", 0.5)
    if before is None or factor is None or not 0 < factor <= 1:
        raise PuffError(
            "roll_back needs a step, and takes a factor of the learning rate, at most 1.",
            'For example: {"do": "roll_back", "before": 1000000, "factor": 0.5}.',
        )
    return RollBack(int(before), factor)


def _number(message: Message, name: str, default: float | None = None) -> float | None:
    """A finite number of a message; None if it is something else."""
    value = message.get(name, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if abs(value) < MOST_STEP else None


class Lines:
    """Puts lines together from what arrives in pieces."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that are whole now; raises `PuffError` if one is too long."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if max(map(len, [*lines, self._rest])) > MOST_LINE:
            raise PuffError(f"A line is longer than {MOST_LINE} bytes.", "Send shorter ones.")
        return [line for line in lines if line.strip()]
