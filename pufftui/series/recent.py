"""The newest rows of a run in memory: a table of all metrics that grows in both directions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pufftui.series.curve import Growing
from pufftui.trainer.store.columns import Columns, Names


class Recent:
    """All metrics of some rows; NaN where a row lacks one. Appending does nothing for each metric in turn."""

    def __init__(self) -> None:
        self.names = Names()
        self._rows = 0
        self._table = np.empty((0, 256), np.float32)  # (metric, row), with space for more of both
        self._exact: dict[str, Growing] = {}
        self._last = np.empty(0, np.float64)
        self._came = (Names(), 0)
        self._places: NDArray[np.int64] = np.empty(0, np.int64)

    def __len__(self) -> int:
        return self._rows

    @property
    def size(self) -> int:
        """Values that are kept."""
        return self._rows * len(self.names)

    def values(self, name: str) -> NDArray[Any]:
        """A metric in all rows; float64 where that tells more. Valid until the next change."""
        if name in self._exact:
            return self._exact[name].values
        values: NDArray[Any] = self._table[self.names.column[name], : self._rows]
        return values

    def last(self, name: str) -> float | None:
        """The last value of a metric that is known here."""
        at = self.names.column.get(name)
        value = math.nan if at is None else float(self._last[at])
        return None if math.isnan(value) else value

    def append(self, columns: Columns) -> None:
        """Takes in further rows."""
        begin, end = self._rows, self._rows + columns.table.shape[1]
        places = self._places_of(columns)
        self._make_space(end)
        self._table[places, begin:end] = columns.table
        for name in columns.exact:
            if name not in self._exact:
                self._exact[name] = Growing(np.float64)
                self._exact[name].append(self._table[self.names.column[name], :begin])
        for name, growing in self._exact.items():
            rounded = self._table[self.names.column[name], begin:end]
            growing.append(columns.exact.get(name, rounded))
        self._rows = end
        self._remember(places, columns.table)
        for name, exact in columns.exact.items():
            self._remember(np.array([self.names.column[name]]), exact[None])

    def _places_of(self, columns: Columns) -> NDArray[np.int64]:
        """Where the metrics lie in the table; new ones are given a place."""
        if self._came != (columns.names, len(columns)):
            self.names.add(name for name in columns if name not in self.names.column)
            self._places = np.array([self.names.column[name] for name in columns], np.int64)
            self._came = columns.names, len(columns)
        return self._places

    def _make_space(self, rows: int) -> None:
        """Space that is not used yet is filled with NaN, which stands for what a row lacks."""
        metrics, (high, wide) = len(self.names), self._table.shape
        if metrics <= high and rows <= wide:
            return
        higher = high if metrics <= high else max(metrics, high + high // 4)
        wider = wide if rows <= wide else max(rows, 2 * wide)
        table = np.full((higher, wider), math.nan, np.float32)
        table[:high, : self._rows] = self._table[:, : self._rows]
        last = np.full(higher, math.nan)
        last[:high] = self._last
        self._table, self._last = table, last

    def _remember(self, places: NDArray[np.int64], table: NDArray[Any]) -> None:
        """The last known value of each row of a table."""
        known = ~np.isnan(table)
        newest = table.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1)
        some = known.any(axis=1)
        self._last[places[some]] = table[np.flatnonzero(some), newest[some]]
