"""Themes: TOML files of colours, turned into Textual themes and ready-made styles."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from rich.style import Style
from textual.theme import Theme

import pufftui.themes
from pufftui.envs.errors import PuffError, nearest

DEFAULT_THEME = "midnight"

COLOURS = {
    "background": "behind everything",
    "surface": "panels",
    "raised": "header and footer",
    "text": "figures and names",
    "dim": "labels and units",
    "faint": "grid lines",
    "track": "the empty part of a bar",
    "band": "confidence band of a chart",
    "policy": "the policy: its score, its choices, progress",
    "human": "the person at the controls",
    "good": "all is well",
    "warning": "worth a look",
    "error": "something is wrong",
}
"""Every colour a theme must name, and what it paints."""

SERIES = 8
"""Colours for curves that are told apart; the first is the one most used."""


@dataclass(frozen=True, slots=True, eq=False)
class PuffTheme:
    """One theme. `colours` has the names of COLOURS and `series0` to `series7`."""

    name: str
    title: str
    dark: bool
    colours: dict[str, str]
    _styles: dict[tuple[str, str, bool], Style] = field(default_factory=dict)

    def style(self, name: str, ground: str = "surface", *, bold: bool = False) -> Style:
        """Letters in one colour on another, both by name; the same object every time."""
        key = (name, ground, bold)
        style = self._styles.get(key)
        if style is None:
            style = Style(color=self.colours[name], bgcolor=self.colours[ground], bold=bold or None)
            self._styles[key] = style
        return style

    def mix(self, name: str, ground: str, share: float) -> str:
        """The name of a mixture of two colours: `share` 1 is the first one, 0 the second."""
        mixed = f"{name}+{ground}*{share:.2f}"
        if mixed not in self.colours:
            front, back = channels(self.colours[name]), channels(self.colours[ground])
            mix = [round(b + (f - b) * share) for f, b in zip(front, back, strict=True)]
            self.colours[mixed] = "#{:02x}{:02x}{:02x}".format(*mix)
        return mixed

    def to_textual(self) -> Theme:
        """The theme as Textual knows it; the own colours become CSS variables."""
        own = {name: self.colours[name] for name in COLOURS}
        return Theme(
            name=self.name,
            primary=own["policy"],
            secondary=self.colours["series1"],
            accent=own["human"],
            foreground=own["text"],
            background=own["background"],
            surface=own["surface"],
            panel=own["raised"],
            success=own["good"],
            warning=own["warning"],
            error=own["error"],
            dark=self.dark,
            variables={name: own[name] for name in css_variables()},
        )


def css_variables() -> list[str]:
    """The names of our own that a stylesheet may use."""
    return ["dim", "faint", "track", "band", "policy", "human", "good", "raised"]


def channels(colour: str) -> tuple[int, int, int]:
    """Red, green and blue, 0 to 255, of `#rrggbb`."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def contrast(first: str, second: str) -> float:
    """The contrast ratio of two colours after WCAG 2: 1 is none, 21 is black on white."""

    def luminance(colour: str) -> float:
        linear = [
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
            for c in (channel / 255 for channel in channels(colour))
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def load_theme(file: Path) -> PuffTheme:
    """Reads one theme file; raises `PuffError` that names the file and the key at fault."""

    def broken(what: str, hint: str) -> PuffError:
        return PuffError(f"The theme {file} {what}.", hint, usage=True)

    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise broken(f"cannot be read ({error})", "Mend the file or choose another theme.") from None
    for key, kind in (("title", str), ("dark", bool), ("colours", dict), ("series", list)):
        if not isinstance(table.get(key), kind):
            raise broken(f"lacks {key}", f"Give {key} as a {kind.__name__}, as in the others.")
    given = dict(table["colours"])
    for key in given:
        if key not in COLOURS:
            raise broken(f"has an unknown colour {key}", nearest(key, COLOURS))
    if len(table["series"]) != SERIES:
        raise broken(f"has {len(table['series'])} colours in series", f"Give {SERIES}.")
    given |= {f"series{i}": colour for i, colour in enumerate(table["series"])}
    for key in [*COLOURS, *(f"series{i}" for i in range(SERIES))]:
        if key not in given:
            raise broken(f"lacks the colour {key}", f"It paints: {COLOURS[key]}.")
        if not isinstance(given[key], str) or not re.fullmatch("#[0-9a-fA-F]{6}", given[key]):
            raise broken(f"gives {key} as {given[key]!r}", "Write a colour as #rrggbb.")
    return PuffTheme(file.stem, table["title"], table["dark"], given)


def load_themes() -> dict[str, PuffTheme]:
    """All bundled themes by name, the default one first."""
    files = sorted(Path(pufftui.themes.__path__[0]).glob("*.toml"))
    themes = {file.stem: load_theme(file) for file in files}
    return dict(sorted(themes.items(), key=lambda item: item[0] != DEFAULT_THEME))
