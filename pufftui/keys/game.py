"""The keys that a game listens to, as its descriptor says."""

from __future__ import annotations

from pufftui.envs.descriptor import TOGETHER, Descriptor
from pufftui.keys.key import VIEW, Key

SHIFT = "shift+"
ARROWS = {"left": "←", "right": "→", "up": "↑", "down": "↓"}


def key_name(key: str) -> str:
    """A key as it is printed, or several held together: ← for left."""
    return TOGETHER.join(ARROWS.get(part, part) for part in key.split(TOGETHER))


def keys_for(keys: tuple[Key, ...], descriptor: Descriptor | None) -> tuple[Key, ...]:
    """Those of a screen's keys that do something in a game: one that has one view needs no key for others."""
    several = descriptor is not None and len(descriptor.views) > 1
    return tuple(key for key in keys if several or key.id != VIEW)


def game_keys(descriptor: Descriptor) -> dict[str, str]:
    """Every key the game listens to and the label of what it chooses."""
    return {
        key: choice.label
        for action in descriptor.actions
        for choice in action.choices
        for key in choice.single_keys
    }


def game_parts(descriptor: Descriptor) -> dict[str, int]:
    """Every key the game listens to and which part of the action it chooses for."""
    return {
        key: part
        for part, action in enumerate(descriptor.actions)
        for choice in action.choices
        for key in choice.single_keys
    }


def game_hints(descriptor: Descriptor) -> list[tuple[str, str]]:
    """The game's keys for banner and footer: (keys, label), arrows before letters.

    Keys that are tapped stand on the sheet of a game that has one, with what they do now.
    """
    elsewhere = descriptor.tapped_keys if descriptor.describes else ()
    return [
        (key_name(choice.single_keys[0]), choice.label)
        for action in descriptor.actions
        for choice in action.choices
        if choice.single_keys and choice.single_keys[0] not in elsewhere
    ]


def game_key(known: dict[str, str], key: str, character: str | None) -> str | None:
    """The game's name of a pressed key, with Shift or without, or None if it does not listen to it."""
    key = key.removeprefix(SHIFT)
    if key in known:
        return key
    if character and character.lower() in known:
        return character.lower()
    return None


def is_shifted(key: str, character: str | None) -> bool:
    """Whether a key came with Shift, as far as every terminal tells: of arrows and of letters."""
    return key.startswith(SHIFT) or bool(character and character.isupper())
