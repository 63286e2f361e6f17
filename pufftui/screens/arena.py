"""What every screen with a game has in common: it follows the arena, and a person can direct it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult

from pufftui.appearance.format import figure
from pufftui.appearance.theme import PuffTheme
from pufftui.layout.cockpit import Arrangement
from pufftui.screens.dialogs.ask import AgentScreen
from pufftui.screens.dialogs.help import HelpScreen
from pufftui.screens.player import PlayerScreen
from pufftui.state.asked import Asked
from pufftui.state.session import GameSession
from pufftui.trainer.messages.command import (
    FollowAgent,
    PauseGame,
    Record,
    Rewind,
    SetPictureSize,
    SetSpeed,
    StepGame,
    StopRecording,
    Watch,
    WatchAt,
)
from pufftui.trainer.messages.frame import ArenaFrame
from pufftui.widgets.cockpit import Cockpit, CockpitLayout
from pufftui.widgets.game import GameCard
from pufftui.widgets.header import Header
from pufftui.widgets.painted import Painted
from pufftui.widgets.policy import PolicyCard
from pufftui.widgets.too_small import TooSmall

if TYPE_CHECKING:
    from pufftui.apps.training import PuffApp

POLICY_EVERY = 0.25
PLACE_EVERY = 0.25
"""Seconds between two looks at what changes slowly."""

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)

KEPT_SECONDS = 8
"""How long a message tells where a recording is."""

REWIND_SECONDS = 1.0

ANSWER_SECONDS = 1.0
"""The arena answers within a frame or two; what it has not done by then it will not do."""


class ArenaScreen(PlayerScreen):
    """Polls the arena from `tick` and hands the panels what changed.

    Subclasses name their KEYS, bind them, and say in `plan` where the panels lie.
    """

    BLANK = True

    def __init__(
        self,
        session: GameSession,
        look: PuffTheme,
        header: Header,
        policy: PolicyCard,
        meanwhile: str,
    ) -> None:
        super().__init__(session, look, header)
        self.policy = policy
        self.game = GameCard(look, session.descriptor)
        self.panels: list[Painted] = [
            header,
            self.footer,
            self.game,
            policy,
            TooSmall(look, meanwhile),
        ]
        self.solo = 0
        self._picture: tuple[int, int] | None = None
        self._due: dict[str, float] = {}
        self._game_shown = True
        self._asked_agent = Asked[int](ANSWER_SECONDS)
        self._asked_pause = Asked[bool](ANSWER_SECONDS)
        self._asked_speed = Asked[float](ANSWER_SECONDS)

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

        Below a dialog the game stands still once it is there, for it would cost a lot to draw it.
        """
        now = self.session.clock()
        self.follow_keys(now)
        if self.app.screen is self or self._lacks_picture():
            self._follow_game(now)
        if self._is_due("place", now, PLACE_EVERY):
            self._game_shown = self.game.is_on_screen

    def _is_due(self, name: str, now: float, every: float) -> bool:
        if now < self._due.get(name, 0.0):
            return False
        self._due[name] = now + every
        return True

    def _lacks_picture(self) -> bool:
        """Whether the game is in sight, but not in its size: it has just come up."""
        columns, rows = self.game.pixels
        shown = self._frame is not None and self._frame.pixels.shape[:2] == (rows, columns)
        return self._game_shown and not shown

    def _follow_game(self, now: float) -> None:
        size = self.game.pixels if self._game_shown else (0, 0)
        if size != self._picture:
            self._picture = size
            self._send(SetPictureSize(*size))
        frame = self.session.arena.latest
        if frame is None or frame is self._frame:
            return
        before, self._frame = self._frame, frame
        self._asked_agent.see(frame.agent)
        self._asked_pause.see(frame.paused)
        self._asked_speed.see(frame.speed)
        if before is None or _state(before) != _state(frame):
            self._label(
                pause_game="resume game" if frame.paused else "pause game",
                record="record" if frame.recording is None else "end recording",
                rival="against the best" if frame.rival is None else "end the match",
            )
        self.show_frame(frame, now)
        if frame.kept is not None and (before is None or before.kept is not frame.kept):
            self._tell_what_was_kept(frame)
        self.follow_player(frame)

    def show_frame(self, frame: ArenaFrame, now: float) -> None:
        """Hands the panels a new frame."""
        tally = self.session.tally
        if tally.follow(frame):
            record = ", your best yet" if tally.broken else ""
            self.tell(f"GAME OVER   you scored {figure(tally.yours)}{record}")
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

    # What the person does to it.

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
            now = self.session.clock()
            agent = (self._asked_agent.over(self._frame.agent, now) + by) % self._frame.agents
            self._asked_agent.ask(agent, now)
            self._send(Watch(agent))

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
        now, is_paused = self.session.clock(), self._frame is not None and self._frame.paused
        paused = not self._asked_pause.over(is_paused, now)
        self._asked_pause.ask(paused, now)
        self._send(PauseGame(paused=paused))

    def action_step(self, by: int) -> None:
        self._send(StepGame(by))

    def action_rewind(self) -> None:
        self._send(Rewind(REWIND_SECONDS))

    def action_speed(self, by: int) -> None:
        now = self.session.clock()
        before = self._asked_speed.over(self._frame.speed if self._frame else 1.0, now)
        at = min(range(len(SPEEDS)), key=lambda i: abs(SPEEDS[i] - before))
        speed = SPEEDS[min(max(at + by, 0), len(SPEEDS) - 1)]
        self._asked_speed.ask(speed, now)
        self._send(SetSpeed(speed))

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

    def action_privacy(self) -> None:
        self.owner.toggle_privacy()

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

    def _rearrange(self) -> None:
        # A child that asks for layout makes its parent forget the placements it remembers.
        self.header.refresh(layout=True)
        self._due.clear()
        self.call_after_refresh(self._paint_all)

    def _paint_all(self) -> None:
        for panel in self.panels:
            if panel.is_on_screen:
                panel.paint()


def _state(frame: ArenaFrame) -> tuple[bool, bool, bool]:
    """What decides how keys are called."""
    return frame.paused, frame.recording is None, frame.rival is None
