"""The exported C header: compiled by a strict compiler, it is the same policy as the torch one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pufftui.envs.catalogue import load_env
from pufftui.envs.compiler import find_compiler
from pufftui.envs.descriptor import Action, ActionKind, Choice, Descriptor, DType, Field
from pufftui.envs.errors import PuffError
from pufftui.export.header import c_header
from pufftui.trainer.arena import forward
from pufftui.trainer.messages.weights import PolicyWeights, as_one_layer, embedded_in
from pufftui.trainer.network.policy import Policy
from pufftui.trainer.settings.fields import PolicyConfig

pytestmark = pytest.mark.skipif(find_compiler() is None, reason="there is no C compiler")

DRIVER = Path(__file__).parent / "header_driver.c"
STRICT = ("-Wall", "-Wextra", "-Werror", "-pedantic", "-Wshadow", "-Wstrict-prototypes")
STEPS = 400


def descriptor(kind: ActionKind, *, bounded: bool = False) -> Descriptor:
    """Mixed observations, one of them a float field that is not aligned; `bounded` are some fields."""
    first, second = ((0.0, 255.0), (-4.0, 2.0)) if bounded else ((0.0, 0.0), (0.0, 0.0))
    choices = tuple(Choice(label, ()) for label in ("left", "*/ right", "jump"))
    actions = (Action("first", 0, choices), Action("second", 0, choices[:2]))
    return Descriptor(
        name="mixed",
        summary="",
        observation_bytes=71,
        fields=(
            Field("position", 0, 4, DType.FLOAT32, 0),
            Field("cells", 16, 9, DType.UINT8, 4),
            Field("level", 25, 3, DType.UINT8, 0, *first),
            Field("kind", 28, 1, DType.UINT8, 7),
            Field("speed", 29, 3, DType.FLOAT32, 0, *second),
            Field("switches", 41, 10, DType.BITS, 0),
            Field("heights", 43, 2, DType.INT16, 0, *second),
            Field("ground", 47, 12, DType.UINT8, 3, columns=4),
            Field("things", 59, 12, DType.UINT8, 5, columns=4),
        ),
        action_kind=kind,
        actions=actions[:1] if kind is ActionKind.DISCRETE else actions,
        agents=1,
        frames_per_second=60,
        frames_per_step=1,
        turn_based=False,
        score_low=0,
        score_high=1,
        picture_aspect=1,
        parameters=(),
        statistics=(),
    )


def observations(random: np.random.Generator) -> NDArray[np.uint8]:
    """(STEPS, 71) bytes; a category that does not exist is among them."""
    parts = [
        random.normal(size=(STEPS, 4)).astype(np.float32).view(np.uint8),
        random.integers(0, 5, (STEPS, 9), dtype=np.uint8),
        random.integers(0, 256, (STEPS, 3), dtype=np.uint8),
        random.integers(0, 7, (STEPS, 1), dtype=np.uint8),
        random.normal(size=(STEPS, 3)).astype(np.float32).view(np.uint8),
        random.integers(0, 256, (STEPS, 2), dtype=np.uint8),
        random.integers(-3, 3, (STEPS, 2), dtype=np.int16).view(np.uint8),
        random.integers(0, 4, (STEPS, 12), dtype=np.uint8),
        random.integers(0, 6, (STEPS, 12), dtype=np.uint8),
    ]
    return np.concatenate(parts, axis=1)


def make_policy(
    memory: str,
    kind: ActionKind,
    layers: int,
    convolution: int = 0,
    normalise: str = "off",
    embedding: int = 0,
) -> tuple[Policy, PolicyWeights]:
    """`normalise` may be "bounds", too."""
    torch.manual_seed(layers)
    bounded = normalise == "bounds"
    normalise = "off" if bounded else normalise
    config = PolicyConfig(memory, 24, layers, convolution, embedding=embedding, normalise=normalise)
    policy = Policy(descriptor(kind, bounded=bounded), config, torch.float32, torch.Generator())
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
        policy.heads.bias[0] = 1.0  # a number without a fraction
        if policy.normaliser is not None and policy.normaliser.follows:
            deviations = [0.5, 2, 0, 0.05, 3, 1, 0.7, 2, 9, 1, 0, 0.5]
            assert len(deviations) == len(policy.normaliser.places)
            means = torch.randn(len(deviations), dtype=torch.float64)
            policy.normaliser.set(means, torch.tensor(deviations, dtype=torch.float64))
    arrays = {name: p.detach().numpy() for name, p in policy.state_dict().items()}
    whole = as_one_layer(arrays, policy.descriptor, embedding)
    embedded = embedded_in(arrays)
    return policy, PolicyWeights(7, memory, 24, layers, whole, convolution, embedded)


def compile_c(folder: Path, *arguments: str | Path) -> Path:
    compiler = find_compiler()
    assert compiler
    program = folder / "program"
    command = [*compiler, *map(str, arguments), "-I", str(folder), "-lm", "-o", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return program


@pytest.mark.parametrize("kind", list(ActionKind))
@pytest.mark.parametrize(
    ("memory", "layers", "standard", "convolution", "normalise", "embedding"),
    [
        ("none", 1, "c99", 0, "off", 0),
        ("none", 1, "c11", 6, "off", 0),
        ("mingru", 1, "c99", 0, "off", 0),
        ("mingru", 3, "c11", 4, "off", 0),
        ("lstm", 1, "c11", 0, "off", 0),
        ("lstm", 2, "c99", 0, "off", 0),
        ("none", 1, "c99", 0, "on", 0),
        ("mingru", 1, "c11", 4, "on", 0),
        ("none", 1, "c99", 0, "bounds", 0),
        ("mingru", 1, "c11", 4, "bounds", 0),
        ("mingru", 1, "c99", 0, "off", 5),
        ("none", 1, "c11", 0, "bounds", 3),
        ("lstm", 1, "c11", 0, "on", 3),
    ],
)
def test_the_header_is_the_same_policy(
    tmp_path: Path,
    memory: str,
    layers: int,
    standard: str,
    kind: ActionKind,
    convolution: int,
    normalise: str,
    embedding: int,
):
    policy, weights = make_policy(memory, kind, layers, convolution, normalise, embedding)
    about = policy.descriptor
    header = c_header(weights, about, "subject", "step 7 of a test")
    (tmp_path / "subject.h").write_text(header, encoding="ascii")
    continuous = kind is ActionKind.CONTINUOUS
    flags = ("-DCONTINUOUS",) if continuous else ()
    program = compile_c(tmp_path, *STRICT, f"-std={standard}", *flags, DRIVER)

    random = np.random.default_rng(3)
    data = observations(random)
    resets = (random.random(STEPS) < 0.005).astype(np.uint8)
    resets[0] = 1
    components = len(about.actions)
    uniforms = random.random((STEPS, (1 + continuous) * components)).astype(np.float32)
    lines = b"".join(
        bytes([reset]) + seen.tobytes() + drawn.tobytes()
        for reset, seen, drawn in zip(resets, data, uniforms, strict=True)
    )
    said = subprocess.run([program], input=lines, stdout=subprocess.PIPE, check=True).stdout
    table = np.array([line.split() for line in said.decode().splitlines()], np.float64)
    outputs = len(weights.arrays["heads.bias"]) - 1
    ends = np.cumsum([outputs, 1, components, components])
    own, own_values, greedy, drawn, deviations = np.split(table, ends, axis=1)

    state, plain_state = policy.initial_state(1), forward.initial_state(weights, 1)
    for step in range(STEPS):
        if resets[step]:
            state, plain_state = torch.zeros_like(state), np.zeros_like(plain_state)
        with torch.no_grad():
            numbers, value, state = policy.step(torch.from_numpy(data[step : step + 1]), state)
        plain, plain_value, plain_state = forward.forward(
            weights, about, data[step : step + 1], plain_state
        )
        for expected, expected_value in ((numbers.numpy(), value.numpy()), (plain, plain_value)):
            np.testing.assert_allclose(own[step], expected[0], rtol=1e-4, atol=1e-4)
            np.testing.assert_allclose(own_values[step], expected_value, rtol=1e-4, atol=1e-4)
        parts = forward.distribution(weights, about, own[step : step + 1].astype(np.float32))
        if continuous:
            np.testing.assert_allclose(greedy[step], own[step], rtol=1e-6)
            np.testing.assert_allclose(deviations[step], [part[0, 1] for part in parts], rtol=1e-5)
            first, second = uniforms[step, ::2], uniforms[step, 1::2]
            normal = np.sqrt(-2 * np.log1p(-first)) * np.cos(2 * np.pi * second)
            expected_action = own[step] + deviations[step] * normal
            np.testing.assert_allclose(drawn[step], expected_action, rtol=1e-4, atol=1e-4)
        else:
            assert greedy[step].tolist() == [part[0].argmax() for part in parts]
            for component, part in enumerate(parts):
                cumulative, chosen = np.cumsum(part[0]), int(drawn[step, component])
                below = cumulative[chosen - 1] if chosen else 0.0
                above = 1.0 if chosen == len(cumulative) - 1 else cumulative[chosen]
                assert below - 1e-5 <= uniforms[step, component] <= above + 1e-5
    if not continuous:
        assert len(np.unique(drawn[:, 0])) == 3


def test_two_policies_and_a_second_include_fit_into_one_program(tmp_path: Path):
    for name, kind in (("one", ActionKind.DISCRETE), ("two", ActionKind.CONTINUOUS)):
        policy, weights = make_policy("lstm", kind, 1)
        text = c_header(weights, policy.descriptor, name, "a test")
        (tmp_path / f"{name}.h").write_text(text, encoding="ascii")
    source = tmp_path / "main.c"
    source.write_text(
        '#include "one.h"\n#include "two.h"\n#include "one.h"\n'
        "int main(void) { one_state a; two_state b; one_reset(&a); two_reset(&b);\n"
        "    return a.memory[0] + b.memory[0] > 0; }\n"
    )
    subprocess.run([compile_c(tmp_path, *STRICT, "-std=c99", source)], check=True)


def test_the_code_has_no_variables_and_calls_only_mathematics(tmp_path: Path):
    policy, weights = make_policy("mingru", ActionKind.CONTINUOUS, 2)
    header = c_header(weights, policy.descriptor, "subject", "a test")
    assert [line for line in header.splitlines() if line.startswith("#include")] == [
        "#include <math.h>"
    ]
    (tmp_path / "subject.h").write_text(header, encoding="ascii")
    program = compile_c(tmp_path, "-std=c99", "-c", "-DCONTINUOUS", DRIVER)
    symbols = subprocess.run(["nm", program], capture_output=True, text=True, check=True).stdout
    rows = [line.split()[-2:] for line in symbols.splitlines()]
    assert not [name for kind, name in rows if kind in "BbDdC" and name.startswith("subject")]


@pytest.mark.parametrize("name", ["", "9lives", "my-policy", "int", "ü", "x" * 70])
def test_a_name_that_c_does_not_know_is_refused(name: str):
    policy, weights = make_policy("none", ActionKind.DISCRETE, 1)
    with pytest.raises(PuffError, match="cannot begin names in C"):
        c_header(weights, policy.descriptor, name, "a test")


def test_weights_that_are_not_finite_are_refused():
    policy, weights = make_policy("none", ActionKind.DISCRETE, 1)
    arrays = {**weights.arrays, "heads.bias": np.full_like(weights.arrays["heads.bias"], np.nan)}
    broken = PolicyWeights(0, "none", 24, 1, arrays)
    with pytest.raises(PuffError, match="not finite"):
        c_header(broken, policy.descriptor, "subject", "a test")


def test_a_policy_of_cells_alone_is_as_one_of_rows(tmp_path: Path) -> None:
    """snake shows a map and nothing else: what an embedding leaves of the first layer is empty."""
    about = load_env("snake").descriptor
    policy = Policy(
        about, PolicyConfig("none", 24, 1, embedding=4), torch.float32, torch.Generator()
    )
    arrays = {name: p.detach().numpy() for name, p in policy.state_dict().items()}
    whole, said = as_one_layer(arrays, about, 4), []
    for embedded in ({}, embedded_in(arrays)):
        weights = PolicyWeights(7, "none", 24, 1, whole, embedded=embedded)
        header = c_header(weights, about, "subject", "step 7 of a test")
        (tmp_path / "subject.h").write_text(header, encoding="ascii")
        program = compile_c(tmp_path, *STRICT, "-std=c99", DRIVER)
        random = np.random.default_rng(3)
        seen = random.integers(0, 7, (STEPS, about.observation_bytes), dtype=np.uint8)
        lines = b"".join(bytes([1]) + each.tobytes() + bytes(4) for each in seen)
        done = subprocess.run([program], input=lines, stdout=subprocess.PIPE, check=True)
        said.append(np.array([line.split() for line in done.stdout.decode().splitlines()], float))
    assert len(said[0]) == STEPS
    np.testing.assert_allclose(said[1][:, :4], said[0][:, :4], rtol=1e-4, atol=1e-5)
