"""What is to be read beside a game: how an agent is, what it has, what keys do now, and what was told."""

from __future__ import annotations

import textwrap

from pufftui.appearance.format import cells, fit
from pufftui.appearance.glyphs import thin_bar
from pufftui.appearance.line import Line
from pufftui.appearance.theme import PuffTheme
from pufftui.envs.descriptor import Descriptor
from pufftui.envs.words import RowKind, SheetRow, Story, Weight
from pufftui.keys.game import key_name
from pufftui.trainer.messages.frame import ArenaFrame
from pufftui.widgets.painted import Card

LONGEST_STORY = 3
"""Lines of one story."""

STORIES = 0.14
LEAST_STORIES = LONGEST_STORY
"""Share of the rows that stories are given, and how many at least: a person reads there why something did
not work."""

WIDEST_BAR = 14
MARK = "■ "


class SheetCard(Card):
    """The rows that the environment of a game fills in, with the keys of the choices that they name.

    What lacks room is left out: first what is nothing now, then what comes last.
    """

    title = "agent"
    airy = 46

    def __init__(self, look: PuffTheme, descriptor: Descriptor) -> None:
        super().__init__(look, "sheet")
        self._keys = _keys(descriptor)
        self._shown: tuple[object, ...] = ()
        self.frame: ArenaFrame | None = None

    def show(self, frame: ArenaFrame) -> None:
        """Paints what differs from the frame before."""
        self.frame = frame
        shown = (frame.sheet, frame.stories, frame.agent, frame.human)
        if shown != self._shown:
            self._shown = shown
            self.paint()

    def head(self, inner: int) -> list[Line]:
        frame = self.frame
        playing = frame is not None and frame.human
        number = "" if frame is None else f" {frame.agent + 1}"
        self.title = f"you, agent{number}" if playing else f"agent{number}"
        self.accent = "human" if playing else "text"
        return super().head(inner)

    def content(self, width: int, height: int) -> list[Line]:
        frame = self.frame
        if frame is None:
            return []
        stories = max(LEAST_STORIES, round(STORIES * height)) + 1 if frame.stories else 0
        room = height - stories
        rows = _that_fit(frame.sheet, room)
        titles = sum(row.kind is RowKind.TITLE for row in rows)
        apart = len(rows) + titles <= room
        keyed = max((cells(self._key(row)) for row in rows), default=0)
        lines: list[Line] = []
        for row in rows:
            if row.kind is RowKind.TITLE and apart and lines:
                lines.append([])
            lines.append(self._row(row, width, keyed))
        told = self._stories(frame, width, height - len(lines) - 1 - apart)
        if not told:
            return lines
        return [*lines, *([[]] if apart else []), self._title("stories", width), *told]

    def _title(self, label: str, width: int) -> Line:
        look = self.look
        words = f"{look.words(label)} "
        rest = "─" * max(0, width - cells(words))
        return [
            (fit(words, min(width, cells(words))), look.style("text", bold=True)),
            (rest, look.style("faint")),
        ]

    def _key(self, row: SheetRow) -> str:
        return self._keys.get(row.choice, "")

    def _row(self, row: SheetRow, width: int, keyed: int) -> Line:
        look = self.look
        if row.kind is RowKind.TITLE:
            return self._title(row.label, width)
        if row.kind is RowKind.BAR:
            return self._bar(row, width)
        line: Line = []
        faint = row.kind is RowKind.FAINT
        if row.choice >= 0 and keyed:
            playing = self.frame is not None and self.frame.human
            colour = "dim" if faint or not playing else "human"
            line.append((self._key(row).rjust(keyed) + " ", look.style(colour, bold=not faint)))
        used = sum(cells(text) for text, _ in line)
        if row.colour:
            line.append((MARK, look.style(look.own(row.colour))))
            used += len(MARK)
        value = look.words(row.value)
        room = width - used
        label = fit(look.words(row.label), max(0, room - cells(value) - bool(value)))
        style = look.style("dim" if faint else "text")
        line.append((label, style))
        if value:
            line.append(
                (fit(f" {value}", room - cells(label)), look.style("dim" if faint else "text"))
            )
        return line

    def _bar(self, row: SheetRow, width: int) -> Line:
        look = self.look
        value = look.words(row.value)
        label = min(12, width // 2)
        bar = max(0, min(width - label - max(6, cells(value)) - 1, 2 * WIDEST_BAR))
        full, empty = thin_bar(row.share, bar)
        return [
            (fit(look.words(row.label), label), look.style("dim")),
            (full, look.style(look.own(row.colour) if row.colour else "policy")),
            (empty, look.style("track")),
            (value.rjust(width - label - bar), look.style("text", bold=True)),
        ]

    def _stories(self, frame: ArenaFrame, width: int, rows: int) -> list[Line]:
        """The newest stories at the bottom, as many as fit whole, and the newest even if it does not."""
        lines: list[Line] = []
        for story in reversed(frame.stories):
            told = self._story(story, frame, width, LONGEST_STORY)
            if len(told) + len(lines) > rows:
                return lines or self._story(story, frame, width, rows)
            lines = told + lines
        return lines

    def _story(self, story: Story, frame: ArenaFrame, width: int, most: int) -> list[Line]:
        """Its lines, at most so many; "…" says that there would be more."""
        if most < 1:
            return []
        look = self.look
        own = story.agent == frame.agent
        colour = "dim" if story.weight is Weight.TALK else "text"
        if own:
            colour = "human" if frame.human else "policy"
        words = look.words(f"agent {story.agent + 1} {story.text}").replace("\n", " ")
        more = "..." if look.glyphs.ascii_only else "…"  # A single stop would end a sentence.
        wrapped = textwrap.wrap(
            words, width, subsequent_indent="  ", max_lines=most, placeholder=more
        )
        return [[(line, look.style(colour))] for line in wrapped]


def _keys(descriptor: Descriptor) -> dict[int, str]:
    """The key of each choice of the first component, as it is printed."""
    choices = descriptor.actions[0].choices if descriptor.actions else ()
    return {
        number: key_name(choice.single_keys[0])
        for number, choice in enumerate(choices)
        if choice.single_keys
    }


def _that_fit(sheet: tuple[SheetRow, ...], room: int) -> list[SheetRow]:
    """At most `room` rows, without those at the end that are nothing now, then without the last ones."""
    rows = list(sheet)
    for at in range(len(rows) - 1, -1, -1):
        if len(rows) <= room:
            break
        if rows[at].kind is RowKind.FAINT:
            del rows[at]
    rows = rows[: max(0, room)]
    while rows and rows[-1].kind is RowKind.TITLE:
        rows.pop()
    return rows
