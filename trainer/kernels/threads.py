"""On how many CPU threads torch works."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import torch


@contextlib.contextmanager
def one_thread() -> Iterator[int]:
    """Keeps torch on one CPU thread, and gives how many there were.

    For work so small that waking others costs more than it takes, and for what has to be the same bytes
    however many there are.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield threads
    finally:
        torch.set_num_threads(threads)


LITTLE = 1 << 16
"""Numbers that one thread goes through before another one has woken up."""


def threads_for(numbers: int) -> int:
    """On how many threads a kernel should go once through so many numbers."""
    return 1 if numbers < LITTLE else torch.get_num_threads()


@functools.lru_cache(maxsize=2)
def workers(threads: int) -> ThreadPoolExecutor:
    """So many threads, on each of which torch works alone; everybody here shares them."""
    return ThreadPoolExecutor(threads, "part of the work", work_on, (1,))


def work_on(threads: int) -> None:
    """From now on torch works on so many CPU threads for the thread that calls this, whatever others call."""
    # A thread that has never asked would take over what another one has set meanwhile, when it first works.
    torch.get_num_threads()
    torch.set_num_threads(threads)
