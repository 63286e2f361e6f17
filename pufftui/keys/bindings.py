"""Keys as Textual binds them."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from pufftui.keys.key import Key


def bindings(keys: tuple[Key, ...]) -> list[BindingType]:
    """The keys as Textual binds them."""
    # Textual itself has plans for escape and ctrl+c; priority takes them from it.
    return [
        Binding(
            ",".join(key.keys),
            bound(key.action),
            key.description,
            show=False,
            id=key.id,
            priority=key.while_playing,
        )
        for key in keys
    ]


def bound(action: str) -> str:
    """An action of a key as Textual runs it: `charts.zoom(1)` becomes `do('charts', 'zoom', 1)`."""
    controller, dot, call = action.partition(".")
    if not dot:
        return action
    name, _, values = call.rstrip(")").partition("(")
    return f"do({', '.join(filter(None, (repr(controller), repr(name), values)))})"
