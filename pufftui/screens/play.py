"""The game full screen, for a person to play; without training."""

from __future__ import annotations

from dataclasses import replace

from pufftui.appearance.theme import PuffTheme
from pufftui.keys.bindings import bindings
from pufftui.keys.tables import PLAY_KEYS
from pufftui.layout.cockpit import Arrangement, arrange_play
from pufftui.layout.sheet import with_sheet
from pufftui.screens.arena import ArenaScreen
from pufftui.state.session import PlaySession
from pufftui.trainer.messages.frame import ArenaFrame
from pufftui.widgets.header import Header
from pufftui.widgets.policy import NoPolicyCard, PolicyCard
from pufftui.widgets.scoreboard import Scoreboard, TallyLine

SCORES_EVERY = 0.1
"""Seconds between two looks at the figures beside the game."""


class PlayScreen(ArenaScreen):
    """Hands the person the controls at once; leaving loses nothing and asks nothing."""

    KEYS = PLAY_KEYS
    BINDINGS = bindings(PLAY_KEYS)

    def __init__(self, session: PlaySession, look: PuffTheme) -> None:
        descriptor, opponent = session.descriptor, session.opponent
        header = Header(look, descriptor.name, opponent.name)
        policy = (
            NoPolicyCard(look, descriptor, opponent)
            if opponent.explanation
            else PolicyCard(look, descriptor)
        )
        policy.silent = "speaks once you move"
        meanwhile = "the game waits for you"
        super().__init__(session, look, header, policy, meanwhile, alone=opponent.absent)
        self.player.waits = True
        self.scores = Scoreboard(look, session)
        self.line = TallyLine(look, session)
        self.panels += [self.scores, self.line]
        self._scores = self.every(SCORES_EVERY)
        self.arena.shown = self._show_scores
        if opponent.absent:
            self.arena.prepare = _without_policy

    def plan(self, width: int, height: int) -> Arrangement:
        descriptor = self.session.descriptor
        plan = arrange_play(width, height, descriptor.picture_aspect, self.solo)
        return with_sheet(plan, self.solo) if descriptor.describes else plan

    def on_mount(self) -> None:
        if self.player.alone:
            self.player.label(take_over="play", hand_back="pause")
        self.player.take_over()

    def _show_scores(self, now: float) -> None:
        if self._scores.is_due(now):
            self.scores.paint()
            self.line.paint()


def _without_policy(frame: ArenaFrame) -> ArenaFrame:
    """The frame without what nobody thinks."""
    return replace(frame, policy_step=None, probabilities=(), value=None)
