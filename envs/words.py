"""What environments tell people: the sheet beside a picture, and stories of what happened.

The texts are an environment's, so a stranger's perhaps: they may hold anything until they come to a screen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from pufftui.envs.library import interface


class RowKind(IntEnum):
    """What a row of a sheet is; `FAINT` is nothing now, or cannot be done."""

    TITLE = 0
    FACT = 1
    FAINT = 2
    BAR = 3


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A label and a value; `choice` of the action's first component has to do with it now, -1 for none.

    `share` is how full a bar is, from 0 to 1; `colour` is 0xRRGGBB, 0 for none.
    """

    kind: RowKind
    label: str
    value: str = ""
    choice: int = -1
    share: float = 0.0
    colour: int = 0


class Weight(IntEnum):
    """How much a story matters: to who watches that very agent, to who has time, to everybody."""

    OWN = 0
    TALK = 1
    NEWS = 2


@dataclass(frozen=True, slots=True)
class Story:
    """What an agent, counted over all environments, did or met with, in words that follow its name."""

    agent: int
    weight: Weight
    text: str


def read_sheet(sheet: Any) -> tuple[SheetRow, ...]:
    """The rows of a `puff_sheet`; what makes no sense in one becomes nothing."""
    count = min(int(sheet.count), len(sheet.rows))
    return tuple(_read_row(sheet.rows[i]) for i in range(count))


def _read_row(row: Any) -> SheetRow:
    known = row.kind in RowKind.__members__.values()
    share = float(row.share)
    return SheetRow(
        kind=RowKind(row.kind) if known else RowKind.FACT,
        label=_text(row.label),
        value=_text(row.value),
        choice=int(row.choice),
        share=min(max(share, 0.0), 1.0) if math.isfinite(share) else 0.0,
        colour=int(row.colour) & 0xFFFFFF,
    )


def _text(letters: Any) -> str:
    """The text of an array of `char`, to the 0 at its end, or to its own."""
    raw: bytes = interface().string(letters)
    return raw.decode("utf-8", "replace")


class StoryListener:
    """Hears what some environments tell, each in a ring of its own; `agents` are in each of them.

    `pointer` is what a step is given.
    """

    def __init__(self, environments: int, agents: int) -> None:
        self.pointer = interface().new("puff_stories[]", environments)
        self._agents = agents
        self._heard = [0] * environments

    def watch(self, agent: int) -> None:
        """Hears also what matters to nobody but who watches this agent."""
        for environment in range(len(self._heard)):
            there = agent // self._agents == environment
            watched = agent % self._agents if there else self._agents
            self.pointer[environment].watched = watched

    def heard(self) -> list[Story]:
        """What was told since the last call, in the order of the environments; of much, the newest."""
        found: list[Story] = []
        for environment, before in enumerate(self._heard):
            ring = self.pointer[environment]
            told, room = int(ring.told), len(ring.stories)
            for number in range(max(before, told - room), told):
                story = ring.stories[number % room]
                if story.agent < self._agents:
                    agent = environment * self._agents + int(story.agent)
                    weight = Weight(min(int(story.weight), Weight.NEWS))
                    found.append(Story(agent, weight, _text(story.text)))
            self._heard[environment] = told
        return found
