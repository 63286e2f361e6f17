"""What begins anew forgets what was before it, also what is not a finite number."""

import pytest
import torch

from pufftui.envs.catalogue import load_env
from pufftui.trainer.network.mingru import scan, scan_in_torch
from pufftui.trainer.network.policy import Policy
from pufftui.trainer.ppo import advantage as module
from pufftui.trainer.ppo.advantage import advantages
from pufftui.trainer.settings.fields import PolicyConfig

NAN = float("nan")


def begins(steps, rows, *, at):
    resets = torch.zeros(steps, rows, dtype=torch.uint8)
    resets[at] = 1
    return resets


@pytest.mark.parametrize("scan", [scan, scan_in_torch])
def test_a_mingru_forgets(scan):
    generator = torch.Generator().manual_seed(1)
    gates = torch.randn(4, 3, 24, generator=generator)
    inputs = torch.randn(4, 3, 8, generator=generator)
    gates[0, 1] = NAN
    initial = torch.full((3, 8), NAN)
    _, first = scan(gates[1:], inputs[1:], begins(3, 3, at=0), initial)
    assert torch.isfinite(first).all()
    _, later = scan(gates, inputs, begins(4, 3, at=2), initial)
    assert torch.isfinite(later).all()


@pytest.mark.parametrize("memory", ["mingru", "lstm"])
def test_a_policy_with_memory_forgets(memory):
    descriptor = load_env("squared").descriptor
    policy = Policy(
        descriptor,
        PolicyConfig(memory=memory, hidden=16),
        torch.float32,
        torch.Generator().manual_seed(1),
    )
    seen = torch.zeros(3, 2, descriptor.observation_bytes, dtype=torch.uint8)
    state = torch.full_like(policy.initial_state(2), NAN)
    with torch.no_grad():
        outputs, after = policy.sequence(seen, state, begins(3, 2, at=1))
    assert torch.isfinite(outputs[1:]).all()
    assert torch.isfinite(after).all()


@pytest.mark.parametrize("kernel", [True, False])
@pytest.mark.parametrize("flag", ["terminals", "truncations"])
def test_an_advantage_does_not_look_beyond_the_end_of_an_episode(monkeypatch, kernel, flag):
    if not kernel:
        monkeypatch.setattr(module.kernels, "missing", lambda _: "none")
    batch = {
        "rewards": torch.ones(5, 2),
        "values": torch.ones(6, 2),
        "final_values": torch.ones(5, 2),
        "terminals": torch.zeros(5, 2, dtype=torch.uint8),
        "truncations": torch.zeros(5, 2, dtype=torch.uint8),
        "alive": torch.ones(5, 2, dtype=torch.uint8),
        "ratios": torch.ones(5, 2),
    }
    batch["values"][3:] = NAN
    batch[flag][2] = 1
    result, _ = advantages(**batch, gamma=0.9, gae_lambda=0.8, rho_clip=1.0, c_clip=1.0)
    assert torch.isfinite(result[:3]).all()
    assert torch.isnan(result[3:]).all()
