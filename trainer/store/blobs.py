"""Figures as bytes: float32 in the order of the metrics' positions, NaN for what is not known.

A row or block has as many columns as there were metrics when it was written.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress

import numpy as np
from numpy.typing import NDArray

Figures = NDArray[np.float32]

LOW, MEAN, HIGH, COUNT = range(4)
"""The rows of a block's figures."""


def unpack(blobs: Sequence[bytes], rows: int = 1) -> Figures:
    """(blobs, rows, columns) of the longest blob; shorter ones are filled up with NaN."""
    lengths = np.array([len(blob) // (4 * rows) for blob in blobs], np.int64)
    figures = np.full((len(blobs), rows, lengths.max(initial=0)), np.nan, np.float32)
    for length in set(lengths.tolist()):
        same = lengths == length
        packed = b"".join(compress(blobs, same))
        figures[same, :, :length] = np.frombuffer(packed, "<f4").reshape(same.sum(), rows, length)
    return figures


def chosen(blob: bytes, columns: NDArray[np.int64], rows: int = 1) -> bytes:
    """Some columns of the figures in a blob, NaN for those that it lacks; nothing of nothing."""
    if not blob:
        return blob
    figures = np.frombuffer(blob, "<f4").reshape(rows, -1)
    cut = np.full((rows, len(columns)), np.nan, "<f4")
    there = columns < figures.shape[1]
    cut[:, there] = figures[:, columns[there]]
    return cut.tobytes()


def as_blocks(means: Figures, low: Figures, high: Figures) -> Figures:
    """(rows, 4, columns): every row of (rows, columns) a block of its own.

    The extremes may have fewer columns; where they are NaN they are the mean.
    """
    blocks = np.stack([means, means, means, ~np.isnan(means)], axis=1).astype(np.float32)
    for place, extremes in ((LOW, low), (HIGH, high)):
        known = ~np.isnan(extremes)
        blocks[:, place, : extremes.shape[1]][known] = extremes[known]
    return blocks


def summed_up(blocks: Figures) -> Figures:
    """The one block (4, columns) that (n, 4, columns) blocks make together."""
    counts = np.nan_to_num(blocks[:, COUNT]).astype(np.float64)
    count = counts.sum(axis=0)
    known = np.where(counts > 0, blocks[:, MEAN], 0)
    # Values that are not finite make a mean that is not.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        mean = (known * counts).sum(axis=0) / count
        low, high = np.fmin.reduce(blocks[:, LOW]), np.fmax.reduce(blocks[:, HIGH])
        return np.stack([low, mean, high, count]).astype(np.float32)
