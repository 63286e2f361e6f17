"""Many copies of one environment, stepped by the C vectoriser into the caller's numpy arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pufftui.envs.descriptor import ActionKind
from pufftui.envs.errors import PuffError
from pufftui.envs.headers import most_statistics
from pufftui.envs.library import (
    MAX_STATISTICS,
    SUMS_BEFORE_STATISTICS,
    EnvLibrary,
    interface,
)
from pufftui.envs.words import SheetRow, StoryListener, read_sheet


def _episode(statistics: int) -> np.dtype[np.void]:
    return np.dtype(
        [
            ("step", np.uint64),
            ("agent", np.uint32),
            ("length", np.uint32),
            ("score", np.float32),
            ("episode_return", np.float32),
            ("statistics", np.float32, (statistics,)),
        ]
    )


EPISODE = _episode(MAX_STATISTICS)
"""One finished episode, as `puff_episode` in vec.h."""


@dataclass(frozen=True, slots=True, eq=False)
class StepBuffers:
    """The memory of one step of a group; shapes and dtypes as `puff_buffers` in puff_env.h.

    `finals` may be one array shared by all steps: a row is valid only in the step that truncates.
    Keep the object for as long as the arrays are used: it holds both them and their addresses.
    """

    actions: NDArray[Any]
    observations: NDArray[np.uint8]
    rewards: NDArray[np.float32]
    terminals: NDArray[np.uint8]
    truncations: NDArray[np.uint8]
    alive: NDArray[np.uint8]
    finals: NDArray[np.uint8]
    pointer: Any

    @property
    def address(self) -> int:
        """Where the struct is."""
        return int(interface().cast("uintptr_t", self.pointer))

    @classmethod
    def over(cls, **arrays: NDArray[Any]) -> StepBuffers:
        """Wraps C-contiguous arrays, named as the fields, without copying them."""
        ffi = interface()
        pointer = ffi.new("puff_buffers *")
        for name, array in arrays.items():
            if not array.flags.c_contiguous:
                raise ValueError(f"{name} must be C-contiguous")
            setattr(pointer, name, ffi.cast("void *", array.ctypes.data))
        return cls(pointer=pointer, **arrays)

    def attend(self, persons: NDArray[np.uint8] | None, stories: StoryListener | None) -> None:
        """Says of the next steps whom persons play, (agents,) 0 or 1, and who listens; keep both for as long."""
        ffi, nobody = interface(), interface().NULL
        self.pointer.persons = (
            nobody if persons is None else ffi.cast("uint8_t *", persons.ctypes.data)
        )
        self.pointer.stories = nobody if stories is None else stories.pointer


@dataclass(frozen=True, slots=True)
class StepFunctions:
    """Addresses of `puff_vec_start`, `puff_vec_wait` and the environments they are called with."""

    start: int
    finish: int
    environments: int


@dataclass(frozen=True, slots=True)
class BlockFunctions:
    """The address of `puff_vec_step_block`, the environments it is called with, and in how many blocks a group is.

    The last block may have fewer agents.
    """

    step: int
    environments: int
    blocks: int
    block_agents: int


@dataclass(frozen=True, slots=True, eq=False)
class EpisodeReport:
    """What finished since the last report.

    `episodes` is sorted by (step, agent) and may lack the oldest `dropped` ones; `count` and the
    sums (score, return, length, then the environment's statistics) are exact.
    """

    episodes: NDArray[np.void]
    dropped: int
    count: int
    sums: NDArray[np.float64]


class VectorEnv:
    """`environments` copies in `groups` equal groups; the agents of a group are contiguous rows."""

    def __init__(
        self,
        library: EnvLibrary,
        parameters: Mapping[str, float],
        *,
        environments: int,
        groups: int = 1,
        threads: int = 1,
        seed: int = 0,
    ) -> None:
        """Creates and seeds the environments; raises `PuffError` if memory runs out.

        `environments` must be a multiple of `groups`; `threads` counts the calling one.
        """
        if environments < 1 or groups < 1 or threads < 1 or environments % groups:
            raise ValueError(f"{environments} environments in {groups} groups on {threads} threads")
        self.library = library
        self.parameters = parameters
        self.descriptor = library.descriptor_with(parameters)
        self.environments = environments
        self.groups = groups
        self.threads = threads
        self._ffi = interface()
        values = [parameters[p.name] for p in self.descriptor.parameters]
        self._vec = library.lib.puff_vec_create(
            self._ffi.new("double[]", values),
            environments,
            groups,
            threads,
            seed & 0xFFFF_FFFF_FFFF_FFFF,
        )
        if not self._vec:
            size = library.state_bytes(parameters) / 1e6
            raise PuffError(
                f"There is not enough memory for {environments} environments of {size:,.1f} MB each.",
                "Use fewer: --vec.agents.",
            )
        self._episodes = np.zeros(
            library.lib.puff_vec_episode_capacity(self._vec),
            _episode(most_statistics(library.abi)),
        )

    @property
    def agents(self) -> int:
        """Agents in all groups together."""
        return self.environments * self.descriptor.agents

    @property
    def group_agents(self) -> int:
        """Agents, and so rows, of one group."""
        return self.agents // self.groups

    @property
    def action_dtype(self) -> type[np.int32 | np.float32]:
        """Element type of the actions array."""
        continuous = self.descriptor.action_kind is ActionKind.CONTINUOUS
        return np.float32 if continuous else np.int32

    def buffers(self) -> StepBuffers:
        """Fresh memory for the steps of one group."""
        agents, bytes_ = self.group_agents, self.descriptor.observation_bytes
        return StepBuffers.over(
            actions=np.zeros((agents, len(self.descriptor.actions)), self.action_dtype),
            observations=np.zeros((agents, bytes_), np.uint8),
            rewards=np.zeros(agents, np.float32),
            terminals=np.zeros(agents, np.uint8),
            truncations=np.zeros(agents, np.uint8),
            alive=np.ones(agents, np.uint8),
            finals=np.zeros((agents, bytes_), np.uint8),
        )

    def reset(self, group: int, buffers: StepBuffers) -> None:
        """Begins the first episodes of a group; writes `observations` only."""
        self.library.lib.puff_vec_reset(self._vec, group, buffers.pointer)

    def start(self, group: int, buffers: StepBuffers) -> None:
        """Begins a step; the arrays belong to the vectoriser until `wait` returns."""
        self.library.lib.puff_vec_start(self._vec, group, buffers.pointer)

    def wait(self, group: int) -> int:
        """Finishes the step begun last; returns how many agents were truncated in it."""
        return int(self.library.lib.puff_vec_wait(self._vec, group))

    def step_functions(self) -> StepFunctions:
        """What `start` and `wait` call, for C; for as long as these environments are open."""
        return StepFunctions(
            self._function("puff_vec_start"), self._function("puff_vec_wait"), self._address
        )

    def block_functions(self) -> BlockFunctions | None:
        """What steps one block of them without the pool; None if the library is older than that."""
        try:
            step = self._function("puff_vec_step_block")
        except AttributeError:
            return None
        lib = self.library.lib
        return BlockFunctions(
            step,
            self._address,
            int(lib.puff_vec_blocks(self._vec)),
            int(lib.puff_vec_block_agents(self._vec)),
        )

    def stepped(self, group: int, steps: int) -> None:
        """All blocks of a group have been stepped so often by `block_functions`."""
        self.library.lib.puff_vec_stepped(self._vec, group, steps)

    def step(self, group: int, buffers: StepBuffers) -> int:
        """`start` and `wait` in one."""
        self.start(group, buffers)
        return self.wait(group)

    def drain(self) -> EpisodeReport:
        """The episodes finished since the last call; between steps only."""
        dropped = self._ffi.new("uint64_t *")
        pointer = self._ffi.cast("puff_episode *", self._episodes.ctypes.data)
        count = self.library.lib.puff_vec_drain(self._vec, pointer, dropped)
        found = self._episodes[:count]
        episodes = np.zeros(count, EPISODE)
        for name in EPISODE.names or ():
            width = found["statistics"].shape[1] if name == "statistics" else None
            episodes[name][..., :width] = found[name]
        sums = np.zeros(SUMS_BEFORE_STATISTICS + MAX_STATISTICS)
        self.library.lib.puff_vec_sums(self._vec, self._ffi.cast("double *", sums.ctypes.data))
        used = SUMS_BEFORE_STATISTICS + len(self.descriptor.statistics)
        order = np.lexsort((episodes["agent"], episodes["step"]))
        return EpisodeReport(episodes[order], int(dropped[0]), int(sums[0]), sums[1:used])

    def running(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return and length so far of the episode that every agent is in, each (agents,); between steps only."""
        returns, lengths = self._counters()
        return returns.copy(), lengths.copy()

    def rows(self, environments: NDArray[np.intp]) -> NDArray[np.intp]:
        """The rows of these environments' agents, in order."""
        agents = self.descriptor.agents
        rows: NDArray[np.intp] = (environments[:, None] * agents + np.arange(agents)).ravel()
        return rows

    def only(self, environments: NDArray[np.intp]) -> VectorEnv:
        """Some of these environments, in this order and in one group: they go on there as they would have here.

        These stay as they are. Episodes that finished and were not drained are not taken along.
        """
        other = VectorEnv(
            self.library,
            self.parameters,
            environments=len(environments),
            threads=self.threads,
        )
        for place, environment in enumerate(environments.tolist()):
            other.state(place)[:] = self.state(environment)
        rows = self.rows(environments)
        for theirs, ours in zip(other._counters(), self._counters(), strict=True):
            theirs[:] = ours[rows]
        return other

    def _counters(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return and length of the running episodes, in place: the end of what `puff_vec_memory` gives."""
        memory, size = self._memory(), 8 * self.agents
        returns = memory[-2 * size : -size].view(np.float64)
        return returns, memory[-size:].view(np.int64)

    @property
    def saved_size(self) -> int:
        """Bytes that `save` returns."""
        return self._memory().size

    def save(self) -> bytes:
        """Everything the environments' future depends on; between steps only.

        Episodes that finished and were not drained are not part of it.
        """
        return self._memory().tobytes()

    def restore(self, saved: bytes) -> None:
        """Puts back what `save` returned; raises `PuffError` if it is of another size."""
        memory = self._memory()
        if len(saved) != memory.size:
            raise PuffError(
                f"The saved environments hold {len(saved)} bytes, these {memory.size}.",
                "They were saved with another version or other settings; start a new run.",
            )
        memory[:] = np.frombuffer(saved, np.uint8)

    def state(self, environment: int) -> NDArray[np.uint8]:
        """The state of one environment, as bytes in place."""
        size = self._ffi.new("uint64_t *")
        pointer = self.library.lib.puff_vec_state(self._vec, environment, size)
        return np.frombuffer(self._ffi.buffer(pointer, size[0]), np.uint8)

    def draw(
        self,
        environment: int,
        agent: int,
        phase: float,
        pixels: NDArray[np.uint8],
        view: int = 0,
    ) -> None:
        """Paints an environment as one of its agents sees it into (height, width, 3) RGB.

        `phase` in [0, 1) is the place between the last step and the next, `view` the number of one of its views.
        """
        height, width, channels = pixels.shape
        if channels != 3 or pixels.dtype != np.uint8 or not pixels.flags.c_contiguous:
            raise ValueError("pixels must be a C-contiguous (height, width, 3) array of uint8")
        canvas = self._ffi.new("puff_canvas *")
        canvas.pixels = self._ffi.cast("uint8_t *", pixels.ctypes.data)
        canvas.width, canvas.height, canvas.view = width, height, view
        self.library.lib.puff_vec_draw(self._vec, environment, agent, phase, canvas)

    def describe(self, environment: int, agent: int) -> tuple[SheetRow, ...]:
        """What a person should read beside that picture; nothing if the environment does not say."""
        if not self.descriptor.describes:
            return ()
        sheet = self._ffi.new("puff_sheet *")
        self.library.lib.puff_vec_describe(self._vec, environment, agent, sheet)
        return read_sheet(sheet)

    def locate(
        self,
        environment: int,
        agent: int,
        phase: float,
        size: tuple[int, int],
        x: float,
        y: float,
        view: int = 0,
    ) -> int | None:
        """The agent of an environment that such a picture of (width, height) shows at a pixel.

        None if nobody is there, or if the environment cannot tell (`Descriptor.locates`).
        """
        if not self.descriptor.locates:
            return None
        canvas = self._ffi.new("puff_canvas *")
        canvas.width, canvas.height = size
        canvas.view = view
        lib = self.library.lib
        found = int(lib.puff_vec_locate(self._vec, environment, agent, phase, canvas, x, y))
        return found if found < self.descriptor.agents else None

    def close(self) -> None:
        """Ends the threads and frees the memory; safe to call twice."""
        if self._vec:
            self.library.lib.puff_vec_destroy(self._vec)
            self._vec = None

    @property
    def _address(self) -> int:
        return int(self._ffi.cast("uintptr_t", self._vec))

    def _function(self, name: str) -> int:
        """The address of a function of the library."""
        function = self._ffi.addressof(self.library.lib, name)
        return int(self._ffi.cast("uintptr_t", function))

    def _memory(self) -> NDArray[np.uint8]:
        size = self._ffi.new("uint64_t *")
        pointer = self.library.lib.puff_vec_memory(self._vec, size)
        return np.frombuffer(self._ffi.buffer(pointer, size[0]), np.uint8)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_vec", None):
            self.close()
