"""Themes: TOML files of colours, turned into Textual themes and ready-made styles.

A theme as it is worn also knows which letters the terminal has and what must not be shown.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.style import Style
from textual.theme import Theme

import pufftui.themes
from pufftui.appearance.glyphs import FULL, Glyphs
from pufftui.appearance.harmless import harmless
from pufftui.appearance.palette import Quantise, channels, contrast, in_hex, nearest_of_16
from pufftui.appearance.privacy import Secrets, mask, mask_parts
from pufftui.appearance.sixteen import FAINTEST, in_sixteen
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

LEAST_CONTRAST = 2.2
"""Of a game's own colour and the ground it stands on, as WCAG counts it."""

SERIES = 8
"""Colours for curves that are told apart; the first is the one most used."""


@dataclass(frozen=True, slots=True, eq=False)
class PuffTheme:
    """One theme. `colours` has the names of COLOURS and `series0` to `series7`."""

    name: str
    title: str
    dark: bool
    colours: dict[str, str]
    glyphs: Glyphs = FULL
    secrets: Secrets | None = None
    """What is masked in all texts, None while nothing is."""
    quantise: Quantise | None = None
    """Makes a colour one that the terminal has, None where it has all."""
    _styles: dict[tuple[str, str, bool], Style] = field(default_factory=dict)

    def worn(self, glyphs: Glyphs, secrets: Secrets | None) -> PuffTheme:
        """The same colours and the same styles on a terminal with these letters."""
        return replace(self, glyphs=glyphs, secrets=secrets)

    def limited(self, quantise: Quantise | None) -> PuffTheme:
        """The same theme in the colours that a terminal has."""
        if quantise is None:
            return self
        colours = {name: colour for name, colour in self.colours.items() if "+" not in name}
        if quantise is nearest_of_16:
            colours = in_sixteen(colours, dark=self.dark)
        else:
            colours = {name: quantise(colour) for name, colour in colours.items()}
        return replace(self, colours=colours, quantise=quantise, _styles={})

    def words(self, text: str) -> str:
        """A text as it may be shown. What will be cut or wrapped must pass here before."""
        shown = mask(text, self.secrets) if self.secrets else text
        return self.glyphs(harmless(shown, lines=True))

    def line(self, line: Sequence[tuple[str, Style]]) -> list[tuple[str, Style]]:
        """A finished line as it may be shown; it stays as long as it is."""
        texts = [text for text, _ in line]
        if self.secrets:
            texts = mask_parts(texts, self.secrets)
        glyphs = self.glyphs
        return [
            (glyphs(harmless(text)), style) for text, (_, style) in zip(texts, line, strict=True)
        ]

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
        if self.quantise is nearest_of_16 and share < FAINTEST and name != "text":
            return ground
        if mixed not in self.colours:
            front, back = channels(self.colours[name]), channels(self.colours[ground])
            mix = [round(b + (f - b) * share) for f, b in zip(front, back, strict=True)]
            colour = in_hex(mix)
            self.colours[mixed] = self.quantise(colour) if self.quantise else colour
            if self.quantise is nearest_of_16 and self.colours[mixed] == self.colours[ground]:
                self.colours[mixed] = self.colours["faint"]
        return mixed

    def own(self, colour: int) -> str:
        """The name of a colour 0xRRGGBB that a game gives, mixed with that of text until it can be read.

        Of its channels 5 bits count: a game may give other colours for ever, and each that was seen is kept.
        """
        colour = colour & 0xF8F8F8 | colour >> 5 & 0x070707
        name = f"own+{colour:06x}"
        if name not in self.colours:
            own, text = channels(f"#{colour:06x}"), channels(self.colours["text"])
            for share in (1.0, 0.75, 0.5, 0.25, 0.0):
                mix = [round(t + (o - t) * share) for o, t in zip(own, text, strict=True)]
                readable = self.quantise(in_hex(mix)) if self.quantise else in_hex(mix)
                if contrast(readable, self.colours["surface"]) >= LEAST_CONTRAST:
                    break
            self.colours[name] = readable
        return name

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


def load_theme(file: Path) -> PuffTheme:
    """Reads one theme file; raises `PuffError` that names the file and the key at fault."""
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _broken(file, f"cannot be read ({error})", "Choose another theme.") from None
    for key, kind in (("title", str), ("dark", bool), ("colours", dict), ("series", list)):
        if not isinstance(table.get(key), kind):
            raise _broken(file, f"lacks {key}", "The other theme files show how it is written.")
    if len(table["series"]) != SERIES:
        count = len(table["series"])
        raise _broken(file, f"has {count} colours in series", f"Give {SERIES} of them.")
    colours = table["colours"] | {f"series{i}": c for i, c in enumerate(table["series"])}
    _check_colours(file, colours)
    return PuffTheme(file.stem, table["title"], table["dark"], colours)


def _check_colours(file: Path, colours: dict[str, object]) -> None:
    wanted = [*COLOURS, *(f"series{i}" for i in range(SERIES))]
    for key, colour in colours.items():
        if key not in wanted:
            raise _broken(file, f"has an unknown colour {key}", nearest(key, COLOURS))
        if not isinstance(colour, str) or not re.fullmatch("#[0-9a-fA-F]{6}", colour):
            raise _broken(file, f"gives {key} as {colour!r}", "Write a colour as #rrggbb.")
    for key in wanted:
        if key not in colours:
            raise _broken(file, f"lacks the colour {key}", f"It paints: {COLOURS[key]}.")


def _broken(file: Path, what: str, hint: str) -> PuffError:
    return PuffError(f"The theme {file} {what}.", hint, usage=True)


def load_themes() -> dict[str, PuffTheme]:
    """All bundled themes by name, the default one first."""
    files = sorted(Path(pufftui.themes.__path__[0]).glob("*.toml"))
    themes = {file.stem: load_theme(file) for file in files}
    return dict(sorted(themes.items(), key=lambda item: item[0] != DEFAULT_THEME))
