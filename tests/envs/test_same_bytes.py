"""The same seed gives the same bytes: on any number of threads, after a restore, and over time.

`golden.json` holds a checksum of a long rollout of each environment. When rules change on purpose,
write it anew with

    PUFFTUI_WRITE_GOLDEN=1 python -m pytest tests/envs/test_same_bytes.py
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from pufftui.envs.catalogue import env_names, load_env
from pufftui.envs.descriptor import ActionKind
from pufftui.envs.library import EnvLibrary, load_library
from pufftui.envs.vector import EPISODE, StepBuffers, VectorEnv

if TYPE_CHECKING:
    from conftest import Compiler

GOLDEN = Path(__file__).with_name("golden.json")
OUTPUTS = ("observations", "rewards", "terminals", "truncations", "alive")
ENVIRONMENTS, STEPS = 320, 200


def action_stream(library: EnvLibrary, agents: int) -> Callable[[], NDArray]:
    """Random actions from a bit stream that no version of numpy changes; continuous ones leave
    [-1, 1] a little, as those of a policy do."""
    bits = np.random.PCG64(7)
    choices = np.array([len(action.choices) for action in library.descriptor.actions])
    continuous = library.descriptor.action_kind is ActionKind.CONTINUOUS

    def draw() -> NDArray:
        drawn = bits.random_raw(agents * len(choices)).reshape(agents, -1)
        if continuous:
            return ((drawn >> np.uint64(40)) * 2.5 / 2**24 - 1.25).astype(np.float32)
        return (drawn % choices.astype(np.uint64)).astype(np.int32)

    return draw


def some(library: EnvLibrary, environments: int) -> int:
    """Fewer where each of them holds many agents, but an even number."""
    return max(4, environments // library.descriptor.agents // 2 * 2)


def defaults(library: EnvLibrary) -> dict[str, float]:
    return library.descriptor.parameter_values({})


def rollout(library: EnvLibrary, threads: int, groups: int) -> dict[str, NDArray]:
    """All that comes out of some steps, agents in environment order whatever the groups."""
    env = VectorEnv(
        *(library, defaults(library)),
        environments=some(library, ENVIRONMENTS),
        groups=groups,
        threads=threads,
        seed=3,
    )
    draw = action_stream(library, env.agents)
    buffers = [env.buffers() for _ in range(groups)]
    out: dict[str, list] = {name: [] for name in OUTPUTS}
    with env:
        for group in range(groups):
            env.reset(group, buffers[group])
        reports = []
        for step in range(STEPS):
            for mine, actions in zip(buffers, np.split(draw(), groups), strict=True):
                mine.actions[:] = actions
            for group in range(groups):
                env.start(group, buffers[group])
            for group in range(groups):
                env.wait(group)
            for name in OUTPUTS:
                out[name].append(np.concatenate([getattr(mine, name) for mine in buffers]))
            if step % 10 == 9:  # before any episode drops out
                reports.append(env.drain())
        states = [env.state(i).copy() for i in range(env.environments)]
        memory = np.frombuffer(env.save(), np.uint8)
    assert any(report.count for report in reports)
    assert not any(report.dropped for report in reports)
    return {name: np.stack(values) for name, values in out.items()} | {
        "episodes": np.concatenate([report.episodes for report in reports]),
        "sums": np.stack([report.sums for report in reports]),
        "states": np.stack(states),
        f"memory of {groups} groups": memory,
    }


@pytest.fixture(scope="module", params=[*env_names(), "crowd"])
def library(request: pytest.FixtureRequest) -> EnvLibrary:
    if request.param == "crowd":
        return request.getfixturevalue("crowd")
    return load_env(request.param)


def test_threads_and_groups(library: EnvLibrary):
    plain = rollout(library, threads=1, groups=1)
    for threads, groups in [(2, 1), (5, 1), (1, 2), (2, 2), (5, 2)]:
        other = rollout(library, threads, groups)
        for name in plain.keys() & other.keys():
            assert plain[name].tobytes() == other[name].tobytes(), (name, threads, groups)
    assert plain["observations"][:, 0].tobytes() != plain["observations"][:, 1].tobytes()


def test_restore_goes_on_bit_equal(library: EnvLibrary):
    def go_on(env: VectorEnv, buffers: StepBuffers, plan: list[NDArray]) -> bytes:
        seen = []
        for actions in plan:
            buffers.actions[:] = actions
            env.step(0, buffers)
            seen += [getattr(buffers, name).tobytes() for name in OUTPUTS]
        report = env.drain()
        return b"".join(seen) + report.episodes.tobytes() + report.sums.tobytes() + env.save()

    options = {"environments": some(library, 100), "threads": 2}
    with (
        VectorEnv(library, defaults(library), seed=5, **options) as env,
        VectorEnv(library, defaults(library), seed=6, **options) as other,
    ):
        buffers = env.buffers()
        draw = action_stream(library, env.agents)
        plans = [[draw() for _ in range(100)] for _ in range(2)]
        env.reset(0, buffers)
        go_on(env, buffers, plans[0])
        saved = env.save()
        future = go_on(env, buffers, plans[1])
        env.restore(saved)
        assert go_on(env, buffers, plans[1]) == future
        other.reset(0, buffers)
        other.restore(saved)
        assert go_on(other, other.buffers(), plans[1]) == future


def follow_the_ball(observations: NDArray[np.uint8], drawn: NDArray[np.int32]) -> NDArray[np.int32]:
    """Plays breakout well, with a wish of its own now and then, to get through all of its rules."""
    seen = observations.view(np.float32)
    ball = seen[:, 2] * 576 + 16
    paddle = seen[:, 0] * 576 + seen[:, 9] * 31
    follow = np.where(np.abs(ball - paddle) < 20, 0, np.where(ball < paddle, 1, 2))
    wish = (drawn[:, 0] == 0) & (seen[:, 3] < 0.5)
    return np.where(wish, drawn[:, 0], follow).astype(np.int32)[:, None]


def return_the_ball(observations: NDArray[np.uint8], drawn: NDArray[np.int32]) -> NDArray[np.int32]:
    """Plays pong well, so that there are long rallies, and badly now and then."""
    seen = observations.view(np.float32)
    gap = seen[:, 3] - seen[:, 1]
    follow = np.where(np.abs(gap) < 0.1, 0, np.where(gap < 0, 1, 2))
    return np.where(seen[:, 2] < 0, drawn[:, 0], follow).astype(np.int32)[:, None]


def balance(observations: NDArray[np.uint8], drawn: NDArray[np.int32]) -> NDArray[np.int32]:
    """Keeps the pole of cartpole up to the time limit in some of the environments."""
    x, x_speed, angle, angle_speed = observations.view(np.float32).T
    push = x * 0.125 + x_speed * 0.25 + angle + angle_speed * 0.5 > 0
    return np.where(np.arange(len(x)) % 2, drawn[:, 0], push).astype(np.int32)[:, None]


PLAYERS = {"breakout": follow_the_ball, "cartpole": balance, "pong": return_the_ball}
"""Where random actions would leave some rules out."""


def checksum(library: EnvLibrary) -> str:
    """Of 2000 steps of 64 agents, or of 4 environments."""
    digest = hashlib.sha256()
    environments = some(library, 64)
    with VectorEnv(library, defaults(library), environments=environments, threads=2, seed=1) as env:
        buffers = env.buffers()
        draw = action_stream(library, env.agents)
        env.reset(0, buffers)
        for _ in range(2000):
            drawn = draw()
            play = PLAYERS.get(library.descriptor.name)
            buffers.actions[:] = play(buffers.observations, drawn) if play else drawn
            env.step(0, buffers)
            for name in OUTPUTS:
                digest.update(getattr(buffers, name))
        episodes = env.drain().episodes
        for column in EPISODE.names or ():
            used = len(library.descriptor.statistics) if column == "statistics" else None
            digest.update(np.ascontiguousarray(episodes[column][..., :used]))
    return digest.hexdigest()


@pytest.mark.parametrize("name", env_names())
def test_golden_rollout(name: str, compiler: Compiler):
    measured = checksum(load_env(name))
    if os.environ.get("PUFFTUI_WRITE_GOLDEN"):
        known = json.loads(GOLDEN.read_text(encoding="utf-8")) if GOLDEN.exists() else {}
        GOLDEN.write_text(
            json.dumps(known | {name: measured}, indent=2, sort_keys=True) + "\n", encoding="utf-8"
        )
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert measured == golden[name]
    # Neither the optimiser nor the machine's own instructions change a bit.
    for flags in (("-O0",), ("-O3", "-march=native"), ("-O2",)):
        portable = compiler.library(f"envs/{name}/{name}.c", *flags)
        assert checksum(load_library(portable)) == golden[name], flags
