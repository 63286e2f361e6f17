"""`pufftui train`: starts a run, with the dashboard or without."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pufftui.cli.named import load_named
from pufftui.cli.output import add_output, check_output, show
from pufftui.cli.parser import CommandParser
from pufftui.cli.ranks import follow, is_follower
from pufftui.cli.settings import (
    load_settings,
    setting_files,
    setting_flags,
    settings_help,
    split_settings,
)
from pufftui.doctor.hardware import device_kind
from pufftui.envs.catalogue import env_names, installed_names, is_env
from pufftui.envs.errors import PuffError
from pufftui.envs.library import EnvLibrary
from pufftui.trainer.run.folder import LATEST, RunFolder
from pufftui.trainer.run.settings_file import write_settings
from pufftui.trainer.settings.fields import Config
from pufftui.trainer.settings.job import job_from_environment

if TYPE_CHECKING:
    from pufftui.trainer.run.naming import NamedPolicy


def run(arguments: list[str]) -> int:
    """Trains an agent; returns 0 if it finished, 1 if it failed, 130 if it was interrupted.

    Returns 3 if it finished and rows of its store were lost.
    """
    others, settings = split_settings(arguments)
    parser = _parser()
    if {"-h", "--help"} & set(others):
        parser.epilog = settings_help(next(filter(is_env, others), None))
    options = parser.parse(others, setting_flags())
    if options.env is None:
        known = ", ".join([*env_names(), *installed_names()])
        hint = f"Known: {known}. Or name a folder that holds one."
        raise PuffError("train needs an environment.", hint, usage=True)
    follower = is_follower(headless=options.headless)
    for setting in ("name", "seed", "device"):
        if getattr(options, setting) is not None:
            settings[f"run.{setting}"] = getattr(options, setting)
    library = load_named(options.env)
    config = load_settings(options.env, setting_files(options.config), settings)
    config, beginning = _beginning(config, library)
    if follower:
        follow(config, library, beginning=beginning)
    check_output(options)
    return _train(options, config, library, beginning)


def _parser() -> CommandParser:
    parser = CommandParser("train", "Trains an agent and shows everything live.")
    add = parser.add_argument
    add(
        "env",
        metavar="ENV",
        nargs="?",
        help="what to train on: a name that pufftui envs lists, or a folder",
    )
    add(
        "--run-name",
        metavar="NAME",
        dest="name",
        help="name of the run; without it, one is invented",
    )
    add("--seed", metavar="N", help="seed of all random numbers")
    add("--device", metavar="DEVICE", help="auto, cpu, cuda or cuda:1")
    add("--config", metavar="FILE", type=Path, help="a TOML file with settings")
    add_output(parser)
    return parser


def _beginning(config: Config, library: EnvLibrary) -> tuple[Config, NamedPolicy | None]:
    """As `find_beginning`, the same for all processes of a job."""
    from pufftui.trainer.run.beginning import find_beginning
    from pufftui.trainer.run.folder import AT

    if config.policy.start_from.partition(AT)[0] == LATEST and job_from_environment().size > 1:
        # The first process begins a run meanwhile, and that is the latest for all others.
        message = "Several processes cannot begin with the policy of the latest run."
        raise PuffError(message, "Name that run itself: pufftui runs.", usage=True)
    return find_beginning(config, library.descriptor)


def _train(
    options: argparse.Namespace, config: Config, library: EnvLibrary, beginning: NamedPolicy | None
) -> int:
    from pufftui.trainer.runner import Runner

    folder = RunFolder.create(config.run.name, library.descriptor.name)
    runner: Runner | None = None
    try:
        config = replace(config, run=replace(config.run, name=folder.id))
        write_settings(folder, config)
        device = device_kind(config.run.device)
        runner = Runner(config, folder, library, device=device, beginning=beginning)
        return show(runner, options)
    finally:
        if runner is None or not runner.started:
            folder.discard()
        folder.release()
