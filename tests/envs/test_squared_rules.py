"""squared against its rules written plainly in Python, each step from the state that C has."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pufftui.envs.catalogue import load_env
from pufftui.envs.vector import VectorEnv

STATE = np.dtype(
    [
        ("random", np.uint64),
        *((name, np.int32) for name in ("row", "column", "last_row", "last_column")),
        *((name, np.int32) for name in ("target", "tick")),
    ],
    align=True,
)
SIDE = 11
MOVES = {0: (0, 0), 1: (1, 0), 2: (-1, 0), 3: (0, -1), 4: (0, 1)}


def picture(row: int, column: int, target: int) -> list[int]:
    cells = [0] * (SIDE * SIDE)
    cells[row * SIDE + column] = 1
    cells[target] = 2
    return cells


@settings(max_examples=300)
@given(st.data())
def test_a_step_from_any_state(data: st.DataObject):
    cell = st.integers(0, SIDE - 1)
    row, column = data.draw(cell), data.draw(cell)
    target = data.draw(st.integers(0, SIDE * SIDE - 1).filter(lambda t: t != row * SIDE + column))
    tick, action = data.draw(st.integers(0, 33)), data.draw(st.integers(0, 4))
    with VectorEnv(load_env("squared"), {}, environments=1, seed=row) as env:
        buffers = env.buffers()
        env.reset(0, buffers)
        state = env.state(0)[: STATE.itemsize].view(STATE)
        state["row"], state["column"], state["target"], state["tick"] = row, column, target, tick
        buffers.actions[:] = action
        truncated = env.step(0, buffers)
        episodes = env.drain().episodes

        new_row, new_column = row + MOVES[action][0], column + MOVES[action][1]
        outside = not (0 <= new_row < SIDE and 0 <= new_column < SIDE)
        reached = not outside and new_row * SIDE + new_column == target
        over = outside or reached or tick + 1 > 33
        assert buffers.rewards[0] == (1 if reached else -1 if over else 0)
        assert buffers.terminals[0] == over
        assert truncated == 0
        assert buffers.alive[0] == 1
        assert episodes["score"].tolist() == ([float(reached)] if over else [])
        if over:
            new_row, new_column, target = 5, 5, int(state["target"][0])
            assert target != 60
            assert state["tick"] == 0
        else:
            assert state["tick"] == tick + 1
        assert buffers.observations[0].tolist() == picture(new_row, new_column, target)
