"""Asks the system for what a network may never answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")


def in_time(seconds: float, ask: Callable[[], Answer]) -> Answer:
    """What a call returns or raises; `TimeoutError` if it does neither in so many seconds.

    It goes on in a thread that is left behind then.
    """
    answers: list[Answer] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            answers.append(ask())
        except BaseException as error:  # noqa: BLE001 - it is raised where the answer is wanted
            errors.append(error)

    thread = threading.Thread(target=work, name="waiting", daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not answers:
        raise TimeoutError(f"There was no answer within {seconds:g} s.")
    return answers[0]
