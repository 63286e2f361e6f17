"""Evaluations of players whose score is known: right, and as sure of it as they say."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pufftui.envs.catalogue import load_env
from pufftui.envs.library import EnvLibrary, load_library
from pufftui.envs.vector import VectorEnv
from pufftui.trainer.collecting.rollout import Storage
from pufftui.trainer.evaluation import evaluate as module
from pufftui.trainer.evaluation.evaluate import Played, evaluate, player_of
from pufftui.trainer.evaluation.interval import Sums, mean_of_worlds, student
from pufftui.trainer.evaluation.plan import Plan, make_plan
from pufftui.trainer.evaluation.players import MakePlayer, NumpyPlayer, RandomPlayer, greedy
from pufftui.trainer.evaluation.result import conclude, differences
from pufftui.trainer.messages.weights import PolicyWeights
from pufftui.trainer.network.policy import Policy
from pufftui.trainer.settings.fields import PolicyConfig

Coin = Callable[..., EnvLibrary]

REPETITIONS, ENOUGH = 100, 93
WIDEST = 1.3
"""Of an interval, beside that of the textbook."""


@pytest.fixture(scope="session")
def coin(compiler) -> EnvLibrary:
    return load_library(compiler.library("tests/c/coin.c"))


@pytest.fixture(scope="session")
def shared_coin(compiler) -> EnvLibrary:
    """Eight agents of a world share one."""
    return load_library(compiler.library("tests/c/coin.c", "-DAGENTS=8"))


class Left(RandomPlayer):
    """Always goes left in squared: it meets a target in 5 of 120 cells."""

    def act(self, observations: NDArray[np.uint8], actions: NDArray[np.int32]) -> None:
        actions[:] = 3


class Follower(RandomPlayer):
    """Keeps pong's paddle within 40 pixels of the ball's height: that wins every point, 21 of them in 714 steps."""

    def act(self, observations: NDArray[np.uint8], actions: NDArray[np.int32]) -> None:
        seen = observations.view(np.float32)
        gap = 320 * (seen[:, 3] - seen[:, 1])
        actions[:, 0] = np.where(np.abs(gap) < 40, 0, np.where(gap < 0, 1, 2))


def players(kind: type[RandomPlayer]) -> Callable[[int], MakePlayer]:
    return lambda _steps: kind


def play(
    library: EnvLibrary, kind: type[RandomPlayer], episodes: int, parameters: Mapping[str, float]
) -> Played:
    plan = make_plan(library, parameters, episodes=episodes, seeds=5)
    return evaluate(library, parameters, plan, players(kind), threads=1)


def repeated(
    library: EnvLibrary,
    kind: type[RandomPlayer],
    episodes: int,
    monkeypatch: pytest.MonkeyPatch,
    measure: Callable[..., Played] = play,
) -> list[Played]:
    """As often as the test says, each time with other worlds."""
    made = []
    parameters = library.descriptor.parameter_values({})
    for number in range(REPETITIONS):
        monkeypatch.setattr(module, "FIRST_SEED", 1000 * number)
        made.append(measure(library, kind, episodes, parameters))
    return made


def agreement(made: list[Played], library: EnvLibrary, truth: float) -> tuple[int, float]:
    """How many intervals hold the true score, and their mean width beside Student's."""
    held, widths, usual = 0, [], []
    for played in made:
        found = conclude(played, library.descriptor, "", is_greedy=False).figures["score"]
        assert found is not None
        held += found.low <= truth <= found.high
        scores = played.counted["score"]
        widths.append(found.high - found.low)
        usual.append(2 * student(len(scores) - 1) * scores.std(ddof=1) / math.sqrt(len(scores)))
    return held, float(np.mean(widths) / np.mean(usual))


def naive(
    library: EnvLibrary, kind: type[RandomPlayer], episodes: int, parameters: Mapping[str, float]
) -> Played:
    """What everybody does: plays so many games side by side, and takes the first so many that end."""
    vector = VectorEnv(library, parameters, environments=episodes, seed=module.FIRST_SEED)
    player, found = kind(vector, 0), []
    while sum(map(len, found)) < episodes:
        player.play(16, lambda: False)
        found.append(vector.drain().episodes)
    player.close()
    first = np.concatenate(found)[:episodes]
    counted = np.zeros(episodes, module.COUNTED)
    counted["world"], counted["score"] = np.arange(episodes), first["score"]
    return Played(Plan(1, episodes, 1, 1, 10**6), counted, 1, 1.0, whole=True)


@pytest.mark.parametrize(
    "episodes", [100, pytest.param(10_000, marks=pytest.mark.slow)], ids=["100", "10000"]
)
@pytest.mark.parametrize("name", ["coin", "left"])
def test_intervals_hold_the_true_score(
    coin: EnvLibrary, monkeypatch: pytest.MonkeyPatch, name: str, episodes: int
) -> None:
    library, kind, truth = {
        "coin": (coin, RandomPlayer, 0.5),
        "left": (load_env("squared"), Left, 5 / 120),
    }[name]
    made = repeated(library, kind, episodes, monkeypatch)
    assert all(len(played.counted) == episodes for played in made)
    held, wider = agreement(made, library, truth)
    assert held >= ENOUGH
    assert wider <= WIDEST


def test_the_first_games_that_end_are_the_short_ones(
    coin: EnvLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The naive way fails the same test, by far."""
    made = repeated(coin, RandomPlayer, 100, monkeypatch, naive)
    held, _ = agreement(made, coin, 0.5)
    assert held < 5
    assert np.mean([played.counted["score"].mean() for played in made]) < 0.25


def test_a_perfect_follower_wins_every_point_of_pong() -> None:
    pong = load_env("pong")
    played = play(pong, Follower, 20, pong.descriptor.parameter_values({}))
    figures = conclude(played, pong.descriptor, "", is_greedy=False).figures
    for name, truth in (("score", 21.0), ("length", 714.0), ("perf", 1.0)):
        mean = figures[name]
        assert mean is not None
        assert (mean.mean, mean.low, mean.high) == (truth, truth, truth)
    assert played.cut == 0


def test_what_agents_of_a_world_share_is_one_observation(
    shared_coin: EnvLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 800 episodes in 100 worlds the interval is that of 100 throws, and eight times as many would be a lie."""
    made = repeated(shared_coin, RandomPlayer, 800, monkeypatch)
    held, wider = agreement(made, shared_coin, 0.5)
    assert len(made[0].counted) == 800
    assert held >= ENOUGH
    assert 0.9 * math.sqrt(8) < wider < WIDEST * math.sqrt(8)


@pytest.mark.parametrize("rounds", [1, 3])
def test_agents_that_die_early_count_like_those_that_live(crowd: EnvLibrary, rounds: int) -> None:
    """A step kills with chance 1/4: the length is geometric but for the limit at 20."""
    parameters = crowd.descriptor.parameter_values({})
    plan = Plan(seeds=2, worlds=400, agents=3, rounds=rounds, cap=10_000)
    played = evaluate(crowd, parameters, plan, players(RandomPlayer), threads=1)
    assert len(played.counted) == plan.episodes == 2400 * rounds
    assert np.bincount(played.counted["world"]).tolist() == [3 * rounds] * 800
    found = conclude(played, crowd.descriptor, "", is_greedy=False).figures["length"]
    truth = sum(0.75**tick for tick in range(20))
    assert found is not None
    # Five standard errors: this is not about the interval.
    assert abs(found.mean - truth) < 1.25 * (found.high - found.low)


def test_leaving_finished_worlds_behind_changes_nothing(crowd: EnvLibrary) -> None:
    """What is counted is the same as if all had played on; only the policy's chance falls on other rows."""

    class Leaving(RandomPlayer):
        def act(self, observations: NDArray[np.uint8], actions: NDArray[np.int32]) -> None:
            # Dies as its own observation says, so that worlds end at different times.
            actions[:, 0] = np.where((observations[:, 0] * 7 + observations[:, 3]) % 11 == 3, 3, 1)

    class Staying(Leaving):
        room = -1.0

    parameters, plan = crowd.descriptor.parameter_values({}), Plan(1, 30, 3, 5, 1000)
    kept, all_played = (
        evaluate(crowd, parameters, plan, players(kind), threads=1).counted
        for kind in (Leaving, Staying)
    )
    order = [np.lexsort((part["length"], part["world"])) for part in (kept, all_played)]
    assert kept[order[0]].tobytes() == all_played[order[1]].tobytes()


def test_what_is_cut_is_told_and_its_score_is_not_made_up(coin: EnvLibrary) -> None:
    parameters = coin.descriptor.parameter_values({"long_steps": 0})
    plan = make_plan(coin, parameters, episodes=100, seeds=5, cap=320)
    played = evaluate(coin, parameters, plan, players(RandomPlayer), threads=1)
    assert 25 < played.cut < 75
    assert len(played.counted) == 100
    cut = played.counted[played.counted["cut"]]
    assert set(cut["length"].tolist()) == {320}
    assert set(cut["episode_return"].tolist()) == {160.0}
    found = conclude(played, coin.descriptor, "", is_greedy=False)
    score, length = found.figures["score"], found.figures["length"]
    assert score is not None
    assert length is not None
    assert score.mean == 0
    assert length.mean == pytest.approx((320 * played.cut + 20 * (100 - played.cut)) / 100)


def test_a_window_takes_the_living_in(coin: EnvLibrary) -> None:
    """Every agent is worth the same, whether its life ends within it or not."""
    parameters = coin.descriptor.parameter_values({"long_steps": 0})
    plan = make_plan(coin, parameters, episodes=50, seeds=5, window=160)
    played = evaluate(coin, parameters, plan, players(RandomPlayer), threads=1)
    found = conclude(played, coin.descriptor, "", is_greedy=False)
    assert len(played.counted) == 50
    assert found.figures["score"] is found.figures["perf"] is None
    for name, truth in (("return", 80.0), ("length", 160.0)):
        mean = found.figures[name]
        assert mean is not None
        assert (mean.mean, mean.low, mean.high) == (truth, truth, truth)


def test_progress_in_a_window_is_the_share_that_is_over(coin: EnvLibrary) -> None:
    """Steps of episodes that are still running count: in a game without end there are no others."""
    parameters = coin.descriptor.parameter_values({"long_steps": 0})
    plan = make_plan(coin, parameters, episodes=50, seeds=5, window=160)
    told: list[tuple[int, int]] = []
    progress = lambda *now: told.append(now)  # noqa: E731
    evaluate(coin, parameters, plan, players(RandomPlayer), threads=1, progress=progress)
    assert told == [(2 * look, 2 * look * 160) for look in range(1, 26)]


def test_more_ends_than_the_vectoriser_keeps_are_looked_at_sooner(
    coin: EnvLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    parameters = coin.descriptor.parameter_values({"long_steps": 1, "short_steps": 1})
    plan = Plan(seeds=1, worlds=128, agents=1, rounds=20, cap=10_000)
    looked = []

    def watched(steps: int) -> MakePlayer:
        looked.append(steps)
        return RandomPlayer

    played = evaluate(coin, parameters, plan, watched, threads=1)
    assert looked == [32, 8]
    assert np.bincount(played.counted["world"]).tolist() == [20] * 128


def test_only_seeds_that_are_whole_are_kept(coin: EnvLibrary) -> None:
    """The games of a seed that was stopped are left out: the short ones have ended first."""
    parameters = coin.descriptor.parameter_values({})
    plan = make_plan(coin, parameters, episodes=100, seeds=5)

    def stopped_after(count: int) -> Played:
        told: list[int] = []
        return evaluate(
            coin,
            parameters,
            plan,
            players(RandomPlayer),
            threads=1,
            progress=lambda episodes, _steps: told.append(episodes),
            interrupted=lambda: bool(told) and told[-1] > count,
        )

    played = stopped_after(45)
    assert (played.whole, played.biased, played.seeds) == (False, False, 2)
    assert len(played.counted) == 40
    early = stopped_after(5)
    assert (early.whole, early.biased) == (False, True)
    assert 0 < len(early.counted) < 20


def test_differences_are_those_in_the_same_worlds(coin: EnvLibrary) -> None:
    """Who plays changes nothing here, so there is none at all, though each score varies."""
    parameters = coin.descriptor.parameter_values({})
    one, other = (play(coin, kind, 200, parameters) for kind in (RandomPlayer, Left))
    score = conclude(one, coin.descriptor, "", is_greedy=False).figures["score"]
    assert score is not None
    assert score.low < score.high
    for mean in differences(one, other).values():
        assert mean is not None
        assert (mean.mean, mean.low, mean.high) == (0, 0, 0)


@pytest.mark.parametrize(
    ("env", "memory"), [("squared", "mingru"), ("cartpole", "lstm"), ("breakout", "none")]
)
def test_torch_and_numpy_play_alike(
    made_policy: Callable[..., PolicyWeights], env: str, memory: str
) -> None:
    """Greedy play has no chance of its own, so both see the same games, rounding aside."""
    library = load_env(env)
    weights = made_policy(env, memory)
    parameters = library.descriptor.parameter_values({})
    plan = make_plan(library, parameters, episodes=60, seeds=3, cap=2000)
    fast = player_of(weights, is_greedy=True, precision="fp32")
    plain = partial(NumpyPlayer, weights=greedy(weights))
    one, other = (
        evaluate(library, parameters, plan, kind, threads=1) for kind in (fast, lambda _: plain)
    )
    order = [np.argsort(part.counted["world"]) for part in (one, other)]
    same = one.counted[order[0]]["length"] == other.counted[order[1]]["length"]
    assert same.mean() > 0.95
    sampled = player_of(weights, precision="fp32")
    drawn = evaluate(library, parameters, plan, sampled, threads=1)
    again = evaluate(library, parameters, plan, sampled, threads=1)
    assert drawn.counted.tobytes() == again.counted.tobytes()


def test_who_is_dead_remembers_nothing(crowd, made_policy) -> None:
    """As in training, which the policy is evaluated for."""
    vector = VectorEnv(crowd, crowd.descriptor.parameter_values({}), environments=4, seed=1)
    player = NumpyPlayer(vector, 1, greedy(made_policy(crowd)))
    for _ in range(30):
        player.play(1, lambda: False)
        flags = player._buffers
        remembered = player._state.any(axis=(0, 1, 3))
        assert (remembered == (flags.alive & ~(flags.terminals | flags.truncations))).all()


def test_a_policy_of_before_its_game_declared_bounds_plays_as_it_did(compiler) -> None:
    """Bounds would have become another normaliser, which it has never seen through."""
    bare, bounded = (
        load_library(compiler.library("tests/c/senses.c", *flags))
        for flags in (["-DUNDECLARED"], [])
    )
    parameters = bare.descriptor.parameter_values({})
    config = PolicyConfig("none", 8, normalise="off")
    policy = Policy(bare.descriptor, config, torch.float32, torch.Generator().manual_seed(0))
    arrays = {name: tensor.numpy() for name, tensor in policy.state_dict().items()}
    weights = PolicyWeights(step=0, memory="none", hidden=8, layers=1, arrays=arrays)
    kind = player_of(weights, precision="fp32")
    plan = make_plan(bare, parameters, episodes=40, seeds=2, cap=500)
    one, other = (
        evaluate(library, parameters, plan, kind, threads=1) for library in (bare, bounded)
    )
    assert one.counted.tobytes() == other.counted.tobytes()


@pytest.mark.parametrize("memory", ["mingru", "lstm"])
def test_a_policy_whose_observations_are_staged_plays_the_same(
    made_policy: Callable[..., PolicyWeights], monkeypatch: pytest.MonkeyPatch, memory: str
) -> None:
    """As with a GPU: environments write into memory beside that which the policy reads."""
    breakout = load_env("breakout")
    parameters = breakout.descriptor.parameter_values({})
    plan = make_plan(breakout, parameters, episodes=40, seeds=2)
    kind = player_of(made_policy("breakout", memory), precision="fp32")
    shared = evaluate(breakout, parameters, plan, kind, threads=1).counted
    monkeypatch.setattr(
        "pufftui.trainer.training.playing.storage_on", lambda _device: Storage.DEVICE
    )
    staged = evaluate(breakout, parameters, plan, kind, threads=1).counted
    assert shared.tobytes() == staged.tobytes()


def test_plans_are_rounded_up_to_whole_worlds(coin: EnvLibrary, shared_coin: EnvLibrary) -> None:
    parameters = coin.descriptor.parameter_values({})
    plan = make_plan(coin, parameters, episodes=1000, seeds=5)
    assert (plan.worlds, plan.rounds, plan.episodes) == (200, 1, 1000)
    many = make_plan(coin, parameters, episodes=100_000, seeds=5)
    assert (many.worlds, many.rounds) == (4096, 5)
    # In few worlds there is little chance, so there are at least twenty.
    few = make_plan(shared_coin, parameters, episodes=100, seeds=5)
    assert (few.worlds, few.episodes) == (4, 160)
    assert make_plan(coin, parameters, episodes=1, seeds=1).episodes == 1


def test_one_world_has_a_mean_and_no_interval() -> None:
    mean = mean_of_worlds(Sums(np.array([3.0]), np.array([2.0])))
    assert mean is not None
    assert mean.mean == 1.5
    assert math.isnan(mean.low)
    assert mean_of_worlds(Sums(np.zeros(3), np.zeros(3))) is None


@pytest.mark.parametrize(
    ("freedom", "factor"), [(1, 12.706), (3, 3.182), (4, 2.776), (19, 2.093), (10_000, 1.960)]
)
def test_students_factor(freedom: int, factor: float) -> None:
    assert student(freedom) == pytest.approx(factor, abs=1e-3)
