"""Policies: one step in the rollout and the sequence in training, and the torch-free twin."""

import numpy as np
import pytest
import torch

from pufftui.envs.catalogue import load_env
from pufftui.envs.descriptor import Action, ActionKind, Choice, Descriptor, DType, Field
from pufftui.envs.errors import PuffError
from pufftui.envs.grids import around_grids, encoder_width, grids_of
from pufftui.trainer.arena import forward
from pufftui.trainer.messages.weights import PolicyWeights
from pufftui.trainer.network.actions import ActionDistribution
from pufftui.trainer.network.features import Features
from pufftui.trainer.network.policy import Policy
from pufftui.trainer.settings.fields import PolicyConfig

MEMORIES = ["none", "mingru", "lstm"]


def descriptor(kind=ActionKind.DISCRETE):
    """Mixed observations, several components of action."""
    choices = tuple(Choice(label, ()) for label in "abc")
    actions = (Action("first", 0, choices), Action("second", 0, choices[:2]))
    return Descriptor(
        name="mixed",
        summary="",
        observation_bytes=52,
        fields=(
            Field("position", 0, 4, DType.FLOAT32, 0),
            Field("cells", 16, 9, DType.UINT8, 4),
            Field("ground", 25, 12, DType.UINT8, 3, columns=4),
            Field("level", 37, 3, DType.UINT8, 0),
            Field("things", 40, 12, DType.UINT8, 5, columns=4),
        ),
        action_kind=kind,
        actions=actions[:1] if kind is ActionKind.DISCRETE else actions,
        agents=1,
        frames_per_second=60,
        frames_per_step=1,
        turn_based=False,
        score_low=0,
        score_high=1,
        picture_aspect=1,
        parameters=(),
        statistics=(),
    )


def observations(seed, *shape):
    random = np.random.default_rng(seed)
    position = random.normal(size=(*shape, 4)).astype(np.float32).view(np.uint8)
    cells = random.integers(0, 4, (*shape, 9), dtype=np.uint8)
    ground = random.integers(0, 3, (*shape, 12), dtype=np.uint8)
    level = random.integers(0, 256, (*shape, 3), dtype=np.uint8)
    things = random.integers(0, 5, (*shape, 12), dtype=np.uint8)
    return np.concatenate((position, cells, ground, level, things), axis=-1)


def make(memory, kind=ActionKind.DISCRETE, layers=2, dtype=torch.float32, convolution=0):
    torch.manual_seed(1)
    config = PolicyConfig(memory, 32, layers, convolution)
    policy = Policy(descriptor(kind), config, dtype, torch.Generator())
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return policy


@pytest.mark.parametrize("memory", MEMORIES)
def test_steps_agree_with_the_sequence_across_resets(memory):
    policy = make(memory)
    steps, rows = 30, 6
    data = torch.from_numpy(observations(2, steps, rows))
    resets = (torch.rand(steps, rows) < 0.15).to(torch.uint8)
    state = initial = torch.randn_like(policy.initial_state(rows))
    outputs, values = [], []
    with torch.no_grad():
        for step in range(steps):
            state = state * (1 - resets[step].float()).unsqueeze(-1)
            output, value, state = policy.step(data[step], state)
            outputs.append(output)
            values.append(value)
        heads, last = policy.sequence(data, initial, resets)
    torch.testing.assert_close(torch.stack(outputs), heads[..., :-1], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(torch.stack(values), heads[..., -1], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(state, last, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("memory", MEMORIES)
@pytest.mark.parametrize("kind", list(ActionKind))
@pytest.mark.parametrize("convolution", [0, 5])
def test_the_numpy_forward_pass_is_the_same_policy(memory, kind, convolution):
    policy = make(memory, kind, convolution=convolution)
    about = policy.descriptor
    arrays = {name: p.detach().numpy() for name, p in policy.state_dict().items()}
    weights = PolicyWeights(0, memory, 32, 2, arrays, convolution)
    state, own_state = policy.initial_state(5), forward.initial_state(weights, 5)
    for step in range(8):
        data = observations(step, 5)
        with torch.no_grad():
            outputs, values, state = policy.step(torch.from_numpy(data), state)
        own_outputs, own_values, own_state = forward.forward(weights, about, data, own_state)
        np.testing.assert_allclose(own_outputs, outputs.numpy(), rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(own_values, values.numpy(), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(own_state, state.numpy(), rtol=1e-4, atol=1e-4)
    parts = forward.distribution(weights, about, own_outputs)
    assert len(parts) == len(about.actions)
    if kind is not ActionKind.CONTINUOUS:
        for part in parts:
            np.testing.assert_allclose(part.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("memory", MEMORIES)
def test_in_bfloat16_rollout_and_training_agree_before_the_first_update(memory):
    torch.manual_seed(0)
    about = load_env("breakout").descriptor
    policy = Policy(about, PolicyConfig(memory, 64, 1), torch.bfloat16, torch.Generator())
    with torch.no_grad():
        policy.heads.weight[:-1] *= 100  # decided enough for differences to show
    steps, rows = 32, 64
    data = torch.randn(steps, rows, about.observation_bytes // 4).view(torch.uint8)
    distribution = ActionDistribution(about)
    noise = distribution.noise(steps, rows, torch.Generator().manual_seed(0))
    state = initial = policy.initial_state(rows)
    taken, old = [], []
    with torch.no_grad():
        for step in range(steps):
            outputs, _, state = policy.step(data[step], state)
            actions, log_probabilities = distribution.sample(outputs, None, noise[step])
            taken.append(actions)
            old.append(log_probabilities)
        heads, _ = policy.sequence(data, initial, None)
        new, _ = distribution.evaluate(heads[..., :-1], None, torch.stack(taken))
    assert (new - torch.stack(old)).abs().mean() < 0.01


@pytest.mark.parametrize("memory", MEMORIES)
@pytest.mark.parametrize("convolution", [0, 5])
def test_the_copy_for_deciding_decides_the_same(memory, convolution):
    policy = make(memory, ActionKind.CONTINUOUS, 2, torch.bfloat16, convolution)
    copied = policy.for_deciding()
    assert copied is not policy
    assert copied.heads is policy.heads
    data = torch.from_numpy(observations(1, 9))
    for _ in range(2):
        with torch.no_grad():
            for parameter in policy.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
        with torch.inference_mode():
            copied.follow(policy)
            state = torch.randn(policy.initial_state(9).shape)
            for one, two in zip(copied.step(data, state), policy.step(data, state), strict=True):
                assert torch.equal(one, two)
    assert torch.equal(copied.log_std, policy.log_std)
    in_float32 = make(memory)
    assert in_float32.for_deciding() is in_float32


def test_features_are_the_declared_fields():
    data = observations(0, 3)
    result = Features(descriptor(), torch.float32)(torch.from_numpy(data)[None], None)[0].numpy()
    assert result.shape == (3, 4 + 9 * 4 + 12 * 3 + 3 + 12 * 5)
    np.testing.assert_array_equal(result[:, :4], data[:, :16].copy().view(np.float32))
    for row in range(3):
        for cell in range(9):
            one_hot = result[row, 4 + 4 * cell : 8 + 4 * cell]
            assert one_hot.tolist() == [float(data[row, 16 + cell] == k) for k in range(4)]
    np.testing.assert_allclose(result[:, 76:79], data[:, 37:40] / 255, rtol=1e-6)
    np.testing.assert_array_equal(forward.features(data, descriptor()), result)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_fused_features_are_the_plain_ones(dtype):
    data = torch.from_numpy(observations(5, 6, 7))
    make = Features(descriptor(), dtype)
    assert torch.equal(make(data, None), make.plain(data))
    rows = torch.tensor([6, 0, 0, 3])
    assert torch.equal(make(data, rows), make.plain(data[:, rows]))


@pytest.mark.parametrize("memory", MEMORIES)
@pytest.mark.parametrize("convolution", [0, 5])
def test_every_weight_gets_a_gradient(memory, convolution):
    policy = make(memory, convolution=convolution)
    heads, _ = policy.sequence(
        torch.from_numpy(observations(0, 4, 3)), policy.initial_state(3), None
    )
    heads.square().sum().backward()
    for name, parameter in policy.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_a_convolution_needs_a_grid():
    about = load_env("breakout").descriptor
    with pytest.raises(PuffError, match="breakout shows no map of cells"):
        Policy(about, PolicyConfig(convolution=4), torch.float32, torch.Generator())
    cells = load_env("snake").descriptor
    (grid,) = grids_of(cells, 4)
    assert (grid.rows, grid.columns, grid.facts) == (11, 11, ((0, 6),))
    assert encoder_width(cells, 4) == 11 * 11 * 4
    assert encoder_width(cells, 0) == 11 * 11 * 6


def test_fields_of_a_map_are_facts_about_the_same_cells():
    square, map_ = grids_of(descriptor(), 6)
    assert (square.rows, square.columns, square.facts) == (3, 3, ((4, 4),))
    assert (map_.rows, map_.columns, map_.facts) == (3, 4, ((40, 3), (79, 5)))
    width = 4 + 9 * 4 + 12 * 3 + 3 + 12 * 5
    parts = list(around_grids([square, map_], width))
    assert parts == [slice(0, 4), 0, 1, slice(76, 79)]
    assert encoder_width(descriptor(), 6) == 4 + 9 * 6 + 12 * 6 + 3
    seen = grids_of(load_env("nmmo").descriptor, 1)
    assert [(grid.rows, grid.columns, grid.classes, len(grid.facts)) for grid in seen] == [
        (11, 15, 77, 8)
    ]


def test_a_convolution_sees_only_what_is_around_a_cell():
    policy = make("none", convolution=2)
    data = np.zeros((1, 52), np.uint8)
    with torch.no_grad():
        before = policy._look_around(policy.features(torch.from_numpy(data)[None], None))
        data[0, 40] = 1  # The first cell of the map, the second fact.
        after = policy._look_around(policy.features(torch.from_numpy(data)[None], None))
    changed = (before != after)[0, 0].nonzero().flatten() - (4 + 9 * 2)
    channel, row, column = changed // 12, changed % 12 // 4, changed % 4
    assert set(channel.tolist()) == {0, 1}
    assert set(zip(row.tolist(), column.tolist(), strict=True)) == {(0, 0), (0, 1), (1, 0), (1, 1)}
