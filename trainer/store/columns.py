"""Figures by the name of their metric, where there may be hundreds of thousands of names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray


class Names:
    """The names of metrics in the order of their columns; more come, none ever goes."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.known: list[str] = []
        self.column: dict[str, int] = {}
        self.add(names)

    def __len__(self) -> int:
        return len(self.known)

    def add(self, names: Iterable[str]) -> None:
        """Gives further names the next columns."""
        for name in names:
            self.column[name] = len(self.known)
            self.known.append(name)


class Columns(Mapping[str, NDArray[Any]]):
    """A table (names, n) that is looked into by name, so that a name costs nothing until it is asked for."""

    def __init__(self, names: Names, table: NDArray[Any]) -> None:
        """The table has a row for each of the first names."""
        self.names, self.table = names, table
        self.exact: dict[str, NDArray[np.float64]] = {}
        """Figures that tell more than the table holds, in place of its own."""

    @classmethod
    def of(cls, figures: Mapping[str, NDArray[Any]]) -> Self:
        """A table of arrays of the same length."""
        return cls(Names(figures), np.array(list(figures.values())))

    def of_rows(self, chosen: NDArray[np.bool_]) -> Columns:
        """The same names with some of the figures of each."""
        columns = Columns(self.names, self.table[:, chosen])
        columns.exact = {name: figures[chosen] for name, figures in self.exact.items()}
        return columns

    def some(self) -> list[str]:
        """The names with a figure that is not 0."""
        there = self.table.any(axis=1)
        return [self.names.known[at] for at in np.flatnonzero(there).tolist()]

    def __len__(self) -> int:
        return len(self.table)

    def __iter__(self) -> Iterator[str]:
        return islice(self.names.known, len(self.table))

    def __contains__(self, name: object) -> bool:
        column = self.names.column.get(name) if isinstance(name, str) else None
        return column is not None and column < len(self.table)

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name in self.exact:
            return self.exact[name]
        if name not in self:
            raise KeyError(name)
        figures: NDArray[Any] = self.table[self.names.column[name]]
        return figures
