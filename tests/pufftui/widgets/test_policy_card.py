"""What the policy thinks: names of actions that can be read."""

from __future__ import annotations

import pytest

from pufftui.appearance.theme import DEFAULT_THEME, load_themes
from pufftui.envs.catalogue import load_env
from pufftui.layout.cockpit import arrange, arrange_play
from pufftui.state.tally import Tally
from pufftui.trainer.arena.arena import Arena
from pufftui.widgets.policy import PolicyCard


@pytest.mark.parametrize(
    ("plan", "size"), [(arrange, (200, 60)), (arrange_play, (200, 60)), (arrange_play, (80, 24))]
)
def test_names_of_actions_are_whole(plan, size: tuple[int, int]) -> None:
    library = load_env("enduro")
    descriptor = library.descriptor
    card = PolicyCard(load_themes()[DEFAULT_THEME], descriptor, Tally())
    arena = Arena(library, descriptor.parameter_values({}), lambda: None)
    arena._publish()
    card.frame = arena.latest
    width = plan(*size, descriptor.picture_aspect).regions["policy"].width - 2
    lines = ["".join(text for text, _ in line) for line in card.content(width, 30)]
    arena.stop()
    for choice in descriptor.actions[0].choices:
        named = [line for line in lines if line[2:].startswith(f"{choice.label} ")]
        assert any("0.00" in line for line in named), choice.label
    assert max(map(len, lines)) <= width
