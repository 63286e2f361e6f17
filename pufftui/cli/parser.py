"""An argument parser whose complaints are `PuffError`s that name the nearest flag."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import NoReturn

from pufftui.envs.errors import PuffError, nearest


class CommandParser(argparse.ArgumentParser):
    """Parses the arguments of one command, without abbreviations."""

    def __init__(self, command: str, description: str) -> None:
        super().__init__(
            prog=f"pufftui {command}",
            description=description,
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    def parse(self, arguments: list[str], other_flags: Iterable[str] = ()) -> argparse.Namespace:
        """The parsed arguments; an unknown flag is compared with `other_flags` too."""
        parsed, unknown = self.parse_known_args(arguments)
        for word in unknown:
            if not word.startswith("-"):
                self.error(f"There is one argument too many: {word}")
            flag = word.partition("=")[0]
            known = [*self._option_string_actions, *other_flags]
            raise PuffError(
                f"There is no flag {flag}.", nearest(flag, known, otherwise=self.more), usage=True
            )
        return parsed

    def error(self, message: str) -> NoReturn:
        """Turns a complaint of argparse into a sentence."""
        sentence = message.removeprefix("argument ")
        raise PuffError(f"{sentence[0].upper()}{sentence[1:]}.", self.more, usage=True)

    @property
    def more(self) -> str:
        """Where to read on."""
        return f"See {self.prog} --help."
