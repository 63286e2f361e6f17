"""The GPU's kernels around a gradient step against what torch does: on a GPU, or in Triton's interpreter."""

import importlib
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from pufftui.envs.descriptor import DType, Field
from pufftui.trainer.collecting.graphs import Recorded
from pufftui.trainer.network.features import Features
from pufftui.trainer.network.normaliser import Normaliser
from pufftui.trainer.ppo.fused_loss import figures_of, total_of
from pufftui.trainer.ppo.loss import advantage_moments
from pufftui.trainer.ppo.priority import (
    importance_weights,
    segment_probabilities,
    systematic_sample,
)

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


@pytest.fixture
def gpu():
    """The modules of kernels by the last part of their name."""

    def load(name):
        return importlib.import_module(f"pufftui.trainer.kernels.gpu_{name}")

    pytest.importorskip(
        "triton.language", reason="Triton is not installed; make test does where it can be"
    )
    with np.errstate(invalid="ignore", divide="ignore"):  # Lanes that have no number are no matter.
        yield load


def there(tensor):
    return None if tensor is None else tensor.to(DEVICE)


def same(found, wanted, **options):
    """Whether what a kernel found is what torch finds on the CPU; exactly unless told."""
    options = {"rtol": 0, "atol": 0} | options
    torch.testing.assert_close(found.cpu(), wanted, **options)


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
    "bounded": (
        Field("bytes", 0, 5, DType.UINT8, 0, 3, 200),
        Field("numbers", 5, 3, DType.FLOAT32, 0, -5, 45),
        Field("free", 17, 4, DType.FLOAT32, 0),
        Field("cells", 33, 3, DType.UINT8, 3),
    ),
    "packed": (
        Field("switches", 0, 13, DType.BITS, 0),
        Field("whole", 2, 3, DType.INT16, 0),
        Field("odd", 8, 1, DType.BITS, 0),
        Field("numbers", 12, 2, DType.FLOAT32, 0),
        Field("heights", 21, 40, DType.INT16, 0, -300, 900),
        Field("lamps", 101, 300, DType.BITS, 0, 0, 1),
    ),
    "bits": (Field("switches", 0, 300, DType.BITS, 0),),
    "whole": (Field("heights", 0, 30, DType.INT16, 0),),
}


CLOSE = {
    torch.float32: {"rtol": 0, "atol": 0},
    # The interpreter cuts off what a GPU rounds.
    torch.bfloat16: {"rtol": 0 if DEVICE.type == "cuda" else 2**-7, "atol": 0},
}


def normaliser_of(about):
    """One whose means and deviations differ from element to element; one never varied."""
    made = Normaliser(about)
    floats = len(made.places)
    deviations = torch.linspace(0, 3, floats, dtype=torch.float64)
    made.set(torch.linspace(-1, 1, floats, dtype=torch.float64), deviations)
    return made


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("normal", [False, True])
@pytest.mark.parametrize("name", FIELDS)
def test_features(gpu, name, normal, dtype):
    fields = FIELDS[name]
    size = max(field.end for field in fields)
    chance = torch.Generator().manual_seed(1)
    data = torch.randint(256, (3, 7, size), dtype=torch.uint8, generator=chance)
    for field in fields:
        end = field.end
        if field.dtype is DType.FLOAT32:
            numbers = torch.randn(3, 7, field.count, generator=chance)
            numbers[..., 0] *= 100  # Beyond what is cut off.
            if normal:
                numbers[0, :2, 1] = torch.tensor([torch.inf, torch.nan])
            data[..., field.offset : end] = numbers.view(torch.uint8)
        elif field.classes:
            data[..., field.offset : end] %= field.classes + 1
    about = SimpleNamespace(fields=fields, observation_bytes=size)
    normaliser, make = normaliser_of(about) if normal else None, Features(about, dtype)
    make.normaliser = normaliser
    for rows in (None, torch.tensor([6, 0, 0, 3])):
        picked = data if rows is None else data[:, rows]
        wanted = make.plain(picked)
        make.normaliser = there(normaliser)
        made = make._on_gpu(there(data), there(rows))
        make.normaliser = None if normaliser is None else normaliser.cpu()
        assert made.dtype is dtype
        same(made, wanted, **CLOSE[dtype], equal_nan=True)
        assert wanted.isnan().any() == (normal and gpu("gather").wide_kinds(fields) % 2)
    assert gpu("gather").in_words(fields, size) is (name not in {"odd", "bounded", "packed"})


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_bytes_are_the_same_everywhere(gpu, dtype):
    fields = (Field("b", 0, 256, DType.UINT8, 0),)
    make = Features(SimpleNamespace(fields=fields, observation_bytes=256), dtype)
    data = torch.arange(256, dtype=torch.uint8).view(1, 1, 256)
    wanted = (torch.arange(256) / 255).to(dtype).view(1, 1, 256)
    assert torch.equal(make(data, None), wanted)
    assert torch.equal(make.plain(data), wanted)
    made = make._on_gpu(there(data), None)
    same(made, wanted, **CLOSE[dtype])
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
    arrays = {name: there(array) for name, array in vars(rollout).items()}
    found = gpu("gather").pick(there(rows), **arrays)
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
        same(one, two)


def test_segments_are_put_back(gpu):
    ratios, values, trained = torch.ones(5, 70), torch.randn(6, 70), torch.zeros(70).bool()
    rows = torch.tensor([69, 0, 3, 3, *range(10, 40)])
    new_ratios, new_values = torch.rand(5, len(rows)), torch.rand(5, len(rows))
    for new in (new_ratios, new_values):
        new[:, 3] = new[:, 2]
    wanted = ratios.clone(), values.clone(), trained.clone()
    wanted[0][:, rows], wanted[1][:-1, rows], wanted[2][rows] = new_ratios, new_values, True
    found = there(ratios), there(values), there(trained)
    gpu("gather").put_back(there(rows), there(new_ratios), there(new_values), *found)
    for one, two in zip(found, wanted, strict=True):
        same(one, two)


@pytest.mark.parametrize("shape", [(1, 1), (7, 3), (64, 1100)])
def test_moments(gpu, shape):
    chance = torch.Generator().manual_seed(3)
    advantages = 5 + torch.randn(shape, generator=chance)
    alive = (torch.rand(shape, generator=chance) < 0.7).float()
    found = gpu("sums").moments(there(advantages), there(alive))
    same(found, advantage_moments(advantages, alive), rtol=1e-9)
    rows = torch.randint(shape[1], (5,), generator=chance)
    found = gpu("sums").moments(there(advantages), there(alive.to(torch.uint8)), there(rows))
    same(found, advantage_moments(advantages[:, rows], alive[:, rows]), rtol=1e-9)


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
    total, figures = gpu("sums").total_and_figures(there(sums), there(moments), there(coefficients))
    whole = sums.sum(dim=0)
    wanted = total_of(whole, moments, *coefficients[2:].tolist())
    same(total, wanted, rtol=1e-5, equal_nan=True)
    same(figures, figures_of(whole), rtol=1e-5, atol=1e-6, equal_nan=True)
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
    drawn = gpu("priority").draw(
        there(magnitudes), 0.8, there(beta), there(start), count, spread=0.1
    )
    rows, weights = (tensor.cpu() for tensor in drawn)
    assert (rows.dtype, weights.dtype) == (torch.int64, torch.float32)

    probabilities = segment_probabilities(magnitudes.double(), 0.8)
    chance = torch.Generator().manual_seed(agents)
    same(weights, importance_weights(probabilities, rows, 0.6).float(), rtol=1e-4)
    ends = probabilities.cumsum(0) / probabilities.sum()
    places = (torch.arange(count) + start.double()) / count
    assert (ends[rows] >= places - 1e-6).all()
    assert (ends[rows] - probabilities[rows] <= places + 1e-6).all()
    wanted = torch.searchsorted(ends, places)
    assert (rows != wanted).sum() <= count // 100


def test_the_drawn_segments_are_those_of_the_plain_way(gpu):
    magnitudes = torch.rand(300, generator=torch.Generator().manual_seed(5))
    probabilities = segment_probabilities(magnitudes, 0.8)
    rows = systematic_sample(
        probabilities, 40, torch.rand(1, generator=torch.Generator().manual_seed(2))
    )
    start = torch.rand(1, generator=torch.Generator().manual_seed(2))
    beta = there(torch.tensor([0.3]))
    drawn, weights = gpu("priority").draw(
        there(magnitudes), 0.8, beta, there(start), 40, spread=0.1
    )
    same(drawn, rows)
    same(weights, importance_weights(probabilities, rows, 0.3), rtol=1e-4)


@pytest.mark.parametrize("recorded", [False, True])
def test_a_whole_minibatch(gpu, recorded, request):
    """One after the other as in an update, recorded too; a second time with other numbers."""
    if DEVICE.type == "cpu":
        request.getfixturevalue("graphs")
    make = Features(SimpleNamespace(fields=FIELDS["even"], observation_bytes=604), torch.float32)
    rollout = rollout_of(8, 300, 2, 16, torch.int32, 1)
    seen = torch.randn(8, 300, 151).view(torch.uint8)
    magnitudes, start, beta = torch.rand(300), torch.rand(1), torch.tensor([0.5])
    make.on_gpu(DEVICE)

    def work(magnitudes, start, beta, seen, *arrays):
        rows, weights = gpu("priority").draw(magnitudes, 0.8, beta, start, 40, spread=0.1)
        names = vars(rollout)
        picked = gpu("gather").pick(rows, **dict(zip(names, arrays, strict=True)))
        features = make._on_gpu(seen, rows)
        moments = gpu("sums").moments(picked[5], picked[4])
        trained = torch.zeros(300, dtype=torch.bool, device=DEVICE)
        ratios, values = torch.ones_like(arrays[3]), arrays[6].clone()
        gpu("gather").put_back(rows, picked[3], picked[5], ratios, values, trained)
        return rows, weights, features, moments, ratios, values, trained, *picked

    inputs = [there(t) for t in (magnitudes, start, beta, seen, *vars(rollout).values())]
    function = Recorded(work, *inputs) if recorded else work
    for _ in range(2):
        found = function(*inputs)
        probabilities = segment_probabilities(inputs[0].cpu().double(), 0.8)
        rows, weights, features, moments, ratios, values, trained, *picked = found
        rows = rows.cpu()
        same(weights, importance_weights(probabilities, rows, 0.5).float(), rtol=1e-4)
        same(features, make.plain(seen[:, rows]))
        arrays = [array.cpu() for array in inputs[4:]]
        alive, advantages = arrays[4][:, rows].float(), arrays[5][:, rows]
        same(moments, advantage_moments(advantages, alive), rtol=1e-9)
        same(picked[1], arrays[1][:, :, rows])
        same(ratios[:, there(rows)], arrays[3][:, rows])
        same(values[:-1, there(rows)], advantages)
        assert int(trained.sum()) == len(rows.unique())
        inputs[0], inputs[1] = 1.5 - inputs[0], 1 - inputs[1]
        inputs[9] = inputs[9] * 2


COMPILE = """
from pufftui.trainer.kernels import gpu_gather, gpu_priority, gpu_sums

CAPABILITIES = (80, 90, 120)
whole = {n: "i32" for n in ("elements", "agents", "segments", "size", "width", "components",
                            "hidden", "programs", "parts", "count")}
floats = ("log_probabilities advantages values own_log_probabilities own_alive own_advantages "
          "own_values state own_state new_ratios new_values ratios weights total figures start beta "
          "shifts scales "
          "magnitudes probabilities").split()
kinds = {n: "*fp32" for n in floats} | whole | {"rows": "*i64", "table": "*i32", "alpha": "fp32"}
kinds |= {n: "*u8" for n in ("observations", "resets", "own_resets", "trained", "alive")}
kinds |= {n: "*fp64" for n in ("sums", "moments", "coefficients", "cumulative")}
numbers = {"alive": "*fp32", "parts": "*fp64"}
width = {"lanes": 16, "columns": 128}
kernels = [
    (gpu_gather.unpack, {"outputs": f"*{number}"}, width
     | {"has_rows": rows, "wide": floats, "words": words, "normal": normal}
     | ({} if rows else {"rows": None}) | ({} if normal else {"shifts": None, "scales": None}))
    for number in ("fp32", "bf16")
    for rows, floats, words, normal in (
        (True, 1, True, False), (True, 3, True, True), (True, 3, False, False),
        (False, 0, False, False),
    )
]
kernels += [
    (gpu_gather.pick_steps, {"actions": f"*{number}", "own_actions": f"*{number}"}, {"lanes": 256})
    for number in ("i32", "fp32")
]
kernels += [
    (gpu_gather.pick_state, {}, {"lanes": 256}),
    (gpu_gather.scatter, {}, {"lanes": 256}),
    (gpu_sums.add_some, numbers, {"lanes": 1024, "has_rows": False, "rows": None}),
    (gpu_sums.add_some, numbers | {"alive": "*u8"}, {"lanes": 1024, "has_rows": True}),
    (gpu_sums.add_parts, numbers, {"count": 3, "padded": 4, "lanes": 64}),
    (gpu_sums.conclude, {}, {"padded": 16, "lanes": 64}),
    (gpu_priority.add_weights, {}, {"lanes": 1024}),
    (gpu_priority.add_chances, {}, {"spread": 0.1, "padded": 128, "lanes": 1024}),
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
    assert compile_kernels(COMPILE) == 19 * 4
