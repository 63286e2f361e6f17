"""The game full screen, for a person to play; without training."""

from __future__ import annotations

from dataclasses import replace

from pufftui.appearance.theme import PuffTheme
from pufftui.keys.tables import PLAY_KEYS, bindings
from pufftui.layout.cockpit import Arrangement, arrange_play
from pufftui.screens.arena import ArenaScreen
from pufftui.state.session import PlaySession
from pufftui.trainer.messages.command import PauseGame
from pufftui.trainer.messages.frame import ArenaFrame
from pufftui.widgets.header import Header
from pufftui.widgets.no_policy import NoPolicyCard
from pufftui.widgets.policy import PolicyCard
from pufftui.widgets.scoreboard import Scoreboard, TallyLine

SCORES_EVERY = 0.1
"""Seconds between two looks at the figures beside the game."""


class PlayScreen(ArenaScreen):
    """Hands the person the controls at once; leaving loses nothing and asks nothing."""

    KEYS = PLAY_KEYS
    BINDINGS = bindings(PLAY_KEYS)
    session: PlaySession

    def __init__(self, session: PlaySession, look: PuffTheme) -> None:
        descriptor = session.descriptor
        header = Header(look, descriptor.name, session.opponent.name)
        policy = (
            NoPolicyCard(look, descriptor, session.opponent)
            if session.opponent.explanation
            else PolicyCard(look, descriptor)
        )
        policy.silent = "speaks once you move"
        super().__init__(session, look, header, policy, "the game waits for you")
        self.scores = Scoreboard(look, session)
        self.line = TallyLine(look, session)
        self.panels += [self.scores, self.line]

    def plan(self, width: int, height: int) -> Arrangement:
        return arrange_play(width, height, self.session.descriptor.picture_aspect, self.solo)

    def on_mount(self) -> None:
        if self.session.opponent.absent:
            self._label(take_over="play", hand_back="pause")
        self.action_take_over()

    def show_frame(self, frame: ArenaFrame, now: float) -> None:
        if self.session.opponent.absent:
            frame = replace(frame, policy_step=None, probabilities=(), value=None)
        super().show_frame(frame, now)
        if self._is_due("scores", now, SCORES_EVERY):
            self.scores.paint()
            self.line.paint()

    @property
    def way_out(self) -> str:
        alone = self.session.opponent.absent and not self._by_shift
        return "esc pauses" if alone else super().way_out

    def action_hand_back(self) -> None:
        # With nobody to hand back to, the game waits.
        if self.session.opponent.absent:
            self._send(PauseGame(paused=True))
        super().action_hand_back()

    def action_pause_game(self) -> None:
        if self.session.opponent.absent:
            self.action_take_over()
        else:
            super().action_pause_game()

    def action_quit(self) -> None:
        self.app.exit()
