"""Tells a web address of alerts: one JSON object a POST, tried again, never in anybody's way."""

from __future__ import annotations

import json
import os
import queue
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from pufftui.envs.errors import PuffError
from pufftui.trainer.health import Change

VARIABLE = "PUFFTUI_WEBHOOK"
"""The address comes from the environment, for it is often a secret, and configs are shared."""

TIMEOUT = 10.0
PAUSES = (2.0, 10.0, 60.0)
"""Seconds between the attempts; then the message is given up."""

MOST_WAITING = 100
LAST_SECONDS = 3.0
"""How long the end of a run waits for messages that are on their way."""

Report = Callable[[str], None]


def address() -> str | None:
    """Where alerts are sent, or None; raises `PuffError` if that is no web address."""
    found = os.environ.get(VARIABLE, "").strip()
    if not found:
        return None
    if not _is_address(found):
        raise PuffError(
            f"The variable {VARIABLE} is not a web address.",
            "Write it like https://ntfy.sh/my-topic, or unset it.",
            usage=True,
        )
    return found


def _is_address(text: str) -> bool:
    if not re.fullmatch(r"[!-~]+", text):  # what else it may hold is written as %20
        return False
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises for what is no number
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


class Webhook:
    """Sends from a daemon thread. `report` hears once if messages do not arrive."""

    def __init__(
        self, url: str, run: str, report: Report, pauses: tuple[float, ...] = PAUSES
    ) -> None:
        self._url, self._run, self._report, self._pauses = url, run, report, pauses
        self._queue: queue.Queue[bytes | None] = queue.Queue(MOST_WAITING)
        self._told = False
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="webhook", daemon=True)
        self._thread.start()

    def send(self, change: Change) -> None:
        """Queues a message about a finding; when too many wait, it is dropped."""
        try:
            self._queue.put_nowait(json.dumps(message(self._run, change)).encode())
        except queue.Full:
            self._complain("too many messages are waiting")

    def close(self) -> None:
        """Gives what is on its way a moment, then lets go of it."""
        end = time.monotonic() + LAST_SECONDS
        self._closing.set()
        try:
            self._queue.put_nowait(None)
        except queue.Full:
            return
        self._thread.join(max(0.0, end - time.monotonic()))

    def _work(self) -> None:
        while (body := self._queue.get()) is not None:
            self._deliver(body)

    def _deliver(self, body: bytes) -> None:
        for pause in (*self._pauses, None):
            try:
                self._post(body)
            except (OSError, ValueError) as error:
                if pause is None or self._closing.is_set():
                    self._complain(str(getattr(error, "reason", error)))
                    return
                self._closing.wait(pause)
            else:
                return

    def _post(self, body: bytes) -> None:
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            self._url, body, {"Content-Type": "application/json", "User-Agent": "pufftui"}
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
            answer.read(1)

    def _complain(self, why: str) -> None:
        if not self._told:
            self._told = True
            self._report(f"Alerts do not reach the webhook ({why}).")


def message(run: str, change: Change) -> dict[str, Any]:
    """What is sent: `text` is what chat services show, the rest is for programs."""
    finding = change.finding
    return {
        "text": f"{run}: {finding.rule.title}. {finding.text}",
        "run": run,
        "level": finding.level.word,
        "rule": finding.rule.id,
        "title": finding.rule.title,
        "details": finding.text,
        "advice": finding.rule.advice,
        "step": change.step,
        "seconds": round(change.seconds, 3),
        "metric": finding.rule.metric,
        "value": finding.value,
        "limit": finding.limit,
    }
