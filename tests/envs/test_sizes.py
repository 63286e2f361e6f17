"""Worlds of several sizes: a parameter says how many agents there are, and all who ask are told so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from pufftui.envs.benchmark import measure
from pufftui.envs.errors import PuffError
from pufftui.envs.library import EnvLibrary, load_library
from pufftui.envs.vector import VectorEnv
from pufftui.trainer.arena.game import LEAST_AGENTS, Game
from pufftui.trainer.evaluation.plan import make_plan
from pufftui.trainer.settings.tryout import try_out

if TYPE_CHECKING:
    from conftest import Compiler


@pytest.fixture
def sizes(compiler: Compiler) -> EnvLibrary:
    return load_library(compiler.library("tests/c/sizes.c"))


@pytest.mark.parametrize("agents", [1, 3, 200])
@pytest.mark.parametrize("threads", [1, 3])
def test_each_world_has_the_agents_that_its_parameters_say(
    sizes: EnvLibrary, agents: int, threads: int
):
    with VectorEnv(sizes, {"agents": agents}, environments=4, groups=2, threads=threads) as vector:
        assert (vector.descriptor.agents, vector.agents) == (agents, 4 * agents)
        assert sizes.descriptor.agents == 3
        buffers = vector.buffers()
        assert buffers.observations.shape == (2 * agents, 2)
        vector.reset(1, buffers)
        seen = buffers.observations.reshape(2, agents, 2)
        assert (seen[..., 0] == agents).all()
        assert (seen[..., 1] == np.arange(agents)).all()
        buffers.actions[:, 0] = np.arange(2 * agents) % 2
        vector.step(1, buffers)
        assert (buffers.rewards == np.arange(2 * agents) % 2).all()
        episodes = vector.drain().episodes
        assert episodes["agent"].tolist() == [2 * agents, 3 * agents]
        assert vector.rows(np.array([3])).tolist() == list(range(3 * agents, 4 * agents))


def test_who_plays_plans_and_tries_out_counts_them(sizes: EnvLibrary):
    plan = make_plan(sizes, {"agents": 50}, episodes=100, seeds=1)
    assert (plan.agents, plan.episodes_per_seed % 50) == (50, 0)
    game = Game(sizes, {"agents": 50}, seed=1)
    assert game.descriptor.agents == 50
    assert game.agents == -(-LEAST_AGENTS // 50) * 50
    assert len(try_out(sizes, {"agents": 50}).rewards[0]) % 50 == 0


def test_a_size_is_measured(sizes: EnvLibrary):
    speed = measure(sizes, 1, seconds=0.05, agents=100, given={"agents": "40"})
    assert speed.agents == 120
    with pytest.raises(PuffError, match="no parameter size"):
        measure(sizes, 1, seconds=0.05, given={"size": "40"})
