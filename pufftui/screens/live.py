"""The dashboard: the game, the curves and the machine while an agent learns."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import Screen

from pufftui.health import health
from pufftui.history import History
from pufftui.keys import KEYS, game_hints, game_key, game_keys
from pufftui.latch import Latch
from pufftui.session import Session
from pufftui.system import GpuReadings, GpuSampler, HostReading, HostSampler
from pufftui.theme import PuffTheme
from pufftui.trainer.command import (
    ArenaCommand,
    Checkpoint,
    HandBack,
    Pause,
    PauseGame,
    Resume,
    SetPictureSize,
    SetSpeed,
    TakeOver,
    Watch,
)
from pufftui.trainer.frame import ArenaFrame
from pufftui.trainer.snapshot import Phase, Snapshot
from pufftui.trainer.store import StoreReader
from pufftui.widgets.cockpit import Cockpit, CockpitLayout
from pufftui.widgets.curves import LearningCard, ScoreCard, SpeedCard
from pufftui.widgets.footer import Footer
from pufftui.widgets.game import GameCard
from pufftui.widgets.header import Header
from pufftui.widgets.log import LogCard
from pufftui.widgets.machine import MachineCard, TimeCard
from pufftui.widgets.painted import Painted
from pufftui.widgets.policy import PolicyCard
from pufftui.widgets.status import Status
from pufftui.widgets.too_small import TooSmall

if TYPE_CHECKING:
    from pufftui.app import PuffApp

FIGURES_EVERY = 0.25
POLICY_EVERY = 0.15
STORE_EVERY = 0.5
"""Seconds between two looks at what changes slowly."""

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
WHILE_PLAYING = {key.action for key in KEYS if key.while_playing}


class LiveScreen(Screen[None]):
    """Polls trainer and arena from `tick` and hands each panel what changed."""

    BLANK = True

    BINDINGS = [
        # Textual itself has plans for escape and ctrl+c; priority takes them from it.
        Binding(
            ",".join(key.keys),
            key.action,
            key.description,
            show=False,
            id=key.id,
            priority=key.while_playing,
        )
        for key in KEYS
    ]

    def __init__(
        self, session: Session, look: PuffTheme, host: HostSampler, gpu: GpuSampler
    ) -> None:
        super().__init__()
        descriptor = session.descriptor
        self.session, self.look = session, look
        self._host, self._gpu = host, gpu
        self.history = History()
        self.placing = CockpitLayout(descriptor.picture_aspect)
        self.header = Header(look, descriptor.name, session.folder.id)
        self.footer = Footer(look, descriptor)
        self.status = Status(look, descriptor)
        self.score = ScoreCard(look, self.history, descriptor)
        self.speed = SpeedCard(look, "speed", self.history)
        self.learning = LearningCard(look, "learning", self.history)
        self.game = GameCard(look, descriptor)
        self.policy = PolicyCard(look, descriptor)
        self.machine = MachineCard(look)
        self.timing = TimeCard(look)
        self.log_card = LogCard(look)
        self.panels: list[Painted] = [
            self.header,
            self.footer,
            self.status,
            self.score,
            self.speed,
            self.learning,
            self.game,
            self.policy,
            self.machine,
            self.timing,
            self.log_card,
            TooSmall(look, "too_small"),
        ]
        self._keys = game_keys(descriptor)
        self._latch = Latch(turn_based=descriptor.turn_based)
        self._reader: StoreReader | None = None
        self._snapshot: Snapshot | None = None
        self._frame: ArenaFrame | None = None
        self._picture: tuple[int, int] | None = None
        self._readings: tuple[HostReading, GpuReadings] | None = None
        self._heard = session.clock()
        self._due: dict[str, float] = {}
        self._seen_human = False
        self._game_shown = True
        self.playing = False

    @property
    def owner(self) -> PuffApp:
        """The application, with its dialogs and themes."""
        return cast("PuffApp", self.app)

    def compose(self) -> ComposeResult:
        yield Cockpit(self.placing, *self.panels)

    # What is polled.

    def tick(self) -> None:
        """Called 30 times a second; does only what is due."""
        now = self.session.clock()
        self._send(*self._latch.tick(now))
        self._follow_game(now)
        if self._is_due("figures", now, FIGURES_EVERY):
            self._game_shown = self.game.is_on_screen
            self._follow_training(now)
            self._follow_machine()
        if self._is_due("store", now, STORE_EVERY):
            self._follow_store()

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
        self._frame = frame
        self.game.show(frame)
        if self.policy.is_on_screen and self._is_due("policy", now, POLICY_EVERY):
            self.policy.show(frame)
        if self.playing:
            if self._seen_human and not frame.human:
                self._stop_playing()
            else:
                self._announce(frame.agent)
            self._seen_human = frame.human

    def _follow_training(self, now: float) -> None:
        snapshot = self.session.runner.latest
        if snapshot is not self._snapshot:
            self._heard = now
            previous, self._snapshot = self._snapshot, snapshot
            for card in (self.timing, self.learning, self.score, self.speed):
                card.snapshot = snapshot
            if previous is None or previous.phase is not snapshot.phase:
                self._phase_changed(snapshot)
            self.timing.paint()
            if not len(self.history.steps):
                self._paint_curves()
        self.header.show(snapshot, health(snapshot, now - self._heard))
        self.status.show(snapshot, self.placing.solo)

    def _follow_machine(self) -> None:
        readings = self._host.latest, self._gpu.latest
        if readings != self._readings:
            self._readings = readings
            device = self._snapshot.device if self._snapshot else ""
            self.machine.show(*readings, device)
            if self.placing.gpus != len(readings[1].gpus):
                self.placing.gpus = len(readings[1].gpus)
                self._rearrange()

    def _follow_store(self) -> None:
        if self._reader is None:
            self._reader = self.session.open_store()
        if self.history.poll(self._reader):
            self._paint_curves()
        self.log_card.poll(self._reader)

    def _paint_curves(self) -> None:
        for card in (self.score, self.speed, self.learning):
            if card.is_on_screen:
                card.paint()

    def _phase_changed(self, snapshot: Snapshot) -> None:
        paused = snapshot.phase is Phase.PAUSED
        self._labels(pause="resume training" if paused else "pause training")
        if snapshot.phase.ended:
            self.owner.show_end(snapshot)

    def _labels(self, **labels: str) -> None:
        self.footer.show(playing=self.playing, labels=self.footer.labels | labels)

    # What the person does.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a person plays, all keys but two belong to the game."""
        if self.playing:
            return action in WHILE_PLAYING
        return action != "hand_back"

    def on_key(self, event: events.Key) -> None:
        if not self.playing:
            return
        event.stop()
        key = game_key(self._keys, event.key, event.character)
        if key is not None:
            self._send(*self._latch.press(key, self.session.clock()))

    def action_take_over(self) -> None:
        self.playing, self._seen_human = True, False
        self._send(TakeOver())
        self._announce(self._frame.agent if self._frame else 0)
        self._labels()

    def _announce(self, agent: int) -> None:
        """The banner: who plays, with which keys, and the way out."""
        hints = ", ".join(f"{keys} {label}" for keys, label in game_hints(self.session.descriptor))
        self.header.announce(
            [
                (f"YOU are playing agent {agent + 1}", True),
                (f"   {hints}   ", False),
                ("esc hands back", True),
            ]
        )

    def action_hand_back(self) -> None:
        self._stop_playing()
        self._send(HandBack())

    def _stop_playing(self) -> None:
        self.playing = False
        self._send(*self._latch.release())
        self.header.announce([])
        self._labels()

    def let_go(self) -> None:
        """Releases all held keys: nobody is looking."""
        if self._latch.key is not None:
            self._send(*self._latch.release())

    def on_screen_suspend(self) -> None:
        self.let_go()

    def action_agent(self, by: int) -> None:
        if self._frame is not None:
            self._send(Watch((self._frame.agent + by) % self._frame.agents))

    def action_pause_game(self) -> None:
        paused = self._frame is not None and self._frame.paused
        self._send(PauseGame(not paused))
        self._labels(pause_game="pause game" if paused else "resume game")

    def action_speed(self, by: int) -> None:
        speed = self._frame.speed if self._frame else 1.0
        at = min(range(len(SPEEDS)), key=lambda i: abs(SPEEDS[i] - speed))
        self._send(SetSpeed(SPEEDS[min(max(at + by, 0), len(SPEEDS) - 1)]))

    def action_pause_training(self) -> None:
        paused = self.session.runner.latest.phase is Phase.PAUSED
        self.session.runner.send(Resume() if paused else Pause())

    def action_checkpoint(self) -> None:
        self.session.runner.send(Checkpoint())
        self.notify("It is written at the next epoch.", title="Checkpoint", timeout=2)

    def action_panel(self, number: int) -> None:
        self.placing.solo = 0 if number == self.placing.solo else number
        self._rearrange()

    def action_quit(self) -> None:
        self.owner.ask_to_quit()

    def action_leave(self) -> None:
        self.action_quit()

    def action_theme(self) -> None:
        self.owner.next_theme()

    def action_help(self) -> None:
        self.owner.show_help()

    def action_palette(self) -> None:
        self.app.action_command_palette()

    def dress(self, look: PuffTheme) -> None:
        """Changes to another theme."""
        self.look = look
        for panel in self.panels:
            panel.dress(look)

    def close_store(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

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
