"""Leaves a run going: a process of its own goes on with it, and the terminal is free."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from pufftui.envs.catalogue import for_successor
from pufftui.envs.errors import PuffError
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.run.lock import INHERITED

START_SECONDS = 60.0
"""Time in which the new process has to take the run over."""


class HandOver:
    """Keeps the run's lock while nobody trains it, so that no third process can take it."""

    def __init__(self, folder: RunFolder, env: str) -> None:
        """To be made while this process still trains the run, in the environment `env`."""
        self._folder = folder
        self._env = env
        self._lock = folder.spare_lock()

    def complete(self) -> int:
        """Starts the process that goes on from the last checkpoint; its number.

        Returns when it has the run, so that this process can end. Raises `PuffError` if it fails.
        """
        if self._lock is None:
            raise self._failure("It had ended before.")
        # Not compiled anew: who edits the sources meanwhile does not end the run.
        environment = os.environ | {
            **for_successor(self._env),
            INHERITED: str(self._lock),
            "PUFFTUI_RUNS": str(self._folder.path.parent),
        }
        command = [sys.executable, "-P", "-m", "pufftui", "resume", self._folder.id, "--headless"]
        try:
            with self._folder.log.open("ab") as log:
                child = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=environment,
                    pass_fds=(self._lock,),
                    start_new_session=True,
                )
            self._wait_for(child)
        except OSError as error:
            raise self._failure(f"{error}.") from None
        finally:
            self.cancel()
        return child.pid

    def cancel(self) -> None:
        """Gives up the lock; safe to call twice."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _wait_for(self, child: subprocess.Popen[bytes]) -> None:
        end = time.monotonic() + START_SECONDS
        while child.poll() is None and time.monotonic() < end:
            holder = self._folder.holder()
            if holder is not None and holder.process == child.pid:
                return
            time.sleep(0.05)
        if child.poll() is None:
            child.terminate()
        raise self._failure(f"What happened is in {self._folder.log}.")

    def _failure(self, why: str) -> PuffError:
        run = self._folder.id
        return PuffError(
            f"{run} could not be left running. {why}", f"Continue it: pufftui resume {run}."
        )
