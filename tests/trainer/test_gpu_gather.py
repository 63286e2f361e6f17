"""The GPU's kernels around a gradient step, run by Triton's interpreter against what torch does."""

import importlib
from types import SimpleNamespace

import pytest
import torch

from pufftui.envs.descriptor import DType, Field
from pufftui.trainer.features import Features
from pufftui.trainer.fused_loss import _figures, _total
from pufftui.trainer.loss import advantage_moments
from pufftui.trainer.priority import importance_weights, segment_probabilities, systematic_sample


@pytest.fixture
def gpu(interpreter):
    """The modules of kernels by the last part of their name."""

    def load(name):
        return importlib.import_module(f"pufftui.trainer.kernels.gpu_{name}")

    return load


FIELDS = {
    "mixed": (
        Field("numbers", 0, 3, DType.FLOAT32, 0),
        Field("bytes", 12, 5, DType.UINT8, 0),
        Field("cells", 17, 7, DType.UINT8, 4),
    ),
    "odd": (
        Field("bytes", 0, 1, DType.UINT8, 0),
        Field("numbers", 1, 3, DType.FLOAT32, 0),
        Field("cells", 13, 3, DType.UINT8, 3),
    ),
    "even": (
        Field("bytes", 0, 4, DType.UINT8, 0),
        Field("numbers", 4, 150, DType.FLOAT32, 0),
    ),
    "cells": (Field("cells", 0, 50, DType.UINT8, 6),),
}


CLOSE = {
    torch.float32: {"rtol": 0, "atol": 0},
    torch.bfloat16: {"rtol": 2**-7, "atol": 0},  # The interpreter cuts off what a GPU rounds.
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", FIELDS)
def test_features(gpu, name, dtype):
    fields = FIELDS[name]
    size = max(field.offset + field.count * field.dtype.itemsize for field in fields)
    chance = torch.Generator().manual_seed(1)
    data = torch.randint(256, (3, 7, size), dtype=torch.uint8, generator=chance)
    for field in fields:
        end = field.offset + field.count * field.dtype.itemsize
        if field.dtype is DType.FLOAT32:
            numbers = torch.randn(3, 7, field.count, generator=chance)
            data[..., field.offset : end] = numbers.view(torch.uint8)
        elif field.classes:
            data[..., field.offset : end] %= field.classes + 1
    make = Features(SimpleNamespace(fields=fields), dtype)
    for rows in (None, torch.tensor([6, 0, 0, 3])):
        picked = data if rows is None else data[:, rows]
        made = make._on_gpu(data, rows)
        assert made.dtype is dtype
        torch.testing.assert_close(made, make.plain(picked), **CLOSE[dtype])
    assert gpu("gather").in_words(fields, size) is (name != "odd")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_bytes_are_the_same_everywhere(gpu, dtype):
    make = Features(SimpleNamespace(fields=(Field("b", 0, 256, DType.UINT8, 0),)), dtype)
    data = torch.arange(256, dtype=torch.uint8).view(1, 1, 256)
    wanted = (torch.arange(256) / 255).to(dtype).view(1, 1, 256)
    assert torch.equal(make(data, None), wanted)
    assert torch.equal(make.plain(data), wanted)
    made = make._on_gpu(data, None)
    torch.testing.assert_close(made, wanted, **CLOSE[dtype])
    assert made[0, 0, 255] == wanted[0, 0, 255] == 1


def rollout_of(steps, agents, components, hidden, number, layers):
    chance = torch.Generator().manual_seed(agents)

    def normal(*shape):
        return torch.randn(shape, generator=chance)

    def flags():
        return (torch.rand(steps, agents, generator=chance) < 0.4).to(torch.uint8)

    actions = torch.randint(9, (steps, agents, components), generator=chance)
    return SimpleNamespace(
        resets=flags(),
        state=normal(layers, 2, agents, hidden),
        actions=actions.to(number),
        log_probabilities=normal(steps, agents),
        alive=flags(),
        advantages=normal(steps, agents),
        values=normal(steps + 1, agents),
    )


@pytest.mark.parametrize(
    ("components", "number", "layers"),
    [(1, torch.int32, 1), (3, torch.float32, 2), (2, torch.int32, 0)],
)
def test_segments_are_picked(gpu, components, number, layers):
    rollout = rollout_of(5, 70, components, 6, number, layers)
    rows = torch.tensor([69, 0, 3, 3, *range(60)])
    found = gpu("gather").pick(rows, **vars(rollout))
    wanted = (
        rollout.resets[:, rows],
        rollout.state[:, :, rows],
        rollout.actions[:, rows],
        rollout.log_probabilities[:, rows],
        rollout.alive[:, rows].float(),
        rollout.advantages[:, rows],
        rollout.values[:-1, rows],
    )
    for one, two in zip(found, wanted, strict=True):
        assert one.is_contiguous()
        torch.testing.assert_close(one, two, rtol=0, atol=0)


def test_segments_are_put_back(gpu):
    ratios, values, trained = torch.ones(5, 70), torch.randn(6, 70), torch.zeros(70).bool()
    rows = torch.tensor([69, 0, 3, 3, *range(10, 40)])
    new_ratios, new_values = torch.rand(5, len(rows)), torch.rand(5, len(rows))
    for new in (new_ratios, new_values):
        new[:, 3] = new[:, 2]
    wanted = ratios.clone(), values.clone(), trained.clone()
    wanted[0][:, rows], wanted[1][:-1, rows], wanted[2][rows] = new_ratios, new_values, True
    gpu("gather").put_back(rows, new_ratios, new_values, ratios, values, trained)
    for one, two in zip((ratios, values, trained), wanted, strict=True):
        assert torch.equal(one, two)


@pytest.mark.parametrize("shape", [(1, 1), (7, 3), (64, 1100)])
def test_moments(gpu, shape):
    chance = torch.Generator().manual_seed(3)
    advantages = 5 + torch.randn(shape, generator=chance)
    alive = (torch.rand(shape, generator=chance) < 0.7).float()
    found = gpu("sums").moments(advantages, alive)
    torch.testing.assert_close(found, advantage_moments(advantages, alive))


@pytest.mark.parametrize("parts", [1, 3, 130])
@pytest.mark.parametrize("kind", ["usual", "flat", "nobody", "not finite"])
def test_the_total_and_the_figures(gpu, kind, parts):
    chance = torch.Generator().manual_seed(parts)
    sums = torch.randn(parts, 12, dtype=torch.float64, generator=chance)
    sums[:, 0] = 100
    sums[:, 9] = sums[:, 11] = 300
    moments = torch.tensor([150.0 * parts, 2, 3], dtype=torch.float64)
    coefficients = torch.tensor([0.2, 0.3, 1.7, 0.01], dtype=torch.float64)
    if kind == "flat":
        sums[:, 8:10] = 0
    if kind == "nobody":
        sums[:], moments[:] = 0, 0
    if kind == "not finite":
        sums[0, 1] = torch.nan
    total, figures = gpu("sums").total_and_figures(sums, moments, coefficients)
    whole = sums.sum(dim=0)
    wanted = _total(whole, moments, coefficients[2], coefficients[3])
    torch.testing.assert_close(total, wanted, equal_nan=True)
    torch.testing.assert_close(figures, _figures(whole), equal_nan=True)
    assert figures[7].isnan() == (kind in {"flat", "nobody"})


@pytest.mark.parametrize("kind", ["usual", "even", "none", "one", "rare"])
@pytest.mark.parametrize(("agents", "count"), [(1, 1), (5, 3), (1024, 64), (5000, 700)])
def test_segments_are_drawn(gpu, agents, count, kind):
    chance = torch.Generator().manual_seed(agents)
    magnitudes = {
        "usual": torch.randn(agents, generator=chance).abs(),
        "even": torch.ones(agents),
        "none": torch.zeros(agents),
        "one": torch.zeros(agents).index_fill(0, torch.tensor([agents // 2]), 1.0),
        "rare": (torch.rand(agents, generator=chance) < 0.1) * 1e4,
    }[kind]
    start, beta = torch.rand(1, generator=chance), torch.tensor([0.6])
    rows, weights = gpu("priority").draw(magnitudes, 0.8, beta, start, count)
    assert (rows.dtype, weights.dtype) == (torch.int64, torch.float32)

    probabilities = segment_probabilities(magnitudes.double(), 0.8)
    chance = torch.Generator().manual_seed(agents)
    torch.testing.assert_close(weights, importance_weights(probabilities, rows, 0.6).float())
    ends = probabilities.cumsum(0) / probabilities.sum()
    places = (torch.arange(count) + start.double()) / count
    assert (ends[rows] >= places - 1e-6).all()
    assert (ends[rows] - probabilities[rows] <= places + 1e-6).all()
    wanted = torch.searchsorted(ends, places)
    assert (rows != wanted).sum() <= count // 100


def test_the_drawn_segments_are_those_of_the_plain_way(gpu):
    magnitudes = torch.rand(300, generator=torch.Generator().manual_seed(5))
    probabilities = segment_probabilities(magnitudes, 0.8)
    rows = systematic_sample(probabilities, 40, torch.Generator().manual_seed(2))
    start = torch.rand(1, generator=torch.Generator().manual_seed(2))
    drawn, weights = gpu("priority").draw(magnitudes, 0.8, torch.tensor([0.3]), start, 40)
    assert torch.equal(drawn, rows)
    torch.testing.assert_close(weights, importance_weights(probabilities, rows, 0.3))


COMPILE = """
from pufftui.trainer.kernels import gpu_gather, gpu_priority, gpu_sums

CAPABILITIES = (80, 90, 120)
whole = {n: "i32" for n in ("elements", "agents", "segments", "size", "width", "components",
                            "hidden", "programs", "parts", "count")}
floats = ("log_probabilities advantages values own_log_probabilities own_alive own_advantages "
          "own_values state own_state new_ratios new_values ratios weights total figures start beta "
          "magnitudes probabilities").split()
kinds = {n: "*fp32" for n in floats} | whole | {"rows": "*i64", "table": "*i32", "alpha": "fp32"}
kinds |= {n: "*u8" for n in ("observations", "resets", "own_resets", "trained", "alive")}
kinds |= {n: "*fp64" for n in ("sums", "moments", "coefficients", "cumulative")}
numbers = {"alive": "*fp32", "parts": "*fp64"}
width = {"lanes": 16, "columns": 128}
kernels = [
    (gpu_gather.unpack, {"outputs": f"*{number}"}, width
     | {"has_rows": rows, "has_floats": floats, "words": words} | ({} if rows else {"rows": None}))
    for number in ("fp32", "bf16")
    for rows, floats, words in ((True, True, True), (True, True, False), (False, False, False))
]
kernels += [
    (gpu_gather.pick_steps, {"actions": f"*{number}", "own_actions": f"*{number}"}, {"lanes": 256})
    for number in ("i32", "fp32")
]
kernels += [
    (gpu_gather.pick_state, {}, {"lanes": 256}),
    (gpu_gather.scatter, {}, {"lanes": 256}),
    (gpu_sums.add_some, numbers, {"lanes": 1024}),
    (gpu_sums.add_parts, numbers, {"count": 3, "padded": 4, "lanes": 64}),
    (gpu_sums.conclude, {}, {"padded": 16, "lanes": 64}),
    (gpu_priority.add_weights, {}, {"lanes": 1024}),
    (gpu_priority.add_chances, {}, {"padded": 128, "lanes": 1024}),
    (gpu_priority.find, {}, {"halvings": 17, "lanes": 128}),
]
for kernel, own, constants in kernels:
    types = {n: (kinds | own)[n] for n in kernel.arg_names if n not in constants}
    for capability in CAPABILITIES:
        compiled(kernel, types, constants, capability)
    # When it is started with a whole number that is 1, Triton makes that a constant.
    ones = {name: 1 for name, kind in types.items() if kind == "i32"}
    others = {name: kind for name, kind in types.items() if name not in ones}
    compiled(kernel, others, constants | ones, 90)
"""


def test_they_compile_for_cards(compile_kernels):
    assert compile_kernels(COMPILE) == 16 * 4
