"""What every screen with a game has in common: a person can play it, with keys held or latched."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.screen import Screen

from pufftui.appearance.theme import PuffTheme
from pufftui.keys.grip import SHIFTS, Grip, ShiftHold
from pufftui.keys.key import Key
from pufftui.keys.kitty import KeyMotion, Motion
from pufftui.keys.tables import game_hints, game_key, game_keys
from pufftui.state.session import GameSession
from pufftui.trainer.messages.command import ArenaCommand, HandBack, PauseGame, TakeOver
from pufftui.trainer.messages.frame import ArenaFrame
from pufftui.widgets.footer import Footer
from pufftui.widgets.header import Header

NEWS_SECONDS = 2.5
"""How long the banner tells how the last game ended."""


class PlayerScreen(Screen[None]):
    """Gives the game's keys to the game while a person plays, and says in a banner who does.

    `m` takes over and esc hands back; where the terminal tells when keys are let go, so does
    holding Shift alone.
    """

    KEYS: ClassVar[tuple[Key, ...]] = ()

    def __init__(self, session: GameSession, look: PuffTheme, header: Header) -> None:
        super().__init__()
        descriptor = session.descriptor
        self.session, self.look, self.header = session, look, header
        self.footer = Footer(look, descriptor, self.KEYS)
        self.playing = False
        self._keys = game_keys(descriptor)
        self._grip = Grip(descriptor)
        self._shift = ShiftHold()
        self._by_shift = False
        self._news, self._news_until = "", 0.0
        self._frame: ArenaFrame | None = None
        self._seen_human = False

    def follow_keys(self, now: float) -> None:
        """Called often: lets go of latched keys, and sees how long Shift has been held."""
        self._send(*self._grip.tick(now))
        free = not self.playing and self.app.screen is self and self._frame is not None
        if self._shift.held(now) and self._grip.real and free:
            self._by_shift = True
            self.action_take_over()

    def follow_player(self, frame: ArenaFrame) -> None:
        """Called with each frame: the arena may hand back by itself."""
        if self.playing:
            if self._seen_human and not frame.human:
                self._stop_playing()
            else:
                self.announce(frame)
            self._seen_human = frame.human

    def tell(self, news: str) -> None:
        """Shows in the banner for a moment how a game ended."""
        self._news, self._news_until = news, self.session.clock() + NEWS_SECONDS

    # The keyboard.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a person plays, all keys but two belong to the game."""
        if self.playing:
            return any(key.action == action for key in self.KEYS if key.while_playing)
        return action != "hand_back"

    def on_key(self, event: events.Key) -> None:
        if not self.playing:
            return
        event.stop()
        key = game_key(self._keys, event.key, event.character)
        if key is not None:
            self._send(*self._grip.type(key, self.session.clock()))

    def key_moved(self, moved: KeyMotion) -> None:
        """A terminal that reports it has seen a key go down or up."""
        key = game_key(self._keys, moved.key, None)
        if moved.motion is Motion.UP:
            self._shift.lift(moved.key)
            if self._by_shift and moved.key in SHIFTS:
                self.action_hand_back()
            elif key is not None and self.playing:
                self._send(*self._grip.lift(key))
        else:
            self._shift.press(moved.key, self.session.clock())
            if key is not None and self.playing and self.app.screen is self:
                self._send(*self._grip.press(key))

    def releases_reported(self, *, reported: bool) -> None:
        """The terminal has said whether it tells that keys are let go."""
        if reported != self._grip.real:
            self.let_go()
            self._grip.real = reported
            if self.playing:
                self.announce(self._frame)

    def let_go(self) -> None:
        """Releases all held keys: nobody is looking."""
        self._shift.forget()
        if not self._grip.empty:
            self._send(*self._grip.let_go())
        if self._by_shift:
            self.action_hand_back()

    def on_screen_suspend(self) -> None:
        self.let_go()

    # Who plays.

    def action_take_over(self) -> None:
        self.playing, self._seen_human = True, False
        if self._frame is not None and self._frame.paused:
            self._send(PauseGame(paused=False))
        self._send(TakeOver())
        self.announce(self._frame)
        self._label()

    def announce(self, frame: ArenaFrame | None) -> None:
        """The banner: who plays, with which keys, and the way out."""
        way_out = (self.way_out, True)
        if self.session.clock() < self._news_until:
            self.header.announce([(self._news, True), ("   ", False), way_out])
            return
        hints = ", ".join(f"{keys} {label}" for keys, label in game_hints(self.session.descriptor))
        who = f"YOU are playing agent {frame.agent + 1 if frame else 1}"
        how = f" · {self._grip.words}"
        self.header.announce([(who, True), (how, True), (f"   {hints}   ", False), way_out])

    @property
    def way_out(self) -> str:
        """How a person who plays stops, in the banner."""
        return "let go of shift to hand back" if self._by_shift else "esc hands back"

    def action_hand_back(self) -> None:
        self._stop_playing()
        self._send(HandBack())

    def _stop_playing(self) -> None:
        self.playing = self._by_shift = False
        self._send(*self._grip.let_go())
        self.header.announce([])
        self._label()

    def _label(self, **labels: str) -> None:
        """Changes what keys are called in the footer, by id."""
        self.footer.show(playing=self.playing, labels=self.footer.labels | labels)

    def _send(self, *commands: ArenaCommand) -> None:
        for command in commands:
            self.session.arena.send(command)
