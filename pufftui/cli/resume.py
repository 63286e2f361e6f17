"""`pufftui resume`: a run goes on from its newest whole checkpoint, bit by bit on the CPU."""

from __future__ import annotations

import sys
from dataclasses import replace

from pufftui.cli.output import add_output, check_output, show
from pufftui.cli.parser import CommandParser
from pufftui.cli.ranks import follow, is_follower
from pufftui.cli.settings import setting_flags, split_settings
from pufftui.envs.catalogue import load_env
from pufftui.envs.errors import PuffError
from pufftui.trainer.checkpoint import Saved, newest_checkpoint
from pufftui.trainer.config import Config
from pufftui.trainer.layers import restore_config
from pufftui.trainer.run_folder import LATEST, RunFolder

EXTENDS = "train.total_steps"


def run(arguments: list[str]) -> int:
    """Goes on training; returns 0 if it finished, 1 if it failed, 130 if it was interrupted."""
    others, settings = split_settings(arguments)
    parser = CommandParser("resume", "Goes on with a run from its newest checkpoint.")
    parser.add_argument(
        "run", metavar="RUN", nargs="?", default=LATEST, help="the run's name; else the last one"
    )
    parser.epilog = "--train.total-steps N lets a run, also a finished one, go on to N steps."
    add_output(parser)
    options = parser.parse(others, setting_flags())
    for path in settings:
        if path != EXTENDS:
            raise PuffError(
                f"{path} cannot change when a run is resumed.",
                "Only --train.total-steps can; start a new run for the rest.",
                usage=True,
            )
    folder = RunFolder.open(options.run)
    if is_follower(headless=options.headless):
        saved, config = _where_to_go_on(folder, settings)
        follow(config, load_env(config.env), saved)
    check_output(options)
    folder.lock()
    try:
        saved, config = _where_to_go_on(folder, settings)
        library = load_env(config.env)
        from pufftui.trainer.runner import Runner

        return show(Runner(config, folder, library, saved), options)
    finally:
        folder.release()


def _where_to_go_on(folder: RunFolder, settings: dict[str, str]) -> tuple[Saved | None, Config]:
    """The newest checkpoint and its settings; a run that died before its first begins anew."""
    saved, passed_over = newest_checkpoint(folder.checkpoints)
    for complaint in passed_over:
        sys.stderr.write(f"{complaint} Trying an older one.\n")
    if saved is None:
        if passed_over or not folder.config_file.exists():
            raise PuffError(
                f"{folder.id} has no whole checkpoint.", "Start a new run: pufftui train ENV."
            )
        sys.stderr.write(f"{folder.id} has no checkpoint yet, so it begins at step 0.\n")
        text = folder.config_file.read_text(encoding="utf-8")
        return None, restore_config(text, file=folder.config_file, flags=settings)
    config = restore_config(saved.description["config"], file=saved.path, flags=settings)
    step = saved.description["step"]
    if step >= config.train.total_steps:
        raise PuffError(
            f"{folder.id} is finished: it is at step {step:,} of {config.train.total_steps:,}.",
            f"Let it go on with --train.total-steps {2 * step}.",
            usage=True,
        )
    return saved, replace(config, run=replace(config.run, name=folder.id))
