"""Several processes that train one policy together, each on its own environments.

Started by torchrun, which tells each process its rank. All ranks begin with the same weights and
add up their gradients, so they stay the same; rank 0 writes the run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn

from pufftui.envs.errors import PuffError
from pufftui.trainer.settings.job import Job, job_from_environment

SILENCE = timedelta(minutes=30)
"""A rank that has not answered for so long is taken for dead."""


@dataclass(frozen=True, slots=True)
class Ranks(Job):
    """What the processes of a job do together; alone each of it is nothing."""

    @classmethod
    def from_environment(cls) -> Ranks:
        """As torchrun says it in the environment; raises `PuffError` as `job_from_environment`."""
        job = job_from_environment()
        return cls(job.rank, job.size, job.local, job.local_size)

    def begin(self, device: torch.device) -> None:
        """Meets the other ranks; waits until all are there."""
        if self.size > 1 and not dist.is_initialized():
            backend = "nccl" if device.type == "cuda" else "gloo"
            dist.init_process_group(backend, timeout=SILENCE)

    def add_up(self, tensor: Tensor) -> Tensor:
        """The sum of a tensor over all ranks, in place.

        Raises `PuffError` if another rank has gone.
        """
        if self.size > 1:
            try:
                dist.all_reduce(tensor)
            except RuntimeError as error:
                raise PuffError(
                    f"Another process of this job has ended ({str(error).splitlines()[0]}).",
                    "Its own message says why; pufftui resume continues from the last checkpoint.",
                ) from None
        return tensor

    def add_up_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Sums all gradients over the ranks, in one message."""
        if self.size == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = self.add_up(torch.cat([gradient.flatten() for gradient in gradients]))
        for gradient, summed in zip(
            gradients, flat.split([g.numel() for g in gradients]), strict=True
        ):
            gradient.copy_(summed.view_as(gradient))

    def any(self, flag: bool, device: torch.device) -> bool:
        """Whether any rank says so."""
        if self.size == 1:
            return flag
        return bool(self.add_up(torch.tensor(float(flag), device=device)).item())

    def end(self) -> None:
        """Takes leave of the other ranks."""
        if dist.is_initialized():
            dist.destroy_process_group()
