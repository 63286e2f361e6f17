"""What a health check finds: how bad it is, by which rule, why, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Any


class Level(IntEnum):
    """How much a finding matters."""

    INFO = 0
    """Worth knowing."""
    WARNING = 1
    """Somebody should look."""
    CRITICAL = 2
    """What goes on now is a waste of time, or about to break."""

    @property
    def word(self) -> str:
        """The level in small letters, as it is stored."""
        return self.name.lower()

    @classmethod
    def named(cls, word: str) -> Level:
        """The level of that word; what is not known is a warning."""
        return cls.__members__.get(word.upper(), cls.WARNING)


class Remedy(Enum):
    """What the program itself can do about a finding."""

    NONE = ""
    ROLL_BACK = "roll back"
    """Go back to the last healthy checkpoint and on with a lower learning rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that can be wrong, the same for every run.

    `id` is what alerts, mutes and configs name it by. `metric` is the curve to look at. `meaning` is the
    rule with its numbers, `source` where those come from, `advice` what to do, in plain words.
    """

    id: str
    title: str
    metric: str
    meaning: str
    source: str
    advice: str

    @property
    def branch(self) -> str:
        """Where docs/learning.md says more."""
        return f"docs/learning.md#{self.id.partition('.')[0]}"


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that applies now: since when, and how far `value` is beyond `limit`."""

    rule: Rule
    level: Level
    text: str
    since_step: int
    since_seconds: float
    value: float | None = None
    limit: float | None = None
    remedy: Remedy = Remedy.NONE

    def evidence(self) -> dict[str, Any]:
        """What is kept with an alert beside its words, for JSON."""
        return {
            "metric": self.rule.metric,
            "since_step": self.since_step,
            "since_seconds": round(self.since_seconds, 3),
            "value": self.value,
            "limit": self.limit,
            "rule": self.rule.meaning,
            "source": self.rule.source,
            "remedy": self.remedy.value,
        }
