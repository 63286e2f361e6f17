"""The optimizer's step in kernels: in Triton's interpreter against torch's, and compiled for cards."""

import copy
import importlib

import pytest
import torch

from pufftui.envs.catalogue import load_env
from pufftui.envs.library import load_library
from pufftui.trainer import kernels
from pufftui.trainer.network.policy import Policy
from pufftui.trainer.ppo.optimizer import PolicyOptimizer
from pufftui.trainer.settings.fields import PolicyConfig, TrainConfig

CPU = torch.device("cpu")
MOST = 0.5
STEPS = ((0.02, 3.0), (0.01, 0.1), (0.03, torch.nan), (0.03, 0.5))
"""Learning rates and norms of gradients, of which one is clipped."""


@pytest.fixture
def float32(interpreter, monkeypatch):
    """The products' format, on whatever processor."""
    monkeypatch.setattr("pufftui.trainer.ppo.optimizer.product_dtype", lambda *_: torch.float32)


@pytest.fixture
def bf16(exact_bfloat16, monkeypatch):
    """The same in bf16."""
    monkeypatch.setattr("pufftui.trainer.ppo.optimizer.product_dtype", lambda *_: torch.bfloat16)


@pytest.fixture
def limbs(compiler):
    """Continuous actions."""
    return load_library(compiler.library("tests/c/limbs.c", "-DCONTINUOUS")).descriptor


def policy_of(about, memory="none", hidden=8, layers=1):
    config = PolicyConfig(memory, hidden, layers)
    return Policy(about, config, torch.float32, torch.Generator().manual_seed(0))


def fused(policy, **options):
    """An optimizer that takes its steps in kernels."""
    optimizer = PolicyOptimizer(policy, TrainConfig(**options))
    optimizer._fuse(CPU)
    assert optimizer.in_kernels is not None, optimizer.unfused
    return optimizer


def pair(policy, **options):
    """The policy with torch's optimizer and a copy with kernels."""
    twin = copy.deepcopy(policy)
    plain = PolicyOptimizer(policy, TrainConfig(**options))
    plain.in_kernels = None
    return (policy, plain), (twin, fused(twin, **options))


def take(policy, optimizer, steps=STEPS):
    """Takes steps; by how much each parameter moved in all, the norms, and which were finite."""
    before = [p.detach().clone() for p in policy.parameters()]
    results = []
    for number, (rate, size) in enumerate(steps):
        chance = torch.Generator().manual_seed(number)
        gradients = [torch.randn(p.shape, generator=chance) for p in policy.parameters()]
        norm, device = torch.nn.utils.get_total_norm(gradients), before[0].device
        gradients = [(size / norm * gradient).to(device) for gradient in gradients]
        numbers = torch.tensor([rate, MOST], device=device)
        results.append(optimizer.step_in_place(numbers, gradients))
    moves = [p.detach() - old for p, old in zip(policy.parameters(), before, strict=True)]
    return moves, *(torch.stack(column).cpu() for column in zip(*results, strict=True))


def assert_alike(pairs, error, steps=STEPS):
    """Both take the same steps, apart from this share of a move, and their states are the same."""
    (one, norms, finite), (two, *others) = (take(*each, steps) for each in pairs)
    sizes = torch.tensor([size for _, size in steps])
    torch.testing.assert_close(norms, sizes, equal_nan=True)
    torch.testing.assert_close([norms, finite], others, equal_nan=True)
    assert torch.equal(finite, sizes.isfinite())
    for its, own in zip(one, two, strict=True):
        assert (own - its).norm() <= error * its.norm()
    states = [optimizer.state() for _, optimizer in pairs]
    assert len({tuple((name, v.shape) for name, v in state.items()) for state in states}) == 1
    for name, value in states[0].items():
        torch.testing.assert_close(states[1][name], value, rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("hidden", [8, 32])
@pytest.mark.parametrize(
    ("memory", "layers"), [("none", 1), ("mingru", 1), ("mingru", 2), ("lstm", 1)]
)
def test_it_moves_as_torch_does(float32, limbs, memory, layers, hidden):
    assert_alike(pair(policy_of(limbs, memory, hidden, layers)), 1e-4)


@pytest.mark.parametrize(("env", "hidden"), [("breakout", 32), ("snake", 8)])
def test_many_features(float32, env, hidden):
    about = load_env(env).descriptor
    assert_alike(pair(policy_of(about, "mingru", hidden)), 1e-4, STEPS[:2])


@pytest.mark.parametrize("momentum", [0.0, 0.95])
@pytest.mark.parametrize("kind", ["muon", "adam"])
def test_kinds_and_momenta(float32, limbs, kind, momentum):
    assert_alike(pair(policy_of(limbs, hidden=40), optimizer=kind, momentum=momentum), 1e-4)


@pytest.mark.parametrize(("memory", "hidden"), [("mingru", 8), ("mingru", 128), ("lstm", 32)])
def test_products_in_bf16(bf16, memory, hidden):
    about = load_env("breakout").descriptor
    assert_alike(pair(policy_of(about, memory, hidden)), 2e-2, STEPS[:2])


def test_it_repeats_itself_and_goes_on_from_a_state(float32, limbs):
    pairs = pair(policy_of(limbs, "mingru"))
    (policy, plain), (twin, quick) = pairs
    take(twin, quick)
    state = {name: value.clone() for name, value in quick.state().items()}
    third = policy_of(limbs, "mingru")
    third_quick = fused(third)
    for other, optimizer in ((policy, plain), (third, third_quick)):
        other.load_state_dict(twin.state_dict())
        optimizer.restore(state)
    moves, *_ = take(third, third_quick)
    assert_alike(pairs, 1e-4)
    for one, two in zip(twin.parameters(), third.parameters(), strict=True):
        assert torch.equal(one, two)
    assert all(move.any() for move in moves)
    quick.restore({})
    assert not any(value.any() for value in quick.state().values())


def test_trying_it_leaves_no_trace_and_a_graph_of_it_is_the_same(float32, limbs, graphs):
    policy = policy_of(limbs)
    twin = copy.deepcopy(policy)
    plain, quick = PolicyOptimizer(policy, TrainConfig()), fused(twin)
    numbers, nothing = torch.tensor([0.02, MOST]), [torch.ones_like(p) for p in twin.parameters()]
    quick._work = quick._recorded((numbers, *nothing))
    for one, two in zip(policy.parameters(), twin.parameters(), strict=True):
        assert torch.equal(one, two)
    assert not any(value.any() for value in quick.state().values())
    for number, rate in enumerate((0.02, 0.01)):
        for other, optimizer in ((policy, plain), (twin, quick)):
            for parameter in other.parameters():
                parameter.grad = torch.full_like(parameter, 1.0 + number)
            optimizer.step(torch.tensor([rate, MOST]))
    for one, two in zip(policy.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-6)


def test_what_does_not_fit_is_left_to_torch(float32, limbs, monkeypatch):
    optimizer = PolicyOptimizer(policy_of(limbs, "mingru", 136), TrainConfig())
    optimizer._fuse(CPU)
    assert optimizer.in_kernels is None
    assert "too large" in optimizer.unfused

    gpu_optimizer = importlib.import_module("pufftui.trainer.kernels.gpu_optimizer")

    def fail(*_, **__):
        raise RuntimeError("too many resources\nat line 7")

    policy = policy_of(limbs)
    optimizer = PolicyOptimizer(policy, TrainConfig())
    monkeypatch.setattr(gpu_optimizer.GpuStep, "__call__", fail)
    optimizer._fuse(CPU)
    assert optimizer.unfused == "too many resources"
    monkeypatch.setattr(kernels, "missing", lambda device: "no Triton")
    optimizer._fuse(CPU)
    assert optimizer.unfused == "no Triton"
    assert optimizer.in_kernels is None
    assert all(move.any() for move in take(policy, optimizer)[0])


def test_parameters_that_were_moved_are_not_stepped(float32, limbs):
    policy = policy_of(limbs)
    optimizer = fused(policy)
    policy.heads.bias.data = policy.heads.bias.data.clone()
    with pytest.raises(AssertionError, match="moved"):
        take(policy, optimizer)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no NVIDIA GPU")
@pytest.mark.parametrize("kind", ["muon", "adam"])
@pytest.mark.parametrize(
    ("env", "memory", "hidden"),
    [("breakout", "mingru", 128), ("snake", "lstm", 32), ("squared", "none", 8)],
)
def test_on_a_card(env, memory, hidden, kind):
    policy = policy_of(load_env(env).descriptor, memory, hidden, 2).to("cuda")
    twin, config = copy.deepcopy(policy), TrainConfig(optimizer=kind)
    plain, quick = (PolicyOptimizer(each, config) for each in (policy, twin))
    assert not quick.unfused
    plain.in_kernels = None
    pairs = (policy, plain), (twin, quick)
    assert_alike(pairs, 4e-2 if kind == "muon" else 1e-3)
    # Recorded, it does the same as started one by one, bit by bit.
    other = copy.deepcopy(twin)
    recorded = PolicyOptimizer(other, config)
    recorded.restore({name: value.clone() for name, value in quick.state().items()})
    for rate in (0.02, 0.01, 0.03):
        gradients = [torch.randn_like(p) for p in twin.parameters()]
        quick.step_in_place(torch.tensor([rate, MOST], device="cuda"), gradients)
        for parameter, gradient in zip(other.parameters(), gradients, strict=True):
            parameter.grad = gradient.clone()
        recorded.step(torch.tensor([rate, MOST], device="cuda"))
    assert not recorded.unrecorded
    for one, two in zip(twin.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two)


COMPILE = """
import math
import torch
from pufftui.trainer.kernels import gpu_optimizer

table, numbers = "*i64", "*fp32"
adam = {n: 0.9 for n in ("momentum", "share", "beta", "square_beta", "log_beta",
                         "log_square_beta", "epsilon")}

for capability in (80, 90, 120):
    compiled(gpu_optimizer.add_squares,
             {n: table if n == "counters" else numbers for n in ("gradients", "counters", "parts")}
             | {"size": "i32", "counters_count": "i32"}, {"padded": 8, "lanes": 1024}, capability, True)
    compiled(gpu_optimizer.advance,
             {n: numbers for n in ("gradients", "parts", "numbers", "sums", "norm_place")}
             | {"blocks": table, "finite_place": "*u8"},
             adam | {"log_beta": -math.inf, "muon_blocks": 40, "parts_count": 50, "padded": 64, "lanes": 1024}, capability, True)
    for dtype, kind, side in [(torch.bfloat16, "*bf16", 128), (torch.bfloat16, "*bf16", 8),
                              (torch.float32, "*fp32", 128)]:
        options = gpu_optimizer.product_options(side, dtype)
        started = {n: options.pop(n) for n in ("num_warps", "num_stages")}
        compiled(gpu_optimizer.move_matrices,
                 {n: numbers for n in ("ahead", "sums", "numbers", "products")}
                 | {"matrices": table, "x": kind},
                 options | {"stride": 384, "padded": 512, "iterations": 5, "a": 3.4, "b": -4.7,
                            "c": 2.0}, capability, True, **started)
"""


def test_they_compile_for_cards(compile_kernels):
    """From Ampere to Blackwell, and within what a program may have of shared memory there."""
    assert compile_kernels(COMPILE) == 5 * 3
