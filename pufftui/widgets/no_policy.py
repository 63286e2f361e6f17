"""What stands in the policy's place where there is none."""

from __future__ import annotations

import textwrap

from pufftui.appearance.line import Line
from pufftui.appearance.theme import PuffTheme
from pufftui.envs.descriptor import Descriptor
from pufftui.state.opponent import Opponent
from pufftui.widgets.policy import PolicyCard


class NoPolicyCard(PolicyCard):
    """One sentence on who plays instead, and the command that makes a policy."""

    def __init__(self, look: PuffTheme, descriptor: Descriptor, opponent: Opponent) -> None:
        super().__init__(look, descriptor)
        self._opponent = opponent

    def detail(self) -> str:
        return "none"

    def content(self, width: int, height: int) -> list[Line]:
        words = textwrap.wrap(self.look.words(self._opponent.explanation), width)
        lines: list[Line] = [[(line, self.look.style("dim"))] for line in words]
        return [*lines, [(self._opponent.remedy, self.look.style("policy"))]]
