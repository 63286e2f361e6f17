"""What a store of three days costs: its size, how fast it opens, and the time that writing takes.

Writes rows of 40 metrics as training does, one a second, with their extremes, sampled episodes,
readings of the machine and events, then opens the run as the dashboard does. The clock of the run
is made up, so that three days take a minute. Prints JSON.

    python benchmarks/store.py --rows 260000 --metrics 40
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np

from pufftui.envs.vector import EPISODE
from pufftui.series.history import History
from pufftui.trainer.store import StoreReader, StoreWriter
from pufftui.trainer.store.ledger import Ledger
from pufftui.trainer.store.writer import EPISODES_PER_SECOND

STEPS_PER_SECOND = 1_000_000
SYSTEM_SECONDS = 5
ROWS_PER_COMMIT = 1000


def write(database: Path, rows: int, metrics: int) -> float:
    """Seconds that it takes to write a run of so many rows."""
    random = np.random.default_rng(0)
    names = [f"metric_{number}" for number in range(metrics)]
    episodes = np.zeros(int(EPISODES_PER_SECOND * ROWS_PER_COMMIT), EPISODE)
    episodes["score"] = random.standard_normal(len(episodes))
    episodes["statistics"][:, :4] = random.standard_normal((len(episodes), 4))
    reading = {
        "processor": 0.9,
        "process_cores": 1.9,
        "process_memory": 1 << 30,
        "memory_used": 1 << 32,
        "memory_total": 1 << 34,
        "disk_free": 1 << 40,
    }
    ledger = Ledger(database, 0)
    began = time.perf_counter()
    for start in range(0, rows, ROWS_PER_COMMIT):
        figures = random.standard_normal((ROWS_PER_COMMIT, metrics)).tolist()

        def insert(
            ledger: Ledger, start: int = start, figures: list[list[float]] = figures
        ) -> None:
            for offset, row in enumerate(figures):
                second = start + offset
                values = dict(zip(names, row, strict=True))
                extremes = {name: (value - 1, value + 1) for name, value in values.items()}
                ledger.metrics(second * STEPS_PER_SECOND, second, second, values, extremes)
                if second % SYSTEM_SECONDS == 0:
                    ledger.system(second * STEPS_PER_SECOND, second, reading, [])
            ledger.episodes(start * STEPS_PER_SECOND, episodes)
            ledger.event(start * STEPS_PER_SECOND, start, "note", "some seconds more")

        ledger.write([insert])
    ledger.close()
    return time.perf_counter() - began


def opening(database: Path) -> dict[str, float]:
    """Seconds that the dashboard takes for the curves, and a zoom for one of its charts."""
    history, reader = History(), StoreReader(database)
    began = time.perf_counter()
    assert history.poll(reader)
    curves = [history.series(f"metric_{number}") for number in range(12)]
    opened = time.perf_counter() - began
    assert len(curves[0])
    zooms = []
    middle = int(history.end / 2)
    for width in (10**9, 10**10, 10**11):
        began = time.perf_counter()
        reader.metrics_between(middle, middle + width, points=2000)
        zooms.append(time.perf_counter() - began)
    began = time.perf_counter()
    reader.metrics_after(0)
    every_row = time.perf_counter() - began
    reader.close()
    return {
        "open_seconds": opened,
        "points": len(history.steps),
        "zoom_seconds": max(zooms),
        "every_row_seconds": every_row,
    }


def share_of_training(metrics: int, seconds: float) -> dict[str, float]:
    """The store's processor time while rows come four times a second, as in a run's first minute.

    Per row, for the trainer's thread (`call`) and for both threads (`processor`).
    """
    values = {f"metric_{number}": 1.0 for number in range(metrics)}
    extremes = dict.fromkeys(values, (0.0, 2.0))
    episodes = np.zeros(100, EPISODE)
    with tempfile.TemporaryDirectory() as folder:
        store = StoreWriter(Path(folder) / "run.db")
        store.flush()
        processor, calls, count = time.process_time(), 0.0, 0
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            began = time.perf_counter()
            store.metrics(count, count, count, values, extremes)
            store.episodes(count, episodes)
            calls += time.perf_counter() - began
            count += 1
            time.sleep(0.25)
        store.flush()
        processor = time.process_time() - processor
        store.close()
    return {
        "call_microseconds": 1e6 * calls / count,
        "processor_share": processor / seconds,
        "processor_share_at_one_row_a_second": processor / count,
    }


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=260_000)
    parser.add_argument("--metrics", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "run.db"
        took = write(database, options.rows, options.metrics)
        figures = {
            "rows": options.rows,
            "metrics": options.metrics,
            "megabytes": database.stat().st_size / 1e6,
            "write_microseconds_per_row": 1e6 * took / options.rows,
            **opening(database),
            **share_of_training(options.metrics, options.seconds),
        }
    print(json.dumps({name: round(value, 6) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
