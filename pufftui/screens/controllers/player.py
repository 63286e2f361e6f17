"""A person plays: from the keys that are hit or held to the game, and the banner that says so."""

from __future__ import annotations

from textual import events

from pufftui.keys.game import game_hints, game_key, game_keys, is_shifted
from pufftui.keys.grip import SHIFTS, Grip, ShiftHold, begins
from pufftui.keys.kitty import KeyMotion, Motion
from pufftui.screens.panels import PanelScreen
from pufftui.state.session import GameSession
from pufftui.trainer.messages.command import ArenaCommand, Begin, HandBack, PauseGame, TakeOver
from pufftui.trainer.messages.frame import ArenaFrame
from pufftui.widgets.footer import Footer
from pufftui.widgets.header import Header

NEWS_SECONDS = 2.5
"""How long the banner tells how the last game ended."""

FIRST_KEY = "any key begins"
"""What the banner says until the person plays."""


class PlayerController:
    """Gives the game's keys to the game while a person plays, and says in a banner who does.

    `m` takes over and esc hands back; where the terminal tells when keys are let go, so does
    holding Shift alone. Where the person plays `alone`, there is no policy to hand back to, and the
    game waits instead.
    """

    def __init__(
        self,
        screen: PanelScreen,
        session: GameSession,
        header: Header,
        footer: Footer,
        *,
        alone: bool = False,
    ) -> None:
        self.playing = False
        self.no_game = ""
        """Why there is nothing to play, if there is not."""
        self.alone = alone
        self.waits = False
        """Whether the game waits for the person's first key."""
        self._screen, self._session = screen, session
        self._header, self._footer = header, footer
        self._keys = game_keys(session.descriptor)
        self._grip = Grip(session.descriptor)
        self._shift = ShiftHold()
        self._by_shift = False
        self._news, self._news_until = "", 0.0
        self._frame: ArenaFrame | None = None
        self._seen_human = False

    @property
    def real(self) -> bool:
        """Whether the terminal tells when keys are let go."""
        return self._grip.real

    def tick(self, now: float) -> None:
        """Called often: lets go of latched keys, and sees how long Shift has been held."""
        self._send(*self._grip.tick(now))
        free = not self.playing and self._screen.in_front and self._frame is not None
        if self._shift.held(now) and self._grip.real and free:
            self._by_shift = True
            self.take_over()

    def follow(self, frame: ArenaFrame) -> None:
        """Called with each frame: the arena may hand back by itself."""
        self._frame = frame
        if self.playing:
            handed_back = self._seen_human and not frame.human
            self._seen_human = frame.human
            if handed_back:
                self._stop_playing()
            else:
                self._announce()

    def tell(self, news: str) -> None:
        """Shows in the banner for a moment how a game ended."""
        self._news, self._news_until = news, self._session.clock() + NEWS_SECONDS

    def label(self, **labels: str) -> None:
        """Changes what keys are called in the footer, by id."""
        self._footer.show(playing=self.playing, labels=self._footer.labels | labels)

    # The keyboard.

    def type(self, event: events.Key) -> None:
        """A key has been hit; while a person plays it is the game's."""
        if not self.playing:
            return
        event.stop()
        key = game_key(self._keys, event.key, event.character)
        if key is not None:
            shift = is_shifted(event.key, event.character)
            self._send(*self._grip.type(key, self._session.clock(), shift=shift))
        elif self._expected and begins(event.key):
            self._send(Begin())

    def key_moved(self, moved: KeyMotion) -> None:
        """A terminal that reports it has seen a key go down or up."""
        key = game_key(self._keys, moved.key, None)
        if moved.motion is Motion.UP:
            self._shift.lift(moved.key)
            if self._by_shift and moved.key in SHIFTS:
                self.hand_back()
            elif key is not None and self.playing:
                self._send(*self._grip.lift(key))
        else:
            self._shift.press(moved.key, self._session.clock())
            # With Shift it is not held: then it is typed, too, which is for one decision.
            held = self._by_shift or not self._shift.down
            if key is not None and held and self.playing and self._screen.in_front:
                self._send(*self._grip.press(key))

    def releases_reported(self, *, reported: bool) -> None:
        """The terminal has said whether it tells that keys are let go."""
        if reported != self._grip.real:
            self.let_go()
            self._grip.real = reported
            if self.playing:
                self._announce()

    def let_go(self) -> None:
        """Releases all held keys: nobody is looking."""
        self._shift.forget()
        if not self._grip.empty:
            self._send(*self._grip.let_go())
        if self._by_shift:
            self.hand_back()

    # Who plays.

    def take_over(self) -> None:
        """The person plays the watched agent, from the first key on."""
        if self.no_game:
            self._screen.notify(self.no_game, title="No game", markup=False)
            return
        self.playing, self._seen_human = True, False
        if self._frame is not None and self._frame.paused:
            self._send(PauseGame(paused=False))
        self._send(TakeOver(waits=self.waits))
        self._announce()
        self.label()

    def hand_back(self) -> None:
        """The policy plays again, or the game waits where there is none."""
        if self.alone:
            self._send(PauseGame(paused=True))
        self._stop_playing()
        self._send(HandBack())

    def _stop_playing(self) -> None:
        self.playing = self._by_shift = False
        self._send(*self._grip.let_go())
        self._header.announce([])
        self.label()

    def _announce(self) -> None:
        """The banner: who plays, with which keys, and the way out."""
        way_out = (self._way_out, True)
        if self._session.clock() < self._news_until:
            begin = f"   {FIRST_KEY}   " if self._expected else "   "
            self._header.announce([(self._news, True), (begin, False), way_out])
            return
        hints = ", ".join(f"{keys} {label}" for keys, label in game_hints(self._session.descriptor))
        who = f"YOU are playing agent {self._frame.agent + 1 if self._frame else 1}"
        if self._expected:
            who = FIRST_KEY
        how = f" · {self._grip.words}"
        self._header.announce([(who, True), (how, True), (f"   {hints}   ", False), way_out])

    @property
    def _expected(self) -> bool:
        """Whether the game, or the policy that plays on, expects the person's first key."""
        if not self._seen_human or self._frame is None:  # not answered yet
            return self.playing and not self._session.descriptor.turn_based
        return self._frame.expecting

    @property
    def _way_out(self) -> str:
        if self._by_shift:
            return "let go of shift to hand back"
        return "esc pauses" if self.alone else "esc hands back"

    def _send(self, *commands: ArenaCommand) -> None:
        for command in commands:
            self._session.arena.send(command)
