"""Where the sums of the PPO loss stand: kernels.h declares it, and whoever reads or writes them asks here."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from pufftui.trainer.kernels import opened

PREFIX = "PUFF_SUM_"


@functools.cache
def places() -> Mapping[str, int]:
    """The place of each sum by name, in their order: that of PUFF_SUM_APPROX_KL is `approx_kl`'s."""
    ffi, _ = opened()
    declared = ffi.typeof("puff_ppo_sum").relements
    found = {
        name.removeprefix(PREFIX).lower(): place
        for name, place in declared.items()
        if name.startswith(PREFIX)
    }
    return dict(sorted(found.items(), key=lambda item: item[1]))


def figures() -> tuple[str, ...]:
    """The figures of a minibatch that are made of the sums, in their order; most are plain means."""
    names = tuple(places())
    return (*names[names.index("alive") + 1 : names.index("target")], "explained_variance")
