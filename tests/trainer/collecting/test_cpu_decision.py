"""A decision as one kernel on the CPU is the same as by torch's operations."""

import platform
from pathlib import Path

import cffi
import pytest
import torch

from pufftui.envs.catalogue import load_env
from pufftui.envs.headers import declarations
from pufftui.envs.library import load_library
from pufftui.envs.vector import VectorEnv
from pufftui.trainer import kernels
from pufftui.trainer.collecting.clock import Clock
from pufftui.trainer.collecting.collector import Collector
from pufftui.trainer.collecting.cpu_decision import CpuDecision, fits_the_cpu
from pufftui.trainer.collecting.decision import PlainDecision
from pufftui.trainer.collecting.rollout import Storage
from pufftui.trainer.network.policy import Policy
from pufftui.trainer.settings.fields import PolicyConfig

HORIZON = 6


def collector_of(library, config, dtype=torch.float32, *, environments=37, groups=1, plain=False):
    """Some environments whose number fills neither a tile nor the registers."""
    parameters = {p.name: p.default for p in library.descriptor.parameters}
    if "limit" in parameters:
        parameters["limit"] = 3
    vector = VectorEnv(
        library, parameters, environments=environments, groups=groups, threads=2, seed=3
    )
    policy = Policy(library.descriptor, config, dtype, torch.Generator().manual_seed(0))
    with torch.no_grad():
        policy.heads.weight *= 20  # Else all actions are about equally likely.
        for name, parameter in policy.named_parameters():
            if name.endswith("bias"):
                parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator(7)))
    if policy.normaliser is not None:
        floats = torch.arange(len(policy.normaliser.places), dtype=torch.float64)
        policy.normaliser.set(0.2 * floats, floats + 0.1)
    collector = Collector(vector, policy, HORIZON, generator(1), Clock(), Storage.SHARED)
    if plain:
        collector.decision, collector._steps = PlainDecision(policy, collector.memory), None
    return collector


def generator(seed):
    return torch.Generator().manual_seed(seed)


def library_of(name, crowd, compiler):
    if name == "crowd":
        return crowd
    return (
        load_library(compiler.library(f"tests/c/{name}.c")) if name == "limbs" else load_env(name)
    )


@pytest.mark.parametrize("normalise", ["off", "on"])
@pytest.mark.parametrize(
    ("env", "hidden", "layers"),
    [
        ("crowd", 16, 0),
        ("crowd", 24, 2),
        ("breakout", 128, 1),
        ("snake", 40, 1),
        ("limbs", 33, 3),
        ("shared_pool", 128, 1),
    ],
)
def test_whole_rollouts_are_the_same(env, hidden, layers, normalise, crowd, compiler, rollouts):
    """Several agents, truncations, components; numbers, bytes, classes; continuous actions; odd widths."""
    library = library_of(env, crowd, compiler)
    memory = "mingru" if layers else "none"
    config = PolicyConfig(memory, hidden, max(1, layers), normalise=normalise)
    plain, fused = (collector_of(library, config, plain=plain) for plain in (True, False))
    assert isinstance(fused.decision, CpuDecision)
    for one, two in zip(rollouts(plain), rollouts(fused), strict=True):
        assert env != "crowd" or one["truncations"].any()
        for name, tensor in one.items():
            torch.testing.assert_close(two[name], tensor, rtol=2e-4, atol=2e-5, msg=name)


@pytest.mark.parametrize("env", ["breakout", "limbs"])
def test_in_bfloat16_it_rounds_where_torch_does(env, crowd, compiler):
    """Without rounding on the way the values of a few units would be off by a hundredth."""
    library = library_of(env, crowd, compiler)
    config = PolicyConfig("mingru", 64)
    plain, fused = (collector_of(library, config, torch.bfloat16, plain=p) for p in (True, False))
    for collector in (plain, fused):
        collector.decision.follow()
        seen = torch.cat([collector.memory.observations[0]] * 8)
        state = torch.rand(1, 1, len(seen), 64, generator=generator(5))
        collector.found = collector.decision.values(seen, state)
    torch.testing.assert_close(fused.found, plain.found, rtol=0.01, atol=0.02)
    off = (fused.found - plain.found).abs().mean()
    assert off < 2e-3 * plain.found.abs().mean() + 1e-3


SOURCES = Path(__file__).parents[3] / "trainer/kernels/c"
PARTS = ("features", "gelu", "heads", "lookup", "mingru", "sampling", "parallel", "steps/cpu_steps")


@pytest.fixture(params=["any", "-mavx2 -mfma"])
def other_processor(request, compiler, monkeypatch):
    """The kernels as they are built for older processors; whether they say that they are fast there."""
    if request.param != "any" and platform.machine() != "x86_64":
        pytest.skip("these are flags of x86-64")
    more = [str(SOURCES / f"{part}.c") for part in PARTS]
    flags = [] if request.param == "any" else request.param.split()
    path = compiler.library(
        "trainer/kernels/c/decision.c", '-DPUFF_KERNELS_BUILT_FROM=""', *flags, *more
    )
    ffi = cffi.FFI()
    for header in ("kernels.h", "steps/cpu_steps.h"):
        ffi.cdef(declarations(SOURCES / header))
    lib = ffi.dlopen(str(path))
    monkeypatch.setattr(kernels, "opened", lambda: (ffi, lib))
    monkeypatch.setattr(kernels, "_CALLS", {})
    monkeypatch.setattr(kernels, "_POOLS", type(kernels._POOLS)())
    return bool(flags), lib


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_on_other_processors_it_is_the_same(dtype, crowd, other_processor, monkeypatch):
    fast, lib = other_processor
    assert bool(lib.puff_products_are_fast()) is (fast or platform.machine() == "aarch64")
    found = []
    for plain in (True, False):
        collector = collector_of(crowd, PolicyConfig("mingru", 40), dtype, plain=True)
        if not plain:
            collector.decision = CpuDecision(collector.policy, collector.memory)
        collector.decision.follow()
        state = torch.rand(1, 1, collector.vector.agents, 40, generator=generator(5))
        found.append(collector.decision.values(collector.memory.observations[0], state))
    near = 1e-5 if dtype is torch.float32 else 0.02
    torch.testing.assert_close(found[1], found[0], rtol=near, atol=near)


def test_threads_change_nothing(crowd, rollouts):
    found = []
    for threads in (1, 2, 5):
        torch.set_num_threads(1)  # The first weights are torch's.
        collector = collector_of(crowd, PolicyConfig("mingru", 48))
        torch.set_num_threads(threads)
        found.append(rollouts(collector))
    for other in found[1:]:
        for one, two in zip(found[0], other, strict=True):
            differing = [name for name, tensor in one.items() if not torch.equal(tensor, two[name])]
            assert not differing


@pytest.mark.parametrize("groups", [2, 3])
def test_groups_change_nothing(crowd, groups, rollouts):
    config = PolicyConfig("mingru", 48)
    whole = collector_of(crowd, config, environments=12)
    cut = collector_of(crowd, config, environments=12, groups=groups)
    for one, two in zip(rollouts(whole), rollouts(cut), strict=True):
        for name, tensor in one.items():
            torch.testing.assert_close(two[name], tensor, rtol=1e-5, atol=1e-6, msg=name)


def test_it_goes_on_after_a_state_was_put_back(crowd, rollouts):
    """The calls were prepared for the places of before."""
    collector = collector_of(crowd, PolicyConfig("mingru", 16))
    rollouts(collector, 1)
    kept = {name: tensor.clone() for name, tensor in collector.carried().items()}
    collector.restore(kept)
    collector.generator.manual_seed(9)
    environments = collector.vector.save()
    (first,) = rollouts(collector, 1)
    collector.restore(kept)
    collector.vector.restore(environments)
    collector.generator.manual_seed(9)
    (again,) = rollouts(collector, 1)
    assert all(torch.equal(tensor, again[name]) for name, tensor in first.items())


def test_what_does_not_fit_is_left_to_torch(crowd):
    def policy_of(library, **config):
        return Policy(library.descriptor, PolicyConfig(**config), torch.float32, generator(0))

    assert fits_the_cpu(policy_of(crowd, hidden=136, layers=4))
    assert fits_the_cpu(policy_of(crowd, memory="none"))
    assert not fits_the_cpu(policy_of(crowd, memory="lstm"))
    assert not fits_the_cpu(policy_of(load_env("snake"), convolution=8))
