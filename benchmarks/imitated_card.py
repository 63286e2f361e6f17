"""A GPU that is imitated by sleeping, for what only the dashboard does to a trainer that waits for one.

The environments are stepped and the update is done once, and kept. From then on an epoch starts what it starts
on a GPU, as operations of a few numbers, and sleeps for as long as a card would play and learn, outside the
interpreter's lock. Everything else of a run is what it always is.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from pufftui.trainer.collecting.clock import PATIENCE
from pufftui.trainer.collecting.collector import Collector
from pufftui.trainer.collecting.rollout import Rollout
from pufftui.trainer.ppo.ranks import Ranks
from pufftui.trainer.ppo.update import Learner, UpdateReport

SMALL = {"vec.agents": "64", "train.minibatch_size": "4096", "vec.threads": "1"}
"""Settings with which what is left to the processor takes it no longer than it would beside a GPU."""

BEFORE_STEPS, AFTER_STEPS, TO_LEARN = 4, 5, 6
"""Calls of torch in an epoch of two groups: streams that wait for each other, three graphs, and the draws of an update."""


class Card:
    """The stand-ins for what waits for a card; each does the real thing once and keeps what came of it."""

    def __init__(self, collect: float, learn: float) -> None:
        """Seconds of an epoch."""
        self._collect, self._learn = collect, learn
        self._play, self._update, self._add_up = Collector.play, Learner.update, Ranks.add_up
        self._rollout: Rollout | None = None
        self._updates: dict[bool, UpdateReport | None] = {}
        self._place = torch.zeros(64)

    def play(self, collector: Collector, interrupted: Callable[[], bool]) -> Rollout | None:
        """Stands in for `Collector.play`."""
        if self._rollout is None:
            self._rollout = self._play(collector, interrupted)
            return self._rollout
        self._start(BEFORE_STEPS)
        left = self._collect
        while left > 0:
            if interrupted():
                return None
            _sleep(min(left, PATIENCE))
            left -= PATIENCE
        self._start(AFTER_STEPS)
        return self._rollout

    def update(self, learner: Learner, *given: Any, probe: bool = False) -> UpdateReport | None:
        """Stands in for `Learner.update`."""
        if self._updates.get(probe) is None:
            self._updates[probe] = self._update(learner, *given, probe=probe)
        self._start(TO_LEARN)
        return self._updates[probe]

    def add_up(self, ranks: Ranks, values: Tensor) -> Tensor:
        """Stands in for `Ranks.add_up`, where the host waits for the figures of an update."""
        _sleep(self._learn)
        return self._add_up(ranks, values)

    def _start(self, launches: int) -> None:
        for _ in range(launches):
            self._place.add_(1)


def imitate(collect: float, learn: float) -> None:
    """From now on this process's run collects and learns for so many seconds an epoch, and learns nothing."""
    card = Card(collect, learn)

    def standing_in(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:  # A function, so that it becomes a method.
            return method(*given, **named)

        return call

    for owner, name, method in (
        (Collector, "play", card.play),
        (Learner, "update", card.update),
        (Ranks, "add_up", card.add_up),
    ):
        setattr(owner, name, standing_in(method))


_system = ctypes.CDLL(None)


def _sleep(seconds: float) -> None:
    _system.usleep(int(seconds * 1e6))
