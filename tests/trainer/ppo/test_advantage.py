"""The advantage against the recursion written naively in float64."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pufftui.trainer.ppo import advantage as module
from pufftui.trainer.ppo.advantage import advantages


def random_batch(seed, steps, rows, flags=0.2):
    random = np.random.default_rng(seed)
    return {
        "rewards": random.normal(size=(steps, rows)),
        "values": random.normal(size=(steps + 1, rows)),
        "final_values": random.normal(size=(steps, rows)),
        "terminals": random.random((steps, rows)) < flags,
        "truncations": random.random((steps, rows)) < flags,
        "alive": random.random((steps, rows)) < 0.8,
        "ratios": np.exp(random.normal(scale=0.5, size=(steps, rows))),
    }


def naive(batch, gamma, gae_lambda, rho_clip, c_clip):
    steps, rows = batch["rewards"].shape
    result = np.zeros((steps + 1, rows))
    for t in reversed(range(steps)):
        for i in range(rows):
            terminal, truncation = batch["terminals"][t, i], batch["truncations"][t, i]
            ratio = batch["ratios"][t, i]
            after = batch["final_values"][t, i] if truncation else batch["values"][t + 1, i]
            target = batch["rewards"][t, i] + (0 if terminal else gamma * after)
            delta = min(ratio, rho_clip) * (target - batch["values"][t, i])
            flows = 0 if terminal or truncation else 1
            trace = gamma * gae_lambda * min(ratio, c_clip) * flows
            result[t, i] = delta + trace * result[t + 1, i]
    return result[:-1]


def tensors(batch):
    return {
        name: torch.from_numpy(array.astype(np.uint8 if array.dtype == bool else np.float32))
        for name, array in batch.items()
    }


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32),
    steps=st.integers(1, 40),
    rows=st.integers(1, 9),
    gamma=st.floats(0, 1),
    gae_lambda=st.floats(0, 1),
    rho_clip=st.floats(0.1, 3),
    c_clip=st.floats(0.1, 3),
)
def test_kernel_equals_the_naive_recursion(seed, steps, rows, **constants):
    batch = random_batch(seed, steps, rows)
    result, magnitudes = advantages(**tensors(batch), **constants)
    alive = torch.from_numpy(batch["alive"])
    torch.testing.assert_close(magnitudes, (result.abs() * alive).sum(dim=0))
    np.testing.assert_allclose(result.numpy(), naive(batch, **constants), rtol=1e-4, atol=1e-5)


def test_torch_version_equals_the_naive_recursion(monkeypatch):
    monkeypatch.setattr(module.kernels, "missing", lambda _: "none")
    batch = random_batch(3, 30, 7)
    constants = {"gamma": 0.97, "gae_lambda": 0.9, "rho_clip": 1.1, "c_clip": 0.8}
    result, magnitudes = advantages(**tensors(batch), **constants)
    np.testing.assert_allclose(result.numpy(), naive(batch, **constants), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        magnitudes, (result.abs() * torch.from_numpy(batch["alive"])).sum(dim=0)
    )


def test_without_clips_it_is_generalised_advantage_estimation():
    batch = random_batch(5, 25, 3, flags=0)
    batch["ratios"][:] = 1
    gamma, gae_lambda = 0.99, 0.95
    result, _ = advantages(
        **tensors(batch), gamma=gamma, gae_lambda=gae_lambda, rho_clip=1.0, c_clip=1.0
    )
    delta = batch["rewards"] + gamma * batch["values"][1:] - batch["values"][:-1]
    for t in range(25):
        powers = (gamma * gae_lambda) ** np.arange(25 - t)
        expected = (powers[:, None] * delta[t:]).sum(axis=0)
        np.testing.assert_allclose(result[t].numpy(), expected, rtol=1e-4, atol=1e-5)


def test_with_lambda_one_the_targets_are_those_of_v_trace():
    batch = random_batch(8, 20, 4, flags=0)
    gamma, rho_clip, c_clip = 0.98, 1.2, 0.9
    result, _ = advantages(
        **tensors(batch), gamma=gamma, gae_lambda=1.0, rho_clip=rho_clip, c_clip=c_clip
    )
    rho, c = np.minimum(batch["ratios"], rho_clip), np.minimum(batch["ratios"], c_clip)
    values = batch["values"]
    delta = rho * (batch["rewards"] + gamma * values[1:] - values[:-1])
    for t in range(20):
        total, product = 0.0, 1.0
        for k in range(t, 20):
            total = total + gamma ** (k - t) * product * delta[k]
            product = product * c[k]
        target = result[t].numpy() + values[t]
        np.testing.assert_allclose(target, values[t] + total, rtol=1e-4, atol=1e-5)


def test_a_step_that_is_both_counts_as_terminal():
    batch = random_batch(1, 1, 1, flags=1.1)
    result, _ = advantages(**tensors(batch), gamma=0.9, gae_lambda=0.9, rho_clip=9.0, c_clip=9.0)
    ratio = batch["ratios"][0, 0]
    expected = ratio * (batch["rewards"][0, 0] - batch["values"][0, 0])
    assert result.item() == pytest.approx(expected, rel=1e-4)
