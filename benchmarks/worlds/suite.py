"""The twenty worlds: what kind each is of, what random play, a script and the best known score are.

Scores are means over first episodes: of 2048 agents for `random` and `good`, which the tests measure
again; `best` is the highest that can be or was reached.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pufftui.envs.catalogue import load_env
from pufftui.envs.library import EnvLibrary

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class World:
    """One world's kind and scores."""

    kind: str
    random: float
    good: float
    best: float

    def share(self, score: float) -> float:
        """A score on the way from random play (0) to the script (1)."""
        return (score - self.random) / (self.good - self.random)


SUITE = {
    "rocket": World("steering", 0.167, 0.832, 0.832),
    "arm": World("steering", -0.938, -0.189, -0.189),
    "swing": World("torque", -1238, -153, -153),
    "crawl": World("torque", -6.33, 93, 93),
    "echo": World("short memory", 0.25, 1, 1),
    "corridor": World("short memory", 0.25, 1, 1),
    "vault": World("long memory", 0.5, 1, 1),
    "pairs": World("long memory", -0.65, 3.49, 3.49),
    "errand": World("cells", 0.022, 1, 1),
    "sweep": World("cells", 3.39, 12, 12),
    "lamps": World("puzzle", -38.6, -4.46, -4.46),
    "heaps": World("puzzle", 0.004, 1, 1),
    "dial": World("many choices", 0.048, 1, 1),
    "turret": World("many choices", 0.115, 19.6, 19.6),
    "valley": World("exploration", -399.7, -79.7, -79.7),
    "ferry": World("exploration", -0.28, 83, 83),
    "tanks": World("waiting", 27.4, 4827, 4827),
    "brew": World("waiting", 0.191, 0.919, 0.919),
    "fireflies": World("many agents", 0, 0.916, 0.916),
    "duo": World("many agents", 0.017, 1, 1),
}


def halves() -> tuple[list[str], list[str]]:
    """The ten worlds to work with, and the ten to judge by.

    Of the two worlds of a kind, the one whose name has the smaller SHA-256 is to work with.
    """
    kinds: dict[str, list[str]] = {}
    for name, world in SUITE.items():
        kinds.setdefault(world.kind, []).append(name)
    ordered = [
        sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest())
        for names in kinds.values()
    ]
    return [first for first, _ in ordered], [second for _, second in ordered]


def load_world(name: str) -> EnvLibrary:
    """The library of a world, compiled when it is first needed."""
    return load_env(str(FOLDER / name), named_here=True)
