"""The question whether to leave: asked once at a time, and answered by a signal as well."""

from __future__ import annotations

from collections.abc import Callable

from pufftui.screens.dialogs.leave import LeaveScreen
from pufftui.screens.dialogs.quit import QuitScreen
from pufftui.screens.panels import PanelScreen
from pufftui.state.session import RunSession


class LeavingController:
    """Leaves a run that has ended at once, and asks about any other with a dialog made by `question`."""

    def __init__(
        self,
        screen: PanelScreen,
        session: RunSession,
        question: Callable[[], QuitScreen | LeaveScreen],
    ) -> None:
        self._screen, self._session, self._make = screen, session, question
        self._question: QuitScreen | LeaveScreen | None = None

    @property
    def is_asking(self) -> bool:
        """Whether the question is on the screen."""
        return self._question is not None and self._screen.app.screen is self._question

    def ask(self) -> None:
        """Asks, unless training has ended or it is asked already."""
        if self._session.runner.latest.phase.ended:
            self._screen.app.exit()
        elif not self.is_asking:
            self._question = self._make()
            self._screen.app.push_screen(self._question)

    def confirm(self) -> None:
        """Answers the question that is on the screen, if it is."""
        if self._question is not None and self.is_asking:
            self._question.action_confirm()
