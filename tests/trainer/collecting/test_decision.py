"""A decision as one kernel, run by Triton's interpreter, is the decision of torch's operations."""

import pytest
import torch

from pufftui.envs.catalogue import load_env
from pufftui.envs.library import load_library
from pufftui.envs.vector import VectorEnv
from pufftui.trainer.collecting.clock import Clock
from pufftui.trainer.collecting.collector import Collector
from pufftui.trainer.collecting.decision import FusedDecision, PlainDecision, fits_a_kernel
from pufftui.trainer.collecting.rollout import Storage
from pufftui.trainer.network.policy import Policy
from pufftui.trainer.settings.fields import PolicyConfig


def collector_of(library, config, dtype=torch.float32, *, environments=4, horizon=4):
    parameters = {p.name: p.default for p in library.descriptor.parameters}
    if "limit" in parameters:
        parameters["limit"] = 3
    vector = VectorEnv(library, parameters, environments=environments, groups=2, seed=3)
    policy = Policy(library.descriptor, config, dtype, torch.Generator().manual_seed(0))
    with torch.no_grad():
        for parameter in policy.parameters():  # No bias is zero and no action certain.
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator()))
    if policy.normaliser is not None:
        floats = torch.arange(len(policy.normaliser.places), dtype=torch.float64)
        policy.normaliser.set(0.2 * floats, floats + 0.1)
    chance = torch.Generator().manual_seed(1)
    return Collector(vector, policy, horizon, chance, Clock(), Storage.DEVICE)


@pytest.mark.parametrize("normalise", ["off", "on"])
@pytest.mark.parametrize(
    ("env", "hidden", "layers"),
    [
        *(("crowd", 16, 0), ("crowd", 24, 2), ("breakout", 16, 1), ("snake", 16, 0)),
        *(("limbs", 24, 1), ("senses", 16, 0)),
    ],
)
def test_whole_rollouts_are_the_same(
    env, hidden, layers, normalise, interpreter, crowd, compiler, rollouts
):
    """Several agents, truncations and several components; numbers and bytes; classes; unaligned fields; bounds."""
    if env in ("limbs", "senses"):
        library = load_library(compiler.library(f"tests/c/{env}.c"))
    else:
        library = crowd if env == "crowd" else load_env(env)
    memory = "mingru" if layers else "none"
    config = PolicyConfig(memory, hidden, max(1, layers), normalise=normalise)
    # Snake has many features, and the interpreter takes its time: no memory comes to a second rollout.
    horizon, count = (2, 1) if env == "snake" else (4, 2)
    plain, fused = (collector_of(library, config, horizon=horizon) for _ in range(2))
    assert isinstance(plain.decision, PlainDecision)
    fused.policy.load_state_dict(plain.policy.state_dict())
    fused.decision = FusedDecision(fused.policy, fused.memory)
    for one, two in zip(rollouts(plain, count), rollouts(fused, count), strict=True):
        assert env != "crowd" or one["truncations"].any()
        for name, tensor in one.items():
            torch.testing.assert_close(two[name], tensor, rtol=1e-4, atol=1e-5, msg=name)


def test_in_bfloat16_it_rounds_where_torch_does(exact_bfloat16, rollouts):
    plain, fused = (
        collector_of(load_env("breakout"), PolicyConfig("mingru", 32), torch.bfloat16)
        for _ in range(2)
    )
    fused.policy.load_state_dict(plain.policy.state_dict())
    fused.decision = FusedDecision(fused.policy, fused.memory)
    (one,), (two,) = rollouts(plain, 1), rollouts(fused, 1)
    for name in ("values", "log_probabilities"):
        torch.testing.assert_close(two[name], one[name], rtol=0.02, atol=0.02, msg=name)


def test_final_values_outside_python_are_those_of_the_truncated(interpreter, crowd):
    """Both decisions value the same, and leave the others' places alone."""
    found = []
    for fuse in (False, True):
        collector = collector_of(crowd, PolicyConfig("mingru", 16))
        memory, group = collector.memory, collector.groups[1]
        decision = FusedDecision(collector.policy, memory) if fuse else collector.decision
        decision.follow()
        chance = torch.Generator().manual_seed(5)
        rows, count = group.rows, memory.finals.shape[1]
        seen = torch.rand(memory.finals[rows].shape[0], count // 4, generator=chance)
        memory.finals[rows] = seen.view(torch.uint8)
        memory.truncated[rows] = (torch.rand(len(seen), generator=chance) < 0.4).to(torch.uint8)
        memory.truncated_steps[1] = 2
        memory.final_values.fill_(3.0)
        group.state.copy_(torch.rand(group.state.shape, generator=chance))
        decision.look_at_finals(group)
        values = memory.final_values.clone()
        chosen = torch.zeros_like(values, dtype=torch.bool)
        chosen[2, rows] = memory.truncated[rows].bool()
        assert chosen.any()
        assert (values[~chosen] == 3.0).all()
        expected = collector.decision.values(memory.finals[rows], group.state)
        torch.testing.assert_close(values[chosen], expected[memory.truncated[rows].bool()])
        found.append(values)
    torch.testing.assert_close(*found)


def test_what_does_not_fit_is_left_to_torch(crowd):
    def policy_of(library, dtype=torch.bfloat16, **config):
        policy_config = PolicyConfig(**config)
        chance = torch.Generator().manual_seed(0)
        return Policy(library.descriptor, policy_config, dtype, chance)

    assert fits_a_kernel(policy_of(crowd, hidden=128, layers=4))
    assert not fits_a_kernel(policy_of(crowd, torch.float32, hidden=128))
    assert not fits_a_kernel(policy_of(crowd, hidden=136))
    assert not fits_a_kernel(policy_of(crowd, memory="lstm"))
    assert not fits_a_kernel(policy_of(load_env("snake"), convolution=8))
    on_cpu = collector_of(crowd, PolicyConfig(hidden=16))
    assert isinstance(on_cpu.decision, PlainDecision)


COMPILE = """
from pufftui.trainer.kernels import gpu_decision

def compile_one(capability, **constants):
    types = {n: "*u8" for n in ("observations", "resets", "kept_resets", "selected")}
    types |= {n: "*fp32" for n in ("state", "biases", "values", "noise", "log_probabilities")}
    types |= {n: "*fp32" for n in ("shifts", "scales")}
    types |= {n: "*i32" for n in ("table", "step", "sizes", "actions", "sent")} | {"weights": "*bf16"}
    types |= {n: "i32" for n in ("rows", "count", "width", "stride", "components")}
    constants = dict(block=gpu_decision.BLOCK, chunk=gpu_decision.CHUNK, wide=3, words=True) | constants
    types = {n: t for n, t in types.items() if n not in constants}
    compiled(gpu_decision.decide, types, constants, capability, num_warps=gpu_decision.WARPS)

as_they_are = dict(shifts=None, scales=None, normal=False)
acting = dict(selected=None, step=None, has_resets=True, keeps_resets=True, has_selected=False,
              has_step=False, draws=True)
without = dict(noise=None, sizes=None, actions=None, sent=None, log_probabilities=None, draws=False)
finals = without | dict(resets=None, kept_resets=None, has_resets=False, keeps_resets=False,
                        has_selected=True, has_step=True)
for capability in (80, 90, 120):
    for how in (as_they_are, {"normal": True}):
        compile_one(
            capability, hidden=128, outputs=4, layers=2, lanes=128, columns=16, **acting | how
        )
acting, finals = acting | as_they_are, finals | as_they_are
compile_one(90, hidden=64, outputs=4, layers=4, lanes=64, columns=16, **finals)
compile_one(90, hidden=128, outputs=100, layers=4, lanes=128, columns=128, **acting)
compile_one(90, hidden=128, outputs=4, layers=0, lanes=128, columns=16, **acting | {"words": False})
"""


def test_it_compiles_for_cards(compile_kernels):
    assert compile_kernels(COMPILE) == 9
