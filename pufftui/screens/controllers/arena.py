"""The games that are watched: the newest frame on its panels, and what a person does to them."""

from __future__ import annotations

from collections.abc import Callable

from pufftui.appearance.format import figure
from pufftui.screens.controllers.player import PlayerController
from pufftui.screens.dialogs.ask import AgentScreen
from pufftui.screens.panels import PanelScreen
from pufftui.state.asked import Asked
from pufftui.state.session import GameSession
from pufftui.trainer.messages.command import (
    ArenaCommand,
    FollowAgent,
    NextView,
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
from pufftui.widgets.game import GameCard
from pufftui.widgets.policy import PolicyCard
from pufftui.widgets.sheet import SheetCard

POLICY_EVERY = 0.25
PLACE_EVERY = 0.25
"""Seconds between two looks at what changes slowly."""

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)

KEPT_SECONDS = 8
"""How long a message tells where a recording is."""

REWIND_SECONDS = 1.0

ANSWER_SECONDS = 1.0
"""The arena answers within a frame or two; what it has not done by then it will not do."""


class ArenaController:
    """Follows the arena and directs it; `show` gets each frame on its way to the panels."""

    def __init__(
        self,
        screen: PanelScreen,
        session: GameSession,
        game: GameCard,
        policy: PolicyCard,
        sheet: SheetCard,
        player: PlayerController,
    ) -> None:
        self.frame: ArenaFrame | None = None
        """What is on the screen."""
        self.prepare: Callable[[ArenaFrame], ArenaFrame] = lambda frame: frame
        """What is done to a frame before it is shown."""
        self.shown: Callable[[float], None] = lambda _: None
        """Called with the time when a frame is on its panels."""
        self._screen, self._session, self._player = screen, session, player
        self._game, self._policy, self._sheet = game, policy, sheet
        self._picture: tuple[int, int] | None = None
        self._game_shown = True
        self._policy_interval = screen.every(POLICY_EVERY)
        self._place_interval = screen.every(PLACE_EVERY)
        self._asked_agent = Asked[int](ANSWER_SECONDS)
        self._asked_pause = Asked[bool](ANSWER_SECONDS)
        self._asked_speed = Asked[float](ANSWER_SECONDS)

    def tick(self, now: float) -> None:
        """Called 30 times a second.

        Below a dialog the game stands still once it is there, for it would cost a lot to draw it.
        """
        if self._screen.in_front or self._lacks_picture():
            self._follow(now)
        if self._place_interval.is_due(now):
            self._game_shown = self._game.is_on_screen

    def _lacks_picture(self) -> bool:
        """Whether the game is in sight, but not in its size: it has just come up."""
        columns, rows = self._game.pixels
        shown = self.frame is not None and self.frame.pixels.shape[:2] == (rows, columns)
        return self._game_shown and not shown

    def _follow(self, now: float) -> None:
        size = self._game.pixels if self._game_shown else (0, 0)
        if size != self._picture:
            self._picture = size
            self._send(SetPictureSize(*size))
        frame = self._session.arena.latest
        if frame is None or frame is self.frame:
            return
        before, self.frame = self.frame, frame
        self._asked_agent.see(frame.agent)
        self._asked_pause.see(frame.paused)
        self._asked_speed.see(frame.speed)
        if before is None or _state(before) != _state(frame):
            self._player.label(
                pause_game="resume game" if frame.paused else "pause game",
                record="record" if frame.recording is None else "end recording",
                rival="against the best" if frame.rival is None else "end the match",
            )
        self._show(self.prepare(frame), now)
        if frame.kept is not None and (before is None or before.kept is not frame.kept):
            self._tell_what_was_kept(frame)
        self._player.follow(frame)

    def _show(self, frame: ArenaFrame, now: float) -> None:
        tally = self._session.tally
        if tally.follow(frame):
            record = ", your best yet" if tally.broken else ""
            self._player.tell(f"GAME OVER   you scored {figure(tally.yours)}{record}")
        self._game.show(frame)
        if self._sheet.is_on_screen:
            self._sheet.show(frame)
        if self._policy.is_on_screen and self._policy_interval.is_due(now):
            self._policy.show(frame)
        self.shown(now)

    def _tell_what_was_kept(self, frame: ArenaFrame) -> None:
        """Says where a recording is, or why it is nowhere."""
        kept, notify = frame.kept, self._screen.notify
        assert kept is not None
        if kept.trouble:
            notify(kept.trouble, title="Not recorded", severity="error", markup=False)
        else:
            text = f"{kept.steps} steps, {kept.human_steps} of them yours:\n{kept.path}"
            notify(text, title="Demonstration kept", timeout=KEPT_SECONDS, markup=False)

    # What a person does.

    def record(self) -> None:
        """Begins a demonstration, or keeps the one that is being recorded."""
        if self.frame is None:
            return
        if self.frame.recording is not None:
            self._send(StopRecording())
        else:
            self._send(Record(self._session.demonstrations, self._session.source))

    def agent(self, by: int) -> None:
        """Watches the agent that is `by` further on."""
        if self.frame is not None:
            now = self._session.clock()
            agent = (self._asked_agent.over(self.frame.agent, now) + by) % self.frame.agents
            self._asked_agent.ask(agent, now)
            self._send(Watch(agent))

    def agent_number(self) -> None:
        """Asks for the agent to watch."""
        if self.frame is not None:
            watch: Callable[[int], None] = lambda agent: self._send(Watch(agent))  # noqa: E731
            screen = self._screen
            screen.app.push_screen(AgentScreen(screen.look, self.frame.agents, watch))

    def follow(self) -> None:
        """Follows the best agent, the worst, or none."""
        if self.frame is not None:
            self._send(FollowAgent(self.frame.follow.next))

    def view(self) -> None:
        """Looks at the game in another way, where there are several."""
        self._send(NextView())

    def point(self, x: float, y: float) -> None:
        """Watches what was clicked on."""
        if not self._player.playing:
            self._send(WatchAt(x, y))

    def pause(self) -> None:
        """Stops the game, or lets it go on; whoever plays alone plays again."""
        if self._player.alone:
            self._player.take_over()
            return
        now, is_paused = self._session.clock(), self.frame is not None and self.frame.paused
        paused = not self._asked_pause.over(is_paused, now)
        self._asked_pause.ask(paused, now)
        self._send(PauseGame(paused=paused))

    def step(self, by: int) -> None:
        """Pauses, and goes on or back by decisions."""
        self._send(StepGame(by))

    def rewind(self) -> None:
        """Goes back a second."""
        self._send(Rewind(REWIND_SECONDS))

    def speed(self, by: int) -> None:
        """Speeds the game up, or slows it down."""
        now = self._session.clock()
        before = self._asked_speed.over(self.frame.speed if self.frame else 1.0, now)
        at = min(range(len(SPEEDS)), key=lambda i: abs(SPEEDS[i] - before))
        speed = SPEEDS[min(max(at + by, 0), len(SPEEDS) - 1)]
        self._asked_speed.ask(speed, now)
        self._send(SetSpeed(speed))

    def _send(self, command: ArenaCommand) -> None:
        self._session.arena.send(command)


def _state(frame: ArenaFrame) -> tuple[bool, bool, bool]:
    """What decides how keys are called."""
    return frame.paused, frame.recording is None, frame.rival is None
