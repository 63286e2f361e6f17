"""The first steps of one environment, watched: whether it writes where it must not, and what it prints."""

from __future__ import annotations

import ctypes
import os
import shlex
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pufftui.envs.errors import PuffError
from pufftui.envs.library import EnvLibrary
from pufftui.envs.random_play import act_at_random
from pufftui.envs.vector import StepBuffers, VectorEnv

STEPS, SECONDS = 1000, 0.1
"""So many steps, or as many as fit into so long a time: nobody is to notice."""

MARGIN, UNTOUCHED = 4096, 0xA5
"""Bytes around each array, and what they hold until something writes there."""

SEED = 20_011
"""Always the same, so that two starts see the same."""

NAMES = {
    "observations": "observation",
    "rewards": "reward",
    "terminals": "terminal flag",
    "truncations": "truncation flag",
    "finals": "final observation",
}
"""What an environment writes for each agent."""


def watch_first_steps(
    library: EnvLibrary, parameters: dict[str, float], env: str, log: Path
) -> str:
    """Plays one environment at random for a moment; returns the first line that it prints, if descriptor 1 leads to `log`.

    Raises `PuffError` if it writes past what it was given: in training that would change the observations or the
    memory of others, and nothing would say why it learns so badly. `env` is what `pufftui env check` is called with.
    """
    margins = _Margins()
    before = _printed_bytes(log)
    with VectorEnv(library, parameters, environments=1, seed=SEED) as vector:
        buffers = margins.around(vector.buffers())
        random = np.random.default_rng(SEED)
        descriptor = vector.descriptor
        vector.reset(0, buffers)
        began, step = time.monotonic(), 0
        while not (past := margins.touched()):
            if step == STEPS or time.monotonic() > began + SECONDS:
                break
            act_at_random(descriptor, random, buffers.actions)
            vector.step(0, buffers)
            step += 1
    if past:
        where = f"in step {step:,}" if step else "as the first episode begins"
        raise PuffError(
            f"{descriptor.name} writes past the end of its {past} {where}.",
            f"pufftui env check {shlex.quote(env)} names the line.",
        )
    return _printed(log, before)


class _Margins:
    """Memory that nobody may write to, before and after each array of a step."""

    def __init__(self) -> None:
        self._whole: dict[str, NDArray[np.uint8]] = {}

    def around(self, buffers: StepBuffers) -> StepBuffers:
        """The same arrays in other memory, each between two margins."""
        arrays = {
            name: getattr(buffers, name)
            for name in buffers.__dataclass_fields__
            if name != "pointer"
        }
        return StepBuffers.over(**{name: self._placed(name, arrays[name]) for name in arrays})

    def touched(self) -> str:
        """What the environment wrote past, empty for nothing."""
        for name, whole in self._whole.items():
            margins = whole[:MARGIN], whole[-MARGIN:]
            if name in NAMES and any((margin != UNTOUCHED).any() for margin in margins):
                return NAMES[name]
        return ""

    def _placed(self, name: str, array: NDArray[np.generic]) -> NDArray[np.generic]:
        whole = np.full(array.nbytes + 2 * MARGIN, UNTOUCHED, np.uint8)
        self._whole[name] = whole
        placed = whole[MARGIN:-MARGIN].view(array.dtype).reshape(array.shape)
        placed[...] = array
        return placed


def _printed_bytes(log: Path) -> int | None:
    """How much there is in the log, None if descriptor 1 does not lead there."""
    ctypes.CDLL(None).fflush(None)
    try:
        return log.stat().st_size if os.path.samestat(log.stat(), os.fstat(1)) else None
    except OSError:
        return None


def _printed(log: Path, before: int | None) -> str:
    """The first line that came to the log since."""
    after = _printed_bytes(log)
    if before is None or after is None or after <= before:
        return ""
    with log.open("rb") as file:
        file.seek(before)
        lines = file.read(1000).decode(errors="replace").splitlines()
    return next((line.strip()[:60] for line in lines if line.strip()), "")
