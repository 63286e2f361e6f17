"""Where one begins: environments with their games moving, and the last runs."""

from __future__ import annotations

import time
from dataclasses import dataclass

from pufftui.appearance.theme import PuffTheme
from pufftui.keys.bindings import bindings
from pufftui.keys.home import HOME_KEYS
from pufftui.layout.cockpit import Arrangement
from pufftui.layout.home import arrange_home
from pufftui.runs.summary import BROKEN, RunSummary, summarise
from pufftui.screens.panels import PanelScreen
from pufftui.state.preview import Preview, Showing
from pufftui.trainer.messages.command import SetPictureSize
from pufftui.trainer.run.folder import RunFolder, run_names, runs_root
from pufftui.trainer.settings.sources import ENVIRONMENT
from pufftui.widgets.footer import Footer
from pufftui.widgets.home import (
    AboutCard,
    EnvsCard,
    HomeHeader,
    ListCard,
    PreviewCard,
    RecentCard,
)
from pufftui.widgets.too_small import TooSmall

MOST_RUNS = 40
READ_EVERY = 3.0
"""Seconds between two looks at the runs."""

TOAST_SECONDS = 4


@dataclass(slots=True)
class Choice:
    """What is chosen; it outlives the screen while a command runs in its place."""

    envs: list[str]
    env: int = 0
    run: int = 0
    among_runs: bool = False
    runs: list[RunSummary] | None = None
    """None until they were read."""


class HomeScreen(PanelScreen):
    """Two lists; what is chosen in one of them is what the keys are about."""

    KEYS = HOME_KEYS
    BINDINGS = bindings(HOME_KEYS)

    def __init__(self, look: PuffTheme, choice: Choice, preview: Preview) -> None:
        super().__init__(look)
        self.choice, self.preview = choice, preview
        self.envs = EnvsCard(look, choice.envs, self._choose_env)
        self.recent = RecentCard(look, self._choose_run)
        self.about = AboutCard(look)
        self.game = PreviewCard(look)
        self.footer = Footer(look, None, HOME_KEYS)
        self.panels = [
            *(HomeHeader(look, "header"), self.envs, self.recent, self.about, self.game),
            *(self.footer, TooSmall(look, "nothing is running")),
        ]
        self._showing: Showing | None = None
        self._picture: tuple[int, int] | None = None
        self._due = 0.0
        self._follow_choice()

    def plan(self, width: int, height: int) -> Arrangement:
        return arrange_home(width, height)

    def on_mount(self) -> None:
        self.preview.show(self.env)

    # What is polled.

    def tick(self) -> None:
        showing = self.preview.showing
        if showing is not self._showing:
            self._showing = showing
            self.about.show(showing.descriptor, showing.rules, showing.trouble)
            self.game.begin(showing.descriptor, showing.player, showing.trouble)
        size = self.game.pixels
        if size != self._picture and all(size):
            self._picture = size
            self.preview.resize(SetPictureSize(*size))
        frame = self.preview.frame
        if frame is not None and frame is not self.game.frame:
            self.game.show(frame)
        if time.monotonic() >= self._due:
            self._due = float("inf")
            self.run_worker(self._read_runs, thread=True)

    def _read_runs(self) -> None:
        runs = [summarise(RunFolder(runs_root() / name), ()) for name in run_names()[:MOST_RUNS]]
        self.app.call_from_thread(self._take_runs, runs)

    def _take_runs(self, runs: list[RunSummary]) -> None:
        self._due = time.monotonic() + READ_EVERY
        chosen = self.run_chosen
        self.choice.runs = runs
        names = [run.name for run in runs]
        if chosen is not None and chosen.name in names:
            self.choice.run = names.index(chosen.name)
        self._follow_choice()
        self.preview.show(self.env)

    # What is chosen.

    @property
    def env(self) -> str:
        """The environment that is chosen, or that of the chosen run."""
        run = self.run_chosen
        of_run = None if run is None else run.settings.get(ENVIRONMENT)
        return str(of_run) if of_run else self.choice.envs[self.choice.env]

    @property
    def run_chosen(self) -> RunSummary | None:
        """The run that the keys are about, if it is one."""
        choice = self.choice
        return choice.runs[choice.run] if choice.among_runs and choice.runs else None

    def _follow_choice(self) -> None:
        """Shows in both lists and in the footer what the keys are about now."""
        choice = self.choice
        choice.run = min(choice.run, max(0, len(choice.runs or ()) - 1))
        run = self.run_chosen
        choice.among_runs = run is not None
        if self.env in choice.envs:
            choice.env = choice.envs.index(self.env)
        self.envs.point(choice.env, active=not choice.among_runs)
        self.recent.show(choice.runs, choice.run, active=choice.among_runs)
        live = run is not None and run.live
        words = {
            "go": "train" if run is None else "control" if live else "watch",
            "other_list": "environments" if choice.among_runs else "runs",
        }
        self.footer.show(playing=False, labels=words)

    def _choose(self, number: int, *, among_runs: bool) -> None:
        choice = self.choice
        before = (choice.among_runs, choice.run if choice.among_runs else choice.env)
        choice.among_runs = among_runs
        if among_runs:
            choice.run = number
        else:
            choice.env = number
        self._follow_choice()
        self.preview.show(self.env)
        if before == (among_runs, number):
            self.action_go()  # a second click

    def _choose_env(self, number: int) -> None:
        self._choose(number, among_runs=False)

    def _choose_run(self, number: int) -> None:
        self._choose(number, among_runs=True)

    # What the person does.

    def action_move(self, by: int) -> None:
        choice = self.choice
        card: ListCard = self.recent if choice.among_runs else self.envs
        number = min(max(card.chosen + by, 0), card.entries() - 1)
        if number != card.chosen:
            self._choose(number, among_runs=choice.among_runs)

    def action_other_list(self) -> None:
        if not self.choice.runs:
            self._tell("There is no run yet. enter trains the first one.")
            return
        self.choice.among_runs = not self.choice.among_runs
        self._follow_choice()
        self.preview.show(self.env)

    def action_go(self) -> None:
        run = self.run_chosen
        if run is None:
            self._leave_for("train", self.env)
        elif not self._is_broken(run):
            self._leave_for("attach" if run.live else "watch", run.name)

    def action_play(self) -> None:
        run = self.run_chosen
        if run is None:
            self._leave_for("play", self.env)
        elif run.logged:
            self._tell("Another program logged this run. There is no game to play.")
        elif not self._is_broken(run):
            self._leave_for("play", self.env, "--from", run.name)

    def action_resume(self) -> None:
        """Goes on with the chosen run, or with the newest one of the chosen environment."""
        run = self.run_chosen or next(
            (r for r in self.choice.runs or () if r.settings.get(ENVIRONMENT) == self.env), None
        )
        if run is None:
            self._tell(f"There is no run of {self.env} yet. enter trains the first one.")
        elif run.logged:
            self._tell("Another program logged this run; only that program can continue it.")
        elif not self._is_broken(run):
            self._leave_for("attach" if run.live else "resume", run.name)

    def _is_broken(self, run: RunSummary) -> bool:
        if run.state == BROKEN:
            self._tell(f"{run.name} is broken. {run.trouble}")
        return run.state == BROKEN

    def _tell(self, text: str) -> None:
        self.app.notify(text, timeout=TOAST_SECONDS)

    def _leave_for(self, *command: str) -> None:
        self.app.exit(command)
