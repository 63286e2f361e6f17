"""Runs training on one daemon thread that lives as long as the run; needs no torch itself."""

from __future__ import annotations

import importlib
import threading
import time
import traceback
from dataclasses import replace
from pathlib import Path

from pufftui.envs.errors import PuffError
from pufftui.envs.first_steps import watch_first_steps
from pufftui.envs.library import EnvLibrary
from pufftui.trainer.allocator import keep_freed_memory
from pufftui.trainer.health import Finding
from pufftui.trainer.interpreter import take_short_turns
from pufftui.trainer.messages.channel import Channel
from pufftui.trainer.messages.command import Command
from pufftui.trainer.messages.snapshot import Phase, Snapshot
from pufftui.trainer.messages.weights import PolicyWeights
from pufftui.trainer.monitor.disk import DiskWatch
from pufftui.trainer.monitor.facts import health_facts
from pufftui.trainer.monitor.monitor import Monitor
from pufftui.trainer.monitor.recorder import Recorder
from pufftui.trainer.monitor.start import Start, process_age
from pufftui.trainer.monitor.trial import told_if_long
from pufftui.trainer.monitor.webhook import Webhook, address
from pufftui.trainer.run.checkpoint import Saved
from pufftui.trainer.run.folder import RunFolder
from pufftui.trainer.run.naming import NamedPolicy
from pufftui.trainer.run.settings_file import write_settings
from pufftui.trainer.settings.choice import choose
from pufftui.trainer.settings.fields import Config
from pufftui.trainer.settings.job import job_from_environment
from pufftui.trainer.settings.sources import config_to_toml
from pufftui.trainer.settings.tryout import try_out
from pufftui.trainer.store import StoreReader, StoreWriter, refuse_unfit


class Runner:
    """A run in progress. Whatever happens in its thread ends in `latest`, never in an exception."""

    def __init__(
        self,
        config: Config,
        folder: RunFolder,
        library: EnvLibrary,
        saved: Saved | None = None,
        *,
        device: str = "cpu",
        beginning: NamedPolicy | None = None,
    ) -> None:
        """Prepares a run in a locked folder; `saved` is the checkpoint that it goes on from.

        `beginning` is the policy whose weights a new one begins with (`find_beginning`).

        `device` is the kind that it will train on, cpu or cuda: settings that are open are chosen for it.

        Raises `PuffError` if the address of the webhook is none, if no store can be kept in the
        folder, or as `job_from_environment`.
        """
        refuse_unfit(folder.path)
        self._webhook_address = address()
        self._processes = job_from_environment().size
        self._saved = saved
        self._beginning = beginning
        self._device = device
        self.config = config
        self.folder = folder
        self.library = library
        self._printed = ""
        self._channel = Channel(config.train.total_steps)
        self._thread = threading.Thread(target=self._run, name="trainer", daemon=True)

    @property
    def latest(self) -> Snapshot:
        """The newest snapshot."""
        return self._channel.latest

    @property
    def weights(self) -> PolicyWeights | None:
        """The newest policy, at most a second old; None until training begins."""
        return self._channel.weights

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the health checks say is wrong now, the worst first."""
        return self._channel.findings

    @property
    def started(self) -> bool:
        """Whether the thread was started; it may have ended since."""
        return self._thread.ident is not None

    def start(self) -> None:
        """Starts the thread."""
        keep_freed_memory()
        take_short_turns()
        self._thread.start()

    def send(self, command: Command) -> None:
        """Asks for something; it is done at the next epoch boundary."""
        self._channel.send(command)

    def join(self, timeout: float | None = None) -> bool:
        """Waits for the thread; whether it has ended."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        began = time.monotonic() - process_age()
        step = self._saved.description["step"] if self._saved else 0
        disk = DiskWatch(self.folder.path)
        store = StoreWriter(self.folder.database, from_step=step, locate=lambda: self._locate(disk))
        try:
            with told_if_long(store, self._channel):
                self._try_out()
            phase, failure, hint = self._train_watched(store, disk, began, step), "", ""
        except PuffError as error:
            phase, failure, hint = Phase.FAILED, error.message, error.hint
            self._note_failure(store, str(error), began)
        except Exception as error:  # noqa: BLE001
            phase, failure = Phase.FAILED, f"Training stopped: {type(error).__name__}: {error}."
            hint = f"The details are in {self.folder.log}."
            self._note_failure(store, traceback.format_exc(), began)
        store.close()
        self.folder.release()
        self._channel.latest = replace(
            self.latest,
            phase=phase,
            activity="",
            seconds=max(self.latest.seconds, time.monotonic() - began),
            warning=store.shortfall or store.problem,
            lost_rows=store.lost,
            checkpoint_path=self._checkpoint(),
            failure=failure,
            failure_hint=hint,
        )

    def _train_watched(self, store: StoreWriter, disk: DiskWatch, began: float, step: int) -> Phase:
        """Trains while the machine is measured and the run's health is checked."""
        monitor = self._monitor(store)
        recorder = Recorder(store, self._channel, disk, monitor)
        monitor.start(step)
        recorder.start()
        ended = False
        try:
            phase = self._train(store, disk, monitor, began)
            ended = True
        finally:
            recorder.stop()
            self._channel.latest = replace(
                self.latest,
                phase=Phase.STOPPING,
                activity="waiting for the store to take the last rows",
            )
            monitor.close(ended=ended)
        return phase

    def _try_out(self) -> None:
        """Watches the environment's first steps, and chooses what nobody gave a value, by random play."""
        self._channel.latest = replace(self.latest, activity="trying the environment out")
        self._printed = watch_first_steps(
            self.library, self.config.parameters, self.config.env, self.folder.log
        )
        if self.config.open:
            tryout = try_out(self.library, self.config.parameters)
            self.config = choose(self.config, self._device, tryout)
            write_settings(self.folder, self.config)

    def _locate(self, disk: DiskWatch) -> tuple[Path, str]:
        """Where the store belongs, and what has happened to the folder since the last call.

        Follows one that was moved, and replaces one that is gone.
        """
        news = self.folder.stay_at_home(lambda: config_to_toml(self.config))
        if news:
            disk.move(self.folder.path)
            self._channel.notify(news)
        return self.folder.database, news

    def _checkpoint(self) -> str | None:
        """The last checkpoint where it is now; None if it is gone."""
        last = self.latest.checkpoint_path
        path = self.folder.checkpoints / Path(last).name if last else None
        return str(path) if path is not None and path.exists() else None

    def _monitor(self, store: StoreWriter) -> Monitor:
        url, run = self._webhook_address, self.folder.id

        def complain(text: str) -> None:
            store.event(self.latest.step, self.latest.seconds, "error", text)

        # Commands reach the first of several processes alone, so there everything is only told.
        alone = self._processes == 1
        return Monitor(
            health_facts(self.config, self.library.descriptor, self._processes, self._printed),
            store,
            self._channel,
            StoreReader(lambda: self.folder.database),
            on_critical=self.config.run.on_critical if alone else "ask",
            webhook=Webhook(url, run, complain) if url else None,
        )

    def _train(self, store: StoreWriter, disk: DiskWatch, monitor: Monitor, began: float) -> Phase:
        start = Start(began)
        start.ended("program")
        self._channel.latest = replace(self.latest, activity="loading torch")
        loop = importlib.import_module("pufftui.trainer.training.loop")
        start.ended("torch")
        self._channel.latest = replace(self.latest, activity="building policy and environments")
        phase: Phase = loop.train(
            self.config,
            self.library,
            self.folder,
            store,
            disk,
            self._channel,
            monitor,
            start,
            self._saved,
            self._beginning,
        )
        self._saved = self._beginning = None
        return phase

    def _note_failure(self, store: StoreWriter, text: str, began: float) -> None:
        store.event(self.latest.step, time.monotonic() - began, "failed", text)
        self.folder.note(text)
