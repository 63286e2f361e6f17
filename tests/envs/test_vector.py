"""The vectoriser's bookkeeping against a plain recount, on the test environment of crowd.c."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from pufftui.envs.catalogue import load_env
from pufftui.envs.cores import available_cores
from pufftui.envs.errors import PuffError
from pufftui.envs.library import EnvLibrary
from pufftui.envs.vector import StepBuffers, VectorEnv

AGENTS = 3
DEATH = 3
GAIN = np.float32(0.5)
LIMIT = 20


@dataclass
class Crowd:
    """One environment, as crowd.c tells it in words."""

    tick: int = 0
    episodes: int = 1
    dead: list[bool] = field(default_factory=lambda: [False] * AGENTS)
    returns: list[float] = field(default_factory=lambda: [0.0] * AGENTS)

    def observation(self, agent: int) -> list[int]:
        return [self.tick, agent, AGENTS - sum(self.dead), self.episodes]

    def step(self, actions: list[int], peaceful: bool) -> dict[str, list]:
        self.tick += 1
        out = {
            "alive": [not dead for dead in self.dead],
            "rewards": [1000.0] * AGENTS,
            "terminals": [False] * AGENTS,
            "truncations": [False] * AGENTS,
            "finals": [None] * AGENTS,
            "episodes": [],
        }
        for agent, action in enumerate(actions):
            if self.dead[agent]:
                continue
            dies = action == DEATH and not peaceful
            out["rewards"][agent] = -1.0 if dies else float(GAIN * np.float32(action))
            self.returns[agent] += out["rewards"][agent]
            if dies:
                self.dead[agent] = out["terminals"][agent] = True
                self.finish(agent, self.tick, out)
        if self.tick == LIMIT and not all(self.dead):
            for agent in range(AGENTS):
                if not self.dead[agent]:
                    out["truncations"][agent] = True
                    out["finals"][agent] = self.observation(agent)
            for agent in range(AGENTS):
                if not self.dead[agent]:
                    self.finish(agent, 100, out)
            self.dead = [True] * AGENTS
        if all(self.dead):
            self.tick, self.dead, self.returns = 0, [False] * AGENTS, [0.0] * AGENTS
            self.episodes += 1
        out["observations"] = [self.observation(agent) for agent in range(AGENTS)]
        return out

    def finish(self, agent: int, score: float, out: dict[str, list]) -> None:
        out["episodes"].append((agent, self.tick, score, self.returns[agent], self.tick, agent))


def make(crowd: EnvLibrary, environments: int, peaceful: bool = False, **options) -> VectorEnv:
    parameters = {"limit": LIMIT, "gain": 0.5, "peaceful": float(peaceful)}
    return VectorEnv(crowd, parameters, environments=environments, **options)


def draw_actions(rng: np.random.Generator, buffers: StepBuffers) -> list[list[int]]:
    chances = [0.32, 0.32, 0.32, 0.04]
    buffers.actions[:, 0] = rng.choice(4, size=len(buffers.actions), p=chances)
    return buffers.actions.reshape(-1, AGENTS).tolist()


@pytest.mark.parametrize(("groups", "threads"), [(1, 1), (2, 1), (2, 3), (5, 2)])
@pytest.mark.parametrize("peaceful", [False, True])
def test_every_array_against_a_recount(
    crowd: EnvLibrary, groups: int, threads: int, peaceful: bool
):
    rng = np.random.default_rng(groups)
    environments, steps = 50, 45
    each = environments // groups
    with make(crowd, environments, peaceful, groups=groups, threads=threads) as env:
        buffers = [env.buffers() for _ in range(groups)]
        for group in range(groups):
            env.reset(group, buffers[group])
        worlds = [Crowd() for _ in range(environments)]
        expected = []
        for step in range(steps):
            wanted = [draw_actions(rng, each_buffers) for each_buffers in buffers]
            for group in range(groups):
                env.start(group, buffers[group])
            for group in range(groups):
                truncated = env.wait(group)
                now = buffers[group]
                mine = worlds[group * each : (group + 1) * each]
                outs = [
                    world.step(actions, peaceful)
                    for world, actions in zip(mine, wanted[group], strict=True)
                ]
                for name in ("rewards", "terminals", "truncations", "alive", "observations"):
                    want = np.concatenate([out[name] for out in outs])
                    np.testing.assert_array_equal(getattr(now, name), want, name)
                finals = [final for out in outs for final in out["finals"]]
                assert truncated == sum(final is not None for final in finals)
                for row, final in enumerate(finals):
                    assert final is None or now.finals[row].tolist() == final
                expected += [
                    (step, (group * each + i) * AGENTS + agent, *rest)
                    for i, out in enumerate(outs)
                    for agent, *rest in out["episodes"]
                ]
        report = env.drain()
    expected.sort()
    got = [
        (e["step"], e["agent"], e["length"], e["score"], e["episode_return"], *e["statistics"][:2])
        for e in report.episodes
    ]
    assert got == pytest.approx(expected)
    assert report.count == len(expected) > 100
    assert report.dropped == 0
    columns = list(zip(*expected, strict=True))
    np.testing.assert_allclose(report.sums, [sum(columns[i]) for i in (3, 4, 2, 5, 6)], rtol=1e-12)


def test_the_oldest_episodes_drop_out_and_the_sums_stay_exact(crowd: EnvLibrary):
    kept = 512
    with make(crowd, 2) as env:
        buffers = env.buffers()
        env.reset(0, buffers)
        buffers.actions[:] = DEATH  # three episodes end in each environment and step
        steps = 300
        for _ in range(steps):
            env.step(0, buffers)
        report = env.drain()
        assert report.count == steps * 6
        assert report.dropped == steps * 6 - kept
        np.testing.assert_array_equal(report.sums[:3], [steps * 6, -steps * 6, steps * 6])
        assert len(report.episodes) == kept
        assert report.episodes["step"][-1] == steps - 1
        assert report.episodes["step"][0] == steps - 1 - (kept - 1) // 6
        again = env.drain()
        assert (len(again.episodes), again.count, again.dropped) == (0, 0, 0)
        assert not again.sums.any()


def test_rows_of_finals_that_did_not_truncate_keep_what_they_held(crowd: EnvLibrary):
    with make(crowd, 4, peaceful=True) as env:
        buffers = env.buffers()
        env.reset(0, buffers)
        for _ in range(LIMIT - 1):
            buffers.finals[:] = 77
            assert env.step(0, buffers) == 0
            assert (buffers.finals == 77).all()
        assert env.step(0, buffers) == 12
        assert (buffers.finals[:, 0] == LIMIT).all()
        assert (buffers.observations[:, 0] == 0).all()


def test_reset_forgets_the_running_episode(crowd: EnvLibrary):
    with make(crowd, 2) as env:
        buffers = env.buffers()
        env.reset(0, buffers)
        buffers.actions[:] = 2
        for _ in range(5):
            env.step(0, buffers)
        env.reset(0, buffers)
        buffers.actions[:] = DEATH
        env.step(0, buffers)
        episodes = env.drain().episodes
        assert (episodes["length"] == 1).all()
        assert (episodes["episode_return"] == -1).all()


def test_parameters_reach_the_environment(crowd: EnvLibrary):
    parameters = {"limit": 3.0, "gain": 0.25, "peaceful": 1.0}
    with VectorEnv(crowd, parameters, environments=1) as env:
        buffers = env.buffers()
        env.reset(0, buffers)
        buffers.actions[:] = 2
        assert [env.step(0, buffers) for _ in range(3)] == [0, 0, 3]
        assert (buffers.rewards == 0.5).all()


def test_restore_refuses_another_size(crowd: EnvLibrary):
    with make(crowd, 2) as two, make(crowd, 3) as three:
        saved = three.save()
        before = two.save()
        with pytest.raises(PuffError, match="start a new run"):
            two.restore(saved)
        assert two.save() == before


def test_too_many_environments_for_the_memory(crowd: EnvLibrary):
    with pytest.raises(PuffError, match="not enough memory"):
        make(crowd, 4_000_000_000)


def test_wrong_use_is_noticed(crowd: EnvLibrary):
    with pytest.raises(ValueError, match="in 2 groups"):
        make(crowd, 3, groups=2)
    with make(crowd, 1) as env:
        with pytest.raises(ValueError, match="C-contiguous"):
            env.draw(0, 0, 0.0, np.zeros((4, 8, 3), np.uint8)[:, ::2])
        with pytest.raises(ValueError, match="uint8"):
            env.draw(0, 0, 0.0, np.zeros((4, 8, 3), np.float32))
        with pytest.raises(ValueError, match="actions must be C-contiguous"):
            StepBuffers.over(actions=np.zeros((4, 2), np.int32)[:, 1])
    env.close()  # a second time


def test_state_and_picture_belong_to_the_named_environment(crowd: EnvLibrary):
    with make(crowd, 3) as env:
        buffers = env.buffers()
        env.reset(0, buffers)
        pictures = np.zeros((3, 2, 20, 20, 3), np.uint8)
        env.state(1).view(np.uint32)[3] = 4  # its tick
        for environment, agent in np.ndindex(3, 2):
            env.draw(environment, agent, 0.5, pictures[environment, agent])
        assert (pictures[0] == pictures[2]).all()
        assert (pictures[0, 0] != pictures[1, 0]).any()
        assert (pictures[1, 0] != pictures[1, 1]).any()


def test_cores():
    assert available_cores() >= 1


@pytest.mark.parametrize("name", ["breakout", "squared"])
def test_pictures_join_smoothly(name: str):
    """What is shown at the end of a step is what is shown at the start of the next."""
    rng = np.random.default_rng(1)
    with VectorEnv(load_env(name), {}, environments=1) as env:
        buffers = env.buffers()
        env.reset(0, buffers)
        before, after, late = np.zeros((3, 90, 160, 3), np.uint8)
        moved = rough = 0
        for _ in range(300):
            buffers.actions[:] = rng.integers(len(env.descriptor.actions[0].choices))
            env.draw(0, 0, np.nextafter(np.float32(1), np.float32(0)), before)
            env.step(0, buffers)
            env.draw(0, 0, 0.0, after)
            env.draw(0, 0, 0.6, late)
            moved += (late != after).any()
            rough += np.abs(before.astype(int) - after).max() > 2
        assert moved > 150
        assert rough < 30  # a new ball or target appears, a brick flashes


def test_some_environments_go_on_alone_as_they_would_have(crowd):
    """With their states, and with what their running episodes have earned so far."""
    parameters = crowd.descriptor.parameter_values({"peaceful": 1})
    kept = np.array([4, 1])
    rows = (kept[:, None] * 3 + np.arange(3)).ravel()
    with VectorEnv(crowd, parameters, environments=6, seed=3) as env:
        buffers = env.buffers()
        env.reset(0, buffers)
        buffers.actions[:, 0] = np.arange(18) % 3
        for _ in range(7):
            env.step(0, buffers)
        with env.only(kept) as some:
            few = some.buffers()
            few.actions[:] = buffers.actions[rows]
            for ours, theirs in zip(some.running(), env.running(), strict=True):
                np.testing.assert_array_equal(ours, theirs[rows])
            for _ in range(15):
                env.step(0, buffers)
                some.step(0, few)
                np.testing.assert_array_equal(few.observations, buffers.observations[rows])
            all_, alone = env.drain().episodes, some.drain().episodes
            assert len(alone) == 6
            for place, row in enumerate(rows):
                (theirs,) = all_[all_["agent"] == row]
                (ours,) = alone[alone["agent"] == place]
                for name in ("length", "score", "episode_return"):
                    assert ours[name] == theirs[name]
            assert ours["length"] == 20
            assert (some.running()[1] == 2).all()
