"""What an environment says about itself, as plain Python values; mirrors `puff_descriptor`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from pufftui.envs.errors import PuffError, nearest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class DType(IntEnum):
    """Element type of an observation field."""

    UINT8 = 0
    FLOAT32 = 1
    INT16 = 2
    BITS = 3

    @property
    def width(self) -> int:
        """Bits of one element."""
        return {DType.UINT8: 8, DType.FLOAT32: 32, DType.INT16: 16, DType.BITS: 1}[self]

    @property
    def unit(self) -> float:
        """What the policy sees of 1, unless it is a category: bytes become 0 to 1."""
        return 1 / 255 if self is DType.UINT8 else 1.0

    def size(self, count: int) -> int:
        """Bytes of so many elements."""
        return -(-count * self.width // 8)


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
    """A run of equal elements in the observation; `classes` > 0 marks categories.

    All elements are from `low` to `high`, if the environment says so; else both are 0. Where `columns` > 0 they are the
    cells of a map, row by row.
    """

    name: str
    offset: int
    count: int
    dtype: DType
    classes: int
    low: float = 0.0
    high: float = 0.0
    columns: int = 0

    @property
    def size(self) -> int:
        """Bytes of all its elements."""
        return self.dtype.size(self.count)

    @property
    def end(self) -> int:
        """The byte of the observation behind its last one."""
        return self.offset + self.size

    def place(self, index: int) -> range:
        """The bytes of the observation that hold an element; several bits share one."""
        first = self.offset + index * self.dtype.width // 8
        return range(first, first + self.dtype.size(1))

    def values(self, observations: NDArray[np.uint8]) -> NDArray[Any]:
        """Its elements (..., count) in observations (..., bytes): uint8, also bits; float32 or int16."""
        import numpy as np  # Lists of environments do without.

        part = np.ascontiguousarray(observations[..., self.offset : self.end])
        if self.dtype is DType.BITS:
            return np.unpackbits(part, axis=-1, count=self.count, bitorder="little")
        numbers = {DType.UINT8: np.uint8, DType.FLOAT32: np.float32, DType.INT16: np.int16}
        return part.view(numbers[self.dtype])

    @property
    def is_bounded(self) -> bool:
        """Whether `low` and `high` are declared."""
        return self.low < self.high

    @property
    def is_unbounded(self) -> bool:
        """Whether its numbers may be of any size: only play shows what they are."""
        return self.dtype in (DType.FLOAT32, DType.INT16) and not self.is_bounded

    @property
    def is_open(self) -> bool:
        """Whether only play shows how its numbers are spread: as above, and bytes, which may use 3 of 256."""
        return self.is_unbounded or (
            self.dtype is DType.UINT8 and not self.classes and not self.is_bounded
        )


TOGETHER = "+"
"""Joins keys that choose something when all of them are held."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a discrete action and the keys that choose it, some perhaps together."""

    label: str
    keys: tuple[str, ...]

    @property
    def single_keys(self) -> tuple[str, ...]:
        """Those that choose it alone."""
        return tuple(key for key in self.keys if TOGETHER not in key)


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
        number = self._number(value)
        if self.low <= number <= self.high and (self.type is ParameterType.REAL or number % 1 == 0):
            return number
        raise PuffError(f"{owner} cannot be {value}.", f"It takes {self.range}.", usage=True)

    @property
    def range(self) -> str:
        """What the parameter takes, in words."""
        if self.type is ParameterType.BOOLEAN:
            return "true or false"
        kind = "a number" if self.type is ParameterType.REAL else "a whole number"
        return f"{kind} from {self.low:g} to {self.high:g}"

    def _number(self, value: object) -> float:
        """The value as a float; NaN, which is in no range, for what is not of this type."""
        boolean = self.type is ParameterType.BOOLEAN
        if isinstance(value, str):
            words = {"true": 1.0, "false": 0.0} if boolean else {}
            try:
                return words[value.lower()] if value.lower() in words else float(value)
            except ValueError:
                return math.nan
        if isinstance(value, (int, float)) and (boolean or not isinstance(value, bool)):
            return float(value)
        return math.nan


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
    locates: bool = False
    picture_columns: int = 0
    """Columns of the picture that have whole pixels each where there is room; 0 without."""
    meanings: tuple[str, ...] = ()
    """What each statistic means, in words; nothing if the environment does not say."""
    views: tuple[str, ...] = ()
    """How the picture can be looked at; nothing if there is one way."""
    tapped_keys: tuple[str, ...] = ()
    """Keys of which each press counts for one decision."""
    fills_any_shape: bool = False
    describes: bool = False
    """Whether there is something to read beside the picture."""

    @property
    def steps_per_second(self) -> float:
        """Decisions per second at the game's natural speed."""
        return self.frames_per_second / self.frames_per_step

    @property
    def explained_statistics(self) -> dict[str, str]:
        """What each statistic means, by its name, as far as the environment says."""
        pairs = zip(self.statistics, self.meanings, strict=False)
        return {name: meaning for name, meaning in pairs if meaning}

    def perf(self, score: float) -> float:
        """The score scaled to 0..1."""
        return min(max((score - self.score_low) / (self.score_high - self.score_low), 0.0), 1.0)

    def parameter_values(self, given: Mapping[str, object]) -> dict[str, float]:
        """All parameters by name, defaults filled in; raises `PuffError` for what is unknown."""
        known = {parameter.name: parameter for parameter in self.parameters}
        for name in given:
            if name not in known:
                hint = nearest(name, known) or f"{self.name} has no parameters."
                raise PuffError(f"{self.name} has no parameter {name}.", hint, usage=True)
        values = {name: parameter.default for name, parameter in known.items()}
        return values | {name: known[name].check(given[name], f"env.{name}") for name in given}


def unknown_env(name: str, score_low: float = math.nan, score_high: float = math.nan) -> Descriptor:
    """Stands for an environment that is not there: it has a name and nothing to see or do."""
    return Descriptor(
        name=name,
        summary="",
        observation_bytes=0,
        fields=(),
        action_kind=ActionKind.DISCRETE,
        actions=(),
        agents=1,
        frames_per_second=30.0,
        frames_per_step=1,
        turn_based=False,
        score_low=score_low,
        score_high=score_high,
        picture_aspect=1.5,
        parameters=(),
        statistics=(),
    )
