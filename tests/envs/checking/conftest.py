"""For the tests of `pufftui env check`: a shared module, and builds that are quick rather than fast."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from subprocess import CompletedProcess

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from pufftui.envs import compile as compiling
from pufftui.envs.checking import probe
from pufftui.envs.compiler import need_compiler


class Objects:
    """Compiles check.c once for each way of building it, instead of once for each environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made: dict[tuple[str, ...], Path] = {}

    def compile_c(self, source: Path, flags: Sequence[str]) -> CompletedProcess[bytes]:
        """As `compile_c`: it links what was made of check.c where that is to be compiled."""
        if str(probe.PROBE) in flags:
            at = list(flags).index(str(probe.PROBE))
            include, options = next(f for f in flags if "pufftui-check-" in f), flags[at + 1 :]
            key = (*need_compiler(), *options)
            if key not in self.made:
                made = self.folder / f"{len(self.made)}.o"
                own = [*compiling.LANGUAGE, include, *options, "-c", "-o", str(made)]
                compiling.compile_c(probe.PROBE, own)
                self.made[key] = made
            flags = [*flags[:at], str(self.made[key]), *options]
        return compiling.compile_c(source, flags)


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Objects:
    return Objects(tmp_path_factory.mktemp("objects"))


@pytest.fixture(autouse=True)
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, objects: Objects) -> None:
    """A cache of its own, and builds that are quick rather than fast."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(compiling, "OPTIMISED", (*compiling.OPTIMISED, "-O0"))
    monkeypatch.setattr(probe, "SANITIZERS", (*probe.SANITIZERS, "-O0"))
    monkeypatch.setattr(probe, "compile_c", objects.compile_c)
