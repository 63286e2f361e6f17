"""What every screen with a game has in common: a game that is watched, and a person who may play it."""

from __future__ import annotations

from textual import events

from pufftui.appearance.theme import PuffTheme
from pufftui.keys.game import keys_for
from pufftui.screens.controllers.arena import ArenaController
from pufftui.screens.controllers.player import PlayerController
from pufftui.screens.panels import PanelScreen
from pufftui.state.session import GameSession
from pufftui.widgets.footer import Footer
from pufftui.widgets.game import GameCard
from pufftui.widgets.header import Header
from pufftui.widgets.policy import PolicyCard
from pufftui.widgets.sheet import SheetCard
from pufftui.widgets.too_small import TooSmall


class ArenaScreen(PanelScreen):
    """Polls the arena from `tick`. Subclasses say in `plan` where the panels lie."""

    def __init__(
        self,
        session: GameSession,
        look: PuffTheme,
        header: Header,
        policy: PolicyCard,
        meanwhile: str,
        *,
        alone: bool = False,
    ) -> None:
        """`alone` is whether the person plays a game that no policy knows."""
        super().__init__(look)
        self.session, self.header = session, header
        keys = keys_for(self.KEYS, session.descriptor)
        self.footer = Footer(look, session.descriptor, keys)
        self.game, self.policy = GameCard(look, session.descriptor), policy
        self.sheet = SheetCard(look, session.descriptor)
        self.panels += [header, self.footer, self.game, policy, self.sheet]
        self.panels.append(TooSmall(look, meanwhile))
        self.solo = 0
        """The panel that is shown alone, by its number."""
        self.player = PlayerController(self, session, header, self.footer, alone=alone)
        self.arena = ArenaController(self, session, self.game, policy, self.sheet, self.player)
        self.controllers |= {"player": self.player, "arena": self.arena}

    def begin(self) -> None:
        """Called once, when the first frame is on the screen."""

    def end(self) -> None:
        """Called once, when the application ends."""

    def tick(self) -> None:
        now = self.session.clock()
        self.player.tick(now)
        self.arena.tick(now)

    # The keyboard and the pointer.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a person plays, all keys but two belong to the game."""
        name = ".".join(map(str, parameters[:2])) if action == "do" else action
        if self.player.playing:
            return any(key.action == name for key in self.KEYS if key.while_playing)
        return name != "player.hand_back"

    def on_key(self, event: events.Key) -> None:
        self.player.type(event)

    def on_screen_suspend(self) -> None:
        self.player.let_go()

    def on_game_card_pointed(self, event: GameCard.Pointed) -> None:
        self.arena.point(event.x, event.y)

    def on_game_card_placed(self) -> None:
        """Asks at once for a picture of the new size, not on the next tick."""
        self.arena.tick(self.session.clock())

    # What keys do.

    def action_panel(self, number: int) -> None:
        self.solo = 0 if number == self.solo else number
        self.rearrange()

    def action_leave(self) -> None:
        self.action_quit()

    def action_help(self) -> None:
        self.help(self.session.descriptor, real=self.player.real)

    def confirm_leaving(self) -> None:
        """A signal answers the question whether to leave, where one is asked."""
