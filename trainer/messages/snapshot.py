"""What the trainer tells the world: one immutable value, replaced whole, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

LOSSES = (
    "policy_loss",
    "value_loss",
    "entropy",
    "old_approx_kl",
    "approx_kl",
    "clipfrac",
    "importance",
    "explained_variance",
    "grad_norm",
)
"""Names of the learning figures, in the order in which they are shown; the kernels' sums follow it."""

SCORE_EPISODES = 1000
"""A score, while training, is the mean of so many of the last episodes."""

INTERVAL_ERRORS = 1.96
"""Standard errors from a score, while training, to the ends of its 95 % interval (normal approximation)."""

TIME_PARTS = ("env", "forward", "copy", "learn", "other")
"""Where the time of an epoch goes; shares that add up to 1."""


class Phase(Enum):
    """What the trainer is doing."""

    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    DIED = "died"
    """Its process is gone without having said so: killed, or a power cut. Seen from outside."""

    @property
    def ended(self) -> bool:
        """Whether the trainer is through, one way or another."""
        return self in (Phase.FINISHED, Phase.INTERRUPTED, Phase.FAILED, Phase.DIED)


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """The state of training at one moment; None stands for what is not known yet.

    `score`, `perf`, `episode_return` and `episode_length` are means over the last 1000 finished
    training episodes, None while fewer than 100 have finished. `score_interval` is the 95 %
    confidence interval of the mean score. The figures of the last `provisional_steps` are biased: of
    the episodes that began then, only the short ones have finished. `steps_per_second` covers the last few epochs.
    `lost_rows` is how many rows of the store were lost, once training has ended; `warning` says why.
    Before, `warning` tells of a disk that is nearly full or a store that cannot be written.
    `seconds` is the time since the process started, pauses included; on a resumed run the time of
    the earlier processes is added. `not_finite` has the metrics whose last value is no finite number, with
    words that say since when. `start_from` names the policy whose weights the run began with, if it was one. `total_steps` is 0 if nobody has said. `settings` are those that may change while training, by path.
    """

    phase: Phase
    activity: str = ""
    step: int = 0
    total_steps: int = 1
    epoch: int = 0
    seconds: float = 0.0
    steps_per_second: float | None = None
    seconds_left: float | None = None
    score: float | None = None
    score_interval: tuple[float, float] | None = None
    best_score: float | None = None
    perf: float | None = None
    episode_return: float | None = None
    episode_length: float | None = None
    episodes: int = 0
    provisional_steps: int = 0
    statistics: Mapping[str, float] = field(default_factory=dict)
    learning_rate: float | None = None
    clamped_rewards: float | None = None
    losses: Mapping[str, float] = field(default_factory=dict)
    not_finite: Mapping[str, str] = field(default_factory=dict)
    time_shares: Mapping[str, float] = field(default_factory=dict)
    device: str = ""
    parameters: int = 0
    start_from: str = ""
    settings: Mapping[str, float] = field(default_factory=dict)
    checkpoint_step: int | None = None
    checkpoint_path: str | None = None
    better_checkpoint: str = ""
    warning: str = ""
    lost_rows: int = 0
    failure: str = ""
    failure_hint: str = ""
