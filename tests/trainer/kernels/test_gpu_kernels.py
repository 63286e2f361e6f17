"""The kernels for a GPU on the CPU: run by Triton's interpreter against those in C, and compiled for cards."""

import importlib
from types import SimpleNamespace

import pytest
import torch

from pufftui.envs.descriptor import Action, ActionKind, Choice
from pufftui.trainer import kernels
from pufftui.trainer.network.actions import ActionDistribution
from pufftui.trainer.network.mingru import scan
from pufftui.trainer.ppo.advantage import advantages


@pytest.fixture
def both(interpreter, monkeypatch):
    """Calls a function twice: with the kernels in C, and with those for a GPU."""

    gpu = importlib.import_module("pufftui.trainer.kernels.gpu")

    def run(function, struct, threads, **fields):
        started.append(function)
        gpu.run(function, **fields)

    def call(make):
        in_c = make()
        with monkeypatch.context() as patch:
            patch.setattr(kernels, "run", run)
            in_triton = make()
        assert started
        return zip(in_c, in_triton, strict=True)

    started = []
    return call


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("with_resets", [True, False])
@pytest.mark.parametrize(("steps", "rows", "width"), [(1, 1, 8), (5, 3, 8), (12, 5, 100)])
def test_mingru_and_its_gradients(both, steps, rows, width, with_resets, dtype):
    chance = torch.Generator().manual_seed(steps)
    gates = (2 * torch.randn(steps, rows, 3 * width, generator=chance)).to(dtype)
    inputs = torch.randn(steps, rows, width, generator=chance).to(dtype)
    initial = torch.randn(rows, width, generator=chance)
    resets = (torch.rand(steps, rows, generator=chance) < 0.3).to(torch.uint8)

    def make():
        leaves = [gates.clone().requires_grad_(), inputs.clone().requires_grad_()]
        outputs, last = scan(*leaves, resets if with_resets else None, initial)
        (outputs.float() * torch.linspace(-1, 1, outputs.numel()).view_as(outputs)).sum().backward()
        return outputs.detach(), last.detach(), leaves[0].grad, leaves[1].grad

    close = {"rtol": 1e-4, "atol": 1e-5} if dtype is torch.float32 else {"rtol": 1e-2, "atol": 1e-2}
    for one, two in both(make):
        torch.testing.assert_close(one, two, **close)


@pytest.mark.parametrize(("steps", "rows"), [(1, 1), (7, 3), (20, 130)])
def test_advantages(both, steps, rows):
    chance = torch.Generator().manual_seed(steps)

    def normal(length):
        return torch.randn(length, rows, generator=chance)

    batch = {name: normal(steps) for name in ("rewards", "final_values")}
    batch |= {"ratios": normal(steps).exp(), "values": normal(steps + 1)}
    for name in ("terminals", "truncations"):
        batch[name] = (torch.rand(steps, rows, generator=chance) < 0.2).to(torch.uint8)
    batch["alive"] = (torch.rand(steps, rows, generator=chance) < 0.7).to(torch.uint8)
    settings = {"gamma": 0.97, "gae_lambda": 0.9, "rho_clip": 1.5, "c_clip": 1.0}
    for one, two in both(lambda: advantages(**batch, **settings)):
        torch.testing.assert_close(one, two, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("sizes", [(2,), (3, 5), (1, 7, 4), (200,)])
def test_actions(both, sizes):
    chance = torch.Generator().manual_seed(len(sizes))
    heads = 3 * torch.randn(150, sum(sizes) + 1, generator=chance)

    actions = [Action("", 0, (Choice("", ()),) * size) for size in sizes]
    about = SimpleNamespace(action_kind=ActionKind.MULTI_DISCRETE, actions=actions)
    distribution = ActionDistribution(about)
    noise = distribution.noise(1, 150, chance)[0]
    for one, two in both(lambda: distribution.sample(heads[:, :-1], None, noise)):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-5)


def test_a_device_without_them_says_why(interpreter, monkeypatch):
    importlib.import_module("pufftui.trainer.kernels.gpu_trial").try_out(torch.device("cpu"))
    assert not kernels.missing(torch.device("cpu"))
    assert kernels.missing(torch.device("meta")) == "none are written for meta"

    def fail(*_, **__):
        raise RuntimeError("PTX was not to its taste\nat line 7")

    gpu = importlib.import_module("pufftui.trainer.kernels.gpu")
    monkeypatch.setattr(gpu, "run", fail)
    monkeypatch.setattr(torch, "zeros", lambda shape, dtype, device: torch.empty(shape))
    assert kernels.missing.__wrapped__(torch.device("cuda")) == "PTX was not to its taste"


COMPILE = """
from pufftui.trainer.kernels import gpu, gpu_loss

CAPABILITIES = (75, 80, 90, 100, 120)
number = "*bf16"
mingru = {"gates": number, "inputs": number, "resets": "*u8", "initial": "*fp32", "states": "*fp32"}
shape = {"steps": "i32", "rows": "i32"}
floats = ("rewards", "values", "final_values", "ratios", "advantages", "magnitudes")
settings = ("gamma", "gae_lambda", "rho_clip", "c_clip")
kernels = [
    (gpu.mingru_forward, mingru | {"outputs": number} | shape,
     {"width": 128, "has_resets": True, "lanes": 128}),
    (gpu.mingru_backward,
     mingru | {n: number for n in ("output_gradients", "gate_gradients", "input_gradients")} | shape,
     {"width": 128, "has_resets": True, "lanes": 128}),
    (gpu.advantages_backwards,
     {n: "*fp32" for n in floats} | {n: "*u8" for n in ("terminals", "truncations", "alive")} | shape
     | {n: "fp32" for n in settings}, {"lanes": 32}),
    (gpu.draw,
     {"logits": "*fp32", "uniforms": "*fp32", "actions": "*i32", "log_probabilities": "*fp32"}
     | {n: "i32" for n in ("rows", "stride", "first", "component", "components")},
     {"size": 3, "padded": 4, "lanes": 128}),
    (gpu_loss.ppo,
     {n: "*fp32" for n in ("heads", "old_log_probabilities", "old_values", "advantages", "alive",
                           "weights", "ratios", "values", "head_gradients")}
     | {n: "*fp64" for n in ("moments", "coefficients", "sums")}
     | {n: "*i32" for n in ("sizes", "actions")}
     | {n: "i32" for n in ("elements", "segments", "components", "width")},
     {"padded": 4, "lanes": 128}),
]

for kernel, types, constants in kernels:
    for capability in CAPABILITIES:
        compiled(kernel, types, constants, capability)
    # When it is started with a whole number that is 1, or with None, Triton makes that a constant.
    ones = {name: 1 for name, kind in types.items() if kind == "i32"}
    if "has_resets" in constants:
        ones |= {"resets": None, "has_resets": False}
    others = {n: k.replace("bf16", "fp32") for n, k in types.items() if n not in ones}
    compiled(kernel, others, constants | ones, 90)
"""


def test_they_compile_for_cards(compile_kernels):
    """From Turing to Blackwell, with the assembler that Triton brings."""
    assert compile_kernels(COMPILE) == 5 * 6
