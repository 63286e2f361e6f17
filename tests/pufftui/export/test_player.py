"""The program of docs/export.md: a policy and a game in C alone score as they do in the vectoriser."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from pufftui.envs.catalogue import load_env
from pufftui.envs.compiler import find_compiler
from pufftui.envs.vector import VectorEnv
from pufftui.export.header import c_header
from pufftui.trainer.arena import forward
from pufftui.trainer.messages.weights import PolicyWeights
from pufftui.trainer.network.policy import Policy
from pufftui.trainer.settings.fields import PolicyConfig

pytestmark = pytest.mark.skipif(find_compiler() is None, reason="there is no C compiler")

ROOT = Path(__file__).parents[3]
SEEDS = range(5)


def balancing() -> PolicyWeights:
    """Pushes to the side to which the pole is about to fall."""
    lean = np.array([0.1, 0.3, 3.0, 1.0], np.float32)
    arrays = {
        "encoder.weight": np.stack((-lean, lean)),
        "encoder.bias": np.zeros(2, np.float32),
        "heads.weight": np.array([[1, 0], [0, 1], [0, 0]], np.float32),
        "heads.bias": np.zeros(3, np.float32),
    }
    return PolicyWeights(0, "none", 2, 1, arrays)


def untrained(memory: str) -> PolicyWeights:
    """Whatever a few random weights do, and remember."""
    torch.manual_seed(0)
    about = load_env("cartpole").descriptor
    policy = Policy(about, PolicyConfig(memory, 16, 2), torch.float32, torch.Generator())
    with torch.no_grad():
        policy.heads.weight[:-1] *= 100
    arrays = {name: p.detach().numpy() for name, p in policy.state_dict().items()}
    return PolicyWeights(0, memory, 16, 2, arrays)


def vectoriser_score(weights: PolicyWeights, seed: int) -> float:
    """The score of the first episode, played by the numpy policy's best actions."""
    library = load_env("cartpole")
    vector = VectorEnv(library, {}, environments=1, seed=seed)
    buffers = vector.buffers()
    vector.reset(0, buffers)
    state = forward.initial_state(weights, 1)
    while not (buffers.terminals[0] or buffers.truncations[0]):
        outputs, _, state = forward.forward(
            weights, library.descriptor, buffers.observations, state
        )
        buffers.actions[0, 0] = outputs[0].argmax()
        vector.step(0, buffers)
    (episode,) = vector.drain().episodes
    return float(episode["score"])


@pytest.mark.parametrize("kind", ["balancing", "mingru", "lstm"])
def test_the_documented_program_scores_like_the_policy(tmp_path: Path, kind: str):
    weights = balancing() if kind == "balancing" else untrained(kind)
    header = c_header(weights, load_env("cartpole").descriptor, "cartpole_policy", "a test")
    (tmp_path / "cartpole_policy.h").write_text(header, encoding="ascii")
    page = (ROOT / "docs/export.md").read_text(encoding="utf-8")
    program = re.search(r"```c\n(.*?)```", page, re.DOTALL)
    assert program
    (tmp_path / "player.c").write_text(program[1], encoding="utf-8")
    command = re.search(r"^cc (-std.*) -o player$", page, re.MULTILINE)
    compiler = find_compiler()
    assert command
    assert compiler
    link = re.search(r"^ln -s .* envs$", page, re.MULTILINE)
    assert link
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(link[0], shell=True, cwd=tmp_path, env=os.environ | {"PATH": path}, check=True)
    done = subprocess.run(
        [*compiler, *command[1].split(), "-Wall", "-Wextra", "-Werror", "-o", "player"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    scores = []
    for seed in SEEDS:
        said = subprocess.run([tmp_path / "player", str(seed)], capture_output=True, check=True)
        scores.append(float(said.stdout.split()[1]))
    assert scores == [vectoriser_score(weights, seed) for seed in SEEDS]
    if kind == "balancing":
        assert scores == [200.0] * len(SEEDS)
    else:
        assert len(set(scores)) > 1
