"""Parameters and their errors, and what every bundled environment must declare."""

from __future__ import annotations

import itertools
import math
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pufftui.envs.catalogue import env_defaults, env_names, load_env
from pufftui.envs.descriptor import ActionKind, Descriptor, DType, Field, Parameter, ParameterType
from pufftui.envs.errors import PuffError
from pufftui.envs.library import EnvLibrary


def test_parameters_of_a_library(crowd: EnvLibrary):
    limit, gain, peaceful = crowd.descriptor.parameters
    assert limit == Parameter("limit", ParameterType.INTEGER, 20, 1, 200, "ticks of an episode")
    assert (gain.type, gain.default, gain.low, gain.high) == (ParameterType.REAL, 0.5, 0, 2)
    assert peaceful.type is ParameterType.BOOLEAN


def test_defaults_and_given_values(crowd: EnvLibrary):
    values = crowd.descriptor.parameter_values
    assert values({}) == {"limit": 20, "gain": 0.5, "peaceful": 0}
    given = {"gain": "1.5", "limit": 7, "peaceful": "True"}
    assert values(given) == {"limit": 7, "gain": 1.5, "peaceful": 1}
    assert list(values(given)) == ["limit", "gain", "peaceful"]
    assert values({"limit": "1e2", "gain": "1_0e-1", "peaceful": False})["limit"] == 100


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("limit", "0", "It takes a whole number from 1 to 200."),
        ("limit", 201, "It takes a whole number from 1 to 200."),
        ("limit", 2.5, "It takes a whole number from 1 to 200."),
        ("limit", "many", "It takes a whole number from 1 to 200."),
        ("limit", True, "It takes a whole number from 1 to 200."),
        ("limit", "true", "It takes a whole number from 1 to 200."),
        ("limit", "", "It takes a whole number from 1 to 200."),
        ("limit", [3], "It takes a whole number from 1 to 200."),
        ("limit", math.inf, "It takes a whole number from 1 to 200."),
        ("gain", "nan", "It takes a number from 0 to 2."),
        ("gain", -0.1, "It takes a number from 0 to 2."),
        ("gain", None, "It takes a number from 0 to 2."),
        ("peaceful", "perhaps", "It takes true or false."),
        ("peaceful", 0.5, "It takes true or false."),
        ("peaceful", 2, "It takes true or false."),
    ],
)
def test_a_wrong_value_names_the_range(crowd: EnvLibrary, name: str, value: object, hint: str):
    with pytest.raises(PuffError) as caught:
        crowd.descriptor.parameter_values({name: value})
    assert caught.value.message == f"env.{name} cannot be {value}."
    assert caught.value.hint == hint
    assert caught.value.exit_status == 2


def test_a_wrong_name_names_the_nearest(crowd: EnvLibrary):
    with pytest.raises(PuffError, match=r"crowd has no parameter limt\. Did you mean limit\?"):
        crowd.descriptor.parameter_values({"limt": 3})
    with pytest.raises(PuffError, match=r"Known: gain, limit, peaceful\."):
        crowd.descriptor.parameter_values({"xyz": 3})
    with pytest.raises(PuffError, match=r"squared has no parameters\."):
        load_env("squared").descriptor.parameter_values({"width": 3})


@given(st.floats(), st.sampled_from(ParameterType))
def test_what_check_lets_through_is_in_range(value: float, kind: ParameterType):
    parameter = Parameter("p", kind, 0, -2, 1, "")
    try:
        number = parameter.check(value, "p")
    except PuffError:
        fits = -2 <= value <= 1 and (kind is ParameterType.REAL or value == int(value))
        assert not fits
    else:
        assert number == value
        assert -2 <= number <= 1


def test_perf_is_clipped():
    descriptor = load_env("breakout").descriptor
    assert [descriptor.perf(score) for score in (-5, 0, 432, 864, 900)] == [0, 0, 0.5, 1, 1]


@pytest.fixture(params=env_names())
def descriptor(request: pytest.FixtureRequest) -> Descriptor:
    return load_env(request.param).descriptor


def test_the_folder_is_complete(descriptor: Descriptor):
    folder = Path(__file__).parents[2] / "envs" / descriptor.name
    expected = {f"{descriptor.name}.c", f"{descriptor.name}.toml", "README.md"}
    assert expected <= {path.name for path in folder.iterdir()}
    tomllib.loads(env_defaults(descriptor.name).read_text(encoding="utf-8"))


def test_fields_cover_the_observation(descriptor: Descriptor):
    end = 0
    for field in descriptor.fields:
        assert field.offset == end
        end += field.size
    assert end == descriptor.observation_bytes


def test_actions_and_keys(descriptor: Descriptor):
    assert descriptor.actions
    for action in descriptor.actions:
        keys = list(itertools.chain.from_iterable(choice.keys for choice in action.choices))
        assert len(keys) == len(set(keys))
        assert not {"escape", "ctrl+c"} & set(keys)
        alone = {key for choice in action.choices for key in choice.single_keys}
        assert {part for key in keys for part in key.split("+")} == alone
        assert len({choice.label for choice in action.choices}) == len(action.choices) >= 2
        assert action.neutral < len(action.choices)
        if descriptor.action_kind is not ActionKind.CONTINUOUS:
            reachable = [
                choice.single_keys or i == action.neutral for i, choice in enumerate(action.choices)
            ]
            assert all(reachable)


def test_figures(descriptor: Descriptor):
    assert descriptor.score_low < descriptor.score_high
    assert 1 <= descriptor.steps_per_second <= 60
    assert descriptor.summary
    assert not descriptor.summary.endswith(".")
    for parameter in descriptor.parameters:
        assert parameter.check(parameter.default, "p") == parameter.default
        assert parameter.help


def test_elements_lie_where_their_width_puts_them():
    bits = Field("bits", 3, 11, DType.BITS, 0)
    assert (bits.size, bits.end) == (2, 5)
    assert [list(bits.place(i)) for i in (0, 7, 8, 10)] == [[3], [3], [4], [4]]
    numbers = Field("numbers", 1, 3, DType.INT16, 0)
    assert (numbers.size, numbers.end, list(numbers.place(2))) == (6, 7, [5, 6])
    floats = Field("floats", 2, 2, DType.FLOAT32, 0)
    assert (floats.size, list(floats.place(1))) == (8, [6, 7, 8, 9])
    data = np.frombuffer(bytes([9, 0xFF, 0x7F, 0b10000001, 0b1111101]), np.uint8).reshape(1, 5)
    assert bits.values(data).tolist() == [[1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 1]]
    assert Field("x", 1, 1, DType.INT16, 0).values(data).tolist() == [[32767]]
    assert Field("x", 0, 2, DType.UINT8, 0).values(data).tolist() == [[9, 255]]
