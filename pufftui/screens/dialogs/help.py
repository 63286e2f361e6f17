"""All keys, grouped; made from a screen's table of keys and from what the game listens to."""

from __future__ import annotations

from rich.text import Text
from textual.binding import Binding

from pufftui.appearance.theme import PuffTheme
from pufftui.envs.descriptor import Descriptor
from pufftui.keys.game import key_name
from pufftui.keys.key import Key
from pufftui.screens.dialogs.dialog import Dialog

KEY, WORDS, GAP = 11, 43, 2
"""Cells of a key, of what it does, and between two columns."""

COLUMN = KEY + WORDS + GAP
MOST_COLUMNS = 3

MOST_KEYS = 3
"""Shown of those that choose the same."""

Row = tuple[tuple[str, str, bool], ...]
"""One line: (text, colour, bold) next to each other."""


class HelpScreen(Dialog):
    """The keys of a screen and of its game, in as many columns as fit beside each other."""

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
        groups = list(dict.fromkeys(key.group for key in self._keys))
        blocks = [self._block(group) for group in groups]
        if self._descriptor is not None:
            blocks.append(_game_block(self._descriptor, real=self._real))
        columns = max(1, min(MOST_COLUMNS, (self.app.size.width - 8 + GAP) // COLUMN))
        return self._beside(_shared_out(blocks, columns))

    def on_resize(self) -> None:
        self.paint()

    def hints(self) -> list[tuple[str, str]]:
        return [("esc", "close"), ("↑ ↓", "scroll")]

    def _block(self, group: str) -> list[Row]:
        rows: list[Row] = [((group, "text", True),)]
        rows += [
            ((f"{key.shown:<{KEY}}", "policy", True), (key.description, "dim", False))
            for key in self._keys
            if key.group == group
        ]
        return [*rows, ()]

    def _beside(self, columns: list[list[Row]]) -> Text:
        text = Text()
        for line in range(max(map(len, columns))):
            for number, column in enumerate(columns):
                row = column[line] if line < len(column) else ()
                text.append_text(self.ink(*row))
                if number < len(columns) - 1:
                    used = sum(len(words) for words, _, _ in row)
                    text.append(" " * (COLUMN - used))
            text.append("\n")
        return text


def _shared_out(blocks: list[list[Row]], columns: int) -> list[list[Row]]:
    """The blocks in their order, in columns that are about equally long."""
    total = sum(map(len, blocks))
    shared: list[list[Row]] = [[]]
    for block in blocks:
        full = len(shared[-1]) + len(block) / 2 > total / columns
        if shared[-1] and full and len(shared) < columns:
            shared.append([])
        shared[-1] += block
    return shared


def _game_block(descriptor: Descriptor, *, real: bool) -> list[Row]:
    """The keys that the game listens to."""
    rows: list[Row] = [((f"While you play {descriptor.name}", "human", True),)]
    for action in descriptor.actions:
        for choice in action.choices:
            if choice.keys:
                shown = " ".join(key_name(key) for key in choice.keys[:MOST_KEYS])
                rows.append(((f"{shown:<{KEY}}", "human", True), (choice.label, "dim", False)))
    rows.append(((f"{'esc':<{KEY}}", "human", True), ("hand back", "dim", False)))
    if real:
        words = "hold it alone to play, let go to hand back"
        rows.append(((f"{'shift':<{KEY}}", "human", True), (words, "dim", False)))
    rows.append((("All other keys go to the game.", "dim", False),))
    if not descriptor.turn_based:
        lines = HELD if real else LATCHED
        rows += [((line, "dim", False),) for line in lines]
        rows.append(((f"{'shift':<{KEY}}", "human", True), (NUDGE, "dim", False)))
    return [*rows, ()]


HELD = ("A key counts while you hold it,", "also several at once.")
LATCHED = ("A tapped key stays down until the next tap,", "a held one until you let go.")
NUDGE = "with a key: for one decision only"
