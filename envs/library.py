"""Loads an environment's shared library through cffi and reads its descriptor."""

from __future__ import annotations

import functools
import hashlib
import os
import struct
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cffi

from pufftui.envs.descriptor import (
    Action,
    ActionKind,
    Choice,
    Descriptor,
    DType,
    Field,
    Parameter,
    ParameterType,
)
from pufftui.envs.errors import PuffError
from pufftui.envs.headers import ABI, declarations, most_statistics, named, older_declarations
from pufftui.envs.nonsense import refuse_nonsense

HERE = Path(__file__).parent
SUFFIX = ".dylib" if sys.platform == "darwin" else ".so"
SUMS_BEFORE_STATISTICS = 4
MAX_STATISTICS = most_statistics(ABI)
SIZES_SINCE = 4
"""The interface from which on libraries may say how many agents there are with some parameters."""


@functools.cache
def interface() -> cffi.FFI:
    """The C declarations, cut from the headers between their cdef markers, and those of older interfaces."""
    ffi = cffi.FFI()
    ours = declarations(HERE / "puff_env.h")
    for part in (ours, older_declarations(ours), declarations(HERE / "vec.h")):
        ffi.cdef(part)
    return ffi


@dataclass(frozen=True, slots=True, eq=False)
class EnvLibrary:
    """An environment's library: its C functions (`lib`) and what it declares.

    `build` is a digest of its code: memory of one build means nothing to another.
    """

    path: Path
    lib: Any
    descriptor: Descriptor
    build: bytes

    @property
    def abi(self) -> int:
        """The interface that it was built for."""
        return int(self.lib.puff_env().abi)

    def descriptor_with(self, parameters: Mapping[str, float]) -> Descriptor:
        """What it declares with these parameters: worlds of several sizes have as many agents as they say."""
        raw = self.lib.puff_env()
        if raw.abi < SIZES_SINCE or not raw.agents_in:
            return self.descriptor
        agents = int(raw.agents_in(self._values(parameters)))
        return replace(self.descriptor, agents=max(agents, 1))

    def state_bytes(self, parameters: Mapping[str, float]) -> int:
        """The size of one game's state with these parameters, at least 1."""
        size = self.lib.puff_env().state_size(self._values(parameters))
        return max(int(size), 1)

    def _values(self, parameters: Mapping[str, float]) -> Any:
        """The parameters as C takes them, a `double[]`."""
        values = [parameters[p.name] for p in self.descriptor.parameters]
        return interface().new("double[]", values)


ENDS_WITH_VEC = 'It ends with #include "vec.h"; see puff_env.h for what comes before.'
OUR_ABI = "Write .abi = PUFF_ABI and .size = sizeof(puff_descriptor)."
NOT_THERE = "Choose a folder on another one with the variable XDG_CACHE_HOME."
BUILD_AGAIN = "Build it again: pip install ."


def load_library(path: Path, *, source: str = "") -> EnvLibrary:
    """Opens a library; raises `PuffError` if it is missing, broken or built for a newer interface.

    What it declares is read as the interface has it that it was built for. The error names the C file that it was made from, `source`, if a person can mend that; else the library.
    """
    ffi = interface()
    label = source or path.name
    if not path.exists():
        raise PuffError(f"The library {path} is missing.", "Reinstall pufftui: pip install .")
    try:
        _refuse_cut_short(path)
        lib = ffi.dlopen(str(path))
        raw = lib.puff_env()
    except (OSError, AttributeError) as error:
        if _is_noexec(path):
            raise PuffError(
                f"{label} cannot be loaded from {path.parent}: no code may run on that file system (noexec).",
                NOT_THERE if source else "Install pufftui on another one.",
            ) from None
        raise PuffError(
            f"{label} is not a working environment library ({error}).",
            ENDS_WITH_VEC if source else BUILD_AGAIN,
        ) from None
    advice = OUR_ABI if source else BUILD_AGAIN
    if not 1 <= raw.abi <= ABI:
        text = f"{label} was built for interface {raw.abi}, this pufftui speaks 1 to {ABI}."
        raise PuffError(text, advice)
    layout = named("puff_descriptor", raw.abi)
    if raw.size != ffi.sizeof(layout) or _header_abi(lib, raw.abi) != raw.abi:
        text = f"{label} says that it was built for interface {raw.abi}, and was built for another one."
        raise PuffError(text, advice)
    try:
        raw = ffi.cast(f"{layout} *", raw)
        refuse_nonsense(ffi, raw)
        descriptor = _read_descriptor(ffi, raw)
    except ValueError as error:
        raise PuffError(
            f"{label} describes itself wrongly ({error}).",
            "See puff_env.h for what is allowed.",
        ) from None
    return EnvLibrary(path, lib, descriptor, hashlib.sha256(path.read_bytes()).digest())


def _header_abi(lib: Any, said: int) -> int:
    """The interface of the header that a library was compiled with; what was `said` where none tells."""
    try:
        return int(lib.puff_vec_abi())
    except AttributeError:
        return said


def _is_noexec(path: Path) -> bool:
    """Whether the file system forbids to run code from it, where the system tells."""
    try:
        return bool(os.statvfs(path).f_flag & getattr(os, "ST_NOEXEC", 0))
    except OSError:
        return False


def _refuse_cut_short(path: Path) -> None:
    """Raises `OSError` for an ELF file that ends too early: the loader would crash on it."""
    with path.open("rb") as file:
        header = file.read(64)
        if len(header) == 64 and header.startswith(b"\x7fELF\x02"):
            (table,) = struct.unpack_from("<Q", header, 40)  # of sections, the last thing in it
            size, count = struct.unpack_from("<HH", header, 58)
            if file.seek(0, os.SEEK_END) < table + size * count:
                raise OSError("its end is missing")


def _read_descriptor(ffi: cffi.FFI, raw: Any) -> Descriptor:
    def text(pointer: Any) -> str:
        return ffi.string(pointer).decode() if pointer else ""

    def texts(table: Any, count: int) -> tuple[str, ...]:
        return tuple(text(table[i]) for i in range(count)) if table else ()

    def fields() -> tuple[Field, ...]:
        return tuple(
            Field(
                *(text(f.name), f.offset, f.count, DType(f.dtype), f.classes),
                *(getattr(f, "low", 0.0), getattr(f, "high", 0.0), getattr(f, "columns", 0)),
            )
            for f in raw.fields[0 : raw.field_count]
        )

    def actions() -> tuple[Action, ...]:
        return tuple(
            Action(
                text(a.name),
                a.neutral,
                tuple(
                    Choice(text(c.label), tuple(text(c.keys).split()))
                    for c in a.choices[0 : a.choice_count]
                ),
            )
            for a in raw.actions[0 : raw.action_count]
        )

    def parameters() -> tuple[Parameter, ...]:
        return tuple(
            Parameter(text(p.name), ParameterType(p.type), p.standard, p.low, p.high, text(p.help))
            for p in raw.parameters[0 : raw.parameter_count]
        )

    return Descriptor(
        name=text(raw.name),
        summary=text(raw.summary),
        observation_bytes=raw.observation_bytes,
        fields=fields() if raw.field_count else (),
        action_kind=ActionKind(raw.action_kind),
        actions=actions(),
        agents=raw.agents,
        frames_per_second=raw.frames_per_second,
        frames_per_step=raw.frames_per_step,
        turn_based=bool(raw.turn_based),
        score_low=raw.score_low,
        score_high=raw.score_high,
        picture_aspect=raw.picture_width / raw.picture_height,
        parameters=parameters() if raw.parameter_count else (),
        statistics=texts(raw.statistics, raw.statistic_count),
        meanings=texts(getattr(raw, "statistic_meanings", None), raw.statistic_count),
        views=texts(getattr(raw, "views", None), getattr(raw, "view_count", 0)),
        describes=bool(getattr(raw, "describe", None)),
        tapped_keys=tuple(text(getattr(raw, "tapped_keys", None)).split()),
        fills_any_shape=bool(getattr(raw, "fills_any_shape", 0)),
        locates=bool(getattr(raw, "locate", None)),
        picture_columns=int(raw.picture_width) if float(raw.picture_width).is_integer() else 0,
    )
