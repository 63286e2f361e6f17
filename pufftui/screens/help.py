"""All keys, grouped; made from a screen's table of keys and from what the game listens to."""

from __future__ import annotations

from rich.text import Text
from textual.binding import Binding

from pufftui.envs.descriptor import Descriptor
from pufftui.key import Key
from pufftui.keys import key_name
from pufftui.screens.dialog import Dialog
from pufftui.theme import PuffTheme

MOST_KEYS = 3
"""Shown of those that choose the same."""

LATCHED = "A tapped key stays down until the next tap; a held one while it is held."


class HelpScreen(Dialog):
    """The keys of a screen and of its game."""

    BINDINGS = [Binding("question_mark,f1,q,enter", "close", "Close", show=False)]
    title_text = "Keys"

    def __init__(
        self,
        look: PuffTheme,
        descriptor: Descriptor | None,
        keys: tuple[Key, ...],
        *,
        real: bool = False,
    ) -> None:
        """Without a descriptor there is no game. `real`: the terminal tells when keys are let go."""
        super().__init__(look)
        self._real = real
        self._keys = keys
        self._descriptor = descriptor

    def body(self) -> Text:
        rows: list[tuple[str, str, bool]] = []
        groups = list(dict.fromkeys(key.group for key in self._keys))
        for group in groups:
            rows.append((f"{group}\n", "text", True))
            for key in self._keys:
                if key.group == group:
                    rows += [
                        (f"  {key.shown:<10}", "policy", True),
                        (f"{key.description}\n", "dim", False),
                    ]
            rows.append(("\n", "dim", False))
        if self._descriptor is not None:
            rows += _game_rows(self._descriptor, real=self._real)
        return self.ink(*rows)

    def hints(self) -> list[tuple[str, str]]:
        return [("esc", "close"), ("↑ ↓", "scroll")]


def _game_rows(descriptor: Descriptor, *, real: bool) -> list[tuple[str, str, bool]]:
    """The keys that the game listens to."""
    rows = [(f"While you play {descriptor.name}\n", "human", True)]
    for action in descriptor.actions:
        for choice in action.choices:
            if choice.keys:
                shown = " ".join(key_name(key) for key in choice.keys[:MOST_KEYS])
                rows += [(f"  {shown:<9} ", "human", True), (f"{choice.label}\n", "dim", False)]
    rows += [
        ("  esc       ", "human", True),
        ("hand back; all other keys go to the game\n", "dim", False),
    ]
    if real:
        rows.append(("  shift     ", "human", True))
        rows.append(("hold it alone to play, let go to hand back\n", "dim", False))
    if not descriptor.turn_based:
        words = "A key counts while you hold it, also several at once." if real else LATCHED
        rows.append((f"  {words}", "dim", False))
    return rows
