"""What runs on a GPU, run where there is none: on torch's device `meta`, which knows shapes but no numbers.

There every question for a number, which on a GPU makes the processor wait for the device, is an error, and
so is everything that mixes devices or needs a shape that depends on numbers.
"""

import pytest
import torch

from pufftui.envs.catalogue import load_env
from pufftui.envs.library import load_library
from pufftui.trainer.collecting.rollout import Rollout
from pufftui.trainer.network.actions import ActionDistribution
from pufftui.trainer.network.policy import Policy
from pufftui.trainer.ppo.minibatch import minibatch_plan
from pufftui.trainer.ppo.observed import ObservedMoments
from pufftui.trainer.ppo.optimizer import PolicyOptimizer
from pufftui.trainer.ppo.ranks import Ranks
from pufftui.trainer.ppo.update import Learner
from pufftui.trainer.settings.fields import PolicyConfig, TrainConfig
from pufftui.trainer.training.epoch import learn

AGENTS, HORIZON = 64, 16
META = torch.device("meta")


def zeros(*shape, dtype=torch.float32):
    return torch.zeros(shape, dtype=dtype, device=META)


def rollout_of(policy):
    about, flags = policy.descriptor, {"dtype": torch.uint8}
    continuous = policy.log_std is not None
    return Rollout(
        observations=zeros(HORIZON + 1, AGENTS, about.observation_bytes, dtype=torch.uint8),
        actions=zeros(
            HORIZON, AGENTS, len(about.actions), dtype=torch.float32 if continuous else torch.int32
        ),
        log_probabilities=zeros(HORIZON, AGENTS),
        values=zeros(HORIZON + 1, AGENTS),
        final_values=zeros(HORIZON, AGENTS),
        rewards=zeros(HORIZON, AGENTS),
        unclipped=zeros(HORIZON, AGENTS),
        terminals=zeros(HORIZON, AGENTS, **flags),
        truncations=zeros(HORIZON, AGENTS, **flags),
        alive=zeros(HORIZON, AGENTS, **flags),
        resets=zeros(HORIZON, AGENTS, **flags),
        state=policy.initial_state(AGENTS),
    )


@pytest.fixture(params=["breakout", "snake", "school", "limbs", "senses"])
def about(request, compiler):
    """Numbers; cells; several components; continuous actions; bounds."""
    if request.param in ("limbs", "senses"):
        source = f"tests/c/{request.param}.c"
        return load_library(compiler.library(source, "-DCONTINUOUS")).descriptor
    return load_env(request.param).descriptor


@pytest.mark.parametrize("memory", ["none", "mingru", "lstm"])
def test_deciding_and_learning_never_ask_for_a_number(about, memory):
    chance = torch.Generator().manual_seed(0)
    normalise = "on" if memory == "mingru" else "off"
    config = PolicyConfig(memory, 32, normalise=normalise)
    policy = Policy(about, config, torch.bfloat16, chance).to(META)
    distribution = ActionDistribution(about)
    with torch.inference_mode():
        seen = zeros(AGENTS, about.observation_bytes, dtype=torch.uint8)
        outputs, values, state = policy.step(seen, policy.initial_state(AGENTS))
        noise = zeros(AGENTS, len(about.actions))
        actions, chances = distribution.sample(outputs, policy.log_std, noise)
    assert actions.shape == (AGENTS, len(about.actions))
    assert values.shape == chances.shape == (AGENTS,)
    assert state.shape == policy.initial_state(AGENTS).shape

    config = TrainConfig(horizon=HORIZON, minibatch_size=256, max_forward_size=128)
    optimizer = PolicyOptimizer(policy, config)
    learner = Learner(policy, optimizer, chance, Ranks(), scaling=True)
    for alpha in (0.8, 0.0):
        settings = TrainConfig(
            horizon=HORIZON, minibatch_size=256, max_forward_size=128, priority_alpha=alpha
        )
        rollout = rollout_of(policy)
        report = learner.update(learn, rollout, settings, 0.01, 0.5, lambda: False, probe=True)
        figures = report.figures
        assert {figure.device for figure in figures.values()} == {META}
        assert {figure.shape for figure in figures.values()} == {torch.Size()}
    assert minibatch_plan(config, AGENTS)[1] > 1
    if policy.normaliser is not None and policy.normaliser.follows:
        observed = ObservedMoments(policy, policy.normaliser, Ranks())
        observed.learn(rollout.observations[:-1], rollout.alive)
