"""Where a run is shown: the dashboard, or stdout and stderr without one."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from pufftui.apps.options import Wishes
from pufftui.envs.errors import PuffError
from pufftui.terminal.private import places_cursor

if TYPE_CHECKING:
    from pufftui.trainer.runner import Runner


def add_output(parser: argparse.ArgumentParser) -> None:
    """The flags that choose how a run is shown."""
    add = parser.add_argument
    add("--headless", action="store_true", help="no dashboard: a progress line on stderr")
    add("--json", action="store_true", help="with --headless: a JSON object a second on stdout")
    add_screen(parser, stream=True)


def add_screen(parser: argparse.ArgumentParser, *, stream: bool = False) -> None:
    """The flags that choose how a screen looks, and what it does not show."""
    add = parser.add_argument
    add("--theme", metavar="THEME", help="colours of the screen; without it, the theme used last")
    add(
        "--ascii",
        action=argparse.BooleanOptionalAction,
        help="draw with plain letters only, or never; without it, as terminal and locale allow",
    )
    add("--privacy", action="store_true", help="hide names, paths and addresses from the start")
    if stream:
        add(
            "--stream", action="store_true", help="large figures for an audience, with names hidden"
        )


def wishes(options: argparse.Namespace) -> Wishes:
    """What these flags say."""
    stream = getattr(options, "stream", False)
    return Wishes(options.theme, options.ascii, stream, options.privacy)


def check_output(options: argparse.Namespace) -> None:
    """Raises `PuffError` before anything is created if the dashboard could not be shown."""
    if options.headless:
        return
    if options.json:
        raise PuffError("--json works only with --headless.", "Add --headless.", usage=True)
    check_screen("The dashboard", "To train without one, add --headless.", options.theme)


def check_screen(what: str, otherwise: str, theme: str | None) -> None:
    """Raises `PuffError` if there is no terminal, with a hint of what to do, or no such theme."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise PuffError(f"{what} needs a terminal.", otherwise, usage=True)
    if not places_cursor(os.environ.get("TERM", "")):
        name = os.environ.get("TERM") or "not set"
        raise PuffError(
            f"{what} needs a terminal that can place its cursor, and TERM is {name}.",
            f"{otherwise} If it can after all: export TERM=xterm-256color.",
            usage=True,
        )
    if theme is not None:
        from pufftui.appearance.wardrobe import Wardrobe

        Wardrobe.open().pick(theme)


def show(runner: Runner, options: argparse.Namespace) -> int:
    """Starts the run and shows it to its end; the exit status. Others can attach to it."""
    from pufftui.control.server import control

    with control(runner) as trouble:
        if options.headless:
            from pufftui.apps.headless import run_headless

            return run_headless(runner, json=options.json, note=trouble, library=runner.library)
        return _show_live(runner, wishes(options), trouble)


def _show_live(runner: Runner, wanted: Wishes, note: str) -> int:
    from pufftui.apps.live import run_live
    from pufftui.state.session import Session
    from pufftui.trainer.arena.arena import Arena
    from pufftui.trainer.store import StoreReader

    config, library = runner.config, runner.library
    session = Session(
        runner=runner,
        arena=Arena(library, config.parameters, lambda: runner.weights, config.run.seed),
        folder=runner.folder,
        config=config,
        descriptor=library.descriptor,
        open_store=lambda: StoreReader(lambda: runner.folder.database),
    )
    return run_live(session, wanted, note, library)
