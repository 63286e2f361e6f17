"""A first layer whose weights are the same in each cell of a map: a cell becomes a few numbers, and these are multiplied."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from pufftui.envs.cells import cells_of, other_places
from pufftui.envs.descriptor import Descriptor
from pufftui.envs.grids import encoder_width


class CellEncoder(nn.Module):
    """A linear layer over one-hot features, (hidden, features), whose part for cells is a product of two matrices.

    For each kind of cells `kinds` (classes, embedding) say which numbers a cell becomes, wherever it is, and `places`
    (hidden, cells * embedding) what these mean where it is: the weights of class c in cell t are
    kinds[c] . places[:, t]. `weight` (hidden, others) are those of all other features, None if there are none, `bias` (hidden,).
    What is learned of one cell holds for all, so that a few steps show what would take many.
    """

    others: Tensor
    at: Tensor
    bias: nn.Parameter

    def __init__(
        self, descriptor: Descriptor, hidden: int, embedding: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.cells = cells_of(descriptor, embedding)
        self.embedding = embedding
        self.in_features = encoder_width(descriptor, 0)
        self.out_features = hidden
        others = torch.tensor(other_places(descriptor, self.cells), dtype=torch.int64)
        order = [*others.tolist(), *(i for each in self.cells for i in each.features)]
        self.register_buffer("others", others, persistent=False)
        self.register_buffer("at", torch.tensor(order).argsort(), persistent=False)
        size = math.sqrt(2 / self.in_features)  # That of weights which are not shared.

        def drawn(*shape: int, deviation: float) -> nn.Parameter:
            return nn.Parameter(torch.randn(shape, generator=generator) * deviation)

        self.weight = drawn(hidden, len(others), deviation=size) if len(others) else None
        self.bias = nn.Parameter(torch.zeros(hidden))
        self.kinds = nn.ParameterList(
            drawn(each.classes, embedding, deviation=1 / math.sqrt(embedding))
            for each in self.cells
        )
        self.places = nn.ParameterList(
            drawn(hidden, each.count * embedding, deviation=size) for each in self.cells
        )

    def whole(self) -> Tensor:
        """The weights (hidden, features); differentiable."""
        parts: list[Tensor] = [] if self.weight is None else [self.weight]
        for number, each in enumerate(self.cells):
            places = self.places[number].view(self.out_features, each.count, self.embedding)
            for _, kind in self._facts(number):
                parts.append(torch.matmul(places, kind.t()).flatten(1))
        return torch.cat(parts, dim=1).index_select(1, self.at)

    @torch.no_grad()
    def fill(self, rows: Tensor) -> None:
        """Writes the weights into the first columns of `rows` (features, at least hidden), the others become 0."""
        hidden = self.out_features
        rows[:, hidden:] = 0
        if self.weight is not None:
            rows[self.others, :hidden] = self.weight.t()
        for number, each in enumerate(self.cells):
            places = self._places(number)
            for (first, classes), kind in self._facts(number):
                own = rows[first : first + each.count * classes, :hidden]
                own.copy_(torch.matmul(kind, places).flatten(0, 1))

    @torch.no_grad()
    def gradients(self, rows: Tensor, bias: Tensor) -> tuple[Tensor, ...]:
        """Those of all parameters, in their order, from those of weights as `fill` writes them and of biases."""
        hidden = self.out_features
        found = {"weight": rows[self.others, :hidden].t().contiguous(), "bias": bias}
        for number, each in enumerate(self.cells):
            places, sums, kinds = self._places(number), None, []
            for (first, classes), kind in self._facts(number):
                own = rows[first : first + each.count * classes, :hidden]
                own = own.reshape(each.count, classes, hidden)
                kinds.append(torch.bmm(own, places.transpose(1, 2)).sum(0))
                part = torch.matmul(kind.t(), own)
                sums = part if sums is None else sums.add_(part)
            assert sums is not None
            found[f"kinds.{number}"] = torch.cat(kinds)
            found[f"places.{number}"] = sums.flatten(0, 1).t().contiguous()
        return tuple(found[name] for name, _ in self.named_parameters())

    def _places(self, number: int) -> Tensor:
        """Of some cells, (cells, embedding, hidden), copied."""
        count = self.cells[number].count
        turned: Tensor = self.places[number].t()
        return turned.reshape(count, self.embedding, self.out_features)

    def _facts(self, number: int) -> Iterator[tuple[tuple[int, int], Tensor]]:
        """Each fact about some cells, with what its classes become (classes, embedding)."""
        facts = self.cells[number].facts
        return zip(facts, self.kinds[number].split([classes for _, classes in facts]), strict=True)
