"""The neural network: encoder, memory, and heads for the policy and the value.

Names of parameters are shared with the torch-free forward pass in forward.py.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from pufftui.envs.descriptor import ActionKind, Descriptor
from pufftui.envs.errors import PuffError
from pufftui.envs.grids import LEAST_SIDE, Grid, around_grids, encoder_width, grids_of
from pufftui.envs.lookups import is_looked_up
from pufftui.trainer.kernels.threads import one_thread
from pufftui.trainer.network.cells import CellEncoder
from pufftui.trainer.network.dense import dense, product
from pufftui.trainer.network.features import Features
from pufftui.trainer.network.gelu import gelu
from pufftui.trainer.network.heads import last_layer
from pufftui.trainer.network.lookup import Lookup
from pufftui.trainer.network.mingru import scan
from pufftui.trainer.network.normaliser import Normaliser
from pufftui.trainer.settings.fields import PolicyConfig

NORMALISER = frozenset({"normaliser.shifts", "normaliser.scales"})
"""What a policy that normalises has beside its weights."""

LONGEST_MEMORY = 64
"""Steps that the slowest channels of a memory remember at first; learning can go further."""


class Policy(nn.Module):
    """An actor-critic over an environment's observations.

    `dtype` is the number format of the matrix products; weights stay float32. Recurrent state is
    (layers, parts, rows, hidden) float32: one part for MinGRU, two for LSTM, no layers without
    memory. The first weights are drawn from `generator`, on the CPU.
    """

    def __init__(
        self,
        descriptor: Descriptor,
        config: PolicyConfig,
        dtype: torch.dtype,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.descriptor = descriptor
        self.dtype = dtype
        self.hidden = config.hidden
        self.normaliser = Normaliser.wanted(descriptor, config.normalise)
        self.features = Features(descriptor, dtype, self.normaliser)
        self.grids = grids_of(descriptor, config.convolution)
        self.read = list(around_grids(self.grids, encoder_width(descriptor, 0)))
        """What the encoder reads where there are grids: runs of features, and numbers of grids."""
        self.convolutions = nn.ModuleList(
            nn.Conv2d(grid.classes, config.convolution, LEAST_SIDE) for grid in self.grids
        )
        looks_up = is_looked_up(descriptor, config.convolution)
        self.lookup = Lookup(self.features) if looks_up else None
        self.encoder = _make_encoder(descriptor, config, generator)
        self.memory = _make_memory(config, generator)
        outputs = output_count(descriptor)
        # One matrix for the policy and, in its last row, the value: one pass over what is hidden.
        self.heads = nn.Linear(config.hidden, outputs + 1)
        continuous = descriptor.action_kind is ActionKind.CONTINUOUS
        self.log_std = nn.Parameter(torch.zeros(outputs)) if continuous else None
        for convolution in _convolutions(self.convolutions):
            _initialise(convolution, math.sqrt(2), generator)
        if isinstance(self.encoder, nn.Linear):
            _initialise(self.encoder, math.sqrt(2), generator)
        _initialise(self.heads, 1.0, generator)
        with torch.no_grad():
            self.heads.weight[:-1] *= 0.01  # All actions start out about equally likely.

    @property
    def state_shape(self) -> tuple[int, int]:
        """(layers, parts) of the recurrent state."""
        return (self.memory.layers, self.memory.parts) if self.memory else (0, 1)

    def initial_state(self, rows: int) -> Tensor:
        """The state at the start of an episode, for `rows` agents."""
        layers, parts = self.state_shape
        return torch.zeros(layers, parts, rows, self.hidden, device=self.encoder.bias.device)

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Takes over a `state_dict`, and with it what observations became for the policy that it is of.

        Raises `PuffError` if fields declared bounds then and none does now.
        """
        known = dict(tensors)
        if self.normaliser is None and known.keys() >= NORMALISER:
            raise PuffError(
                f"{self.descriptor.name} declares no low and high of what is observed any more.",
                "Declare them as they were, or start a new run.",
            )
        if self.normaliser is not None and not known.keys() >= NORMALISER:
            self.normaliser.leave_as_they_are()
            known |= {name: self.state_dict()[name] for name in NORMALISER}
        self.load_state_dict(known)

    def for_deciding(self, *, apart: bool = False) -> Policy:
        """Itself, or a copy whose weights have the format of the products, so that no step casts them.

        The copy shares the heads, whose sums are float32, what is looked up, and what observations become; the rest
        it learns from `follow`. `apart` it is always a copy, with heads of its own: it decides while this one learns.
        """
        if self.dtype == torch.float32 and not apart:
            return self
        shared: list[object] = [self.descriptor, self.features, self.normaliser, self.lookup]
        if not apart:
            shared += [self.heads, self.log_std]
        if self.lookup is not None and self.encoder.bias.is_cpu:
            shared.append(self.encoder)
        twin = copy.deepcopy(self, {id(part): part for part in shared})
        for part in (twin.convolutions, twin.encoder, twin.memory):
            if part is not None and part is not self.encoder:
                part.to(self.dtype)
        learned = {id(parameter) for parameter in self.parameters()}
        for parameter in twin.parameters():
            if id(parameter) not in learned:
                parameter.requires_grad_(False)
        return twin

    @torch.no_grad()
    def follow(self, other: Policy) -> None:
        """Takes over the weights of the policy that this is a copy of."""
        for own, its in zip(self.parameters(), other.parameters(), strict=True):
            if own is not its:
                own.copy_(its)

    def step(self, observations: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """One decision: observations (rows, bytes) uint8 -> (action parameters, values, state)."""
        heads, state = self.sequence(observations.unsqueeze(0), state, None)
        return heads[0, :, :-1], heads[0, :, -1], state

    def sequence(
        self,
        observations: Tensor,
        state: Tensor,
        resets: Tensor | None,
        rows: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Observations (steps, agents, bytes) -> heads (steps, rows, n + 1) float32, state.

        Heads are the action parameters and, last, the value. `resets` (steps, rows) uint8 marks steps before which the state goes back to zero.
        `rows` (rows,) int64 picks agents of the observations; None takes all.
        """
        hidden = self._encode(observations, rows)
        if self.memory:
            hidden, state = self.memory(hidden, state, resets)
        return last_layer(hidden, self.heads.weight, self.heads.bias), state

    def activations(
        self, observations: Tensor, state: Tensor, resets: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """What the encoder makes of observations, and what the last layer reads; as `sequence`.

        Both are (steps, rows, hidden); without a memory they are the same.
        """
        encoded = self._encode(observations, None)
        if not self.memory:
            return encoded, encoded
        return encoded, self.memory(encoded, state, resets)[0]

    def _encode(self, observations: Tensor, rows: Tensor | None) -> Tensor:
        if self.lookup is not None and observations.is_cpu:
            return gelu(self.lookup(observations, rows, self.encoder))
        features = self.features(observations, rows)
        if self.grids:
            features = self._look_around(features)
        if isinstance(self.encoder, CellEncoder):
            return gelu(product(self.encoder.whole(), self.encoder.bias, features))
        return gelu(dense(self.encoder, features))

    def _look_around(self, features: Tensor) -> Tensor:
        """Each grid's one-hot features become those of its convolution: (steps, rows, width) of both."""
        seen = [
            self._convolved(features, grid, convolution)
            for grid, convolution in zip(self.grids, _convolutions(self.convolutions), strict=True)
        ]
        return torch.cat(
            [seen[part] if isinstance(part, int) else features[..., part] for part in self.read],
            dim=-1,
        )

    def _convolved(self, features: Tensor, grid: Grid, convolution: nn.Conv2d) -> Tensor:
        """What a convolution makes of a grid, (steps, rows, channels * cells)."""
        shape = (features[..., 0].numel(), grid.rows, grid.columns)
        facts = [features[..., place].reshape(*shape, -1) for place in grid.places]
        image = torch.cat(facts, dim=-1).permute(0, 3, 1, 2)
        weight, bias = convolution.weight.to(features.dtype), convolution.bias
        assert bias is not None
        seen = F.conv2d(image, weight, bias.to(features.dtype), padding=LEAST_SIDE // 2)
        return gelu(seen).reshape(*features.shape[:2], -1)


def output_count(descriptor: Descriptor) -> int:
    """Numbers that describe the action distribution: logits, or means if continuous."""
    if descriptor.action_kind is ActionKind.CONTINUOUS:
        return len(descriptor.actions)
    return sum(len(action.choices) for action in descriptor.actions)


class MinGRU(nn.Module):
    """Layers of MinGRU with highway; see mingru.py."""

    parts = 1

    def __init__(self, hidden: int, layers: int, generator: torch.Generator) -> None:
        super().__init__()
        self.layers = layers
        self.gates = nn.ModuleList(nn.Linear(hidden, 3 * hidden) for _ in range(layers))
        for gate in _linears(self.gates):
            _initialise(gate, math.sqrt(2), generator)
            with torch.no_grad():
                gate.bias[hidden : 2 * hidden] = -_time_scales(hidden, generator)

    def forward(
        self, inputs: Tensor, state: Tensor, resets: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Inputs (steps, rows, hidden), state (layers, 1, rows, hidden) -> the same shapes."""
        after = []
        for layer, gate in enumerate(_linears(self.gates)):
            inputs, last = scan(dense(gate, inputs), inputs, resets, state[layer, 0])
            after.append(last)
        return inputs, torch.stack(after).unsqueeze(1)


class LSTM(nn.Module):
    """Layers of LSTM (Hochreiter and Schmidhuber, 1997), written out so that resets fit in."""

    parts = 2

    def __init__(self, hidden: int, layers: int, generator: torch.Generator) -> None:
        super().__init__()
        self.layers = layers
        self.inputs = nn.ModuleList(nn.Linear(hidden, 4 * hidden) for _ in range(layers))
        self.recurrent = nn.ModuleList(
            nn.Linear(hidden, 4 * hidden, bias=False) for _ in range(layers)
        )
        for layer in [*_linears(self.inputs), *_linears(self.recurrent)]:
            _initialise(layer, 1.0, generator)
        for layer in _linears(self.inputs):
            scales = _time_scales(hidden, generator)
            with torch.no_grad():
                layer.bias[:hidden] = -scales
                layer.bias[hidden : 2 * hidden] = scales

    def forward(
        self, inputs: Tensor, state: Tensor, resets: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Inputs (steps, rows, hidden), state (layers, 2, rows, hidden) -> the same shapes."""
        # Unbound once: indexing step by step would make autograd fill a whole array per step.
        begins = None if resets is None else resets.bool().unsqueeze(-1).unbind()
        after = []
        layers = zip(_linears(self.inputs), _linears(self.recurrent), strict=True)
        for layer, (from_input, from_hidden) in enumerate(layers):
            hidden, cell = state[layer, 0], state[layer, 1]
            weight = from_hidden.weight.to(inputs.dtype)
            outputs = []
            for step, projected in enumerate(dense(from_input, inputs).unbind()):
                if begins is not None:
                    hidden = hidden.masked_fill(begins[step], 0)
                    cell = cell.masked_fill(begins[step], 0)
                gates = (projected + F.linear(hidden.to(inputs.dtype), weight)).float()
                into, forget, new, out = gates.chunk(4, dim=-1)
                cell = torch.sigmoid(forget) * cell + torch.sigmoid(into) * torch.tanh(new)
                hidden = torch.sigmoid(out) * torch.tanh(cell)
                outputs.append(hidden)
            inputs = torch.stack(outputs).to(inputs.dtype)
            after.append(torch.stack((hidden, cell)))
        return inputs, torch.stack(after)


def _make_encoder(
    descriptor: Descriptor, config: PolicyConfig, generator: torch.Generator
) -> nn.Linear | CellEncoder:
    if config.embedding:
        return CellEncoder(descriptor, config.hidden, config.embedding, generator)
    return nn.Linear(encoder_width(descriptor, config.convolution), config.hidden)


def _make_memory(config: PolicyConfig, generator: torch.Generator) -> MinGRU | LSTM | None:
    if config.memory == "none":
        return None
    if config.memory == "mingru":
        return MinGRU(config.hidden, config.layers, generator)
    return LSTM(config.hidden, config.layers, generator)


def _time_scales(count: int, generator: torch.Generator) -> Tensor:
    """Gate biases with which channels remember for 1 to `LONGEST_MEMORY` steps.

    Chrono initialisation (Tallec and Ollivier, arXiv 1804.11188): without it every channel begins
    by forgetting half of what it holds in each step, and no gradient reaches far back.
    """
    scales = 1 + (LONGEST_MEMORY - 2) * torch.rand(count, generator=generator)
    return scales.log()


def _linears(modules: nn.ModuleList) -> list[nn.Linear]:
    return [module for module in modules if isinstance(module, nn.Linear)]


def _convolutions(modules: nn.ModuleList) -> list[nn.Conv2d]:
    return [module for module in modules if isinstance(module, nn.Conv2d)]


def _initialise(layer: nn.Linear | nn.Conv2d, gain: float, generator: torch.Generator) -> None:
    with one_thread():
        nn.init.orthogonal_(layer.weight, gain, generator)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
