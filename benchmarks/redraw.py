"""What drawing costs: milliseconds of the processor for each panel, at 200 x 60 and 80 x 24.

The dashboard is the real one over a run that is made up; every panel is painted as if all of it had
changed, and turned into the bytes that a terminal gets. Prints one JSON line per panel and size, the worst first.

    python benchmarks/redraw.py --repeats 40
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "pufftui"))

from fakes import fake_app, fake_session

from pufftui.appearance.theme import DEFAULT_THEME, load_themes
from pufftui.charts.chart import Curve, chart
from pufftui.charts.view import View
from pufftui.series.axis import Axis
from pufftui.series.curve import Metric

SIZES = ((200, 60), (80, 24))
POINTS = 1_000_000


async def panels(size: tuple[int, int], repeats: int) -> list[dict[str, Any]]:
    """Every panel of the dashboard, one after the other."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        session = fake_session(Path(folder) / "breakout-brisk-otter", env="breakout")
        app = fake_app(session)
        async with app.run_test(size=size) as pilot:
            for solo in (0, 1, 2, 3, 4, 5, 6):
                app.main.action_panel(solo)
                for _ in range(3):
                    session.clock.now += 1
                    session.arena.step()
                    await pilot.pause()
                shown = [panel for panel in app.main.panels if panel.is_on_screen]
                for panel in shown:
                    took = [paint(app, panel) for _ in range(repeats)]
                    name = f"{panel.id} alone" if solo else str(panel.id)
                    found.append(line(name, size, took))
    return found


def paint(app: Any, panel: Any) -> float:
    """Milliseconds that a panel takes from nothing to bytes."""
    began = time.thread_time()
    panel.dress(panel.look)
    for strip in panel.render_lines(panel.size.region):
        strip.render(app.console)
    return 1000 * (time.thread_time() - began)


def million(size: tuple[int, int], repeats: int) -> dict[str, Any]:
    """One chart with its band over a run of a million rows that were all seen live."""
    metric, band = Metric(), Metric()
    noise = np.random.default_rng(1).standard_normal(POINTS).cumsum().astype(np.float32)
    metric.append(noise)
    band.append(noise + 5)
    look, x = load_themes()[DEFAULT_THEME], np.arange(POINTS, dtype=float)
    view = View(Axis.STEPS).with_last(POINTS)
    took = []
    for _ in range(repeats):
        began = time.thread_time()
        series, above = metric.series(x), band.series(x)
        chart(look, Curve(series, "policy", band=(series, above)), view, *size)
        took.append(1000 * (time.thread_time() - began))
    return line("chart of a million points", size, took)


def line(name: str, size: tuple[int, int], took: list[float]) -> dict[str, Any]:
    """A figure as it is printed."""
    worst = float(np.percentile(took, 95))
    return {
        "panel": name,
        "size": f"{size[0]}x{size[1]}",
        "median_ms": round(statistics.median(took), 2),
        "p95_ms": round(worst, 2),
    }


def main() -> None:
    """Measures everything."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=40)
    options = parser.parse_args()
    for size in SIZES:
        lines = asyncio.run(panels(size, options.repeats))
        lines.append(million((size[0], size[1]), options.repeats))
        for found in sorted(lines, key=lambda found: -float(found["median_ms"])):
            print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
