"""Runs that begin with the weights of another policy."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from pufftui.envs.catalogue import load_env
from pufftui.envs.errors import PuffError
from pufftui.trainer.messages.snapshot import Phase
from pufftui.trainer.run.beginning import find_beginning
from pufftui.trainer.run.checkpoint import newest_checkpoint, read_checkpoint
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.run.naming import find_policy
from pufftui.trainer.run.watcher import Watcher
from pufftui.trainer.runner import Runner
from pufftui.trainer.settings.fields import (
    REWARD_SCALE,
    Config,
    PolicyConfig,
    RunConfig,
    TrainConfig,
    VecConfig,
)
from pufftui.trainer.settings.sources import restore_config
from pufftui.trainer.store import StoreReader

CONFIG = Config(
    "cartpole",
    load_env("cartpole").descriptor.parameter_values({}),
    TrainConfig(horizon=16, minibatch_size=256, total_steps=8_192),
    PolicyConfig(memory="mingru", hidden=16, normalise="on"),
    VecConfig(agents=64),
    RunConfig(device="cpu"),
)
SCALED = replace(CONFIG, chosen=frozenset({REWARD_SCALE}))

Train = Callable[..., RunFolder]


@pytest.fixture
def train(tmp_path, monkeypatch: pytest.MonkeyPatch) -> Train:
    """Trains a run of that name to its end, from another policy if the config names one."""
    monkeypatch.setenv("PUFFTUI_RUNS", str(tmp_path))

    def train(name: str, config: Config) -> RunFolder:
        library = load_env(config.env)
        config, beginning = find_beginning(config, library.descriptor)
        folder = RunFolder.create(name, config.env)
        runner = Runner(config, folder, library, beginning=beginning)
        runner.start()
        end = time.monotonic() + 60
        while not runner.join(0.01):
            assert time.monotonic() < end
        assert runner.latest.phase is Phase.FINISHED, runner.latest.failure
        return folder

    return train


def tuned(config: Config, policy: str) -> Config:
    return replace(config, policy=replace(config.policy, start_from=policy))


@pytest.mark.parametrize("config", [CONFIG, SCALED], ids=["fixed scale", "scale found"])
def test_a_run_begins_with_all_that_the_policy_has_learned(train: Train, config: Config) -> None:
    train("first", config)
    folder = train("second", tuned(config, "first"))
    before, told = read_checkpoint(find_policy("first").saved.path)
    after, description = read_checkpoint(find_policy("second@0").saved.path)
    same = [name for name in before if name.startswith(("policy/", "observed/"))]
    assert {"policy/normaliser.scales", "observed/means"} <= set(same)
    for name in same:
        np.testing.assert_array_equal(after[name], before[name], err_msg=name)
    assert description["reward_scale"] == told["reward_scale"]
    assert description["step"] == 0
    # It goes on from there: the last checkpoint is another policy.
    newest, _ = newest_checkpoint(folder.checkpoints)
    assert newest is not None
    assert not np.array_equal(newest.arrays["policy/heads.weight"], after["policy/heads.weight"])


def test_it_is_said_and_kept_which_policy_it_was(train: Train) -> None:
    first = train("first", CONFIG)
    folder = train("second", tuned(CONFIG, "latest"))
    name = find_policy("first").name
    reader = StoreReader(folder.database)
    assert reader.facts()["start_from"] == name
    watcher = Watcher(folder)
    watcher.look()
    assert watcher.latest.start_from == name
    assert f"begins with the weights of {name}" in [e.text for e in reader.events_after(0)]
    assert "start_from" not in StoreReader(first.database).facts()
    saved, _ = newest_checkpoint(folder.checkpoints)
    assert saved is not None
    kept = restore_config(saved.description["config"], file=saved.path, flags={})
    assert kept.policy.start_from == name


def test_a_resumed_run_goes_on_from_its_own_checkpoint(train: Train) -> None:
    first = train("first", CONFIG)
    folder = train("second", tuned(CONFIG, "first"))
    first.remove()
    saved, _ = newest_checkpoint(folder.checkpoints)
    assert saved is not None
    flags = {"train.total_steps": "16_384"}
    config = restore_config(saved.description["config"], file=saved.path, flags=flags)
    folder.lock()
    runner = Runner(config, folder, load_env(config.env), saved)
    runner.start()
    assert runner.join(60)
    assert runner.latest.phase is Phase.FINISHED, runner.latest.failure


def test_values_keep_their_meaning_under_another_reward_scale(train: Train) -> None:
    train("first", CONFIG)
    other = replace(CONFIG, train=replace(CONFIG.train, reward_scale=0.25))
    train("second", tuned(other, "first"))
    before, after = (find_policy(name).saved.arrays for name in ("first", "second@0"))
    for name in ("policy/heads.weight", "policy/heads.bias"):
        np.testing.assert_allclose(after[name][-1], 0.25 * before[name][-1], rtol=1e-6)
        np.testing.assert_array_equal(after[name][:-1], before[name][:-1])


def test_normalising_follows_the_policy_unless_somebody_says_so(train: Train) -> None:
    train("first", CONFIG)
    left_open = replace(
        CONFIG,
        policy=replace(CONFIG.policy, normalise="off"),
        open=frozenset({"policy.normalise"}),
    )
    config, beginning = find_beginning(tuned(left_open, "first"), load_env("cartpole").descriptor)
    assert beginning is not None
    assert config.policy.normalise == "on"
    assert (config.open, config.chosen) == (frozenset(), frozenset({"policy.normalise"}))


def test_an_embedding_follows_the_policy_unless_somebody_says_so(train: Train) -> None:
    policy = PolicyConfig(memory="none", hidden=16, embedding=4)
    config = replace(CONFIG, env="squared", parameters={}, policy=policy)
    train("first", config)
    left_open = replace(config, policy=replace(policy, embedding=0))
    descriptor = load_env("squared").descriptor
    with pytest.raises(PuffError, match="another network: embedding 4, not 0"):
        find_beginning(tuned(left_open, "first"), descriptor)
    left_open = replace(left_open, open=frozenset({"policy.embedding"}))
    found, beginning = find_beginning(tuned(left_open, "first"), descriptor)
    assert beginning is not None
    assert found.policy.embedding == 4
    assert (found.open, found.chosen) == (frozenset(), frozenset({"policy.embedding"}))


@pytest.mark.parametrize(
    ("env", "policy", "says"),
    [
        ("cartpole", {"hidden": 32}, r"another network: hidden 16, not 32\. .*--policy\.hidden 16"),
        (
            "cartpole",
            {"memory": "lstm", "normalise": "off"},
            r"memory mingru, not lstm; normalise on, not off\. .*--policy\.memory mingru",
        ),
        ("squared", {}, r"normalise on, not off"),
    ],
)
def test_another_network_is_refused(train: Train, env: str, policy: dict, says: str) -> None:
    train("first", CONFIG)
    config = replace(CONFIG, env=env, policy=replace(CONFIG.policy, **policy))
    with pytest.raises(PuffError, match=says):
        find_beginning(tuned(config, "first"), load_env(env).descriptor)


def test_other_observations_and_actions_are_refused(train: Train) -> None:
    plain = replace(CONFIG, policy=replace(CONFIG.policy, normalise="off"))
    train("first", plain)
    says = (
        r"first@8192 does not fit squared: it has 4 inputs, and squared has 363; "
        "2 numbers for its actions, and squared has 5"
    )
    with pytest.raises(PuffError, match=says):
        find_beginning(tuned(plain, "first"), load_env("squared").descriptor)


def test_a_run_begins_with_the_baseline_of_its_game(train: Train) -> None:
    """Its numbers are shorter than those of a run."""
    alike = PolicyConfig(memory="none", normalise="off")
    folder = train("second", tuned(replace(CONFIG, policy=alike), "baseline"))
    before, after = (find_policy(name) for name in ("baseline:cartpole", "second@0"))
    assert before.saved.arrays["policy/heads.weight"].dtype == np.float16
    for name, array in before.saved.arrays.items():
        if name not in {"policy/heads.weight", "policy/heads.bias"}:
            np.testing.assert_array_equal(after.saved.arrays[name], array, err_msg=name)
    assert after.saved.arrays["policy/heads.weight"].dtype == np.float32
    assert StoreReader(folder.database).facts()["start_from"] == "baseline:cartpole"


def test_a_baseline_of_another_network_is_refused(train: Train) -> None:
    with pytest.raises(PuffError, match="The policy baseline:cartpole is another network: memory"):
        train("second", tuned(CONFIG, "baseline"))
