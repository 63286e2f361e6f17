"""What the program chooses for a run: from random play alone, the same every time, and within its bounds."""

from dataclasses import replace

import numpy as np
import pytest

from pufftui.envs.catalogue import env_names, load_env
from pufftui.envs.descriptor import DType, Field
from pufftui.trainer.settings import tryout
from pufftui.trainer.settings.choice import (
    CHOICES,
    EMBEDDING,
    MINIBATCHES,
    MOST_REWARD,
    ROLLOUT,
    choose,
    chosen_in_words,
)
from pufftui.trainer.settings.fields import Config, PolicyConfig, setting_fields
from pufftui.trainer.settings.job import Job
from pufftui.trainer.settings.tryout import AGENTS, LEAST_STEPS, STEPS, Tryout, try_out

ALL = frozenset(CHOICES)


def play(rewards: np.ndarray, *, episode: int = 0) -> Tryout:
    """Random play of (steps, agents) with these rewards, whose episodes all last so long."""
    rewards = rewards.astype(np.float32)
    ends = np.zeros(rewards.shape, np.uint8)
    if episode:
        ends[episode - 1 :: episode] = 1
    quiet, alive = np.zeros_like(ends), np.ones_like(ends)
    return Tryout(rewards, ends, quiet, alive, np.zeros((1, rewards.shape[1], 4), np.uint8), ())


def sight(numbers: np.ndarray) -> Tryout:
    """Play in which a field of floats, (steps, agents, count), and a byte are seen."""
    floats = np.ascontiguousarray(numbers.astype(np.float32)).view(np.uint8)
    bytes_ = np.full((*numbers.shape[:2], 1), 200, np.uint8)
    fields = (
        Field("numbers", 0, numbers.shape[2], DType.FLOAT32, 0),
        Field("byte", 4 * numbers.shape[2], 1, DType.UINT8, 0),
    )
    seen = np.concatenate((floats, bytes_), axis=2)
    return replace(play(np.ones(numbers.shape[:2])), observations=seen, fields=fields)


@pytest.mark.parametrize(
    ("size", "offset", "choice"),
    [
        (1, 0, "off"),
        (1000, 0, "on"),
        (0.001, 0, "on"),
        (0.1, 500, "on"),
        (0, 0, "off"),
        (0.3, 1, "off"),
    ],
)
def test_floats_of_another_size_than_one_are_normalised(size, offset, choice) -> None:
    numbers = np.random.default_rng(1).normal(size=(200, 4, 3)) * size + offset
    assert chosen(sight(numbers)).policy.normalise == choice
    numbers[:, :, 1] = 0
    assert chosen(sight(numbers)).policy.normalise == choice


def test_whole_numbers_of_another_size_than_one_are_normalised_as_well() -> None:
    seen = sight(np.zeros((200, 4, 3)))
    heights = np.random.default_rng(1).integers(-900, 900, (200, 4, 6), dtype=np.int16)
    whole = (Field("heights", 0, 6, DType.INT16, 0),)
    shown = np.concatenate((heights.view(np.uint8), seen.observations[..., 12:]), axis=2)
    assert chosen(replace(seen, observations=shown, fields=whole)).policy.normalise == "on"


@pytest.mark.parametrize(("most", "choice"), [(3, "on"), (255, "off")])
def test_bytes_that_use_little_of_their_range_are_normalised(most, choice) -> None:
    """A policy sees them divided by 255."""
    numbers = np.random.default_rng(1)
    seen = sight(numbers.normal(size=(200, 4, 3)))
    shown = seen.observations.copy()
    shown[..., -1] = numbers.integers(0, most, (200, 4), dtype=np.uint8, endpoint=True)
    assert chosen(replace(seen, observations=shown)).policy.normalise == choice
    floats, byte = seen.fields
    for other in (replace(byte, low=0, high=most), replace(byte, classes=most + 1)):
        fields = (floats, other)
        assert chosen(replace(seen, observations=shown, fields=fields)).policy.normalise == "off"


def test_floats_whose_range_is_declared_decide_nothing() -> None:
    seen = sight(1000 * np.random.default_rng(1).normal(size=(200, 4, 3)))
    numbers, byte = seen.fields
    declared = (replace(numbers, low=-5000, high=5000), byte)
    assert chosen(seen).policy.normalise == "on"
    assert chosen(replace(seen, fields=declared)).policy.normalise == "off"


def test_numbers_that_are_not_finite_decide_nothing() -> None:
    numbers = np.random.default_rng(1).normal(size=(200, 4, 3))
    numbers[3, 2, 1] = np.inf
    assert chosen(sight(numbers)).policy.normalise == "off"
    assert chosen(sight(np.full((200, 4, 3), np.nan))).policy.normalise == "off"


def chosen(tryout: Tryout, device: str = "cpu") -> Config:
    return choose(Config("squared", {}, open=ALL), device, tryout)


def test_every_setting_that_may_be_auto_is_chosen() -> None:
    assert {path for path, field in setting_fields().items() if field.setting.auto} == ALL


@pytest.mark.parametrize("env", env_names())
def test_a_choice_can_be_repeated_and_is_in_range(env: str) -> None:
    library = load_env(env)
    parameters = library.descriptor.parameter_values({})
    first = try_out(library, parameters)
    tryout._played.cache_clear()
    second = try_out(library, parameters)
    assert second is not first
    assert first.rewards.shape == (
        STEPS,
        -(-AGENTS // library.descriptor.agents) * library.descriptor.agents,
    )
    found = choose(Config(env, parameters, open=ALL), "cpu", first)
    assert found == choose(Config(env, parameters, open=ALL), "cpu", second)
    assert found.open == frozenset()
    assert found.chosen == ALL
    for path in ALL:
        section, name = path.split(".")
        setting = setting_fields()[path].setting
        value = getattr(getattr(found, section), name)
        assert value in setting.choices if setting.choices else setting.low <= value <= setting.high


def test_what_somebody_gave_stays() -> None:
    config = Config("squared", {}, open=ALL - {"train.gamma", "train.horizon", "vec.agents"})
    config = replace(config, vec=replace(config.vec, agents=777))
    found = choose(config, "cpu", play(np.ones((100, 4)), episode=10))
    assert found.vec.agents == 777
    assert found.train.gamma == config.train.gamma
    assert found.train.minibatch_size == 777 * config.train.horizon // 8
    assert found.chosen == ALL - {"train.gamma", "train.horizon", "vec.agents"}


@pytest.mark.parametrize(
    ("classes", "count", "device", "convolution", "embedding"),
    [
        (3, 81, "cpu", 0, EMBEDDING),
        (3, 8, "cpu", 0, 0),  # no map
        (0, 81, "cpu", 0, 0),  # numbers
        (3, 81, "cpu", 16, 0),  # which looks at cells, too
        (3, 81, "cuda", 0, 0),
    ],
)
def test_cells_of_a_map_have_weights_in_common(
    classes, count, device, convolution, embedding
) -> None:
    seen = replace(
        play(np.ones((200, 4))),
        observations=np.zeros((200, 4, count), np.uint8),
        fields=(Field("map", 0, count, DType.UINT8, classes),),
    )
    config = Config("mine", {}, policy=PolicyConfig(convolution=convolution), open=ALL)
    found = choose(config, device, seen)
    assert found.policy.embedding == embedding
    assert ("embedding" in chosen_in_words(found)) == (embedding > 0)


def test_what_was_chosen_is_told_with_its_values() -> None:
    config = choose(
        Config("squared", {}, open=frozenset({"vec.agents", "train.gamma"})),
        "cpu",
        play(np.ones((2000, 4))),
    )
    assert chosen_in_words(config) == "gamma 0.995, agents 256"
    assert chosen_in_words(Config("squared", {})) == ""


def test_the_discount_reaches_over_half_an_episode() -> None:
    rewards = np.ones((2000, 4))
    assert chosen(play(rewards, episode=200)).train.gamma == pytest.approx(0.99)
    assert chosen(play(rewards, episode=5)).train.gamma == pytest.approx(0.98)
    assert chosen(play(rewards)).train.gamma == pytest.approx(0.995)


@pytest.mark.parametrize(
    ("memory", "episode", "horizon"),
    [
        ("mingru", 10, 64),
        ("mingru", 100, 128),
        ("lstm", 201, 256),
        ("mingru", 0, 256),
        ("none", 201, 64),
    ],
)
def test_a_memory_is_trained_through_a_whole_episode(memory, episode, horizon) -> None:
    config = Config("squared", {}, policy=PolicyConfig(memory=memory), open=ALL)
    found = choose(config, "cpu", play(np.ones((2000, 4)), episode=episode))
    assert found.train.horizon == horizon
    assert found.vec.agents * horizon == ROLLOUT["cpu"]
    assert found.train.minibatch_size == ROLLOUT["cpu"] // MINIBATCHES


@pytest.mark.parametrize("size", [0.001, 1.0, 1000.0])
def test_the_scale_goes_with_the_size_of_the_rewards(size: float) -> None:
    noise = np.random.default_rng(1).normal(size=(2000, 4))
    scale = chosen(play(noise * size, episode=100)).train.reward_scale
    assert scale * size == pytest.approx(
        chosen(play(noise, episode=100)).train.reward_scale, rel=1e-3
    )


def test_rare_rewards_do_not_drown_the_rest() -> None:
    rewards = np.zeros((2000, 4))
    rewards[700, 1] = 50.0
    assert chosen(play(rewards)).train.reward_scale * 50.0 == pytest.approx(MOST_REWARD)
    assert chosen(play(np.zeros((100, 4)))).train.reward_scale == 1.0


def test_rewards_that_are_not_finite_count_as_none() -> None:
    rewards = np.random.default_rng(1).normal(size=(2000, 4))
    broken = rewards.copy()
    broken[5, 0], broken[6, 1] = np.nan, np.inf
    assert chosen(play(broken)).train.reward_scale == pytest.approx(
        chosen(play(rewards)).train.reward_scale, rel=0.05
    )


@pytest.mark.parametrize(("processes", "steps"), [(1, LEAST_STEPS), (2, STEPS)])
def test_slow_steps_cut_a_trial_short_unless_others_must_see_the_same(
    monkeypatch: pytest.MonkeyPatch, processes: int, steps: int
) -> None:
    monkeypatch.setattr(tryout, "MOST_SECONDS", 0.0)
    monkeypatch.setattr(tryout, "job_from_environment", lambda: Job(size=processes))
    library = load_env("squared")
    seen = try_out(library, library.descriptor.parameter_values({}))
    assert len(seen.rewards) == steps
    assert len(seen.observations) == len(seen.seen_alive)
