"""Distributions against torch.distributions, and samples against their probabilities."""

import numpy as np
import pytest
import torch
from torch.distributions import Categorical, Normal

from pufftui.envs.descriptor import Action, ActionKind, Choice
from pufftui.trainer.network.actions import ActionDistribution


class About:
    """As much of a descriptor as distributions need."""

    def __init__(self, kind, *sizes):
        self.action_kind = kind
        self.actions = [Action("", 0, (Choice("", ()),) * size) for size in sizes]


def noise(distribution, rows):
    return distribution.noise(1, rows, torch.Generator().manual_seed(3))[0]


def test_discrete_components_add_up():
    torch.manual_seed(0)
    logits = torch.randn(40, 3 + 5)
    distribution = ActionDistribution(About(ActionKind.MULTI_DISCRETE, 3, 5))
    actions, sampled = distribution.sample(logits, None, noise(distribution, 40))
    log_probabilities, entropies = distribution.evaluate(logits, None, actions)
    first, second = Categorical(logits=logits[:, :3]), Categorical(logits=logits[:, 3:])
    expected = first.log_prob(actions[:, 0]) + second.log_prob(actions[:, 1])
    torch.testing.assert_close(log_probabilities, expected)
    torch.testing.assert_close(sampled, expected)
    torch.testing.assert_close(entropies, first.entropy() + second.entropy())


def test_continuous_is_the_normal_distribution():
    torch.manual_seed(0)
    means, log_std = torch.randn(40, 3), torch.tensor([-1.0, 0.0, 0.5])
    distribution = ActionDistribution(About(ActionKind.CONTINUOUS, 2, 2, 2))
    actions, sampled = distribution.sample(means, log_std, noise(distribution, 40))
    log_probabilities, entropies = distribution.evaluate(means, log_std, actions)
    expected = Normal(means, log_std.exp())
    torch.testing.assert_close(log_probabilities, expected.log_prob(actions).sum(-1))
    torch.testing.assert_close(sampled, log_probabilities)
    torch.testing.assert_close(entropies, expected.entropy().sum(-1))


@pytest.mark.parametrize("logits", [[0.0, 0.0], [3.0, -1.0, 0.5, 0.0], [0.0, -50.0, 0.0]])
def test_samples_follow_the_probabilities(logits):
    rows = 40_000
    distribution = ActionDistribution(About(ActionKind.DISCRETE, len(logits)))
    outputs = torch.tensor(logits).expand(rows, -1)
    actions, _ = distribution.sample(outputs, None, noise(distribution, rows))
    shares = np.bincount(actions[:, 0].numpy(), minlength=len(logits)) / rows
    probabilities = torch.softmax(torch.tensor(logits), 0).numpy()
    np.testing.assert_allclose(shares, probabilities, atol=0.01)
