"""For all tests: compiles C with the flags of CMakeLists.txt, and makes policies."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from pufftui.envs.catalogue import load_env
from pufftui.envs.descriptor import ActionKind
from pufftui.envs.library import EnvLibrary, load_library
from pufftui.trainer.messages.weights import PolicyWeights

# The threads of torch and numpy that wait would spin, and so the processes of `-n 2` keep each other from working.
# Torch's are two on every machine, and sleep; it reads that when it is imported. Numpy has been imported above:
# its own are none in the processes that xdist starts from here, and in programs that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# How long an example takes says nothing on a machine that is busy.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

ROOT = Path(__file__).parents[1]
FLAGS = (
    *("-std=gnu11", "-O3", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off"),
    *("-fvisibility=hidden", "-D_GNU_SOURCE", f"-I{ROOT / 'envs'}"),
)


LONGEST = """
envs/checking/test_check.py
envs/checking/test_mistakes.py
pufftui/program/test_folders.py
pufftui/program/test_tutorial.py
envs/test_c.py
test_house.py
pufftui/apps/test_watch.py
trainer/kernels/test_gpu_optimizer.py
pufftui/program/test_strangers.py
trainer/store/test_filesystems.py
pufftui/program/test_own_folders.py
pufftui/program/test_lost_folders.py
envs/test_school_rules.py
pufftui/apps/test_headless.py
pufftui/screens/test_live.py
envs/test_same_bytes.py
pufftui/program/test_variables.py
trainer/ppo/test_decision.py
trainer/ppo/test_rollout.py
trainer/kernels/test_gpu_gather.py
pufftui/apps/test_privacy.py
pufftui/program/test_crash.py
envs/test_door.py
trainer/test_kills.py
pufftui/program/test_not_finite.py
pufftui/program/test_clock_steps.py
trainer/ppo/test_ranks.py
trainer/ppo/test_device_path.py
trainer/monitor/test_full_disk.py
pufftui/storm/test_storm.py
""".split()
"""Files that take the longest, the longest first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begins with the longest files: what is left at the end, and would be waited for, is short."""
    places = {ROOT / "tests" / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


@dataclass
class Compiler:
    """Builds each thing once in a session."""

    command: str
    folder: Path
    root: Path = ROOT
    built: dict[tuple[str, ...], Path] = field(default_factory=dict)

    def build(self, source: str, *flags: str) -> Path:
        """A program (or with -shared a library) from a C file, given relative to the root."""
        key = (source, *flags)
        if key not in self.built:
            target = self.folder / f"{Path(source).stem}-{len(self.built)}"
            result = subprocess.run(
                [
                    *(self.command, *FLAGS, *flags, f"-I{(ROOT / source).parent}"),
                    *(str(ROOT / source), "-o", str(target), "-lpthread", "-lm"),
                ],
                capture_output=True,
                text=True,
                check=False,
            )
            assert result.returncode == 0, result.stderr
            self.built[key] = target
        return self.built[key]

    def library(self, source: str, *flags: str) -> Path:
        """The shared library of an environment."""
        return self.build(source, "-shared", "-fPIC", *flags)

    def older_library(self, source: str, abi: int) -> Path:
        """The same as it was built with the headers of an older interface."""
        headers = ROOT / "tests" / "envs" / f"interface_{abi}"
        return self.library(
            source, "-include", str(headers / "puff_env.h"), "-iquote", str(headers)
        )

    def run(self, source: str, *flags: str, arguments: tuple[str, ...] = ()) -> None:
        """Builds a program and expects it to end well."""
        program = self.build(source, *flags)
        result = subprocess.run(
            [str(program), *arguments], capture_output=True, text=True, check=False, timeout=300
        )
        assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture(scope="session")
def compiler(tmp_path_factory: pytest.TempPathFactory) -> Compiler:
    named = os.environ.get("CC")
    command = named or next((name for name in ("cc", "gcc", "clang") if shutil.which(name)), None)
    if command is None:
        pytest.skip("there is no C compiler; the CC variable can name one")
    return Compiler(command, tmp_path_factory.mktemp("c"))


@pytest.fixture(scope="session")
def crowd(compiler: Compiler) -> EnvLibrary:
    """The test environment of tests/c/crowd.c."""
    return load_library(compiler.library("tests/c/crowd.c"))


@pytest.fixture(scope="session")
def made_policy() -> Callable[..., PolicyWeights]:
    """Makes policies that were never trained: `made_policy(env, memory="mingru", seed=0)`."""

    def make(
        env: str | EnvLibrary, memory: str = "mingru", seed: int = 0, hidden: int = 8
    ) -> PolicyWeights:
        descriptor = (load_env(env) if isinstance(env, str) else env).descriptor
        random = np.random.default_rng(seed)
        features = sum(field.count * max(field.classes, 1) for field in descriptor.fields)
        continuous = descriptor.action_kind is ActionKind.CONTINUOUS
        sizes = [1 if continuous else len(action.choices) for action in descriptor.actions]
        shapes = {
            "encoder.weight": (hidden, features),
            "encoder.bias": (hidden,),
            "heads.weight": (sum(sizes) + 1, hidden),
            "heads.bias": (sum(sizes) + 1,),
        }
        if memory == "mingru":
            shapes |= {
                "memory.gates.0.weight": (3 * hidden, hidden),
                "memory.gates.0.bias": (3 * hidden,),
            }
        elif memory == "lstm":
            shapes |= {
                "memory.inputs.0.weight": (4 * hidden, hidden),
                "memory.inputs.0.bias": (4 * hidden,),
                "memory.recurrent.0.weight": (4 * hidden, hidden),
            }
        if continuous:
            shapes["log_std"] = (sum(sizes),)
        arrays = {
            name: random.normal(0, 0.7, shape).astype(np.float32) for name, shape in shapes.items()
        }
        return PolicyWeights(1000 + seed, memory, hidden, 1, arrays)

    return make
