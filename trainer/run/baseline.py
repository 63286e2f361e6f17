"""The trained policy that comes with a game, and all that is known of it: the folder `baseline` of an environment.

    policy.npz       a checkpoint with the policy alone, which all doors for checkpoints read
    config.toml      the settings of the run that it is of
    curve.json       that run's score in training: lists of step, seconds and score
    evaluation.json  how well it plays: what `pufftui eval --json` prints
    made.json        the command and version that made it, and the evaluations of all seeds

`benchmarks/baselines.py` writes it. The description of the policy says what the game observed and did then: one that
observes or does something else now gets no policy, though the numbers of both may be the same.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pufftui.envs.catalogue import env_names, find_env, load_env
from pufftui.envs.descriptor import Descriptor
from pufftui.envs.errors import PuffError
from pufftui.envs.headers import ABI
from pufftui.envs.reading import read_small_text
from pufftui.trainer.run.checkpoint import Saved, Section, read_saved

OF = ":"
"""Stands between the word and an environment; no run's name holds it."""

POLICY_FILE, CONFIG_FILE = "policy.npz", "config.toml"
CURVE_FILE, EVALUATION_FILE, MADE_FILE = "curve.json", "evaluation.json", "made.json"

GAME, INTERFACE = "game", "interface"
"""In the description of the policy: what the game observed and did, and the interface of its headers."""

NEAR = 0.95
"""The share of its way at which a curve counts as having come to its score."""


def has_baseline(env: str) -> bool:
    """Whether a policy comes with an environment, whether it fits or not; False for one that is not there."""
    try:
        return os.path.isfile(find_env(env).baseline / POLICY_FILE)  # noqa: PTH113 - never raises
    except PuffError:
        return False


def read_baseline(env: str, section: Section = "") -> Saved:
    """The checkpoint that comes with an environment, by its `id`; of its arrays those that begin with `section`.

    Raises `PuffError` if there is none, if it is damaged, and if it does not fit the game any more.
    """
    folder = find_env(env)
    if not has_baseline(env):
        there = ", ".join(name for name in env_names() if has_baseline(name))
        message = f"No baseline comes with {folder.name}."
        raise PuffError(message, f"There is one of {there}.", usage=True)
    saved = read_saved(folder.baseline / POLICY_FILE, section)
    refuse_another_game(saved.description, load_env(env).descriptor)
    return saved


def refuse_another_game(description: Mapping[str, Any], descriptor: Descriptor) -> None:
    """Raises `PuffError` if a baseline's game observes or does something else now."""
    then, now, name = description.get(GAME), game_of(descriptor), descriptor.name
    if not isinstance(then, dict):
        then = {}
    differ = [part for part, known in now.items() if then.get(part) != known]
    newer = description.get(INTERFACE)
    if isinstance(newer, int) and newer > ABI:
        message = f"The baseline of {name} is of interface {newer}, this pufftui speaks 1 to {ABI}."
    elif differ:
        message = f"The baseline of {name} was trained with other {' and '.join(differ)}."
    else:
        return
    raise PuffError(message, f"Train a policy of your own: pufftui train {name}.")


def game_of(descriptor: Descriptor) -> dict[str, Any]:
    """What a game observes and does, as JSON has it; by words for people."""
    return {
        "observations": [
            [field.name, field.dtype.name, field.count, field.classes, field.low, field.high]
            for field in descriptor.fields
        ],
        "actions": [
            [descriptor.action_kind.name, action.name, [choice.label for choice in action.choices]]
            for action in descriptor.actions
        ],
    }


@dataclass(frozen=True, slots=True)
class BaselineCurve:
    """The score of the run in training, where it was known: three lists of the same length, steps rising."""

    steps: Sequence[float]
    seconds: Sequence[float]
    scores: Sequence[float]

    def milestone(self) -> tuple[float, float]:
        """A round score near its best, and the seconds after which it was reached first; there are points."""
        first, best = self.scores[0], max(self.scores)
        goal = _rounded(first + NEAR * (best - first))
        reached = (at for at, score in zip(self.seconds, self.scores, strict=True) if score >= goal)
        return goal, next(reached)


def read_curve(env: str) -> BaselineCurve | None:
    """The curve of an environment's baseline; None if there is none, or none that can be read."""
    if not has_baseline(env):
        return None
    try:
        table = read_json(find_env(env).baseline / CURVE_FILE)
        step, seconds, score = (
            tuple(float(value) for value in table[name]) for name in ("step", "seconds", "score")
        )
    except (PuffError, LookupError, TypeError, ValueError):
        return None
    whole = len(step) == len(seconds) == len(score) > 0 and list(step) == sorted(step)
    return BaselineCurve(step, seconds, score) if whole else None


def read_json(file: Path) -> dict[str, Any]:
    """An object that lies in a baseline's folder; raises `PuffError` if it cannot be read."""
    try:
        found = json.loads(read_small_text(file))
    except (OSError, ValueError, RecursionError) as error:
        raise PuffError(f"{file} cannot be read ({error}).", "Reinstall pufftui.") from None
    if not isinstance(found, dict):
        raise PuffError(f"{file} holds no JSON object.", "Reinstall pufftui.")
    return found


def _rounded(value: float) -> float:
    """The value with two digits, never more than it was."""
    text = f"{value:.1e}"
    rounded = float(text)
    if rounded <= value:
        return rounded
    return rounded - float(f"1e{int(text.partition('e')[2]) - 1}")
