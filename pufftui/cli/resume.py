"""`pufftui resume`: a run goes on from its newest whole checkpoint, bit by bit on the CPU."""

from __future__ import annotations

import os
import sys
from dataclasses import replace

from pufftui.cli.output import add_output, check_output, show
from pufftui.cli.parser import CommandParser
from pufftui.cli.ranks import follow, is_follower
from pufftui.cli.settings import setting_flags, split_settings
from pufftui.envs.catalogue import load_env
from pufftui.envs.errors import PuffError
from pufftui.envs.library import EnvLibrary
from pufftui.envs.reading import read_small_text
from pufftui.trainer.files.own import refuse_foreign
from pufftui.trainer.run.beginning import find_beginning
from pufftui.trainer.run.checkpoint import Saved, newest_checkpoint
from pufftui.trainer.run.folder import LATEST, RunFolder
from pufftui.trainer.run.naming import NamedPolicy
from pufftui.trainer.run.policies import POLICY, weights_from
from pufftui.trainer.settings.fields import Config
from pufftui.trainer.settings.sources import recorded_environment, restore_config

EXTENDS = "train.total_steps"


def run(arguments: list[str]) -> int:
    """Goes on training; returns what `train` does."""
    others, settings = split_settings(arguments)
    parser = CommandParser("resume", "Continues a run from its newest checkpoint.")
    parser.add_argument(
        "run",
        metavar="RUN",
        nargs="?",
        default=LATEST,
        help="name of the run; without it, the last one",
    )
    parser.epilog = (
        "--train.total-steps N continues a run up to N steps, even a finished one.\n"
        "An environment in a folder must be as you last built it; if it is not: pufftui env check FOLDER."
    )
    add_output(parser)
    options = parser.parse(others, setting_flags())
    for path in settings:
        if path != EXTENDS:
            raise PuffError(
                f"{path} cannot change when a run is resumed.",
                "Only --train.total-steps can. For anything else start a new run.",
                usage=True,
            )
    follower = is_follower(headless=options.headless)
    folder = RunFolder.open(options.run)
    refuse_foreign(folder.path)
    library = _library(folder)
    if follower:
        saved, config = _where_to_go_on(folder, settings)
        follow(config, library, saved, _beginning(saved, config, library))
    check_output(options)
    folder.lock()
    try:
        saved, config = _where_to_go_on(folder, settings)
        from pufftui.trainer.runner import Runner

        beginning = _beginning(saved, config, library)
        return show(Runner(config, folder, library, saved, beginning=beginning), options)
    finally:
        folder.release()


def _library(folder: RunFolder) -> EnvLibrary:
    """Of the environment that the run names, if its policy fits that.

    Raises `PuffError` before the run is touched.
    """
    saved, _ = newest_checkpoint(folder.checkpoints, section=POLICY)
    if saved is not None:
        library = load_env(recorded_environment(str(saved.description.get("config")), saved.path))
        weights_from(saved)
        return library
    if not os.path.lexists(folder.config_file):
        raise _nothing_whole(folder)
    return load_env(recorded_environment(_settings(folder), folder.config_file))


def _beginning(saved: Saved | None, config: Config, library: EnvLibrary) -> NamedPolicy | None:
    """What the run begins with again if it has not come to its first checkpoint."""
    return find_beginning(config, library.descriptor)[1] if saved is None else None


def _settings(folder: RunFolder) -> str:
    try:
        return read_small_text(folder.config_file)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise PuffError(
            f"The settings in {folder.config_file} cannot be read ({why}).",
            "Start a new run: pufftui train ENV.",
        ) from None


def _nothing_whole(folder: RunFolder) -> PuffError:
    return PuffError(f"{folder.id} has no whole checkpoint.", "Start a new run: pufftui train ENV.")


def _where_to_go_on(folder: RunFolder, settings: dict[str, str]) -> tuple[Saved | None, Config]:
    """The newest checkpoint and its settings; a run that died before its first begins anew."""
    saved, passed_over = newest_checkpoint(folder.checkpoints)
    for complaint in passed_over:
        sys.stderr.write(f"{complaint} Trying an older one.\n")
    if saved is None:
        if passed_over or not folder.config_file.exists():
            raise _nothing_whole(folder)
        sys.stderr.write(f"{folder.id} has no checkpoint yet, so it begins at step 0.\n")
        text = _settings(folder)
        return None, restore_config(text, file=folder.config_file, flags=settings)
    config = restore_config(saved.description["config"], file=saved.path, flags=settings)
    step = saved.description["step"]
    if step >= config.train.total_steps:
        raise PuffError(
            f"{folder.id} is finished: it is at step {step:,} of {config.train.total_steps:,}.",
            f"To continue it, add --train.total-steps {2 * step}.",
            usage=True,
        )
    return saved, replace(config, run=replace(config.run, name=folder.id))
