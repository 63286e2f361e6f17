"""The themes there are, a person's own among them, and which one is worn: now and the next time."""

from __future__ import annotations

from dataclasses import dataclass

from pufftui.appearance.preferences import keep, kept, preference_folder
from pufftui.appearance.theme import DEFAULT_THEME, PuffTheme, load_theme, load_themes
from pufftui.envs.errors import PuffError, nearest

TABLE, KEY = "screen", "theme"
"""Where the choice is kept."""


@dataclass(frozen=True, slots=True, eq=False)
class Wardrobe:
    """Themes by name, the bundled ones first; a person's own replaces a bundled one of its name.

    `complaints` say which of the person's files were left out, and why.
    """

    looks: dict[str, PuffTheme]
    complaints: tuple[PuffError, ...] = ()

    @classmethod
    def open(cls) -> Wardrobe:
        """Reads all themes; a broken one of the person's own is left out."""
        looks, complaints = load_themes(), []
        for file in sorted((preference_folder() / "themes").glob("*.toml")):
            try:
                looks[file.stem] = load_theme(file)
            except PuffError as error:
                complaints.append(error)
        return cls(looks, tuple(complaints))

    def pick(self, asked: str | None) -> str:
        """The theme asked for, else the one worn last, else the default.

        Raises `PuffError` for a name that there is not; why its file is broken, if it is that.
        """
        if asked is None:
            last = kept(TABLE).get(KEY)
            return last if isinstance(last, str) and last in self.looks else DEFAULT_THEME
        if asked in self.looks:
            return asked
        broken = [error for error in self.complaints if f"{asked}.toml" in error.message]
        if broken:
            raise broken[0]
        raise PuffError(f"There is no theme {asked}.", nearest(asked, self.looks), usage=True)

    def after(self, name: str) -> str:
        """The theme that follows another; the first one follows the last."""
        names = list(self.looks)
        return names[(names.index(name) + 1) % len(names)]


def remember(name: str) -> None:
    """Keeps a theme for the next time."""
    keep(TABLE, {KEY: name})
