"""Where one begins: environments with their games moving, and the last runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.screen import Screen

from pufftui.arrange_home import arrange_home
from pufftui.envs.descriptor import unknown_env
from pufftui.home_keys import HOME_KEYS
from pufftui.keys import bindings
from pufftui.preview import Preview, Showing
from pufftui.runs.summary import RunSummary, summarise
from pufftui.screens.help import HelpScreen
from pufftui.theme import PuffTheme
from pufftui.trainer.command import SetPictureSize
from pufftui.trainer.run_folder import RunFolder, run_names, runs_root
from pufftui.widgets.cockpit import Cockpit, CockpitLayout
from pufftui.widgets.footer import Footer
from pufftui.widgets.game import GameCard
from pufftui.widgets.home import AboutCard, EnvsCard, HomeHeader, ListCard, RecentCard
from pufftui.widgets.painted import Painted
from pufftui.widgets.too_small import TooSmall

if TYPE_CHECKING:
    from pufftui.arrange import Arrangement
    from pufftui.home import HomeApp

MOST_RUNS = 40
READ_EVERY = 3.0
"""Seconds between two looks at the runs."""

LIVE = ("running", "starting", "paused")


class HomeScreen(Screen[None]):
    """Two lists; what is chosen in one of them is what the keys are about."""

    BLANK = True
    BINDINGS = bindings(HOME_KEYS)

    def __init__(self, look: PuffTheme, envs: list[str], preview: Preview) -> None:
        super().__init__()
        self.look, self.preview = look, preview
        self.envs = EnvsCard(look, envs, self._choose_env)
        self.recent = RecentCard(look, self._choose_run)
        self.about = AboutCard(look)
        self.game = GameCard(look, unknown_env("preview"))
        self.footer = Footer(look, None, HOME_KEYS)
        self.panels: list[Painted] = [
            *(HomeHeader(look, "header"), self.envs, self.recent, self.about, self.game),
            *(self.footer, TooSmall(look, "")),
        ]
        self._showing: Showing | None = None
        self._picture: tuple[int, int] | None = None
        self._due = 0.0
        self._focus(self.envs)

    @property
    def owner(self) -> HomeApp:
        """The application, with its themes."""
        return cast("HomeApp", self.app)

    def plan(self, width: int, height: int) -> Arrangement:
        """Where the panels lie on a terminal of that size."""
        return arrange_home(width, height)

    def compose(self) -> ComposeResult:
        yield Cockpit(CockpitLayout(self.plan), *self.panels)

    def on_mount(self) -> None:
        self.preview.show(self.env)

    # What is polled.

    def tick(self) -> None:
        """Called 30 times a second; does only what is due."""
        showing = self.preview.showing
        if showing is not self._showing:
            self._showing = showing
            self._show(showing)
        region = self.game.picture
        size = (region.width, region.height * 2)
        if size != self._picture and region.area:
            self._picture = size
            self.preview.resize(SetPictureSize(*size))
        frame = self.preview.frame
        if frame is not None and frame is not self.game.frame and frame.pixels.size:
            self.game.show(frame)
        now = time.monotonic()
        if now >= self._due:
            self._due = float("inf")
            self.run_worker(self._read_runs, thread=True)

    def _show(self, showing: Showing) -> None:
        self.about.show(showing.descriptor, showing.trouble)
        self.game.player = showing.player
        if showing.descriptor is not None:
            self.game.begin(showing.descriptor)

    def _read_runs(self) -> None:
        try:
            names = run_names()[:MOST_RUNS]
            runs = [summarise(RunFolder(runs_root() / name)) for name in names]
        except Exception:  # noqa: BLE001 - a folder that cannot be read shows no runs
            runs = []
        self.app.call_from_thread(self._take_runs, runs)

    def _take_runs(self, runs: list[RunSummary]) -> None:
        self._due = time.monotonic() + READ_EVERY
        self.recent.show(runs)

    # What the person does.

    @property
    def env(self) -> str:
        """The environment that is chosen, or that of the chosen run."""
        run = self.run_chosen
        if run is not None and run.settings.get("environment"):
            return str(run.settings["environment"])
        return self.envs.names[self.envs.chosen]

    @property
    def run_chosen(self) -> RunSummary | None:
        """The run that the keys are about, if it is one."""
        runs = self.recent.runs
        return runs[self.recent.chosen] if self._list is self.recent and runs else None

    def _focus(self, card: ListCard) -> None:
        self._list = card
        for other in (self.envs, self.recent):
            other.focused = other is card
        run = self.run_chosen
        words = {
            "go": "train" if run is None else "watch",
            "other_list": "runs" if card is self.envs else "environments",
            "resume": "attach" if run is not None and run.state in LIVE else "resume",
        }
        self.footer.show(playing=False, labels=words)

    def _choose_env(self, number: int) -> None:
        again = self._list is self.envs and self.envs.chosen == number
        self.envs.chosen = number
        self._chosen(self.envs)
        if again:
            self.action_go()

    def _choose_run(self, number: int) -> None:
        again = self._list is self.recent and self.recent.chosen == number
        self.recent.chosen = number
        self._chosen(self.recent)
        if again:
            self.action_go()

    def _chosen(self, card: ListCard) -> None:
        self._focus(card)
        self.envs.paint()
        self.recent.paint()
        self.preview.show(self.env)

    def action_move(self, by: int) -> None:
        card = self._list
        card.chosen = min(max(card.chosen + by, 0), max(card.entries() - 1, 0))
        self._chosen(card)

    def action_other_list(self) -> None:
        if self._list is self.recent or not self.recent.runs:
            self._chosen(self.envs)
        else:
            self._chosen(self.recent)

    def action_go(self) -> None:
        run = self.run_chosen
        self.owner.leave_for("train", self.env) if run is None else self.owner.leave_for(
            "watch", run.name
        )

    def action_play(self) -> None:
        run = self.run_chosen
        of = ("--from", run.name) if run is not None else ()
        self.owner.leave_for("play", self.env, *of)

    def action_resume(self) -> None:
        run = self.run_chosen
        if run is None and self.recent.runs:
            run = self.recent.runs[0]
        if run is None:
            self.notify("There is no run yet. enter trains the first one.", timeout=3)
        else:
            self.owner.leave_for("attach" if run.state in LIVE else "resume", run.name)

    def action_theme(self) -> None:
        self.owner.next_theme()

    def action_help(self) -> None:
        self.app.push_screen(HelpScreen(self.look, None, HOME_KEYS))

    def action_quit(self) -> None:
        self.app.exit()

    def dress(self, look: PuffTheme) -> None:
        """Changes to another theme."""
        self.look = look
        for panel in self.panels:
            panel.dress(look)
