"""The gradient of a minibatch on the CPU, of networks that cpu_gradient.py does not know: in parts, one thread for each."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait

import torch
from torch import Tensor
from torch.autograd import grad

from pufftui.trainer.kernels.threads import workers
from pufftui.trainer.ppo.loss import MinibatchLoss
from pufftui.trainer.ppo.minibatch import Minibatch

PART = 2048
"""Agent steps of a part, at most: at widths of 128 what a layer passes on stays in a core's own cache."""

LARGE_PART = 8192
"""The same where the first layer looks rows up: each part has a gradient of all its weights, and these are many."""

AHEAD = 2
"""Parts for each thread that may be under way or done: their gradients are held until it is their turn."""

Gradient = tuple[MinibatchLoss, Sequence[Tensor]]
"""The loss of a part, and its gradient, one tensor for each parameter."""

Loss = Callable[[Minibatch], MinibatchLoss]


class GradientInParts:
    """An operation that threads share ends when the last of them is there, and there are some fifty: parts meet once.

    No operation is shared, parts do not depend on the number of threads, and their gradients come in their order: so
    their sum is the same bytes on any number of cores.
    """

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        self._parameters = parameters

    def each(self, parts: Sequence[Minibatch], loss: Loss) -> Iterator[Gradient]:
        """One part after the other, on as many threads as torch has here. What fails in one is raised."""
        threads = torch.get_num_threads()
        pool = workers(threads)
        waiting: deque[Future[Gradient]] = deque()
        try:
            for part in parts:
                waiting.append(pool.submit(self._one, part, loss))
                if len(waiting) == AHEAD * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            wait(waiting)  # They read what the caller may change next.

    def _one(self, part: Minibatch, loss: Loss) -> Gradient:
        found = loss(part)
        return found, grad(found.total, self._parameters)
