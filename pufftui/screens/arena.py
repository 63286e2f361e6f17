"""What every screen with a game has in common: it follows the arena, and a person can take over."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.screen import Screen

from pufftui.arrange import Arrangement
from pufftui.format import figure
from pufftui.grip import SHIFTS, Grip, ShiftHold
from pufftui.key import Key
from pufftui.keys import game_hints, game_key, game_keys
from pufftui.kitty import KeyMotion, Motion
from pufftui.screens.ask import AgentScreen
from pufftui.screens.help import HelpScreen
from pufftui.session import GameSession
from pufftui.theme import PuffTheme
from pufftui.trainer.command import (
    ArenaCommand,
    FollowAgent,
    HandBack,
    PauseGame,
    Record,
    Rewind,
    SetPictureSize,
    SetSpeed,
    StepGame,
    StopRecording,
    TakeOver,
    Watch,
    WatchAt,
)
from pufftui.trainer.frame import ArenaFrame
from pufftui.widgets.cockpit import Cockpit, CockpitLayout
from pufftui.widgets.footer import Footer
from pufftui.widgets.game import GameCard
from pufftui.widgets.header import Header
from pufftui.widgets.painted import Painted
from pufftui.widgets.policy import PolicyCard
from pufftui.widgets.too_small import TooSmall

if TYPE_CHECKING:
    from pufftui.app import PuffApp

POLICY_EVERY = 0.15
PLACE_EVERY = 0.25
"""Seconds between two looks at what changes slowly."""

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)

NEWS_SECONDS = 2.5
"""How long the banner tells how the last game ended."""

KEPT_SECONDS = 8
"""How long a message tells where a recording is."""

REWIND_SECONDS = 1.0


class ArenaScreen(Screen[None]):
    """Polls the arena from `tick` and hands the panels what changed.

    Subclasses name their KEYS, bind them, and say in `plan` where the panels lie.
    """

    BLANK = True
    KEYS: ClassVar[tuple[Key, ...]] = ()

    def __init__(
        self,
        session: GameSession,
        look: PuffTheme,
        header: Header,
        policy: PolicyCard,
        meanwhile: str,
    ) -> None:
        super().__init__()
        descriptor = session.descriptor
        self.session, self.look = session, look
        self.header, self.policy = header, policy
        self.footer = Footer(look, descriptor, self.KEYS)
        self.game = GameCard(look, descriptor)
        self.panels: list[Painted] = [
            header,
            self.footer,
            self.game,
            policy,
            TooSmall(look, meanwhile),
        ]
        self.solo = 0
        self.playing = False
        self._keys = game_keys(descriptor)
        self._grip = Grip(descriptor)
        self._shift = ShiftHold()
        self._by_shift = False
        self._news, self._news_until = "", 0.0
        self._frame: ArenaFrame | None = None
        self._picture: tuple[int, int] | None = None
        self._due: dict[str, float] = {}
        self._seen_human = False
        self._game_shown = True

    @property
    def owner(self) -> PuffApp:
        """The application, with its themes."""
        return cast("PuffApp", self.app)

    def plan(self, width: int, height: int) -> Arrangement:
        """Where the panels lie on a terminal of that size."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        yield Cockpit(CockpitLayout(self.plan), *self.panels)

    def begin(self) -> None:
        """Called once, when the first frame is on the screen."""

    def end(self) -> None:
        """Called once, when the application ends."""

    # What is polled.

    def tick(self) -> None:
        """Called 30 times a second; does only what is due.

        Below a dialog the game stands still, for it would cost a lot to draw it there.
        """
        now = self.session.clock()
        self._send(*self._grip.tick(now))
        if self._shift.held(now) and self._grip.real and self._free:
            self._by_shift = True
            self.action_take_over()
        if self.app.screen is self:
            self._follow_game(now)
        if self._is_due("place", now, PLACE_EVERY):
            self._game_shown = self.game.is_on_screen

    def _is_due(self, name: str, now: float, every: float) -> bool:
        if now < self._due.get(name, 0.0):
            return False
        self._due[name] = now + every
        return True

    def _follow_game(self, now: float) -> None:
        region = self.game.picture
        size = (region.width, region.height * 2) if self._game_shown else (0, 0)
        if size != self._picture:
            self._picture = size
            self._send(SetPictureSize(*size))
        frame = self.session.arena.latest
        if frame is None or frame is self._frame:
            return
        before, self._frame = self._frame, frame
        if before is None or _state(before) != _state(frame):
            self._label(
                pause_game="resume game" if frame.paused else "pause game",
                record="record" if frame.recording is None else "end recording",
                rival="against the best" if frame.rival is None else "end the match",
            )
        self.show_frame(frame, now)
        if frame.kept is not None and (before is None or before.kept is not frame.kept):
            self._tell_what_was_kept(frame)
        if self.playing:
            if self._seen_human and not frame.human:
                self._stop_playing()
            else:
                self.announce(frame)
            self._seen_human = frame.human

    def show_frame(self, frame: ArenaFrame, now: float) -> None:
        """Hands the panels a new frame."""
        tally = self.session.tally
        if tally.follow(frame):
            record = ", your best yet" if tally.broken else ""
            self._news = f"GAME OVER   you scored {figure(tally.yours)}{record}"
            self._news_until = now + NEWS_SECONDS
        self.game.show(frame)
        if self.policy.is_on_screen and self._is_due("policy", now, POLICY_EVERY):
            self.policy.show(frame)

    def _tell_what_was_kept(self, frame: ArenaFrame) -> None:
        """Says where a recording is, or why it is nowhere."""
        kept = frame.kept
        assert kept is not None
        if kept.trouble:
            self.notify(kept.trouble, title="Not recorded", severity="error", markup=False)
        else:
            text = f"{kept.steps} steps, {kept.human_steps} of them yours:\n{kept.path}"
            self.notify(text, title="Demonstration kept", timeout=KEPT_SECONDS, markup=False)

    # The keys of the game.

    @property
    def _free(self) -> bool:
        """Whether the person looks at the game and does not play it."""
        return not self.playing and self.app.screen is self

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

    def action_record(self) -> None:
        if self._frame is None:
            return
        if self._frame.recording is not None:
            self._send(StopRecording())
        else:
            self._send(Record(self.session.demonstrations, self.session.source))

    # Which agent, and which time.

    def action_agent(self, by: int) -> None:
        if self._frame is not None:
            self._send(Watch((self._frame.agent + by) % self._frame.agents))

    def action_agent_number(self) -> None:
        if self._frame is not None:
            self.app.push_screen(AgentScreen(self.look, self._frame.agents, self._watch))

    def _watch(self, agent: int) -> None:
        self._send(Watch(agent))

    def action_follow(self) -> None:
        if self._frame is not None:
            self._send(FollowAgent(self._frame.follow.next))

    def on_game_card_pointed(self, event: GameCard.Pointed) -> None:
        if not self.playing:
            self._send(WatchAt(event.x, event.y))

    def action_pause_game(self) -> None:
        self._send(PauseGame(paused=self._frame is None or not self._frame.paused))

    def action_step(self, by: int) -> None:
        self._send(StepGame(by))

    def action_rewind(self) -> None:
        self._send(Rewind(REWIND_SECONDS))

    def action_speed(self, by: int) -> None:
        speed = self._frame.speed if self._frame else 1.0
        at = min(range(len(SPEEDS)), key=lambda i: abs(SPEEDS[i] - speed))
        self._send(SetSpeed(SPEEDS[min(max(at + by, 0), len(SPEEDS) - 1)]))

    # The screen.

    def action_panel(self, number: int) -> None:
        self.solo = 0 if number == self.solo else number
        self._rearrange()

    def action_quit(self) -> None:
        raise NotImplementedError

    def action_leave(self) -> None:
        self.action_quit()

    def action_theme(self) -> None:
        self.owner.next_theme()

    def action_help(self) -> None:
        self.app.push_screen(
            HelpScreen(self.look, self.session.descriptor, self.KEYS, real=self._grip.real)
        )

    def action_palette(self) -> None:
        self.app.action_command_palette()

    def dress(self, look: PuffTheme) -> None:
        """Changes to another theme."""
        self.look = look
        for panel in self.panels:
            panel.dress(look)

    def _label(self, **labels: str) -> None:
        """Changes what keys are called in the footer, by id."""
        self.footer.show(playing=self.playing, labels=self.footer.labels | labels)

    def _rearrange(self) -> None:
        # A child that asks for layout makes its parent forget the placements it remembers.
        self.header.refresh(layout=True)
        self._due.clear()
        self.call_after_refresh(self._paint_all)

    def _paint_all(self) -> None:
        for panel in self.panels:
            if panel.is_on_screen:
                panel.paint()

    def _send(self, *commands: ArenaCommand) -> None:
        for command in commands:
            self.session.arena.send(command)


def _state(frame: ArenaFrame) -> tuple[bool, bool, bool]:
    """What decides how keys are called."""
    return frame.paused, frame.recording is None, frame.rival is None
