"""How many bytes a second of each game takes: counted, so the same on every machine."""

from __future__ import annotations

import numpy as np
import pytest

from pufftui.envs.catalogue import load_env
from pufftui.terminal.encoder import changes
from pufftui.terminal.pictures import Pixels
from pufftui.trainer.arena.game import Game

FRAMES_PER_SECOND = 30
SECONDS = 3


def played(name: str, width: int, height: int, action: int | None) -> list[Pixels]:
    """A few seconds of a game, with always the same action or random ones."""
    library = load_env(name)
    game = Game(library, library.descriptor.parameter_values({}), seed=3)
    per_frame = library.descriptor.steps_per_second / FRAMES_PER_SECOND
    frames = []
    for frame in range(1, SECONDS * FRAMES_PER_SECOND + 1):
        while game.steps < frame * per_frame:
            actions = game.decide()
            game.step(actions if action is None else np.full_like(actions, action))
        phase = frame * per_frame - (game.steps - 1)
        frames.append(game.draw(0, phase, width, height))
    game.close()
    return frames


@pytest.mark.parametrize(
    ("name", "size", "action", "most"),
    [
        # As they lie in the dashboard at 200 x 60, and half of what it takes to write every cell from the
        # first to the last one that differs in each row, each in its own colours.
        ("snake", (139, 78), None, 480_000),
        ("enduro", (136, 86), 1, 570_000),
        ("school", (139, 78), None, 1_900_000),
    ],
)
def test_a_game_takes_few_bytes(
    name: str, size: tuple[int, int], action: int | None, most: int
) -> None:
    frames = played(name, *size, action)
    shown, count = None, 0
    for turn, frame in enumerate(frames):
        text, shown = changes(shown, frame, 30, 3, turn)
        count += len(text.encode())
    assert count / SECONDS <= most
