"""How a policy is named, alike in every command: the one place that knows the names.

    RUN           the newest whole checkpoint of a run
    RUN@STEP      its checkpoint of that step
    latest        the run started or resumed last; latest@STEP, too
    baseline      the policy that comes with the environment at hand; no run may be called so
    baseline:ENV  that of another environment, by its name or folder
    FILE          a checkpoint, wherever it lies: a name that ends with .npz

A file is arrays and JSON and nothing else. Its environment is found by name among those that the person knows,
never by a path in the file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pufftui.envs.catalogue import find_by_name, find_env, find_recorded
from pufftui.envs.errors import PuffError
from pufftui.envs.places import expanded
from pufftui.trainer.messages.weights import PolicyWeights
from pufftui.trainer.run.baseline import OF, read_baseline
from pufftui.trainer.run.checkpoint import (
    NAMES,
    Saved,
    Section,
    checkpoint_name,
    newest_checkpoint,
    read_saved,
)
from pufftui.trainer.run.folder import AT, BASELINE, RunFolder, run_names
from pufftui.trainer.run.policies import POLICY, run_environment, weights_from
from pufftui.trainer.settings.fields import Config
from pufftui.trainer.settings.sources import parse_number, recorded_environment, restore_config

POLICIES = "RUN, RUN@STEP, latest, baseline, baseline:ENV or a checkpoint file"
"""What a policy may be called, for the help of commands."""

RANDOM, NOBODY = "random", "none"
"""Random moves, and a player who never moves: no policies, but some commands take them beside those."""

FILE_ENDING = ".npz"


@dataclass(frozen=True, slots=True, eq=False)
class NamedPolicy:
    """A checkpoint that somebody named. `folder` is that of its run, None for a file.

    `baseline_of` is the `id` of the environment that it comes with, if it is a baseline.
    """

    saved: Saved
    folder: RunFolder | None
    baseline_of: str = ""

    @property
    def step(self) -> int:
        """The agent steps after which it was written."""
        return int(self.saved.description["step"])

    @property
    def name(self) -> str:
        """What finds this very checkpoint again, from any folder and after the run has gone on."""
        if self.folder is not None:
            return f"{self.folder.id}{AT}{self.step}"
        if self.baseline_of:
            return f"{BASELINE}{OF}{self.baseline_of}"
        return str(self.saved.path.absolute())

    @property
    def recorded(self) -> str:
        """The environment that the checkpoint names; raises `PuffError` if it names none."""
        return recorded_environment(str(self.saved.description.get("config")), self.saved.path)

    def env(self) -> str:
        """The `id` of its environment; raises `PuffError` if that is not known here."""
        if self.baseline_of:
            return self.baseline_of
        find = find_by_name if self.folder is None else find_recorded
        return find(self.recorded).id

    def config(self, env: str | None = None, flags: Mapping[str, str] | None = None) -> Config:
        """The settings that it was trained with, for its own environment or another, `flags` over them by path.

        Raises as `restore_config`.
        """
        text = self.saved.description["config"]
        env = env or self.env()
        return restore_config(text, file=self.saved.path, flags=flags or {}, env=env)

    def weights(self, env: str | None = None) -> PolicyWeights:
        """The policy, for its own environment or another; raises as `weights_from`."""
        return weights_from(self.saved, env or self.env())

    def learned(self, env: str) -> bool:
        """Whether it was trained in that environment; of a file's only the name counts."""
        if self.folder is None:
            return Path(self.recorded).name == Path(env).name
        return self.recorded == env


def find_policy(named: str, section: Section = POLICY, env: str = "") -> NamedPolicy:
    """The checkpoint that a person names; of its arrays those whose names begin with `section`.

    `env` is the `id` of the environment at hand, if there is one. Raises `PuffError` if there is no such policy, and
    says what there is.
    """
    return _file(named, section) or _baseline(named, section, env) or _run(named, section)


def _file(named: str, section: Section) -> NamedPolicy | None:
    """A name that ends as a checkpoint's does, unless a run is called so."""
    if not named.endswith(FILE_ENDING) or (os.sep not in named and named in run_names()):
        return None
    path = expanded(named)
    if not os.path.isfile(path):  # noqa: PTH113 - never raises
        raise PuffError(
            f"There is no file {named}.",
            f"A policy is named as {POLICIES}; pufftui runs lists the runs.",
            usage=True,
        )
    return NamedPolicy(read_saved(path, section), None)


def _baseline(named: str, section: Section, env: str) -> NamedPolicy | None:
    """The word alone, or with an environment behind it."""
    word, of, other = named.partition(OF)
    if word != BASELINE:
        return None
    if not (other if of else env):
        message = "It is not said of which environment the baseline is meant."
        raise PuffError(message, f"Name it: {BASELINE}{OF}breakout.", usage=True)
    id_ = find_env(other).id if of else env
    return NamedPolicy(read_baseline(id_, section), None, id_)


def _run(named: str, section: Section) -> NamedPolicy:
    """A run, perhaps with a step; raises `PuffError` if it is not there."""
    run, at, step = named.partition(AT)
    folder = RunFolder.open(run)
    if at:
        return NamedPolicy(read_saved(_at_step(folder, step), section), folder)
    saved, _ = newest_checkpoint(folder.checkpoints, section)
    if saved is None:
        env = run_environment(folder)
        hint = (
            f"Train a new policy: pufftui train {env}."
            if env
            else "Only runs of pufftui train have policies."
        )
        raise PuffError(f"{folder.id} has no whole checkpoint.", hint, usage=True)
    return NamedPolicy(saved, folder)


def _at_step(folder: RunFolder, step: str) -> Path:
    wanted, steps = int(parse_number(step)), checkpoint_steps(folder)
    if wanted not in steps:
        there = f"There are: {', '.join(map(str, steps))}." if steps else "It has none."
        raise PuffError(f"{folder.id} has no checkpoint at step {step}.", there, usage=True)
    return folder.checkpoints / checkpoint_name(wanted)


def checkpoint_steps(folder: RunFolder) -> list[int]:
    """The steps of the checkpoints in a run's folder, rising, whatever state they are in."""
    names = [path.stem.partition("-")[2] for path in folder.checkpoints.glob(NAMES)]
    return sorted(int(name) for name in names if name.isdigit())
