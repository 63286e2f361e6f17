"""Trouble with episodes: none that ends, so that there is no score."""

from __future__ import annotations

from pufftui.trainer.health.detector import Detector, finding
from pufftui.trainer.health.finding import Finding, Level, Rule
from pufftui.trainer.health.moment import Facts, Moment
from pufftui.trainer.health.score_track import ScoreTrack

LEAST, LEAST_EACH, HORIZONS = 100_000, 1000, 4
"""Agent steps in all, of each agent, and the same in rollouts, before it is odd that none has ended."""


class NoEpisodes(Detector):
    """No episode has ended yet in any environment."""

    rule = Rule(
        id="episodes.none",
        title="No episode has ended yet",
        metric="episodes",
        meaning=f"Not one episode has ended after {LEAST:,} agent steps, {LEAST_EACH:,} steps of each agent and"
        f" {HORIZONS} rollouts.",
        source="no statistics are needed",
        advice="The score is a mean over episodes that have ended, so there is none. If episodes are meant to be that long,"
        " wait. Otherwise see that the step sets terminals, or truncations after a time limit; a game that is endless on"
        " purpose needs such a limit, too. pufftui env check looks for it.",
    )

    def __init__(self, facts: Facts, track: ScoreTrack) -> None:
        super().__init__(facts, track)
        agents = facts.agents
        self._least = max(LEAST, agents * max(LEAST_EACH, HORIZONS * facts.horizon))
        self._known = agents > 0

    def see(self, moment: Moment) -> Finding | None:
        episodes = moment.get("episodes")
        if not self._known or episodes is None or episodes > 0 or moment.step < self._least:
            return None
        each = moment.step // self._facts.agents
        text = f"Each agent has played {each:,} steps without an end."
        start = Moment(0, 0.0, {})
        return finding(self.rule, Level.INFO, text, start, 0.0, 1.0)
