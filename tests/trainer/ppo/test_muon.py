"""Muon's step: against the iteration written down in float64, and that it is nearly orthogonal."""

import numpy as np
import pytest
import torch

from pufftui.trainer import kernels
from pufftui.trainer.ppo.muon import COEFFICIENTS, ITERATIONS, Muon
from pufftui.trainer.ppo.muon import orthogonal as orthogonal_in_torch

SHAPES = [(1, 1), (4, 128), (128, 118), (96, 32), (3, 3)]
LONG = [(64, 1027), (2100, 32)]
"""Whose small products are found first."""


def orthogonal(matrices, dtype, threads=1):
    """By the kernel that a step on the CPU calls for each matrix; by torch where the processor is slow at products."""
    if not kernels.opened()[1].puff_products_are_fast():
        return orthogonal_in_torch(matrices, dtype)
    return torch.stack([in_a_kernel(matrix, dtype, threads) for matrix in matrices.float()])


def in_a_kernel(matrix, dtype, threads):
    """One of them, (rows, columns) float32; see kernels/c/muon.c."""
    bf16, (rows, columns) = int(dtype == torch.bfloat16), matrix.shape
    size = kernels.opened()[1].puff_orthogonal_scratch(rows, columns, bf16)
    result = torch.empty_like(matrix, memory_format=torch.contiguous_format)
    a, b, c = COEFFICIENTS
    kernels.run(
        "puff_make_orthogonal",
        "puff_orthogonal",
        threads,
        rows=rows,
        columns=columns,
        bf16=bf16,
        iterations=ITERATIONS,
        a=a,
        b=b,
        c=c,
        matrix=matrix.contiguous(),
        result=result,
        scratch=torch.empty(int(size), dtype=torch.uint8),
    )
    return result


def naive(matrix):
    """For one matrix, wide or tall."""
    a, b, c = COEFFICIENTS
    x = matrix.astype(np.float64)
    x = x / max(np.sqrt((x**2).sum()), 1e-7)
    for _ in range(ITERATIONS):
        gram = x @ x.T
        x = a * x + b * gram @ x + c * gram @ gram @ x
    return x


@pytest.mark.parametrize("shape", [*SHAPES, *LONG])
def test_the_iteration(shape):
    matrices = torch.randn(3, *shape, generator=torch.Generator().manual_seed(1))
    found = orthogonal(matrices, torch.float32)
    for one, matrix in zip(found, matrices, strict=True):
        np.testing.assert_allclose(one.numpy(), naive(matrix.numpy()), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("shape", [*SHAPES, (384, 128), (33, 70)])
def test_the_kernel_rounds_where_torch_does_and_threads_change_nothing(shape, dtype):
    matrices = torch.randn(2, *shape, generator=torch.Generator().manual_seed(3))
    plain = orthogonal_in_torch(matrices, dtype).float()
    near = 1e-5 if dtype is torch.float32 else 0.02
    alone, together = (orthogonal(matrices, dtype, threads) for threads in (1, 3))
    torch.testing.assert_close(alone, plain, rtol=near, atol=near)
    assert torch.equal(alone, together)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("shape", [(4, 128), (64, 48), (96, 32), *LONG])
def test_all_directions_count_about_alike(shape, dtype):
    matrices = torch.randn(2, *shape, generator=torch.Generator().manual_seed(2))
    sizes = torch.linalg.svdvals(orthogonal(matrices, dtype).float())
    assert sizes.min() > 0.5
    assert sizes.max() < 1.3


def test_long_matrices_of_few_directions_do_not_explode():
    """Directions in which there is next to nothing grow most, by numbers that lose most."""
    chance = torch.Generator().manual_seed(5)
    one, other = (torch.randn(size, 64, generator=chance) for size in (64, 4096))
    matrix = (one * 10.0 ** -torch.linspace(0, 9, 64)) @ other.mT
    for part in (matrix, matrix.mT):
        found = orthogonal(part[None], torch.float32)[0]
        assert torch.linalg.svdvals(found).max() < 1.3
        np.testing.assert_allclose(found.numpy(), naive(part.numpy()), atol=0.01)
    for threads in (2, 5):
        again = orthogonal(matrix.mT[None], torch.float32, threads)[0]
        assert torch.equal(found, again)


@pytest.mark.parametrize("shape", [(1, 4, 8), (1, 64, 2048)])
def test_nothing_stays_nothing(shape):
    assert not orthogonal(torch.zeros(shape), torch.float32).any()


def test_momentum_looks_ahead_and_tall_matrices_move_further():
    shapes = {"wide": (2, 5), "tall": (8, 2), "alike": (2, 5)}
    matrices = {name: torch.zeros(shape) for name, shape in shapes.items()}
    muon, buffers = Muon(matrices, 0.9, torch.float32), dict.fromkeys(shapes, 0.0)
    chance = np.random.default_rng(0)
    for _ in range(3):
        gradients = {n: chance.normal(size=s).astype(np.float32) for n, s in shapes.items()}
        moves = muon.moves({n: torch.from_numpy(g.copy()) for n, g in gradients.items()})
        for name, gradient in gradients.items():
            buffers[name] = 0.9 * buffers[name] + 0.1 * gradient
            ahead = 0.1 * gradient + 0.9 * buffers[name]
            rows, columns = shapes[name]
            expected = -np.sqrt(max(1, rows / columns)) * naive(ahead)
            np.testing.assert_allclose(moves[name].numpy(), expected, rtol=1e-3, atol=1e-4)
            buffer = muon.momentum_buffers[name].numpy()
            np.testing.assert_allclose(buffer, buffers[name], rtol=1e-5, atol=1e-6)
