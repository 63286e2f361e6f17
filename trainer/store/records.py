"""What readers of a store are given: immutable rows and tables.

Everywhere `step` counts agent steps and `seconds` is the time of the run as in the snapshots;
`at` is Unix time. Ids rise in the order of writing, so the last one asks for what is new.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pufftui.trainer.store.columns import Columns


@dataclass(frozen=True, slots=True, eq=False)
class MetricRows:
    """Rows of metrics in the order of writing; all arrays have length n.

    `last` is the id of the last row, to ask for what follows. `values` are float32, or float64 where
    that tells more, NaN where a row lacks the name. `lineages` says which start of the run wrote a row.
    """

    last: int
    steps: NDArray[np.int64]
    seconds: NDArray[np.float64]
    epochs: NDArray[np.int64]
    lineages: NDArray[np.int64]
    values: Columns


@dataclass(frozen=True, slots=True)
class NotFinite:
    """A metric whose last value was no finite number: `value` is NaN, infinite, or beyond a float32."""

    step: int
    seconds: float
    value: float

    @property
    def words(self) -> str:
        """For a person: not a number since step 2."""
        if math.isnan(self.value):
            what = "not a number"
        elif math.isinf(self.value):
            what = "infinite" if self.value > 0 else "minus infinite"
        else:
            what = "too large"
        return f"{what} since step {self.step:,}"


@dataclass(frozen=True, slots=True, eq=False)
class MetricBlocks:
    """A curve of bounded length: stretches of rows, rising in steps; all arrays have length n.

    A block holds the rows from `first_steps` to `last_steps`; `seconds` and `epochs` are those of
    its first row. Per name, `low`, `mean` and `high` are of its known values, NaN if there are
    none, and `count` is their number. `last` is the id of the last row in the store that a block
    covers, to ask for what follows. `coarse` is whether a block may hold more than one row.
    """

    last: int
    first_steps: NDArray[np.int64]
    last_steps: NDArray[np.int64]
    seconds: NDArray[np.float64]
    epochs: NDArray[np.int64]
    lineages: NDArray[np.int64]
    low: Columns
    mean: Columns
    high: Columns
    count: Columns
    coarse: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class EpisodeRows:
    """Sampled episodes (dtype `EPISODE`) in the order of writing; all arrays have length n.

    `steps` is where training was, `last` the id of the last row, to ask for what follows.
    """

    last: int
    steps: NDArray[np.int64]
    lineages: NDArray[np.int64]
    episodes: NDArray[np.void]


@dataclass(frozen=True, slots=True)
class Lineage:
    """One start, resume or roll-back: it leaves its parent after `from_step`."""

    id: int
    parent: int | None
    from_step: int
    started: float


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at a step."""

    id: int
    step: int
    seconds: float
    kind: str
    text: str
    lineage: int = 1


@dataclass(frozen=True, slots=True)
class AlertRow:
    """Something that looks wrong: which rule says so, why, and what to do.

    `acknowledged_at` is None until a person has seen it, `over_step` while it still is so.
    """

    id: int
    step: int
    seconds: float
    level: str
    rule: str
    title: str
    text: str
    evidence: Mapping[str, Any]
    advice: str
    acknowledged_at: float | None
    over_step: int | None


@dataclass(frozen=True, slots=True)
class CommandRow:
    """What a person asked of the trainer, and its details, such as the setting and the value."""

    id: int
    step: int
    seconds: float
    at: float
    name: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Note:
    """A person's words about a step of the run."""

    id: int
    step: int
    at: float
    text: str


@dataclass(frozen=True, slots=True)
class EvaluationRow:
    """How the policy of a step played without learning, by the public names of `pufftui eval --json`."""

    id: int
    step: int
    at: float
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CheckpointRow:
    """A checkpoint that was written; `file` is its name in the folder `checkpoints`."""

    id: int
    step: int
    seconds: float
    file: str
    score: float | None
    pinned: bool
    reason: str


@dataclass(frozen=True, slots=True)
class SystemRow:
    """What the training machine was doing. Memory and disk in bytes, `processor` 0..1.

    `screen_cores` are the cores that the trainer's own dashboard kept busy.
    `gpus` has one entry per GPU with `index`, `name`, `use` (0..1), `memory_used`,
    `memory_total`, `temperature` (Celsius) and `power` (watts); None is what is not known. Most
    have more, see `GpuReading`, which reads them.
    """

    id: int
    step: int
    seconds: float
    processor: float
    process_cores: float
    process_memory: int
    memory_used: int
    memory_total: int
    disk_free: int
    screen_cores: float
    gpus: tuple[Mapping[str, Any], ...]
