"""Where one picture or two of the same shape lie in a panel, as large as they fit, undistorted."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from textual.geometry import Region

GAP = 2
"""Empty columns between two pictures."""

LEAST_SHARE = 0.75
"""Of its possible width, what a picture keeps at least where its columns are given whole pixels."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Places:
    """Cells of each picture, two pixels above each other in a cell; above each of two, a caption."""

    pictures: tuple[Region, ...]

    @property
    def beside(self) -> bool:
        """Whether two pictures share their rows."""
        return len(self.pictures) == 2 and self.pictures[0].y == self.pictures[1].y

    @property
    def whole(self) -> Region:
        """The region that holds all pictures."""
        return self.pictures[0].union(self.pictures[-1])

    @property
    def bottom(self) -> int:
        """The first row below all pictures."""
        return max(region.bottom for region in self.pictures)

    @property
    def blocks(self) -> tuple[Region, ...]:
        """Regions of whole rows: pictures that share their rows are one, with the gap."""
        return (self.pictures[0].union(self.pictures[1]),) if self.beside else self.pictures

    def joined(self, pictures: list[Pixels], gap: tuple[int, int, int]) -> list[Pixels]:
        """The pixels of each block; `gap` is the colour between."""
        fitting = [
            fitted(pixels, region.width, region.height * 2)
            for pixels, region in zip(pictures, self.pictures, strict=False)
        ]
        if not self.beside or len(fitting) < 2:
            return fitting
        between = np.empty((fitting[0].shape[0], GAP, 3), np.uint8)
        between[:] = gap
        return [np.concatenate((fitting[0], between, fitting[1]), axis=1)]


def places(
    area: Region, aspect: float, count: int, columns: int = 0, *, any_shape: bool = False
) -> Places:
    """Places for one or two pictures of that aspect (width / height) in an area of cells.

    `columns` of the game's own grid get the same number of pixels each, unless the picture would be much smaller.
    Pictures of `any_shape` take all there is.
    """

    def fit(room: Region) -> Region:
        return room if any_shape and room.area else _fit(room, aspect, columns)

    if count == 1:
        return Places((fit(area),))
    half = (area.width - GAP) // 2
    left = fit(Region(area.x, area.y + 1, half, area.height - 1))
    left = left.at_offset((area.x + area.width // 2 - GAP // 2 - left.width, left.y))
    beside = (left, left.translate((left.width + GAP, 0)))
    upper_rows = (area.height - 1) // 2
    upper = fit(Region(area.x, area.y + 1, area.width, upper_rows - 1))
    upper = upper.at_offset((upper.x, area.y + 1))
    below = (upper, upper.translate((0, upper_rows + 1)))
    return Places(beside if left.area >= upper.area else below)


def _fit(area: Region, aspect: float, columns: int) -> Region:
    if area.width <= 0 or area.height <= 0:
        return Region(area.x, area.y, 0, 0)
    width = max(1, min(area.width, int(area.height * 2 * aspect)))
    whole = columns and width // columns * columns
    if whole >= LEAST_SHARE * width:
        width, height = whole, min(area.height, math.ceil(whole / aspect / 2))
    else:
        height = max(1, min(area.height, round(width / aspect / 2)))
    x, y = area.x + (area.width - width) // 2, area.y + (area.height - height) // 2
    return Region(x, y, width, height)


def fitted(pixels: Pixels, width: int, height: int) -> Pixels:
    """A picture of another size, from before a resize, stretched to this one."""
    if pixels.shape[:2] == (height, width):
        return pixels
    across = np.arange(width) * pixels.shape[1] // max(1, width)
    down = np.arange(height) * pixels.shape[0] // max(1, height)
    stretched: Pixels = pixels[down][:, across]
    return stretched


def packed(pixels: Pixels, rows: list[int]) -> NDArray[np.int64]:
    """Upper and lower colour of every cell in these rows, in one number: (len(rows), width)."""
    height, width, _ = pixels.shape
    wide = pixels.reshape(height // 2, 2, width, 3)[rows].astype(np.int64)
    colours = wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2]
    cells: NDArray[np.int64] = colours[:, 0] << 24 | colours[:, 1]
    return cells


def blended(pixels: Pixels) -> Pixels:
    """Both pixels of every cell in their mean colour, for terminals without half blocks."""
    height, width, _ = pixels.shape
    means = pixels.reshape(height // 2, 2, width, 3).mean(axis=1)
    both: Pixels = means.astype(np.uint8).repeat(2, axis=0)
    return both


def stretches(rows: list[int], region: Region) -> list[Region]:
    """Neighbouring rows of a picture as one region each."""
    found: list[Region] = []
    for row in rows:
        y = region.y + row
        if found and found[-1].bottom == y:
            found[-1] = Region(region.x, found[-1].y, region.width, found[-1].height + 1)
        else:
            found.append(Region(region.x, y, region.width, 1))
    return found
