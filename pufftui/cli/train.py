"""`pufftui train`: starts a run, with the dashboard or without."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pufftui.cli.parser import CommandParser
from pufftui.cli.settings import (
    load_settings,
    setting_files,
    setting_flags,
    settings_help,
    split_settings,
)
from pufftui.envs.catalogue import env_names, load_env
from pufftui.envs.errors import PuffError, nearest
from pufftui.envs.library import EnvLibrary
from pufftui.trainer.config import Config
from pufftui.trainer.layers import config_to_toml
from pufftui.trainer.run_folder import RunFolder

if TYPE_CHECKING:
    from pufftui.trainer.runner import Runner


def run(arguments: list[str]) -> int:
    """Trains an agent; returns 0 if it finished, 1 if it failed, 130 if it was interrupted."""
    others, settings = split_settings(arguments)
    parser = _parser()
    if {"-h", "--help"} & set(others):
        parser.epilog = settings_help(next((word for word in others if word in env_names()), None))
    options = parser.parse(others, setting_flags())
    if options.env is None:
        known = ", ".join(env_names())
        raise PuffError("train needs an environment.", f"Known: {known}.", usage=True)
    for setting in ("name", "seed", "device"):
        if getattr(options, setting) is not None:
            settings[f"run.{setting}"] = getattr(options, setting)
    library = load_env(options.env)
    config = load_settings(options.env, setting_files(options.config), settings)
    _check_output(options)
    return _train(options, config, library)


def _parser() -> CommandParser:
    parser = CommandParser("train", "Trains an agent and shows everything live.")
    add = parser.add_argument
    add("env", metavar="ENV", nargs="?", help="what to train on; pufftui envs lists them")
    add("--headless", action="store_true", help="no dashboard: a progress line on stderr")
    add("--json", action="store_true", help="with --headless: a JSON object a second on stdout")
    add("--run-name", metavar="NAME", dest="name", help="the run's folder; else one is invented")
    add("--seed", metavar="N", help="start of all random numbers")
    add("--device", metavar="DEVICE", help="auto, cpu, cuda or cuda:1")
    add("--theme", metavar="THEME", help="colours of the dashboard")
    add("--config", metavar="FILE", type=Path, help="settings from a TOML file")
    return parser


def _check_output(options: argparse.Namespace) -> None:
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


def _train(options: argparse.Namespace, config: Config, library: EnvLibrary) -> int:
    from pufftui.trainer.runner import Runner

    with _new_folder(config) as folder:
        config = replace(config, run=replace(config.run, name=folder.id))
        folder.config_file.write_text(config_to_toml(config), encoding="utf-8")
        runner = Runner(config, folder, library)
        if options.headless:
            from pufftui.headless import run_headless

            return run_headless(runner, json=options.json)
        return _watch(runner, options.theme)


@contextmanager
def _new_folder(config: Config) -> Iterator[RunFolder]:
    """The folder of a new run, ours until the end; a run that never began leaves nothing."""
    folder = RunFolder.create(config.run.name, config.env)
    try:
        yield folder
    finally:
        if not folder.database.exists():
            shutil.rmtree(folder.path, ignore_errors=True)
        folder.release()


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
