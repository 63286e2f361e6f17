"""What the detectors are given: a row of the run's metrics, a reading of its machine, and the plan."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a run before it begins; None or 0 is what nobody has said.

    `most_entropy` is the entropy of random actions, None if they are continuous. `minibatch` counts
    agent steps, `agents` those of all processes, `horizon` the steps of each in a rollout. `accepted` holds the rules that the environment's author accepts, by id. `logged` is whether
    another program writes the run, so that only the rules hold that need nothing but score and losses. `printed` is the first line that the environment printed.
    """

    total_steps: int = 0
    score_low: float | None = None
    score_high: float | None = None
    most_entropy: float | None = None
    minibatch: int = 0
    replay_ratio: float = 0.0
    gamma: float = 0.99
    max_gradient_norm: float = 0.0
    accepted: tuple[str, ...] = ()
    logged: bool = False
    agents: int = 0
    horizon: int = 0
    printed: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For the store."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Facts:
        """From the store; names that this version does not know are left out."""
        known = {name: stored[name] for name in cls.__dataclass_fields__ if name in stored}
        return cls(**{**known, "accepted": tuple(known.get("accepted", ()))})


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """One row of metrics: the means of what happened since the row before."""

    step: int
    seconds: float
    values: Mapping[str, float]

    def get(self, name: str) -> float | None:
        """The mean of a metric, None if this row does not know it."""
        value = self.values.get(name)
        return None if value is None or math.isnan(value) else value


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What the machine was doing. Memory and disk in bytes.

    `screen_cores` are the processor cores that the dashboard keeps busy, `cores` how many there are.
    `gpus` have `index`, `use`, `temperature` and `throttle`, the reasons of a slow clock in words.
    """

    step: int
    seconds: float
    process_memory: float = 0.0
    memory_used: float = 0.0
    memory_total: float = 0.0
    screen_cores: float = 0.0
    cores: int = 1
    disk: str = ""
    disk_level: int = 0
    gpus: tuple[Mapping[str, Any], ...] = ()
