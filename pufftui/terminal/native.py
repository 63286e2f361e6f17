"""Opens the C libraries that the app has for itself."""

from __future__ import annotations

import ctypes
import functools
import sys
from pathlib import Path

import pufftui
from pufftui.envs.errors import PuffError

SUFFIX = ".dylib" if sys.platform == "darwin" else ".so"


@functools.cache
def opened(name: str) -> ctypes.PyDLL:
    """The library of that name; raises `PuffError` if it is missing.

    Its calls take microseconds and keep the interpreter's lock: to get it back from a trainer that works takes milliseconds.
    """
    # An editable install keeps the sources in one folder and what was built in another.
    candidates = [Path(root) / "terminal" / f"lib{name}{SUFFIX}" for root in pufftui.__path__]
    path = next((path for path in candidates if path.exists()), None)
    if path is None:
        raise PuffError(f"The library {name} is missing.", "Reinstall pufftui: pip install .")
    return ctypes.PyDLL(str(path))
