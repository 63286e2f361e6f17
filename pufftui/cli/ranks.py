"""Training with torchrun: the first rank shows and writes the run, the others follow it."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from pufftui.doctor.hardware import device_kind
from pufftui.envs.errors import PuffError
from pufftui.trainer.settings.job import job_from_environment

if TYPE_CHECKING:
    from pufftui.envs.library import EnvLibrary
    from pufftui.trainer.run.checkpoint import Saved
    from pufftui.trainer.run.naming import NamedPolicy
    from pufftui.trainer.settings.fields import Config


def is_follower(*, headless: bool) -> bool:
    """Whether torchrun started this process as another than the first of its job.

    Raises `PuffError` if several processes were to show a dashboard, and as `job_from_environment`.
    """
    job = job_from_environment()
    if job.size > 1 and not headless:
        raise PuffError("With torchrun there is no dashboard.", "Add --headless.", usage=True)
    return job.rank > 0


def follow(
    config: Config,
    library: EnvLibrary,
    saved: Saved | None = None,
    beginning: NamedPolicy | None = None,
) -> NoReturn:
    """Trains in step with the first rank, which hears the signals, and ends the process when it does."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if config.open:
        from pufftui.trainer.settings.choice import choose
        from pufftui.trainer.settings.tryout import try_out

        # As the first rank does, and with the same outcome.
        tryout = try_out(library, config.parameters)
        config = choose(config, device_kind(config.run.device), tryout)
    importlib.import_module("pufftui.trainer.training.loop").follow(
        config, library, saved, beginning
    )
    # It has nothing left to write, and torch's own threads now and then abort a process whose
    # interpreter is taken down in the usual way.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
