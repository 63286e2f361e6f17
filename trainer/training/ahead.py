"""A rollout that was collected ahead, while the policy learned from the one before it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch

from pufftui.trainer import kernels
from pufftui.trainer.collecting.rollout import Rollout


class Ahead:
    """Keeps a rollout until it has been learned from; the collector's memory meanwhile is filled with the next.

    On a GPU learning has a stream of its own, so that the card learns while the environments play on.
    """

    def __init__(self, device: torch.device, *, waits: bool = False) -> None:
        """With `waits` learning asks for what is on the host, and so nothing can go on beside it."""
        self.stream = torch.cuda.Stream(device) if kernels.is_gpu(device) and not waits else None
        """Where a GPU learns, and where its update is recorded."""
        self._place: Rollout | None = None
        self.rollout: Rollout | None = None
        """None before the first, and after it was dropped."""

    @property
    def at_once(self) -> bool:
        """Whether learning goes on beside the collecting that is begun after it."""
        return self.stream is not None

    def keep(self, rollout: Rollout) -> None:
        """Copies the rollout, always to the same places: what learns from them may be recorded."""
        if self._place is None:
            self._place = Rollout(
                *(
                    torch.empty(t.shape, dtype=t.dtype, device=t.device, pin_memory=t.is_pinned())
                    for t in rollout.tensors()
                )
            )
        for place, tensor in zip(self._place.tensors(), rollout.tensors(), strict=True):
            place.copy_(tensor, non_blocking=True)
        self.rollout = self._place

    def drop(self) -> None:
        """It will not be learned from."""
        self.rollout = None

    def follow(self, factor: float, shift: float, limit: float) -> None:
        """Rewards count `factor` times as much from now on, and values are `shift` more before: so are those kept."""
        if self.rollout is None:
            return
        for values in (self.rollout.values, self.rollout.final_values):
            values.add_(shift).mul_(factor)
        self.rollout.unclipped.mul_(factor)
        torch.clamp(self.rollout.unclipped, -limit, limit, out=self.rollout.rewards)

    def beside(self) -> AbstractContextManager[object]:
        """What is done within waits for what was begun before; what is begun after it does not wait for it."""
        if self.stream is None:
            return nullcontext()
        self.stream.wait_stream(torch.cuda.current_stream())
        return torch.cuda.stream(self.stream)

    def join(self) -> None:
        """What is begun from now on waits for what was done beside."""
        if self.stream is not None:
            torch.cuda.current_stream().wait_stream(self.stream)
