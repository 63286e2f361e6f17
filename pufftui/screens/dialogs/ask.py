"""Dialogs with one line to type into: another value of a live setting, a note."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Input, Static
from textual.widgets.input import Selection

from pufftui.appearance.format import fit
from pufftui.appearance.harmless import harmless
from pufftui.appearance.theme import PuffTheme
from pufftui.envs.errors import PuffError, nearest
from pufftui.screens.dialogs.dialog import Dialog
from pufftui.trainer.messages.command import SetField, UndoChange
from pufftui.trainer.settings.fields import check_live, setting_fields
from pufftui.trainer.settings.sources import parse_number

BESIDE_HELP = 42
"""Columns of the change dialog that are not for what a setting means."""


class HarmlessInput(Input):
    """A line to type in that shows what cannot be printed, for instance of what is pasted, as signs."""

    def validate_value(self, value: str) -> str:
        return harmless(value)


class AskScreen(Dialog):
    """Hands what was typed to `take`, and stays with the complaint if that raises `PuffError`."""

    BINDINGS = [Binding("ctrl+c", "close", "Close", show=False, priority=True)]
    placeholder = ""

    def below(self) -> ComposeResult:
        self.complaint = Static(id="complaint")
        self.line = HarmlessInput(placeholder=self.placeholder, compact=True, select_on_focus=False)
        yield self.line
        yield self.complaint

    def on_mount(self) -> None:
        self.line.focus()

    def take(self, text: str) -> None:
        """Does what the person wants; raises `PuffError` if the text makes no sense."""
        raise NotImplementedError

    def hints(self) -> list[tuple[str, str]]:
        return [("enter", "do it"), ("esc", "close")]

    def on_input_submitted(self, event: Input.Submitted) -> None:
        try:
            self.take(event.value.strip())
        except PuffError as error:
            self.complaint.update(self.ink((str(error), "error", False)))
        else:
            self.dismiss()


class ChangeScreen(AskScreen):
    """Lists the settings that may change while training, with their values."""

    BINDINGS = [
        Binding("up", "choose(-1)", "Choose", show=False, priority=True),
        Binding("down", "choose(1)", "Choose", show=False, priority=True),
        Binding("ctrl+r", "undo", "Change back", show=False, priority=True),
    ]
    title_text = "Change a setting"
    placeholder = "learning_rate 0.01"

    def __init__(
        self,
        look: PuffTheme,
        values: Mapping[str, float],
        send: Callable[[SetField | UndoChange], None],
        chosen: str = "",
    ) -> None:
        """`chosen` is the path of the setting whose value can be typed over at once."""
        super().__init__(look)
        self._values, self._send, self._chosen = values, send, chosen

    def on_mount(self) -> None:
        if self._chosen:
            self._offer()

    def body(self) -> Text:
        fields, room = setting_fields(), self.app.size.width - BESIDE_HELP
        rows: list[tuple[str, str, bool]] = []
        for path, value in self._values.items():
            here = path == self._chosen
            means = fields[path].setting.help.partition(";")[0]
            rows += [
                ("▸ " if here else "  ", "policy", True),
                (f"{path.partition('.')[2]:<20}", "text", here),
                (f"{value:<9g} ", "policy", True),
                (f"{fit(means, room).rstrip()}\n", "dim", False),
            ]
        rows.append(("\nTakes effect at the next epoch, after a checkpoint.", "dim", False))
        return self.ink(*rows)

    def on_resize(self) -> None:
        self.paint()

    def hints(self) -> list[tuple[str, str]]:
        return [
            ("enter", "do it"),
            ("↑ ↓", "choose"),
            ("ctrl+r", "change back"),
            ("esc", "close"),
        ]

    def action_choose(self, by: int) -> None:
        paths = list(self._values)
        before = paths.index(self._chosen) if self._chosen in paths else min(-by, 0)
        self._chosen = paths[(before + by) % len(paths)]
        self._offer()
        self.paint()

    def _offer(self) -> None:
        """Puts the chosen setting into the line, its value selected: what is typed replaces it."""
        name = f"{self._chosen.partition('.')[2]} "
        self.line.value = f"{name}{self._values[self._chosen]:g}"
        self.line.selection = Selection(len(name), len(self.line.value))

    def action_undo(self) -> None:
        self._send(UndoChange())
        self.dismiss()

    def take(self, text: str) -> None:
        words = re.split(r"[\s=]+", text)
        if len(words) != 2:
            raise PuffError("Type a name and a number.", f"For example: {self.placeholder}.")
        named = words[0].lstrip("-").replace("-", "_")
        names = {path.partition(".")[2]: path for path in self._values}
        path = names.get(named, named)
        if path not in self._values:
            raise PuffError(f"There is no live setting {words[0]}.", nearest(named, names))
        value = parse_number(words[1])
        check_live(path, value)
        self._send(SetField(path, value))


class AgentScreen(AskScreen):
    """Which agent to watch."""

    title_text = "Watch an agent"

    def __init__(self, look: PuffTheme, agents: int, watch: Callable[[int], None]) -> None:
        super().__init__(look)
        self._agents, self._watch = agents, watch
        self.placeholder = f"1 to {agents}"

    def body(self) -> Text:
        return self.ink((f"There are {self._agents}.", "dim", False))

    def take(self, text: str) -> None:
        if not (text.isdecimal() and 1 <= int(text) <= self._agents):
            raise PuffError(f"Type a number from 1 to {self._agents}.", "")
        self._watch(int(text) - 1)


class NoteScreen(AskScreen):
    """A sentence that is kept with the run, at the step where it is now."""

    title_text = "Note"
    placeholder = "what you see, what you did, why"

    def __init__(self, look: PuffTheme, write: Callable[[str], object]) -> None:
        super().__init__(look)
        self._write = write

    def body(self) -> Text:
        return self.ink(("It is kept with the run, at the current step.", "dim", False))

    def take(self, text: str) -> None:
        if not text:
            raise PuffError("There is nothing to keep.", "Type a few words.")
        self._write(text)
