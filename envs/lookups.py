"""When a policy's first layer looks rows of its weights up instead of multiplying: where observations are mostly categories.

A category one-hot is one 1 among zeros, and what is multiplied by zeros is wasted. The network is the same one either
way, and so are its weights: torch and numpy ask here which way to take on a CPU; exported C
looks up, too, or makes the numbers of cells first where an embedding has fewer weights (pufftui/export/maps.py).
"""

from __future__ import annotations

from pufftui.envs.descriptor import Descriptor
from pufftui.envs.grids import encoder_width

LEAST_CLASSES = 2
"""Features for each element, on average, from which on it is quicker: a product does several multiplications where one row is added."""


def is_looked_up(descriptor: Descriptor, channels: int) -> bool:
    """Whether the first layer looks up; a convolution of `channels` makes other numbers of the grids first."""
    elements = sum(field.count for field in descriptor.fields)
    return not channels and encoder_width(descriptor, 0) >= LEAST_CLASSES * elements
