"""What the numbers of observations have been like: the statistics behind a policy's normaliser."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from pufftui.envs.descriptor import Field
from pufftui.envs.grids import places_of
from pufftui.trainer.network.normaliser import Normaliser, numbers
from pufftui.trainer.network.policy import Policy
from pufftui.trainer.ppo.ranks import Ranks

ROWS = 4096
"""Observations that are looked at in an epoch, at most."""

MOST_NUMBERS = 2**22
"""Numbers that are looked at in an epoch, at most: wide observations are fewer."""

EPOCHS = 100
"""A full sample has a weight of at least one in so many: the means follow a policy that comes to new places,
and move by at most a hundredth of the way in an epoch once so many have passed."""


class ObservedMoments:
    """Count, means and sums of squared deviations of each element, (1,), (numbers,) and (numbers,) float64.

    They follow rollouts by `learn`, between an update and the next rollout, and the policy's normaliser
    follows them; all of it in place. All ranks hold the same.
    """

    def __init__(self, policy: Policy, normaliser: Normaliser, ranks: Ranks) -> None:
        """Of a policy that has this normaliser, which follows something."""
        self._descriptor, self._normaliser, self._ranks = policy.descriptor, normaliser, ranks
        self._follow(lambda field: field.is_open)

    def _follow(self, wanted: Callable[[Field], bool]) -> None:
        """Begins anew, with the numbers of these fields."""
        self._fields = [field for field in self._descriptor.fields if wanted(field)]
        self._normaliser.follow(places_of(self._descriptor, wanted))
        places = self._normaliser.places
        self.count = torch.zeros(1, dtype=torch.float64, device=places.device)
        self.means = torch.zeros(len(places), dtype=torch.float64, device=places.device)
        self.squares = torch.zeros_like(self.means)

    def state(self) -> dict[str, Tensor]:
        """All of it, by name."""
        return {"count": self.count, "means": self.means, "squares": self.squares}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Puts back what `state` returned; the normaliser is part of the policy.

        They begin anew if that was of other elements: the environment declares other bounds now. Policies that were
        trained when bytes were taken as they are go on so.
        """
        known = len(state.get("means", ()))
        if known != len(self.means) and known == len(places_of(self._descriptor, _is_wide)):
            self._follow(_is_wide)
        if known != len(self.means) or not known:
            return
        for name, value in self.state().items():
            value.copy_(state[name])

    def prime(self, observations: Tensor, alive: Tensor | None = None) -> None:
        """Begins anew from the observations of some play, as for `learn`."""
        for value in self.state().values():
            value.zero_()
        self.learn(observations, alive)

    @torch.no_grad()
    def learn(self, observations: Tensor, alive: Tensor | None = None) -> None:
        """Takes in a sample of observations (steps, agents, bytes) uint8, and has the normaliser follow.

        Those that hold a number that is not finite are left out, and those of agents that are not
        `alive` (steps, agents) uint8. Chan, Golub and LeVeque's formula (1979) puts the moments together.
        """
        if not self._fields:
            return
        seen, weights = self._sample(observations, alive)
        sums = torch.cat((weights.sum().view(1), weights @ seen))
        count, sums = self._ranks.add_up(sums.to(self.count.device)).split((1, len(self.means)))
        means = sums / count.clamp(min=1)
        squares = weights @ (seen - means.to(seen.device)).square()
        squares = self._ranks.add_up(squares.to(self.count.device))
        old = self.count.clamp(max=(EPOCHS - 1) * len(seen) * self._ranks.size)
        total = old + count
        share, apart = count / total.clamp(min=1), means - self.means
        self.squares.mul_(old / self.count.clamp(min=1))
        self.squares.add_(squares + old * share * apart.square())
        self.means.add_(share * apart)
        self.count.copy_(total)
        deviations = (self.squares / total.clamp(min=1)).sqrt()
        self._normaliser.set(self.means, torch.where(total > 0, deviations, 1.0))

    def _sample(self, observations: Tensor, alive: Tensor | None) -> tuple[Tensor, Tensor]:
        """Elements (rows, numbers) and weights (rows,), both float64, where the observations are."""
        steps, agents, _ = observations.shape
        rows = sample_rows(steps, agents, len(self.means), observations.device)
        picked = observations.flatten(0, 1).index_select(0, rows)
        parts = [numbers(field, picked).double() * field.dtype.unit for field in self._fields]
        seen = torch.cat(parts, dim=1)
        good = torch.isfinite(seen).all(dim=1)
        if alive is not None:
            good &= alive.flatten().to(rows.device).index_select(0, rows).bool()
        return torch.where(good.unsqueeze(1), seen, 0.0), good.double()


def _is_wide(field: Field) -> bool:
    return field.is_unbounded


def sample_rows(steps: int, agents: int, width: int, device: torch.device) -> Tensor:
    """Which of steps * agents observations, each of `width` numbers, are looked at, (rows,) int64, always the same ones.

    They are evenly spread over steps, and over agents, too: their distance has no divisor in common
    with the number of agents.
    """
    most = max(1, min(ROWS, MOST_NUMBERS // width))
    distance = -(-steps * agents // most)
    while math.gcd(distance, agents) > 1:
        distance += 1
    return torch.arange(0, steps * agents, distance, device=device)
