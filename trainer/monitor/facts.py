"""What the health checks must know of a run before it begins."""

from __future__ import annotations

import math

from pufftui.envs.catalogue import accepted_findings
from pufftui.envs.descriptor import ActionKind, Descriptor
from pufftui.trainer.health import Facts
from pufftui.trainer.settings.fields import Config


def health_facts(
    config: Config, descriptor: Descriptor, ranks: int = 1, printed: str = ""
) -> Facts:
    """The facts of a run that trains with this config in this environment, which `printed` a line, in so many processes."""
    low, high = descriptor.score_low, descriptor.score_high
    train = config.train
    return Facts(
        total_steps=train.total_steps,
        score_low=low if math.isfinite(low) else None,
        score_high=high if math.isfinite(high) else None,
        most_entropy=_most_entropy(descriptor),
        minibatch=max(1, round(train.minibatch_size / train.horizon)) * train.horizon * ranks,
        replay_ratio=train.replay_ratio,
        gamma=train.gamma,
        max_gradient_norm=train.max_gradient_norm,
        accepted=accepted_findings(config.env),
        agents=config.vec.agents * ranks,
        horizon=train.horizon,
        printed=printed,
    )


def _most_entropy(descriptor: Descriptor) -> float | None:
    if descriptor.action_kind is ActionKind.CONTINUOUS:
        return None
    return sum(math.log(len(action.choices)) for action in descriptor.actions)
