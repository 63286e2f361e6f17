"""Batches and minibatches of the largest worlds, at a tenth: memory is that of the observations, in bytes, and little more."""

import json
import subprocess
import sys

import pytest

from pufftui.envs.catalogue import load_env

AGENTS, HORIZON, MINIBATCH = 4736, 64, 18_000

PROGRAM = f"""
import json, resource
from pufftui.envs.catalogue import load_env
from pufftui.trainer.settings.sources import load_config
from pufftui.trainer.training.epoch import run_epoch
from pufftui.trainer.training.session import TrainingSession

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

flags = {{
    "vec.agents": "{AGENTS}",
    "train.horizon": "{HORIZON}",
    "train.minibatch_size": "{MINIBATCH}",
    "run.device": "cpu",
}}
library = load_env("nmmo")
config = load_config("nmmo", device="cpu", files=[], flags=flags)
small = load_config("nmmo", device="cpu", files=[], flags=flags | {{"vec.agents": "256"}})
run_epoch(TrainingSession(small, library), lambda: False)
before = peak()
session = TrainingSession(config, library)
report = run_epoch(session, lambda: False)
seen = session.collector.memory.observations
print(json.dumps({{
    "steps": report.steps,
    "bytes": seen.numel() * seen.element_size(),
    "grew": peak() - before,
    "finite": report.figures["finite"],
}}))
"""


@pytest.mark.slow
def test_a_batch_of_300_thousand_steps():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True
    )
    found = json.loads(done.stdout)
    assert found["steps"] == AGENTS * HORIZON
    assert found["finite"] == 1
    assert found["bytes"] == (HORIZON + 1) * AGENTS * load_env("nmmo").descriptor.observation_bytes
    assert found["grew"] < found["bytes"] + 150e6
