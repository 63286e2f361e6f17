"""The container of all panels, and the layout that places them where a plan says."""

from __future__ import annotations

from collections.abc import Callable

from textual.geometry import NULL_OFFSET, NULL_SPACING, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.widget import Widget

from pufftui.layout.cockpit import Arrangement
from pufftui.widgets.painted import Painted


class CockpitLayout(Layout):
    """Places the panels where the plan for the terminal's size says.

    What the plan leaves out is not shown.
    """

    name = "cockpit"

    def __init__(self, plan: Callable[[int, int], Arrangement]) -> None:
        self._plan = plan

    def arrange(
        self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True
    ) -> ArrangeResult:
        plan = self._plan(size.width, size.height)
        placements = []
        for child in children:
            region = plan.regions.get(child.id or "")
            if region is not None and isinstance(child, Painted):
                child.roomy = plan.roomy
                placements.append(WidgetPlacement(region, NULL_OFFSET, NULL_SPACING, child))
        return placements


class Cockpit(Widget):
    """Holds all panels; of itself only the gaps between them are seen."""

    BLANK = True

    def __init__(self, placing: CockpitLayout, *panels: Painted) -> None:
        super().__init__(*panels, id="cockpit")
        self._placing = placing

    @property
    def layout(self) -> Layout:
        return self._placing
