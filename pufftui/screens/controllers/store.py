"""The store of a run, read now and then; that it cannot be read is said once."""

from __future__ import annotations

from collections.abc import Callable

from pufftui.envs.errors import PuffError
from pufftui.runs.evaluated import Evaluated, newest_evaluation
from pufftui.screens.panels import PanelScreen
from pufftui.state.session import RunSession
from pufftui.trainer.store import StoreReader


class StoreController:
    """Opens the store when it is first looked into; `look` reads what is new, and may raise `PuffError`."""

    def __init__(
        self, screen: PanelScreen, session: RunSession, look: Callable[[StoreReader], None]
    ) -> None:
        self._screen, self._session, self._look = screen, session, look
        self._reader: StoreReader | None = None
        self._complained = False

    def follow(self) -> None:
        """Reads what is new."""
        if self._reader is None:
            self._reader = self._session.open_store()
        try:
            self._look(self._reader)
        except PuffError as error:
            if not self._complained:
                self._complained = True
                text = str(error)
                self._screen.notify(text, title="The store", severity="error", markup=False)

    def evaluated(self) -> Evaluated | None:
        """The newest evaluation of the run; None without one, or where it cannot be read."""
        if self._reader is None:
            return None
        try:
            return newest_evaluation(self._reader.evaluations())
        except PuffError:
            return None

    def close(self) -> None:
        """Closes the file."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None
