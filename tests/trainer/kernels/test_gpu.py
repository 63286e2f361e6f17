"""The same things on a GPU: parts against their CPU versions, and whole runs."""

import functools
from dataclasses import replace

import numpy as np
import pytest
import torch

from pufftui.envs.catalogue import load_env
from pufftui.envs.library import load_library
from pufftui.trainer.collecting.decision import FusedDecision, PlainDecision
from pufftui.trainer.network.actions import ActionDistribution
from pufftui.trainer.network.gelu import gelu
from pufftui.trainer.network.mingru import scan
from pufftui.trainer.network.policy import Policy
from pufftui.trainer.ppo.advantage import advantages
from pufftui.trainer.ppo.fused_loss import picked_ppo_loss
from pufftui.trainer.ppo.loss import advantage_moments, coefficients
from pufftui.trainer.ppo.minibatch import Minibatch
from pufftui.trainer.settings.fields import Config, PolicyConfig, RunConfig, TrainConfig, VecConfig
from pufftui.trainer.training.ahead import Ahead
from pufftui.trainer.training.epoch import run_epoch
from pufftui.trainer.training.session import TrainingSession

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no NVIDIA GPU"),
]

CONFIG = Config(
    "breakout",
    {},
    TrainConfig(horizon=16, minibatch_size=256, total_steps=20_000),
    PolicyConfig(memory="mingru", hidden=32),
    VecConfig(agents=64),
    RunConfig(device="cuda"),
)


def on_both(make):
    """What a function of the device gives on the CPU and on the GPU, both as CPU tensors."""
    return make(torch.device("cpu")), tuple(part.cpu() for part in make(torch.device("cuda")))


def test_scan_and_gradients():
    gates, inputs, initial = torch.randn(9, 5, 96), torch.randn(9, 5, 32), torch.randn(5, 32)
    resets = (torch.rand(9, 5) < 0.3).to(torch.uint8)

    def make(device):
        # Moved to where they are, tensors stay the same: each call has leaves of its own.
        leaves = [tensor.to(device, copy=True).requires_grad_() for tensor in (gates, inputs)]
        outputs, last = scan(*leaves, resets.to(device), initial.to(device))
        outputs.square().sum().backward()
        return outputs.detach(), last.detach(), leaves[0].grad, leaves[1].grad

    cpu, gpu = on_both(make)
    for one, two in zip(cpu, gpu, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-4)


def test_advantages_and_gelu():
    batch = {name: torch.randn(12, 7) for name in ("rewards", "final_values", "ratios")}
    batch["values"] = torch.randn(13, 7)
    for name in ("terminals", "truncations", "alive"):
        batch[name] = (torch.rand(12, 7) < 0.2).to(torch.uint8)
    constants = {"gamma": 0.97, "gae_lambda": 0.9, "rho_clip": 1.0, "c_clip": 1.0}

    def make(device):
        moved = {name: tensor.to(device) for name, tensor in batch.items()}
        return (*advantages(**moved, **constants), gelu(moved["rewards"]))

    cpu, gpu = on_both(make)
    for one, two in zip(cpu, gpu, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("memory", ["none", "mingru", "lstm"])
@pytest.mark.parametrize("env", ["breakout", "squared"])
def test_policies_give_the_same_heads(env, memory):
    about = load_env(env).descriptor
    config = PolicyConfig(memory=memory, hidden=32)
    seeded = torch.Generator().manual_seed(0)
    policy = Policy(about, config, torch.float32, seeded)
    observations = torch.zeros((4, 6, about.observation_bytes), dtype=torch.uint8)

    def make(device):
        moved = policy.to(device)
        with torch.no_grad():
            return moved.sequence(observations.to(device), moved.initial_state(6), None)

    cpu, gpu = on_both(make)
    for one, two in zip(cpu, gpu, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-3, atol=1e-3)


def test_samples_follow_the_probabilities():
    about = load_env("squared").descriptor
    logits = torch.tensor([1.0, 0.0, -1.0, 2.0, 0.5], device="cuda").expand(40_000, -1)
    seeded = torch.Generator("cuda").manual_seed(0)
    distribution = ActionDistribution(about)
    noise = distribution.noise(1, len(logits), seeded)[0]
    actions, _ = distribution.sample(logits, None, noise)
    shares = np.bincount(actions[:, 0].cpu().numpy(), minlength=5) / 40_000
    np.testing.assert_allclose(shares, torch.softmax(logits[0].cpu(), 0), atol=0.01)


@pytest.mark.parametrize("memory", ["none", "mingru", "lstm"])
def test_recorded_decisions_follow_the_weights(memory):
    """CUDA graphs give what the policy itself gives, also after the weights have changed."""
    config = replace(CONFIG, policy=PolicyConfig(memory=memory, hidden=32))
    sessions = [TrainingSession(config, load_env("breakout")) for _ in range(2)]
    assert sessions[0].collector._steps is not None
    plain = sessions[1].collector
    plain._steps = None
    plain._decide = [
        [functools.partial(plain._decided, step, group) for group in plain.groups]
        for step in range(config.train.horizon + 1)
    ]
    for _ in range(3):
        one, two = (session.collector.collect(1.0, lambda: False) for session in sessions)
        for name in ("actions", "log_probabilities", "values", "rewards", "state"):
            torch.testing.assert_close(getattr(one, name), getattr(two, name), msg=name)
        for session in sessions:
            session.collector.advance()
            with torch.no_grad():
                for parameter in session.policy.parameters():
                    parameter.mul_(1.1)


@pytest.mark.parametrize("normalise", ["off", "on"])
@pytest.mark.parametrize("layers", [0, 1, 3])
@pytest.mark.parametrize("env", ["breakout", "snake", "shared_pool"])
def test_the_fused_decision_is_the_plain_one(env, layers, normalise):
    kind = "mingru" if layers else "none"
    memory = PolicyConfig(kind, 64, max(1, layers), normalise=normalise)
    train = replace(CONFIG.train, precision="bf16")
    library = load_env(env)
    parameters = {p.name: p.default for p in library.descriptor.parameters}
    config = replace(CONFIG, env=env, parameters=parameters, policy=memory, train=train)
    session = TrainingSession(config, library)
    collector = session.collector
    assert isinstance(collector.decision, FusedDecision), collector.unfused
    assert collector.collect(1.0, lambda: False) is not None
    kept = collector.memory, collector.groups[-1]
    plain, found = PlainDecision(session.policy, kept[0]), []
    state = kept[1].state.clone()
    for decision in (collector.decision, plain):
        kept[1].state.copy_(state)
        with torch.inference_mode():
            decision.follow()
            decision.decide(3, kept[1])
        rows = kept[1].rows
        found.append([t[3, rows].clone() for t in (kept[0].values, kept[0].log_probabilities)])
        found[-1].append(kept[1].state.clone())
    same = kept[0].actions[3, rows] == kept[0].host_actions[3, rows].cuda()
    assert same.all()
    close = {"rtol": 0.05, "atol": 0.02}
    torch.testing.assert_close(found[0][0], found[1][0], **close)
    torch.testing.assert_close(found[0][2], found[1][2], **close)
    # An action at the edge of its share of the probability may be another one.
    near = (found[0][1] - found[1][1]).abs() < 0.05
    assert near.float().mean() > 0.9


@pytest.mark.parametrize("several", [False, True])
def test_the_fused_loss_is_the_plain_one(compiler, several):
    limbs = load_library(compiler.library("tests/c/limbs.c"))
    assert len(limbs.descriptor.actions) > 1
    library = limbs if several else load_env("breakout")
    parameters = {p.name: p.default for p in library.descriptor.parameters}
    session = TrainingSession(replace(CONFIG, parameters=parameters), library)
    gradient, results = session.learner.gradient.gathered, []
    assert gradient._fused
    rollout = session.collector.collect(1.0, lambda: False)
    rows = torch.arange(0, 64, 3, device="cuda")
    advantages = torch.randn_like(rollout.rewards)
    weights = torch.rand(len(rows), device="cuda")
    batch = Minibatch(rollout, rows, weights, advantages, rollout.values)
    picked = batch.picked()
    moments = advantage_moments(picked.advantages, picked.alive)
    numbers = torch.tensor(coefficients(session.config.train)).double().cuda()
    for fused in (True, False):
        heads, _ = session.policy.sequence(picked.observations, picked.state, picked.resets)
        heads = (heads.detach() + 0.1).requires_grad_()
        if fused:
            sizes, largest = gradient._sizes, max(gradient._distribution.sizes)
            loss, wanted = picked_ppo_loss(heads, sizes, largest, picked, moments, numbers)
        else:
            loss = gradient.loss(heads, picked, moments, numbers)
            (wanted,) = torch.autograd.grad(loss.total, heads)
        results.append([wanted, loss.ratios, loss.values, loss.figures])
    for one, two in zip(*results, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-3, atol=1e-4, equal_nan=True)


@pytest.mark.parametrize("memory", ["none", "mingru", "lstm"])
def test_learning_beside_collecting_is_learning_before_it(memory, monkeypatch):
    """With decisions in one kernel and by torch's operations; rounding may differ, and with it a few actions."""
    train = replace(CONFIG.train, overlap="on")
    config = replace(CONFIG, policy=PolicyConfig(memory, 32), train=train)
    beside, before = (TrainingSession(config, load_env("breakout")) for _ in range(2))
    assert beside.ahead.at_once
    monkeypatch.setattr(Ahead, "at_once", property(lambda ahead: ahead is beside.ahead))
    for _ in range(2):
        one, two = (run_epoch(session, lambda: False) for session in (beside, before))
        for name in ("value_loss", "entropy", "grad_norm"):
            assert one.figures[name] == pytest.approx(two.figures[name], rel=0.1), name
    actions = [session.ahead.rollout.actions for session in (beside, before)]
    assert (actions[0] == actions[1]).float().mean() > 0.9
    for _ in range(30):
        report = run_epoch(beside, lambda: False)
        assert report.figures["finite"] == 1
    assert not beside.shortfalls


@pytest.mark.parametrize("normalise", ["off", "on"])
@pytest.mark.parametrize("observations", ["device", "host"])
@pytest.mark.parametrize("memory", ["none", "mingru", "lstm"])
def test_a_session_trains_saves_and_goes_on(memory, observations, normalise):
    vec = replace(CONFIG.vec, observations=observations)
    config = replace(CONFIG, policy=PolicyConfig(memory, 32, normalise=normalise), vec=vec)
    library = load_env("breakout")
    session = TrainingSession(config, library)
    for _ in range(3):
        report = run_epoch(session, lambda: False)
    assert not session.shortfalls
    assert report is not None
    assert report.figures["finite"] == 1
    assert session.step == 3 * 16 * 64
    other = TrainingSession(config, library)
    other.restore(session.state())
    assert other.step == session.step
    for name, array in session.weights().arrays.items():
        assert np.array_equal(array, other.weights().arrays[name]), name
    if normalise == "on":
        assert session.observed.count.item() > 3 * 1024
        seen = session.collector.memory.observations.cuda()
        features = session.policy.features(seen, None).float().cpu()
        own = session.policy.features.plain(seen).float().cpu()
        torch.testing.assert_close(features, own, rtol=2**-7, atol=1e-6)
    assert run_epoch(other, lambda: False) is not None
