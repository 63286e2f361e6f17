"""A step of the optimizer in three kernels, in Triton; formulas in optimizer.py and muon.py, Adam's as torch has them.

Programs of one launch run side by side and in any order, so what needs all of the one before is a launch of
its own: the gradient's norm; what is done to each number by itself; and Muon's matrices, one program each.
Sums are added up in a fixed order, so a step can be repeated bit by bit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import torch
import triton
import triton.language as tl
from torch import Tensor

LANES = 1024
"""Numbers of a block, which is a program's share of one parameter."""

MOST_PARTS = 256
"""Programs that add up squares."""

MOST_SIDE = 128
"""The smaller side of a matrix: a program holds its square in registers."""

MOST_LENGTH = 4096
"""The larger side: beyond it one program takes longer than all of the GPU with some more launches."""

OLDEST = (8, 0)
"""Compute capability: without products in bf16 one program takes longer, too."""

BLOCK, MATRIX = tl.constexpr(6), tl.constexpr(6)
"""Columns of the tables that say where things are; see `_block_table` and `_matrix_table`."""

PIECE = tl.constexpr(16)
"""Columns and rows at a time where whole products do not fit: those of float32."""


def fits(parameters: Sequence[Tensor], matrices: Iterable[Tensor]) -> bool:
    """Whether these, of which Muon moves the matrices, can be stepped here, and faster than by torch."""
    device = parameters[0].device
    return (
        all(p.dtype == torch.float32 and p.is_contiguous() for p in parameters)
        and all(min(m.shape) <= MOST_SIDE and max(m.shape) <= MOST_LENGTH for m in matrices)
        and (device.type != "cuda" or torch.cuda.get_device_capability(device) >= OLDEST)
    )


class GpuStep:
    """Steps parameters where they are, and with them Muon's and Adam's state, which others may read and set.

    None of the tensors may move to another place in memory. A step neither asks the device nor copies to it,
    so that it can be part of a CUDA graph.
    """

    def __init__(
        self,
        parameters: Mapping[str, Tensor],
        momenta: Mapping[str, Tensor],
        moments: Mapping[str, Mapping[str, Tensor]],
        *,
        momentum: float,
        share: float,
        betas: tuple[float, float],
        epsilon: float,
        dtype: torch.dtype,
        iterations: int,
        coefficients: tuple[float, float, float],
    ) -> None:
        """Muon moves those of which there are `momenta`, with products of `dtype`; Adam those of `moments`.

        Its `iterations` and their `coefficients` are those of muon.py. `moments` are torch's `step`, `exp_avg` and `exp_avg_sq`. `share` is Adam's of the learning rate.
        """
        self._parameters = list(parameters.values())
        self._state = momenta, moments  # The tables have addresses only.
        self._places = [p.data_ptr() for p in self._parameters]
        device = self._parameters[0].device
        self._size = sum(p.numel() for p in self._parameters)
        self._parts = min(MOST_PARTS, triton.cdiv(self._size, LANES))
        ends = torch.tensor([p.numel() for p in self._parameters]).cumsum(0).tolist()
        firsts = dict(zip(parameters, [0, *ends], strict=False))
        own, rest = _block_table(parameters, firsts, momenta, moments)
        self._muon_blocks, self._blocks = len(own), _table([*own, *rest], device)
        self._matrices = _table(_matrix_table(parameters, firsts, momenta), device)
        self._counters = _table([state["step"].data_ptr() for state in moments.values()], device)
        self._dtype = dtype
        a, b, c = coefficients
        self._muon = {"iterations": iterations, "a": a, "b": b, "c": c}
        self._adam = {
            "momentum": momentum,
            "share": share,
            "beta": betas[0],
            "square_beta": betas[1],
            "log_beta": _log2(betas[0]),
            "log_square_beta": _log2(betas[1]),
            "epsilon": epsilon,
        }
        shapes = [parameters[name].shape for name in momenta]
        self._options = product_options(max(map(min, shapes), default=1), dtype)
        length = max(map(max, shapes), default=1)
        self._stride = triton.cdiv(length, self._options["chunk"]) * self._options["chunk"]

    @torch.no_grad()
    def __call__(self, numbers: Tensor, gradients: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """One step with these (learning rate, most that the norm may be); the norm and whether it was finite."""
        assert self._places == [p.data_ptr() for p in self._parameters], "parameters were moved"
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        parts, sums = flat.new_empty(self._parts), flat.new_empty(max(1, self._muon_blocks))
        norm, finite = flat.new_empty(()), flat.new_empty((), dtype=torch.uint8)
        counters = len(self._counters)
        add_squares[(self._parts,)](
            *(flat, self._counters, parts, self._size, counters),
            padded=triton.next_power_of_2(max(1, counters)),
            lanes=LANES,
        )
        advance[(len(self._blocks),)](
            *(flat, self._blocks, parts, numbers, sums, norm, finite),
            **self._adam,
            muon_blocks=self._muon_blocks,
            parts_count=self._parts,
            padded=triton.next_power_of_2(self._parts),
            lanes=LANES,
        )
        if matrices := len(self._matrices):
            side = self._options["side"]
            x = flat.new_empty((matrices, side, self._stride), dtype=self._dtype)
            products = flat.new_empty((matrices, side, side))
            move_matrices[(matrices,)](
                *(flat, self._matrices, sums, numbers, x, products),
                **self._options,
                stride=self._stride,
                padded=MOST_SIDE * MOST_LENGTH // LANES,
                **self._muon,
            )
        return norm, finite.view(torch.bool)


def product_options(smaller: int, dtype: torch.dtype) -> dict[str, int]:
    """How `move_matrices` is compiled for matrices whose smaller sides are at most this."""
    side = max(16, triton.next_power_of_2(smaller))
    whole = dtype != torch.float32
    return {
        "side": side,
        "chunk": 64 if whole else 16,
        "whole": whole,
        "num_warps": max(4, side // (16 if whole else 8)),
        "num_stages": 2,
    }


def _log2(beta: float) -> float:
    return math.log2(beta) if beta > 0 else -math.inf


def _table(rows: Sequence[Sequence[int] | int], device: torch.device) -> Tensor:
    return torch.tensor(rows, dtype=torch.int64, device=device)


def _block_table(
    parameters: Mapping[str, Tensor],
    firsts: Mapping[str, int],
    momenta: Mapping[str, Tensor],
    moments: Mapping[str, Mapping[str, Tensor]],
) -> tuple[list[list[int]], list[list[int]]]:
    """Muon's blocks and Adam's: (place among the gradients, numbers, addresses).

    The addresses are those of the parameter, its momentum, and for Adam of its square and its counter.
    """

    def blocks(name: str, *state: Tensor, counter: int = 0) -> list[list[int]]:
        parameter, size = parameters[name], parameters[name].numel()
        places = [tensor.data_ptr() for tensor in (parameter, *state)]
        places += [0] * (3 - len(places))
        return [
            [firsts[name] + at, min(LANES, size - at), *(p + 4 * at for p in places), counter]
            for at in range(0, size, LANES)
        ]

    own = [row for name, momentum in momenta.items() for row in blocks(name, momentum)]
    rest = [
        row
        for name, state in moments.items()
        for row in blocks(
            *(name, state["exp_avg"], state["exp_avg_sq"]), counter=state["step"].data_ptr()
        )
    ]
    return own, rest


def _matrix_table(
    parameters: Mapping[str, Tensor], firsts: Mapping[str, int], momenta: Mapping[str, Tensor]
) -> list[list[int]]:
    """(Address, place among the gradients, rows, columns, first block, blocks) of each matrix."""
    rows, block = [], 0
    for name in momenta:
        matrix = parameters[name]
        blocks = triton.cdiv(matrix.numel(), LANES)
        rows.append([matrix.data_ptr(), firsts[name], *matrix.shape, block, blocks])
        block += blocks
    return rows


@triton.jit
def numbers_at(address):
    """The float32 numbers to which an entry of a table points."""
    return tl.load(address).to(tl.pointer_type(tl.float32))


@triton.jit
def add_squares(
    gradients, counters, parts, size, counters_count,
    padded: tl.constexpr, lanes: tl.constexpr,
):  # fmt: skip
    """A part of the sum of all squares; the first program also counts Adam's steps."""
    program = tl.program_id(0)
    total = tl.zeros((lanes,), tl.float32)
    for first in range(program * lanes, size, tl.num_programs(0) * lanes):
        element = first + tl.arange(0, lanes)
        gradient = tl.load(gradients + element, mask=element < size, other=0)
        total += gradient * gradient
    tl.store(parts + program, tl.sum(total, axis=0))
    if program == 0:
        counter = tl.arange(0, padded)
        there = counter < counters_count
        place = tl.load(counters + counter, mask=there, other=0).to(tl.pointer_type(tl.float32))
        tl.store(place, tl.load(place, mask=there, other=0) + 1, mask=there)


@triton.jit
def correction(log_beta: tl.constexpr, steps):
    """How far Adam's averages are from their start of zero, in float64, where little is left of 1."""
    return 1 - tl.exp2(tl.full((), log_beta, tl.float64) * steps)


@triton.jit
def advance(
    gradients, blocks, parts, numbers, sums, norm_place, finite_place,
    momentum: tl.constexpr, share: tl.constexpr, beta: tl.constexpr, square_beta: tl.constexpr,
    log_beta: tl.constexpr, log_square_beta: tl.constexpr, epsilon: tl.constexpr,
    muon_blocks: tl.constexpr, parts_count: tl.constexpr, padded: tl.constexpr, lanes: tl.constexpr,
):  # fmt: skip
    """A block of Muon's: its momentum, the gradient becomes what lies ahead; or a block of Adam's, moved."""
    part, block, lane = tl.arange(0, padded), tl.program_id(0), tl.arange(0, lanes)
    norm = tl.sqrt(tl.sum(tl.load(parts + part, mask=part < parts_count, other=0), axis=0))
    finite = norm < float("inf")
    if block == 0:
        tl.store(norm_place, norm)
        tl.store(finite_place, finite.to(tl.uint8))
    scale = tl.minimum(tl.load(numbers + 1) / (norm + 1e-6), 1.0)
    entry = blocks + block * BLOCK
    inside = lane < tl.load(entry + 1)
    place = gradients + tl.load(entry) + lane
    gradient = tl.where(finite, tl.load(place, mask=inside, other=0) * scale, 0.0)
    average_place = numbers_at(entry + 3) + lane
    average = tl.load(average_place, mask=inside, other=0)
    if block < muon_blocks:
        average += (1 - momentum) * (gradient - average)
        ahead = average - (1 - momentum) * (average - gradient)
        tl.store(place, ahead, mask=inside)
        tl.store(sums + block, tl.sum(ahead * ahead, axis=0))
    else:
        average += (1 - beta) * (gradient - average)
        square_place = numbers_at(entry + 4) + lane
        square = tl.load(square_place, mask=inside, other=0)
        square = square_beta * square + (1 - square_beta) * gradient * gradient
        tl.store(square_place, square, mask=inside)
        steps = tl.load(numbers_at(entry + 5)).to(tl.float64)
        rate = (share / correction(log_beta, steps)).to(tl.float32) * tl.load(numbers)
        root = tl.sqrt(correction(log_square_beta, steps)).to(tl.float32)
        to_move = numbers_at(entry + 2) + lane
        move = rate * average / (tl.sqrt(square) / root + epsilon)
        tl.store(to_move, tl.load(to_move, mask=inside, other=0) - move, mask=inside)
    tl.store(average_place, average, mask=inside)


@triton.jit
def tile(matrix, top, left, rows, columns, height: tl.constexpr, width: tl.constexpr):
    """Where a part (height, width) of a matrix is, and which of it there is."""
    row, column = top + tl.arange(0, height)[:, None], left + tl.arange(0, width)[None, :]
    return matrix + row * columns + column, (row < rows) & (column < columns)


@triton.jit
def part_of(matrix, top, left, rows, columns, height: tl.constexpr, width: tl.constexpr):
    """That part, zero beyond the edges of the matrix."""
    place, there = tile(matrix, top, left, rows, columns, height, width)
    return tl.load(place, mask=there, other=0.0)


@triton.jit
def move_part(matrix, move, top, left, rows, columns, height: tl.constexpr, width: tl.constexpr):
    """Adds to that part."""
    place, there = tile(matrix, top, left, rows, columns, height, width)
    tl.store(place, tl.load(place, mask=there, other=0.0) + move, mask=there)


@triton.jit
def mixed(square, products, b, c, side: tl.constexpr, whole: tl.constexpr, dtype: tl.constexpr):
    """The matrix b A + c A A; where it is not held as a whole, `products` receive it."""
    rounded = square.to(dtype)
    if whole:
        result = (b * rounded.to(tl.float32) + c * tl.dot(rounded, rounded)).to(dtype)
    else:
        row, piece = tl.arange(0, side), tl.arange(0, PIECE)
        place = products + row[:, None] * side + row[None, :]
        tl.store(place, rounded)
        tl.debug_barrier()
        total = tl.zeros((side, side), tl.float32)
        for first in range(0, side, PIECE):
            left = tl.load(products + row[:, None] * side + (first + piece)[None, :])
            right = tl.load(products + (first + piece)[:, None] * side + row[None, :])
            total = tl.dot(left, right, total, input_precision="ieee")
        result = b * rounded + c * total
        tl.debug_barrier()
        tl.store(place, result)
    # What comes next reads what other threads have written: this, and x.
    tl.debug_barrier()
    return result


@triton.jit
def improved(
    x, mix, products, first, a, side: tl.constexpr, chunk: tl.constexpr, stride: tl.constexpr,
    whole: tl.constexpr, dtype: tl.constexpr,
):  # fmt: skip
    """Columns (side, chunk) of a x + B x."""
    row, column = tl.arange(0, side), first + tl.arange(0, chunk)
    own = tl.load(x + row[:, None] * stride + column[None, :])
    if whole:
        result = (a * own.to(tl.float32) + tl.dot(mix, own)).to(dtype)
    else:
        piece = tl.arange(0, PIECE)
        result = a * own
        for from_row in range(0, side, PIECE):
            left = tl.load(products + row[:, None] * side + (from_row + piece)[None, :])
            right = tl.load(x + (from_row + piece)[:, None] * stride + column[None, :])
            result = tl.dot(left, right, result, input_precision="ieee")
        tl.debug_barrier()
    return result


@triton.jit
def move_matrices(
    ahead, matrices, sums, numbers, x, products,
    side: tl.constexpr, chunk: tl.constexpr, stride: tl.constexpr, padded: tl.constexpr,
    whole: tl.constexpr, iterations: tl.constexpr,
    a: tl.constexpr, b: tl.constexpr, c: tl.constexpr,
):  # fmt: skip
    """One matrix, moved by its momentum made orthogonal; x stays in memory, x x^T in registers."""
    dtype: tl.constexpr = x.dtype.element_ty
    entry = matrices + tl.program_id(0) * MATRIX
    matrix, start = numbers_at(entry), ahead + tl.load(entry + 1)
    rows, columns = tl.load(entry + 2).to(tl.int32), tl.load(entry + 3).to(tl.int32)
    length = tl.maximum(rows, columns)
    block = tl.arange(0, padded)
    own = tl.load(sums + tl.load(entry + 4) + block, mask=block < tl.load(entry + 5), other=0)
    norm = tl.maximum(tl.sqrt(tl.sum(own, axis=0)), 1e-7)
    rate = -tl.load(numbers) * tl.sqrt(tl.maximum(rows / columns, 1.0))

    x += tl.program_id(0) * (side * stride)
    products += tl.program_id(0) * (side * side)
    row, column = tl.arange(0, side), tl.arange(0, chunk)
    here = x + row[:, None] * stride + column[None, :]
    square = tl.zeros((side, side), tl.float32)
    for first in range(0, length, chunk):
        if rows > columns:
            part = tl.trans(part_of(start, first, 0, rows, columns, chunk, side))
        else:
            part = part_of(start, 0, first, rows, columns, side, chunk)
        normed = (part / norm).to(dtype)
        tl.store(here + first, normed)
        square = tl.dot(normed, tl.trans(normed), square, input_precision="ieee")
    for _ in range(iterations - 1):
        mix = mixed(square, products, b, c, side, whole, dtype)
        square = tl.zeros((side, side), tl.float32)
        for first in range(0, length, chunk):
            part = improved(x, mix, products, first, a, side, chunk, stride, whole, dtype)
            tl.store(here + first, part)
            square = tl.dot(part, tl.trans(part), square, input_precision="ieee")
    mix = mixed(square, products, b, c, side, whole, dtype)
    for first in range(0, length, chunk):
        part = improved(x, mix, products, first, a, side, chunk, stride, whole, dtype)
        moves = rate * part.to(tl.float32)
        if rows > columns:
            move_part(matrix, tl.trans(moves), first, 0, rows, columns, chunk, side)
        else:
            move_part(matrix, moves, 0, first, rows, columns, side, chunk)
