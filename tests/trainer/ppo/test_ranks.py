"""Several processes that train together: the same gradients as one, and whole jobs."""

import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pufftui.envs.catalogue import load_env
from pufftui.trainer.collecting.rollout import Rollout
from pufftui.trainer.network.policy import Policy
from pufftui.trainer.ppo.gradient import MinibatchGradient
from pufftui.trainer.ppo.minibatch import Minibatch
from pufftui.trainer.ppo.observed import ObservedMoments
from pufftui.trainer.ppo.ranks import Ranks
from pufftui.trainer.settings.fields import PolicyConfig, TrainConfig

STEPS, AGENTS = 8, 6


def gradients(agents, ranks):
    """The gradients of a minibatch of these agents of a fixed rollout."""
    about = load_env("breakout").descriptor
    generator = torch.Generator().manual_seed(5)
    policy = Policy(about, PolicyConfig("mingru", 16), torch.float32, generator)

    def normal(*shape):
        return torch.randn(shape, generator=generator)

    seen = normal(STEPS + 1, AGENTS, about.observation_bytes // 4).view(torch.uint8)
    alive = (torch.rand((STEPS, AGENTS), generator=generator) < 0.7).to(torch.uint8)
    zeros = torch.zeros(STEPS, AGENTS)
    rollout = Rollout(
        observations=seen,
        actions=torch.randint(0, 3, (STEPS, AGENTS, 1), generator=generator).int(),
        log_probabilities=-1.1 + 0.1 * normal(STEPS, AGENTS),
        values=normal(STEPS + 1, AGENTS),
        final_values=zeros,
        rewards=zeros,
        unclipped=zeros,
        terminals=zeros,
        truncations=zeros,
        alive=alive,
        resets=zeros.to(torch.uint8),
        state=policy.initial_state(AGENTS),
    )
    rows = torch.tensor(agents)
    batch = Minibatch(
        rollout, rows, torch.ones(len(rows)), normal(STEPS, AGENTS), rollout.values.clone()
    )
    config = TrainConfig(horizon=STEPS)
    coefficients = torch.zeros(4, dtype=torch.float64)
    MinibatchGradient(policy, ranks).add(batch, config, coefficients)
    return torch.cat([parameter.grad.flatten() for parameter in policy.parameters()]).numpy()


RANK_PROGRAM = """
import sys, numpy as np, torch
from test_ranks import gradients
from pufftui.trainer.ppo.ranks import Ranks
ranks = Ranks.from_environment()
ranks.begin(torch.device("cpu"))
own = [[0, 1, 2, 3], [4, 5]][ranks.rank]
np.save(f"{sys.argv[1]}/{ranks.rank}.npy", gradients(own, ranks))
ranks.end()
"""


def rank_environment(rank, port):
    return os.environ | {
        "RANK": str(rank),
        "WORLD_SIZE": "2",
        "LOCAL_RANK": str(rank),
        "LOCAL_WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "PYTHONPATH": str(Path(__file__).parent),
    }


@pytest.fixture
def port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def of_two_ranks(program, folder, port):
    """What both ranks of a job find, which is the same."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(folder)], env=rank_environment(rank, port)
        )
        for rank in range(2)
    ]
    for process in processes:
        assert process.wait(90) == 0
    first, second = np.load(folder / "0.npy"), np.load(folder / "1.npy")
    assert np.array_equal(first, second)
    return first


def test_two_ranks_give_the_gradient_of_the_joined_batch(tmp_path, port):
    first = of_two_ranks(RANK_PROGRAM, tmp_path, port)
    np.testing.assert_allclose(first, gradients(list(range(6)), Ranks()), rtol=1e-4, atol=1e-6)


def moments(agents, ranks):
    """What three rollouts of these agents come to, as one row."""
    about = load_env("cartpole").descriptor
    (field,) = about.fields
    bounded = replace(field, count=1, low=-3, high=1)
    about = replace(about, fields=(bounded, replace(field, offset=4, count=3)))
    chance = torch.Generator().manual_seed(5)
    config = PolicyConfig("none", 8, normalise="on")
    policy = Policy(about, config, torch.float32, chance)
    observed = ObservedMoments(policy, policy.normaliser, ranks)
    for number in range(3):
        seen = number + torch.randn((STEPS, AGENTS, about.observation_bytes // 4), generator=chance)
        alive = (torch.rand((STEPS, AGENTS), generator=chance) < 0.7).to(torch.uint8)
        observed.learn(seen[:, agents].view(torch.uint8), alive[:, agents])
    scales = policy.normaliser.scales.double()
    return torch.cat(
        [*observed.state().values(), policy.normaliser.shifts.double(), scales]
    ).numpy()


MOMENTS_PROGRAM = RANK_PROGRAM.replace("gradients", "moments")


def test_two_ranks_have_the_moments_of_all_that_both_saw(tmp_path, port):
    first = of_two_ranks(MOMENTS_PROGRAM, tmp_path, port)
    np.testing.assert_allclose(first, moments(list(range(6)), Ranks()), rtol=1e-6)


def start_job(tmp_path, port, *flags):
    command = [sys.executable, "-m", "pufftui", *flags, "--headless", "--json"]
    return [
        subprocess.Popen(
            command,
            env=rank_environment(rank, port) | {"PUFFTUI_RUNS": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]


SMALL = ("--vec.agents", "64", "--train.horizon", "16", "--train.minibatch-size", "256")


def test_a_job_trains_to_the_end_and_goes_on(tmp_path, port):
    job = start_job(
        tmp_path,
        port,
        "train",
        "squared",
        "--run-name",
        "job",
        "--train.total-steps",
        "20480",
        *SMALL,
    )
    outputs = [process.communicate(timeout=90) for process in job]
    assert [process.returncode for process in job] == [0, 0], outputs
    last = json.loads(outputs[0][0].splitlines()[-1])
    # Two ranks of 64 agents: twice the steps an epoch.
    assert last == {
        "done": True,
        "reason": "finished",
        "run": "job",
        "step": 20_480,
        "checkpoint": str(tmp_path / "job" / "checkpoints" / "step-00000000020480.npz"),
        "lost_rows": 0,
    }
    assert outputs[1][0] == ""
    job = start_job(tmp_path, port, "resume", "job", "--train.total-steps", "30000")
    outputs = [process.communicate(timeout=90) for process in job]
    assert [process.returncode for process in job] == [0, 0], outputs
    assert json.loads(outputs[0][0].splitlines()[-1])["step"] >= 30_000


def test_a_rank_that_dies_ends_the_job_with_a_sentence(tmp_path, port):
    job = start_job(tmp_path, port, "train", "squared", "--train.total-steps", "1T", *SMALL)
    assert '"step"' in job[0].stdout.readline()
    job[1].send_signal(signal.SIGKILL)
    output, errors = job[0].communicate(timeout=60)
    job[1].communicate()
    assert job[0].returncode == 1
    assert "Another process of this job has ended" in errors
    assert json.loads(output.splitlines()[-1])["reason"] == "failed"


def test_a_dashboard_is_refused(tmp_path, port):
    environment = rank_environment(0, port) | {"PUFFTUI_RUNS": str(tmp_path)}
    result = subprocess.run(
        [sys.executable, "-m", "pufftui", "train", "squared"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert "--headless" in result.stderr
    assert not list(tmp_path.iterdir())
