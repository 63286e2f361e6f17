"""What collectors make, to be compared."""

from collections.abc import Callable
from dataclasses import fields

import pytest
from torch import Tensor

from pufftui.trainer.collecting.collector import Collector
from pufftui.trainer.collecting.rollout import Rollout


@pytest.fixture
def rollouts() -> Callable[..., list[dict[str, Tensor]]]:
    """Copies of some rollouts, one after the other, by field: `rollouts(collector, count=3)`."""

    def collect(collector: Collector, count: int = 3) -> list[dict[str, Tensor]]:
        kept = []
        for _ in range(count):
            rollout = collector.collect(0.5, lambda: False)
            assert rollout is not None
            copies = {f.name: getattr(rollout, f.name).clone() for f in fields(Rollout)}
            # Elsewhere they mean nothing.
            copies["final_values"] *= rollout.truncations
            # Whether it has been put back to zero yet where it will be is no matter.
            copies["state"] *= (rollout.resets[0] == 0).unsqueeze(-1)
            kept.append(copies)
            collector.advance()
        return kept

    return collect
