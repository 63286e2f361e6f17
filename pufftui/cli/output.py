"""Where a run is shown: the dashboard, or stdout and stderr without one."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from pufftui.envs.errors import PuffError, nearest

if TYPE_CHECKING:
    from pufftui.trainer.runner import Runner


def add_output(parser: argparse.ArgumentParser) -> None:
    """The flags that choose how a run is shown."""
    add = parser.add_argument
    add("--headless", action="store_true", help="no dashboard: a progress line on stderr")
    add("--json", action="store_true", help="with --headless: a JSON object a second on stdout")
    add("--theme", metavar="THEME", help="colours of the dashboard")


def check_output(options: argparse.Namespace) -> None:
    """Raises `PuffError` before anything is created if the dashboard could not be shown."""
    if options.headless:
        return
    if options.json:
        raise PuffError("--json goes with --headless.", "Add --headless.", usage=True)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise PuffError(
            "The dashboard needs a terminal.", "To train without one, add --headless.", usage=True
        )
    if options.theme is not None:
        from pufftui.theme import load_themes

        themes = load_themes()
        if options.theme not in themes:
            hint = nearest(options.theme, themes)
            raise PuffError(f"There is no theme {options.theme}.", hint, usage=True)


def show(runner: Runner, options: argparse.Namespace) -> int:
    """Starts the run and shows it to its end; the exit status."""
    if options.headless:
        from pufftui.headless import run_headless

        return run_headless(runner, json=options.json)
    return _watch(runner, options.theme)


def _watch(runner: Runner, theme: str | None) -> int:
    from pufftui.live import run_live
    from pufftui.session import Session
    from pufftui.trainer.arena import Arena
    from pufftui.trainer.store import StoreReader

    config, library = runner.config, runner.library
    session = Session(
        runner=runner,
        arena=Arena(library, config.parameters, lambda: runner.weights, config.run.seed),
        folder=runner.folder,
        config=config,
        descriptor=library.descriptor,
        open_store=lambda: StoreReader(runner.folder.database),
    )
    return run_live(session, theme)
