"""The best checkpoint of a run, which plays beside its newest policy; the baseline while there is none."""

from __future__ import annotations

from pufftui.envs.errors import PuffError
from pufftui.screens.controllers.arena import ArenaController
from pufftui.screens.panels import PanelScreen
from pufftui.state.session import RunSession
from pufftui.trainer.messages.command import SetRival
from pufftui.trainer.messages.weights import PolicyWeights
from pufftui.trainer.run.baseline import has_baseline
from pufftui.trainer.run.folder import BASELINE
from pufftui.trainer.run.naming import find_policy
from pufftui.trainer.run.policies import best_policy, run_environment


class RivalController:
    """Begins and ends the match."""

    def __init__(self, screen: PanelScreen, session: RunSession, arena: ArenaController) -> None:
        self._screen, self._session, self._arena = screen, session, arena

    def toggle(self) -> None:
        """Brings the rival, or sends it away."""
        if self._arena.frame is None:
            return
        if self._arena.frame.rival is None:
            self._screen.run_worker(
                self._bring, group="rival", exclusive=True, thread=True, exit_on_error=False
            )
        else:
            self._session.arena.send(SetRival(None))

    def _bring(self) -> None:
        try:
            rival, name = self._choose()
        except PuffError as error:
            self._screen.notify(str(error), title="No rival", severity="warning", markup=False)
        else:
            self._session.arena.send(SetRival(rival, name))

    def _choose(self) -> tuple[PolicyWeights, str]:
        """The policy and what it is called; raises `PuffError` if there is neither."""
        folder = self._session.folder
        try:
            return best_policy(folder), "best"
        except PuffError:
            env = run_environment(folder)
            if not env or not has_baseline(env):
                raise
            return find_policy(BASELINE, env=env).weights(env), BASELINE
