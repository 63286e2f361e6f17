"""Says so if trying an environment out takes long: before training begins nothing else would."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from pufftui.trainer.health import Change, Moment, Stall, write_changes
from pufftui.trainer.messages.channel import Channel
from pufftui.trainer.store import StoreWriter

PATIENCE = 15.0
"""Seconds; a trial of usual environments takes a fraction of one."""


@contextmanager
def told_if_long(store: StoreWriter, channel: Channel) -> Iterator[None]:
    """What is done meanwhile is a trial: after `PATIENCE` there is an alert that it has not ended, until it has."""
    began, lock, ended = time.monotonic(), threading.Lock(), False

    def tell() -> None:
        latest = channel.latest
        at = Moment(latest.step, latest.seconds + time.monotonic() - began, {})
        found = Stall.in_trial(PATIENCE, at)
        with lock:
            if not ended:
                write_changes(store, [Change(found, at.step, at.seconds)])
                channel.findings = (found,)

    timer = threading.Timer(PATIENCE, tell)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        with lock:
            ended = True
        timer.cancel()
        if channel.findings:
            latest = channel.latest
            store.alerts_over(latest.step, latest.seconds + time.monotonic() - began, Stall.rule.id)
            channel.findings = ()
