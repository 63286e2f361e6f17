"""What a run is doing as JSON: one line of `--json`, one answer of the control socket."""

from __future__ import annotations

import math
from collections.abc import Collection
from json import dumps
from typing import Any

from pufftui.trainer.health import Finding
from pufftui.trainer.messages.snapshot import LOSSES, Snapshot


def report(snapshot: Snapshot, findings: Collection[Finding]) -> dict[str, Any]:
    """The figures of one report by their public names; None is what is not known.

    `alerts` are the findings of the health checks that hold now, the worst first.
    """
    return {
        "step": snapshot.step,
        "seconds": snapshot.seconds,
        "sps": snapshot.steps_per_second,
        "epoch": snapshot.epoch,
        "score": snapshot.score,
        "perf": snapshot.perf,
        "episode_return": snapshot.episode_return,
        "episode_length": snapshot.episode_length,
        "episodes": snapshot.episodes,
        "losses": {name: snapshot.losses.get(name) for name in LOSSES},
        "alerts": [alert(finding) for finding in findings],
    }


def alert(finding: Finding) -> dict[str, Any]:
    """A finding by its public names."""
    return {
        "rule": finding.rule.id,
        "level": finding.level.word,
        "title": finding.rule.title,
        "text": finding.text,
        "advice": finding.rule.advice,
        "since_step": finding.since_step,
        "value": finding.value,
        "limit": finding.limit,
    }


def json_line(value: dict[str, Any]) -> str:
    """One line of JSON; numbers that are not finite become null."""
    return dumps(finite(value), allow_nan=False) + "\n"


def finite(value: Any) -> Any:
    """The value with None for every number in it that is not finite."""
    if isinstance(value, dict):
        return {name: finite(part) for name, part in value.items()}
    if isinstance(value, list):
        return [finite(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
