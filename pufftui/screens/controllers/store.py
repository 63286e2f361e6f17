"""The store of a run, read now and then; whether that is possible is said when it changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pufftui.envs.errors import PuffError
from pufftui.runs.evaluated import Evaluated, newest_evaluation
from pufftui.screens.panels import PanelScreen
from pufftui.state.session import RunSession
from pufftui.trainer.store import StoreReader
from pufftui.widgets.painted import Card


class StoreController:
    """Opens the store when it is first looked into.

    `look` reads what is new, and may raise `PuffError`. Why the store cannot be read is a message, and stays to
    be read on `cards`, as long as they have nothing else to show.
    """

    def __init__(
        self,
        screen: PanelScreen,
        session: RunSession,
        look: Callable[[StoreReader], None],
        cards: Sequence[Card],
    ) -> None:
        self._screen, self._session, self._look, self._cards = screen, session, look, cards
        self._reader: StoreReader | None = None
        self._trouble = ""

    def follow(self) -> None:
        """Reads what is new."""
        if self._reader is None:
            self._reader = self._session.open_store()
        trouble = ""
        try:
            self._look(self._reader)
        except PuffError as error:
            trouble = str(error)
        if trouble != self._trouble:
            self._trouble = trouble
            if trouble:
                self._screen.notify(trouble, title="The store", severity="error", markup=False)
            for card in self._cards:
                card.explain(trouble)

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
