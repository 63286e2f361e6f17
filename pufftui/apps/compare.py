"""Shows runs beside each other until the person leaves; no run is touched."""

from __future__ import annotations

from collections.abc import Sequence

from pufftui.appearance.privacy import own_secrets
from pufftui.apps.browsing import BrowsingApp, browse
from pufftui.apps.options import Wishes
from pufftui.runs.comparison import Comparison, Grouping
from pufftui.screens.compare import CompareScreen
from pufftui.trainer.run.folder import RunFolder


class CompareApp(BrowsingApp[None]):
    """One screen with charts, and dialogs over it."""

    main: CompareScreen

    def __init__(
        self,
        comparison: Comparison,
        folders: Sequence[RunFolder],
        grouping: Grouping,
        wishes: Wishes | None = None,
    ) -> None:
        """Raises `PuffError` for an unknown theme."""
        places = [folder.path.parent for folder in folders]
        super().__init__(wishes, own_secrets([folder.id for folder in folders], places))
        self.main = CompareScreen(self.look, comparison, grouping, lambda: Comparison.read(folders))


def run_compare(
    comparison: Comparison, folders: Sequence[RunFolder], grouping: Grouping, wishes: Wishes
) -> int:
    """Compares on the terminal; the exit status: 0, 1 if the screen failed, 130 after a signal."""
    app = CompareApp(comparison, folders, grouping, wishes)
    return browse(app, "compare", "runs were compared")
