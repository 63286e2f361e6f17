"""Whether this process is one of several that train together, as torchrun says in the environment.

The only place that reads these variables. Other launchers and clusters set some of them for purposes
of their own, and shells keep them: only what is whole and fits together makes a job.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from pufftui.envs.errors import PuffError

RANK, SIZE, LOCAL, LOCAL_SIZE = NUMBERS = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
MEETING = ("MASTER_ADDR", "MASTER_PORT")
"""Where the processes meet."""


@dataclass(frozen=True, slots=True)
class Job:
    """The place of a process: `rank` of `size`, and `local` of `local_size` on its machine."""

    rank: int = 0
    size: int = 1
    local: int = 0
    local_size: int = 1


def job_from_environment(environment: Mapping[str, str] = os.environ) -> Job:
    """The job that torchrun started, or the job of one where the variables make none.

    An empty variable counts as unset, and so do all of them where no job is larger than one process.
    Raises `PuffError` that names the variable where they contradict each other.
    """
    given = {name: environment.get(name, "").strip() for name in (*NUMBERS, *MEETING)}
    numbers = {name: _number(name, given[name]) for name in NUMBERS}
    rank, size = numbers[RANK], numbers[SIZE]
    if size is None:
        return Job()
    if size == 0:
        raise _odd(SIZE, "is 0")
    if rank is not None and rank >= size:
        raise _odd(RANK, f"is {rank}, but {SIZE} is {size}, so it goes from 0 to {size - 1}")
    if size == 1:
        return Job()
    for name in (RANK, LOCAL, *MEETING):
        if not given[name]:
            raise _odd(SIZE, f"says that this is one of {size} processes, but {name} is not set")
    local = numbers[LOCAL] or 0
    local_size = numbers[LOCAL_SIZE] or local + 1
    if local >= local_size:
        why = f"is {local}, but {LOCAL_SIZE} is {local_size}, so it goes from 0 to {local_size - 1}"
        raise _odd(LOCAL, why)
    if local_size > size:
        raise _odd(LOCAL_SIZE, f"is {local_size}, more than the {size} of {SIZE}")
    if not 0 < (_number(MEETING[1], given[MEETING[1]]) or 0) < 1 << 16:
        raise _odd(MEETING[1], "is not the number of a port")
    return Job(rank or 0, size, local, local_size)


def _number(name: str, text: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
        raise _odd(name, f"is {text[:40]!r}, which is not a whole number")
    return int(text)


def _odd(name: str, why: str) -> PuffError:
    return PuffError(
        f"The variable {name} {why}.",
        f"torchrun sets it for each process of a job. To train with one process: unset "
        f"{' '.join(NUMBERS)}.",
        usage=True,
    )
