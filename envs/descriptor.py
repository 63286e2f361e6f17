"""What an environment says about itself, as plain Python values; mirrors `puff_descriptor`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from pufftui.envs.errors import PuffError, nearest


class DType(IntEnum):
    """Element type of an observation field."""

    UINT8 = 0
    FLOAT32 = 1

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return 1 if self is DType.UINT8 else 4


class ActionKind(IntEnum):
    """What the numbers of an action are."""

    DISCRETE = 0
    MULTI_DISCRETE = 1
    CONTINUOUS = 2


class ParameterType(IntEnum):
    """Type of an environment's parameter."""

    INTEGER = 0
    REAL = 1
    BOOLEAN = 2


@dataclass(frozen=True, slots=True)
class Field:
    """A run of equal elements in the observation; `classes` > 0 marks categories."""

    name: str
    offset: int
    count: int
    dtype: DType
    classes: int


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a discrete action and the keys that choose it."""

    label: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Action:
    """One component of the action; continuous ones have a choice for -1 and one for +1."""

    name: str
    neutral: int
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A setting of the environment."""

    name: str
    type: ParameterType
    default: float
    low: float
    high: float
    help: str

    def check(self, value: object, owner: str) -> float:
        """The value as a number; raises `PuffError` that names the range if it does not fit."""
        if isinstance(value, str):
            words = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}
            try:
                value = words.get(value.lower()) or float(value.replace("_", ""))
            except ValueError:
                value = None if value.lower() not in words else 0.0
        whole = self.type is not ParameterType.REAL
        if (
            not isinstance(value, (int, float))
            or not self.low <= value <= self.high
            or (whole and value != int(value))
        ):
            kind = "a whole number" if whole else "a number"
            raise PuffError(
                f"{owner} cannot be {value!r}."
                if value is not None
                else f"{owner} has no such value.",
                f"It takes {kind} from {self.low:g} to {self.high:g}.",
                usage=True,
            )
        return float(value)


@dataclass(frozen=True, slots=True)
class Descriptor:
    """Everything an environment declares; the meaning of each field is in puff_env.h."""

    name: str
    summary: str
    observation_bytes: int
    fields: tuple[Field, ...]
    action_kind: ActionKind
    actions: tuple[Action, ...]
    agents: int
    frames_per_second: float
    frames_per_step: int
    turn_based: bool
    score_low: float
    score_high: float
    picture_aspect: float
    parameters: tuple[Parameter, ...]
    statistics: tuple[str, ...]

    @property
    def steps_per_second(self) -> float:
        """Decisions per second at the game's natural speed."""
        return self.frames_per_second / self.frames_per_step

    def perf(self, score: float) -> float:
        """The score scaled to 0..1."""
        return min(max((score - self.score_low) / (self.score_high - self.score_low), 0.0), 1.0)

    def parameter_values(self, given: dict[str, object]) -> dict[str, float]:
        """All parameters by name, defaults filled in; raises `PuffError` for what is unknown."""
        known = {parameter.name: parameter for parameter in self.parameters}
        for name in given:
            if name not in known:
                hint = nearest(name, known) or f"{self.name} has no parameters."
                raise PuffError(f"{self.name} has no parameter {name}.", hint, usage=True)
        return {
            name: parameter.check(given[name], f"env.{name}")
            if name in given
            else parameter.default
            for name, parameter in known.items()
        }
