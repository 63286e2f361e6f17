"""What was told of the last minutes of a game, of which there is too much in a world of a thousand agents."""

from __future__ import annotations

from collections import deque

from pufftui.envs.words import Story, Weight

MOST_HELD = 400
MOST_SHOWN = 40
"""Stories that are kept, and how many of them are handed on."""

MOST_NEWS = 2
"""Of one step, stories of others that matter to everybody."""


class Chronicle:
    """Takes in stories step by step, and tells those that somebody who watches one agent wants to read.

    Who goes on from an earlier step leaves behind what was told after it.
    """

    def __init__(self) -> None:
        self._held: deque[tuple[int, Story]] = deque(maxlen=MOST_HELD)

    def take_in(self, step: int, watched: int, told: list[Story], agents: int) -> None:
        """Adds what was told of the step that ended as number `step`.

        Of the watched agent all is kept, of others in its environment of `agents` what matters most.
        """
        while self._held and self._held[-1][0] >= step:
            self._held.pop()
        near = [story for story in told if story.agent // agents == watched // agents]
        others = [story for story in near if story.agent != watched]
        news = [story for story in others if story.weight is Weight.NEWS][:MOST_NEWS]
        talk = [story for story in others if story.weight is Weight.TALK][:1]
        chosen = news or talk
        for story in near:
            if story.agent == watched or any(story is other for other in chosen):
                self._held.append((step, story))

    def told(self, step: int, watched: int) -> tuple[Story, ...]:
        """What is to be read after a step beside an agent, the newest last."""
        shown = [
            story
            for at, story in self._held
            if at <= step and (story.agent == watched or story.weight is not Weight.OWN)
        ]
        return tuple(shown[-MOST_SHOWN:])

    def forget(self) -> None:
        """Begins anew: another game is played."""
        self._held.clear()
