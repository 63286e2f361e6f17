"""The store of a run, read now and then; whether that is possible is said when it changes."""

from __future__ import annotations

from collections.abc import Callable

from pufftui.envs.errors import PuffError
from pufftui.runs.evaluated import Evaluated, newest_evaluation
from pufftui.state.session import RunSession
from pufftui.trainer.store import StoreReader


class StoreController:
    """Opens the store when it is first looked into.

    `look` reads what is new, and may raise `PuffError`. `tell` hears why the store cannot be read, and
    nothing once it can be read again.
    """

    def __init__(
        self,
        session: RunSession,
        look: Callable[[StoreReader], None],
        tell: Callable[[str], None],
    ) -> None:
        self._session, self._look, self._tell = session, look, tell
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
            self._tell(trouble)

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
