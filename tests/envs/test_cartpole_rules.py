"""cartpole against Gymnasium's CartPole-v1, and its episodes against the rules in plain Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium.envs.classic_control.cartpole import CartPoleEnv
from numpy.typing import NDArray

from pufftui.envs.catalogue import load_env
from pufftui.envs.vector import VectorEnv

STATE = np.dtype(
    [
        ("values", np.float64, (4,)),  # x, speed, angle, angular speed
        ("random", np.uint64),
        ("last", np.float64, (2,)),
        ("tick", np.int32),
    ],
    align=True,
)
LIMITS = np.array([2.4, 3.0, np.radians(12), 3.0])


def state_of(env: VectorEnv, index: int) -> Any:
    return env.state(index)[: STATE.itemsize].view(STATE)[0]


def gymnasium_step(values: NDArray[np.float64], action: int) -> tuple[NDArray[np.float64], bool]:
    """Where Gymnasium's cart and pole go from a state, and whether that ends the episode."""
    twin = CartPoleEnv()
    twin.reset()
    twin.state = values.copy()
    _, reward, terminated, truncated, _ = twin.step(action)
    assert reward == 1
    assert not truncated
    return np.array(twin.state), terminated


def balance(seen: NDArray[np.float32]) -> int:
    """Keeps the pole up for more than 200 steps."""
    return int(seen @ np.array([0.1, 0.3, 1.0, 0.5], np.float32) > 0)


@pytest.mark.parametrize("skill", [0.0, 0.3, 1.0])
def test_gymnasium_beside_it_for_ten_thousand_steps(skill: float):
    """Both go their own way from the start of an episode to its end, and come out together."""
    rng = np.random.default_rng(4)
    ends = {"terminal": 0, "truncation": 0}
    twin = CartPoleEnv()
    with VectorEnv(load_env("cartpole"), {}, environments=1, seed=4) as env:
        buffers = env.buffers()
        env.reset(0, buffers)
        twin.reset()
        twin.state = state_of(env, 0)["values"].copy()
        length = 0
        for _ in range(10_000):
            seen = buffers.observations[0].view(np.float32)
            action = balance(seen) if rng.random() < skill else int(rng.integers(2))
            buffers.actions[:] = action
            env.step(0, buffers)
            wanted, reward, terminated, _, _ = twin.step(action)
            length += 1
            truncated = length == 200 and not terminated
            assert buffers.rewards[0] == reward
            assert buffers.terminals[0] == terminated
            assert buffers.truncations[0] == truncated
            if truncated:
                final = buffers.finals[0].view(np.float32)
                np.testing.assert_allclose(final, wanted, rtol=0, atol=1e-6)
            if terminated or truncated:
                ends["terminal" if terminated else "truncation"] += 1
                (episode,) = env.drain().episodes
                assert episode["score"] == episode["length"] == length
                assert (np.abs(state_of(env, 0)["values"]) <= 0.05).all()
                twin.reset()
                twin.state = state_of(env, 0)["values"].copy()
                length = 0
            else:
                np.testing.assert_allclose(seen, wanted, rtol=0, atol=1e-6)
                state = state_of(env, 0)["values"]
                np.testing.assert_allclose(state, twin.state, rtol=0, atol=1e-9)
    assert ends["truncation" if skill == 1 else "terminal"] >= 49


@pytest.mark.parametrize("seed", range(3))
def test_a_step_from_any_state(seed: int):
    rng = np.random.default_rng(seed)
    ends = [0, 0]
    with VectorEnv(load_env("cartpole"), {}, environments=32, seed=seed) as env:
        buffers = env.buffers()
        env.reset(0, buffers)
        for _ in range(30):
            states = [state_of(env, i) for i in range(32)]
            for state in states:
                state["values"] = rng.uniform(-LIMITS, LIMITS)
                state["tick"] = rng.choice([0, 5, 198, 199])
            before, ticks = (np.array([s[name] for s in states]) for name in ("values", "tick"))
            buffers.actions[:, 0] = rng.integers(0, 2, 32)
            env.step(0, buffers)
            episodes = {int(e["agent"]): e for e in env.drain().episodes}
            for i, state in enumerate(states):
                wanted, terminated = gymnasium_step(before[i], int(buffers.actions[i, 0]))
                truncated = not terminated and ticks[i] == 199
                ends = [ends[0] + terminated, ends[1] + truncated]
                assert buffers.rewards[i] == 1
                assert buffers.terminals[i] == terminated
                assert buffers.truncations[i] == truncated
                seen = buffers.observations[i].view(np.float32)
                assert seen.tolist() == state["values"].astype(np.float32).tolist()
                if truncated:
                    final = buffers.finals[i].view(np.float32)
                    np.testing.assert_allclose(final, wanted, rtol=0, atol=1e-6)
                if terminated or truncated:
                    assert episodes[i]["score"] == ticks[i] + 1
                    assert state["tick"] == 0
                    assert (np.abs(state["values"]) <= 0.05).all()
                else:
                    assert i not in episodes
                    assert state["tick"] == ticks[i] + 1
                    np.testing.assert_allclose(state["values"], wanted, rtol=0, atol=1e-12)
    assert min(ends) > 50
