"""What batches of rows are made into: columns of numbers, mappings, episodes."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pufftui.envs.vector import EPISODE
from pufftui.trainer.store.blobs import unpack

Row = tuple[Any, ...]


def first_column(rows: list[Row]) -> list[Any]:
    """What is in the first column."""
    return [row[0] for row in rows]


def mapping(text: str) -> dict[str, Any]:
    """A JSON object; raises `ValueError` for anything else."""
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError(f"{text:.40} is no JSON object")  # noqa: TRY004 - of data, not of code
    return value


def facts(rows: list[Row]) -> dict[str, Any]:
    """Values of JSON by their names."""
    return {str(name): json.loads(value) for name, value in rows}


def episodes_part(rows: list[Row]) -> tuple[NDArray[Any], ...]:
    """Ids, steps, lineages and episodes."""
    episodes = np.zeros(len(rows), EPISODE)
    width = EPISODE["statistics"].itemsize
    for index, (_, _, _, *figures, statistics) in enumerate(rows):
        padded = np.frombuffer(statistics.ljust(width, b"\0"), "<f4")
        numbers = (math.nan if figure is None else figure for figure in figures)
        episodes[index] = (*numbers, padded)
    columns = (np.array([row[column] for row in rows], np.int64) for column in range(3))
    return (*columns, episodes)


def gpus(text: str) -> tuple[Any, ...]:
    """A JSON list of objects; raises `ValueError` for anything else."""
    found = json.loads(text)
    if not isinstance(found, list) or not all(isinstance(gpu, dict) for gpu in found):
        raise ValueError(f"{text:.40} is no list of GPUs")
    return tuple(found)


def metrics_part(rows: list[Row]) -> tuple[list[NDArray[Any]], NDArray[np.float32]]:
    """The columns of figures, and the means as (rows, metrics), NaN where a row has fewer."""
    *figures, blobs = zip(*rows, strict=True) if rows else [()] * 6
    types = (np.int64, np.int64, np.float64, np.int64, np.int64)
    arrays = [np.array(column, dtype) for column, dtype in zip(figures, types, strict=True)]
    return arrays, unpack(blobs)[:, 0]
