"""The Textual application: one timer, one screen with a game, dialogs over it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterable
from functools import partial

from textual.app import SystemCommand
from textual.screen import Screen

from pufftui.appearance.privacy import Secrets, own_secrets
from pufftui.appearance.theme import PuffTheme
from pufftui.apps.base import SIGNALS, DressedApp
from pufftui.apps.options import Wishes
from pufftui.control.handover import HandOver
from pufftui.keys.kitty import KeyMotion, ReleasesReported
from pufftui.screens.arena import ArenaScreen
from pufftui.screens.attach import AttachScreen
from pufftui.screens.live import LiveScreen
from pufftui.screens.logged import LoggedScreen
from pufftui.screens.play import PlayScreen
from pufftui.screens.run import RunScreen
from pufftui.screens.watch import WatchScreen
from pufftui.state.session import (
    AttachSession,
    GameSession,
    PlaySession,
    RunSession,
    Session,
    WatchSession,
)
from pufftui.terminal.private import hung_up
from pufftui.trainer.loaded import keep_what_is_loaded, let_go_of_what_is_loaded
from pufftui.trainer.monitor.system import GpuSampler, HostSampler

FRAMES_PER_SECOND = 30


def main_screen(
    session: GameSession, look: PuffTheme, host: HostSampler, gpu: GpuSampler
) -> ArenaScreen:
    """The screen that shows a session of this kind."""
    match session:
        case Session():
            return LiveScreen(session, look, host, gpu)
        case AttachSession():
            return AttachScreen(session, look, host, gpu)
        case WatchSession(logged=True):
            return LoggedScreen(session, look, host, gpu)
        case WatchSession():
            return WatchScreen(session, look, host, gpu)
        case PlaySession():
            return PlayScreen(session, look)
    raise TypeError(session)


def secrets_of(session: GameSession) -> Secrets:
    """What of the person might be seen on a screen of this session."""
    if isinstance(session, RunSession):
        folder = session.folder
        return own_secrets([folder.id], [folder.path.parent])
    return own_secrets([session.opponent.name] if isinstance(session, PlaySession) else [])


class PuffApp(DressedApp[None]):
    """Shows a session. What runs beside it starts once the first frame is on the screen."""

    main: ArenaScreen

    def __init__(
        self,
        session: GameSession,
        wishes: Wishes | None = None,
        host: HostSampler | None = None,
        gpu: GpuSampler | None = None,
    ) -> None:
        """Raises `PuffError` for an unknown theme."""
        folder = session.folder if isinstance(session, RunSession) else None
        super().__init__(wishes, secrets_of(session))
        self.session = session
        host = host or HostSampler(folder.path if folder else None)
        self.main = main_screen(session, self.look, host, gpu or GpuSampler())
        if isinstance(self.main, RunScreen) and wishes is not None and wishes.stream:
            self.main.stream.turn(on=True)
        self.begun = self.signalled = self.hung_up = False
        self.hand_over: HandOver | None = None

    def on_mount(self) -> None:
        self.push_screen(self.main)
        self.set_interval(1 / FRAMES_PER_SECOND, self.tick)
        self.call_after_refresh(self.begin)
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self.on_signal, number)

    def begin(self) -> None:
        """Starts everything that runs beside the screen."""
        self.begun = True
        keep_what_is_loaded()
        self.session.start()
        self.main.begin()
        self.complain()

    def on_unmount(self) -> None:
        self.main.end()
        let_go_of_what_is_loaded()

    def tick(self) -> None:
        """The one timer: the main screen and a dialog above it look at what is new."""
        if not self.screen_stack or not self.main.is_mounted:
            return
        self.main.tick()
        tick = getattr(self.screen, "tick", None)
        if self.screen is not self.main and tick is not None:
            tick()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Textual binds ctrl+p itself; while a person plays it belongs to the game."""
        if action == "command_palette" and self.main.player.playing:
            return False
        return super().check_action(action, parameters)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Whoever controls a run finds each of its live settings as well."""
        yield from super().get_system_commands(screen)
        main = self.main
        if isinstance(main, RunScreen) and main.training is not None:
            for path, value in main.training.steering.settings.items():
                name = path.partition(".")[2].replace("_", " ")
                change = partial(main.training.change, path)
                yield SystemCommand(f"Change {name}", f"{value:g} now", change)

    def on_app_blur(self) -> None:
        self.main.player.let_go()

    def on_key_motion(self, moved: KeyMotion) -> None:
        self.main.player.key_moved(moved)

    def on_releases_reported(self, message: ReleasesReported) -> None:
        self.main.player.releases_reported(reported=message.reported)

    def leave(self, hand_over: HandOver | None) -> None:
        """The person leaves; the screen stays until the trainer is through.

        With `hand_over` the run goes on in another process, whatever becomes of the screen until then.
        """
        self.left, self.hand_over = True, hand_over

    @property
    def gone(self) -> bool:
        """Whether the terminal has gone away, so that it can be given back to nobody."""
        return self.hung_up or hung_up()

    def on_signal(self, number: int) -> None:
        """SIGINT, SIGTERM or SIGHUP: leave without asking, after a checkpoint if there is training."""
        self.signalled = True
        if number == signal.SIGHUP:
            # Nobody sees a dialog any more. The shell may send another one, when nobody listens.
            asyncio.get_running_loop().remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)
            self.hung_up = True
            self.exit()
        elif not self.begun:
            self.exit()  # nothing runs yet that could be asked about
        else:
            self.main.action_quit()
            self.call_after_refresh(self.main.confirm_leaving)

    def action_ask_to_quit(self) -> None:
        self.main.action_quit()
