"""Settings: which layer wins, what reads back, and what a person is told about a mistake."""

import dataclasses
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pufftui.envs.catalogue import env_names, load_env
from pufftui.envs.descriptor import Parameter, ParameterType
from pufftui.envs.errors import PuffError
from pufftui.trainer.settings import sources as layers
from pufftui.trainer.settings.fields import (
    SECTIONS,
    Config,
    setting_fields,
    with_live_change,
)
from pufftui.trainer.settings.sources import config_to_toml, load_config, parse_number

PARAMETERS = (
    Parameter("width", ParameterType.INTEGER, 5, 2, 100, "squares in a row"),
    Parameter("friction", ParameterType.REAL, 0.25, 0, 1, "share of the speed lost in a step"),
    Parameter("wrap", ParameterType.BOOLEAN, 1, 0, 1, "whether the edges are joined"),
)


@pytest.fixture(autouse=True)
def own_file(tmp_path, monkeypatch):
    """Gives squared some parameters, and a file of its own that holds nothing yet."""
    path = tmp_path / "squared.toml"
    path.touch()
    monkeypatch.setattr(layers, "env_defaults", lambda _: path)
    monkeypatch.setattr(layers, "load_env", lambda _: with_parameters(PARAMETERS))
    return path


def with_parameters(parameters):
    library = load_env("squared")
    changed = dataclasses.replace(library.descriptor, parameters=parameters)
    return dataclasses.replace(library, descriptor=changed)


@pytest.fixture
def write(tmp_path):
    def write(text, name="mine.toml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def load(*files, device="cpu", **flags):
    paths = {name.replace("__", "."): text for name, text in flags.items()}
    return load_config("squared", device=device, files=files, flags=paths)


def refusal(*files, **flags):
    with pytest.raises(PuffError) as caught:
        load(*files, **flags)
    assert caught.value.exit_status == 2
    assert "\n" not in str(caught.value)
    return str(caught.value)


AUTOMATIC = {path for path, field in setting_fields().items() if field.setting.auto}


def test_without_layers_the_declared_defaults_hold_and_what_may_be_chosen_is_open():
    parameters = {p.name: p.default for p in PARAMETERS}
    assert load() == Config("squared", parameters, open=frozenset(AUTOMATIC))


def test_what_somebody_gave_a_value_is_not_chosen(own_file, write):
    own_file.write_text("[train]\ngamma = 0.9\n[cuda.vec]\nagents = 64")
    mine = write('[train]\ngamma = "auto"\nminibatch_size = 512')
    assert load().open == AUTOMATIC - {"train.gamma"}
    assert load(device="cuda").open == AUTOMATIC - {"train.gamma", "vec.agents"}
    assert load(mine).open == AUTOMATIC - {"train.minibatch_size"}
    assert load(mine, train__minibatch_size="auto", vec__agents="7").open == AUTOMATIC - {
        "vec.agents"
    }
    assert "or auto" in refusal(vec__agents="many")
    assert "auto" not in refusal(train__clip="auto").partition("It takes")[2]


def test_what_was_chosen_is_remembered_with_its_value(write):
    chosen = dataclasses.replace(load(), open=frozenset(), chosen=frozenset(AUTOMATIC))
    file = write(config_to_toml(chosen))
    assert load(file) == chosen
    assert load(file, train__gamma="0.5").chosen == AUTOMATIC - {"train.gamma"}
    assert load(file, train__gamma="auto").open == {"train.gamma"}
    changed, _ = with_live_change(chosen, "train.reward_scale", 0.5)
    assert chosen.scales_rewards
    assert not changed.scales_rewards
    assert "is not a list" in refusal(write('chosen = "train.gamma"', "wrong.toml"))


def test_each_layer_wins_over_the_ones_before(own_file, write):
    """A setting per layer that this layer is the last to write, and one that all write."""
    own_file.write_text("[train]\nhorizon = 10\nclip = 0.1\n[cpu.train]\nhorizon = 11\ngamma = 0.2")
    first = write("[train]\nhorizon = 12\ngae_lambda = 0.3\n[cpu.train]\nhorizon = 13", "a.toml")
    second = write("[train]\nhorizon = 14\nvalue_clip = 0.4", "b.toml")
    expected = {"clip": 0.1, "gamma": 0.2, "gae_lambda": 0.3, "value_clip": 0.4, "momentum": 0.5}
    train = load(first, second, train__horizon="15", train__momentum="0.5").train
    assert {name: getattr(train, name) for name in expected} == expected
    assert train.horizon == 15
    assert load(first, second).train.horizon == 14
    assert load(first).train.horizon == 13
    assert load().train.horizon == 11
    assert load(device="cuda").train.horizon == 10


def test_device_tables_count_on_their_device_only(write):
    file = write(
        "[cuda.train]\nhorizon = 20\n[cuda.policy]\nhidden = 512\n[cuda.env]\nwidth = 9\n"
        "[cpu.vec]\nagents = 64\n[train]\nhorizon = 10"
    )
    for device in ("cuda", "cuda:1"):
        config = load(file, device=device)
        assert (config.train.horizon, config.policy.hidden) == (20, 512)
        assert config.vec.agents == load().vec.agents
        assert config.parameters["width"] == 9
    config = load(file, device="cpu")
    assert (config.train.horizon, config.policy.hidden, config.vec.agents) == (10, 128, 64)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("50M", 50_000_000),
        ("50m", 50_000_000),
        ("2.3M", 2_300_000),
        ("1.5k", 1500),
        ("4K", 4000),
        ("2B", 2_000_000_000),
        ("2G", 2_000_000_000),
        ("1T", 1_000_000_000_000),
        ("1e6", 1_000_000),
        ("1E+6", 1_000_000),
        ("1_000_000", 1_000_000),
        (" 7 ", 7),
        ("3e-4", 3e-4),
        (".5", 0.5),
        ("5.", 5),
        ("-2.5", -2.5),
        ("+2", 2),
    ],
)
def test_numbers_may_be_written_in_many_ways(text, number):
    assert parse_number(text) == number


@pytest.mark.parametrize(
    "text",
    ["", "M", "1 2", "5X", "1e", "e5", "nan", "inf", "0x10", "1,5", "--1", "_1", "1e9999", "٣"],
)
def test_what_is_no_number_is_refused(text):
    with pytest.raises(PuffError, match="50M"):
        parse_number(text)


@pytest.mark.parametrize("text", ["1e400", "-1e400", "1e399K"])
def test_numbers_that_no_float_holds_are_refused(text):
    with pytest.raises(PuffError, match="is too large a number"):
        parse_number(text)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_reads_back_from_its_text(number):
    assert parse_number(repr(number)) == number
    assert math.copysign(1, parse_number(repr(number))) == math.copysign(1, number)


@given(st.integers(min_value=0, max_value=2**63 - 1))
def test_whole_numbers_keep_every_digit(seed):
    for text in (str(seed), f"{seed:_}"):
        assert (
            load_config("squared", device="cpu", files=[], flags={"run.seed": text}).run.seed
            == seed
        )


def test_numbers_in_files_may_be_texts_floats_or_integers(write):
    for number in ('"50M"', "50e6", "50_000_000", '"5e7"'):
        steps = load(write(f"[train]\ntotal_steps = {number}\n")).train.total_steps
        assert steps == 50_000_000
        assert type(steps) is int
    gamma = load(write("[train]\ngamma = 1\n")).train.gamma
    assert type(gamma) is float


def values(field):
    setting = field.setting
    if field.type is int:
        return st.integers(int(setting.low), int(setting.high))
    if field.type is float:
        return st.floats(setting.low, setting.high)
    return (
        st.sampled_from(setting.choices)
        if setting.choices
        else st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    )


def sections():
    fields = setting_fields().values()
    return {
        name: st.builds(cls, **{f.name: values(f) for f in fields if f.section == name})
        for name, cls in SECTIONS.items()
    }


parameters = st.fixed_dictionaries(
    {
        p.name: st.floats(p.low, p.high)
        if p.type is ParameterType.REAL
        else st.integers(int(p.low), int(p.high)).map(float)
        for p in PARAMETERS
    }
)


@settings(
    max_examples=50,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.builds(
        Config,
        st.just("squared"),
        parameters,
        **sections(),
        chosen=st.frozensets(st.sampled_from(sorted(AUTOMATIC))),
    )
)
def test_a_config_reads_back_from_its_file(tmp_path, config):
    if config.policy.convolution:  # Only one of them can look at cells.
        config = dataclasses.replace(config, policy=dataclasses.replace(config.policy, embedding=0))
    file = tmp_path / "config.toml"
    file.write_text(config_to_toml(config), encoding="utf-8")
    other = tmp_path / "other.toml"
    other.write_text("[train]\nhorizon = 99\nclip = 0.9\n[cuda.train]\nhorizon = 98")
    found = load_config("squared", device="cuda", files=[other, file], flags={})
    assert found == config
    for field in setting_fields().values():
        assert type(getattr(getattr(found, field.section), field.name)) is field.type


def test_a_config_from_flags_equals_the_config_from_a_file(write):
    config = load(write("[policy]\nmemory = 'lstm'\nhidden = 64\n[env]\nwidth = 5"))
    assert config == load(policy__memory="lstm", policy__hidden="64", env__width="5")
    assert dataclasses.asdict(config)["policy"]["memory"] == "lstm"


def test_flags_are_named_as_on_the_command_line():
    message = refusal(train__learning_rat="1")
    assert "--train.learning-rat." in message
    assert "Did you mean --train.learning-rate?" in message


@pytest.mark.parametrize(
    ("flag", "hint"),
    [
        ("train.horizn", "--train.horizon"),
        ("trian.horizon", "--train.horizon"),
        ("train.hidden", "--policy.hidden"),
        ("horizon", "--train.horizon"),
        ("env.widht", "--env.width"),
    ],
)
def test_an_unknown_name_gets_the_nearest(flag, hint):
    assert hint in refusal(**{flag: "1"})


@pytest.mark.parametrize(
    ("flags", "parts"),
    [
        ({"train__horizon": "1"}, ["--train.horizon", "'1'", "whole number", "2 to 4096 steps"]),
        ({"train__horizon": "64.5"}, ["whole number"]),
        ({"train__horizon": "many"}, ["'many'", "2 to 4096"]),
        ({"train__horizon": ""}, ["2 to 4096"]),
        ({"train__total_steps": "1e999"}, ["1 to 1e+13 steps"]),
        ({"train__gamma": "1.01"}, ["a number from 0 to 1"]),
        ({"train__gamma": "nan"}, ["a number from 0 to 1"]),
        ({"run__checkpoint_minutes": "0"}, ["0.05 to 10000 minutes"]),
        ({"run__seed": "9223372036854775808"}, ["--run.seed"]),
        ({"policy__memory": "gru"}, ["'gru'", "none or mingru or lstm"]),
        ({"env__width": "1000000"}, ["--env.width", "from"]),
        ({"env__width": "wide"}, ["--env.width", "wide", "from"]),
    ],
)
def test_a_value_that_does_not_fit_is_told_what_does(flags, parts):
    message = refusal(**flags)
    for part in parts:
        assert part in message


def test_the_ends_of_a_range_belong_to_it():
    for field in setting_fields().values():
        if field.type is not str:
            for end in (field.setting.low, field.setting.high):
                flag = {field.path: repr(end)}
                config = load_config("squared", device="cpu", files=[], flags=flag)
                assert getattr(getattr(config, field.section), field.name) == end


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("[train]\nhorizon = true", ["train.horizon in", "True", "whole number"]),
        ("[train]\nhorizon = [1]", ["train.horizon in", "[1]"]),
        ("[train]\ngamma = inf", ["train.gamma in", "inf"]),
        ("[policy]\nmemory = 1", ["policy.memory in", "mingru"]),
        ("[run]\ndevice = 1", ["run.device in", "text"]),
        ("[train.horizon]\nx = 1", ["train.horizon in"]),
        ("[trian]\nhorizon = 64", ["no section trian", "Did you mean train?"]),
        ("[cuda.trian]\nhorizon = 64", ["no section cuda.trian", "Did you mean train?"]),
        ("[cuda.cpu.train]\nhorizon = 64", ["no section cuda.cpu"]),
        ("horizon = 64", ["no section horizon"]),
        ("train = 64", ["train in", "not a table", "[train]"]),
        ("cuda = 64", ["cuda in", "not a table"]),
        ("[cuda]\ntrain = 64", ["cuda.train in", "not a table"]),
        ("[train]\nhorizn = 64", ["no setting train.horizn in", "Did you mean train.horizon?"]),
        ("[cuda.train]\nhorizon = 1", ["train.horizon in", "2 to 4096"]),
        ("[env]\nwidht = 3", ["squared has no parameter widht in", "Did you mean env.width?"]),
        ("[env]\nwidth = 1e9", ["env.width in", "from"]),
        ("environment = 'breakout'", ["settings of breakout, not of squared"]),
        ("[train]\n\nhorizon 64", ["not valid TOML", "line 3"]),
        ("[train]\nclip = 0.1\nhorizon = 6O\n", ["not valid TOML", "line 3"]),
    ],
)
def test_a_mistake_in_a_file_names_the_file(write, text, parts):
    message = refusal(write(text))
    for part in (*parts, "mine.toml"):
        assert part in message


def test_a_mistake_is_found_even_where_a_later_layer_wins(write):
    assert "train.horizon in" in refusal(write("[train]\nhorizon = 1"), train__horizon="64")


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    assert "nowhere.toml" in refusal(tmp_path / "nowhere.toml")
    assert str(tmp_path) in refusal(tmp_path)
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    assert "binary.toml" in refusal(binary)


def test_parameters_may_be_written_like_settings(write):
    text = '[env]\nwidth = "0.1k"\nfriction = "1e-1"\nwrap = false'
    assert load(write(text)).parameters == {"width": 100.0, "friction": 0.1, "wrap": 0.0}
    flags = load(env__width="1_0", env__friction=".5", env__wrap="false")
    assert flags.parameters == {"width": 10.0, "friction": 0.5, "wrap": 0.0}


def test_an_environment_without_parameters_says_so(monkeypatch):
    monkeypatch.setattr(layers, "load_env", lambda _: with_parameters(()))
    assert "no parameters at all" in refusal(env__width="3")


def test_an_unknown_environment_gets_the_nearest(monkeypatch):
    monkeypatch.undo()
    with pytest.raises(PuffError, match="Did you mean squared") as caught:
        load_config("squard", device="cpu", files=[], flags={})
    assert caught.value.exit_status == 2


def test_the_files_of_the_bundled_environments_are_in_order(monkeypatch):
    monkeypatch.undo()
    for env in env_names():
        for device in ("cpu", "cuda"):
            assert load_config(env, device=device, files=[], flags={}).env == env


def test_a_convolution_of_nothing_is_refused_at_the_start(monkeypatch):
    monkeypatch.setattr(layers, "load_env", load_env)
    with pytest.raises(PuffError, match="breakout shows no map of cells") as refused:
        load_config("breakout", device="cpu", files=[], flags={"policy.convolution": "4"})
    assert refused.value.exit_status == 2
    config = load_config("snake", device="cpu", files=[], flags={"policy.convolution": "4"})
    assert config.policy.convolution == 4
